# SPDX-License-Identifier: Apache-2.0
# Protocol models (docs/protocol.md): included by the Makefile at the top.

.PHONY: model model-deep model-mutants
model: ## check the protocol models, every standard configuration
	tests/model/run.sh check
model-deep: ## larger configurations, some partial
	tests/model/run.sh check tests/model/deep.txt
model-mutants: ## take each rule away in turn; the models must notice
	tests/model/run.sh mutants
