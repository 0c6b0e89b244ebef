"""The host's side of autumn 2025 (`aie.utils.xrt`): an application's set-up, its buffers, its run."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from npuninja.python_designs.host.trace_files import write_out_trace


class AIE_Buffer:
    """A buffer of the host for one argument."""

    def __init__(self, application: Any, dtype: Any, shape: Any, group_id: int) -> None:
        self.array = np.zeros(shape, dtype)
        self.shape, self.dtype = shape, dtype
        application.buffers[group_id] = self

    def write(self, values: Any, offset: int = 0) -> None:
        """Copies values in."""
        self.array.reshape(-1)[:] = np.asarray(values).reshape(-1)

    def read(self) -> Any:
        """The values."""
        return self.array.copy()


class AIE_Application_Error(Exception):
    """A design cannot be set up."""


class AIE_Application:
    """An XCLBIN with its instructions and buffers."""

    def __init__(self, xclbin_path: str, insts_path: str, kernel_name: str = "MLIR_AIE") -> None:
        self.xclbin_path, self.insts_path = xclbin_path, insts_path
        self.buffers: dict[int, AIE_Buffer] = {}

    def register_buffer(self, group_id: int, dtype: Any = np.uint8, shape: Any = 1, **_: Any) -> None:
        """Makes the buffer of an argument; arguments count from 3."""
        AIE_Buffer(self, dtype, shape, group_id)

    def run(self) -> None:
        """Runs the design on its buffers."""
        from npuninja.python_designs.host.launching import run_files

        run_files(self.xclbin_path, self.insts_path, [self.buffers[i].array for i in sorted(self.buffers)])


def setup_aie(
    xclbin_path: str,
    insts_path: str,
    in_0_shape: Any,
    in_0_dtype: Any,
    in_1_shape: Any,
    in_1_dtype: Any,
    out_buf_shape: Any,
    out_buf_dtype: Any,
    enable_trace: bool = False,
    kernel_name: str = "MLIR_AIE",
    trace_size: int = 16384,
    verbosity: int = 0,
    trace_after_output: bool = False,
    **_: Any,
) -> AIE_Application:
    """An application with inputs, output, and a trace buffer if one is wanted."""
    made = AIE_Application(xclbin_path, insts_path, kernel_name)
    position = 3
    for shape, dtype in ((in_0_shape, in_0_dtype), (in_1_shape, in_1_dtype), (out_buf_shape, out_buf_dtype)):
        if shape is not None and dtype is not None:
            made.register_buffer(position, dtype, shape)
            position += 1
    if enable_trace:
        made.register_buffer(7, np.uint8, (trace_size,))
    return made


def execute(
    app: AIE_Application, ins_0: Any = None, ins_1: Any = None, enable_trace: bool = False, **_: Any
) -> Any:
    """Writes the inputs, runs, and gives the output."""
    last = 3
    for values in (ins_0, ins_1):
        if values is not None:
            app.buffers[last].write(values)
            last += 1
    app.run()
    output = app.buffers[last].read()
    return (output, app.buffers[7].read()) if enable_trace else output


def setup_and_run_aie(
    in1_dtype: Any,
    in2_dtype: Any,
    out_dtype: Any,
    in1_data: Any,
    in2_data: Any,
    out_data: Any,
    in1_volume: Any,
    in2_volume: Any,
    out_volume: Any,
    ref: Any,
    opts: Any,
    trace_after_output: bool = False,
) -> int:
    """Runs a design with one or two inputs and one output, and compares: 0 when the output is `ref`, else 1.

    Args:
        opts: the command line's `xclbin`, `instr`, `trace_size` (bytes), `trace_file`, `verify`, `verbosity`.
        trace_after_output: whether the trace comes after the output, in one buffer.
    """
    traced = opts.trace_size > 0
    out_bytes = int(out_volume) * np.dtype(out_dtype).itemsize
    behind = traced and trace_after_output
    app = setup_aie(
        opts.xclbin, opts.instr, in1_volume, in1_dtype, in2_volume, in2_dtype,
        (out_bytes + opts.trace_size,) if behind else out_volume, np.uint8 if behind else out_dtype,
        enable_trace=traced and not behind, trace_size=opts.trace_size,
    )  # fmt: skip
    began = time.time_ns()
    given = execute(app, in1_data, in2_data, traced and not behind)
    print("npu_time: ", time.time_ns() - began)
    output, trace = given if traced and not behind else (given, given)
    raw = np.asarray(output).reshape(-1).view(np.uint8)
    if traced:
        words = raw[out_bytes:] if behind else np.asarray(trace)
        write_out_trace(words.view(np.uint32), str(opts.trace_file))
    wrong = 0
    if opts.verify:
        equal = np.equal(ref, raw[:out_bytes].view(out_dtype))
        wrong = int(np.size(equal) - np.count_nonzero(equal))
    print(f"\nError count:  {wrong}\n\nFailed.\n" if wrong else "\nPASS!\n")
    return 1 if wrong else 0


def read_insts_sequence(insts_path: str) -> Any:
    """The words of a text with one hexadecimal number a line."""
    with open(insts_path, encoding="utf-8") as stream:
        return np.array([int(word, 16) for word in stream.read().split()], dtype=np.uint32)


def read_insts_binary(insts_path: str) -> Any:
    """The words of a file of instructions."""
    return np.fromfile(insts_path, dtype="<u4")


def read_insts(insts_path: str) -> Any:
    """The words of a file of instructions, by its suffix. Raises ValueError for others than .bin and .txt."""
    suffix = os.path.splitext(insts_path)[1].lower()
    if suffix not in (".bin", ".txt"):
        raise ValueError(f"instructions are read from a .bin or a .txt, not from {insts_path}")
    return read_insts_binary(insts_path) if suffix == ".bin" else read_insts_sequence(insts_path)


def init_xrt_load_kernel(opts: Any) -> tuple[Any, Any]:
    """Device and kernel of XRT's own Python module, for hosts that make their buffers by it.

    Args:
        opts: `xclbin` and `kernel`, a part of its name.

    Raises:
        ImportError: there is no pyxrt. On a machine without an NPU, `npuninja emu` gives it the emulated one.
    """
    try:
        import pyxrt  # type: ignore[import-not-found]
    except ImportError as error:
        raise ImportError("init_xrt_load_kernel needs pyxrt (npuninja tools install xrt)") from error
    device, xclbin = pyxrt.device(0), pyxrt.xclbin(opts.xclbin)
    names = [kernel.get_name() for kernel in xclbin.get_kernels() if opts.kernel in kernel.get_name()]
    if not names:
        raise AIE_Application_Error(f"Kernel '{opts.kernel}' not found in '{opts.xclbin}'")
    device.register_xclbin(xclbin)
    context = pyxrt.hw_context(device, xclbin.get_uuid())
    return device, pyxrt.kernel(context, names[0])
