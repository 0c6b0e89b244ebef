"""The words of MLIR-AIE's driver, aiecc, of every generation so far."""

from __future__ import annotations

import os
from collections.abc import Sequence

from npuninja.lowering.generation import GENERATIONS
from npuninja.plan.driver_flags import FLAGS, FLAGS_WITH_VALUE
from npuninja.porting.found import DesignBuild

_NAMES = {
    "--xclbin-name": "xclbin",
    "--get-xclbin": "xclbin",
    "--npu-insts-name": "insts",
    "--insts-name": "insts",
    "--get-npu-insts": "insts",
    "--elf-name": "elf",
    "--get-elf": "elf",
    "--txn-name": "txn",
    "--full-elf-name": "full_elf",
    "--ctrlpkt-name": "ctrlpkt",
    "--ctrlpkt-dma-seq-name": "ctrlpkt_insts",
}
#: Options that ask for a file: its kind, and its name when no other option says one. MLIR-AIE 1.4 has those that `get`;
#: `{0}` stands for a device, or a device and its sequence.
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
    "--output-dir",
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
#: What else is made, in the order of the files.
_OTHERS = ("ctrlpkt", "ctrlpkt_insts", "txn", "lowered")
#: Options that say which part of a module a call is for, and what the XCLBIN calls it.
_PARTS = (
    "--device-name",
    "--sequence-name",
    "--xclbin-kernel-name",
    "--xclbin-instance-name",
    "--xclbin-kernel-id",
    "--xclbin-input",
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
    output_folder = folder
    parts: dict[str, str] = {}
    mlir = ""
    flags: list[str] = []
    others: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        name, has_value, value = word.partition("=")
        if not name.startswith("-"):
            if name.endswith(".mlir"):
                mlir = os.path.normpath(os.path.join(folder, word))
            continue
        known = name if name.startswith("--") else "-" + name
        if known in _ASKED and not has_value:
            kind, file = _ASKED[known]
            outputs.setdefault(kind, file)
            continue
        valued = known in _NAMES or known in FLAGS_WITH_VALUE or known in _PARTS or name in _WITH_VALUE
        if valued and not has_value:
            value = words[position] if position < len(words) else ""
            position += 1
        if known in _NAMES:
            outputs[_NAMES[known]] = value
        elif known == "--output-dir":
            output_folder = os.path.join(folder, value)
        elif known in FLAGS and not value and (has_value or known in FLAGS_WITH_VALUE):
            continue  # a variable of the Makefile that is empty: as without the flag
        elif known in _PARTS:
            parts[known] = value
        elif known in FLAGS:
            flags.append(f"{known}={value}" if has_value or known in FLAGS_WITH_VALUE else known)
        elif name not in _WITHOUT_EFFECT and known not in _WITHOUT_EFFECT and name not in _WITH_VALUE:
            others.append(word)
    outputs = {kind: os.path.normpath(os.path.join(output_folder, file)) for kind, file in outputs.items()}
    return DesignBuild(
        mlir,
        outputs.get("xclbin", ""),
        outputs.get("insts", ""),
        outputs.get("elf", ""),
        tuple(flags),
        tuple(others),
        parts.get("--device-name", ""),
        parts.get("--sequence-name", ""),
        (
            parts.get("--xclbin-kernel-name", ""),
            parts.get("--xclbin-instance-name", ""),
            parts.get("--xclbin-kernel-id", ""),
        ),
        os.path.normpath(os.path.join(folder, parts["--xclbin-input"])) if "--xclbin-input" in parts else "",
        tuple((outputs[kind], kind) for kind in _OTHERS if kind in outputs),
        GENERATIONS[-1] if any(word.startswith("--get-") for word in words) else "",
        outputs.get("full_elf", ""),
        outputs.get("parameters", ""),
        next((word for word in others if word == _AS_PACKETS), ""),
    )
