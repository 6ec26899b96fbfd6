#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# scenarios.sh [PATTERN]: the scenarios and the rig's own tests, two at a time, as most of a scenario is
# waiting; each in a process, a network and nodes of its own. Prints one line for each with its time, and
# what a failed one said; all of it is in out/test/scenarios. Fails if one failed.
set -u
cd "$(dirname "$0")/.." || exit 1
pattern=${1:-.}
logs=$PWD/out/test/scenarios
rm -rf "$logs"
mkdir -p "$logs"

build() { # package
	local name
	name=$(basename "$1")
	go test -c -o "$logs/$name.test" "$1" || exit 1
	(cd "$1" && "$logs/$name.test" -test.list "$pattern" | grep '^Test' | sed "s|^|$1 |")
}

one() { # package test
	local binary begin=$SECONDS result=ok
	binary=$logs/$(basename "$1").test
	(cd "$1" && "$binary" -test.v -test.run "^$2\$" -test.timeout 40m) >"$logs/$2.log" 2>&1 || result=FAILED
	grep -q -e '--- SKIP' "$logs/$2.log" && result="$result, skips"
	printf '%-40s %-12s %5d s\n' "$2" "$result" $((SECONDS - begin))
	case $result in FAILED*)
		grep -v -e '^=== ' "$logs/$2.log" | tail -n 40
		return 1
		;;
	esac
}
export -f one
export logs

list=$(build ./tests/scenario) || exit 1
rig=$(build ./internal/rig) || exit 1
[ -n "$list$rig" ] || { echo "no test matches $pattern"; exit 1; }
# shellcheck disable=SC2016 # expanded by the shells that xargs starts
printf '%s\n' "$list" "$rig" | grep . |
	xargs -P 2 -L 1 bash -c 'one "$0" "$1"'
