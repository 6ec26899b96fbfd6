# SPDX-License-Identifier: Apache-2.0
#
# The pure core (kmod/rmr/core) in userspace. Included by the Makefile at the top.

CORE_DIR := kmod/rmr/core
CORE_OUT := out/core
CORE_CC ?= gcc
CORE_SRC := $(filter-out %_kunit.c,$(wildcard $(CORE_DIR)/*.c)) tests/core/port-user.c
CORE_TESTS := $(wildcard $(CORE_DIR)/*_kunit.c tests/core/test-*.c) tests/core/run.c
CORE_HDR := $(wildcard $(CORE_DIR)/*.h kmod/include/rmr/*.h tests/core/*.h tests/core/shim/kunit/*.h)
CORE_FLAGS := -std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Werror \
	-Ikmod/include -I$(CORE_DIR) -Itests/core -Itests/core/shim
CORE_SAN := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CORE_DRIVER := $(wildcard tests/core/driver*.c)
CORE_FUZZ := $(patsubst tests/core/fuzz/%.c,$(CORE_OUT)/fuzz/%,$(wildcard tests/core/fuzz/*.c))
OPS ?= 1000000
SEED ?= 0
SECONDS ?= 60

.PHONY: core-test core-diff core-cover core-bench core-fuzz core-kunit

$(CORE_OUT) $(CORE_OUT)/fuzz:
	@mkdir -p $@

$(CORE_OUT)/test: $(CORE_SRC) $(CORE_TESTS) $(CORE_HDR) | $(CORE_OUT)
	@$(CORE_CC) $(CORE_FLAGS) $(CORE_SAN) -o $@ $(CORE_SRC) $(CORE_TESTS)

core-test: $(CORE_OUT)/test ## test the pure C core with address and undefined-behaviour sanitizers
	$(CORE_OUT)/test

$(CORE_OUT)/driver: $(CORE_SRC) $(CORE_DRIVER) $(CORE_HDR) | $(CORE_OUT)
	@$(CORE_CC) $(CORE_FLAGS) $(CORE_SAN) -o $@ $(CORE_SRC) $(CORE_DRIVER)

core-diff: $(CORE_OUT)/driver ## compare the pure C core with the Go packages, OPS=10^6 operations; SEED=0 draws fresh ones
	go test -count=1 -timeout 30m ./tests/core/diff/ -ops $(OPS) -seed $(SEED)

core-cover: ## branch coverage of the pure C core by its suites and the comparison with Go; below 90 % fails
	@tests/core/cover.sh $(CORE_OUT)/cover "$(CORE_CC) $(CORE_FLAGS)" "$(CORE_SRC)" "$(CORE_TESTS)" "$(CORE_DRIVER)"

$(CORE_OUT)/bench: $(CORE_SRC) tests/core/bench.c $(CORE_HDR) | $(CORE_OUT)
	@$(CORE_CC) $(CORE_FLAGS) -O2 -o $@ $(CORE_SRC) tests/core/bench.c

core-bench: $(CORE_OUT)/bench ## costs of the dirty map: time, memory, resync amplification; a broken bound fails
	$(CORE_OUT)/bench

$(CORE_OUT)/fuzz/%: tests/core/fuzz/%.c tests/core/fuzz/fuzz.h $(CORE_SRC) $(CORE_HDR) | $(CORE_OUT)/fuzz
	@clang $(CORE_FLAGS) -Wno-unused-function -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $< $(CORE_SRC)

core-fuzz: $(CORE_FUZZ) ## fuzz every decoder of the pure C core for SECONDS=60 each
	@tests/core/fuzz.sh $(SECONDS)

core-kunit: ## run the suites of the pure C core in a node with the debug kernel (root)
	go test -count=1 -timeout 30m ./tests/core/kunit/ -v

.PHONY: state-tables state-tables-check
state-tables: $(CORE_OUT)/driver ## write the state tables of the C core into docs/protocol.md and internal/events
	go run ./internal/statetables $(CORE_OUT)/driver docs/protocol.md internal/events/table_gen.go

state-tables-check: $(CORE_OUT)/driver ## fail if docs/protocol.md or internal/events has other state tables than the C core
	go run ./internal/statetables -check $(CORE_OUT)/driver docs/protocol.md internal/events/table_gen.go
