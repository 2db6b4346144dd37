# The newcomer's door. Every target does the set-up that it needs, and does it again only when
# something that it came from has changed. PYTHON=python3.12 picks the Python of a new .venv.
VENV := .venv
BIN := $(VENV)/bin
ARGS :=

# The package is installed "editable": Python runs from this folder, edits count at once, and
# .venv gets what CMake makes or copies (messages, lib/interwild_ros, share/interwild_ros).
INSTALLED := CMakeLists.txt package.xml pyproject.toml setup.py $(wildcard msg/*.msg launch/*.py \
	config/* config/*/* cmake/*.cmake cmake/tf2_msgs/* scripts/*_node scripts/interwild)

# What numba compiles is kept on disk: better now than before somebody's first frame.
COMPILE = $(BIN)/python -c 'from interwild_ros.config import Settings; \
	from interwild_ros.pipeline.pipeline import load_pipeline; \
	from interwild_ros.pipeline.warm_up import warm_up; \
	warm_up(load_pipeline(Settings(device="cpu")))'

.DEFAULT_GOAL := help
.PHONY: help demo test main_tests cli_tests train_tests check fix bench build clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: build ## camera to two hands over real DDS; leaves pictures and a bag in out/demo
	$(BIN)/interwild demo $(ARGS)

test: build ## all tests; ARGS="-k markers -x" goes to pytest
ifeq ($(ARGS),)
	$(MAKE) --no-print-directory --keep-going --jobs=2 main_tests cli_tests train_tests
else
	$(BIN)/pytest $(ARGS)
endif

main_tests:
	$(BIN)/pytest --ignore=test/cli --ignore=test/train

# Beside them, for they mostly wait for processes and messages; one process for all would hold too
# many native libraries. Their words come in one piece, to stay apart from those of the others.
cli_tests:
	$(call quietly,test/cli)

train_tests:
	$(call quietly,test/train,nice -n 19)

define quietly
	@mkdir -p out
	@$(2) $(BIN)/pytest $(1) > out/$@.txt 2>&1; code=$$?; cat out/$@.txt; exit $$code
endef

check: build ## what must be clean: lint, format, types, spelling, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/python scripts/render_docs.py --check

fix: build ## mend what can be mended by itself, and render the generated files
	$(BIN)/python scripts/render_docs.py
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: build ## every benchmark, and one table of what they found; ARGS="forward node" runs some
	$(BIN)/python bench/table.py $(ARGS)

build: $(VENV)/.stamp-package ## .venv with ROS 2, PyTorch and our messages, if it is not there

clean: ## remove what was made here, but .venv
	rm -rf build out *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -r {} +
	rm -f $(VENV)/.stamp-package

$(VENV)/.stamp-requirements: $(wildcard requirements/*.txt) scripts/make_venv
	@scripts/make_venv $(VENV)
	@touch $@

$(VENV)/.stamp-package: $(VENV)/.stamp-requirements $(INSTALLED)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@$(COMPILE)
	@touch $@
