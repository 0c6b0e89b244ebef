"""Doctor on made-up machines: a complete one, nothing at all, and one broken at each rung of the ladder."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from npuninja.commands import doctor as command
from npuninja.detect.machine import Toolchain, this_python
from npuninja.detect.tool import AbsentTool, Candidate, Detection, FoundTool, Surroundings
from npuninja.diag import doctor
from npuninja.diag.machine import MachineFacts, this_machine
from npuninja.diag.rung import Rung
from npuninja.diag.rungs_npu import npu_ladder
from npuninja.records import replace

RELEASE = "6.14.0-34-generic"
ADDRESS = "0000:c5:00.1"
PCI = f"sys/bus/pci/devices/{ADDRESS}"
OWN = f"lib/modules/{RELEASE}/kernel/drivers/accel/amdxdna/amdxdna.ko.zst"
DKMS = f"lib/modules/{RELEASE}/updates/dkms/amdxdna.ko"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
RUNGS = [
    "system", "NPU on the PCI bus", "kernel module", "driver", "firmware", "kernel log", "device node", "permission",
    "locked memory", "XRT", "XRT's NPU plug-in",
]  # fmt: skip

COMPLETE = {
    "proc/sys/kernel/osrelease": RELEASE + "\n",
    "proc/1/cgroup": "0::/init.scope\n",
    f"{PCI}/vendor": "0x1022\n",
    f"{PCI}/device": "0x17f0\n",
    f"{PCI}/fw_version": "1.5.2.380\n",
    f"{PCI}/driver/bind": "",
    "sys/bus/pci/devices/0000:00:01.0/vendor": "0x1022\n",
    "sys/bus/pci/devices/0000:00:01.0/device": "0x14e8\n",
    "sys/module/amdxdna/version": "2.20.0\n",
    OWN: "",
    "lib/firmware/amdnpu/17f0_10/npu.sbin.zst": "",
    "dev/accel/accel0": "",
    f"{LIBRARIES}/libxrt_coreutil.so.2.20.0": "",
    f"{LIBRARIES}/libxrt_driver_xdna.so.2.20.0": "",
}


class Fake:
    """A made-up machine that tests take apart."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.machine = MachineFacts(str(root), {}, None, "")
        for name, text in COMPLETE.items():
            self.write(name, text)

    def write(self, name: str, text: str = "") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def remove(self, *names: str) -> None:
        for name in names:
            path = self.root / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def change(self, **fields: object) -> None:
        self.machine = dataclasses.replace(self.machine, **fields)  # type: ignore[arg-type]

    def ladder(self) -> list[Rung]:
        return npu_ladder(self.machine)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path / "machine")


def test_a_complete_machine(fake: Fake) -> None:
    ladder = fake.ladder()
    assert [rung.name for rung in ladder] == RUNGS
    assert {rung.verdict for rung in ladder} == {"ok"}
    found = {rung.name: rung.found for rung in ladder}
    assert found["NPU on the PCI bus"] == f"{ADDRESS}: npu2 (Strix, Strix Halo, Krackan)"
    assert found["kernel module"] == f"amdxdna 2.20.0 is loaded, the kernel's own: /{OWN}"
    assert found["firmware"] == "1.5.2.380 is loaded, file /lib/firmware/amdnpu/17f0_10/npu.sbin.zst"
    assert found["XRT"] == f"2.20.0 (/{LIBRARIES})"


def test_nothing_at_all(tmp_path: Path) -> None:
    ladder = npu_ladder(MachineFacts(str(tmp_path), {}, None, None))
    assert [(rung.name, rung.verdict) for rung in ladder] == [
        ("system", "unknown"),
        ("NPU on the PCI bus", "unknown"),
        ("kernel module", "absent"),
    ]
    assert ladder[-1].found == "there is no amdxdna for Linux (unknown)"


def wsl(fake: Fake) -> None:
    fake.write("proc/sys/kernel/osrelease", "5.15.167.4-microsoft-standard-WSL2")


def no_npu(fake: Fake) -> None:
    fake.remove(PCI)


def no_module(fake: Fake) -> None:
    fake.remove("sys/module/amdxdna", OWN)


def old_kernel(fake: Fake) -> None:
    no_module(fake)
    fake.write("proc/sys/kernel/osrelease", "6.8.0-40-generic")


def no_module_in_container(fake: Fake) -> None:
    no_module(fake)
    fake.write(".dockerenv")


def module_not_loaded(fake: Fake) -> None:
    fake.remove("sys/module/amdxdna")


def blacklisted(fake: Fake) -> None:
    fake.remove("sys/module/amdxdna")
    fake.write("etc/modprobe.d/npu.conf", "# no NPU\nblacklist amdxdna\n")


def not_bound(fake: Fake) -> None:
    fake.remove(f"{PCI}/driver")


def not_bound_iommu(fake: Fake) -> None:
    not_bound(fake)
    fake.change(kernel_log=f"[1.0] amdxdna {ADDRESS}: SVA bind device failed -19\n")


def wrong_firmware(fake: Fake) -> None:
    fake.change(kernel_log=f"[2.0] amdxdna {ADDRESS}: Incompatible firmware protocol major 7 minor 3\n")


def no_node(fake: Fake) -> None:
    fake.remove("dev/accel/accel0")


def no_node_in_container(fake: Fake) -> None:
    fake.remove("dev/accel")
    fake.write("proc/1/cgroup", "0::/system.slice/docker-0123.scope\n")


def no_permission(fake: Fake) -> None:
    fake.change(forbidden=frozenset({"dev/accel/accel0"}))


def little_memlock(fake: Fake) -> None:
    fake.change(locked_memory_bytes=8 << 20)


def emulation_mode(fake: Fake) -> None:
    fake.change(environment={"XCL_EMULATION_MODE": "sw_emu"})


def no_xrt(fake: Fake) -> None:
    fake.remove(f"{LIBRARIES}/libxrt_coreutil.so.2.20.0")


def no_plug_in(fake: Fake) -> None:
    fake.remove(f"{LIBRARIES}/libxrt_driver_xdna.so.2.20.0")


def plug_in_of_another_release(fake: Fake) -> None:
    no_plug_in(fake)
    fake.write(f"{LIBRARIES}/libxrt_driver_xdna.so.2.18.0")


@pytest.mark.parametrize(
    ("break_it", "rung", "found", "fix"),
    [
        (wsl, "system", "WSL", "on Windows"),
        (no_npu, "NPU on the PCI bus", "no device 1022:1502, 1022:17f0", "firmware setup"),
        (no_module, "kernel module", f"there is no amdxdna for Linux {RELEASE}", "amdxdna-dkms"),
        (
            old_kernel,
            "kernel module",
            "there is no amdxdna for Linux 6.8.0-40-generic",
            "Linux 6.14 or newer",
        ),
        (no_module_in_container, "kernel module", "there is no amdxdna", "on the host"),
        (
            module_not_loaded,
            "kernel module",
            "is there and not loaded, the kernel's own",
            "sudo modprobe amdxdna",
        ),
        (blacklisted, "kernel module", "blacklisted in /etc/modprobe.d/npu.conf", "remove that line"),
        (not_bound, "driver", f"does not drive {ADDRESS}", "dmesg"),
        (not_bound_iommu, "driver", f"does not drive {ADDRESS}", "IOMMU"),
        (wrong_firmware, "kernel log", "reports an error", "firmware and amdxdna of one release"),
        (no_node, "device node", "there is no /dev/accel/accel0", "CONFIG_DRM_ACCEL"),
        (no_node_in_container, "device node", "there is no /dev/accel/accel0", "--device /dev/accel/accel0"),
        (no_permission, "permission", "/dev/accel/accel0 may not be opened", "usermod -aG render"),
        (little_memlock, "locked memory", "limited to 8388608 bytes", "memlock unlimited"),
        (emulation_mode, "XRT", "XCL_EMULATION_MODE=sw_emu", "unset"),
        (no_xrt, "XRT", "there is no libxrt_coreutil", "install XRT"),
        (no_plug_in, "XRT's NPU plug-in", "there is no libxrt_driver_xdna", "libxrt-npu2"),
        (plug_in_of_another_release, "XRT's NPU plug-in", "2.18.0, XRT is 2.20.0", "one release"),
    ],
)
def test_the_ladder_ends_at_the_first_broken_rung(
    fake: Fake, break_it: Callable[[Fake], None], rung: str, found: str, fix: str
) -> None:
    break_it(fake)
    ladder = fake.ladder()
    assert [r.name for r in ladder] == RUNGS[: RUNGS.index(rung) + 1]
    assert not any(r.broken for r in ladder[:-1])
    assert ladder[-1].verdict == "absent"
    assert found in ladder[-1].found
    assert fix in ladder[-1].fix


def test_remarks_do_not_end_the_ladder(fake: Fake) -> None:
    fake.remove("lib/firmware", f"{PCI}/fw_version")
    fake.change(kernel_log=None, locked_memory_bytes=1 << 30)
    ladder = fake.ladder()
    assert [rung.name for rung in ladder] == RUNGS
    verdicts = {rung.name: rung.verdict for rung in ladder if rung.verdict != "ok"}
    assert verdicts == {"firmware": "warn", "kernel log": "unknown", "locked memory": "warn"}
    assert all(rung.fix for rung in ladder if rung.verdict != "ok")


def test_an_added_module_goes_first_and_a_container_is_named(fake: Fake) -> None:
    fake.write(DKMS)
    fake.write("run/.containerenv")
    found = {rung.name: rung.found for rung in fake.ladder()}
    assert (
        found["kernel module"] == f"amdxdna 2.20.0 is loaded, added to the kernel (DKMS or by hand): /{DKMS}"
    )
    assert found["system"] == f"a container, Linux {RELEASE}"


def test_xrt_under_opt_and_where_xilinx_xrt_says(fake: Fake) -> None:
    fake.remove(LIBRARIES)
    for root in ("opt/xilinx/xrt", "srv/xrt"):
        fake.write(f"{root}/lib/libxrt_coreutil.so.2")
        fake.write(f"{root}/lib/libxrt_driver_xdna.so.2")
        fake.write(f"{root}/version.json", '{ "BUILD_VERSION" : "2.19.194" }')
    assert fake.ladder()[-2].found == "2.19.194 (/opt/xilinx/xrt/lib)"
    fake.change(environment={"XILINX_XRT": "/srv/xrt"})
    assert fake.ladder()[-2].found == "2.19.194 (/srv/xrt/lib)"
    assert fake.ladder()[-1].verdict == "ok"


OTHER_PYTHON = (
    Candidate("/usr/lib/pyxrt.cpython-314-x86_64-linux-gnu.so", "usual place"),
    "built for cpython-314",
)


def toolchain(*, pyxrt: bool = True) -> Toolchain:
    """A toolchain of which only pyxrt, Ninja and the compiler are looked at."""
    absent = ("clang", "wasm-ld", "bootgen", "xclbinutil", "aie-opt", "aie-translate", "peano")
    found = ("ninja", "ziglang", *(["pyxrt"] if pyxrt else []))
    outcomes: dict[str, Detection] = {
        name: AbsentTool(name, f"use {name}", f"install {name}") for name in absent
    }
    outcomes["pyxrt"] = AbsentTool(
        "pyxrt", "run on a real NPU", "install XRT for this Python", (OTHER_PYTHON,)
    )
    outcomes.update({name: FoundTool(name, f"/x/{name}", "PATH", "1.2", "") for name in found})
    return Toolchain(outcomes, this_python())


SURROUNDINGS = Surroundings({"PATH": ""}, {}, (), sys.executable)


def test_pyxrt_of_another_python_ends_the_ladder(fake: Fake) -> None:
    parts = doctor.examine(SURROUNDINGS, toolchain(pyxrt=False), fake.machine, None)
    assert [rung.name for rung in parts[doctor.NPU]] == [*RUNGS, "pyxrt"]
    assert "built for cpython-314" in parts[doctor.NPU][-1].found
    assert not doctor.npu_ready(parts[doctor.NPU])
    assert "The way to a real NPU ends at: pyxrt" in doctor.text(parts)


def test_the_last_rung_is_a_dispatch(fake: Fake, tmp_path: Path) -> None:
    parts = doctor.examine(SURROUNDINGS, toolchain(), fake.machine, None)
    assert (parts[doctor.NPU][-1].name, parts[doctor.NPU][-1].verdict) == ("dispatch", "unknown")
    assert doctor.npu_ready(parts[doctor.NPU])
    # Without an NPU the runner says so, and the rung is broken.
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    parts = doctor.examine(SURROUNDINGS, toolchain(), fake.machine, str(broken))
    assert parts[doctor.NPU][-1].verdict == "absent"
    assert "broken.json" in parts[doctor.NPU][-1].found
    (tmp_path / "python").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "python").chmod(0o755)
    good = replace(SURROUNDINGS, python=str(tmp_path / "python"))
    parts = doctor.examine(good, toolchain(), fake.machine, "m.json")
    assert parts[doctor.NPU][-1] == Rung("dispatch", "ok", "m.json ran and its results are right")


def test_several_ninjas_are_named(tmp_path: Path, fake: Fake) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ninja").write_text(folder)
    both = replace(SURROUNDINGS, environment={"PATH": f"{tmp_path}/a{os.pathsep}{tmp_path}/b"})
    (rung,) = [
        r for r in doctor.examine(both, toolchain(), fake.machine, None)[doctor.BUILD] if r.name == "ninja"
    ]
    assert rung.verdict == "warn"
    assert f"{tmp_path}/a/ninja, {tmp_path}/b/ninja" in rung.found


@pytest.mark.parametrize(("peano", "verdicts"), [("/venv/llvm-aie", []), ("/opt/llvm-aie", ["warn"])])
def test_a_mixture_of_two_toolchains_is_remarked(fake: Fake, peano: str, verdicts: list[str]) -> None:
    tools = toolchain()
    tools.outcomes["aie-opt"] = FoundTool("aie-opt", "/venv/mlir_aie/bin/aie-opt", "Python package", "22", "")
    tools.outcomes["peano"] = FoundTool("peano", f"{peano}/bin/llc", "Python package", "19", "")
    found = [
        r
        for r in doctor.examine(SURROUNDINGS, tools, fake.machine, None)[doctor.TOOLS]
        if r.name == "one toolchain"
    ]
    assert [rung.verdict for rung in found] == verdicts
    assert all(rung.found == "MLIR-AIE is in /venv, Peano in /opt" for rung in found)


def test_packages_that_hide_the_standard_library_are_named(tmp_path: Path, fake: Fake) -> None:
    for name in ("dataclasses.py", "numpy", "six.py"):
        (tmp_path / name).touch()
    shadowed = replace(SURROUNDINGS, package_folders=(str(tmp_path), str(tmp_path / "none")))
    (rung,) = [
        r
        for r in doctor.examine(shadowed, toolchain(), fake.machine, None)[doctor.BUILD]
        if r.name == "packages"
    ]
    assert rung.verdict == "warn"
    assert rung.found.endswith(f": {tmp_path}/dataclasses.py")
    names = [r.name for r in doctor.examine(SURROUNDINGS, toolchain(), fake.machine, None)[doctor.BUILD]]
    assert names == ["python", "numpy", "wasmtime", "ninja", "compiler for emulated cores"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ann/xrt/lib", "~/xrt/lib"),
        ("/home/anna/xrt (PATH): /home/bob/x", "/home/…/xrt (PATH): /home/…/x"),
        ("/Users/carl/x, /opt/xilinx", "/Users/…/x, /opt/xilinx"),
        ("/home/ann", "~"),
    ],
)
def test_home_folders_are_not_printed(text: str, shown: str) -> None:
    rung = doctor.redacted(Rung("x", "absent", text, text), {"HOME": "/home/ann"})
    assert (rung.found, rung.fix) == (shown, shown)


def test_json_and_exit_code(capsys, monkeypatch, fake: Fake) -> None:
    monkeypatch.setattr(command, "this_machine", lambda environment: fake.machine)
    monkeypatch.setattr(command, "detect", lambda surroundings, cache: toolchain(pyxrt=False))
    assert command.main(["--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["usable"] is True
    assert report["npu"] is False
    assert [r["name"] for r in report["rungs"] if r["part"] == "NPU"] == [*RUNGS, "pyxrt"]
    without = toolchain()
    without.outcomes["ziglang"] = AbsentTool("ziglang", "compile kernels", "pip install ziglang")
    monkeypatch.setattr(command, "detect", lambda surroundings, cache: without)
    assert command.main([]) == 3
    printed = capsys.readouterr().out
    assert "Nothing can be built before this is put right: compiler for emulated cores." in printed
    assert "-> pip install ziglang" in printed


def test_this_machine_can_be_asked() -> None:
    machine = this_machine(os.environ)
    assert machine.root == os.sep
    assert npu_ladder(machine)[0].name == "system"
    assert machine.read("nothing", "there") is None
    assert machine.names("nothing") is None
