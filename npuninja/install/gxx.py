"""A C++ compiler where the system's is older than host programs ask for: Debian's g++-13 in its own folder.

The compiler and what it starts are programs of a newer system. So the folder's loader starts the compiler and
(`-wrapper`) its programs; headers and libraries are read below the folder (`--sysroot`). What it links runs
with the libraries of that folder, or of the one of `npuninja tools install xrt`.
"""

from __future__ import annotations

import glob
import os
import shutil
import tempfile

from npuninja.errors import ToolError
from npuninja.install.folder import loader_of, proved, write_launcher, write_script

#: MLIR-AIE's own examples ask for this version by name.
VERSION = "13"
PACKAGES = (f"g++-{VERSION}", "libc6-dev")

_COMPILER = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")/..
loader=$here/{loader}
libraries=$here/{libraries}
exec "$loader" --inhibit-cache --library-path "$libraries" --argv0 "$here/{program}" "$here/{program}" \\
    -wrapper "$loader,--inhibit-cache,--library-path,$libraries" --sysroot="$here" -B"$here/{programs}/" -B"$here/bin/" \\
    -B"$here/usr/bin/" "$@"
"""
# Nobody debugs or profiles with this compiler.
_NOT_NEEDED = (
    "usr/libexec/gcc/*/*/lto*", "usr/libexec/gcc/*/*/g++-mapper-server", "usr/lib/gcc/*/*/lib*san*", "usr/lib/*/lib*san*",
    "usr/bin/*gprof*", "usr/bin/gp-*", "usr/bin/*lto-dump*", "usr/share/locale", "usr/share/man", "usr/lib/*/gprofng",
)  # fmt: skip
_PROOF = """
#include <iostream>
#include <stdfloat>
#include <string>
int main() {
    std::bfloat16_t one = std::bfloat16_t(1.0f);
    std::cout << std::string("the compiler works ") << static_cast<float>(one + one) << std::endl;
}
"""


def finish_gxx(root: str) -> str:
    """Makes `bin/g++`, `bin/gcc` in the unpacked packages; compiles and runs a program; returns the version.

    Raises:
        ToolError: the packages lack something, or the compiler does not work.
    """
    for pattern in _NOT_NEEDED:
        for path in glob.glob(os.path.join(root, pattern)):
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
    # Linker scripts name libraries as a system with merged folders has them.
    for name in ("lib", "lib64"):
        if not os.path.lexists(os.path.join(root, name)) and os.path.isdir(os.path.join(root, "usr", name)):
            os.symlink(os.path.join("usr", name), os.path.join(root, name))
    folders = glob.glob(os.path.join(root, "usr", "libexec", "gcc", "*", VERSION))
    if len(folders) != 1:
        raise ToolError(f"the packages have {len(folders)} compilers of version {VERSION}, expected one")
    triple = os.path.basename(os.path.dirname(folders[0]))
    # The linker is started by a program of the compiler, which knows nothing of the loader.
    write_launcher(root, f"usr/bin/{triple}-ld")
    os.replace(os.path.join(root, "bin", f"{triple}-ld"), os.path.join(root, "bin", "ld"))
    libraries = os.path.dirname(loader_of(root))
    for name in ("g++", "gcc"):
        text = _COMPILER.format(
            loader=loader_of(root), libraries=libraries, program=f"usr/bin/{triple}-{name}-{VERSION}",
            programs=os.path.relpath(folders[0], root),
        )  # fmt: skip
        write_script(os.path.join(root, "bin", name), text)
    return _prove(root, libraries)


def _prove(root: str, libraries: str) -> str:
    compiler = os.path.join(root, "bin", "g++")
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "proof.cpp"), os.path.join(folder, "proof")
        with open(source, "w", encoding="utf-8") as stream:
            stream.write(_PROOF)
        loader = os.path.join(root, loader_of(root))
        for command, least_words in (
            ([compiler, "-std=c++23", source, "-o", program], 0),
            ([loader, "--inhibit-cache", "--library-path", os.path.join(root, libraries), program], 0),
            ([compiler, "-dumpfullversion"], 1),
        ):
            words = proved("g++", command, 120, least_words)
    return words[0]
