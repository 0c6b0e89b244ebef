"""What a program does not need of its packages is taken away; licences stay."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from npuninja.errors import ToolError
from npuninja.install.folder import write_launcher
from npuninja.install.prune import keep_only

LIBRARIES = "usr/lib/x86_64-linux-gnu"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Unpacked packages whose loader is a script that lists one library, by a link."""
    root = tmp_path / "folder with blanks"
    for name in ("usr/bin/it", "usr/bin/python3", f"{LIBRARIES}/liba.so.1.2", f"{LIBRARIES}/libb.so.1", "etc/it.conf",
                 "usr/share/doc/it/copyright", "usr/share/doc/it/changelog", "usr/share/man/it.1"):  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / LIBRARIES / "liba.so.1").symlink_to("liba.so.1.2")
    (root / "lib").symlink_to("usr/lib")
    loader = root / LIBRARIES / "ld-linux-x86-64.so.2"
    loader.write_text(f'#!/bin/sh\nprintf "\\tliba.so.1 => {root / LIBRARIES}/liba.so.1 (0x00007f)\\n"\n')
    loader.chmod(0o755)
    return root


def test_only_what_is_loaded_stays(root: Path) -> None:
    keep_only(str(root), "usr/bin/it", write_launcher(str(root), "usr/bin/it"))
    left = sorted(
        os.path.relpath(os.path.join(folder, name), root)
        for folder, _, names in os.walk(root)
        for name in names
    )
    assert left == [
        "bin/it",
        "usr/bin/it",
        f"{LIBRARIES}/ld-linux-x86-64.so.2",
        f"{LIBRARIES}/liba.so.1",
        f"{LIBRARIES}/liba.so.1.2",
        "usr/share/doc/it/copyright",
    ]
    assert not (root / "etc").exists()
    assert not (root / "lib").is_symlink()


def test_a_missing_library_is_reported(root: Path) -> None:
    (root / LIBRARIES / "ld-linux-x86-64.so.2").write_text('#!/bin/sh\necho "libc.so.9 => not found"\n')
    with pytest.raises(ToolError, match=r"libraries of usr/bin/it are missing: libc\.so\.9"):
        keep_only(str(root), "usr/bin/it", write_launcher(str(root), "usr/bin/it"))
    assert (root / "etc").exists()
