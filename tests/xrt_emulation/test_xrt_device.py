"""XrtDevice through stock XRT passes what EmulatedDevice passes (tests/device: designs, interface)."""

import json
import os
import sys
from pathlib import Path

import pytest
from design_chain import DESIGNS, ROOT, Chain
from device_suite import Case, DeviceSuite

from npuninja.commands.emu import emulated_npu
from npuninja.detect.pyxrt_import import find_other_pyxrt
from npuninja.device.manifest import read_manifest
from npuninja.device.program import program_of
from npuninja.device.xrt_remote import RemoteXrtDevice
from npuninja.xrt_emulation.models import model_named

KERNEL = "void passthrough(const signed char *in, signed char *out, int n) {{\n  {}\n}}\n"


@pytest.fixture
def run(emulated):
    """Runs `npuninja run` on the NPU that XRT finds."""

    def runner(*arguments, options=()):
        return emulated.run(
            sys.executable, "-m", "npuninja", "run", *arguments, "--require", "npu", options=options
        )

    return runner


class TestStockXrt(DeviceSuite):
    @pytest.fixture
    def case(self, xrt, monkeypatch, passthrough, endless_passthrough):
        monkeypatch.setenv("NPUNINJA_TOOLS", xrt)
        with emulated_npu(os.environ, model_named("npu1"), sys.stderr, 2.0) as variables:
            for name, value in variables.items():
                monkeypatch.setenv(name, value)  # for the worker, which is started from here
            other = find_other_pyxrt()
            assert other is not None
            device = RemoteXrtDevice(other)
            program, endless = [
                program_of(read_manifest(path)) for path in (passthrough, endless_passthrough)
            ]
            yield Case(device, program, 262144, lambda data: data, lambda: endless)
            device.close()


def test_several_runs_in_flight_are_a_runlist(run, passthrough):
    done = run(passthrough, "--verify", "--bench", "2", "--in-flight", "5", "--json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["verified"] is True
    assert outcome["in_flight"] == {"runs": 5, "way": "a runlist of 4 and a run after it"}


def test_runlist_that_does_not_end_in_time(run, endless_passthrough):
    done = run(endless_passthrough, "--in-flight", "4", "--time-limit", "0.1", options=["--time-limit", "2"])
    assert done.returncode == 4
    assert "the design hangs" in done.stderr


@pytest.mark.parametrize("name", DESIGNS)
def test_design_gives_what_its_reference_says(wasm_build, run, name):
    done = run(Chain(wasm_build, name).run(), "--verify", "--bench", "2", "--json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["verified"] is True
    assert outcome["device"] == "npu"
    assert outcome["times"]["label"] == "emulated"  # an emulated NPU measures nothing
    assert "npuninja emu" not in done.stderr


def test_wrong_kernel_is_found_out(wasm_build, run):
    kernel = KERNEL.format("for (int i = 0; i < n; i++) out[i] = in[i] ^ (i == 77);")
    done = run(Chain(wasm_build, "passthrough", kernels={"passthrough.o": kernel}).run(), "--verify")
    assert done.returncode == 1
    assert "b: 64 of 262144 elements differ" in done.stdout
    assert "b[77]: got" in done.stdout


def test_fault_names_the_kernel_line(wasm_build, run):
    kernel = KERNEL.format("for (int i = 0; i < n; i++) out[i] = in[i]; *(volatile int *)0x28000 = n;")
    done = run(Chain(wasm_build, "passthrough", kernels={"passthrough.o": kernel}).run(), "--verify")
    assert done.returncode == 4
    assert "ERT_CMD_STATE_TIMEOUT" in done.stderr
    assert "passthrough.c:2:" in done.stderr
    assert "0x28000" in done.stderr
    assert "input_with_addresses.mlir:" in done.stderr


def test_missing_release_is_explained(wasm_build, run):
    text = (
        (ROOT / "mlir" / "passthrough.mlir")
        .read_text()
        .replace("aie.objectfifo.release @out(Produce, 1)", "")
    )
    done = run(Chain(wasm_build, "passthrough", text).run(), "--verify", "--json")
    assert done.returncode == 4
    assert json.loads(done.stdout)["exit_code"] == 4
    assert "deadlock" in done.stderr
    assert "out_cons_lock_0" in done.stderr or "out_prod_lock_0" in done.stderr


def test_command_that_does_not_end_in_time(wasm_build, run):
    kernel = KERNEL.format("for (volatile int i = 0; ; i++) out[0] = i;")
    path = Chain(wasm_build, "passthrough", kernels={"passthrough.o": kernel}).run()
    done = run(path, "--time-limit", "0.5", options=["--time-limit", "2"])
    assert done.returncode == 4
    assert "the design hangs" in done.stderr


def test_modules_travel_in_the_xclbin_only(wasm_build, run):
    path = Chain(wasm_build, "pipeline").run()
    keep = {"design.xclbin", "insts.bin", "design.json", "reference.py"}
    for file in Path(path).parent.iterdir():
        if file.name not in keep:
            file.unlink()
    assert run(path, "--verify").returncode == 0


def test_missing_wait_is_remarked(wasm_build, run):
    text = (ROOT / "mlir" / "vector_add.mlir").read_text()
    text = text.replace("metadata = @rhs}", "metadata = @rhs, issue_token = true}")
    text = text.replace("dma_wait {symbol = @sum}", "dma_wait {symbol = @rhs}")
    done = run(Chain(wasm_build, "vector_add", text).run())
    assert "S2MM 0 of tile (0, 0) had not finished BD 2" in done.stderr
