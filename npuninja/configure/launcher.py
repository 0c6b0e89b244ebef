"""The compiler launcher of `--launcher`: a program that caches what compilers make (ccache, sccache)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from npuninja.errors import ToolError, UserError
from npuninja.plan.providers import Providers
from npuninja.plan.wasm_compiler import WasmCompiler


def find_launcher(
    wanted: str | None, environment: Mapping[str, str], compiler: WasmCompiler | None, providers: Providers
) -> str:
    """The absolute path of the launcher, "" when none is wanted.

    Raises:
        ToolError: there is no such program.
        UserError: the compiler of the kernels is one that launchers do not know.
    """
    if not wanted:
        return ""
    path = shutil.which(wanted, path=environment.get("PATH", ""))
    if path is None:
        raise ToolError(
            f"--launcher: there is no program {wanted!r} on PATH", hint="install it, or give its path"
        )
    if compiler and compiler.compiler_words and not providers.for_npu:
        raise UserError(
            f"--launcher: {os.path.basename(path)} does not know `zig cc`, which compiles the kernels, "
            "so it caches nothing",
            hint="name clang and wasm-ld in toolchain.toml and write ziglang = false, "
            "or leave the launcher out",
        )
    return os.path.abspath(path)
