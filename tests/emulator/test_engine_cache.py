"""The compiled engine: made once, found again, made again when damaged; a clear error when it cannot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import wasmtime

from npuninja.cache_files import cache_folder, forget_oldest
from npuninja.compiled_modules import cached_module
from npuninja.emulator import engine_module
from npuninja.errors import InternalError, ToolError
from npuninja.own_compiler import OwnCompiler, own_compiler


@pytest.fixture
def shared_cache(tmp_path_factory, monkeypatch):
    """A cache folder of this test run's own."""
    folder = tmp_path_factory.getbasetemp() / "engine-cache"
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(folder))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_made_once_and_made_again_when_damaged(shared_cache, monkeypatch) -> None:
    engine = wasmtime.Engine()
    engine_module.load_engine(engine)
    first = files(shared_cache)
    assert sorted(Path(name).suffix for name in first) == [".cwasm", ".wasm"]

    monkeypatch.setattr(engine_module, "compile_engine", lambda *_: pytest.fail("compiled twice"))
    engine_module.load_engine(engine)
    compiled = next(p for p in shared_cache.iterdir() if p.suffix == ".cwasm")
    compiled.write_bytes(b"damaged")
    module = engine_module.load_engine(engine)
    assert "run" in [export.name for export in module.exports]
    assert compiled.read_bytes() != b"damaged"


def test_sources_and_versions_name_the_file(shared_cache, monkeypatch) -> None:
    key, _ = engine_module._key()
    monkeypatch.setattr(engine_module, "COMPILE_FLAGS", ("-O0",))
    assert engine_module._key()[0] != key


def test_compiler_that_fails_is_reported(shared_cache, tmp_path) -> None:
    program = tmp_path / "zig"
    program.write_text("#!/bin/sh\necho out of luck\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(ToolError, match=r"does not compile .*exit code 3.*out of luck"):
        engine_module.compile_engine(
            OwnCompiler((str(program), "cc"), (str(program), "wasm-ld"), (), "1"), tmp_path
        )


def test_sources_compile_without_a_warning(shared_cache, monkeypatch) -> None:
    flags = (*engine_module.COMPILE_FLAGS, "-Wall", "-Wextra", "-Werror")
    monkeypatch.setattr(engine_module, "COMPILE_FLAGS", flags)
    assert engine_module.compile_engine(own_compiler(), shared_cache)[:4] == b"\0asm"


def test_cache_folder_by_environment(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("NPUNINJA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "npuninja"
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(blocked / "below"))
    with pytest.raises(ToolError, match="cannot make the cache folder"):
        cache_folder()


def test_old_files_are_forgotten(tmp_path) -> None:
    for i in range(6):
        path = tmp_path / f"{i}.cwasm"
        path.write_text("")
        os.utime(path, (i, i))
    forget_oldest(tmp_path, 4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["3.cwasm", "4.cwasm", "5.cwasm"]


def test_layout_is_compared() -> None:
    with pytest.raises(InternalError, match="disagree"):
        engine_module.check_layout((1, 2), (1, 3))


@pytest.mark.parametrize("mode", [0o777, 0o757])
def test_a_folder_that_others_can_write_to_is_no_cache(tmp_path, monkeypatch, mode) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(mode)
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(folder))
    with pytest.raises(ToolError, match="others can write to"):
        cache_folder()


def test_a_module_that_was_changed_is_made_again(tmp_path) -> None:
    engine = wasmtime.Engine()
    made = []

    def source() -> bytes:
        made.append(1)
        return bytes(wasmtime.wat2wasm("(module)"))

    path = tmp_path / "a.cwasm"
    for _ in range(2):
        cached_module(engine, path, source)
    assert len(made) == 1
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    cached_module(engine, path, source)
    assert len(made) == 2
