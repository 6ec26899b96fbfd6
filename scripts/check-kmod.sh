#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check-kmod.sh KERNEL_BUILD_TREE: style and static checks of kmod/ with the kernel's own tools:
# checkpatch --strict, kernel-doc, a W=1 build and sparse. Reports about files of the kernel itself
# are not ours and are left out; anything about ours fails the check.
set -eu
tree=$1
src=$(readlink -f "$tree/source")
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

files=$(cd "$here" && git ls-files 'kmod/*.c' 'kmod/*.h' | grep -v -e genl-gen -e uapi/)

for f in $files; do
	ignore=FILE_PATH_CHANGES
	# Userspace builds the format headers too: no BIT(), and C11's own assertion.
	case $f in kmod/include/rmr/ondisk.h | kmod/include/rmr/wire.h)
		ignore=$ignore,BIT_MACRO,CAMELCASE ;;
	esac
	# Exports of the pure core stand apart from it on purpose.
	[ "$f" = kmod/rmr/core-export.c ] && ignore=$ignore,EXPORT_SYMBOL
	perl "$src/scripts/checkpatch.pl" --no-tree --strict --quiet --terse --show-types \
		--no-summary --max-line-length=100 --ignore "$ignore" -f "$here/$f" || bad=1
done

for f in $files; do
	out=$(perl "$src/scripts/kernel-doc" -none "$here/$f" 2>&1) || bad=1
	[ -z "$out" ] || { echo "$out"; bad=1; }
done

cp -r "$here/kmod" "$work/kmod"
# shellcheck disable=SC2016
make -C "$tree" ARCH=um M="$work/kmod" W=1 C=2 CF="-D__CHECK_ENDIAN__ -Wno-bitwise-pointer" -j"$(nproc)" \
	modules >"$work/log" 2>&1 || { tail -20 "$work/log"; bad=1; }
# Only lines that start with a path of ours: headers of the kernel have reports of their own.
if grep -E "^(\.\./)*[^ ]*kmod/[^ ]*:[0-9]+:[0-9]*:? *(warning|error)" "$work/log" >"$work/ours"; then
	sort -u "$work/ours"
	bad=1
fi

for f in $files; do
	n=$(wc -l <"$here/$f")
	[ "$n" -le 1000 ] || { echo "$f: $n lines, at most 1000"; bad=1; }
done
exit $bad
