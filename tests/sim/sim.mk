# SPDX-License-Identifier: Apache-2.0
# The simulator. Included by the top-level Makefile.

SEEDS ?= 2000
SEED_FROM ?= 1
MUTANT_SEEDS ?= 5000

.PHONY: sim sim-trace sim-mutants
sim: ## play SEEDS=2000 worlds from SEED_FROM=1; last line: seeds, operations, faults, violations
	go run ./tests/sim/run -seeds $(SEEDS) -from $(SEED_FROM)

sim-trace: ## the events of the world SEED_FROM
	@go run ./tests/sim/run -trace -from $(SEED_FROM)

sim-mutants: ## take each rule away in turn; prints the seed that finds each, of at most MUTANT_SEEDS
	go run ./tests/sim/run -mutants -seeds $(MUTANT_SEEDS)
