# armlevel's chores. The text after ## is the help.

PYTHON ?= python3
PYTEST_ARGS ?= -n 2

VENV := .venv
RUN  := $(VENV)/bin/python
PIP  := $(RUN) -m pip --disable-pip-version-check --no-input -qq install

# The rooms that stand on the standard library alone and run on Python 3.10 (pyproject.toml lists them for ruff).
CORE := $(wildcard $(addprefix src/armlevel/,__init__.py errors.py named.py arch kvm profile engine words probe preload onefile documents/dsse.py documents/inputs.py documents/items.py documents/maps.py documents/names.py documents/outputs.py documents/packed.py documents/plain.py documents/replace.py documents/reports.py documents/running.py documents/specs.py documents/structure.py documents/values.py documents/verdicts.py documents/write.py))
TYPED := $(wildcard src tools bench tests)

LIBRARY := src/armlevel/preload/libarmlevel.so

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check probe guard preload package deb slow load fidelity migrations selftests docs bench rows requirements clean moved

help: ## list what can be done here
	@sed -n 's/^\([a-z]*\):[^#]*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | \
	    while IFS='|' read -r name words; do printf 'make %-13s %s\n' "$$name" "$$words"; done

demo: $(VENV)/.run ## recorded Graviton2, 3 and 4 hosts, levelled (installs only what the run needs)
	@$(RUN) tools/demo.py

test: check $(LIBRARY) $(VENV)/.docs ## everything that must hold: the check, then the tests
	$(RUN) -m pytest $(PYTEST_ARGS)

check: $(VENV)/.test ## lint, format, types, import contract, the compiled facts, the core on Python 3.10
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy $(TYPED)
	$(RUN) -m mypy --python-version 3.10 $(CORE)
	$(VENV)/bin/lint-imports --no-logo
	$(RUN) tools/compile_rows.py --check
	$(RUN) tools/check_core.py $(CORE)

probe: $(VENV)/.run ## dist/armlevel-probe.pyz: the probe as one file, for a bare host with Python 3.10 or newer
	@$(RUN) tools/make_probe.py

guard: $(VENV)/.run ## dist/armlevel-guard.pyz: what libvirt's hook starts, and what tries a guest CPU
	@$(RUN) tools/make_guard.py

preload: $(VENV)/.run ## the library with which stock QEMU shows a guest profile (any machine; it is for Arm)
	@$(RUN) tools/make_preload.py

package: $(VENV)/.run ## dist/: the wheel and the source archive, with that library inside, the probe, and the guard
	@$(RUN) tools/make_preload.py
	@$(RUN) -m hatchling build
	@$(RUN) tools/make_probe.py
	@$(RUN) tools/make_guard.py

deb: $(VENV)/.run ## dist/: the Debian package of a host: agent, guard, hook and units (needs dpkg-deb)
	@$(RUN) tools/make_deb.py

# Where it cannot be built (no compiler, no Debian archive) its tests are skipped, and say so.
$(LIBRARY): $(wildcard preload/*.[ch] tools/make_preload.py) $(VENV)/.test
	@$(RUN) tools/make_preload.py || true

slow: $(LIBRARY) $(VENV)/.docs ## what takes long and is no part of the test: load, fidelity, migrations, selftests, bench
	@$(RUN) tools/slow.py

load: $(LIBRARY) $(VENV)/.docs ## the tests that wait for a machine, five times while every core is kept busy
	@$(RUN) tools/under_load.py

fidelity: $(VENV)/.test ## what is said of 57 emulated hosts, and of each pair, against what KVM does
	@$(RUN) tools/fidelity.py

migrations: $(LIBRARY) ## a hundred real migrations between emulated hosts, each predicted before the first boot
	@$(RUN) tools/migrations.py

selftests: $(VENV)/.test ## the rows against the kernels' own selftests of KVM (fetches the kernels' sources)
	@$(RUN) tools/selftests.py

docs: $(VENV)/.docs ## build/docs/html and build/docs/man; a warning is an error
	@$(RUN) tools/make_docs.py

bench: $(VENV)/.test ## how fast, how large: ratios within one run
	@$(RUN) bench/run.py
	@$(RUN) bench/vectors.py
	@$(RUN) bench/hook.py

rows: $(VENV)/.run ## compile the rows of arch/data/ into the table that ships
	@$(RUN) tools/compile_rows.py

requirements: ## pin the requirements anew, with hashes (needs uv; see CONTRIBUTING.md)
	@tools/pin.sh

clean: ## remove the virtual environment, the caches and what was built
	rm -f $(LIBRARY)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# ---- the virtual environment: three stamps, each remade when what it depends on changes

# A checkout that was moved or copied has an environment that points at the old place: make it anew.
ifneq ($(shell cat $(VENV)/.made 2>/dev/null),$(CURDIR))
$(VENV)/.made: moved
endif

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    { echo "armlevel needs Python 3.11 or newer, and $(PYTHON) is not; try: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "$(PYTHON) cannot make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@echo '$(CURDIR)' > $@

$(VENV)/.run: requirements/run.txt pyproject.toml $(VENV)/.made
	@echo 'installing what the run needs into $(VENV) ...' >&2
	@$(PIP) --require-hashes -r requirements/run.txt
	@$(PIP) --no-build-isolation --no-deps --editable .
	@$(RUN) -m compileall -q src
	@touch $@

$(VENV)/.test: requirements/test.txt pyproject.toml $(VENV)/.made
	@echo 'installing what the tests need into $(VENV) ...' >&2
	@$(PIP) --require-hashes -r requirements/test.txt
	@$(PIP) --no-build-isolation --no-deps --editable .
	@$(RUN) -m compileall -q src
	@touch $@

$(VENV)/.docs: requirements/docs.txt $(VENV)/.test
	@echo 'installing what the documentation needs into $(VENV) ...' >&2
	@$(PIP) --require-hashes -r requirements/docs.txt
	@touch $@
