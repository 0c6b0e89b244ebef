"""Two builds of one tree, by different people in different places at different times, give the same bytes."""

import os
import shutil
from pathlib import Path

from build_project import PROJECTS, Project


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by name, as `diff -r` looks at them."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def build(
    folder: Path, tools: Path, source_time_s: int, mask: int, jobs: int, variables: dict[str, str], place: str
) -> Path:
    """Configures and builds a copy of `plain`; returns the folder of its outputs."""
    project = Project(folder, tools)
    shutil.copytree(PROJECTS / "plain", folder)
    project.write("toolchain.toml", '[providers]\npdi = "embedded"\nxclbin = "embedded"\n')
    for path in folder.rglob("*"):
        os.utime(path, (source_time_s, source_time_s))
    project.environment.update(variables)
    before = os.umask(mask)
    try:
        project.configure("-B", place, "--check")
        project.ninja("-C", place, f"-j{jobs}")
        project.ninja("-C", place, "run")
    finally:
        os.umask(before)
    return folder / place / "npu1_1col"


def test_folder_user_locale_time_and_jobs_leave_no_trace(tmp_path, tools):
    first = build(
        tmp_path / "a",
        tools,
        978_307_200,  # 2001-01-01
        0o022,
        1,
        {
            "HOME": str(tmp_path / "ann"),
            "USER": "ann",
            "LOGNAME": "ann",
            "LC_ALL": "C",
            "TZ": "UTC",
            "PYTHONHASHSEED": "1",
        },
        "build",
    )
    second = build(
        tmp_path / "some where/else",
        tools,
        1_700_000_000,  # 2023-11-14
        0o077,
        4,
        {
            "HOME": "/",
            "USER": "bob",
            "LOGNAME": "bob",
            "LC_ALL": "C.UTF-8",
            "LANG": "tr_TR.UTF-8",
            "TZ": "Asia/Tokyo",
        }
        | {"SOURCE_DATE_EPOCH": "1", "PYTHONHASHSEED": "77", "CFLAGS": "-O0", "COLUMNS": "40"},
        "out/put",
    )
    ours, theirs = contents(first), contents(second)
    assert "wasm/gain/gain.xclbin" in ours
    assert sorted(ours) == sorted(theirs)
    # Places of lines, for messages, name the design as it is seen from the build folder.
    differing = [name for name in ours if ours[name] != theirs[name]]
    assert [name for name in differing if not name.endswith(".places")] == []
