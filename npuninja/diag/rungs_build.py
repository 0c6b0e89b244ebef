"""What building needs, and the real tools that can do stages: each on its own, none needs another."""

from __future__ import annotations

import os
import sys

from npuninja.detect.machine import Toolchain
from npuninja.detect.tool import Surroundings
from npuninja.diag.rung import Rung
from npuninja.own_compiler import OWN_COMPILERS

OLDEST_PYTHON = (3, 10)
REAL_TOOLS = ("bootgen", "xclbinutil", "aie-opt", "aie-translate", "aiecc", "peano")


def needed(surroundings: Surroundings, toolchain: Toolchain) -> list[Rung]:
    """Python with its packages, Ninja, a compiler for emulated cores."""
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] >= OLDEST_PYTHON
    rungs = [
        Rung(
            "python",
            "ok" if good else "fail",
            f"{version} ({sys.executable})",
            "install Python 3.10 or newer",
        )
    ]
    for package, purpose in (("numpy", "references and buffers"), ("wasmtime", "the emulated cores")):
        rungs.append(_package(package, purpose))
    return [*rungs, *_shadows(surroundings), _ninja(surroundings, toolchain), _emulated_compiler(toolchain)]


def _package(name: str, purpose: str) -> Rung:
    """Imports the package: being installed proves nothing."""
    from importlib.metadata import version

    try:
        __import__(name)
        return Rung(name, "ok", f"{version(name)} ({purpose})")
    except Exception as error:  # a broken package raises whatever it likes
        return Rung(
            name,
            "fail",
            f"cannot be imported: {type(error).__name__}: {error}",
            f"pip install {name} ({purpose})",
        )


def _shadows(surroundings: Surroundings) -> list[Rung]:
    """Installed modules that hide ones of the standard library, as the backport of dataclasses does."""
    found = []
    for folder in surroundings.package_folders:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        found += [os.path.join(folder, n) for n in names if n.removesuffix(".py") in sys.stdlib_module_names]
    if not found:
        return []
    fix = "uninstall what brought them: tools that are Python scripts fail in strange ways"
    return [Rung("packages", "warn", f"hide modules of Python's own library: {', '.join(found)}", fix)]


def _ninja(surroundings: Surroundings, toolchain: Toolchain) -> Rung:
    found = toolchain.found("ninja")
    if found is None:
        absent = toolchain.absent("ninja")
        return Rung("ninja", "fail", absent.explain() if absent else "not found", "pip install ninja")
    others = [
        c.path
        for c in surroundings.on_path("ninja")
        if os.path.realpath(c.path) != os.path.realpath(found.path)
    ]
    if others:
        # Each version starts the build log over when it meets another's, and then builds everything.
        text = f"{found.version} ({found.path}); also on PATH: {', '.join(others)}"
        return Rung(
            "ninja", "warn", text, "use one of them only: two versions in one build folder rebuild everything"
        )
    return Rung("ninja", "ok", f"{found.version} ({found.path})")


def _emulated_compiler(toolchain: Toolchain) -> Rung:
    zig, clang, linker = (toolchain.found(name) for name in OWN_COMPILERS)
    if zig:
        return Rung("compiler for emulated cores", "ok", f"ziglang {zig.version} ({zig.path})")
    if clang and linker:
        return Rung("compiler for emulated cores", "ok", f"clang {clang.version}, wasm-ld {linker.version}")
    absent = toolchain.absent("ziglang")
    return Rung(
        "compiler for emulated cores", "fail", absent.explain() if absent else "", "pip install ziglang"
    )


def real_tools(toolchain: Toolchain) -> list[Rung]:
    """The tools that can do stages in place of npuninja; without them its own do."""
    rungs = [optional(toolchain, name) for name in REAL_TOOLS if name in toolchain.outcomes]
    return rungs + _mixture(toolchain)


def _mixture(toolchain: Toolchain) -> list[Rung]:
    """MLIR-AIE and Peano are released for each other; two places mean two releases more often than not."""
    aie, peano = toolchain.found("aie-opt"), toolchain.found("peano")
    if aie is None or peano is None:
        return []
    # …/site-packages/mlir_aie/bin/aie-opt, …/site-packages/llvm-aie/bin/llc
    places = [
        os.path.realpath(os.path.join(os.path.dirname(tool.path), os.pardir, os.pardir))
        for tool in (aie, peano)
    ]
    if places[0] == places[1]:
        return []
    fix = "see that both are of one release, and name them in toolchain.toml"
    return [Rung("one toolchain", "warn", f"MLIR-AIE is in {places[0]}, Peano in {places[1]}", fix)]


def optional(toolchain: Toolchain, name: str) -> Rung:
    """A tool that need not be there."""
    found, absent = toolchain.found(name), toolchain.absent(name)
    if found:
        return Rung(name, "ok", f"{found.version} ({found.path})")
    assert absent is not None
    return Rung(name, "absent", absent.explain(), f"to {absent.purpose}: {absent.remedy}")
