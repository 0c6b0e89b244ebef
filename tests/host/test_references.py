"""The shipped kernels against the shipped references, one element at a time, without an array."""

import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import wasmtime
from wasm_build import ZIG, WasmBuild

from npuninja.plan.designs import find_designs
from npuninja.stages import _wasm_flags
from npuninja.stages._tool import run_tool

ROOT = Path(__file__).resolve().parents[2]
DESIGNS = ("memtile_distribute_join", "passthrough", "pipeline", "self_test", "vector_add", "vector_scale")
WINDOW = 0x70400  # where the first buffer lies; any address would do


def reference(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "host" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def argument(name, direction, shape, dtype):
    is_input, is_output = direction in ("in", "inout"), direction in ("out", "inout")
    return SimpleNamespace(
        name=name,
        direction=direction,
        shape=shape,
        dtype=np.dtype(dtype),
        is_input=is_input,
        is_output=is_output,
    )


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """A kernel as a Python function: buffers (arrays) and numbers in, the buffers after the call out."""
    build = WasmBuild(tmp_path_factory.mktemp("kernels"), tmp_path_factory.mktemp("cache"))

    def load(folder, name):
        source = ROOT / "kernels" / folder / f"{name}.c"
        target = build.kernel(source.name, source.read_text())
        module = target.with_suffix(".wasm")
        flags = _wasm_flags.link_flags(name, WINDOW, 1024)
        run_tool([ZIG, "wasm-ld", *flags, str(target), "-o", str(module)])
        store = wasmtime.Store()
        code = wasmtime.Module(store.engine, module.read_bytes())
        exports = wasmtime.Instance(store, code, []).exports(store)

        def call(*arguments):
            at, values, places = WINDOW, [], []
            for value in arguments:
                if isinstance(value, np.ndarray):
                    exports["memory"].write(store, value.tobytes(), at)
                    places.append((at, value))
                    values.append(at)
                    at += value.nbytes
                else:
                    values.append(value)
            exports[name](store, *values)
            return [
                np.frombuffer(
                    bytes(exports["memory"].read(store, at, at + array.nbytes)), array.dtype
                ).reshape(array.shape)
                for at, array in places
            ]

        return call

    return load


def data_of(module, *arguments):
    """The inputs, and the reference's results for them."""
    inputs = module.inputs(np.random.default_rng(7), list(arguments))
    return inputs, module.reference([array.copy() for array in inputs])


def test_passthrough(kernel):
    module = reference("passthrough")
    (data,), (expected,) = data_of(
        module, argument("a", "in", (4096,), "i1"), argument("b", "out", (4096,), "i1")
    )
    np.testing.assert_array_equal(
        kernel("passthrough", "passthrough")(data, np.zeros_like(data), 4096)[1], expected
    )


def test_self_test(kernel):
    (data,), (expected,) = data_of(reference("self_test"), argument("a", "in", (800,), "i1"))
    np.testing.assert_array_equal(
        kernel("self_test", "self_test")(data, np.full(80, -1, np.int8))[1], expected
    )


def test_vector_scale(kernel):
    (data,), (expected,) = data_of(reference("vector_scale"), argument("a", "in", (2048,), "i4"))
    scale = kernel("vector_scale", "vector_scale")
    halves = [
        scale(half, np.zeros_like(half), factor, 1024)[1] for half, factor in zip(np.split(data, 2), (3, -5))
    ]
    np.testing.assert_array_equal(np.concatenate(halves), expected)


def test_vector_add(kernel):
    arguments = [argument(name, "in", (1024,), "i4") for name in "ab"]
    (lhs, rhs), (expected,) = data_of(reference("vector_add"), *arguments)
    np.testing.assert_array_equal(
        kernel("vector_add", "vector_add")(lhs, rhs, np.zeros_like(lhs))[2], expected
    )


def test_pipeline(kernel):
    (data,), (expected,) = data_of(reference("pipeline"), argument("a", "in", (1024,), "i2"))
    assert -(2**15) in (data - np.int16(128))  # the value without a magnitude is among the data
    empty = np.zeros_like(data)
    centred = kernel("pipeline", "centre")(data, empty, 128, 1024)[1]
    magnitudes = kernel("pipeline", "magnitude")(centred, empty, 1024)[1]
    np.testing.assert_array_equal(kernel("pipeline", "clip")(magnitudes, empty, 1000, 1024)[1], expected)


def test_memtile_distribute_join(kernel):
    (data,), (expected,) = data_of(reference("memtile_distribute_join"), argument("a", "in", (4096,), "i2"))
    affine = kernel("memtile_distribute_join", "affine_i16")
    parts = [
        affine(part, np.zeros_like(part), *numbers, 1024)[1]
        for part, numbers in zip(np.split(data, 4), ((3, 1), (-1, 7), (3, 1), (-1, 7)))
    ]
    np.testing.assert_array_equal(np.concatenate(parts), expected)


#: Designs whose tests are elsewhere: tests/mel, tests/kernel_headers.
ELSEWHERE = ("mel", "gemm", "gelu", "softmax", "layer_norm")


def test_every_design_has_its_parts():
    others = [
        name for name in find_designs(str(ROOT))[0] if not name.startswith(ELSEWHERE)
    ]  # tests/mel is about those
    assert others == list(DESIGNS)
    for name in DESIGNS:
        objects = re.findall(r'link_with = "(\w+)\.o"', (ROOT / "mlir" / f"{name}.mlir").read_text())
        assert objects
        for wanted in objects:
            assert len(list((ROOT / "kernels").glob(f"*/{wanted}.c"))) == 1
        assert (ROOT / "kernels" / name / "README.md").exists()
        assert (ROOT / "host" / f"{name}.py").exists()
