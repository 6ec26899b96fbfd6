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

.PHONY: core-test core-cover core-bench core-fuzz core-diff

$(CORE_OUT):
	@mkdir -p $@

$(CORE_OUT)/test: $(CORE_SRC) $(CORE_TESTS) $(CORE_HDR) | $(CORE_OUT)
	$(CORE_CC) $(CORE_FLAGS) $(CORE_SAN) -o $@ $(CORE_SRC) $(CORE_TESTS)

core-test: $(CORE_OUT)/test ## test the pure C core with address and undefined-behaviour sanitizers
	$(CORE_OUT)/test

$(CORE_OUT)/driver: $(CORE_SRC) $(wildcard tests/core/driver*.c) $(CORE_HDR) | $(CORE_OUT)
	$(CORE_CC) $(CORE_FLAGS) $(CORE_SAN) -o $@ $(CORE_SRC) $(wildcard tests/core/driver*.c)

core-diff: $(CORE_OUT)/driver ## compare the pure C core with the Go packages, 10^6 random operations
	go test -count=1 ./tests/core/... -ops 1000000
