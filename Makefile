# Everything that one types here; `make` alone lists it.
#
# Only Python 3.11 or newer is expected of the machine. What is installed goes
# into $(VENV), once; PYTHON, VENV, WORKERS and PYTEST_ARGS can be set:
#   make test PYTHON=python3.12 PYTEST_ARGS='-k losses'

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
PYTEST_ARGS ?=
QUICKSTART ?= runs/quickstart
BENCH ?= build/speed.md
PYTHAE ?=
DATA_DIR ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BUILDIFIER := $(VENV)/node_modules/.bin/buildifier

# A file's tests run in one worker, so that its fixtures are made once.
SHARED = -n $(WORKERS) --dist loadfile

export TF_CPP_MIN_LOG_LEVEL ?= 2

.DEFAULT_GOAL := help
.PHONY: help install quickstart test test-slow test-all coverage lint docs bench clean
.PHONY: lint-build

help:  ## list the targets
	@sed -n 's/^\([a-z_-]*\):.*## \(.*\)/\1	\2/p' Makefile | expand -t 12

install: $(STAMP)  ## make the virtual environment and install pgak into it

# An editable install: what one changes here is what runs.
$(STAMP): setup.py pyproject.toml pgak/version.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'pgak needs Python 3.11 or newer, and $(PYTHON) is not:' \
	    'name another with make PYTHON=python3.12 ...' >&2; exit 1; }
	@echo 'Installing pgak and what it needs into $(VENV), once (2.7 GB) ...'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

# Trains, measures, draws and exports on the digits inside scikit-learn.
quickstart: $(STAMP)  ## the main job on a small real data set, in minutes
	$(BIN)/python bin/train.py --run_dir=$(QUICKSTART) --recipe=best_digits
	$(BIN)/python bin/evaluate.py --run_dir=$(QUICKSTART)
	@cd $(QUICKSTART) && rm -f samples.png reconstruction.png \
	  interpolation.png served.png
	for kind in samples reconstruction interpolation; do \
	  $(BIN)/python bin/sample.py --run_dir=$(QUICKSTART) --kind=$$kind \
	    --prior=flow_matching --num_samples=64 \
	    --output=$(QUICKSTART)/$$kind.png || exit 1; \
	done
	$(BIN)/python bin/export.py --run_dir=$(QUICKSTART) \
	  --prior=flow_matching --output=$(QUICKSTART)/export
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python docs/load_export.py \
	  $(QUICKSTART)/export
	$(BIN)/python bin/sample.py --export_dir=$(QUICKSTART)/export \
	  --num_samples=64 --output=$(QUICKSTART)/served.png
	@echo
	@echo 'Look at $(QUICKSTART)/samples.png, reconstruction.png and'
	@echo 'interpolation.png there, and at served.png, which the export drew.'
	@echo 'scores.csv holds the scores, export/ the model for TensorFlow Serving.'
	@echo 'The curves of the losses:'
	@echo '  $(BIN)/tensorboard --logdir=$(QUICKSTART)'
	@echo 'Next, MNIST in three epochs, downloaded by TensorFlow Datasets:'
	@echo '  $(BIN)/python bin/train.py --run_dir=runs/mnist \'
	@echo '    --gin_file=papers/pga_icml2020/vpga_mnist.gin \'
	@echo "    --gin_file=recipes/modern.gin --gin_param='train.steps = 2811' \\"
	@echo "    --gin_param='mnist.download = True'"

# Each time in another order, whose seed is printed; to get that order again:
#   make test PYTEST_ARGS='--randomly-seed=123'
test: $(STAMP)  ## run the tests, without the slow ones
	$(BIN)/python -m pytest $(SHARED) -m 'not slow' $(PYTEST_ARGS)

test-slow: $(STAMP)  ## run the slow tests: wheel, Bazel, workers, kill and resume
	$(BIN)/python -m pytest $(SHARED) -m 'slow and not exhaustive' \
	  $(PYTEST_ARGS)

test-all: $(STAMP)  ## run every test: further cases of the slow ones, too
	$(BIN)/python -m pytest $(SHARED) $(PYTEST_ARGS)

coverage: $(STAMP)  ## say what of pgak and bin the tests run, but the slow ones
	$(BIN)/python -m pytest $(SHARED) -m 'not slow' --cov \
	  --cov-report=term:skip-covered $(PYTEST_ARGS)

# Few tests run a benchmark; mypy sees that it calls what pgak has.
lint: $(STAMP)  ## ruff, mypy of interfaces, and buildifier if there is npm
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --check-untyped-defs --disable-error-code=assignment \
	  --disable-error-code=attr-defined --disable-error-code=operator \
	  --disable-error-code=union-attr --disable-error-code=var-annotated \
	  benchmarks/*.py
	@if $(MAKE) --silent $(BUILDIFIER) >/dev/null 2>&1; then \
	  $(MAKE) --no-print-directory lint-build; \
	  else echo 'npm gives no buildifier: the BUILD files were not looked at.'; fi

# A warning is an error. No network is needed to build or to read it.
docs: $(STAMP)  ## build the site into build/site; warnings are errors
	$(BIN)/python -m mkdocs build --strict

lint-build: $(BUILDIFIER)
	find BUILD *.bazel *.bzl benchmarks bin docs gin pgak tests \
	  '(' -name BUILD -o -name '*.bazel' -o -name '*.bzl' ')' \
	  -exec $(BUILDIFIER) --mode=check --lint=warn {} +

$(BUILDIFIER):
	npm install --prefix $(VENV) @bazel/buildifier@8

# The table of train steps by turns is written to $(BENCH), too: of MNIST with
# DATA_DIR, where TFDS has it; beside pythae with PYTHAE=PYTHON, a Python that
# has it.
bench: $(STAMP)  ## time the train step and the features
	$(BIN)/python bin/benchmark.py
	@mkdir -p $(dir $(BENCH))
	$(BIN)/python benchmarks/in_turn.py --output=$(BENCH) \
	  $(if $(DATA_DIR),--data_dir=$(DATA_DIR)) $(if $(PYTHAE),--pythae=$(PYTHAE))

clean:  ## remove what make made, but no runs
	rm -rf $(VENV) build dist pgak.egg-info .pytest_cache .coverage
	find bin pgak tests -name __pycache__ -type d -prune -exec rm -rf {} +
