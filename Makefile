# The front door. Each target does all of its own set-up; a second run only does what changed.
.DEFAULT_GOAL := help
.PHONY: help setup demo test reliability fuzz bench lint docs stubs wheel clean

help:    ## list the targets
	@sed -nE 's/^([a-z]+): *## (.*)/  make \1\t\2/p' Makefile | expand -t 20

setup:   ## system packages, .venv, build: everything that demo, test and lint need
	@scripts/setup.sh dev

demo:    ## index the documentation of Python's standard library and ask it questions
	@scripts/setup.sh demo
	@.venv/bin/unitvec demo

test:    ## the C++ tests, the Python tests and the check of the stubs
	@scripts/setup.sh test
	@scripts/test.sh

reliability: ## every gate of tests/reliability in full, long runs of the properties, fuzzing, ThreadSanitizer: a day
	@scripts/setup.sh test
	@scripts/reliability.sh

fuzz:    ## the fuzz targets of what reads models and indexes, half an hour each; needs clang
	@scripts/fuzz.sh

bench:   ## every benchmark, beside the peers; one question: .venv/bin/python -m benchmarks encode
	@scripts/setup.sh test
	@.venv/bin/python -m benchmarks all

lint:    ## formatters, ruff, mypy, spelling: the pre-commit hooks over every file
	@scripts/setup.sh dev
	@.venv/bin/pre-commit run --all-files

docs:    ## the guide and the reference, as HTML in site/
	@scripts/python_packages.sh docs
	@.venv/bin/mkdocs build --strict --quiet

stubs:   ## python/unitvec/_core.pyi, from the built extension module
	@scripts/setup.sh test
	@.venv/bin/python scripts/stubs.py

wheel:   ## a wheel in wheelhouse/, installed and asked in an environment of its own
	@scripts/wheel.sh

clean:   ## remove everything that the other targets made
	rm -rf .venv build dist wheelhouse site .pytest_cache .mypy_cache .ruff_cache .hypothesis
