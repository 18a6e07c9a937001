# What a person does with this tree; `make` alone lists it. Python comes from .venv, made on demand.
.DEFAULT_GOAL := help
.PHONY: help env env-dev serve test check accuracy terms bench fuzz lock

UV ?= uv
# What installing this tree itself takes: it is done without a download.
BUILD = editables hatchling
COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --python-version 3.11

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile

env: ## Make .venv with what serving needs (PYTHON=… picks the interpreter)
	@PYTHON='$(PYTHON)' sh deploy/bootstrap.sh serve

env-dev: ## Make .venv with what tests and checks need, too
	@PYTHON='$(PYTHON)' sh deploy/bootstrap.sh dev

serve: env ## Start the service, with a PostgreSQL of its own unless OPTLEDGER_DATABASE_URL is set
	.venv/bin/optledger serve

test: env-dev ## Run the tests
	.venv/bin/python -m pytest

check: env-dev ## Check style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

accuracy: env-dev ## Show how well words are understood, by language
	.venv/bin/python -m tests.accuracy --write

terms: env-dev ## Write docs/terms.md, the page of all terms
	.venv/bin/python -m tests.terms

bench: env-dev ## Measure
	.venv/bin/python -m bench

fuzz: env-dev ## Try random input fifty times as long as `test` does
	HYPOTHESIS_PROFILE=fuzz .venv/bin/python -m pytest --timeout 3600 \
		tests/unit/test_parse_any.py tests/unit/test_reach.py tests/unit/test_fold.py \
		tests/unit/test_keywords_normalize.py tests/db/test_properties.py

lock: ## Pin the newest libraries that pyproject.toml allows (needs uv)
	rm -f requirements.txt requirements-dev.txt
	printf '%s\n' $(BUILD) | $(COMPILE) -o requirements.txt pyproject.toml -
	printf '%s\n' $(BUILD) | $(COMPILE) -o requirements-dev.txt -c requirements.txt --group dev pyproject.toml -
	! grep -nE '://|file:|[[:space:]]@[[:space:]]|=/' requirements.txt requirements-dev.txt
