# One virtual environment, made on first use. PyTorch's build for Linux on PyPI needs gigabytes of CUDA. Without an NVIDIA
# GPU, the CPU build is therefore installed first, from PyTorch's own index. Where that cannot be reached, pip takes the
# version in constraints-cpu.txt from the places that it is configured for, and prefers a CPU build of it.
# Another Python has an environment of its own: make test PYTHON=python3.13 VENV=.venv-3.13
PYTHON ?= python3
VENV ?= .venv
LOWEST := .venv-lowest
GPU := $(shell command -v nvidia-smi 2>/dev/null)
CONSTRAINTS := $(if $(GPU),,-c constraints-cpu.txt)
CPU_BUILD := $(CONSTRAINTS) --index-url https://download.pytorch.org/whl/cpu --retries 0 torch

BENCHMARKS := dynamic_image prepare index network live startup study

PYTEST := -m pytest -n auto --dist loadfile
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

.PHONY: help demo demo-study test test-all test-shapes test-lowest fuzz check docs notebooks bench clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(VENV)/ready: pyproject.toml setup.py constraints-cpu.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "learnet needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(if $(GPU),,$(VENV)/bin/python $(PIP_INSTALL) $(CPU_BUILD) || true)
	$(VENV)/bin/python $(PIP_INSTALL) $(CONSTRAINTS) --editable '.[dev]'
	@touch $@

demo: $(VENV)/ready  ## the micro-expressions in a synthetic film, into demo/
	rm -rf demo
	$(VENV)/bin/learnet demo demo

demo-study: $(VENV)/ready  ## a study of three networks on a synthetic database, into demo-study/
	rm -rf demo-study
	$(VENV)/bin/learnet demo demo-study --study

test: $(VENV)/ready  ## all tests but the slow ones, and the ten that took longest
	$(VENV)/bin/python $(PYTEST) -m 'not slow' --durations=10

test-all: $(VENV)/ready  ## all tests, then test-shapes
	$(VENV)/bin/python $(PYTEST) --durations=10
	$(MAKE) test-shapes

test-shapes: $(VENV)/ready  ## all but whole commands, with the shape and type of every array checked at every call
	LEARNET_CHECK_SHAPES=1 $(VENV)/bin/python $(PYTEST) -m 'not slow' --ignore tests/e2e --ignore tests/test_docs.py

# Every dependency at the lowest version that pyproject.toml admits, but for torch, which $(CONSTRAINTS) fixes.
$(LOWEST)/ready: pyproject.toml setup.py constraints-cpu.txt
	$(PYTHON) -m venv --clear $(LOWEST)
	$(if $(GPU),,$(LOWEST)/bin/python $(PIP_INSTALL) $(CPU_BUILD) || true)
	$(LOWEST)/bin/python $(PIP_INSTALL) uv
	$(LOWEST)/bin/uv pip compile --quiet --resolution lowest-direct --extra dev --extra tensorboard $(CONSTRAINTS) \
		--no-emit-package learnet --no-emit-package torch pyproject.toml --output-file $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python $(PIP_INSTALL) $(CONSTRAINTS) -c $(LOWEST)/lowest.txt --editable '.[dev,tensorboard]'
	@touch $@

test-lowest: $(LOWEST)/ready  ## as `make test`, with every dependency at its lowest version
	$(LOWEST)/bin/python $(PYTEST) -m 'not slow' --durations=10

fuzz: $(VENV)/ready  ## 20,000 mutated inputs, and a table of what became of them; inputs of faults go to fuzz-failures
	$(VENV)/bin/python -m tests.fuzz --cases 20000

check: $(VENV)/ready  ## style, complexity and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/mypy

docs: $(VENV)/ready  ## the documentation site, into site/
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --quiet

notebooks: $(VENV)/ready  ## run the notebooks of the gallery and store their outputs
	$(VENV)/bin/python scripts/run_notebooks.py

bench: $(VENV)/ready  ## every benchmark, then one table; results go to benchmarks/results
	for name in $(BENCHMARKS); do $(VENV)/bin/python benchmarks/$$name.py || exit 1; done
	$(VENV)/bin/python benchmarks/table.py

clean:  ## remove the environments and the demos
	rm -rf .venv .venv-* demo demo-study fuzz-failures
