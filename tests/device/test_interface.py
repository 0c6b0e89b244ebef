"""Every device does what the interface says: emulated array, no device, XRT in this or a worker's process.

A stand-in for pyxrt has a runlist, another has none. tests/xrt_emulation has the same for stock XRT.
"""

import shlex
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT
from device_suite import Case, DeviceSuite

from npuninja.detect.pyxrt_import import OtherPyxrt, import_pyxrt
from npuninja.device.emulated import EmulatedDevice
from npuninja.device.manifest import read_manifest
from npuninja.device.null import NullDevice
from npuninja.device.program import program_of
from npuninja.device.xrt import open_with
from npuninja.device.xrt_remote import RemoteXrtDevice
from npuninja.errors import DeviceError

FAKE = Path(__file__).with_name("fake_pyxrt.py")


def doubled(data):
    return b"".join(struct.pack("<i", 2 * value) for (value,) in struct.iter_unpack("<i", data))


@pytest.fixture
def xrt_program(built):
    """The design of the stand-in, for a real NPU."""
    built.real_xclbin()
    return program_of(read_manifest(built.write(core_kind="aie2")))


class TestEmulatedArray(DeviceSuite):
    @pytest.fixture
    def case(self, passthrough, endless_passthrough):
        device = EmulatedDevice()
        program = program_of(read_manifest(passthrough))
        yield Case(
            device, program, 262144, lambda data: data, lambda: program_of(read_manifest(endless_passthrough))
        )
        device.close()

    def test_endless_core_is_named_with_the_limit_of_the_wait(self, endless_passthrough):
        device = EmulatedDevice()
        device.load(program_of(read_manifest(endless_passthrough)))
        buffers = [device.allocate(262144, position) for position in (0, 1)]
        with pytest.raises(DeviceError, match=r"is still in passthrough after 0\.3 s"):
            device.run(buffers, 0.3)
        device.close()


class TestNoDevice(DeviceSuite):
    @pytest.fixture
    def case(self, xrt_program):
        return Case(NullDevice(), xrt_program, 256, None, lambda: xrt_program)

    def test_buffer_of_another_device_is_refused(self, loaded):
        # The null device looks at no buffer.
        loaded.device.run([loaded.buffers()[0], NullDevice().allocate(256, 1)], 1.0)

    def test_run_that_does_not_end(self, loaded):
        assert loaded.device.run(loaded.buffers(), 0.2) < 0.2  # nothing runs


@pytest.fixture(params=["with a runlist", "without a runlist"])
def pyxrt_path(request, tmp_path):
    folder = tmp_path / "pyxrt"
    folder.mkdir()
    path = folder / "pyxrt.py"
    shutil.copy(FAKE, path)
    if request.param == "without a runlist":
        path.write_text(path.read_text() + "\ndel runlist\n")
    return path


class TestXrt(DeviceSuite):
    @pytest.fixture
    def case(self, pyxrt_path, xrt_program, monkeypatch):
        monkeypatch.delitem(sys.modules, "pyxrt", raising=False)
        device = open_with(import_pyxrt(str(pyxrt_path)))
        yield Case(device, xrt_program, 256, doubled, lambda: xrt_program._replace(kernel="SLOW"))
        device.close()
        sys.modules.pop("pyxrt", None)


class TestXrtInAnotherPython(DeviceSuite):
    @pytest.fixture
    def case(self, pyxrt_path, xrt_program):
        device = RemoteXrtDevice(OtherPyxrt(str(pyxrt_path), sys.executable))
        yield Case(device, xrt_program, 256, doubled, lambda: xrt_program._replace(kernel="SLOW"))
        device.close()


WAIT_FOR_LONG = """
import sys
from npuninja.device.api import Program
from npuninja.detect.pyxrt_import import OtherPyxrt
from npuninja.device.xrt_remote import RemoteXrtDevice

pyxrt, xclbin = sys.argv[1:]
device = RemoteXrtDevice(OtherPyxrt(pyxrt, sys.executable))
device.load(Program(xclbin, open(xclbin, "rb").read(), bytes(24), "SLOW", "aie2"))
buffers = [device.allocate(256, position) for position in (0, 1)]
buffers[1].view[:] = b"a" * 256
started = device.start([buffers])
print(device._process.pid, flush=True)
device.wait(started, 3600.0)
"""


@pytest.mark.parametrize("limit_kib", [3_000_000, 6_000_000])
def test_address_space_that_is_limited_is_reported(passthrough, limit_kib):
    script = (
        f"ulimit -v {limit_kib}; exec {shlex.join([sys.executable, '-m', 'npuninja', 'run', passthrough])}"
    )
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "no room for its memories" in done.stderr
    assert "ulimit -v unlimited" in done.stderr


def test_ctrl_c_ends_an_endless_core(endless_passthrough):
    command = [sys.executable, "-m", "npuninja", "run", endless_passthrough, "--time-limit", "100"]
    not_ignored = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    runner = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **not_ignored
    )
    while "inputs:" not in runner.stdout.readline():
        assert runner.poll() is None
    time.sleep(0.5)  # so that the core is at work, most of the times
    runner.send_signal(signal.SIGINT)
    _, said = runner.communicate(timeout=60)
    assert (runner.returncode, said) == (130, "interrupted\n")


def test_worker_ends_with_a_runner_that_is_killed_while_it_waits(pyxrt_path, xrt_program):
    command = [sys.executable, "-c", WAIT_FOR_LONG, str(pyxrt_path), xrt_program.xclbin_path]
    runner = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    process_id = runner.stdout.readline().strip()
    assert process_id.isdigit()
    worker = Path("/proc") / process_id
    time.sleep(0.1)  # so that it waits, most of the times
    assert worker.exists()
    runner.kill()
    runner.communicate()
    until = time.monotonic() + 30
    while has_program(worker):
        assert time.monotonic() < until
        time.sleep(0.02)


def has_program(process):
    """Whether a process runs; one that has ended may stay listed until somebody asks for its exit code."""
    try:
        return (process / "cmdline").read_bytes() != b""
    except OSError:
        return False
