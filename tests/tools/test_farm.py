"""Real farms here: builds through them, what happens when their processes die, and that they end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from build_project import PROJECTS, TOOL_VARIABLES, Project
from conftest import ROOT
from fake_tools import installs
from farm.processes import children_of

from npuninja.source_places import SUFFIX

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="farms need Linux")
EMBEDDED = '[providers]\npdi = "embedded"\nxclbin = "embedded"\n'
DESIGN = "build/npu1_1col/wasm/gain"
KERNEL = "kernels/gain/gain.c"


class Farm:
    """A farm in the background."""

    def __init__(self, folder: Path, tools: str, engine: str) -> None:
        self.folder = folder
        self.environment = {k: v for k, v in os.environ.items() if k not in TOOL_VARIABLES}
        self.environment["NPUNINJA_TOOLS"] = tools
        self.command = [sys.executable, str(ROOT / "npuninja"), "farm"]
        self.options = ["--engine", engine, "--workers", "2", "--folder", str(folder)]

    def up(self) -> Farm:
        command = [*self.command, "up", "--background", *self.options]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        content = json.loads((self.folder / "farm.json").read_text(encoding="utf-8"))
        self.address, self.pid = content["address"], content["pid"]
        return self

    def down(self) -> None:
        processes = descendants(self.pid)
        down = [*self.command, "down", "--folder", str(self.folder)]
        done = subprocess.run(down, env=self.environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "the farm has ended\n"), done.stderr
        assert [pid for pid in processes if is_alive(pid)] == []
        wait_until(lambda: not is_alive(self.pid))  # it has let go of everything and is just leaving


def descendants(pid: int) -> list[int]:
    return [found for child in children_of(pid) for found in (child, *descendants(child))]


def is_alive(pid: int) -> bool:
    try:
        state = (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()[0]
        )
    except OSError:
        return False
    return state != "Z"


def wait_until(happened: Callable[[], bool], limit_s: float = 20.0) -> None:
    limit = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.02)


def runners(farm: Farm) -> list[int]:
    """The processes that run an action at this moment."""
    found = []
    for pid in descendants(farm.pid):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        found += [pid] if b"\0buildbox-run-hosttools\0" in words else []
    return found


@pytest.fixture(scope="module")
def casd(buildbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A farm that several tests share, and its cache with it."""
    farm = Farm(tmp_path_factory.mktemp("casd"), buildbox, "casd").up()
    yield farm
    farm.down()


def make_project(folder: Path, tools: Path, buildbox: str) -> Project:
    shutil.copytree(PROJECTS / "plain", folder)
    project = Project(folder, tools)
    project.environment["NPUNINJA_TOOLS"] = buildbox
    project.write("toolchain.toml", EMBEDDED)
    return project


def start_ninja(project: Project) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).parent / "ninja")]
    return subprocess.Popen(command, cwd=project.folder, env=project.environment, stdout=subprocess.DEVNULL)


def change_kernel(project: Project, number: int) -> None:
    """Makes the kernel one that no other test has."""
    project.edit(KERNEL, "(in[i] * factor)", f"(in[i] * factor + {number})")


def made(project: Project, folder: str = "build/npu1_1col") -> dict[str, bytes]:
    """The files of the build, without depfiles and the words of commands."""
    root = project.folder / folder
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in sorted(root.rglob("*"))
        # The first two say where this machine has things, the last what runs elsewhere.
        if p.is_file() and p.suffix not in (".d", SUFFIX, ".words")
    }


def log(project: Project, build: str = "build") -> list[str]:
    """For each remote command of the builds, `ran` or `cached`."""
    return [
        line.split("\t")[0]
        for line in (project.folder / build / "remote.log").read_text(encoding="utf-8").splitlines()
    ]


def test_a_farm_builds_what_this_machine_builds(casd, tmp_path, tools, buildbox):
    here, there = (make_project(tmp_path / name, tools, buildbox) for name in ("here", "there"))
    for project in (here, there):
        change_kernel(project, 1)
        project.write("host/shared.py", "import nothing\n")
        project.write("host/nothing.py", "")
        project.edit("host/gain.py", "import numpy as np\n", "import numpy as np\nimport shared\n")
        project.configure(*(["--remote", casd.address] if project is there else []))
        project.ninja()
    assert made(here) == made(there)
    assert {"gain/shared.py", "gain/nothing.py"} <= {name.removeprefix("wasm/") for name in made(there)}
    assert log(there) == ["ran"] * 5
    assert "no work to do" in there.ninja().stdout
    assert "No missing dependencies on generated files found" in there.ninja("-t", "missingdeps").stdout
    # Increments are as in a build here: depfiles and unchanged outputs come back as Ninja expects them.
    edits = [
        ("kernels/gain/scale.h", "64", "32"),
        (KERNEL, "+ 1);\n}", "+ 1);\n} // the end"),
        ("host/shared.py", "nothing", "nothing  # more"),
        ("mlir/gain.mlir", "// Multiplies bytes.", "// Multiplies bytes by three."),
    ]
    for edit in edits:
        for project in (here, there):
            project.edit(*edit)
        rebuilt = [project.rebuilt() for project in (here, there)]
        assert rebuilt[0]
        # On this machine the link shares a process with what packs it, and runs with it.
        assert set(rebuilt[0]) - set(rebuilt[1]) <= {"core_0_2.wasm"}
        assert set(rebuilt[1]) <= set(rebuilt[0])
        assert made(here) == made(there)


def test_a_cached_result_is_found_from_another_folder(casd, tmp_path, tools, buildbox):
    names = ("a", "b/c", "d", "e f")
    first, second, third, fourth = projects = [
        make_project(tmp_path / n / "project", tools, buildbox) for n in names
    ]
    for project in projects:
        change_kernel(project, 2)
    for project in (first, second):
        project.configure("--remote", casd.address)
        project.ninja()
    assert "ran" in log(first)
    assert log(second) == ["cached"] * 5
    assert made(first) == made(second)
    # The same with build folders outside the project, which name its sources by absolute paths.
    for project in (third, fourth):
        build = project.folder.parent / "b:uild"
        project.configure("--remote", casd.address, "-B", str(build))
        project.ninja("-C", str(build))
        assert "no work to do" in project.ninja("-C", str(build)).stdout
    assert "ran" in log(third, "../b:uild")
    assert log(fourth, "../b:uild") == ["cached"] * 5
    assert made(third, "../b:uild/npu1_1col") == made(fourth, "../b:uild/npu1_1col") == made(first)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.skipif(
    not re.fullmatch(r"[\w./+-]+", sys.executable + str(ROOT)), reason="Make cannot name these folders"
)
def test_make_asks_the_farm_as_ninja_does(casd, tmp_path, tools, buildbox):
    by_ninja, by_make = (make_project(tmp_path / name, tools, buildbox) for name in ("ninja", "make"))
    for project, generator in ((by_ninja, "ninja"), (by_make, "make")):
        change_kernel(project, 4)
        project.configure("--remote", casd.address, "--generator", generator)
    by_ninja.ninja()
    by_make.make()
    assert len(log(by_make)) == 5
    assert made(by_ninja) == {name: data for name, data in made(by_make).items() if ".made-" not in name}
    assert by_make.remade() == []
    by_make.edit("kernels/gain/scale.h", "64", "32")
    assert by_make.remade() == ["CC gain.o", "CDO PDI XCLBIN MANIFEST gain", "LINK core_0_2.wasm"]


def test_a_kernel_that_does_not_compile_is_located_here(casd, tmp_path, tools, buildbox):
    project = make_project(tmp_path / "project", tools, buildbox)
    project.edit(KERNEL, "#include", '#include "lost.h"\n#include')
    build = tmp_path / "outside"
    project.configure("--remote", casd.address, "-B", str(build))
    printed = project.ninja("-C", str(build), "npu1_1col/wasm/kernels/gain.o", code=None).stdout
    assert f"{project.folder}/{KERNEL}:1:10: " in printed
    assert "'lost.h' file not found" in printed


def test_killed_runners_lose_nothing(casd, tmp_path, tools, buildbox):
    project = make_project(tmp_path / "project", tools, buildbox)
    change_kernel(project, 3)
    project.configure("--remote", casd.address)
    ninja = start_ninja(project)
    killed = 0
    while ninja.poll() is None:
        for pid in runners(casd) if killed < 2 else []:
            os.kill(pid, signal.SIGKILL)
            killed += 1
        time.sleep(0.002)
    assert ninja.returncode == 0
    assert killed >= 1
    assert "no work to do" in project.ninja().stdout


def test_a_worker_with_another_toolchain_does_not_serve(casd, tmp_path, tools, buildbox):
    project = make_project(tmp_path / "project", tools, buildbox)
    project.configure("--remote", casd.address)
    settings = project.folder / "build/remote.json"
    content = json.loads(settings.read_text(encoding="utf-8"))
    settings.write_text(json.dumps({**content, "package": "0" * 16}), encoding="utf-8")
    printed = project.ninja("build/npu1_1col/wasm/kernels/gain.o", code=None).stdout
    assert "this worker does not have npuninja=0000000000000000" in printed
    assert "has another toolchain" in printed
    assert not (project.folder / "build/npu1_1col/wasm/kernels/gain.o").exists()


def test_an_address_where_no_server_listens_is_reported(tmp_path, tools, buildbox):
    project = make_project(tmp_path / "project", tools, buildbox)
    project.configure("--remote", f"unix:{tmp_path}/nobody")
    printed = project.ninja("build/npu1_1col/wasm/kernels/gain.o", code=None).stdout
    assert f"the build service at unix:{tmp_path}/nobody did not run the command" in printed
    assert "npuninja farm up" in printed
    assert not (project.folder / "build/npu1_1col/wasm/kernels/gain.o").exists()


def test_ctrl_c_ends_everything(buildbox, tmp_path):
    farm = Farm(tmp_path / "farm", buildbox, "casd")
    process = subprocess.Popen(
        [*farm.command, "up", *farm.options],
        env=farm.environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    assert f"build with: configure.py --remote unix:{farm.folder}" in lines[2]
    processes = descendants(process.pid)
    assert processes
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 0
    assert process.stdout.read() == "the farm has ended\n"
    process.stdout.close()
    assert [pid for pid in processes if is_alive(pid)] == []


def test_nothing_outlives_a_farm_that_is_killed(buildbox, tmp_path):
    farm = Farm(tmp_path / "farm", buildbox, "casd").up()
    processes = descendants(farm.pid)
    assert processes
    os.kill(farm.pid, signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, processes)))
    # And the next one starts in the same folder.
    farm.up().down()


def test_a_second_farm_in_the_same_folder_is_refused(casd):
    done = subprocess.run(
        [*casd.command, "up", *casd.options],
        env=casd.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"a farm is running already: {casd.address}" in done.stderr
    assert "npuninja farm down" in done.stderr


def listening_inodes() -> set[str]:
    """The sockets of this machine on which somebody listens for TCP."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                found.add(fields[9])
    return found


def test_a_farm_listens_where_only_its_user_can_go(casd):
    """On no port, and on a socket in a folder that nobody else can enter."""
    listening = listening_inodes()
    for pid in [casd.pid, *descendants(casd.pid)]:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            target = os.readlink(link)
            assert target.removeprefix("socket:[").removesuffix("]") not in listening
    scheme, _, path = casd.address.partition(":")
    assert scheme == "unix"
    folder = Path(path).parent
    for own in (folder, casd.folder):
        assert (own.stat().st_uid, own.stat().st_mode & 0o077) == (os.getuid(), 0)
    if os.getuid() == 0:
        tries = (
            "import os, socket, sys; os.setgid(65534); os.setuid(65534); "
            "socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        )
        done = subprocess.run(
            [sys.executable, "-c", tries, path], capture_output=True, text=True, check=False
        )
        assert "PermissionError" in done.stderr


@pytest.fixture(scope="module")
def grid(buildgrid: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A BuildGrid with two workers."""
    farm = Farm(tmp_path_factory.mktemp("grid"), buildgrid, "buildgrid").up()
    yield farm
    farm.down()


@pytest.mark.slow
def test_a_killed_worker_of_buildgrid_loses_nothing(grid, buildgrid, tmp_path, tools):
    here, there = (make_project(tmp_path / name, tools, buildgrid) for name in ("here", "there"))
    for project in (here, there):
        project.write("mlir/other.mlir", (project.folder / "mlir/gain.mlir").read_text(encoding="utf-8"))
        project.configure(*(["--remote", grid.address] if project is there else []))
    here.ninja()
    ninja = start_ninja(there)
    wait_until(lambda: bool(runners(grid)) or ninja.poll() is not None)
    # A runner's parent is its worker. Both die at once, as with their machine.
    runner = runners(grid)[0]
    worker = int(Path(f"/proc/{runner}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    os.kill(worker, signal.SIGKILL)
    assert ninja.wait(120) == 0
    assert made(here) == made(there)
    assert "was killed by signal 9 and was started again" in (grid.folder / "farm.log").read_text(
        encoding="utf-8"
    )
    shutil.rmtree(there.folder / DESIGN)
    there.ninja()
    assert log(there)[-4:] == ["cached"] * 4


@pytest.mark.slow
def test_workers_of_other_machines_join(grid, buildgrid, tmp_path, tools):
    project = make_project(tmp_path / "project", tools, buildgrid)
    for number in range(12):
        project.write(f"mlir/g{number}.mlir", (project.folder / "mlir/gain.mlir").read_text(encoding="utf-8"))
    project.configure("--remote", grid.address)
    command = [*grid.command, "join", grid.address, "--workers", "1", "--folder", str(tmp_path / "joined")]
    joined = subprocess.Popen(
        command, env=grid.environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert joined.stdout is not None
        assert joined.stdout.readline() == f"1 worker asks {grid.address} for work; Ctrl-C ends it\n"
        # More at a time than the two workers take, so some is left for the third.
        project.ninja("-j", "13", *(f"build/npu1_1col/wasm/g{number}/insts.bin" for number in range(12)))
    finally:
        processes = descendants(joined.pid)
        joined.send_signal(signal.SIGINT)
        assert joined.wait(30) == 0
        joined.stdout.close()
    assert [pid for pid in processes if is_alive(pid)] == []
    workers = {
        line.split("\t")[1]
        for line in (project.folder / "build/remote.log").read_text(encoding="utf-8").splitlines()
    }
    assert any(f"-{joined.pid}-" in worker for worker in workers), workers


@pytest.mark.slow
def test_real_tools_may_lie_elsewhere_on_the_worker(buildbox, tmp_path, tools):
    machines = {}
    for name in ("client", "worker"):
        root = tmp_path / name / "machine"
        site = installs.venv(root / "venv")
        installs.mlir_aie_wheel(site, "2026-03-15")
        installs.peano_wheel(site)
        installs.xrt(root / "xrt")
        machines[name] = {"VIRTUAL_ENV": str(root / "venv"), "XILINX_XRT": str(root / "xrt")}
    farm = Farm(tmp_path / "farm", buildbox, "casd")
    farm.environment |= machines["worker"]
    farm.up()
    try:
        here, there = (make_project(tmp_path / name, tools, buildbox) for name in ("here", "there"))
        for project in (here, there):
            project.environment |= machines["client"]
            project.write("toolchain.toml", "")
            project.configure(*(["--remote", farm.address] if project is there else []))
            project.ninja()
        assert made(here, "build/npu1_1col/aie2") == made(there, "build/npu1_1col/aie2")
        ran = {
            os.path.basename(line)
            for line in (there.folder / "build/remote.log").read_text(encoding="utf-8").split()
        }
        assert {"core_0_2.elf", "core_0_2.opt.ll", "core_0_2.o", "gain.o", "input_physical.mlir"} <= ran
        assert "no work to do" in there.ninja().stdout
        # Another Peano of the same version is another tool.
        llc = tmp_path / "client/machine/venv/lib/python3.13/site-packages/llvm-aie/bin/llc"
        llc.write_text(llc.read_text(encoding="utf-8") + "# rebuilt\n", encoding="utf-8")
        assert "does not have tool=peano-" in there.ninja(code=None).stdout
    finally:
        farm.down()
