# SPDX-License-Identifier: Apache-2.0
#
# Thin: every target calls one tool. `make help` lists them.

RIG := go run ./cmd/rmr-rig

.DEFAULT_GOAL := help
.PHONY: help deps kernel kernel-debug modules modules-debug image rig-shell rig-test

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install the missing Debian packages that building and testing need (root)
	@soft-roce/deps.sh

kernel: ## build the rig's fast kernel, once for each machine
	@$(RIG) kernel

kernel-debug: ## build the rig's debug kernel: KASAN, lockdep, kmemleak, KUnit, fault injection
	@$(RIG) kernel --variant debug

modules: ## build the kernel modules (kmod) against the fast kernel
	@$(RIG) modules

modules-debug: ## build the kernel modules against the debug kernel
	@$(RIG) modules --variant debug

image: ## build the node image
	@$(RIG) image

rig-shell: ## three nodes to play with (root)
	@$(RIG) shell --rxe

rig-test: ## test the rig itself, with both kernels (root)
	go test -count=1 -timeout 30m ./internal/rig/...

include tests/core/core.mk
