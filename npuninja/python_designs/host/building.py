"""Compiles a design's module by npuninja's stages into a cache.

The cache is by content: a folder's name is a digest of the design's MLIR, its kernels' sources and flags, and
npuninja's version. A folder is a project like any other (`mlir/`, `kernels/`, `toolchain.toml`), built by
Ninja, so a second build is short, and a changed header is seen.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from npuninja import __version__
from npuninja.python_designs.host.design_cache import alone, file_of, is_whole, own_folder

DESIGN = "design"
_FULL_ELF = "full-elf = true"
_BUILD_LIMIT_S = 1800
#: The folder that has the package npuninja.
_HOME = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
_CONFIGURE = (
    "import os, sys; from npuninja.configure.main import main; "
    "sys.exit(main(sys.argv[1:], os.environ, sys.stdout, {home!r}))"
)


def _digest(
    text: str, kernels: Sequence[Any], aiecc_flags: Sequence[str] = (), full_elf: bool = False
) -> str:
    parts = [__version__, text, *sorted(kernel.content() for kernel in kernels), *aiecc_flags]
    parts += [_FULL_ELF] if full_elf else []
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _write_changed(path: str, text: str) -> None:
    """Writes a file unless it holds that text already, so that Ninja sees no change."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.isfile(path):
        with open(path, encoding="utf-8") as stream:
            if stream.read() == text:
                return
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def write_project(
    folder: str,
    text: str,
    kernels: Sequence[Any],
    aiecc_flags: Sequence[str] = (),
    full_elf: bool = False,
) -> None:
    """A design's project: its MLIR, its kernels and their flags, and those of its lowering; whether it makes
    one ELF of all.

    Raises:
        FileNotFoundError: a kernel's source is not there.
    """
    _write_changed(os.path.join(folder, "mlir", f"{DESIGN}.mlir"), text)
    settings: list[str] = []
    said = [f"aiecc-flags = {json.dumps(list(aiecc_flags))}"] if aiecc_flags else []
    said += [_FULL_ELF] if full_elf else []
    if said:
        settings.append("\n".join((f"[design.{DESIGN}]", *said)))
    of_objects: dict[str, Any] = {}
    for kernel in kernels:
        of_objects.setdefault(kernel.object_file_name, kernel)  # several functions may be of one object
    settings += [_write_kernel(folder, kernel) for kernel in of_objects.values()]
    path = os.path.join(folder, "toolchain.toml")
    if settings:
        _write_changed(path, "\n\n".join(settings) + "\n")
    elif os.path.lexists(path):  # nobody but this function writes one
        os.unlink(path)


def _write_kernel(folder: str, kernel: Any) -> str:
    """Writes a kernel's source into a project; gives its section of the settings."""
    stem = os.path.splitext(kernel.object_file_name)[0].replace(".", "_")
    if kernel.source_file is not None and not os.path.isfile(kernel.source_file):
        where, name = os.path.split(kernel.source_file)
        raise FileNotFoundError(
            f"the kernel's source {name} is not in {where}: set MLIR_AIE_INSTALL_DIR to a folder that has it"
        )
    _write_changed(os.path.join(folder, "kernels", f"{stem}.cc"), kernel.source_text())
    folders = list(kernel._include_dirs)
    if kernel.source_file is not None:
        folders.append(os.path.dirname(os.path.abspath(kernel.source_file)))
    lines = [f"[kernel.{json.dumps(kernel.object_file_name)}]", f'sources = ["kernels/{stem}.cc"]']
    if folders:
        lines.append(f"include = {json.dumps([os.path.abspath(f) for f in folders if os.path.isdir(f)])}")
    if kernel.build_flags:
        lines.append(f"flags = {json.dumps(kernel.build_flags)}")
    return "\n".join(lines)


def build_module(
    text: str,
    kernels: Sequence[Any],
    xclbin_path: Any = None,
    insts_path: Any = None,
    aiecc_flags: Sequence[str] = (),
    full_elf_path: Any = None,
) -> str:
    """Compiles a module; gives the path of its manifest. With paths, XCLBIN and instructions, or the full
    ELF, are copied there.

    Raises:
        RuntimeError: a stage failed; with what it said.
    """
    full_elf = full_elf_path is not None
    folder = own_folder(_digest(text, kernels, aiecc_flags, full_elf))
    with alone(folder):
        manifest = _built(folder, text, kernels, aiecc_flags, full_elf)
    for kind, target in (
        ("xclbin", xclbin_path),
        ("insts", insts_path),
        ("full_elf", full_elf_path),
    ):
        if target is not None:
            _copy(file_of(manifest, kind), str(target))
    if xclbin_path is not None:
        _remember(str(xclbin_path), manifest)
    return manifest


def _built(folder: str, text: str, kernels: Sequence[Any], aiecc_flags: Sequence[str], full_elf: bool) -> str:
    """The manifest of what Ninja made; made again when its files are not those that were made."""
    manifest = _build(folder, text, kernels, aiecc_flags, full_elf)
    if not is_whole(manifest, DESIGN):
        shutil.rmtree(os.path.join(folder, "build"), ignore_errors=True)
        manifest = _build(folder, text, kernels, aiecc_flags, full_elf)
    return manifest


def _build(folder: str, text: str, kernels: Sequence[Any], aiecc_flags: Sequence[str], full_elf: bool) -> str:
    write_project(folder, text, kernels, aiecc_flags, full_elf)
    _run_step([sys.executable, "-c", _CONFIGURE.format(home=_HOME), "-S", folder], folder)
    _run_step([_ninja(), "-C", folder], folder)
    found = glob.glob(os.path.join(folder, "build", "*", "*", DESIGN, f"{DESIGN}.json"))
    if not found:
        raise RuntimeError(f"[npuninja] the build in {folder} made no manifest")
    return max(found, key=os.path.getmtime)


def _copy(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    shutil.copyfile(source, target)


def _make_elf(manifest: str, target: str) -> None:
    """A design's instructions as the ELF that XRT loads."""
    target = os.path.abspath(target)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    insts = file_of(manifest, "insts")
    command = [sys.executable, "-m", "npuninja.stages", "insts_elf", insts, "-o", target]
    _run_step(command, os.path.dirname(manifest))


def _ninja() -> str:
    beside = os.path.join(os.path.dirname(sys.executable), "ninja")
    return beside if os.path.isfile(beside) else shutil.which("ninja") or "ninja"


def _run_step(command: list[str], folder: str) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_BUILD_LIMIT_S, check=False,
        env={**os.environ, "PYTHONPATH": _HOME},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"[npuninja] compilation failed in {folder}:\n{done.stdout}{done.stderr}")


def _remember(xclbin_path: str, manifest: str) -> None:
    """Beside an XCLBIN that was written somewhere else, where its manifest is."""
    with open(xclbin_path + ".npuninja", "w", encoding="utf-8") as stream:
        stream.write(manifest + "\n")


def build_design(design: Any, text: str, xclbin: Any, insts: Any, elf: Any, full_elf: Any, pdi: Any) -> Any:
    """Does the work of `CompilableDesign.compile`."""
    if full_elf is not None:
        build_module(text, design.kernels, aiecc_flags=design.aiecc_flags, full_elf_path=full_elf)
        return str(full_elf), None
    manifest = build_module(text, design.kernels, xclbin, insts, design.aiecc_flags)
    if elf is not None:
        _make_elf(manifest, str(elf))
    if pdi is not None:
        _copy(os.path.join(os.path.dirname(manifest), f"{DESIGN}.pdi"), str(pdi))
    if xclbin is not None:
        return str(xclbin), str(insts)
    return file_of(manifest, "xclbin"), file_of(manifest, "insts")
