"""Stage engine: the emulator's engine as a wasm module, for packages. Needs wasmtime and ziglang."""

from __future__ import annotations

import os

from npuninja.stages._run import Outputs, stage_arguments


def run(arguments: list[str]) -> list[str]:
    """`-o engine.wasm`; returns the engine's sources.

    Raises:
        ToolError: there is no compiler, or it failed.
    """
    from npuninja.cache_files import cache_folder
    from npuninja.emulator.engine_module import SOURCES, compile_engine
    from npuninja.own_compiler import own_compiler

    options = stage_arguments("engine", arguments)
    target = options.one("-o")
    with Outputs(target) as outputs:
        outputs.write(target, compile_engine(own_compiler(), cache_folder()))
    return sorted(os.path.join(SOURCES, name) for name in os.listdir(SOURCES) if name.endswith((".c", ".h")))
