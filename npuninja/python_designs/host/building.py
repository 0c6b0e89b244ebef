"""Compiles a design's module by npuninja's stages into a cache, and runs what was made on an NPU or the emulated one.

The cache is by content: the name of a design's folder is a digest of its MLIR, of the kernels' sources and flags, and of
npuninja's version. A folder is a project like any other: `mlir/`, `kernels/`, `toolchain.toml`, and a build with Ninja,
so a second build of the same is short, and a changed header is seen.
"""

from __future__ import annotations

import filecmp
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from npuninja import __version__
from npuninja.errors import Error, in_words
from npuninja.python_designs.host.design_cache import alone, file_of, is_whole, own_folder
from npuninja.python_designs.host.results import KernelResult

DESIGN = "design"
_FULL_ELF = "full-elf = true"
_BUILD_LIMIT_S = 1800
_RUN_LIMIT_S = 120.0
_CONFIGURE = (
    "import os, sys; from npuninja.configure.main import main; "
    "sys.exit(main(sys.argv[1:], os.environ, sys.stdout, {home!r}))"
)


#: Manifests of designs whose device was told.
_TOLD: set[Any] = set()


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
    """A design's project: its MLIR, its kernels and their flags, and those of its lowering; whether it makes one ELF of all.

    Raises:
        FileNotFoundError: a kernel's source is not there.
    """
    _write_changed(os.path.join(folder, "mlir", f"{DESIGN}.mlir"), text)
    settings: list[str] = []
    said = [f"aiecc-flags = {json.dumps(list(aiecc_flags))}"] if aiecc_flags else []
    said += [_FULL_ELF] if full_elf else []
    if said:
        settings.append("\n".join((f"[design.{DESIGN}]", *said)))
    done: set[str] = set()
    for kernel in kernels:
        if kernel.object_file_name in done:  # another function of the same object
            continue
        done.add(kernel.object_file_name)
        stem = os.path.splitext(kernel.object_file_name)[0].replace(".", "_")
        if kernel.source_file is not None and not os.path.isfile(kernel.source_file):
            raise FileNotFoundError(
                f"Kernel source '{os.path.basename(kernel.source_file)}' not found under "
                f"{os.path.dirname(kernel.source_file)}: set MLIR_AIE_INSTALL_DIR to a folder that has it"
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
        settings.append("\n".join(lines))
    path = os.path.join(folder, "toolchain.toml")
    if settings:
        _write_changed(path, "\n\n".join(settings) + "\n")
    elif os.path.lexists(path):  # nobody but this function writes one
        os.unlink(path)


def build_module(
    text: str,
    kernels: Sequence[Any],
    xclbin_path: Any = None,
    insts_path: Any = None,
    aiecc_flags: Sequence[str] = (),
    full_elf_path: Any = None,
) -> str:
    """Compiles a module; gives the path of its manifest. With paths, XCLBIN and instructions, or the full ELF, are copied there.

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
    """The manifest of what Ninja made; made anew when its files are not those that were made."""
    manifest = _build(folder, text, kernels, aiecc_flags, full_elf)
    if not is_whole(manifest, DESIGN):
        shutil.rmtree(os.path.join(folder, "build"), ignore_errors=True)
        manifest = _build(folder, text, kernels, aiecc_flags, full_elf)
    return manifest


def _build(folder: str, text: str, kernels: Sequence[Any], aiecc_flags: Sequence[str], full_elf: bool) -> str:
    write_project(folder, text, kernels, aiecc_flags, full_elf)
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    _run_step([sys.executable, "-c", _CONFIGURE.format(home=home), "-S", folder], folder)
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
    with open(manifest, encoding="utf-8") as stream:
        insts = os.path.join(os.path.dirname(manifest), json.load(stream)["files"]["insts"]["path"])
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    command = [sys.executable, "-m", "npuninja.stages", "insts_elf", insts, "-o", os.path.abspath(target)]
    _run_step(command, os.path.dirname(manifest))


def _ninja() -> str:
    beside = os.path.join(os.path.dirname(sys.executable), "ninja")
    return beside if os.path.isfile(beside) else shutil.which("ninja") or "ninja"


def _run_step(command: list[str], folder: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_BUILD_LIMIT_S, check=False, env={
            **environment, "PYTHONPATH": os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(__file__)))),
        },
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"[npuninja] compilation failed in {folder}:\n{done.stdout}{done.stderr}")


def _remember(xclbin_path: str, manifest: str) -> None:
    """Beside an XCLBIN that was written somewhere else, where its manifest is."""
    with open(xclbin_path + ".npuninja", "w", encoding="utf-8") as stream:
        stream.write(manifest + "\n")


def build_design(design: Any, text: str, xclbin: Any, insts: Any, elf: Any, full_elf: Any, pdi: Any) -> Any:
    """`CompilableDesign.compile`."""
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
    with open(manifest, encoding="utf-8") as stream:
        files = json.load(stream)["files"]
    folder = os.path.dirname(manifest)
    return os.path.join(folder, files["xclbin"]["path"]), os.path.join(folder, files["insts"]["path"])


def run_design(design: Any, text: str, tensors: list[Any]) -> Any:
    """Compiles what is not compiled yet and runs it; gives (design, result).

    Raises:
        RuntimeError: a tensor has another number of elements than the design's argument.
    """
    manifest = build_module(text, design.kernels, aiecc_flags=design.aiecc_flags)
    return design, _run(manifest, tensors, design.tensor_params, design.compile_kwargs, _trace_of(design))


def _trace_of(design: Any) -> Any:
    """What a design says about its trace: as a setting, or as one of its compile-time values; None for nothing."""
    said = (getattr(design, "trace_config", None), *design.compile_kwargs.values())
    return next((value for value in said if hasattr(value, "write_trace")), None)


def _take_trace(trace: Any, manifest: Any, buffers: Sequence[Any]) -> None:
    """Writes the trace's file, and notes what it is to be read with."""
    place = next((i for i, a in enumerate(manifest.arguments) if a.direction == "trace"), None)
    if place is not None:
        trace.write_trace(np.frombuffer(bytes(buffers[place].view), dtype=np.uint32))
        trace.physical_mlir_path = os.path.join(os.path.dirname(manifest.path), "input_with_addresses.mlir")


def run_module(text: str, kernels: Sequence[Any], tensors: list[Any], name: str) -> Any:
    """As `run_design`, for the older decorator."""
    return _run(build_module(text, kernels), tensors, [f"argument {i}" for i in range(len(tensors))], {})


def run_files(xclbin_path: Any, insts_path: Any, tensors: list[Any]) -> Any:
    """Runs an XCLBIN and its instructions with tensors in the order of the sequence's arguments.

    With its manifest where there is one beside it, on the NPU or on the emulated one; without, on the emulated one.

    Raises:
        RuntimeError: a file cannot be read, or the run fails.
    """
    manifest = _manifest_of(str(xclbin_path), str(insts_path))
    if manifest:
        names = [f"argument {i}" for i in range(len(tensors))]
        return _run(manifest, tensors, names, {}, larger=True)
    return _run_bare(str(xclbin_path), str(insts_path), tensors)


def _manifest_of(xclbin: str, insts: str) -> str | None:
    """The manifest of an XCLBIN and its instructions; None when there is none that names both."""
    from npuninja.device.manifest import read_manifest

    note = f"{xclbin}.npuninja"
    if os.path.isfile(note):
        with open(note, encoding="utf-8") as stream:
            said = stream.read().strip()
        # Either file may be another by now.
        if is_whole(said, DESIGN) and _have_one_content(
            ((xclbin, file_of(said, "xclbin")), (insts, file_of(said, "insts")))
        ):
            return said
    folder = os.path.dirname(os.path.abspath(xclbin))
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if not name.endswith(".json"):
            continue
        try:
            manifest = read_manifest(os.path.join(folder, name))
        except Error:
            continue  # another file of the build
        streams = (manifest.insts, _elf_of(manifest))
        if _is_one_of(xclbin, (manifest.xclbin,)) and _is_one_of(insts, streams):
            return os.path.join(folder, name)
    return None


def _have_one_content(pairs: Sequence[tuple[str, str]]) -> bool:
    return all(os.path.isfile(a) and filecmp.cmp(a, b, shallow=False) for a, b in pairs)


def _elf_of(manifest: Any) -> str:
    """The file that has a design's instructions as XRT's ELF loader wants them; "" when the build made none."""
    with open(manifest.path, encoding="utf-8") as stream:
        said = json.load(stream)["files"].get("elf")
    return os.path.join(os.path.dirname(manifest.path), said["path"]) if said else ""


def _is_one_of(given: str, files: Sequence[str]) -> bool:
    return os.path.exists(given) and any(
        os.path.exists(file) and os.path.samefile(given, file) for file in files
    )


def _run_bare(xclbin: str, insts: str, tensors: list[Any]) -> KernelResult:
    import time

    from npuninja.device.bare_run import instructions
    from npuninja.emulator import Emulator

    arrays = [_array_of(tensor) for tensor in tensors]
    print(f"npuninja: {xclbin} has no manifest, so it runs on the emulated NPU", file=sys.stderr)
    try:
        with open(xclbin, "rb") as stream:
            content = stream.read()
        with Emulator.from_xclbin(content, name=xclbin) as npu:
            buffers = []
            for array in arrays:
                buffer = npu.allocate(array.nbytes)
                buffer.view[:] = array.reshape(-1).view(np.uint8).tobytes()
                buffers.append(buffer)
            start = time.perf_counter()
            npu.run(instructions(insts), buffers, _RUN_LIMIT_S)
            seconds = time.perf_counter() - start
            for tensor, array, buffer in zip(tensors, arrays, buffers):
                _take_back(tensor, array, bytes(buffer.view))
                buffer.view.release()
    except OSError as error:
        raise RuntimeError(f"cannot read {xclbin}: {in_words(error)}") from error
    except Error as error:
        raise RuntimeError(error.render()) from error
    return KernelResult(int(seconds * 1e9))


def _array_of(tensor: Any) -> Any:
    return tensor if isinstance(tensor, np.ndarray) else np.ascontiguousarray(getattr(tensor, "data", tensor))


def _take_back(tensor: Any, array: Any, content: bytes) -> None:
    """Puts a buffer's content into the tensor that it was made of."""
    result = np.frombuffer(content, dtype=array.dtype).reshape(array.shape)
    target = tensor if isinstance(tensor, np.ndarray) else tensor.data
    target[...] = result


def _check_tensor(name: str, array: Any, argument: Any, values: dict[str, Any]) -> None:
    """Raises RuntimeError when a tensor has not the argument's size; warns when one of them holds fractions and the other
    signed integers, whose bytes the kernel would read as something else.
    """
    expected = int(np.prod(argument.shape))
    if array.nbytes != argument.nbytes:
        if array.size != expected:
            raise RuntimeError(
                f"Tensor argument '{name}' has {array.size} elements but the kernel was compiled for {expected} elements."
                f"\ncompile-time values: {values}"
            )
        raise RuntimeError(
            f"Tensor argument '{name}' is of {array.dtype} ({array.nbytes} bytes) but the kernel was compiled for "
            f"{argument.element} ({argument.nbytes} bytes)."
        )
    kinds = {"f" if kind == "V" else kind for kind in (array.dtype.kind, argument.dtype.kind)}  # V: bfloat16
    if kinds == {"f", "i"} and (name, argument.element) not in _TOLD:
        _TOLD.add((name, argument.element))
        print(
            f"warning: tensor argument '{name}' is of {array.dtype}, and the kernel takes its bytes for {argument.element}",
            file=sys.stderr,
        )


def _run(
    manifest_path: str, tensors: list[Any], names: Sequence[str], values: dict[str, Any], trace: Any = None,
    larger: bool = False,
) -> KernelResult:  # fmt: skip
    """Runs a built design. `larger`: tensors may be larger than its arguments, as a buffer of XRT may."""
    from npuninja.device.bare_run import arguments_used
    from npuninja.device.choice import choose
    from npuninja.device.manifest import read_manifest
    from npuninja.device.program import program_of

    manifest = read_manifest(manifest_path)
    arrays = [_array_of(tensor) for tensor in tensors]
    used = arguments_used(manifest.insts) if len(arrays) < len(manifest.arguments) else len(arrays)
    while trace is not None and used > len(arrays) and manifest.arguments[used - 1].direction == "trace":
        used -= 1  # the trace's buffer is not the caller's
    if not used <= len(arrays) <= len(manifest.arguments):
        lacking = ", ".join(names[len(arrays) : len(manifest.arguments)])
        if not lacking and manifest.arguments[len(arrays)].direction == "trace":
            lacking = (
                "the buffer of its trace, which trace_config=TraceConfig(trace_size=...) of @iron.jit gives"
            )
        raise RuntimeError(
            f"the design has {len(manifest.arguments)} argument(s), but {len(arrays)} tensor(s) were given"
            f"{f'; missing: {lacking}' if lacking else ''}"
        )
    for name, array, argument in zip(names, arrays, manifest.arguments):
        if not (larger and array.nbytes > argument.nbytes):
            _check_tensor(name, array, argument, values)
    choice = choose(manifest, "auto", None)
    if manifest.path not in _TOLD:
        _TOLD.add(manifest.path)
        print(f"npuninja: {manifest.design} runs on {choice.reason}", file=sys.stderr)
    device = choice.device
    try:
        device.load(program_of(manifest))
        sizes = [a.nbytes for a in manifest.arguments]
        sizes[: len(arrays)] = [array.nbytes for array in arrays]
        buffers = [device.allocate(size, i) for i, size in enumerate(sizes)]
        for buffer, array in zip(buffers, arrays):
            buffer.view[:] = array.reshape(-1).view(np.uint8).tobytes()
        seconds = device.run(buffers, _RUN_LIMIT_S)
        for tensor, buffer, array in zip(tensors, buffers, arrays):
            _take_back(tensor, array, bytes(buffer.view))
        if trace is not None:
            _take_trace(trace, manifest, buffers)
        for remark in device.remarks():
            print(f"warning: {remark}", file=sys.stderr)
    except Error as error:
        raise RuntimeError(error.render()) from error
    finally:
        device.close()
    return KernelResult(int(seconds * 1e9))
