# SPDX-License-Identifier: Apache-2.0
# Fuzzing of every decoder in Go, one target after the other. Included by the top-level Makefile.

FUZZTIME ?= 10m
# package:target
FUZZ := pkg/pool:FuzzSuperblock pkg/pool:FuzzSuperblockChoice pkg/pool:FuzzMapSector pkg/pool:FuzzMessage \
	pkg/pool:FuzzHelloReply pkg/pool:FuzzPoolReply pkg/pool:FuzzRecoveryReplies pkg/dirtymap:FuzzMapLoad \
	internal/rmrnl:FuzzDecode internal/blockdev:FuzzProbe internal/metadata:FuzzReadDump

.PHONY: fuzz
fuzz: ## fuzz every decoder in Go for FUZZTIME=10m each
	@set -e; for t in $(FUZZ); do echo "$$t"; \
		go test "./$${t%%:*}" -run '^$$' -fuzz "^$${t##*:}\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s -parallel 1; done
