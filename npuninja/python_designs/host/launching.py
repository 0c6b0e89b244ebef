"""Runs what was built of a design on an NPU or the emulated one: with its manifest, or a bare XCLBIN."""

from __future__ import annotations

import filecmp
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from npuninja.errors import Error, in_words
from npuninja.python_designs.host.building import DESIGN, build_module
from npuninja.python_designs.host.design_cache import file_of, is_whole
from npuninja.records import NamedTuple

_RUN_LIMIT_S = 120.0
#: What was printed once: the manifests of designs, for their device; argument types.
_PRINTED: set[Any] = set()


class KernelResult(NamedTuple):
    """The end of a run: time in nanoseconds, by the host's clock (emulated: the emulator's)."""

    npu_time: int
    ret: str = "ERT_CMD_STATE_COMPLETED"


def run_design(design: Any, text: str, tensors: list[Any]) -> Any:
    """Compiles what is not compiled yet and runs it; gives (design, result).

    Raises:
        RuntimeError: a tensor has another number of elements than the design's argument.
    """
    manifest = build_module(text, design.kernels, aiecc_flags=design.aiecc_flags)
    return design, _run(manifest, tensors, design.tensor_params, design.compile_kwargs, _trace_of(design))


def _trace_of(design: Any) -> Any:
    """What a design says about its trace: a setting or a compile-time value; None when it says nothing."""
    said = (getattr(design, "trace_config", None), *design.compile_kwargs.values())
    return next((value for value in said if hasattr(value, "write_trace")), None)


def _take_trace(trace: Any, manifest: Any, buffers: Sequence[Any]) -> None:
    """Writes the trace's file, and notes what it is to be read with."""
    place = next((i for i, a in enumerate(manifest.arguments) if a.direction == "trace"), None)
    if place is not None:
        trace.write_trace(np.frombuffer(bytes(buffers[place].view), dtype=np.uint32))
        trace.physical_mlir_path = os.path.join(os.path.dirname(manifest.path), "input_with_addresses.mlir")


def run_module(text: str, kernels: Sequence[Any], tensors: list[Any]) -> Any:
    """As `run_design`, for the older decorator."""
    return _run(build_module(text, kernels), tensors, [f"argument {i}" for i in range(len(tensors))], {})


def run_files(xclbin_path: Any, insts_path: Any, tensors: list[Any]) -> Any:
    """Runs an XCLBIN and its instructions with tensors in the order of the sequence's arguments.

    With its manifest, if there is one beside it, on the NPU or the emulated one; else on the emulated one.

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
    """The file with a design's instructions for XRT's ELF loader; "" when the build made none."""
    with open(manifest.path, encoding="utf-8") as stream:
        said = json.load(stream)["files"].get("elf")
    return os.path.join(os.path.dirname(manifest.path), said["path"]) if said else ""


def _is_one_of(given: str, files: Sequence[str]) -> bool:
    return os.path.exists(given) and any(
        os.path.exists(file) and os.path.samefile(given, file) for file in files
    )


def _run_bare(xclbin: str, insts: str, tensors: list[Any]) -> KernelResult:
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
    """Raises RuntimeError when a tensor has not the argument's size; warns when one of them holds fractions
    and the other signed integers: the kernel would read the bytes as something else.
    """
    expected = int(np.prod(argument.shape))
    if array.nbytes != argument.nbytes:
        if array.size != expected:
            raise RuntimeError(
                f"tensor '{name}' has {array.size} elements, and the design was built for {expected}: give "
                "a tensor of that size, or build the design for this one.\n"
                f"compile-time values: {values}"
            )
        raise RuntimeError(
            f"tensor '{name}' is of {array.dtype} ({array.nbytes} bytes), and the design was built for "
            f"{argument.element} ({argument.nbytes} bytes)."
        )
    kinds = {"f" if kind == "V" else kind for kind in (array.dtype.kind, argument.dtype.kind)}  # V: bfloat16
    if kinds == {"f", "i"} and (name, argument.element) not in _PRINTED:
        _PRINTED.add((name, argument.element))
        print(
            f"warning: tensor '{name}' is of {array.dtype}, "
            f"and the kernel takes its bytes for {argument.element}",
            file=sys.stderr,
        )


def _run(
    manifest_path: str, tensors: list[Any], names: Sequence[str], values: dict[str, Any], trace: Any = None,
    larger: bool = False,
) -> KernelResult:  # fmt: skip
    """Runs a built design. `larger`: tensors may be larger than its arguments, as a buffer of XRT may."""
    from npuninja.device.choice import choose
    from npuninja.device.manifest import read_manifest
    from npuninja.device.program import program_of

    manifest = read_manifest(manifest_path)
    arrays = [_array_of(tensor) for tensor in tensors]
    _must_be_all(manifest, arrays, names, trace)
    for name, array, argument in zip(names, arrays, manifest.arguments):
        if not (larger and array.nbytes > argument.nbytes):
            _check_tensor(name, array, argument, values)
    choice = choose(manifest, "auto", None)
    if manifest.path not in _PRINTED:
        _PRINTED.add(manifest.path)
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


def _must_be_all(manifest: Any, arrays: Sequence[Any], names: Sequence[str], trace: Any) -> None:
    """Raises RuntimeError unless each argument that the instructions use, but a trace's, has a tensor."""
    from npuninja.device.bare_run import arguments_used

    arguments = manifest.arguments
    used = arguments_used(manifest.insts) if len(arrays) < len(arguments) else len(arrays)
    while trace is not None and used > len(arrays) and arguments[used - 1].direction == "trace":
        used -= 1  # the trace's buffer is not the caller's
    if used <= len(arrays) <= len(arguments):
        return
    lacking = ", ".join(names[len(arrays) : len(arguments)])
    if not lacking and [a.direction for a in arguments[len(arrays) :]] == ["trace"]:
        lacking = "the buffer of its trace, which trace_config=TraceConfig(trace_size=...) of @iron.jit gives"
    raise RuntimeError(
        f"the design has {len(arguments)} argument(s), but {len(arrays)} tensor(s) were given"
        f"{f'; missing: {lacking}' if lacking else ''}"
    )
