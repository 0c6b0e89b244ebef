"""configure.py ends at once when Ninja starts it and all that it looks at is as it was."""

import os
import shutil

import pytest

from npuninja.configure import watched


@pytest.fixture
def seen(tmp_path):
    """A folder with a file and an output, as a configure has left them a while ago."""
    (tmp_path / "kernels").mkdir()
    for name in ("kernels/k.c", "design.mlir", "build.ninja"):
        (tmp_path / name).write_text(name)
    for name in ("kernels/k.c", "kernels", "design.mlir", "build.ninja"):
        os.utime(tmp_path / name, (1000, 1000))
    keep(tmp_path, 2000)
    return tmp_path


def keep(folder, started_s):
    watched_files = [".", "kernels", "design.mlir", "not there"]
    watched.remember(str(folder), str(folder), started_s * 10**9, watched_files, ["build.ninja"])


def changed(folder):
    return not watched.nothing_changed(str(folder), str(folder))


CHANGES = {
    "a file that is saved by renaming": (lambda f: os.replace(shutil.copy(f / "kernels/k.c", f / "t"), f / "kernels/k.c"), False),
    "another file in the folder of build.ninja": (lambda f: (f / "notes").write_text(""), False),
    "another time of an output": (lambda f: os.utime(f / "build.ninja", (3000, 3000)), False),
    "a new file in a folder": (lambda f: (f / "kernels/l.c").write_text(""), True),
    "a file that has gone": (lambda f: (f / "kernels/k.c").unlink(), True),
    "a folder in the place of a file": (lambda f: ((f / "kernels/k.c").unlink(), (f / "kernels/k.c").mkdir()), True),
    "a file that is looked at": (lambda f: (f / "design.mlir").write_text("another"), True),
    "another time of it": (lambda f: os.utime(f / "design.mlir", (3000, 3000)), True),
    "a file that was not there": (lambda f: (f / "not there").write_text(""), True),
    "a new toolchain.toml": (lambda f: (f / "toolchain.toml").write_text(""), True),
    "an output that has gone": (lambda f: (f / "build.ninja").unlink(), True),
    "a record that has gone": (lambda f: (f / watched.FILE).unlink(), True),
    "a damaged record": (lambda f: (f / watched.FILE).write_text('{"seen": []}'), True),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_a_change(seen, change):
    assert not changed(seen)
    make, expected = CHANGES[change]
    make(seen)
    assert changed(seen) is expected


def test_outputs_become_as_new_as_the_folder(seen):
    (seen / "notes").write_text("")
    assert not changed(seen)
    assert os.stat(seen / "build.ninja").st_mtime_ns >= os.stat(seen).st_mtime_ns


def test_what_changed_while_configure_looked_is_not_taken_for_seen(seen):
    keep(seen, 500)
    assert changed(seen)


def test_a_kernel_saved_by_renaming_is_compiled_and_nothing_is_planned(project):
    """Its folder's time has changed, the folder has not: configure.py looks at nothing and says nothing."""
    project.configure()
    kernel = project.folder / "kernels/gain/gain.c"
    saved = kernel.with_name("saved")
    saved.write_text(kernel.read_text() + "/* edited */\n")
    saved.replace(kernel)
    assert "unchanged" not in project.ninja("build.ninja").stdout
    project.write("kernels/gain/new.c", "int more;\n")
    assert "build.ninja unchanged; next: " in project.ninja("build.ninja").stdout


def test_after_the_settings_are_deleted_ninja_configures_once(project):
    project.write("toolchain.toml", "# nothing is set\n")
    project.configure()
    project.ninja()
    (project.folder / "toolchain.toml").unlink()
    assert "CONFIGURE" in project.ninja().stdout
    assert project.ninja().stdout == "ninja: no work to do.\n"
