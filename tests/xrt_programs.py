"""XRT programs on the emulated NPU: fixture `emulated`, which runs a command under `npuninja emu`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import ROOT, TESTS
from design_chain import Chain
from wasm_build import WasmBuild

PROGRAMS = TESTS / "xrt_emulation" / "programs"


class Emulated:
    """Runs commands under `npuninja emu`.

    Attributes:
        environment: of the commands, without the emulation's own variables.
    """

    def __init__(self, tools: str, folder: Path) -> None:
        self.environment = {**os.environ, "NPUNINJA_TOOLS": tools, "PYTHONDONTWRITEBYTECODE": "1"}
        self.folder = folder

    def command(self, *words: str, options: Sequence[str] = ()) -> list[str]:
        """The whole command line."""
        return [sys.executable, "-m", "npuninja", "emu", *options, "--", *words]

    def run(self, *words: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end. PYTHONPATH is for npuninja itself, not the command's Python."""
        return subprocess.run(
            self.command(*words, options=options), cwd=ROOT, env=self.environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    def python(
        self, program: str, *arguments: str, options: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program of `programs/` with XRT's Python."""
        return self.run("python", str(PROGRAMS / program), *arguments, options=options)

    def good(self, program: str, *arguments: str, options: Sequence[str] = ()) -> str:
        """As `python`; the program must end well. Returns what it printed."""
        done = self.python(program, *arguments, options=options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def passthrough(tmp_path_factory: pytest.TempPathFactory, compiler_cache: Path) -> str:
    """The manifest of the design `passthrough`, built once. To change its files, take a copy."""
    return Chain(WasmBuild(tmp_path_factory.mktemp("passthrough"), compiler_cache), "passthrough").run()


ENDLESS = (
    "void passthrough(const char *in, char *out, int n) { for (volatile int i = 0; ; i++) out[0] = i; }\n"
)


@pytest.fixture(scope="session")
def endless_passthrough(tmp_path_factory: pytest.TempPathFactory, compiler_cache: Path) -> str:
    """The manifest of a `passthrough` whose kernel does not come back, built once."""
    build = WasmBuild(tmp_path_factory.mktemp("endless"), compiler_cache)
    return Chain(build, "passthrough", kernels={"passthrough.o": ENDLESS}).run()


def compile_cpp(tools: str, name: str, folder: Path) -> str | None:
    """Compiles C++ of `programs/` with XRT's headers; None without g++, whose C++ library XRT needs."""
    compiler = shutil.which("g++")
    if compiler is None:
        return None
    prefix = Path(tools) / "xrt" / "usr"
    (library,) = prefix.glob("lib/*/libxrt_coreutil.so.2")
    command = [
        compiler,
        "-std=c++17",
        "-idirafter",
        str(prefix / "include"),
        str(PROGRAMS / f"{name}.cpp"),
        str(library),
    ]
    subprocess.run([*command, "-Wl,--allow-shlib-undefined", "-o", str(folder / name)], check=True)
    return str(folder / name)


@pytest.fixture(scope="session")
def cpp_program(xrt: str, tmp_path_factory: pytest.TempPathFactory) -> str | None:
    """`programs/run_design.cpp`, compiled."""
    return compile_cpp(xrt, "run_design", tmp_path_factory.mktemp("cpp"))


@pytest.fixture
def emulated(xrt: str, tmp_path: Path) -> Emulated:
    return Emulated(xrt, tmp_path)
