# SPDX-License-Identifier: Apache-2.0
# Mutants of the kernel modules. Included by the top-level Makefile.

MUTANT ?=

.PHONY: code-mutants code-mutants-core
code-mutants: ## break the modules rule by rule; a named test must notice each (root); MUTANT=name,... for some
	go run ./tests/mutants/run -only '$(MUTANT)'

code-mutants-core: ## the mutants whose killer needs no rig
	go run ./tests/mutants/run -core
