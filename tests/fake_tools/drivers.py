"""The pretended aiecc in three generations."""

from __future__ import annotations

import os
import random
import shutil
import tempfile

from fake_tools import mlir_tools, packers, peano
from fake_tools.mlir_tools import Refused, write
from fake_tools.releases import Release
from npuninja.arch.devices import device as device_model
from npuninja.errors import Warnings
from npuninja.formats.aie_partition import with_pdi_uuids
from npuninja.formats.core_image import read_core_image
from npuninja.formats.pdi import write_pdi
from npuninja.formats.xclbin import AIE_PARTITION, XclbinKernel, read_xclbin, write_xclbin
from npuninja.ir.attributes import EnumAttr
from npuninja.lowering import pipeline

CLASSIC = ["--aie-generate-xclbin", "--aie-generate-npu-insts"]
NAMES = ["--xclbin-name=aie.xclbin", "--npu-insts-name=insts.bin"]
FLAGS = {
    "python": [*CLASSIC, "--no-compile-host", "--no-xchesscc", "--no-xbridge", "-j1", *NAMES],
    "c++": [*CLASSIC, "--no-xchesscc", "--no-xbridge", "-j1", *NAMES],
    "declarative": ["--get-npu-insts", "--get-xclbin", "-j1"],
}
HELP = {
    "python": "usage: aiecc.py [-h] …\n  --aie-generate-xclbin  Generate xclbin\n  --no-xchesscc",
    "c++": "OVERVIEW: aiecc\nOPTIONS:\n  --aie-generate-xclbin - Generate xclbin\n  --no-xchesscc",
    "declarative": "OVERVIEW: aiecc\nOPTIONS:\n  --get-xclbin\n  --get=<node>",
}


def aiecc(program: str, arguments: list[str], release: Release) -> None:
    """`--help`, `--version`, `--aie-version`, or a whole design."""
    kind = release.aiecc
    if arguments == ["--help"]:
        print(HELP[kind])
    elif arguments == ["--version"] and kind == "python":
        print(f"aiecc.py {release.sha}")
    elif arguments == ["--aie-version"] and kind == "c++":
        print(f"aiecc (C++ version) {release.sha}")
    elif arguments == ["--aie-version"] and kind == "declarative":
        print(f"aiecc (mlir-aie declarative driver)\n  git SHA:  {release.sha}")
    elif arguments[: len(FLAGS[kind])] == FLAGS[kind]:
        _build(arguments[-1], kind, release, _scheme(arguments[len(FLAGS[kind]) : -1]))
    else:
        raise Refused(f"{os.path.basename(program)}: error: unrecognized arguments: {arguments}")


def _scheme(words: list[str]) -> str | None:
    """What else is said: only how buffers are placed is known here."""
    for word in words:
        if not word.startswith("--alloc-scheme="):
            raise Refused(f"Unknown command line argument '{word}'")
    return words[0].partition("=")[2] if words else None


def _build(source: str, kind: str, release: Release, scheme: str | None) -> None:
    if shutil.which("xclbinutil") is None and not os.environ.get("AIE_XCLBINUTIL"):
        raise Refused("FileNotFoundError: xclbinutil")
    if not os.path.exists(os.path.join(os.environ["PEANO_INSTALL_DIR"], "bin", "llc")):
        raise Refused("peano_not_found/bin/opt: no such file")
    module = mlir_tools.read(source, release)
    device = next(op for op in module.walk() if op.name == "aie.device")
    name = device.attributes["device"]
    assert isinstance(name, EnumAttr)
    model = device_model(name.case)
    warnings, generation = Warnings(), mlir_tools.generation(release)
    pipeline.lower_resources(module, alloc_scheme=scheme, generation=generation, warnings=warnings)
    lowered = mlir_tools.print_module(module)
    images = {}
    for core in [op for op in device.walk() if op.name == "aie.core"]:
        tile = core.operands[0].owner
        place = tile.integer("col"), tile.integer("row")
        with tempfile.TemporaryDirectory() as folder:
            script, start, elf = (os.path.join(folder, n) for n in ("ld.script", "core.o", "core.elf"))
            write(script, pipeline.linker_script(module, "main", *place))
            write(start, peano._object(lowered, model.architecture))
            # Here, where the kernels' objects must be.
            words = [
                "-O2",
                f"--target={model.triple}",
                start,
                "-Wl,--gc-sections",
                "-Wl,--orphan-handling=error",
            ]
            peano.clang("clang", [*words, f"-Wl,-T,{script}", "-o", elf])
            with open(elf, "rb") as stream:
                images[place] = read_core_image(stream.read(), model.architecture, elf)
    sequence = mlir_tools.parse_module(lowered, source)
    pipeline.lower_sequence(sequence, generation=generation, warnings=warnings)
    insts = "insts_main_sequence.bin" if kind == "declarative" else "insts.bin"
    write(insts, pipeline.instructions(sequence, "main", "sequence"))
    pipeline.route(module, generation=generation, warnings=warnings)
    made = pipeline.configuration(module, "main", images)
    pdi = write_pdi([made.elfs, made.init, made.enable])
    whole = write_xclbin([XclbinKernel(pdi)], model.columns, model.start_columns, [])
    # The drivers give each PDI a random UUID.
    section = read_xclbin(whole).section(AIE_PARTITION)
    assert section is not None
    changed = with_pdi_uuids(section.data, [random.randbytes(16)], "aie.xclbin")
    whole = whole[: section.offset] + changed + whole[section.offset + len(changed) :]
    write("aie.xclbin", packers.with_time(whole))
