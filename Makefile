# Two commands do everything; `make help` lists them all.
#
# Torch for `make test` (Linux): the package index gives the build with CUDA, about 3 GB. For the
# small CPU build, or one for another CUDA, put the address of the index named on PyTorch's
# installation page into TORCH_INDEX:    make test TORCH_INDEX=<address>
# Nothing else is taken from there that your own index has in the same version.

VENV        ?= .venv
BIN         := $(VENV)/bin
DEMO_OUT    ?= demo_out
TORCH_INDEX ?=
PYTEST_ARGS ?=

PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
PIP_FOR_TORCH := $(if $(TORCH_INDEX),PIP_EXTRA_INDEX_URL="$(TORCH_INDEX)") $(PIP)

.PHONY: help demo test lint types contracts unit system-packages plugin plugin-install \
    plugin-windows clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.demo-installed ## separate the bundled song with the bundled model, without torch
	@$(BIN)/stemwire demo -o $(DEMO_OUT)

test: lint types contracts unit ## lint, types, import contracts and every test

lint: $(VENV)/.test-installed ## ruff: rules and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.test-installed ## mypy --strict on engine, export, plugin_host
	$(BIN)/mypy

contracts: $(VENV)/.test-installed ## which package may import which
	$(BIN)/lint-imports

unit: $(VENV)/.test-installed system-packages ## the tests alone; PYTEST_ARGS="-k name" picks
	$(BIN)/python -m pytest $(PYTEST_ARGS)

system-packages:
	@sh tests/system-packages.sh

plugin: ## build the DAW plugin: VST3, CLAP and LV2; needs g++ and dpf-source
	@$(MAKE) -C plugin_host/daw_plugin

plugin-install: ## build it, and put it where DAWs look
	@$(MAKE) -C plugin_host/daw_plugin install

plugin-windows: ## build it for Windows: VST3 and CLAP; needs mingw-w64
	@$(MAKE) -C plugin_host/daw_plugin windows

clean: ## remove the virtual environment, caches and the demo's output
	rm -rf $(VENV) $(DEMO_OUT) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis \
	    .import_linter_cache plugin_host/daw_plugin/build
	find engine export training plugin_host benchmarks tests -name __pycache__ -type d -prune \
	    -exec rm -rf {} +

# The stamps make a second call quick: pip runs again only when what it reads has changed.

$(VENV)/.created:
	@python=; \
	for candidate in python3.11 python3.12 python3.13 python3; do \
	    if $$candidate -c 'import sys, venv, ensurepip; \
	        sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; then \
	        python=$$candidate; break; \
	    fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "No Python 3.11, 3.12 or 3.13 with its venv module was found: install one" \
	        "(Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13)." >&2; \
	    exit 1; \
	fi; \
	echo "Creating $(VENV) with $$($$python --version) ..."; \
	$$python -m venv $(VENV)
	@touch $@

$(VENV)/.demo-installed: pyproject.toml constraints.txt | $(VENV)/.created
	@echo "Installing what the engine needs ..."
	@$(PIP) --editable '.[cpu,demo,live]'
	@touch $@

# tinysoundfont without its dependencies: pyaudio, needed for playback only, has no wheel.
$(VENV)/.test-installed: pyproject.toml constraints.txt | $(VENV)/.demo-installed
	@echo "Installing what training, export and the tests need ..."
	@$(PIP_FOR_TORCH) --editable '.[cpu,demo,live,train,dev]'
	@$(PIP) --no-deps tinysoundfont
	@touch $@
