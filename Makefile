# Two commands do everything, on a machine with nothing but Python >= 3.10 and make:
#   make report    verify every bundled module and the example, print the table
#   make test      lint, type-check and test
# make test-all is `make test` with every optional framework installed and nothing skipped.

PYTHON ?= python3
TORCH ?= torch==2.13.0
# The framework of the adapter in examples/third_party_adapter.
THIRD_PARTY := 'pytensor>=2.20'
VENV := .venv
VENV_ALL := .venv-all
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: report test test-all lint docs browser benchmarks scaling duel clean

report: $(VENV)/.installed
	$(VENV)/bin/gradcheck report gradcheck.modules examples/digits_mlp --threshold 1e-6

test: $(VENV)/.installed lint
	$(VENV)/bin/coverage erase
	$(VENV)/bin/coverage run -m pytest -n auto -m "not sweep"
	$(VENV)/bin/coverage combine --quiet
	$(VENV)/bin/coverage report
	$(VENV)/bin/python -m pytest -n auto -m sweep

lint: $(VENV)/.installed
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

test-all: $(VENV_ALL)/.installed browser
	GRADCHECK_NO_SKIPS=1 $(VENV_ALL)/bin/python -m pytest -n auto

# The site, into build/docs: warnings are errors, every link within it leads somewhere, nothing is loaded from a network.
docs: $(VENV)/.installed
	$(VENV)/bin/python -m sphinx -q -W --keep-going -n -j auto docs build/docs
	@echo "build/docs/index.html"

# The reports are tested in Debian's Chromium, or in the one that GRADCHECK_CHROMIUM names.
browser:
	@test -n "$$GRADCHECK_CHROMIUM" || command -v chromium > /dev/null || \
	  { $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -y -qq --no-install-recommends chromium > /dev/null; } || \
	  { echo "no Chromium could be installed: set GRADCHECK_CHROMIUM to the path of one"; exit 1; }

benchmarks: $(VENV)/.installed $(VENV_ALL)/.installed
	$(VENV)/bin/python benchmarks/startup.py
	$(VENV)/bin/python benchmarks/collection.py
	$(VENV)/bin/python benchmarks/probes.py
	$(VENV_ALL)/bin/python benchmarks/catalogue.py
	$(VENV_ALL)/bin/python benchmarks/torch_operators.py

# Speed, memory, growth and workers against the bare loop, torch and SciPy, in one run; writes docs/benchmarks.md
scaling: $(VENV_ALL)/.installed
	$(VENV_ALL)/bin/python benchmarks/scaling.py --output docs/benchmarks.md --growth docs/plots/growth.json
	$(VENV_ALL)/bin/python docs/plots/growth.py docs/plots/growth.svg

# gradcheck and the checkers of torch, JAX, autograd and SciPy on the corpus, in one run; writes docs/duel.md
duel: $(VENV_ALL)/.installed
	$(VENV_ALL)/bin/python benchmarks/duel.py --output docs/duel.md

$(VENV)/.installed: pyproject.toml
	$(call make-venv,$(VENV))
	$(VENV)/bin/python $(PIP_INSTALL) -e '.[dev,docs,report]'
	touch $@

# torch first, and pinned: whatever asks for it later is content with what is there.
$(VENV_ALL)/.installed: pyproject.toml
	$(call make-venv,$(VENV_ALL))
	$(VENV_ALL)/bin/python $(PIP_INSTALL) '$(TORCH)'
	$(VENV_ALL)/bin/python $(PIP_INSTALL) -e '.[dev,docs,report,torch,jax,autograd,scipy,dask]' $(THIRD_PARTY)
	touch $@

define make-venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "gradcheck needs Python >= 3.10: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1) || \
	  { echo "no virtual environment could be made; on Debian: apt install python3-venv"; exit 1; }
endef

clean:
	rm -rf $(VENV) $(VENV_ALL) build dist *.egg-info .coverage* .mypy_cache .ruff_cache .pytest_cache
