"""Builds that are killed, starved, moved and raced: what comes out at the end is what a clean build gives."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from build_project import PROJECTS, Project
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from npuninja.source_places import SUFFIX

NINJA = str(Path(sys.executable).parent / "ninja")
EMBEDDED = '[providers]\npdi = "embedded"\nxclbin = "embedded"\n'
#: Continuous integration has 200 of them.
KILLS = int(os.environ.get("NPUNINJA_KILLS", "20"))


def outputs(project: Project, build: str = "build") -> dict[str, bytes]:
    """Every file that the stages made, by name; places of lines are for messages and no results."""
    folder = project.folder / build / "npu1_1col"
    made = (path for path in folder.rglob("*") if path.is_file() and path.suffix != SUFFIX)
    return {str(path.relative_to(folder)): path.read_bytes() for path in made}


def copy(project: Project, name: str) -> Project:
    """The same sources in another folder, not configured."""
    other = Project(project.folder.parent / name, project.tools)
    shutil.copytree(
        project.folder, other.folder, ignore=lambda _, names: [n for n in names if n in NOT_SOURCES]
    )
    return other


NOT_SOURCES = {"build", "build.ninja", ".build.ninja.d", "compile_commands.json"}


def clean_build(project: Project) -> dict[str, bytes]:
    """What a build from nothing makes of the same sources."""
    other = copy(project, "clean")
    try:
        other.configure()
        other.ninja()
        return outputs(other)
    finally:
        shutil.rmtree(other.folder)


@pytest.fixture
def configured(project: Project) -> Project:
    """The project `plain`, configured with the embedded providers."""
    project.write("toolchain.toml", EMBEDDED)
    project.configure()
    return project


def session(leader: int) -> list[int]:
    """The processes of a session: Ninja gives each command a process group of its own."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            process, _, fields = stat.read_text(encoding="utf-8", errors="replace").partition(" (")
            if int(fields.rpartition(")")[2].split()[3]) == leader:
                found.append(int(process))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc to find processes in")
@pytest.mark.slow
def test_killed_builds_leave_nothing_wrong(configured):
    rng = random.Random(1)
    start = time.monotonic()
    configured.ninja()
    whole_s = time.monotonic() - start
    expected = outputs(configured)
    for _ in range(KILLS):
        if rng.random() < 0.5:
            # Killed compilers' children may still be writing.
            shutil.rmtree(configured.folder / "build/npu1_1col", ignore_errors=True)
        else:
            configured.write("kernels/gain/scale.h", f"#define ELEMENTS 64\n// {rng.random()}\n")
        building = subprocess.Popen(
            [NINJA, "-C", str(configured.folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(rng.uniform(0, whole_s))
        # Ninja alone, so that its stages live on during the next build; or all at once, as in a power cut.
        killed = [building.pid] if rng.random() < 0.5 else session(building.pid)
        for process in killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        building.wait()
    shutil.copy(PROJECTS / "plain/kernels/gain/scale.h", configured.folder / "kernels/gain/scale.h")
    configured.ninja()
    found = {name: data for name, data in outputs(configured).items() if "/.new" not in f"/{name}"}
    assert found == expected
    assert "no work to do" in configured.ninja().stdout


def test_a_source_from_the_future_is_built_right(configured):
    future = time.time() + 86400
    os.utime(configured.folder / "kernels/gain/scale.h", (future, future))
    configured.ninja()
    configured.edit("kernels/gain/scale.h", "64", "32")
    os.utime(configured.folder / "kernels/gain/scale.h", (future + 60, future + 60))
    configured.ninja()
    assert outputs(configured) == clean_build(configured)


def test_a_build_elsewhere_writes_nothing_among_the_sources(project):
    project.write("toolchain.toml", EMBEDDED)
    before = {path: path.stat().st_mtime_ns for path in project.folder.rglob("*")}
    elsewhere = str(project.folder.parent / "elsewhere")
    project.configure("-B", elsewhere)
    project.ninja("-C", elsewhere)
    project.ninja("-C", elsewhere, "run")
    assert {path: path.stat().st_mtime_ns for path in project.folder.rglob("*")} == before


def test_a_full_disk_is_reported_and_got_over(project):
    disk = project.folder.parent / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(disk)]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        project.write("toolchain.toml", EMBEDDED)
        project.configure("-B", str(disk))
        filler = disk / "filler"
        free = shutil.disk_usage(disk).free
        filler.write_bytes(bytes(max(0, free - 8192)))
        printed = project.ninja("-C", str(disk), code=None).stdout
        assert "No space left" in printed or "no space left" in printed
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        project.ninja("-C", str(disk))
        assert "all 256 elements are right" in project.ninja("-C", str(disk), "run").stdout
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_two_builds_at_once_do_not_meet(project):
    project.write("toolchain.toml", EMBEDDED)
    for place in ("one", "two"):
        project.configure("-B", place)
    running = [
        subprocess.Popen([NINJA, "-C", str(project.folder / place)], stdout=subprocess.DEVNULL)
        for place in ("one", "two")
    ]
    assert [process.wait() for process in running] == [0, 0]
    assert outputs(project, "one") == outputs(project, "two") != {}


def test_a_moved_project_is_configured_again_and_built_right(configured):
    configured.ninja()
    expected = outputs(configured)
    moved = Project(configured.folder.parent / "moved", configured.tools)
    configured.folder.rename(moved.folder)
    moved.configure()
    moved.ninja()
    assert outputs(moved) == expected
    assert "all 256 elements are right" in moved.ninja("run").stdout


def test_a_deleted_header_is_named_and_may_come_back(configured):
    configured.ninja()
    expected = outputs(configured)
    header = configured.folder / "kernels/gain/scale.h"
    header.rename(configured.folder / "scale.h")
    printed = configured.ninja(code=None).stdout
    assert "'scale.h' file not found" in printed
    (configured.folder / "scale.h").rename(header)
    configured.ninja()
    assert outputs(configured) == expected


EDITS = {
    "factor": ("mlir/gain.mlir", lambda rng: ("constant 3 : i32", f"constant {rng.randrange(4, 99)} : i32")),
    "header": ("kernels/gain/scale.h", lambda rng: ("64", rng.choice(["32", "16", "8"]))),
    "comment": (
        "mlir/gain.mlir",
        lambda rng: ("// Multiplies bytes.", f"// {rng.random()}\n// Multiplies bytes."),
    ),
    "kernel": ("kernels/gain/gain.c", lambda rng: ("* factor", f"* factor + {rng.randrange(1, 99)}")),
    "transfer": (
        "mlir/gain.mlir",
        lambda rng: ("1, 256][0, 0, 0, 1]) {id = 0", "2, 128][0, 0, 128, 1]) {id = 0"),
    ),
    "reference": ("host/gain.py", lambda rng: ("* 3", f"* {rng.randrange(4, 9)}")),
}


TEN_EDITS = st.lists(st.sampled_from([*EDITS, "delete", "restore"]), min_size=10, max_size=10)


@pytest.mark.slow
@settings(
    max_examples=3 if os.environ.get("CI") else 1, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(edits=TEN_EDITS, seed=st.integers(0, 1 << 30))
def test_ten_edits_in_a_row_give_what_a_clean_build_gives(tmp_path_factory, edits, seed):
    folder = tmp_path_factory.mktemp("edits")
    (folder / "tools").mkdir()
    project = Project(folder / "project", folder / "tools")
    shutil.copytree(PROJECTS / "plain", project.folder)
    project.write("toolchain.toml", EMBEDDED)
    project.configure()
    rng = random.Random(seed)
    for edit in edits:
        if edit == "delete":
            built = sorted(
                path for path in (project.folder / "build").glob("npu1_1col/**/*") if path.is_file()
            )
            if built:
                rng.choice(built).unlink()
        elif edit == "restore":
            shutil.copytree(
                PROJECTS / "plain", project.folder, dirs_exist_ok=True, copy_function=shutil.copyfile
            )
        else:
            file, change = EDITS[edit]
            old, new = change(rng)
            path = project.folder / file
            path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
        project.ninja()
    assert outputs(project) == clean_build(project)
