from __future__ import annotations

from pathlib import Path

import pytest
from wasm_build import WasmBuild


@pytest.fixture(scope="session")
def compiler_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of the embedded compiler for the whole run."""
    return tmp_path_factory.mktemp("compiler cache")


@pytest.fixture
def wasm_build(tmp_path: Path, compiler_cache: Path) -> WasmBuild:
    """A folder in which kernels and cores are compiled and linked."""
    return WasmBuild(tmp_path, compiler_cache)
