# SPDX-License-Identifier: Apache-2.0
#
# The command line tool and the daemon: to be included by the top-level Makefile.

.PHONY: cli man completions generate-go cli-test

BIN ?= bin

cli: ## build rmrctl, brmr and rmr-storaged, static
	CGO_ENABLED=0 go build -trimpath -o $(BIN)/rmrctl ./cmd/rmrctl
	ln -sf rmrctl $(BIN)/brmr
	CGO_ENABLED=0 go build -trimpath -o $(BIN)/rmr-storaged ./cmd/rmr-storaged

man: ## write the man pages from the commands
	@mkdir -p docs/man && rm -f docs/man/*.8
	go run ./internal/cli/gendoc man docs/man

completions: ## write the shell completions from the commands
	@mkdir -p packaging/completions && rm -f packaging/completions/*
	go run ./internal/cli/gendoc completions packaging/completions

generate-go: ## write the Go side of the netlink specification
	go generate ./internal/rmrnl

cli-test: ## test the tool, the daemon, the netlink client and the device checks
	go test -count=1 ./cmd/rmrctl/... ./cmd/rmr-storaged/... ./internal/storaged/... ./internal/cli/... ./internal/rmrnl/... ./internal/blockdev/... ./internal/metadata/... ./internal/softroce/...
