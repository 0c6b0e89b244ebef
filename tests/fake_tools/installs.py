"""Lays out installations as their makers do."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from fake_tools.releases import RELEASES

RUN = Path(__file__).parent / "run.py"
PEANO_2025, PEANO_2026 = "19.0.0.2025100601+b3cd09d3", "21.0.0.2026042001+0ddba11c"


def program(path: Path, tool: str, release: str) -> Path:
    """A program that behaves as a tool of a release."""
    path.parent.mkdir(parents=True, exist_ok=True)
    run = shlex.join([sys.executable, "-S", "-E", str(RUN), tool, release])
    path.write_text(f'#!/bin/sh\nexec {run} "$0" "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def says(path: Path, text: str, code: int = 0) -> Path:
    """A program that prints a text and ends, whatever it is asked; also without anything on PATH."""
    path.parent.mkdir(parents=True, exist_ok=True)
    quoted = text.replace("'", "'\"'\"'")
    path.write_text(f"#!/bin/sh\necho '{quoted}'\nexit {code}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def mlir_aie(root: Path, since: str) -> Path:
    """The programs of MLIR-AIE below `root`, as in its wheel and in its build and install trees."""
    for tool in ("aie-opt", "aie-translate"):
        program(root / "bin" / tool, tool, since)
    program(root / "bin/bootgen", "bootgen", since)
    driver = {"python": "aiecc.py", "c++": "aiecc", "declarative": "aiecc"}[RELEASES[since].aiecc]
    if driver.endswith(".py"):
        # A script in Python: it is started by a Python, whose name is not in its first line.
        run = f"runpy.run_path({str(RUN)!r})['main']('aiecc', {since!r}, sys.argv[0], sys.argv[1:])"
        paths = f"sys.path[0:1] = [{str(RUN.parent.parent)!r}, {str(RUN.parent.parent.parent)!r}]"
        text = f"#!/usr/bin/env python3\nimport runpy, sys\n{paths}\nimport aie\nsys.exit({run})\n"
        (root / "bin" / driver).write_text(text, encoding="utf-8")
        (root / "python/aie").mkdir(parents=True)
        (root / "python/aie/__init__.py").write_text("", encoding="utf-8")
    else:
        program(root / "bin" / driver, "aiecc", since)
    (root / "include/aie_api").mkdir(parents=True)
    return root


def mlir_aie_wheel(site: Path, since: str) -> Path:
    """The wheel in a folder of Python packages."""
    (site / f"mlir_aie-{RELEASES[since].version}.dist-info").mkdir(parents=True)
    return mlir_aie(site / "mlir_aie", since)


def peano(root: Path, version: str = "19.0.0git") -> Path:
    """Peano below `root`."""
    for name, tool in (
        ("llc", "llc"),
        ("opt", "opt"),
        ("clang", "clang"),
        ("clang++", "clang"),
        ("ld.lld", "ld.lld"),
    ):
        program(root / "bin" / name, tool, version)
    return root


def peano_wheel(site: Path, version: str = PEANO_2025) -> Path:
    """The wheel llvm-aie in a folder of Python packages."""
    (site / f"llvm_aie-{version}.dist-info").mkdir(parents=True)
    return peano(site / "llvm-aie")


def venv(root: Path) -> Path:
    """An environment of another Python than the one that runs; returns its folder of packages."""
    (root / "bin").mkdir(parents=True)
    os.symlink(sys.executable, root / "bin/python3")
    site = root / "lib/python3.13/site-packages"
    site.mkdir(parents=True)
    return site


def xrt(root: Path, version: str = "2.20.0", *, tools: bool = True) -> Path:
    """XRT below `root` (`/opt/xilinx/xrt` or `/usr`); without its tools one for running only."""
    (root / "lib").mkdir(parents=True)
    (root / "python").mkdir()
    if tools:
        program(root / "bin/xclbinutil", "xclbinutil", version)
    return root
