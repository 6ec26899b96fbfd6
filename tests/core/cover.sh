#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# cover.sh DIR COMPILER SOURCES TESTS DRIVER: branch coverage of kmod/rmr/core by its suites and by the
# comparison with the Go packages. Fails below 90 % of the branches.
set -eu

dir=$1 cc=$2 sources=$3 tests=$4 driver=$5
least=90
rm -rf "$dir"
mkdir -p "$dir/suites" "$dir/driver"

# build PROGRAM SOURCES: each with its own counters, which gcovr adds up.
build() {
	for source in $2; do
		# shellcheck disable=SC2086 # a list of words
		$cc --coverage -O0 -c -o "$dir/$1/$(basename "$source" .c).o" "$source"
	done
	gcc --coverage -o "$dir/$1/run" "$dir/$1"/*.o
}

build suites "$sources $tests"
build driver "$sources $driver"
"$dir/suites/run" >"$dir/suites.log"
go test -count=1 ./tests/core/diff/ -ops 20000 -seed 1 -driver "$PWD/$dir/driver/run" >"$dir/driver.log" ||
	{ cat "$dir/driver.log"; exit 1; }

gcovr --root . --filter 'kmod/rmr/core/' --exclude '.*_kunit\.c' --branches --sort-uncovered \
	--exclude-unreachable-branches --fail-under-branch "$least" "$dir"
