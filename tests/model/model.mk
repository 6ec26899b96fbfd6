# SPDX-License-Identifier: Apache-2.0
# Protocol models (docs/protocol.md): included by the Makefile at the top.

.PHONY: model model-mutants
model: ## check the protocol models, every standard configuration
	tests/model/run.sh check
model-mutants: ## take each rule away in turn; the models must notice
	tests/model/run.sh mutants
