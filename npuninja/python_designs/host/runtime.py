"""Kernels on a device (`aie.utils`): `NPUKernel`, `DefaultNPURuntime`, and what they are given about traces."""

from __future__ import annotations

from typing import Any

import numpy as np

from npuninja.python_designs.host.devices import get_current_device
from npuninja.python_designs.host.tensors import NpuTensor


class HostRuntimeError(RuntimeError):
    """A kernel cannot be loaded or run."""


class TraceConfig:
    """Where a trace goes."""

    def __init__(
        self,
        trace_size: int,
        trace_file: str = "trace.txt",
        reuse_output_buffer: bool = False,
        enable_ctrl_pkts: bool = False,
        last_tensor_shape: Any = None,
        last_tensor_dtype: Any = None,
        **_: Any,
    ) -> None:
        if trace_size <= 0:
            raise ValueError(f"trace_size must be positive, got {trace_size}")
        self.trace_size = trace_size
        self.trace_file = trace_file
        self.reuse_output_buffer = reuse_output_buffer
        self.enable_ctrl_pkts = enable_ctrl_pkts
        self.last_tensor_shape = last_tensor_shape
        self.last_tensor_dtype = last_tensor_dtype
        self.physical_mlir_path: str | None = None

    def write_trace(self, words: Any) -> None:
        """One word of eight digits a line, without the zeros at the end."""
        values = np.trim_zeros(np.asarray(words).view(np.uint32).reshape(-1), "b")
        with open(self.trace_file, "w", encoding="utf-8") as stream:
            stream.writelines(f"{int(v):08x}\n" for v in values)

    def read_trace(self) -> Any:
        """The words of the file."""
        with open(self.trace_file, encoding="utf-8") as stream:
            return np.array([int(line, 16) for line in stream if line.strip()], dtype=np.uint32)


class NPUKernel:
    """An XCLBIN and its instructions."""

    def __init__(
        self,
        xclbin_path: Any = None,
        insts_path: Any = None,
        device_index: int = 0,
        kernel_name: str = "MLIR_AIE",
        trace_config: Any = None,
        num_host_bos: int | None = None,
        elf_path: Any = None,
        **_: Any,
    ) -> None:
        self.xclbin_path, self.insts_path = xclbin_path, insts_path
        self.kernel_name, self.trace_config = kernel_name, trace_config

    def __call__(self, *tensors: Any) -> Any:
        """Runs it."""
        return HostRuntime().load_and_run(self, list(tensors))


class HostRuntime:
    """Runs kernels on the NPU, or on the emulated one."""

    def load(self, kernel: NPUKernel) -> Any:
        """Gets a kernel ready."""
        return kernel

    def run(self, handle: Any, tensors: list[Any]) -> Any:
        """Runs a kernel with tensors in the order of its arguments."""
        from npuninja.python_designs.host.building import run_files

        return run_files(handle.xclbin_path, handle.insts_path, tensors)

    def load_and_run(self, kernel: NPUKernel, tensors: list[Any]) -> Any:
        """(kernel, result)."""
        return kernel, self.run(self.load(kernel), tensors)

    def run_test(
        self, kernel: Any, io_args: list[Any], ref: dict[int, Any], verify: bool = True, verbosity: int = 0
    ) -> int:
        """0 when the tensors with a reference equal it."""
        self.load_and_run(kernel, io_args)
        if not verify:
            return 0
        for index, expected in ref.items():
            actual = np.asarray(io_args[index])
            if not np.array_equal(actual.reshape(-1), np.asarray(expected).reshape(-1)):
                print(f"FAIL! argument {index} differs from the reference")
                return 1
        return 0

    @classmethod
    def prepare_args_for_trace(cls, args: list[Any], trace_config: TraceConfig) -> list[Any]:
        """The tensors with room for a trace: behind them, or at the end of the last one."""
        if not trace_config.reuse_output_buffer:
            return [*args, NpuTensor((trace_config.trace_size,), np.uint8)]
        used = args[-1].nbytes if args else 0
        return [*args[:-1], NpuTensor((used + trace_config.trace_size,), np.uint8)]

    def device(self) -> Any:
        """The device."""
        return get_current_device()


DefaultNPURuntime = HostRuntime()
DEFAULT_TENSOR_CLASS = NpuTensor


def has_xrt() -> bool:
    """Whether pyxrt can be imported."""
    import importlib.util

    return importlib.util.find_spec("pyxrt") is not None


def has_hrx() -> bool:
    """Whether there is an HRX runtime: not here."""
    return False


def cleanup_npu_runtime() -> None:
    """Nothing is kept between runs."""


def npu_runtime_folds_ddr_addr_offset() -> bool:
    """Whether addresses of host buffers are folded into the instructions."""
    return False
