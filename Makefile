# One virtual environment, .venv, made on first use. Without an NVIDIA GPU the constraints keep the CPU build of torch.
PYTHON ?= python3
CONSTRAINTS := $(if $(shell command -v nvidia-smi 2>/dev/null),,-c constraints-cpu.txt)

BENCHMARKS := dynamic_image prepare index network live startup study

PYTEST := .venv/bin/python -m pytest -n auto --dist loadfile

.PHONY: help demo test test-all test-shapes check bench clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

.venv/ready: pyproject.toml constraints-cpu.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "learnet needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) --editable '.[dev]'
	@touch $@

demo: .venv/ready  ## the whole line on a synthetic database, into demo/
	rm -rf demo
	.venv/bin/learnet demo demo

test: .venv/ready  ## all tests but the slow ones, and the ten that took longest
	$(PYTEST) -m 'not slow' --durations=10

test-all: .venv/ready  ## all tests, then test-shapes
	$(PYTEST) --durations=10
	$(MAKE) test-shapes

test-shapes: .venv/ready  ## all but whole commands, with the shape and type of every array checked at every call
	LEARNET_CHECK_SHAPES=1 $(PYTEST) -m 'not slow' --ignore tests/e2e --ignore tests/test_docs.py

check: .venv/ready  ## style, complexity and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check --quiet .
	.venv/bin/mypy

docs: .venv/ready  ## the documentation site, into site/
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

bench: .venv/ready  ## every benchmark, then one table; results go to benchmarks/results
	for name in $(BENCHMARKS); do .venv/bin/python benchmarks/$$name.py || exit 1; done
	.venv/bin/python benchmarks/table.py

clean:  ## remove the environment and the demo
	rm -rf .venv demo
