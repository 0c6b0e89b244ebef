"""Kernels on a device (`aie.utils`): `NPUKernel`, `DefaultNPURuntime`, and their settings for traces."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from typing import Any

import numpy as np

from npuninja.arch.devices import DEVICES
from npuninja.arch.families import DEFAULT
from npuninja.python_designs import running
from npuninja.python_designs.construct.generation import SECOND, generation
from npuninja.python_designs.host.checks import bfloat16_safe_allclose
from npuninja.python_designs.host.tensors import NpuTensor
from npuninja.python_designs.iron.current_device import get_current_device


class HostRuntimeError(RuntimeError):
    """A kernel cannot be loaded or run."""


class TraceConfig:
    """Where a trace goes: into a buffer of its own after the others, or after the result in the last one.

    Args:
        trace_size: bytes.
        trace_file: where `write_trace` writes.
        reuse_output_buffer: whether it comes after the result.
        enable_ctrl_pkts: whether the state of the trace units is read by control packets as well.
        last_tensor_shape, last_tensor_dtype: of the result, when the trace comes after it.
        ddr_id: of spring 2026: the trace's place among the arguments, -1 for after the result.

    Raises:
        ValueError: the size is not positive.
    """

    DEFAULT_TRACE_FILE = "trace.txt"
    DEFAULT_TRACE_BUFFER_INDEX = 4

    def __init__(
        self,
        trace_size: int,
        trace_file: str = DEFAULT_TRACE_FILE,
        reuse_output_buffer: bool = False,
        enable_ctrl_pkts: bool = False,
        last_tensor_shape: Any = None,
        last_tensor_dtype: Any = None,
        ddr_id: int | None = None,
    ) -> None:
        if trace_size <= 0:
            raise ValueError(f"a trace needs 1 byte or more (trace_size={trace_size})")
        self.trace_size = trace_size
        self.trace_file = trace_file
        if not isinstance(reuse_output_buffer, bool):  # spring 2026: the third argument is `ddr_id`
            reuse_output_buffer, ddr_id = False, reuse_output_buffer
        self.reuse_output_buffer = reuse_output_buffer or ddr_id == -1
        self.ddr_id = -1 if self.reuse_output_buffer else self.DEFAULT_TRACE_BUFFER_INDEX
        self.ddr_id = self.ddr_id if ddr_id is None else ddr_id
        self.enable_ctrl_pkts = enable_ctrl_pkts
        self.last_tensor_shape = last_tensor_shape
        self.last_tensor_dtype = last_tensor_dtype
        #: The lowered design in the build's folder, after the run; `trace_to_json` reads the trace with it.
        self.physical_mlir_path: str | None = None

    def write_trace(self, words: Any) -> None:
        """One word of eight digits a line, without the zeros at the end."""
        values = np.trim_zeros(np.asarray(words).view(np.uint32).reshape(-1), "b")
        with open(self.trace_file, "w", encoding="utf-8") as stream:
            stream.writelines(f"{int(v):08x}\n" for v in values)

    def trace_to_json(self, mlir_file: Any, output_name: str = "trace.json") -> None:
        """The trace's file for Perfetto, in JSON, as `npuninja trace` writes it.

        Args:
            mlir_file: the lowered design in the folder of its build (`physical_mlir_path`).
            output_name: the file that is written.

        Raises:
            RuntimeError: there is no built design beside `mlir_file`, or the trace cannot be read.
        """
        folder = os.path.dirname(os.path.abspath(str(mlir_file)))
        manifest = os.path.join(folder, f"{os.path.basename(folder)}.json")
        if not os.path.isfile(manifest):
            raise RuntimeError(f"{mlir_file} does not lie beside a design that npuninja has built")
        command = [sys.executable, "-m", "npuninja", "trace", "--run", manifest, "--buffer", self.trace_file]
        done = subprocess.run([*command, "-o", output_name], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip() or f"{self.trace_file} cannot be read")

    def read_trace(self) -> Any:
        """The words of the file, with zeros up to the size of the buffer."""
        with open(self.trace_file, encoding="utf-8") as stream:
            words = np.array([int(line, 16) for line in stream if line.strip()], dtype=np.uint32)
        return np.pad(words, (0, max(self.trace_size // 4 - len(words), 0)))


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
        """Loads the kernel and runs it on tensors."""
        return HostRuntime().load_and_run(self, list(tensors))


class HostRuntime:
    """Runs kernels on the NPU, or on the emulated one."""

    def load(self, npu_kernel: NPUKernel, **_: Any) -> Any:
        """Gets a kernel ready."""
        return npu_kernel

    def run(self, kernel_handle: Any, args: list[Any], trace_config: Any = None, **_: Any) -> Any:
        """Runs a kernel with tensors in the order of its arguments."""
        from npuninja.python_designs.host.launching import run_files

        return run_files(kernel_handle.xclbin_path, kernel_handle.insts_path, list(args))

    def load_and_run(self, npu_kernel: NPUKernel, run_args: list[Any], **_: Any) -> Any:
        """(kernel, result). A kernel with a `trace_config` gets room for its trace, which goes to a file."""
        handle, config = self.load(npu_kernel), npu_kernel.trace_config
        if config is None:
            return handle, self.run(handle, run_args)
        if config.reuse_output_buffer and run_args:
            config.last_tensor_shape, config.last_tensor_dtype = run_args[-1].shape, run_args[-1].dtype
        self.prepare_args_for_trace(run_args, config)
        outcome = self.run(handle, run_args, trace_config=config)
        self.process_trace(*self.extract_trace_from_args(run_args, config), config)
        return handle, outcome

    def run_test(
        self, npu_kernel: Any, io_args: Any, ref: dict[int, Any], verify: bool = True, verbosity: int = 0
    ) -> int:
        """0 when each tensor with a reference is close to it, as `numpy.allclose` is; 1 when not."""
        tensors = io_args if isinstance(io_args, list) else [io_args] if io_args is not None else []
        self.load_and_run(npu_kernel, tensors)
        wrong = self.verify_results(tensors, ref, verbosity) if verify else 0
        if wrong:
            print(f"FAIL! {wrong} of {len(ref)} argument(s) differ from the reference", file=sys.stderr)
        return int(wrong > 0)

    @classmethod
    def verify_results(
        cls, io_args: list[Any], refs: dict[int, Any] | None = None, verbosity: int = 0
    ) -> int:
        """How many tensors are not close to their reference. HostRuntimeError when one is missing."""
        wrong = 0
        for index, expected in (refs or {}).items():
            if index >= len(io_args):
                raise HostRuntimeError(
                    f"there is a reference for tensor {index}, and there are {len(io_args)} tensors"
                )
            actual, wanted = np.asarray(io_args[index]), np.asarray(expected)
            wrong += not bfloat16_safe_allclose(wanted.dtype, wanted.reshape(-1), actual.reshape(-1))
        return wrong

    @classmethod
    def prepare_args_for_trace(cls, args: list[Any], trace_config: TraceConfig) -> list[Any]:
        """Gives tensors room for a trace, after them or at the end of the last; the list itself changes.

        Raises:
            HostRuntimeError: control packets are wanted, which the emulated tiles do not answer.
        """
        if trace_config.enable_ctrl_pkts:
            raise HostRuntimeError("enable_ctrl_pkts is not offered (docs/python-designs.md)")
        if trace_config.reuse_output_buffer:
            used = args[-1].nbytes if args else 0
            args[len(args) - 1 if args else 0 :] = [NpuTensor((used + trace_config.trace_size,), np.uint8)]
            return args
        if generation() == SECOND:  # its trace is always the fifth argument
            args += [NpuTensor((1,), np.uint32) for _ in range(trace_config.ddr_id - len(args))]
        args.append(NpuTensor((trace_config.trace_size,), np.uint8))
        return args

    @classmethod
    def extract_trace_from_args(cls, args: list[Any], trace_config: TraceConfig) -> tuple[Any, Any]:
        """(words of the trace, None). If it stood after the result, the last tensor is the result again."""
        raw = np.asarray(args[-1]).reshape(-1).view(np.uint8)
        if trace_config.reuse_output_buffer:
            shape, dtype = trace_config.last_tensor_shape, np.dtype(trace_config.last_tensor_dtype)
            split = int(np.prod(shape)) * dtype.itemsize
            args[-1], raw = raw[:split].view(dtype).reshape(shape).copy(), raw[split:].copy()
        return raw[: trace_config.trace_size // 4 * 4].view(np.uint32), None

    @classmethod
    def process_trace(
        cls, trace_buffer: Any, ctrl_buffer: Any, trace_config: TraceConfig, verbosity: int = 0
    ) -> None:
        """Writes the trace's file."""
        trace_config.write_trace(trace_buffer)

    @classmethod
    def read_insts(cls, insts_path: Any) -> Any:
        """The words of an instruction file. Raises HostRuntimeError when its name does not end in .bin."""
        if os.path.splitext(str(insts_path))[1].lower() != ".bin":
            raise HostRuntimeError(f"{insts_path}: instructions are read from a .bin file")
        return cls.read_insts_binary(insts_path)

    @classmethod
    def read_insts_binary(cls, insts_path: Any) -> Any:
        """The words of an instruction file."""
        return np.fromfile(str(insts_path), dtype=np.uint32)

    def device(self) -> Any:
        """The current device of designs."""
        return get_current_device()

    @property
    def npu_str(self) -> str:
        """The NPU's family: `npu1` or `npu2`."""
        return DEVICES[running.DEVICE or DEFAULT].family.name

    def cleanup(self) -> None:
        """Nothing is kept between runs."""


DefaultNPURuntime = HostRuntime()


def default_runtime() -> HostRuntime:
    """The runtime that `DefaultNPURuntime` is."""
    return DefaultNPURuntime


DEFAULT_TENSOR_CLASS = NpuTensor


def __getattr__(name: str) -> bool:
    """`has_xrt`: whether pyxrt can be imported; `has_hrx`: an HRX runtime, which npuninja does not have."""
    if name == "has_xrt":
        return importlib.util.find_spec("pyxrt") is not None
    if name == "has_hrx":
        return False
    raise AttributeError(name)


def cleanup_npu_runtime() -> None:
    """Nothing is kept between runs."""


def npu_runtime_folds_ddr_addr_offset() -> bool:
    """Whether addresses of host buffers are folded into the instructions."""
    return False
