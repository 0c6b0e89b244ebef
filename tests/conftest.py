"""Shared by all tests: where the sample data lies, and the `--regen` switch of golden files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes is no result: other work may be going on.
# At a desk a quarter of the usual examples: `make test` is to end within twelve minutes on two cores.
settings.register_profile(
    "npuninja",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=100 if os.environ.get("CI") else 25,
)
settings.register_profile("quick", parent=settings.get_profile("npuninja"), max_examples=10)
settings.load_profile("npuninja")

# What shells and continuous integration set for output: tests that are about one of these set it themselves.
for variable in ("CLICOLOR_FORCE", "COLUMNS", "COMP_LINE", "DESTDIR", "LINES", "NINJA_STATUS", "NO_COLOR"):
    os.environ.pop(variable, None)

# What `make check` runs: the parts whose tests start no compiler. Their times together stay below a minute.
QUICK = (
    *("arch", "emit", "formats", "plan", "settings/test_settings_table.py", "stages/test_table.py"),
    *("ir/test_ir_errors.py", "ir/test_ir_roundtrip.py", "ir/test_ir_syntax.py", "lowering/test_passes.py"),
    *("test_docstrings.py", "test_files.py", "test_hints.py", "test_layers.py", "test_words.py"),
)

# Fixtures that several folders use, and the line about skipped tests.
# There is one conftest.py only, so that tests can import from it by name.
pytest_plugins = (
    "build_project",
    "negate_project",
    "built_design",
    "imported_folders",
    "packed_project",
    "pretended_machine",
    "real_tools",
    "skipped_line",
    "wasm_build",
    "xrt_programs",
)

TESTS = Path(__file__).parent
ROOT = TESTS.parent
CONFORMANCE = TESTS / "conformance"


def positive_designs() -> list[Path]:
    """The folders of the conformance designs that the reference tools accept, sorted by name."""
    return sorted(p.parent for p in CONFORMANCE.glob("*/design.mlir"))


def negative_designs() -> list[Path]:
    """The folders of the conformance designs that the reference tools reject, sorted by name."""
    return sorted(p.parent for p in (CONFORMANCE / "negative").glob("*/design.mlir"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regen", action="store_true", help="write golden files instead of comparing with them")
    parser.addoption(
        "--quick", action="store_true", help="the tests of `make check` only, with fewer examples"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--quick"):
        settings.load_profile("quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--quick"):
        # A test that is slow here may still be quick with few examples, but those marked so are not.
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not config.getoption("--quick") or collection_path == TESTS or TESTS not in collection_path.parents:
        return None
    name = collection_path.relative_to(TESTS).as_posix()
    return not any(f"{name}/".startswith(f"{q}/") or f"{q}/".startswith(f"{name}/") for q in QUICK)


@pytest.fixture
def regen(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written again."""
    return bool(request.config.getoption("--regen"))
