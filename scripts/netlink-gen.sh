#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# netlink-gen.sh KERNEL_SOURCE OUTDIR: generates the netlink policy, uapi header and reference page from
# docs/netlink/rmr.yaml with the kernel's own generators. The generators look for their schema two
# folders above the spec, so the spec is staged beside a copy of it.
set -eu
src=$1
mkdir -p "$2" && out=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
ynl=$src/tools/net/ynl
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/docs/netlink" "$out/kmod/rmr" "$out/kmod/include/uapi/linux" "$out/docs/netlink"
cp "$here/docs/netlink/rmr.yaml" "$stage/docs/netlink/"
cp "$src"/Documentation/netlink/genetlink*.yaml "$stage/docs/"
touch "$stage/MAINTAINERS" # ends the generator's search for the root of the tree
cd "$stage"
gen() { # mode kind file
	/usr/bin/python3 "$ynl/ynl-gen-c.py" --spec "$stage/docs/netlink/rmr.yaml" --mode "$1" "--$2" -o "$out/$3"
}
gen uapi header kmod/include/uapi/linux/rmr.h
gen kernel header kmod/rmr/genl-gen.h
gen kernel source kmod/rmr/genl-gen.c
# The reference is reStructuredText, which code hosts render as well as Markdown.
/usr/bin/python3 "$ynl/ynl-gen-rst.py" -i docs/netlink/rmr.yaml -o "$out/docs/netlink/rmr.rst"
