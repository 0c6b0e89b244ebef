"""What XRT programs do wrong or rarely: each case of programs/cases.py gives what an NPU would, and why."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import CONFORMANCE
from design_chain import ROOT, Chain

from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.xclbin import AIE_PARTITION, XclbinKernel, read_xclbin, write_xclbin

# Case -> what the program prints, and a part of what the emulated driver says.
CASES = {
    "once": (["COMPLETED True"], ""),
    "instructions_and_data_swapped": (
        ["ERROR", "COMPLETED True"],
        "was each buffer made for its own argument",
    ),
    "input_and_output_swapped": (["COMPLETED", "b'\\x02\\x02' b'\\x02\\x02'"], ""),
    "wrong_opcode": (["ERROR"], "opcode, is 2, expected 3"),
    "buffer_missing": (["TIMEOUT"], "for more arguments than were passed"),
    "buffer_too_small": (["TIMEOUT", "COMPLETED True"], "of argument 1, which has 131072 bytes"),
    "cacheable_data": (["ERROR"], "buffer argument 0"),
    "unknown_kernel": (["No such kernel 'OTHER': Invalid argument"], ""),
    "damaged_instructions": (["ABORT"], "at byte 16 of the instruction stream"),
    "missing_sync_to_device": (
        [
            "COMPLETED b'\\x00\\x00'",
            "COMPLETED b'\\x07\\x07'",
            "COMPLETED b'\\x07\\x07'",
            "COMPLETED b'\\x08\\x08'",
        ],
        "buffer argument 0: the program changed it and did not sync it to the device",
    ),
    "missing_sync_from_device": (["COMPLETED b'\\x01\\x01' b'\\x07\\x07'"], ""),
    "missing_sync_of_instructions": (["ERROR", "COMPLETED True"], "the instructions: the program changed it"),
    "sync_of_a_part": (["COMPLETED 2 2 2 3 3 1 1 2"], "buffer argument 0: the program changed it"),
    "sync_beyond_the_end": (
        ["Invalid BO offset and size for sync'ing: 262144, 4096 (err=22): Invalid argument"],
        "",
    ),
    "too_many_contexts": (
        [
            "6 DRM_IOCTL_AMDXDNA_CREATE_HWCTX IOCTL failed (err=-2): No such file or directory",
            "COMPLETED True",
            "COMPLETED True",
        ],
        "npu1 takes 6 hardware contexts at a time",
    ),
    "runlist": (["True", "True"], ""),
    "runlist_with_error": (["runlist failed execution (ERT_CMD_STATE_ERROR)"], "opcode, is 2"),
    "many_in_flight": (["COMPLETED"], ""),
    "sub_buffer": ([f"COMPLETED {bytes([9] * 16)}"], ""),
    "memory_of_the_program": ([f"COMPLETED {bytes([5] * 8 + [6] * 8)}", "True"], ""),
    "buffers_come_and_go": (["done"], ""),
    "information": (["1 RyzenAI-npu1", "0000:c5:00.1"], ""),
}
ENDLESS = (
    "void passthrough(const signed char *in, signed char *out, int n) { for (volatile int i = 0; ; "
    "i++) out[0] = i; }\n"
)


@pytest.fixture
def own_passthrough(passthrough, tmp_path):
    """A copy that may be changed."""
    folder = tmp_path / "passthrough"
    shutil.copytree(Path(passthrough).parent, folder)
    return folder / Path(passthrough).name


@pytest.mark.parametrize("case", CASES)
def test_case_gives_what_an_npu_would(emulated, passthrough, case):
    printed, said = CASES[case]
    done = emulated.python("cases.py", case, passthrough)
    assert done.stdout.splitlines() == printed, done.stderr
    assert said in done.stderr
    assert ("npuninja emu:" in done.stderr) == bool(said)
    assert done.returncode == 0


def test_one_memory_for_host_and_npu(emulated, passthrough):
    for case, right in (("missing_sync_to_device", b"\7\7"), ("missing_sync_from_device", b"\7\7")):
        done = emulated.python("cases.py", case, passthrough, options=["--coherent"])
        assert done.stdout.splitlines()[0].startswith(f"COMPLETED {right}"), done.stderr


def test_log_goes_where_the_setting_says(emulated, passthrough, tmp_path):
    log = tmp_path / "log"
    done = emulated.python("cases.py", "wrong_opcode", passthrough, options=["--log", str(log)])
    assert "npuninja emu" not in done.stderr
    assert "opcode, is 2, expected 3" in log.read_text()


def test_hang_times_out_and_is_explained(wasm_build, emulated):
    text = (
        (ROOT / "mlir" / "passthrough.mlir")
        .read_text()
        .replace("aie.objectfifo.release @out(Produce, 1)", "")
    )
    done = emulated.python("cases.py", "hang", Chain(wasm_build, "passthrough", text).run())
    assert done.stdout == "TIMEOUT TIMEOUT\n"
    assert "deadlock: nothing can move any more" in done.stderr
    assert "waits for lock" in done.stderr


def test_wait_ends_before_an_endless_command_times_out(wasm_build, emulated):
    manifest = Chain(wasm_build, "passthrough", kernels={"passthrough.o": ENDLESS}).run()
    done = emulated.python("cases.py", "wait_with_limit", manifest, options=["--time-limit", "2"])
    # XRT's words for a wait that ends before its command.
    assert done.stdout.splitlines() == ["qds_device::wait() unexpected command state", "True TIMEOUT"], (
        done.stderr
    )
    assert "passthrough.c:1" in done.stderr


def test_contexts_work_side_by_side(wasm_build, emulated, passthrough):
    other = Chain(wasm_build, "self_test").run()
    done = emulated.python("cases.py", "contexts_side_by_side", passthrough, other)
    assert done.stdout.splitlines() == ["COMPLETED True COMPLETED True"] * 3, done.stderr


def test_program_memory_without_aie2_code_is_refused(emulated, own_passthrough):
    xclbin = write_xclbin([XclbinKernel((CONFORMANCE / "gain_bytes" / "main.pdi").read_bytes())], 1, [1])
    own_passthrough.with_name("design.xclbin").write_bytes(xclbin)
    done = emulated.python("cases.py", "refused", str(own_passthrough))
    assert "DRM_IOCTL_AMDXDNA_CONFIG_HWCTX IOCTL failed (err=-22): Invalid argument" in done.stdout
    assert "core (0, 2) has no AIE2 program: from address 0" in done.stderr


def test_more_columns_than_there_are_are_refused(emulated, own_passthrough):
    path = own_passthrough.with_name("design.xclbin")
    section = read_xclbin(path.read_bytes(), "x").section(AIE_PARTITION)
    assert section is not None
    (pdi,) = read_aie_partition(section.data, "x").pdis
    path.write_bytes(write_xclbin([XclbinKernel(pdi.image)], 8, [0]))
    assert "CREATE_HWCTX IOCTL failed (err=-22)" in emulated.good("cases.py", "refused", str(own_passthrough))


def test_without_the_emulation_there_is_no_npu(xrt):
    program = "import pyxrt; print(pyxrt.enumerate_devices())"
    done = subprocess.run(
        [f"{xrt}/xrt/bin/python3", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "0\n"
