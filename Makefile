# SPDX-License-Identifier: Apache-2.0
#
# Thin: every target calls one tool. `make help` lists them. Parts bring their own targets in
# *.mk files.

RIG := go run ./cmd/rmr-rig
TOOL := go tool -modfile=tools/go.mod
# Pattern of the scenarios that rig-test runs, as for `go test -run`.
RUN ?= .
ROUNDS ?= 5

.DEFAULT_GOAL := help
.PHONY: help deps demo test test-go test-rig bench check generate generate-check \
	kernel kernel-debug modules modules-debug image rig-shell rig-test

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST) | sort

deps: ## install the missing Debian packages that building and testing need (root)
	@soft-roce/deps.sh

demo: deps ## the main job, from nothing: two storage nodes, a client, a file system on the pool (root)
	@$(RIG) demo

test: deps ## all tests (root); the first time on a machine it also builds two kernels
	@scripts/test.sh

test-go: ## tests of the Go packages that need no rig
	go test -count=1 $$(go list ./... | grep -v -e /tests/scenario -e /internal/rig$$)

rig-test: ## scenarios in the rig with every case of their matrices, those of RUN=pattern (root)
	RMR_SCENARIOS=full go test -count=1 -timeout 90m -run '$(RUN)' ./internal/rig/... ./tests/scenario/...

bench: deps ## figures of the data path next to raw RNBD and md RAID1, medians of ROUNDS=5 (root)
	@$(RIG) bench --rounds $(ROUNDS)
	@$(RIG) bench recovery --rounds $(ROUNDS)

check: generate-check state-tables-check ## formatting, vet, static checks of Go, C, scripts; generated files up to date
	@out=$$($(TOOL) gofumpt -l .); test -z "$$out" || { echo "gofumpt: $$out"; exit 1; }
	go vet ./...
	$(TOOL) staticcheck ./...
	scripts/check-kmod.sh "$$($(RIG) kernel | tail -1)"
	shellcheck scripts/*.sh soft-roce/*.sh tests/*/*.sh .ci/run

generate: generate-netlink generate-go man completions state-tables ## write all generated files

generate-check: ## fail if a generated file is not what its source says
	@scripts/generate-check.sh

generate-netlink: ## write policy, uapi header and reference page from docs/netlink/rmr.yaml
	scripts/netlink-gen.sh "$$($(RIG) kernel --source)" .

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

include cmd/cli.mk $(wildcard tests/*/*.mk pkg/*.mk)
