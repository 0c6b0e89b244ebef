import io
import json
import time

import numpy as np
import pytest

from npuninja.device import choice, run_session, runner
from npuninja.device.api import Capabilities, Device, StartedRuns
from npuninja.device.choice import Choice
from npuninja.device.idle_gaps import IdleGaps
from npuninja.device.null import NullBuffer
from npuninja.device.progress import Progress
from npuninja.device.reference import Reference
from npuninja.device.timing import Timing
from npuninja.errors import DeviceError, Location, UserError


class StandIn(Device):
    """A device whose kernel is a Python function of the buffers' views."""

    capabilities = Capabilities("emu", "emulated", "stand-in")

    def __init__(self, kernel):
        self.kernel = kernel
        self.limits_s = []
        self.runs = 0
        self.closed = False

    def load(self, program):
        assert program.insts == bytes(24)

    def allocate(self, nbytes, position):
        return NullBuffer(nbytes)

    def start(self, runs):
        for buffers in runs:
            self.runs += 1
            self.kernel(self.runs, *(buffer.view for buffer in buffers))
        return StartedRuns("side by side", len(runs))

    def wait(self, started, time_limit_s):
        self.limits_s.append(time_limit_s)
        return 0.001 * started.handle

    def remarks(self):
        return ["something to know"]

    def report(self):
        return {"runs": self.runs}

    def close(self):
        self.closed = True


def double(count, source, target):
    target[:] = (np.frombuffer(source, np.int32) * 2).tobytes()


@pytest.fixture
def run(monkeypatch, capfd):
    """Runs the runner with a kernel; gives exit code, output, errors and the device."""

    def call(kernel, *arguments):
        device = StandIn(kernel)
        monkeypatch.setattr(
            runner, "choose", lambda manifest, wanted, required, *_: Choice(device, "for the test")
        )
        code = runner.main(list(arguments))
        captured = capfd.readouterr()
        return code, captured.out, captured.err, device

    return call


def test_good(built, run):
    code, out, err, device = run(double, str(built.path), "--verify", "--bench", "3")
    assert (code, err) == (0, "")
    assert "twice on emu (for the test): stand-in" in out
    assert "seed 1" in out
    assert "b: all 64 elements are right" in out
    assert "warning: something to know" in out
    assert "3 runs after it: min 1.000 ms, median 1.000 ms, max 1.000 ms emulated" in out
    assert device.runs == 4
    assert device.closed


def test_several_in_flight(built, run):
    code, out, err, device = run(
        double, str(built.path), "--verify", "--bench", "2", "--in-flight", "4", "--time-limit", "3"
    )
    assert (code, err) == (0, "")
    assert "4 runs at once (side by side); times are those of all, divided by 4" in out
    assert "2 runs after it: min 1.000 ms, median 1.000 ms" in out
    assert device.runs == 12
    assert device.limits_s == [12.0] * 3


@pytest.mark.parametrize("wrong_run", [2, 8])
def test_wrong_in_one_of_those_in_flight_only(built, run, wrong_run):
    def kernel(count, source, target):
        double(count, source, target)
        if count == wrong_run:
            target[4] ^= 1

    code, out, _, _ = run(kernel, str(built.path), "--verify", "--bench", "1", "--in-flight", "4", "--json")
    assert code == 1
    assert json.loads(out)["in_flight"] == {"runs": 4, "way": "side by side"}


@pytest.mark.parametrize(("timing", "warned"), [("measured", True), ("emulated", False)])
def test_idle_gap_of_an_npu_is_warned_of(built, run, monkeypatch, timing, warned):
    hours = iter(range(100))
    monkeypatch.setattr(run_session, "IdleGaps", lambda: IdleGaps(lambda: 3600.0 * next(hours)))
    monkeypatch.setattr(StandIn, "capabilities", Capabilities("npu", timing, "stand-in"))
    _, out, _, _ = run(double, str(built.path), "--bench", "2")
    words = "warning: the NPU was idle for 3600.0 s before run 2, and 1 more gaps of over 1 s"
    assert (words in out) == warned


@pytest.mark.parametrize(
    ("times_s", "remark"),
    [
        ((0.0, 0.5), None),
        ((0.0, 1.0, 1.5, 2.5), None),
        ((0.0, 1.2), "idle for 1.2 s before run 2:"),
        ((0.0, 5.0, 5.1, 7.5), "idle for 5.0 s before run 2, and 1 more gaps of over 1 s:"),
    ],
)
def test_idle_gaps(times_s, remark):
    clock = iter(times_s)
    gaps = IdleGaps(lambda: next(clock))
    gaps.starts()
    for _ in times_s[::2]:
        gaps.ended()
        gaps.starts()
    said = gaps.remark()
    assert remark in said if remark else said is None


def test_wrong(built, run):
    def kernel(count, source, target):
        double(count, source, target)
        target[20] ^= 1

    code, out, err, _ = run(kernel, str(built.path), "--verify")
    assert code == 1
    assert "b: 1 of 64 elements differ" in out
    assert "b[5]: got" in out
    assert "the result is wrong in b" in err


def test_wrong_in_the_last_run_only(built, run):
    def kernel(count, source, target):
        double(count, source, target)
        target[0] ^= count == 3

    assert run(kernel, str(built.path), "--verify", "--bench", "2")[0] == 1
    assert run(kernel, str(built.path), "--verify", "--bench", "1")[0] == 0


def test_nothing_written(built, run):
    code, out, _, _ = run(lambda *_: None, str(built.path), "--verify")
    assert code == 1
    assert "nothing was written to b" in out


def test_null_device_never_verifies(built, capfd):
    assert runner.main([str(built.path), "--device", "null", "--verify"]) == 1
    assert "nothing was written to b" in capfd.readouterr().out


def test_device_error_and_its_report(built, run):
    def kernel(*_):
        error = DeviceError("core (0, 2) waits", hint="release it")
        error.report = {"kind": "Deadlock"}
        raise error

    code, out, err, device = run(kernel, str(built.path), "--json")
    assert code == 4
    assert json.loads(out)["report"] == {"kind": "Deadlock"}
    assert "core (0, 2) waits" in err
    assert device.closed


def test_places_of_faults_are_found(built, run, monkeypatch):
    root = built.folder
    build = root / "build" / "npu1_1col" / "wasm" / "twice"
    build.mkdir(parents=True)
    for path in (built.xclbin, built.insts, built.reference, built.path):
        (build / path.name).write_bytes(path.read_bytes())
    (root / "kernels").mkdir()
    (root / "kernels" / "k.c").write_text("int x;\nint y;\n")
    (build / "lowered.mlir").write_text("module {\n}\n")

    def kernel(*_):
        notes = (("called from core", Location("twice/lowered.mlir", 1, 1)), ("and", Location("gone.c", 4)))
        raise DeviceError("core (0, 2) touches nothing", Location("kernels/k.c", 2, 5), notes=notes)

    monkeypatch.chdir(root / "build")
    code, _, err, _ = run(kernel, str(build / "twice.json"))
    assert code == 4
    assert err.split("\n") == [
        f"{root / 'kernels' / 'k.c'}:2:5: error: core (0, 2) touches nothing",
        "  int y;",
        "      ^",
        "npu1_1col/wasm/twice/lowered.mlir:1:1: note: called from core",
        "gone.c:4: note: and",
        "",
    ]


def test_interrupted(built, run):
    def kernel(*_):
        raise KeyboardInterrupt

    code, _, err, device = run(kernel, str(built.path))
    assert (code, err) == (130, "interrupted\n")
    assert device.closed


def test_json(built, run):
    code, out, _, _ = run(double, str(built.path), "--verify", "--json", "--bench", "1")
    fields = json.loads(out)
    assert (code, fields["status"], fields["verified"], fields["times"]["label"]) == (
        0,
        "ok",
        True,
        "emulated",
    )
    assert fields["report"] == {"runs": 2}
    assert fields["remarks"] == ["something to know"]
    code, out, _, _ = run(lambda *_: None, str(built.path), "--verify", "--json")
    fields = json.loads(out)
    assert (code, fields["status"], fields["exit_code"]) == (1, "wrong", 1)
    assert fields["outputs"][0]["untouched_bytes"] == 256
    assert fields["outputs"][0]["first"][0]["index"] == [0]


def test_files_in_and_out(built, run, tmp_path):
    source, target = tmp_path / "in.npy", tmp_path / "out.bin"
    np.save(source, np.arange(64, dtype=np.int32))
    code, out, _, _ = run(
        double, str(built.path), "--input", str(source), "--output", str(target), "--verify"
    )
    assert code == 0
    assert target.read_bytes() == (2 * np.arange(64, dtype=np.int32)).tobytes()
    assert f"inputs: from {source}" in out


@pytest.mark.parametrize("folder", ["{}", "own"])
def test_vectors_lie_beside_the_manifest_or_where_it_is_said(built, run, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = np.arange(64, dtype=np.int32)
    kept = built.path.parent if folder == "{}" else tmp_path / folder
    kept.mkdir(exist_ok=True)
    (kept / "in").write_bytes(source.tobytes())
    (kept / "out").write_bytes((2 * source).tobytes())
    words = (str(built.path), "--verify", "--vectors", f"{folder}/in", f"{folder}/out")
    assert run(double, *words)[0] == 0
    (kept / "out").write_bytes(source.tobytes())
    code, _, err, _ = run(double, *words)
    assert code == 1
    assert "wrong" in err
    (kept / "in").unlink()
    assert f"cannot read {kept / 'in' if folder == '{}' else 'own/in'}" in run(double, *words)[2]


def test_inout(built, run):
    built.reference.write_text(
        "import numpy as np\n"
        "def inputs(rng, arguments):\n    return [np.arange(64, dtype=np.int32)]\n"
        "def reference(inputs):\n    return [inputs[0] + 1]\n"
    )
    path = built.write(arguments=[built.argument("a", "inout")])

    def kernel(count, view):
        view[:] = (np.frombuffer(view, np.int32) + 1).tobytes()

    assert run(kernel, path, "--verify", "--bench", "2")[0] == 0


def test_same_seed_same_inputs(built, run):
    seen = []
    for seed in ("5", "5", "6"):
        run(lambda count, source, target, *_: seen.append(bytes(source)), str(built.path), "--seed", seed)
    assert seen[0] == seen[1] != seen[2]


def test_without_reference(built, run):
    path = built.write(reference=None)
    code, out, _, _ = run(double, path)
    assert code == 0
    assert "random bytes, seed 1" in out
    assert "not verified: nothing was compared, since there is no host/twice.py" in out
    assert (
        "not verified: nothing was compared, since --verify was not given"
        in run(double, built.write(reference="twice.py"))[1]
    )
    built.write(reference=None)
    code, _, err, _ = run(double, path, "--verify")
    assert code == 2
    assert "has no reference to verify against" in err


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("x = 1 +", "SyntaxError while loading it", 1),
        ("def inputs(rng, a): return []", "no function reference()", 0),
        (
            "def inputs(rng, a):\n    return [1 / 0]\ndef reference(i): pass",
            "ZeroDivisionError while making inputs",
            2,
        ),
        ("def inputs(rng, a): pass\ndef reference(i): pass", "inputs() returns NoneType, expected a list", 0),
        (
            "def inputs(rng, a): return []\ndef reference(i): pass",
            "inputs() returns 0 arrays, expected 1: a",
            0,
        ),
        (
            "def inputs(rng, a): return [3]\ndef reference(i): pass",
            "inputs() gives int for a, expected 64 x i32",
            0,
        ),
        (
            "def inputs(rng, a): return [rng.integers(0, 9, 63, 'int32')]\ndef reference(i): pass",
            "inputs() gives int32 of shape (63,)",
            0,
        ),
    ],
)
def test_bad_reference(built, run, text, message, line):
    built.reference.write_text(text)
    code, _, err, _ = run(double, str(built.path), "--verify")
    assert code == 2
    assert message in err
    assert f"twice.py:{line}: error" in err if line else "twice.py: error" in err


def test_errors_name_the_reference_one_edits(built, run, monkeypatch):
    text = "def inputs(rng, a):\n    return [1 / 0]\ndef reference(i): pass"
    source = built.folder / "host" / "twice.py"
    source.parent.mkdir()
    build = built.folder / "build" / "npu1" / "wasm" / "twice"
    build.mkdir(parents=True)
    built.reference.write_text(text)
    for path in (built.xclbin, built.insts, built.reference, built.path):
        (build / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(built.folder)
    source.write_text(text)
    assert run(double, str(build / "twice.json"), "--verify")[2].startswith(
        "host/twice.py:2: error: ZeroDivisionError"
    )
    source.write_text("# edited since the build\n" + text)
    copy = build / "twice.py"
    assert run(double, str(build / "twice.json"), "--verify")[2].startswith(
        f"{copy}:2: error: ZeroDivisionError"
    )


def test_errors_of_a_relative_path_have_their_line(tmp_path, monkeypatch):
    (tmp_path / "r.py").write_text("def inputs(rng, a):\n    return [1 / 0]\ndef reference(i): pass")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        Reference("r.py").inputs([], 1)
    assert str(caught.value.location) == "r.py:2"


def test_reference_cannot_change_the_inputs(built, run):
    built.reference.write_text(
        "import numpy as np\n"
        "def inputs(rng, arguments):\n    return [np.ones(64, np.int32)]\n"
        "def reference(inputs):\n    inputs[0][:] = 0\n    return [np.full(64, 2, np.int32)]\n"
    )
    assert run(double, str(built.path), "--verify")[0] == 0


def test_missing_reference_file(built, run):
    built.reference.unlink()
    code, _, err, _ = run(double, str(built.path), "--verify")
    assert code == 2
    assert "twice.py is missing" in err


def test_hashes_are_checked_before_the_device_runs(built, run):
    built.insts.write_bytes(bytes(28))
    code, _, err, device = run(double, str(built.path))
    assert code == 2
    assert "not of this build" in err
    assert device.runs == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "emu", "--require", "npu"], "contradict each other"),
        (["--device", "emu"], "built for aie2p cores"),
    ],
)
def test_choice_that_cannot_be(built, capfd, arguments, message):
    assert runner.main([built.write(core_kind="aie2p"), *arguments]) == 2
    assert message in capfd.readouterr().err


def test_automatic_choice_tells_why(built):
    from npuninja.device.manifest import read_manifest

    device, reason = choice.choose(read_manifest(str(built.path)), "auto", None)
    assert device.capabilities.name == "emu"
    assert reason == "auto: the design has wasm cores, which run on the emulated array only"
    assert choice.choose(read_manifest(str(built.path)), "auto", "emu").reason == "--require emu"


def test_times():
    text = Timing("measured", 1.5, (3e-6, 1e-6, 2e-6)).render(4000)
    assert text.split("\n") == [
        "first run: 1.500 s measured",
        "3 runs after it: min 1.0 us, median 2.0 us, max 3.0 us measured, 2 GB/s in and out",
    ]
    assert "tell nothing about an NPU" in Timing("emulated", 1.0, ()).render(0)


@pytest.mark.parametrize(
    "words", [["--time-limit", "nan"], ["--time-limit", "0"], ["--bench", "-1"], ["--seed", "x"]]
)
def test_numbers_that_mean_nothing_are_refused(built, words):
    with pytest.raises(UserError, match=f"npuninja run: argument {words[0]}") as caught:
        runner.main([str(built.path), *words])
    assert caught.value.hint == "npuninja run --help lists the options"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress(monkeypatch):
    monkeypatch.setattr("npuninja.device.progress.QUIET_S", 0.0)
    terminal = Terminal()
    with Progress("running", 3, terminal) as progress:
        progress.step()
        for _ in range(1000):
            if "1/3" in terminal.getvalue():
                break
            time.sleep(0.01)
    assert "running 1/3, 0 s" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")
    pipe = io.StringIO()
    with Progress("running", 3, pipe):
        pass
    assert pipe.getvalue() == ""
