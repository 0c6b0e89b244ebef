"""What compiles and links for emulated cores."""

from __future__ import annotations

from collections.abc import Mapping

from npuninja.detect.machine import Toolchain
from npuninja.detect.tool import FoundTool
from npuninja.errors import ToolError
from npuninja.own_compiler import OWN_COMPILERS
from npuninja.records import record


@record(frozen=True)
class WasmCompiler:
    """What compiles and links for emulated cores: two programs, or one with two first words."""

    compiler: FoundTool
    compiler_words: tuple[str, ...]
    linker: FoundTool
    linker_words: tuple[str, ...]
    reason: str


def wasm_compiler(toolchain: Toolchain, choices: Mapping[str, str]) -> WasmCompiler | None:
    """The `ziglang` wheel, as its results are equal everywhere, else clang and wasm-ld; None without either.

    `--provider kernel=` and `link=` may name one; without `link=` the linker is of the compiler's kind.
    """
    zig, clang, linker = (toolchain.found(name) for name in OWN_COMPILERS)
    if not zig and not (clang and linker):
        return None
    kernel, link = choices.get("kernel"), choices.get("link")
    by = clang if clang and (kernel == "clang" or not zig) else zig
    by_clangs = link == "clang" or not zig or (by is clang and link != "ziglang")
    linked_by = linker if linker and by_clangs else zig
    assert by is not None
    assert linked_by is not None
    reason = "its results are the same on every machine" if by is zig else "ziglang is not there"
    return WasmCompiler(
        by,
        ("cc",) if by is zig else (),
        linked_by,
        ("wasm-ld",) if linked_by is zig else (),
        "asked for" if kernel in ("ziglang", "clang") else reason,
    )


def no_wasm_compiler(toolchain: Toolchain) -> ToolError:
    """The error for a machine without one, with what was examined."""
    absents = filter(None, map(toolchain.absent, OWN_COMPILERS))
    return ToolError(
        "no compiler for emulated cores: neither the ziglang package nor clang with wasm-ld is usable",
        notes=tuple((f"{absent.tool}: {absent.explain()}", None) for absent in absents),
        hint="pip install ziglang, or clang and lld 14 or newer",
    )
