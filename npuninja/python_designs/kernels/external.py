"""Kernels over AMD's sources: where a source is, and its ExternalFunction, made once for equal parameters.

The C++ is AMD's, not part of npuninja. A kernel resolves always; it is compiled when an MLIR-AIE install, or
the folder in MLIR_AIE_INSTALL_DIR, has its source.
"""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from npuninja.arch.families import DEFAULT, FAMILIES
from npuninja.python_designs.install_paths import cxx_header_path
from npuninja.python_designs.iron.current_device import get_current_device
from npuninja.python_designs.iron.kernel import ExternalFunction

_made: dict[str, ExternalFunction] = {}


def clear_made() -> None:
    """Forgets the kernels of the design before."""
    _made.clear()


def array(count: Any, dtype: Any) -> Any:
    """The type of an array; `count` may be a shape."""
    shape = tuple(count) if isinstance(count, (tuple, list)) else (int(count),)
    return np.ndarray.__class_getitem__((shape, np.dtype[dtype]))


def architecture() -> str:
    """The architecture of the current device's cores."""
    device = get_current_device()
    if device is None:
        default = FAMILIES[DEFAULT].architecture
        warnings.warn(f"no current device: kernels are taken for {default}", stacklevel=3)
        return default
    return device.arch


def kernel_folders() -> list[str]:
    """Where MLIR-AIE's kernel sources may be: in its install, or in the source tree of the design."""
    folder = os.path.dirname(os.path.abspath(sys.argv[0]))
    found = [os.path.join(cxx_header_path(), "aie_kernels")]
    while True:
        path = os.path.join(folder, "aie_kernels")
        if os.path.isdir(path):
            found.append(path)
        above = os.path.dirname(folder)
        if above == folder:
            return found
        folder = above


def source_path(file: str, own_architecture: bool = False) -> str:
    """Where a kernel's source is, or would be."""
    own = architecture()
    roots = kernel_folders()
    folders = [own] if own_architecture else [own, "aie2", "generic"]
    for root in roots:
        for folder in folders:
            found = os.path.join(root, folder, file)
            if os.path.isfile(found):
                return found
    return os.path.join(roots[0], folders[0] if own_architecture or "/" in file else "generic", file)


def kernel_source(arch: str, subdir: str, filename: str) -> Path:
    """Where a kernel's source is: in the folder `subdir`, else in aie2, else in generic. The first parameter
    is the API's, and counts for nothing there.

    Raises:
        FileNotFoundError: it is in none of them.
    """
    roots = kernel_folders()
    for path in (os.path.join(r, folder, filename) for r in roots for folder in (subdir, "aie2", "generic")):
        if os.path.isfile(path):
            return Path(path)
    raise FileNotFoundError(
        f"no kernel source {filename} in {subdir}, aie2 or generic of {' or '.join(roots)}: "
        "set MLIR_AIE_INSTALL_DIR to the folder of an install that has it"
    )


def default_source_path(filename: str, subdir: str | None = None) -> Path:
    """The path of a kernel's source for the current device's architecture."""
    arch = architecture()
    return kernel_source(arch, subdir or arch, filename)


def include_dirs() -> list[str]:
    """The folders in which kernels of an install look for headers."""
    return [cxx_header_path()]


def make_extern(
    func_name: str,
    source_path: Path | str,
    arg_types: list[Any],
    *,
    compile_flags: list[str] | None = None,
    use_chess: bool = False,
    shared_object_file_name: str | None = None,
) -> ExternalFunction:
    """A kernel over a source file anywhere; equal parameters give the same one within a design."""
    return make(
        func_name,
        os.path.basename(source_path),
        arg_types,
        compile_flags,
        prefix=shared_object_file_name is None,
        object_file=shared_object_file_name,
        use_chess=use_chess,
        source=str(source_path),
    )


#: The names of `aie.iron.kernels._common`, which designs of others import for kernels of their own.
THEIRS = {
    "_detect_arch": architecture,
    "_kernel_source": kernel_source,
    "_default_source_path": default_source_path,
    "_include_dirs": include_dirs,
    "_make_extern": make_extern,
    "_EXTERN_CACHE": _made,
}


def make(
    symbol: str,
    file: str,
    arg_types: list[Any],
    flags: list[str] | None = None,
    *,
    prefix: bool = True,
    object_file: str | None = None,
    use_chess: bool = False,
    include_dirs: list[str] | None = None,
    stem: str | None = None,
    own_architecture: bool = False,
    source_string: str | None = None,
    source: str | None = None,
) -> ExternalFunction:
    """A kernel, the same one for equal parameters in a design. `source` is its file; None looks for it."""
    # Not the source's path: names must not tell where npuninja lies.
    key = repr((symbol, file, own_architecture, arg_types, flags or [], use_chess))
    made_of = f"{key} {source or ''}"
    source = source or source_path(file, own_architecture)
    known = _made.get(made_of)
    if known is not None:
        return known
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    # It becomes the beginning of a C name, which is no digit.
    digest = f"{'abcdefabcdef'[int(digest[0], 16) % 6]}{digest[1:]}"
    options: dict[str, Any] = {"symbol_prefix": digest} if prefix and not use_chess else {}
    found = ExternalFunction(
        symbol,
        object_file or f"{stem or symbol}_{digest}.o",
        source_file=None if source_string else source,
        source_string=source_string,
        arg_types=arg_types,
        include_dirs=[*(include_dirs or []), cxx_header_path()],
        compile_flags=flags,
        use_chess=use_chess,
        **options,
    )
    _made[made_of] = found
    return found
