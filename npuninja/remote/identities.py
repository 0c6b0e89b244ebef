"""What a worker must have in common with the machine that asks: npuninja's stages, Python, tools, by content.

The identity words in build.ninja name a file's place and time, which differ between machines; these are equal
on two machines exactly when the tools are.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator

from npuninja.detect.machine import TOOLS, Toolchain
from npuninja.detect.mlir_aie import root_of
from npuninja.detect.tool import FoundTool
from npuninja.remote.settings import RemoteTool

# The parts of npuninja that any stage may load; of the runner, only what stages write its files by.
STAGE_MODULES = ("device/__init__.py", "device/manifest.py")
STAGE_PARTS = (
    *("aie2_compiler", "arch", "formats", "host_headers", "ir", "kernel_headers"),
    *("lints", "lowering", "machine_code", "remote", "stages"),
)
_NOT_READ = (".md", ".pyc", ".typed")
# Tools that stages start, and whether commands name further files of the program's folder.
PROGRAMS = ("ziglang", "clang", "wasm-ld", "bootgen", "xclbinutil")
INSTALLATIONS = ("peano", "aie-opt", "aie-translate")


def package_files(package: str) -> list[str]:
    """The files of npuninja (at `package`) that decide what stages make, sorted, absolute if `package` is."""
    # The ground floor: errors, hints and the like, which lie beside the folders.
    found = [os.path.join(package, entry.name) for entry in os.scandir(package) if entry.is_file()]
    found += [os.path.join(package, *name.split("/")) for name in STAGE_MODULES]
    for part in STAGE_PARTS:
        found += _files(os.path.join(package, part))
    read = [path for path in found if not path.endswith(_NOT_READ)]
    return sorted(path for path in read if not os.path.basename(path).startswith("."))


def _files(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (os.path.join(parent, name) for name in names)


def package_identity(package: str) -> str:
    """The identity of npuninja's stages with the running Python."""
    digest = hashlib.sha256(".".join(map(str, sys.version_info[:3])).encode())
    for path in package_files(package):
        with open(path, "rb") as stream:
            content = stream.read()
        digest.update(f"\n{os.path.relpath(path, package)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def tool_identities(toolchain: Toolchain) -> tuple[RemoteTool, ...]:
    """The tools of this machine that stages may start. Programs of one installation count as one tool."""
    return tuple(RemoteTool(group[0].tool, root, _identity(group)) for root, group in _groups(toolchain))


def _groups(toolchain: Toolchain) -> list[tuple[str, list[FoundTool]]]:
    """The tools of each place."""
    groups: dict[str, list[FoundTool]] = {}
    for name in (*PROGRAMS, *INSTALLATIONS):
        found = toolchain.found(name)
        if found:
            groups.setdefault(root_of(found.path) if name in INSTALLATIONS else found.path, []).append(found)
    return list(groups.items())


def file_stamps(toolchain: Toolchain) -> dict[str, dict[str, tuple[int, int]]]:
    """Of each tool by its identity: the files that it was taken from, with their states (`file_stamp`)."""
    return {
        _identity(group): {
            path: stamp for found in group for path in _files_of(found) if (stamp := file_stamp(path))
        }
        for _, group in _groups(toolchain)
    }


def file_stamp(path: str) -> tuple[int, int] | None:
    """Size and time of the last change of a file, which nobody can set back; None when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_ctime_ns


def _files_of(found: FoundTool) -> tuple[str, ...]:
    companions = next(tool for tool in TOOLS if tool.name == found.tool).companions(found.path)
    return (found.path, *companions)


def _identity(group: list[FoundTool]) -> str:
    digest = hashlib.sha256()
    for found in group:
        digest.update(f"{found.tool} {found.version}\n".encode())
        for path in _files_of(found):
            with open(path, "rb") as stream:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
    plain = "".join(c if c.isalnum() or c in "._+" else "_" for c in group[0].version)
    return f"{group[0].tool}-{plain}-{digest.hexdigest()[:12]}"
