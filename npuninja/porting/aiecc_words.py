"""The words of MLIR-AIE's driver, aiecc, of every generation so far."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from npuninja.lowering.generation import GENERATIONS
from npuninja.plan.driver_flags import FLAGS, FLAGS_WITH_VALUE
from npuninja.porting.found import OUTPUTS, DesignBuild

_NAMES = {
    "--xclbin-name": "xclbin",
    "--npu-insts-name": "insts",
    "--insts-name": "insts",
    "--elf-name": "elf",
    "--txn-name": "txn",
    "--full-elf-name": "full_elf",
    "--ctrlpkt-name": "ctrlpkt",
    "--ctrlpkt-dma-seq-name": "ctrlpkt_insts",
}
#: Options that ask for a file: its kind, and its name when no option says one. MLIR-AIE 1.4 has those that
#: `get`, with the name behind `=` if any; `{0}` stands for a device, or a device and its sequence.
_ASKED = {
    "--aie-generate-xclbin": ("xclbin", "final.xclbin"),
    "--aie-generate-npu-insts": ("insts", "insts.bin"),
    "--aie-generate-npu": ("insts", "insts.bin"),
    "--aie-generate-elf": ("elf", "insts.elf"),
    "--get-xclbin": ("xclbin", "aie.xclbin"),
    "--get-npu-insts": ("insts", "insts_{0}.bin"),
    "--get-elf": ("elf", "design.elf"),
    "--get-full-elf": ("full_elf", "aie.elf"),
    "--generate-full-elf": ("full_elf", "aie.elf"),
    "--get-scratchpad-parameters": ("parameters", "params.txt"),
    "--get-txn": ("txn", "{0}_transaction.mlir"),
    "--get-ctrlpkt": ("ctrlpkt", "{0}_ctrlpkt.bin"),
    "--get-input-with-addresses": ("lowered", "input_with_addresses.mlir"),
}
_WITH_VALUE = (
    "--peano",
    "--sysroot",
    "--tmpdir",
    "--aietools",
    "--host-target",
    "-j",
    "--nthreads",
    "-I",
    "-L",
    "-l",
    "-O",
    "-o",
    "--opt-level",
    "--placer",
    "--sa-seed",
    "--pdi-name",
    "--ctrlpkt-elf-name",
    "--xclbinutil-path",
    "--get",
    "-g",
    "--cut",
    "--checkpoint",
    "--resume",
    "--repeater-output-dir",
)
#: The option by which sequences have configurations as control packets in them in place of loads.
_AS_PACKETS = "--load-pdi-to-ctrl-pkt"
#: Options that say which part of a module a call is for, what the XCLBIN calls it, and where files go.
_CALL_OPTIONS = (
    "--device-name",
    "--sequence-name",
    "--xclbin-kernel-name",
    "--xclbin-instance-name",
    "--xclbin-kernel-id",
    "--xclbin-input",
    "--output-dir",
)
# What npuninja does anyway, or what says only with which tools it is done.
_WITHOUT_EFFECT = (
    "--aie-generate-xclbin", "--aie-generate-npu-insts", "--aie-generate-npu", "--aie-generate-elf", "--aie-generate-cdo",
    "--aie-generate-txn", "--no-compile-host", "--compile-host", "--no-compile", "--compile", "--no-link", "--link",
    "--no-xchesscc", "--xchesscc", "--no-xbridge", "--xbridge", "--verbose", "-v", "--unified", "--no-unified",
    "--progress", "--profile", "-n", "--aiesim", "--no-aiesim",
)  # fmt: skip


def read_aiecc_words(words: Sequence[str], folder: str) -> DesignBuild:
    """Takes the words of aiecc apart.

    Args:
        words: without the program.
        folder: where it runs, to which its outputs are relative.
    """
    outputs: dict[str, str] = {}
    parts = dict.fromkeys(_CALL_OPTIONS, "")
    mlir = ""
    flags: list[str] = []
    others: list[str] = []
    for word, option, value in _taken_apart(words):
        if not option:
            mlir = os.path.normpath(os.path.join(folder, word)) if word.endswith(".mlir") else mlir
        elif option in _NAMES:
            outputs[_NAMES[option]] = value or ""
        elif option in _ASKED and value is None:
            outputs.setdefault(*_ASKED[option])
        elif option in _ASKED and option.startswith("--get-"):
            outputs[_ASKED[option][0]] = value or ""
        elif option in _CALL_OPTIONS:
            parts[option] = value or ""
        elif option in FLAGS and value != "":  # an empty variable of a Makefile is as without the flag
            flags.append(option if value is None else f"{option}={value}")
        elif option not in (*FLAGS, *_WITH_VALUE, *_WITHOUT_EFFECT):
            others.append(word)
    where = os.path.join(folder, parts["--output-dir"])
    chained = parts["--xclbin-input"]
    return DesignBuild(
        mlir=mlir,
        outputs={
            kind: os.path.normpath(os.path.join(where, outputs[kind])) for kind in OUTPUTS if kind in outputs
        },
        aiecc_flags=tuple(flags),
        other_options=tuple(others),
        device=parts["--device-name"],
        sequence=parts["--sequence-name"],
        kernel=(parts["--xclbin-kernel-name"], parts["--xclbin-instance-name"], parts["--xclbin-kernel-id"]),
        chained=os.path.normpath(os.path.join(folder, chained)) if chained else "",
        generation=GENERATIONS[-1] if any(word.startswith("--get-") for word in words) else "",
        expanded=_AS_PACKETS if _AS_PACKETS in others else "",
    )


def _taken_apart(words: Sequence[str]) -> Iterator[tuple[str, str, str | None]]:
    """Each word with its option ("" for a file) and its value or None. A dash stands for two, as in aiecc."""
    valued = {*_NAMES, *FLAGS_WITH_VALUE, *_CALL_OPTIONS, *_WITH_VALUE}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if not name.startswith("-"):
            yield word, "", None
            continue
        option = name if name.startswith("--") or name in (*_WITH_VALUE, *_WITHOUT_EFFECT) else f"-{name}"
        yield word, option, value if equals else next(rest, "") if option in valued else None
