# SPDX-License-Identifier: Apache-2.0
# Simulator and fuzzing of the pure packages. Included by the top-level Makefile.

SEEDS ?= 2000
SEED_FROM ?= 1
FUZZTIME ?= 10m
FUZZ_POOL := FuzzSuperblock FuzzSuperblockChoice FuzzMapSector FuzzMessage FuzzHelloReply FuzzPoolReply
FUZZ_DIRTYMAP := FuzzMapLoad

.PHONY: sim sim-trace fuzz
sim: ## play SEEDS=2000 worlds from SEED_FROM=1; last line: seeds, operations, faults, violations
	go run ./tests/sim/run -seeds $(SEEDS) -from $(SEED_FROM)

sim-trace: ## the events of the world SEED_FROM
	@go run ./tests/sim/run -trace -from $(SEED_FROM)

fuzz: ## every fuzz target of the pure packages, FUZZTIME=10m each
	set -e; for t in $(FUZZ_POOL); do go test ./pkg/pool -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) -parallel 1; done
	set -e; for t in $(FUZZ_DIRTYMAP); do go test ./pkg/dirtymap -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) -parallel 1; done
