# Two commands matter: `make demo` shows GenDSL at work, `make test` runs every check. Both make .venv first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export OMP_NUM_THREADS := 1

.PHONY: demo test lint format types unit faults bench reference fingerprints pictures constraints clean

demo: $(READY)
	$(BIN)/gen run specs/quickstart.gen

test: lint types unit

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(READY)
	$(BIN)/mypy gendsl runtime/gendsl_runtime

unit: $(READY)
	$(BIN)/pytest -n 2 --dist loadfile

# The long form of tests/faults: runs killed 200 times, eight runs at once; the figures are printed.
faults: $(READY)
	GENDSL_FAULTS=all GENDSL_KILLS=100 $(BIN)/pytest -rP tests/faults

bench: $(READY)
	for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

reference: $(READY)
	$(BIN)/python docs/make_reference.py

# What versions of components stand for; SAME="kind/name ..." or SAME=all says that results stay the same.
fingerprints: $(READY)
	$(BIN)/python docs/make_fingerprints.py $(SAME)

# The pictures of README, from the shipped specs themselves (a few minutes; what is stored is not computed again).
pictures: $(READY)
	for spec in minima/flat_minima memorisation/random_labels scaling/double_descent; do \
	    $(BIN)/gen run specs/$$spec.gen || exit 1; done
	$(BIN)/gen export specs/minima/flat_minima.gen boundaries --scale 1 --output docs/pictures/flat_minima.png
	$(BIN)/gen export specs/memorisation/random_labels.gen learning --scale 1 --output docs/pictures/random_labels.png
	$(BIN)/gen export specs/scaling/double_descent.gen test_error --scale 1 --output docs/pictures/double_descent.png

# Pins what is installed now; torch without its local build tag.
constraints: $(READY)
	{ echo "# Every dependency of development and CI, exact. Refresh: make constraints"; \
	  $(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//'; grep '^hatchling==' constraints.txt; } > constraints.new
	mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
