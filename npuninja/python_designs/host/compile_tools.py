"""Compiling a module from Python (`aie.utils.compile`)."""

from __future__ import annotations

import os
from typing import Any

NPU_CACHE_HOME = os.environ.get("NPU_CACHE_HOME", os.path.join(os.path.expanduser("~"), ".npu", "cache"))


def compile_mlir_module(
    mlir_module: Any, insts_path: Any = None, xclbin_path: Any = None, *_: Any, **__: Any
) -> None:
    """Compiles a module by npuninja's stages."""
    from npuninja.python_designs.host.building import build_module

    build_module(str(mlir_module), [], xclbin_path, insts_path)


def resolve_target_arch(device: Any) -> str:
    """The architecture of a device's cores."""
    return str(device.arch)
