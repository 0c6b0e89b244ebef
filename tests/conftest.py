"""Shared by all tests: where the sample data lies, and the `--regen` switch of golden files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes is no result: other work may be going on.
settings.register_profile("npuninja", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("npuninja")

# Fixtures that several folders use. There is one conftest.py only, so that tests can import from it by name.
pytest_plugins = (
    "build_project",
    "negate_project",
    "built_design",
    "packed_project",
    "pretended_machine",
    "real_tools",
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


@pytest.fixture
def regen(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--regen"))
