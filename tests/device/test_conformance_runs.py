"""Designs of the conformance set on the emulated array, with kernels made for them, against NumPy.

The lowering is compared with the reference tools elsewhere; this shows that what it makes also computes: data
movement of every kind, locks, several cores, memory tiles, repeats, padding, run-time parameters.
"""

import re
from typing import Any, Callable, NamedTuple

import numpy as np
import pytest
from conftest import CONFORMANCE
from design_chain import Chain

from npuninja.device.api import Program
from npuninja.device.emulated import EmulatedDevice
from npuninja.device.manifest import read_manifest
from npuninja.device.output_comparison import poison
from npuninja.emulator.errors import Deadlock

Array = np.ndarray[Any, Any]


class Case(NamedTuple):
    """The kernels of a design (object name to C), and the outputs for its inputs, in the arguments' order."""

    kernels: dict[str, str]
    reference: Callable[..., tuple[Array, ...]]
    sequence: str = "sequence"


def each(name: str, element: str, count: int, expression: str) -> str:
    """C of a kernel that computes every element `out[i]` from `x = in[i]`."""
    loop = f"for (int i = 0; i < {count}; i++) {{ {element} x = in[i]; out[i] = {expression}; }}"
    return f"void {name}({element} *in, {element} *out) {{ {loop} }}\n"


def blocks(x: Array, size: int) -> Array:
    return x.reshape(-1, size)


BLUR = """
void blur2(int *a, int *b, int *out) { for (int i = 0; i < 64; i++) out[i] = a[i] + b[i]; }
void blur3(int *a, int *b, int *c, int *out) { for (int i = 0; i < 64; i++) out[i] = a[i] + 2 * b[i] + c[i]; }
"""


def blurred(x: Array) -> tuple[Array]:
    rows = blocks(x, 64)
    middle = rows[:-2] + 2 * rows[1:-1] + rows[2:]
    return (np.concatenate([rows[:1] + rows[1:2], middle, rows[-2:-1] + rows[-1:]]).reshape(-1),)


EDGE = """
void edge(short *in, short *out) {
    for (int i = 0; i < 32; i++) out[i] = 0;
    for (int r = 0; r < 8; r++)
        for (int c = 0; c < 16; c++) { out[r] += in[16 * r + c]; out[8 + c] += in[16 * r + c]; }
}
"""


MAC = """
void mac1(short *w, int *o) {
    static int calls;
    for (int i = 0; i < 8; i++) o[i] = (calls % 7 ? o[i] : 0) + w[4 * i] + w[4 * i + 1] + w[4 * i + 2] + w[4 * i + 3];
    calls++;
}
"""
HASH = """
void hash4(int *b, int *d) {
    for (int i = 0; i < 4; i++) d[i] = b[4 * i] ^ b[4 * i + 1] ^ b[4 * i + 2] ^ b[4 * i + 3];
}
"""
POLY = """
void poly(int *c, int *rtp, int *a, int *b) {
    for (int i = 0; i < 24; i++) b[i] = a[i] * c[0] + c[1] + rtp[0] + rtp[7];
}
"""
WINDOW = "void kx(short *a, short *b, short *o) { for (int i = 0; i < 64; i++) o[i] = a[i] ^ b[i]; }"
AGAIN = (
    "void again(short *in, short *out) { static int n; n++; for (int i = 0; i < 48; "
    "i++) out[i] = in[i] + n; }"
)
CLIP = (
    "void clip16(short *in, short *out) { for (int i = 0; i < 36; i++) out[i] = in[2 * i] - in[2 * i + 1]; }"
)
VSUM = "void vsum(int *a, int *b, int *c) { for (int i = 0; i < 40; i++) c[i] = a[i] + b[i]; }"
GAIN = "void gain_bytes(char *a, char *b, int g) { for (int i = 0; i < 96; i++) b[i] = a[i] * g; }"
SQUASH = """
void squash(int *in, int *out) {
    for (int i = 0; i < 25; i++) out[i] = in[4 * i] + in[4 * i + 1] + in[4 * i + 2] + in[4 * i + 3];
}
"""
TABLE = np.array([1, 2, 4, 8, 16, 32, 64, 128] + [-7] * 8, np.int32)


def repeated(x: Array) -> tuple[Array]:
    thrice = np.repeat(blocks(x, 48), 3, 0)
    return ((thrice + np.arange(1, 13, dtype=np.int16)[:, None]).reshape(-1),)


CASES: dict[str, Case] = {
    "bf16_three_four": Case(
        {"act_bf16.o": each("act_bf16", "unsigned short", 128, "x ^ 0x8000")},
        lambda x: (x ^ np.uint16(0x8000),),
        "run_act",
    ),
    "coeff_rtp": Case({"poly.o": POLY}, lambda x: (x * np.int32(3) - np.int32(1) + np.int32(50 - 3),)),
    "f32_depth_arrays": Case(
        {"accum.o": each("accum_f32", "float", 48, "x * 0.5f + 1.0f")},
        lambda x: (x * np.float32(0.5) + np.float32(1),),
    ),
    "fan_out_three_depths": Case({"fk.o": each("fk", "int", 36, "x * 5")}, lambda x: (x * np.int32(5),) * 3),
    "fan_out_two": Case({"fk.o": each("fk", "int", 36, "x - 9")}, lambda x: (x - np.int32(9),) * 2),
    "fifo_with_table": Case({"lut.o": each("lut", "int", 8, "x * 3")}, lambda: (TABLE * 3,)),
    "gain_bytes": Case({"gain.o": GAIN}, lambda x: (x * np.int8(3),)),
    "hand_pingpong": Case({"squash.o": SQUASH}, lambda x: (blocks(x, 4).sum(1, dtype=np.int32),), "go"),
    "inline_scale_npu2": Case({}, lambda x: (x * np.float32(0.5),)),
    "memtile_hop": Case({"inv.o": each("inv", "signed char", 128, "~x")}, lambda x: (~x,)),
    "memtile_join_two": Case(
        {"jn.o": each("jn", "int", 24, "x + 100")},
        lambda x, w: (np.stack([blocks(x, 24), blocks(w, 24)], 1).reshape(-1) + np.int32(100),),
    ),
    "memtile_repeat": Case({"again.o": AGAIN}, repeated),
    "memtile_resize": Case({"small.o": each("small", "int", 16, "x * 2")}, lambda x: (x * np.int32(2),)),
    "memtile_split_four": Case(
        {"qk.o": each("qk", "short", 32, "x + 1")},
        lambda x: tuple((x.reshape(-1, 4, 32)[:, i] + np.int16(1)).reshape(-1) for i in range(4)),
    ),
    "memtile_split_two": Case(
        {"pa.o": each("pa", "int", 40, "x + 1"), "pb.o": each("pb", "int", 24, "x - 1")},
        lambda x: (
            (blocks(x, 64)[:, :40] + np.int32(1)).reshape(-1),
            (blocks(x, 64)[:, 40:] - np.int32(1)).reshape(-1),
        ),
    ),
    "nested_two_levels": Case(
        {"mac.o": MAC}, lambda w: (w.reshape(3, 7, 8, 4).sum((1, 3), dtype=np.int32).reshape(-1),)
    ),
    "new_fan_out_dims": Case(
        {"w.o": each("w", "signed char", 64, "x ^ 1")},
        lambda x: (x.reshape(-1, 4, 4, 4).transpose(0, 2, 1, 3).reshape(-1) ^ np.int8(1), x ^ np.int8(1)),
    ),
    "new_memtile_both": Case({"h.o": each("h", "short", 32, "x * 7")}, lambda x: (x * np.int16(7),)),
    "new_plain_fifo": Case({"cube.o": each("cube", "int", 44, "x * x * x")}, lambda x: (x * x * x,)),
    "quad_block": Case(
        {"qa.o": each("qa", "int", 40, "x + 1"), "qb.o": each("qb", "int", 40, "x * 3")},
        lambda x: (((x + np.int32(1)) * np.int32(3) + np.int32(1)) * np.int32(3),),
    ),
    "short_trips": Case(
        {"hash4.o": HASH}, lambda x: (np.bitwise_xor.reduce(x.reshape(8, 4, 4), 2)[[3, 5, 7]].reshape(-1),)
    ),
    "single_slot_i16": Case({"clip16.o": CLIP}, lambda x: (x[0::2] - x[1::2],)),
    "sum_two_in": Case({"vsum.o": VSUM}, lambda x, z: (x + z,)),
    "three_stage_down": Case(
        {f"s{i}.o": each(f"s{i}", "int", 40, text) for i, text in ((1, "x + 1"), (2, "x * 3"), (3, "~x"))},
        lambda x: (~((x + np.int32(1)) * np.int32(3)),),
    ),
    "tile_from_stream": Case(
        {"blk.o": each("blk", "short", 256, "x")},
        lambda x: (x.reshape(-1, 4, 16, 4).transpose(0, 2, 1, 3).reshape(-1),),
    ),
    "transpose_small": Case(
        {"keep.o": each("keep", "int", 96, "x")},
        lambda x: (x.reshape(10, 8, 12).transpose(0, 2, 1).reshape(-1),),
    ),
    "vertical_shared": Case(
        {"first.o": each("first", "short", 56, "x + 5"), "second.o": each("second", "short", 56, "x * 9")},
        lambda x: ((x + np.int16(5)) * np.int16(9),),
    ),
    "vertical_via_dma": Case(
        {"first.o": each("first", "short", 56, "x + 5"), "second.o": each("second", "short", 56, "x * 9")},
        lambda x: ((x + np.int16(5)) * np.int16(9),),
    ),
    "window_three": Case({"blur.o": BLUR}, blurred),
}

# Designs that the reference tools accept and that hang on hardware, with what is wrong in them.
HANGING: dict[str, Case] = {
    # The core takes one element more than it gives back in every third trip; the lowering warns of it.
    "new_core_link_with": Case({"kx.o": WINDOW, "ky.o": each("ky", "short", 64, "x + 1")}, tuple),
    # The input's descriptor has an outermost dimension of 2, but the task has no repeat_count = 1.
    "new_tasks": Case({"tk.o": each("tk", "int", 32, "x * 2")}, tuple),
    # The memory tile waits for 128 elements where the host sends 72: in 2025 a link moved the larger fifo's
    # elements.
    "pad_border": Case({"edge.o": EDGE}, tuple),
}


def data_for(argument, rng):
    """Numbers over the whole range of an integer type, small ones for floats."""
    if argument.dtype.kind == "f":
        return rng.standard_normal(argument.shape).astype(argument.dtype)
    limits = np.iinfo(argument.dtype)
    return rng.integers(limits.min, limits.max, argument.shape, argument.dtype, endpoint=True)


class Loaded:
    """A design of the set on the emulated array."""

    def __init__(self, wasm_build, name, case, *lower_options, change=lambda text: text):
        self.text = change((CONFORMANCE / name / "design.mlir").read_text())
        self.manifest = read_manifest(
            Chain(wasm_build, name, self.text, case.kernels, case.sequence, lower_options).run()
        )
        xclbin, insts = self.manifest.read(self.manifest.xclbin), self.manifest.read(self.manifest.insts)
        self.device = EmulatedDevice(frozenset({"races", "memory"}))
        self.device.load(Program(self.manifest.xclbin, xclbin, insts, self.manifest.kernel, "wasm"))
        self.buffers = [self.device.allocate(a.nbytes, i) for i, a in enumerate(self.manifest.arguments)]

    @property
    def endless(self):
        """Whether all cores go on for ever; one that loops a few times serves one run only."""
        return self.text.count("to %cinf step") == self.text.count("aie.core(")

    def run(self, seed):
        """Runs once with random inputs; returns inputs and outputs."""
        rng = np.random.default_rng(seed)
        inputs = {a.name: data_for(a, rng) for a in self.manifest.inputs}
        for argument, buffer in zip(self.manifest.arguments, self.buffers):
            buffer.view[:] = inputs[argument.name].tobytes() if argument.is_input else poison(argument.nbytes)
        self.device.run(self.buffers, 10.0)
        assert [found.render() for found in self.device.findings()] == []  # these designs are right
        pairs = zip(self.manifest.arguments, self.buffers)
        return inputs.values(), [np.frombuffer(bytes(b.view), a.dtype) for a, b in pairs if a.is_output]


@pytest.mark.parametrize("name", sorted(CASES))
def test_design_computes(wasm_build, name):
    check(Loaded(wasm_build, name, CASES[name]), name)


@pytest.mark.parametrize("name", ["fan_out_three_depths", "memtile_join_two", "tile_from_stream"])
def test_design_computes_with_packets(wasm_build, name):
    """Packet headers are put before the data and taken away again; nothing else changes."""
    loaded = Loaded(wasm_build, name, CASES[name], "--packet-fifos")
    assert "aie.flow(" not in (wasm_build.folder / name / "input_with_addresses.mlir").read_text()
    check(loaded, name)


def on_npu2(text):
    return re.sub(r"aie\.device\(\w+\)", "aie.device(npu2_4col)", text)


def one_column_east(text):
    return re.sub(
        r"aie\.tile\((\d), ", lambda m: f"aie.tile({int(m[1]) + 1}, ", re.sub(r"npu1_\dcol", "npu1", text)
    )


def deeper(text):
    return re.sub(r"\}, \d : i32\)", "}, 3 : i32)", text)


def chosen_at_run_time(text):
    return text.replace("{link_with", "{dynamic_objfifo_lowering = true, link_with")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("memtile_join_two", on_npu2),
        ("quad_block", one_column_east),
        ("three_stage_down", deeper),
        ("window_three", chosen_at_run_time),
        ("nested_two_levels", chosen_at_run_time),
    ],
)
def test_changed_design_computes_the_same(wasm_build, name, change):
    loaded = Loaded(wasm_build, name, CASES[name], change=change)
    assert loaded.text != (CONFORMANCE / name / "design.mlir").read_text()
    check(loaded, name)


def check(loaded, name):
    for seed in (1, 2) if loaded.endless else (1,):
        inputs, outputs = loaded.run(seed)
        expected = CASES[name].reference(*inputs)
        assert len(outputs) == len(expected)
        for got, right in zip(outputs, expected):
            np.testing.assert_array_equal(got, right)
    loaded.device.close()


@pytest.mark.parametrize("name", sorted(HANGING))
def test_design_that_hangs_is_explained(wasm_build, name):
    loaded = Loaded(wasm_build, name, HANGING[name])
    with pytest.raises(Deadlock) as caught:
        loaded.run(1)
    assert any(
        "waits for lock" in text and location for text, location in caught.value.notes
    )  # a core, with its line
    loaded.device.close()
