"""A machine and a design that nobody has, for what is decided without looking at either."""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import npuninja
from npuninja.detect.machine import TOOLS, Toolchain
from npuninja.detect.mlir_aie_releases import RELEASES
from npuninja.detect.tool import AbsentTool, FoundTool
from npuninja.errors import Location
from npuninja.plan.design import Configuration, Core, Design, LinkedObject, Sequence
from npuninja.plan.wasm_compiler import WasmCompiler

FOUND = {
    name: FoundTool(name, f"/tools/bin/{name}", "PATH", "1", name)
    for name in ("bootgen", "xclbinutil", "ziglang")
}
FOUND["peano"] = FoundTool("peano", "/peano/bin/llc", "PATH", "19.0.0git", "peano", ("aie2", "aie2p"))
FOUND["aiecc"] = FoundTool("aiecc", "/aie/bin/aiecc.py", "PATH", "unknown", "aiecc", ("python",))
FOUND["aie-opt"] = FoundTool(
    "aie-opt", "/aie/bin/aie-opt", "PATH", "22.0.0git", "opt", tuple(RELEASES[0].needs)
)
FOUND["aie-translate"] = FoundTool(
    "aie-translate", "/aie/bin/aie-translate", "PATH", "22.0.0git", "translate"
)
WASM = WasmCompiler(FOUND["ziglang"], ("cc",), FOUND["ziglang"], ("wasm-ld",), "")


def machine(*missing: str, **others: FoundTool) -> Toolchain:
    """A machine with everything but some tools."""
    found = {**FOUND, **{name.replace("_", "-"): tool for name, tool in others.items()}}
    outcomes = {
        tool.name: AbsentTool(tool.name, tool.purpose, tool.remedy) if tool.name in missing or tool.name not in found
        else found[tool.name]
        for tool in TOOLS
    }  # fmt: skip
    return Toolchain(outcomes, FOUND["ziglang"])


def configuration(
    symbol: str, sequences: tuple[str, ...], *, cores: int = 1, buffers: int = 2
) -> Configuration:
    """A device with a kernel on each of some cores."""
    at = Location("mlir/gain.mlir", 3)
    return Configuration(
        symbol,
        "npu1_1col",
        at,
        tuple(Sequence(name, buffers, at) for name in sequences),
        tuple(Core(0, 2 + number, (LinkedObject("gain.o", at),)) for number in range(cores)),
    )


def design(name: str = "gain", *, cores: int = 1, reference: bool = True, buffers: int = 2) -> Design:
    """A design with a kernel on each of some cores."""
    return Design(
        name=name,
        source=f"mlir/{name}.mlir",
        mlir=f"mlir/{name}.mlir",
        imports=(),
        configurations=(configuration("main", ("sequence",), cores=cores, buffers=buffers),),
        reference=f"host/{name}.py" if reference else "",
    )


def refuse_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has every look at the disk that npuninja takes in a test fail."""
    package = os.path.dirname(npuninja.__file__)

    def refusing(module: ModuleType, name: str) -> Callable[..., Any]:
        real = getattr(module, name)

        def look(*arguments: Any, **more: Any) -> Any:
            frame = sys._getframe(1)
            while frame is not None and not frame.f_code.co_filename.startswith(package):
                frame = frame.f_back
            assert frame is None, (
                f"{frame.f_code.co_filename}:{frame.f_lineno} looks at the disk: {name}{arguments}"
            )
            return real(*arguments, **more)

        return look

    looks = [(os, name) for name in ("stat", "lstat", "access", "listdir", "scandir", "open")]
    for module, name in (*looks, (builtins, "open")):
        monkeypatch.setattr(module, name, refusing(module, name))
