"""The host's side of autumn 2025 (`aie.utils.xrt`): set up an application, write and read its buffers, run it."""

from __future__ import annotations

from typing import Any

import numpy as np

from npuninja.python_designs.host.trace_files import extract_trace, write_out_trace


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
        from npuninja.python_designs.host.building import run_files

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


NAMES: dict[str, Any] = {
    "AIE_Buffer": AIE_Buffer,
    "AIE_Application": AIE_Application,
    "setup_aie": setup_aie,
    "execute": execute,
    "extract_trace": extract_trace,
    "write_out_trace": write_out_trace,
}
