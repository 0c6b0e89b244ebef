"""docs/own-project.md: its commands work, in their order, in a folder with a blank in its name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

from npuninja.settings.reader import SettingsFile

PAGE = (ROOT / "docs" / "own-project.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_commands_of_the_page(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "npuninja").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m npuninja "$@"\n', encoding="utf-8"
    )
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    for program in programs.iterdir():
        program.chmod(0o755)
    path = f"{programs}:{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    script = "set -e\n" + "\n".join(blocks("sh"))
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("all 4096 elements are right") == 2
    assert "1 right" in done.stdout
    assert (tmp_path / "my kernels/build/report/gemm.html").exists()


def test_the_settings_of_the_page(tmp_path: Path) -> None:
    for number, text in enumerate(blocks("toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(text, encoding="utf-8")
        for preset in [None, *SettingsFile(str(file)).presets()]:
            SettingsFile(str(file)).with_preset(preset)
