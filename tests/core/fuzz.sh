#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh SECONDS [TARGET...]: runs the fuzz targets of the pure core one after the other, so long each,
# from the kept inputs (testdata/fuzz-c) and the fixtures. A broken promise or a sanitizer report fails,
# and its input stays in out/core/fuzz. With KEEP=1 the kept inputs become the smallest set of inputs
# with the same coverage.
set -eu

seconds=$1
shift
out=out/core/fuzz
[ $# -gt 0 ] || set -- msg rsp_hello rsp_pool rsp_recovery sb map

# seed DIR FRONT PATTERN: fixtures as inputs; FRONT are the bytes that the target takes first, in hex.
seed() {
	# shellcheck disable=SC2086 # a pattern
	for f in testdata/$3.hex; do
		{ echo "$2"; cat "$f"; } | xxd -r -p >"$1/$(basename "$f" .hex)"
	done
}

seeds() {
	case $1 in
	msg) seed "$2" '' '*msg_*' ;;
	rsp_hello) seed "$2" '' '*rsp_hello*' ;;
	rsp_pool) seed "$2" '' '*rsp_pool*' ;;
	rsp_recovery)
		seed "$2" 008813000000000000 '*rsp_map_pull*'
		seed "$2" 012c01000000000000 '*rsp_list*'
		seed "$2" 02ff0f000000000000 '*rsp_fine*'
		seed "$2" 03ff0f000000000000 '*rsp_digest*'
		seed "$2" 040000000000000000 '*rsp_keepalive*'
		;;
	sb) seed "$2" 030000280001 '*superblock*' ;;
	map) seed "$2" 01cf0700ff '*map_sector*' ;;
	*) echo "fuzz: no target $1" >&2; exit 2 ;;
	esac
}

for target in "$@"; do
	kept=testdata/fuzz-c/$target
	work=$out/$target.corpus
	rm -rf "$work"
	mkdir -p "$work" "$kept"
	seeds "$target" "$work"
	"$out/$target" -max_total_time="$seconds" -max_len=8320 -timeout=10 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="$out/$target-" "$work" "$kept" >"$out/$target.log" 2>&1 ||
		{ tail -40 "$out/$target.log"; echo "fuzz: $target failed, its input is in $out" >&2; exit 1; }
	awk -v t="$target" '/number_of_executed_units/ {n = $2} /average_exec_per_sec/ {r = $2}
		END {printf "fuzz %-10s %12d inputs, %d a second, nothing found\n", t, n, r}' "$out/$target.log"
	[ -n "${KEEP:-}" ] || continue
	rm -rf "$out/$target.small"
	mkdir "$out/$target.small"
	"$out/$target" -merge=1 -max_len=8320 "$out/$target.small" "$work" "$kept" >"$out/$target.merge" 2>&1
	rm -rf "$kept"
	mv "$out/$target.small" "$kept"
done
