"""Where the bindings' install has its files (`aie.utils.config`): here, where a user has said."""

from __future__ import annotations

import os


def root_path() -> str:
    """The folder of an MLIR-AIE install: MLIR_AIE_INSTALL_DIR, or npuninja's own."""
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return os.environ.get("MLIR_AIE_INSTALL_DIR") or own


def cxx_header_path() -> str:
    """The folder with the headers and kernel sources of an install."""
    return os.path.join(root_path(), "include")


def peano_install_dir() -> str:
    """The folder of the Peano compiler."""
    found = os.environ.get("PEANO_INSTALL_DIR", "")
    if not found:
        raise RuntimeError(
            "Peano is not there: set PEANO_INSTALL_DIR, or leave the compiler to npuninja's stages"
        )
    return found


def peano_cxx_path() -> str:
    """The path of Peano's clang++."""
    return os.path.join(peano_install_dir(), "bin", "clang++")


def peano_linker_path() -> str:
    """The path of Peano's linker."""
    return os.path.join(peano_install_dir(), "bin", "ld.lld")


def objcopy_path() -> str:
    """The path of Peano's objcopy."""
    return os.path.join(peano_install_dir(), "bin", "llvm-objcopy")


def aiecc_path() -> str:
    """The driver of an install."""
    return os.path.join(root_path(), "bin", "aiecc.py")


NAMES = {k: v for k, v in globals().items() if k.endswith(("_path", "_dir"))}
