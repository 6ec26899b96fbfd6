#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# test.sh: every test of the project, cheapest first; a step that fails does not stop the others.
# Prints each step with its time and a closing table; the logs of all steps are in out/test.
set -u
cd "$(dirname "$0")/.." || exit 1
logs=out/test
mkdir -p "$logs"
rows=() failed=0

step() { # name command...
	local name=$1 begin=$SECONDS rc=0
	shift
	printf '%-34s ' "$name"
	"$@" >"$logs/$name.log" 2>&1 || rc=$?
	local result=ok
	if [ "$rc" != 0 ]; then
		result="FAILED ($rc)"
		failed=1
	fi
	rows+=("$(printf '%-34s %-12s %5d s' "$name" "$result" $((SECONDS - begin)))")
	printf '%-12s %5d s\n' "$result" $((SECONDS - begin))
	[ "$rc" = 0 ] || { echo "--- end of $logs/$name.log"; tail -n 60 "$logs/$name.log"; echo ---; }
}

step kernel-fast make -s kernel
step kernel-debug make -s kernel-debug
step core make -s core-test
step core-diff-short make -s core-diff OPS=1000
# Minutes of one processor, beside the next steps, which seldom need both. The seed is a fixed one: fresh ones are for
# people who look for faults, not for those who ask whether a change broke something.
make -s core-diff OPS=1000000 SEED=1 >"$logs/core-diff-long.log" 2>&1 &
long=$!
# shellcheck disable=SC2317 # called by step
core_diff_long() {
	local rc=0
	wait "$long" || rc=$?
	cat "$logs/core-diff-long.log"
	return "$rc"
}
step check make -s check
step go make -s test-go
step model make -s model
step simulator make -s sim SEEDS=2000
step core-diff core_diff_long
step scenarios scripts/scenarios.sh

printf '\n%s\n' "${rows[@]}"
exit $failed
