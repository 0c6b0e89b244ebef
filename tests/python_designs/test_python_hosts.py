"""The host's side of `aie.utils` that needs no device: trace arguments, files, checks, PyTorch's test."""

import json

import numpy as np
import pytest
from ml_dtypes import bfloat16

from npuninja.formats.full_elf_reader import read_full_elf
from npuninja.python_designs.construct.generation import SECOND, THIRD
from npuninja.python_designs.host import checks, tensors
from npuninja.python_designs.script import run_design
from npuninja.python_designs.tracing import events, first_events

TRACED = """
import numpy as np
import aie.utils
from aie.utils import HostRuntime, TraceConfig
from aie.utils.hostruntime.hostruntime import HostRuntimeError

class Result(HostRuntime):
    def run(self, handle, args, **_):  # a device that adds one, and writes two words of trace
        sizes.append([a.nbytes for a in args])
        args[1].data.view(np.uint8).reshape(-1)[:16] = (np.asarray(args[0]) + 1).view(np.uint8)
        args[-1].data.reshape(-1).view(np.uint8)[-16:-8] = [4, 3, 2, 1, 8, 7, 6, 5]
        return "done"

class Kernel:
    def __init__(self, config):
        self.trace_config = config

sizes = []
given = aie.utils.tensor(np.arange(4, dtype=np.int32))
for config in (TraceConfig(32), TraceConfig(16, "behind.txt", **BEHIND)):
    result = aie.utils.zeros(4, dtype=np.int32)
    right = Result().run_test(Kernel(config), [given, result], {1: np.arange(4, dtype=np.int32) + WRONG})
    print(config.trace_file, right, sizes.pop(), [hex(w) for w in config.read_trace() if w])
print(aie.utils.has_hrx, HostRuntime.read_insts.__name__)
try:
    HostRuntime.read_insts("x.txt")
except HostRuntimeError as error:
    print(error)
try:
    TraceConfig(0)
except ValueError as error:
    print(error)
"""


def run(tmp_path, text, generation="2026-08"):
    script = tmp_path / "host.py"
    script.write_text(text)
    outcome = run_design(
        str(script), [], generation=generation, cwd=str(tmp_path), catches_errors=True, print_only=False
    )
    assert outcome.exit_code == 0, outcome.errors
    return outcome.text.splitlines()


@pytest.mark.parametrize(
    ("generation", "behind", "sizes"),
    [
        ("2026-02", "{'ddr_id': -1}", [16, 16, 4, 4, 32]),  # the fifth argument, whatever is in between
        ("2026-08", "{'reuse_output_buffer': True}", [16, 16, 32]),
    ],
)
def test_a_trace_gets_room_among_the_arguments_and_a_file(tmp_path, generation, behind, sizes):
    lines = run(tmp_path, TRACED.replace("BEHIND", f"{behind}").replace("WRONG", "1"), generation)
    assert lines == [
        f"trace.txt 0 {sizes} ['0x1020304', '0x5060708']",
        "behind.txt 0 [16, 32] ['0x1020304', '0x5060708']",
        "False read_insts",
        "x.txt: instructions are read from a .bin file",
        "a trace needs 1 byte or more (trace_size=0)",
    ]
    assert (tmp_path / "trace.txt").read_text().splitlines()[-1] == "05060708"


def test_a_wrong_result_is_counted_beside_a_trace(tmp_path):
    lines = run(tmp_path, TRACED.replace("BEHIND", "{}").replace("WRONG", "2"))
    assert lines[0].startswith("trace.txt 1 ")


def test_cycles_between_events_are_read_off_traces_of_both_kinds(tmp_path):
    def event(name, phase, at, process=0, **more):
        return {"name": name, "ph": phase, "ts": at, "pid": process, **more}

    names = [event("process_name", "M", 0, p, args={"name": f"core {p}"}) for p in (0, 1)]
    pairs = [("INSTR_EVENT_0", 10), ("INSTR_EVENT_1", 14), ("INSTR_EVENT_0", 20), ("INSTR_EVENT_1", 30)]
    theirs = [*names, *(event(name, "B", at) for name, at in pairs)]
    ours = [
        *names,
        *(event(name, "X", at / 1000, args={"cycle": at}) for name, at in sorted(pairs)),
    ]  # by name
    (tmp_path / "theirs.json").write_text(json.dumps(theirs))
    (tmp_path / "ours.json").write_text(json.dumps({"traceEvents": ours}))
    (tmp_path / "none.json").write_text("[]")
    text = (
        "from aie.utils.trace.utils import *\n"
        "for name in ('theirs', 'ours'):\n"
        "    print(get_cycles_summary(name + '.json'), get_cycles(name + '.json'))\n"
        "print(get_cycles('none.json'))\nprint_cycles_summary('theirs.json')\n"
    )
    assert run(tmp_path, text) == [
        "[['core 0', 4, 10], ['core 1']] 4",
        "[['core 0', 4, 10], ['core 1']] 4",
        "inf",
        "core 0",
        "Total number of full kernel invocations is 2",
        "First/Min/Avg/Max cycles is 4/ 4/ 7.0/ 10",
        "core 1",
        "Total number of full kernel invocations is 0",
    ]


def test_packets_events_types_and_logs(tmp_path):
    text = """
import numpy as np
from ml_dtypes import bfloat16
from aie.extras import types as T
from aie.helpers.util import mlir_type_to_np_dtype
from aie.extras.context import mlir_mod_ctx
from aie.utils.hostruntime import bfloat16_safe_allclose
from aie.utils.ml import CSVLogger, CSVLoggerError, load_class_label
from aie.utils.trace import create_ctrl_pkt, extract_tile, pack4bytes, parity
from aie.utils.trace.events import CoreEvent, get_events_for_device

word = create_ctrl_pkt(1, 0, 0x32004)
print(hex(word), parity(word), extract_tile(2 << 21 | 3 << 16 | 1 << 12 | 5), hex(pack4bytes(1, 2, 3, 4)))
print(get_events_for_device("npu2").CoreEvent is CoreEvent)
with mlir_mod_ctx():
    print([mlir_type_to_np_dtype(t()).__name__ for t in (T.i8, T.ui16, T.bf16, T.f32, T.bool, T.index)])
print(bfloat16_safe_allclose(bfloat16, np.ones(2, bfloat16), np.ones(2, bfloat16)))
for row in ({"a": 1, "b": 2}, {"b": 3}):
    with CSVLogger("log.csv") as log:
        log.append(row)
print(open("log.csv").read().split())
try:
    CSVLogger("log.csv").set_columns(["c"])
except CSVLoggerError as error:
    print(error)
open("labels.json", "w").write('{"0": "cat", "1": "dog"}')
print(load_class_label("labels.json", 2))
"""
    assert run(tmp_path, text) == [
        "0x9c432004 1 (2, 3, 1, 5) 0x1020304",
        "True",
        "['int8', 'uint16', 'bfloat16', 'float32', 'bool', 'longlong']",
        "True",
        "['a,b', '1,2', '-,3']",
        "the columns of this file are set: append rows, or begin another file",
        "['cat', 'dog']",
    ]


MODEL = """
import numpy as np
from aie.utils.ml import run_conv_torch_test
from npuninja.python_designs.host import runtime

class Tensor:  # as much of PyTorch's as the test asks for
    def __init__(self, values):
        self.values = np.asarray(values)

    data = property(lambda self: self)

    def squeeze(self):
        return Tensor(self.values[0])

    def detach(self):
        return self

    def numpy(self):
        return self.values

class Model:
    def eval(self):
        pass

    def __call__(self, given):
        return Tensor(given.values * 2.0)

class Device(runtime.HostRuntime):
    def run(self, handle, args, **_):
        args[2].data[...] = np.asarray(args[0]).reshape(-1) * 4
        return type("Outcome", (), {"npu_time": 5000})()

runtime.DefaultNPURuntime = Device()
given = Tensor(np.arange(16 * 2 * 3).reshape(1, 16, 2, 3) % 7)
weights = [Tensor(np.zeros((8, 8, 1, 1)))]
for scale in (0.5, 1.0):
    print(run_conv_torch_test(
        xclbin_path="a", insts_path="b", golden_model=Model(), int_inp=given, int_weights=weights,
        out_shape_in_layout=(2, 2, 3, 8), out_shape_final=(16, 2, 3), out_scale=scale, atol=0, log_dir="log",
    ))
"""


def test_a_convolution_is_compared_with_a_model(tmp_path):
    lines = [line for line in run(tmp_path, MODEL) if line]
    assert lines == ["Avg NPU time: 5us.", "PASS!", "True", "Avg NPU time: 5us.", "Failed.", "False"]
    assert (tmp_path / "log/before_ifm.txt").read_text().startswith("0,1,2,3,4,5,6,0")


COMPILED = """
import numpy as np
import aie.iron as iron
from aie.iron import In, ObjectFifo, Out, Program, Runtime
from aie.iron.device import NPU1Col1
from aie.utils import DefaultNPURuntime, NPUKernel

@iron.jit
def design(a: In, b: Out):
    line = np.ndarray[(16,), np.dtype[np.int32]]
    fifo = ObjectFifo(line, name="in")

    def sequence(a, b, source, sink):
        source.fill(a)
        sink.drain(b, wait=True)

    runtime = Runtime(sequence, [line, line, fifo.prod(), fifo.cons().forward().cons()])
    return Program(NPU1Col1(), runtime, workers=[]).resolve_program()

for paths in ({"elf_path": "a.elf"}, {"xclbin_path": "a.xclbin"}):
    try:
        design.compile(**paths)
    except ValueError as error:
        print(error)
print(design.compile(xclbin_path="a.xclbin", inst_path="a.bin", elf_path="a.elf", pdi_path="a.pdi"))
print(design.compile(full_elf_path="whole.elf"))
given, result = iron.arange(16, dtype=np.int32), iron.zeros(16, dtype=np.int32)
print(DefaultNPURuntime.run_test(NPUKernel("a.xclbin", "a.bin"), [given, result], {1: np.arange(16, dtype=np.int32)}))
# The instructions as an ELF, and a buffer that is larger than the argument.
built, larger = open("a.xclbin.npuninja").read().strip()[: -len(".json")], iron.zeros(32, dtype=np.int32)
NPUKernel(built + ".xclbin", built + ".elf")(given, larger)
print((larger.numpy() == [*range(16), *[0] * 16]).all())
"""


def test_a_jitted_design_is_compiled_to_paths(tmp_path):
    assert run(tmp_path, COMPILED) == [
        "compile(): elf_path comes with xclbin_path and inst_path; give these too",
        "compile(): xclbin_path and inst_path go together: give both or neither",
        "('a.xclbin', 'a.bin')",
        "('whole.elf', None)",
        "0",
        "True",
    ]
    assert (tmp_path / "a.elf").read_bytes()[:4] == b"\x7fELF"
    assert (tmp_path / "a.xclbin").read_bytes()[:7] == b"xclbin2"
    assert (tmp_path / "a.pdi").stat().st_size > 0
    whole = read_full_elf((tmp_path / "whole.elf").read_bytes(), "whole.elf")
    assert [len(kernel.instances) for kernel in whole.kernels] == [1]


def test_another_type_of_numbers_is_cast_by_april_and_refused_by_august(monkeypatch):
    values = np.array([1, -2, 300], dtype=np.int32)
    monkeypatch.setattr(tensors, "generation", lambda: SECOND)
    found = tensors.tensor(values, dtype=np.int8)
    assert (found.dtype, found.numpy().tolist()) == (np.int8, [1, -2, 44])
    monkeypatch.setattr(tensors, "generation", lambda: THIRD)
    with pytest.raises(TypeError, match="and dtype= asks for int8; convert it first"):
        tensors.tensor(values, dtype=np.int8)


def test_random_numbers_come_from_the_generator_that_is_given():
    again = np.random.default_rng(7)
    made = np.random.default_rng(7)
    found = tensors.randint(-5, 5, (8,), dtype=np.int8, generator=made)
    assert (found.numpy() == again.integers(-5, 5, size=(8,), dtype=np.int8)).all()
    found = tensors.rand(8, dtype=np.float32, generator=made)
    assert (found.numpy() == again.uniform(0, 1, size=(8,)).astype(np.float32)).all()


def test_random_numbers_of_few_bits_stay_below_one():
    class Highest:
        def uniform(self, low, high, size):
            return np.full(size, 1 - 1e-9)

    found = tensors.rand(4, dtype=bfloat16, generator=Highest())
    assert (found.numpy() < 1).all()


def test_the_first_architecture_has_events_of_its_own():
    first = events.get_events_for_device("xcvc1902")
    own = events.get_events_for_device("npu1")
    for kind in (first.CoreEvent, first.MemEvent, first.ShimTileEvent):
        assert [event.value for event in kind] == list(range(128))
    assert (first.CoreEvent.PERF_CNT_0, first.CoreEvent.BROADCAST_15) == (5, 122)
    assert (first.MemEvent.DMA_S2MM_0_FINISHED_BD, first.ShimTileEvent.DMA_S2MM_0_FINISHED_BD) == (25, 16)
    assert (first.ShimTileEvent.USER_EVENT_0, own.ShimTileEvent.USER_EVENT_0) == (124, 126)
    assert first.MemTileEvent is None
    assert list(first_events.NAMES["MemTileEvent"]) == []
    kinds = (first.CoreEvent, own.CoreEvent)
    assert ["SRS_SATURATE" in kind.__members__ for kind in kinds] == [True, False]


def test_results_are_compared_relative_to_both_sides():
    # |a - b| < max(atol, rtol (|a| + |b|)), with the rtol of the C++ tests unless another is given
    assert checks.nearly_equal([1.0, 1.0, 0.0], [1.25, 1.5, 1e-3], atol=1e-2).tolist() == [True, False, True]
    assert checks.count_mismatches([1.0, np.nan, 5.0], [1.0, 2.0, 7.0]) == (0, 1)
    assert checks.count_mismatches([1.0, np.nan, 5.0], [1.0, 2.0, 7.0], stop_at_nonfinite=False) == (2, 3)
    with pytest.raises(ValueError, match=r"same shape, got \(1,\) and \(2,\)"):
        checks.count_mismatches([1.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("tolerances", "said"),
    [
        ({}, "FAIL! 1 of 2 elements differ"),
        ({"atol": 1e-3}, None),
        ({"rtol": 1e-4}, "FAIL! 1 of 2 elements differ"),
        ({"fail_msg": "sum"}, "FAIL! sum"),
    ],
)
def test_a_result_passes_within_its_tolerance(capsys, tolerances, said):
    if said is None:
        checks.assert_pass([1.0, 2.0], [1.0, 2.01], **tolerances)
        assert capsys.readouterr().out == "PASS!\n"
        return
    with pytest.raises(SystemExit, match=said):
        checks.assert_pass([1.0, 2.0], [1.0, 2.01], **tolerances)


def test_a_comparison_that_ends_at_a_nan_says_so(capsys):
    checks.assert_pass([1.0, np.nan], [1.0, 2.0], atol=0.1)
    assert "compared 1 of 2 elements" in capsys.readouterr().err
