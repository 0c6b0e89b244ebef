import os
import shutil
import sys
from pathlib import Path

import pytest

from npuninja.detect import pyxrt_import
from npuninja.detect.pyxrt_import import find_pyxrt
from npuninja.device import runner
from npuninja.device.api import Program
from npuninja.device.manifest import read_manifest
from npuninja.device.xrt_messages import STATES, state_error, translated
from npuninja.device.xrt_open import open_npu
from npuninja.errors import InternalError, NoDevice
from npuninja.formats.txn import LoadPdi, Transaction, Write, write_txn
from npuninja.formats.xclbin import XclbinKernel, write_xclbin


@pytest.fixture
def npu(tmp_path, monkeypatch):
    """A machine with an NPU: a device node, and pyxrt where XILINX_XRT says. Gives the stand-in module."""
    folder = tmp_path / "xrt" / "python"
    folder.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("fake_pyxrt.py"), folder / "pyxrt.py")
    monkeypatch.setenv("XILINX_XRT", str(folder.parent))
    node = tmp_path / "accel0"
    node.write_bytes(b"")
    monkeypatch.setattr(pyxrt_import, "ACCEL_NODES", str(tmp_path / "accel*"))
    monkeypatch.setattr(pyxrt_import, "MEMLOCK_NEEDED_BYTES", 0)
    monkeypatch.delitem(sys.modules, "pyxrt", raising=False)
    yield pyxrt_import.import_pyxrt(find_pyxrt())
    sys.modules.pop("pyxrt", None)


def run(capfd, *arguments):
    code = runner.main(list(arguments))
    captured = capfd.readouterr()
    return code, captured.out, captured.err


def test_recipe(built, npu, capfd):
    built.real_xclbin()
    code, out, err = run(capfd, built.write(core_kind="aie2"), "--verify", "--bench", "2")
    assert (code, err) == (0, "")
    assert "twice on npu (auto: the design has aie2 cores" in out
    assert "b: all 64 elements are right" in out
    assert "measured" in out
    assert "emulated" not in out
    bo = npu.bo
    assert npu.calls[:6] == [
        "register_xclbin",
        ("hw_context", "uuid"),
        ("kernel", "MLIR_AIE:MLIRAIE"),
        ("bo", 24, bo.cacheable, 1001),
        ("bo", 256, bo.host_only, 1003),
        ("bo", 256, bo.host_only, 1004),
    ]
    assert npu.calls[6:] == [("call", 3, 6, 2), ("wait", 10000)] * 3


def test_runs_in_flight_are_a_runlist_and_one_more(built, npu, capfd):
    built.real_xclbin()
    code, out, err = run(capfd, built.write(core_kind="aie2"), "--verify", "--bench", "1", "--in-flight", "4")
    assert (code, err) == (0, "")
    assert "4 runs at once (a runlist of 3 and a run after it)" in out
    once = [("runlist", 3), ("call", 3, 6, 2), ("wait", 40000), "runlist.wait"]
    assert [call for call in npu.calls if call[0] != "bo"][-8:] == once * 2


def test_runs_in_flight_without_a_runlist(built, npu, capfd, monkeypatch):
    monkeypatch.delattr(npu, "runlist")
    built.real_xclbin()
    code, out, err = run(capfd, built.write(core_kind="aie2"), "--verify", "--in-flight", "3")
    assert (code, err) == (0, "")
    assert "3 runs at once (a command each, as this pyxrt has no runlist)" in out
    assert [call[0] for call in npu.calls[-6:]] == ["call"] * 3 + ["wait"] * 3


@pytest.mark.parametrize(("state", "list_is_asked"), [(6, True), (1, False)])
def test_reason_of_a_failed_run_may_lie_in_the_runlist(built, npu, capfd, state, list_is_asked):
    built.real_xclbin()
    npu.behaviour.update(state=state, runlist_says="runlist failed execution (ERT_CMD_STATE_ERROR)")
    code, _, err = run(capfd, built.write(core_kind="aie2"), "--in-flight", "4")
    assert code == 4
    assert ("runlist failed execution (ERT_CMD_STATE_ERROR)" in err) == list_is_asked
    assert (npu.calls[-1] == "runlist.wait") == list_is_asked


def test_other_instructions(built, npu):
    built.real_xclbin()
    manifest = read_manifest(built.write(core_kind="aie2"))
    device = open_npu()
    device.load(Program(manifest.xclbin, manifest.read(manifest.xclbin), bytes(24), manifest.kernel, "aie2"))
    device.instruct(bytes(range(24)))
    assert bytes(device._calls[0][1].on_device[:24]) == bytes(range(24))
    with pytest.raises(InternalError, match="28 bytes of instructions, the buffer holds 24"):
        device.instruct(bytes(28))


@pytest.mark.parametrize("state", [1, 5, 8])
def test_states_are_failures(built, npu, capfd, state):
    built.real_xclbin()
    npu.behaviour["state"] = state
    code, _, err = run(capfd, built.write(core_kind="aie2"), "--device", "npu", "--time-limit", "0.5")
    assert code == 4
    assert STATES[state][1] in err
    assert f"ERT_CMD_STATE_{STATES[state][0]}" in err
    assert npu.calls[-1] == ("wait", 500)


@pytest.mark.parametrize(
    ("where", "message", "code", "sentence"),
    [
        ("device", "No such device with index '0'", 77, "XRT finds no NPU"),
        ("xclbin", "xclbin: buffer too small to contain header", 4, "the file is no XCLBIN"),
        (
            "hw_context",
            "DRM_IOCTL_AMDXDNA_CREATE_HWCTX IOCTL failed (err=-2): No such file",
            4,
            "no more contexts",
        ),
        ("hw_context", "DRM_IOCTL_AMDXDNA_CREATE_HWCTX IOCTL failed (err=-28)", 4, "free columns"),
        ("hw_context", "DRM_IOCTL_AMDXDNA_CREATE_HWCTX IOCTL failed (err=-22)", 4, "another NPU generation"),
        ("bo", "mmap failed err=-11 Resource temporarily unavailable", 4, "too little memory may be locked"),
        ("call", "DRM_IOCTL_AMDXDNA_EXEC_CMD IOCTL failed (err=-5)", 4, "stuck from an earlier run"),
        ("call", "something new", 4, "something new"),
    ],
)
def test_messages_of_xrt(built, npu, capfd, where, message, code, sentence):
    built.real_xclbin()
    npu.behaviour.update(fail=where, message=message)
    got, _, err = run(capfd, built.write(core_kind="aie2"), "--device", "npu")
    assert got == code
    assert sentence in err
    assert message in err


def test_kernel_name(built, npu, capfd):
    built.real_xclbin()
    npu.behaviour["names"] = ["OTHER:ONE", "vadd:v1"]
    code, _, err = run(capfd, built.write(core_kind="aie2"))
    assert code == 2
    assert "has no kernel MLIR_AIE, it has OTHER:ONE, vadd:v1" in err


@pytest.mark.parametrize(
    ("name", "kind", "columns", "sentence"),
    [
        ("RyzenAI-npu4", "aie2", 1, "the design has aie2 cores, and those of RyzenAI-npu4 are aie2p"),
        ("RyzenAI-npu1", "aie2p", 1, "the design has aie2p cores, and those of RyzenAI-npu1 are aie2"),
        ("RyzenAI-npu1", "aie2", 5, "the design takes 5 columns, RyzenAI-npu1 has 4 for designs"),
    ],
)
def test_design_for_another_npu(built, npu, capfd, name, kind, columns, sentence):
    npu.behaviour["npu"] = name
    built.xclbin.write_bytes(write_xclbin([XclbinKernel(bytes(64))], start_columns=[0], column_width=columns))
    code, _, err = run(capfd, built.write(core_kind=kind))
    assert code == 2
    assert sentence in err
    assert npu.calls == []


def test_npu_of_an_unknown_name_is_tried(built, npu, capfd):
    npu.behaviour["npu"] = "NPU of the future"
    built.real_xclbin()
    assert run(capfd, built.write(core_kind="aie2p"))[0] == 0


def test_wasm_cores_are_refused_by_the_manifest(built, npu, capfd):
    code, _, err = run(capfd, built.real_xclbin(), "--require", "npu")
    assert code == 2
    assert "wasm cores, which run on the emulated array only" in err
    assert npu.calls == []


def test_wasm_cores_are_refused_by_the_file(built, npu, capfd):
    module = b"\0asm\1\0\0\0"
    built.xclbin.write_bytes(
        write_xclbin([XclbinKernel(bytes(64))], start_columns=[0], column_width=1, modules=[module])
    )
    code, _, err = run(capfd, built.write(core_kind="aie2"))
    assert code == 2
    assert "wasm cores, which run on the emulated array only" in err
    assert npu.calls == []


@pytest.mark.parametrize("buffers", [5, 6, 16])
def test_more_arguments_than_a_call_takes(built, npu, capfd, buffers):
    """How many a call takes is what the kernel in the XCLBIN says, not a number that holds for all."""
    built.xclbin.write_bytes(
        write_xclbin([XclbinKernel(bytes(64), buffers=buffers)], start_columns=[0], column_width=1)
    )
    for number, expected in ((buffers, 0), (buffers + 1, 2)):
        arguments = [built.argument(f"a{i}", "in" if i != 1 else "out") for i in range(number)]
        code, _, err = run(capfd, built.write(core_kind="aie2", reference=None, arguments=arguments))
        assert code == expected, err
    assert f"more than {buffers} arguments, which is all that the kernel of this XCLBIN takes" in err


def test_stream_that_loads_a_configuration_is_refused(built, npu, capfd):
    built.real_xclbin()
    operations = (Write(0x1D200, 1), LoadPdi(1, 64, 0))
    built.insts.write_bytes(write_txn(Transaction(3, 6, 1, 1, operations)))
    code, _, err = run(capfd, built.write(core_kind="aie2"))
    assert code == 2
    assert "loads a configuration while it runs (load_pdi)" in err
    assert npu.calls == []


def test_stream_of_another_kind_is_left_to_the_npu(built, npu, capfd):
    built.real_xclbin()
    built.insts.write_bytes(bytes(range(24)))
    assert run(capfd, built.write(core_kind="aie2"))[0] == 0
    assert npu.calls[-2:] == [("call", 3, 6, 2), ("wait", 10000)]


@pytest.mark.parametrize("option", [["--device", "npu"], ["--require", "npu"]])
def test_no_node(built, monkeypatch, capfd, tmp_path, option):
    monkeypatch.setattr(pyxrt_import, "ACCEL_NODES", str(tmp_path / "none*"))
    built.real_xclbin()
    code, _, err = run(capfd, built.write(core_kind="aie2"), *option)
    assert code == 77
    assert "no NPU" in err
    assert ("`ninja test-" in err) == (option == [])


def test_pyxrt_of_another_python(tmp_path, monkeypatch):
    folder = tmp_path / "python"
    folder.mkdir()
    (folder / "pyxrt.cpython-27-x86_64-linux-gnu.so").write_bytes(b"")
    monkeypatch.setenv("XILINX_XRT", str(tmp_path))
    monkeypatch.setattr(pyxrt_import, "SYSTEM_FOLDERS", ())
    with pytest.raises(NoDevice) as caught:
        find_pyxrt()
    assert "cpython-27" in caught.value.notes[0][0]


def test_pyxrt_that_does_not_load(tmp_path):
    broken = tmp_path / "pyxrt.py"
    broken.write_text("import a_library_that_is_not_there\n")
    with pytest.raises(NoDevice, match="a_library_that_is_not_there"):
        pyxrt_import.import_pyxrt(str(broken))
    assert "pyxrt" not in sys.modules


def test_node_without_permission(tmp_path, monkeypatch):
    node = tmp_path / "accel0"
    node.write_bytes(b"")
    monkeypatch.setattr(pyxrt_import, "ACCEL_NODES", str(node))
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(node))  # as for anybody but root
    with pytest.raises(NoDevice, match="no permission"):
        pyxrt_import.check_node()


def test_memlock(tmp_path, monkeypatch):
    import resource

    (tmp_path / "accel0").write_bytes(b"")
    monkeypatch.setattr(pyxrt_import, "ACCEL_NODES", str(tmp_path / "accel*"))
    monkeypatch.setattr(resource, "getrlimit", lambda which: (8 << 20, 8 << 20))
    with pytest.raises(NoDevice, match="only 8388608 bytes of memory may be locked"):
        pyxrt_import.check_node()


def test_every_state_is_a_sentence():
    for state in range(13):
        if state != 4:
            assert "ERT_CMD_STATE_" in state_error(state, 1.0).message


def test_messages_are_explained():
    error = translated(RuntimeError("No such kernel 'X'"), "loading")
    assert error.message == "loading: the XCLBIN has no kernel of that name"
    assert "npuninja inspect" in error.hint
