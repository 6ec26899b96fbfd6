# SPDX-License-Identifier: Apache-2.0
# The page of the disk and wire formats. Included by the top-level Makefile.

.PHONY: formats formats-check
generate: formats
generate-check: formats-check

formats: ## write docs/formats.md from the field lists of pkg/pool and the C headers
	go run ./internal/formats kmod/include/rmr docs/formats.md

formats-check: ## fail if docs/formats.md is not what the codec says
	go run ./internal/formats -check kmod/include/rmr docs/formats.md
