# The commands for a fresh machine: `make run` builds and runs every design, `make test` checks everything, `make check`
# what takes less than a minute. All create .venv first. Everything else is `python configure.py` and `ninja`.

PYTHON ?= python3
# Quoted in every recipe, and programs of Python are started as modules, so that a folder with blanks and `$` works.
VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed

.PHONY: run test check fuzz clean

run: $(STAMP)
	"$(BIN)/python" configure.py
	"$(BIN)/ninja"
	"$(BIN)/ninja" run

# mypy keeps one core busy for half a minute, so it works while the tests run; its errors come last.
define types_and_tests
"$(BIN)/ruff" check .
"$(BIN)/ruff" format --check .
"$(BIN)/python" -m mypy >"$(VENV)/mypy.log" 2>&1 & types=$$!; \
"$(BIN)/python" -m pytest -n 2 $(1); tests=$$?; \
wait $$types || { cat "$(VENV)/mypy.log"; exit 1; }; exit $$tests
endef

check: $(STAMP)
	$(call types_and_tests,-q --quick)

test: $(STAMP)
	$(call types_and_tests,--dist worksteal)

# Mutated files into every reader: make fuzz SECONDS=60 SEED=1
fuzz: $(STAMP)
	SECONDS="$(SECONDS)" SEED="$(SEED)" READERS="$(READERS)" "$(BIN)/python" tests/fuzz/run.py

$(STAMP): pyproject.toml
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.11")'
	"$(PYTHON)" -m venv "$(VENV)"
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch "$@"

clean:
	rm -rf build build.ninja .build.ninja.d compile_commands.json
