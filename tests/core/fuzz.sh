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
[ $# -gt 0 ] || set -- msg rsp_hello rsp_pool sb map

# Fixtures as inputs: the bytes in front are those that the target takes first.
seeds() {
	case $1 in
	msg) pattern='*msg_*' front='' ;;
	rsp_hello) pattern='*rsp_hello*' front='' ;;
	rsp_pool) pattern='*rsp_pool*' front='' ;;
	sb) pattern='*superblock*' front='000000280001' ;;
	map) pattern='*map_sector*' front='01cf0700ff' ;;
	*) echo "fuzz: no target $1" >&2; exit 2 ;;
	esac
	# shellcheck disable=SC2086 # a pattern
	for f in testdata/$pattern.hex; do
		{ echo "$front"; cat "$f"; } | xxd -r -p >"$2/$(basename "$f" .hex)"
	done
}

for target in "$@"; do
	kept=testdata/fuzz-c/$target
	work=$out/$target.corpus
	rm -rf "$work"
	mkdir -p "$work" "$kept"
	seeds "$target" "$work"
	"$out/$target" -max_total_time="$seconds" -max_len=8192 -timeout=10 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="$out/$target-" "$work" "$kept" >"$out/$target.log" 2>&1 ||
		{ tail -40 "$out/$target.log"; echo "fuzz: $target failed, its input is in $out" >&2; exit 1; }
	awk -v t="$target" '/number_of_executed_units/ {n = $2} /average_exec_per_sec/ {r = $2}
		END {printf "fuzz %-10s %12d inputs, %d a second, nothing found\n", t, n, r}' "$out/$target.log"
	[ -n "${KEEP:-}" ] || continue
	rm -rf "$out/$target.small"
	mkdir "$out/$target.small"
	"$out/$target" -merge=1 -max_len=8192 "$out/$target.small" "$work" "$kept" >"$out/$target.merge" 2>&1
	rm -rf "$kept"
	mv "$out/$target.small" "$kept"
done
