# Everything below does its own set-up: a machine with Python 3.11 or newer is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= var
AS_OF ?= 2026-11-01
CUSTOMERS ?= 20000
MONTHS ?= 24
SEED ?= 1
DATA ?= ../shared/data/berka
CAMPAIGNS ?= 2026-06-01 2026-07-01 2026-08-01 2026-09-01
# Files in their order, the long ones of integration first: else a single one is left to the end, on one core.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile --no-loadscope-reorder
PACKAGES := conf tables features extracts models campaigns audit measurement expectations demo jobs

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run year demo berka format check test-fast test test-full golden bench bench-demo bench-features bench-ingest bench-models bench-month bench-training bench-search bench-uplift bench-scoring bench-snapshots bench-optimiser bench-optimiser-parts bench-choice-parts bench-campaign bench-audit bench-measurement bench-measurement-public wheel lock docs clean

help: ## show this text
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# A stamp per lock: the second call costs nothing and needs no network. Bytecode is compiled once,
# because where Python may not write it (PYTHONDONTWRITEBYTECODE) every process would spend 8 s on it.
$(VENV)/.running: requirements.lock requirements-installer.lock setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-installer.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.developing: $(VENV)/.running requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	touch $@

setup: $(VENV)/.running ## install what running needs into .venv
setup-dev: $(VENV)/.developing ## install what tests and checks need besides

run: setup ## demo bank, then the whole month; prints the first lines of a list
	@$(BIN)/xsell demo --home $(HOME_DIR) --customers $(CUSTOMERS) --months $(MONTHS) --seed $(SEED) --until $(AS_OF)
	@$(BIN)/xsell run --home $(HOME_DIR) --as-of $(AS_OF)
	@$(BIN)/xsell lists show --home $(HOME_DIR) --as-of $(AS_OF) --rows 10

year: setup ## a few campaigns after each other, with what branches made of each list; champions trained once
	@$(BIN)/xsell demo --home $(HOME_DIR) --customers $(CUSTOMERS) --months $(MONTHS) --seed $(SEED) --until $(AS_OF)
	@$(BIN)/xsell run --home $(HOME_DIR) --as-of $(firstword $(CAMPAIGNS))
	@$(BIN)/xsell demo --home $(HOME_DIR) --react
	@for month in $(wordlist 2,$(words $(CAMPAIGNS)),$(CAMPAIGNS)); do \
	  for step in ingest features score campaign; do \
	    $(BIN)/xsell $$step --home $(HOME_DIR) --as-of $$month || exit; \
	  done; \
	  $(BIN)/xsell demo --home $(HOME_DIR) --react || exit; \
	done
	@$(BIN)/xsell ingest --home $(HOME_DIR) --as-of $(AS_OF)
	@$(BIN)/xsell measure --home $(HOME_DIR) --as-of $(AS_OF)

demo: setup ## only the demo bank's deliveries
	@$(BIN)/xsell demo --home $(HOME_DIR) --customers $(CUSTOMERS) --months $(MONTHS) --seed $(SEED) --until $(AS_OF)

berka: setup ## the real Berka bank as of 1994-04-01, back-tested (DATA=folder of the raw files)
	@$(BIN)/xsell berka --data $(DATA)

format: setup-dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: setup-dev ## lint, types, import rules
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test-fast: setup-dev ## tests that need no engine
	$(BIN)/pytest -m "not engine and not slow"

test: setup-dev ## the whole everyday suite
	$(BIN)/pytest -m "not slow" $(SIDE_BY_SIDE)

test-full: setup-dev ## with the slow tests
	$(BIN)/pytest $(SIDE_BY_SIDE)

golden: setup-dev ## accept today's lists as the stored ones, to be reviewed as a diff
	$(BIN)/pytest tests/golden --accept

bench: bench-month bench-training bench-search bench-uplift bench-models bench-snapshots bench-optimiser bench-campaign bench-audit bench-measurement bench-measurement-public bench-demo bench-ingest bench-features ## all benchmarks

bench-month: setup ## the default month: seconds and memory
	$(BIN)/python bench/month.py

bench-demo: setup ## a bank of a million customers: rate and memory
	$(BIN)/python bench/demo.py

bench-features: setup-dev ## features of 200,000 customers beside Polars and DuckDB
	$(BIN)/python bench/compare_features.py

bench-ingest: setup-dev ## a first load of 100 million CSV transactions beside DuckDB; 35 GB of disk
	$(BIN)/python bench/ingest.py

bench-training: setup ## the demo bank's models beside its planted truth; what training costs beside bare LightGBM
	$(BIN)/python bench/training.py
	$(BIN)/python bench/training_cost.py

bench-search: setup ## what a search for better parameters brings on the demo bank
	$(BIN)/python bench/search.py

bench-uplift: setup ## planted uplift beside what is learned from the demo bank's randomised campaigns
	$(BIN)/python bench/uplift.py

bench-models: setup ## production's models on public data (../shared/data) beside published figures
	$(BIN)/python bench/public_models.py

bench-scoring: setup-dev ## a million customers x 12 products beside the boosters' own predictions
	$(BIN)/python bench/scoring.py

bench-snapshots: setup ## training features by pairs of customer and date, beside full snapshots
	$(BIN)/python bench/training_snapshots.py

bench-optimiser: setup ## a million customers x 20 offers within every limit, beside what is taken in turn
	$(BIN)/python bench/optimiser.py

bench-optimiser-parts: setup ## ten million customers x 20 offers, in parts on disk
	$(BIN)/python bench/optimiser_parts.py

bench-choice-parts: setup ## a million customers' choice, all options in one process and in parts of the engine
	$(BIN)/python bench/choice_parts.py

bench-audit: setup ## what sealing adds to a campaign; ten million entries verified
	$(BIN)/python bench/sealing.py

bench-measurement: setup ## a year of campaigns of a million clients measured; do the intervals hold
	$(BIN)/python bench/measured_year.py
	$(BIN)/python bench/measurement_coverage.py

bench-campaign: setup ## the demo bank's lists beside simple ways to fill them: expected and planted profit
	$(BIN)/python bench/campaign_peers.py

bench-measurement-public: setup ## Hillstrom's mails, an insurer's and a grocer's campaigns beside published averages
	$(BIN)/python bench/measurement_public.py

docs: setup ## write the generated documents anew
	$(BIN)/python -m jobs.documents

wheel: setup-dev ## build the wheel
	$(BIN)/uv build --wheel --no-build-isolation --python $(BIN)/python

lock: setup ## resolve the pins anew
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate requirements.in -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate requirements-dev.in -o requirements-dev.lock

clean: ## remove the environment and the demo bank
	rm -rf $(VENV) $(HOME_DIR)
