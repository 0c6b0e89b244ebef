"""A host's test of a convolution against PyTorch, and files of such tests (`aie.utils.ml`)."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from npuninja.python_designs.host.shaping import DataShaper


class CSVLoggerError(Exception):
    """Columns are given to a log that has some."""


class CSVLogger:
    """A file of rows with named columns; rows are added to a file that is there."""

    def __init__(self, filename: Any, sep: str = ",") -> None:
        self.filename, self._separator = str(filename), sep
        self.columns: list[str] | None = None
        if os.path.exists(self.filename):
            with open(self.filename, newline="", encoding="utf-8") as stream:
                self.columns = next(csv.reader(stream, delimiter=sep), None)
        self.fh = open(self.filename, "a", newline="", encoding="utf-8")  # noqa: SIM115 - closed by close()

    def set_columns(self, columns: Sequence[str]) -> None:
        """Names the columns, and writes them as the first row at the first `append`."""
        if self.columns:
            raise CSVLoggerError("the columns of this file are set: append rows, or begin another file")
        self.columns = list(columns)
        self._write(self.columns)

    def append(self, row: Mapping[str, Any]) -> None:
        """Adds a row; what it lacks is `-`."""
        if self.columns is None:
            self.set_columns(list(row))
        assert self.columns is not None
        self._write([row.get(column, "-") for column in self.columns])

    def close(self) -> None:
        """Closes the log's file."""
        self.fh.close()

    def __enter__(self) -> CSVLogger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, cells: Sequence[Any]) -> None:
        csv.writer(self.fh, delimiter=self._separator).writerow(cells)
        self.fh.flush()


def load_class_label(class_label_file: str, num_classes: int) -> list[Any]:
    """The labels 0 to `num_classes` - 1 of a JSON file whose keys are their numbers."""
    with open(class_label_file, encoding="utf-8") as stream:
        labels = json.load(stream)
    return [labels[str(number)] for number in range(num_classes)]


def run_conv_torch_test(
    *,
    xclbin_path: str,
    insts_path: str,
    golden_model: Any,
    int_inp: Any,
    int_weights: Sequence[Any],
    out_shape_in_layout: Sequence[int],
    out_shape_final: Sequence[int],
    out_scale: float,
    atol: float,
    kernel_name: str | None = None,
    in_layout: tuple[str, str] = ("YCXC8", "CYX"),
    wts_layout: tuple[str, str] = ("OIYXI8O8", "OIYX"),
    out_reorder: tuple[str, str] = ("CDYX", "YCXD"),
    dtype_in: Any = np.int8,
    dtype_wts: Any = np.int8,
    dtype_out: Any = np.int8,
    trace_size: int = 0,
    trace_file: str | None = None,
    log_dir: str | None = None,
) -> bool:
    """Runs a convolution that is built, and compares it with a model of PyTorch.

    Input and weights get the kernels' layouts, all weights after each other as one tensor; the result is put
    back into PyTorch's layout, scaled, and compared with what the model gives. Prints PASS! or Failed.

    Args:
        golden_model: a `torch.nn.Module` with its weights.
        int_inp: a tensor of shape (1, channels, rows, columns) with whole numbers.
        int_weights: one tensor for each convolution.
        out_shape_in_layout: of the result as it comes from the device.
        out_shape_final: of the result in PyTorch's order, without the batch.
        out_scale: what the result is multiplied by.
        atol: how far apart results may be.
        in_layout, wts_layout, out_reorder: arguments of `DataShaper.reorder_mat`.
        trace_size: bytes of trace, written to `trace_file`; 0 without.
        log_dir: where the tensors are written as text, for people.
    """
    from npuninja.python_designs.host.runtime import DefaultNPURuntime, NPUKernel
    from npuninja.python_designs.host.tensors import tensor, zeros

    trace = _trace_config(trace_size, trace_file)
    golden_model.eval()
    expected = golden_model(int_inp).detach().numpy()
    shaper = DataShaper()
    before = int_inp.squeeze().data.numpy().astype(dtype_in)
    given = shaper.reorder_mat(before, *in_layout)
    weights = np.concatenate(
        [shaper.reorder_mat(w.data.numpy().astype(dtype_wts), *wts_layout) for w in int_weights], axis=None
    )
    result = zeros(int(np.prod(out_shape_in_layout)), dtype=dtype_out)
    buffers = [tensor(given, dtype=dtype_in), tensor(weights, dtype=dtype_wts), result]
    kernel = NPUKernel(xclbin_path, insts_path, kernel_name=kernel_name or "MLIR_AIE", trace_config=trace)
    _, outcome = DefaultNPURuntime.load_and_run(kernel, buffers)
    scaled = (np.asarray(buffers[-1]) * out_scale).reshape(out_shape_in_layout)
    found = shaper.reorder_mat(scaled, *out_reorder).reshape(out_shape_final)
    _log(log_dir, before_ifm=before, after_ifm=given, weights=weights, after_ofm=found)
    print(f"\nAvg NPU time: {int(outcome.npu_time / 1000)}us.")
    return _is_right(found[None], expected, atol)


def _is_right(found: Any, expected: Any, atol: float) -> bool:
    right = bool(np.allclose(found, expected, rtol=0, atol=atol))
    print("\nPASS!\n" if right else "\nFailed.\n")
    return right


def _trace_config(size: int, file: str | None) -> Any:
    from npuninja.python_designs.host.runtime import TraceConfig

    if size <= 0:
        return None
    if file is None:
        raise ValueError("a trace (trace_size) is written to a file: give trace_file")
    return TraceConfig(size, str(file), reuse_output_buffer=True)


def _log(folder: str | None, **arrays: Any) -> None:
    if folder is None:
        return
    os.makedirs(folder, exist_ok=True)
    for name, values in arrays.items():
        values.tofile(os.path.join(folder, f"{name}.txt"), sep=",", format="%d")
