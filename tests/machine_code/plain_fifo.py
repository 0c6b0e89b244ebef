"""A design with a hand-written core: conformance/new_plain_fifo with programs/cube.s, built from parts."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

from npuninja.cli import main

PROGRAMS = Path(__file__).with_name("programs")
CONFORMANCE = Path(__file__).resolve().parents[1] / "conformance" / "new_plain_fifo"


def run_plain_fifo(tmp_path: Path, change: Callable[[str], str] = str) -> list[str]:
    """The words of the command line for new_plain_fifo with the hand-written core.

    Args:
        tmp_path: where its files go.
        change: of the core's text.
    """
    (tmp_path / "core.s").write_text(change((PROGRAMS / "cube.s").read_text()))
    for words in (
        ["as", str(tmp_path / "core.s"), "-o", str(tmp_path / "core.o")],
        [
            "ld",
            str(tmp_path / "core.o"),
            "-T",
            str(CONFORMANCE / "core_0_2.ld.script"),
            "-o",
            str(tmp_path / "core.elf"),
        ],
        ["lower", str(CONFORMANCE / "design.mlir"), "-o", str(tmp_path)],
        [
            "cdo",
            str(tmp_path / "input_physical.mlir"),
            "--elf",
            f"0,2={tmp_path / 'core.elf'}",
            "-o",
            str(tmp_path),
        ],
        [
            "pdi",
            *(w for n in ("elfs", "init", "enable") for w in ("--cdo", str(tmp_path / f"cdo_{n}.bin"))),
            "-o",
            str(tmp_path / "a.pdi"),
        ],
        [
            "xclbin",
            "--pdi",
            str(tmp_path / "a.pdi"),
            "--device",
            "npu1_1col",
            "-o",
            str(tmp_path / "a.xclbin"),
        ],
    ):
        assert main(words) == 0, words
    values = list(range(-220, 220))
    (tmp_path / "in").write_bytes(b"".join(v.to_bytes(4, "little", signed=True) for v in values))
    words = ["run", str(tmp_path / "a.xclbin"), "--device", "emu", "--insts", str(tmp_path / "insts.bin")]
    return [*words, "--input", str(tmp_path / "in"), "--output", f"1760:{tmp_path / 'out'}", "--json"]
