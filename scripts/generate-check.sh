#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# generate-check.sh: generates everything anew into a scratch folder and compares it with what is
# checked in. Nothing in the checkout changes.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

scripts/netlink-gen.sh "$(go run ./cmd/rmr-rig kernel --source | tail -1)" "$work"
for dir in man completions; do
	mkdir -p "$work/$dir"
	go run ./internal/cli/gendoc "$dir" "$work/$dir"
done
go run ./internal/rmrnl/gen docs/netlink/rmr.yaml "$work/spec_gen.go"

bad=0
same() { # generated checked-in
	diff -ru "$1" "$2" >"$work/diff" || { echo "$2 is not up to date: make generate"; head -20 "$work/diff"; bad=1; }
}
for f in docs/netlink/rmr.rst kmod/rmr/genl-gen.c kmod/rmr/genl-gen.h kmod/include/uapi/linux/rmr.h; do
	same "$work/$f" "$f"
done
same "$work/man" docs/man
same "$work/completions" packaging/completions
same "$work/spec_gen.go" internal/rmrnl/spec_gen.go
exit $bad
