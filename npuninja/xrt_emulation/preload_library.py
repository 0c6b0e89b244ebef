"""The preload library: `preload/*.c`, compiled by the embedded compiler at first use, then cached."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import tempfile
from pathlib import Path

from npuninja.cache_files import cache_folder, keep, kept
from npuninja.errors import ToolError
from npuninja.own_compiler import OwnCompiler, own_compiler

SOURCES = Path(__file__).parent / "preload"
#: The C library to link against: an old one, so that the library loads into programs with any newer one.
_GLIBC = "2.17"
FLAGS = ("-O2", "-g1", "-std=gnu11", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror")


def preload_library() -> Path:
    """The library for this machine. The first call takes some seconds.

    Raises:
        ToolError: there is no compiler, or it failed, or this is no Linux.
    """
    if platform.system() != "Linux":
        raise ToolError(
            "XRT programs can be run on the emulated NPU on Linux only", hint="use WSL, or a container"
        )
    compiler = own_compiler()
    # Another compiler has the C library of this machine only.
    target = ("-target", f"{platform.machine()}-linux-gnu.{_GLIBC}") if compiler.is_zig else ()
    digest = hashlib.sha256(repr((FLAGS, target, compiler.version)).encode())
    for path in sorted(SOURCES.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    library = cache_folder() / f"preload-{digest.hexdigest()[:32]}.so"
    if kept(library) is None:  # the digest at its end is no part of what is loaded
        _compile(compiler, target, library)
    return library


def _compile(compiler: OwnCompiler, target: tuple[str, ...], library: Path) -> None:
    zig_cache = str(library.parent / "zig")
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": zig_cache, "ZIG_LOCAL_CACHE_DIR": zig_cache}
    environment.pop("LD_PRELOAD", None)
    with tempfile.TemporaryDirectory(prefix="preload-", dir=library.parent) as folder:
        output = os.path.join(folder, library.name)
        sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
        command = [*compiler.compile, *target, *FLAGS, *sources, "-o", output, "-ldl", "-lpthread"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(
                f"the preload library does not compile (exit code {done.returncode}): "
                f"{done.stderr.strip()[-2000:]}",
                hint="the compiler may be too old or damaged: pip install --upgrade ziglang, "
                "or clang and lld 14 or newer",
            )
        if not keep(library, Path(output).read_bytes()):
            raise ToolError(
                f"cannot write {library}",
                hint="set NPUNINJA_CACHE_DIR to a folder that can be written and has room",
            )
