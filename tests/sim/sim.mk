# SPDX-License-Identifier: Apache-2.0
# Simulator, fuzzing and comparison of the two languages. Included by the top-level Makefile.
#
#   make sim [SEEDS=n] [SEED_FROM=s]    play seeds; the last line counts seeds, operations, faults, violations
#   make sim-trace SEED_FROM=s          the events of one seed
#   make fuzz [FUZZTIME=10m]            every fuzz target of the pure packages, one after the other
#   make diff-test [DIFF_OPS=n]         the C core against the Go packages

SEEDS ?= 2000
SEED_FROM ?= 1
FUZZTIME ?= 10m
DIFF_OPS ?= 1000000
FUZZ_POOL := FuzzSuperblock FuzzSuperblockChoice FuzzMapSector FuzzMessage FuzzHelloReply FuzzPoolReply
FUZZ_DIRTYMAP := FuzzMapLoad

.PHONY: sim sim-trace fuzz diff-test
sim:
	go run ./tests/sim/run -seeds $(SEEDS) -from $(SEED_FROM)

sim-trace:
	go run ./tests/sim/run -trace -from $(SEED_FROM)

fuzz:
	set -e; for t in $(FUZZ_POOL); do go test ./pkg/pool -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) -parallel 1; done
	set -e; for t in $(FUZZ_DIRTYMAP); do go test ./pkg/dirtymap -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) -parallel 1; done

diff-test:
	go test ./tests/diff -count 1 -v -ops $(DIFF_OPS)
