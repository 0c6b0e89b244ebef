"""What stages are given about a design beyond files: the values of options in `npuninja.stages.table`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from npuninja.detect.mlir_aie import aiecc_start
from npuninja.detect.mlir_aie_releases import Release
from npuninja.formats.xclbin_sections import DEFAULT_INSTANCE_NAME, LEAST_BUFFERS, buffers_of_call
from npuninja.plan.context import Context
from npuninja.plan.design import Configuration, Core, Design, Sequence
from npuninja.plan.design_files import DesignFiles
from npuninja.plan.dialect import check_places, lowering_flags
from npuninja.plan.driver_flags import read_driver_flags, words_of
from npuninja.plan.edges import FactValue
from npuninja.records import record
from npuninja.stages.table import CDO

# Of the random inputs of `ninja run` and `ninja test`.
SEED = "1"


@record(frozen=True)
class AieccFlags:
    """How one generation of aiecc is asked for an XCLBIN and its instructions.

    Attributes:
        words: of the command line, in front of the input.
        insts: name of the instructions in the folder where it runs; `{device}`, `{sequence}` are symbols.
    """

    words: tuple[str, ...]
    insts: str = "insts.bin"


_NAMES = ("--xclbin-name=aie.xclbin", "--npu-insts-name=insts.bin")
_WANTED = ("--aie-generate-xclbin", "--aie-generate-npu-insts")
# Every edge starts a driver; each of them starting more processes would be too many.
_JOBS = "-j1"
# Where a name can be given it is the same in every generation.
AIECC_GENERATIONS: dict[str, AieccFlags] = {
    # aiecc.py, 2025
    "python": AieccFlags((*_WANTED, "--no-compile-host", "--no-xchesscc", "--no-xbridge", _JOBS, *_NAMES)),
    # aiecc in C++, 2026-02 to 2026-07: xchesscc and xbridge are on unless the command line says otherwise
    "c++": AieccFlags((*_WANTED, "--no-xchesscc", "--no-xbridge", _JOBS, *_NAMES)),
    # from 1.4 on: what is wanted is named, Peano is the default
    "declarative": AieccFlags(("--get-npu-insts", "--get-xclbin", _JOBS), "insts_{device}_{sequence}.bin"),
}


def facts_of(context: Context, design: Design, files: DesignFiles) -> dict[str, FactValue]:
    """The facts of a design. Those of a core and a tool's words come with the stage that asks for them."""
    check_places(design, context.providers)
    spelling, release = context.providers.spelling, context.release
    # The name in debug information and fault messages: without the build folder, so that every folder
    # gives equal bytes.
    file_name = f"{design.name}/{os.path.basename(files['lowered'])}"
    # What prints a Python design did so before the build; the ELF of instructions is for host programs only.
    chosen = [c for c in context.providers.chosen if c.stage not in ("run", "python", "elf")]
    return {
        "name": design.name,
        "device": design.device,
        # Of each sequence, in one order.
        "device_symbol": tuple(configuration.symbol for configuration, _ in design.runs),
        "sequence": tuple(sequence.name for _, sequence in design.runs),
        **_of_kernels(design),
        "kind": context.kind_of(design),
        "file_name": file_name,
        "seed": SEED,
        "providers": tuple(f"{c.stage}={c.name}={c.version}" for c in chosen),
        "sequence_op": spelling.sequence_op if spelling else "",
        "allocation_has_tile": _flag(spelling is not None and spelling.allocation_has_tile),
        "functions_link": _flag(spelling is not None and spelling.functions_link),
        # What the tools of a release read and write, the embedded stages between them read and write too.
        "generation": spelling.generation
        if spelling
        else design.generation
        if design.generation != "auto"
        else "",
        "values": _values(spelling),
        "reconfiguration": _flag(design.reconfiguration),
        **(_of_full_elf(design) if design.full_elf else {}),
        **lowering_flags(design, context.providers)._asdict(),
        **({"alloc_scheme": design.alloc_scheme} if design.alloc_scheme else {}),
        "edits": tuple(release.edits) if release else (),
        **(_of_aiecc(context, design) if context.providers.driver == "aiecc" else {}),
    }


def _values(spelling: Release | None) -> str:
    """How numbers of operations are spelled for the tools of a release; "" when there are none."""
    return "" if spelling is None else "values" if spelling.values else "attributes"


def facts_of_device(configuration: Configuration, files: DesignFiles) -> dict[str, FactValue]:
    """The facts of one device of a design."""
    return {
        "device": configuration.device,
        "device_symbol": configuration.symbol,
        "cdo_names": tuple(files.of_device(name, configuration) for name in CDO),
        "images": (),  # those of its cores, which come with their links
        "core_images": (),
    }


def facts_of_sequence(
    design: Design, configuration: Configuration, sequence: Sequence, files: DesignFiles
) -> dict[str, FactValue]:
    """The facts of one runtime sequence of a design."""
    called = next(k.name for k in design.xclbin_kernels if k.configuration is configuration)
    return {
        "device_symbol": configuration.symbol,
        "sequence": sequence.name,
        "kernel_name": called if design.has_own_names else "",
        "sequence_name": sequence.name if design.has_own_names else "",
        "buffers_of_sequence": str(sequence.buffers),
        "place_of_device": str(configuration.place or 1),
        **{name: files.of_device(name, configuration) for name in CDO},
    }


def facts_of_core(configuration: Configuration, core: Core) -> dict[str, FactValue]:
    """The facts of one core of a device."""
    return {"device_symbol": configuration.symbol, "core": f"{core.column},{core.row}", "objects": ()}


def _of_kernels(design: Design) -> dict[str, FactValue]:
    """What XCLBIN and manifest say of kernels, where that is not what every design of one sequence has."""
    first = design.xclbin_kernels[0]
    if not design.has_own_names:
        buffers = first.configuration.buffers
        return {"buffers": str(buffers) if buffers > LEAST_BUFFERS else ""}
    called = {kernel.configuration.symbol: kernel for kernel in design.xclbin_kernels}
    words = []
    for place, configuration in enumerate(design.configurations, 1):
        kernel = called.get(configuration.symbol)
        # One without a sequence is called with those of the others, and then their control packets.
        most = max(c.buffers for c in design.configurations) + 1
        buffers = buffers_of_call(configuration.buffers if configuration.sequences else most)
        word = f"{kernel.name}={kernel.number:#x}={buffers}" if kernel else "none"
        instance = kernel.instance if kernel and kernel.instance != DEFAULT_INSTANCE_NAME else ""
        number = str(configuration.place) if configuration.place not in (0, place) else ""
        words.append(f"{word}={instance}={number}".rstrip("="))
    runs = [(called[configuration.symbol], sequence) for configuration, sequence in design.runs]
    return {
        "xclbin_kernels": tuple(words),
        "runs": tuple(f"{kernel.name}={kernel.number:#x}={sequence.name}" for kernel, sequence in runs),
    }


def _of_full_elf(design: Design) -> dict[str, FactValue]:
    """What a full ELF calls its configurations and sequences, whatever the XCLBIN's kernels are called."""
    numbers = (configuration.place or place for place, configuration in enumerate(design.configurations, 1))
    return {
        "full_elf_wanted": "yes",
        "pdi_numbers": tuple(map(str, numbers)),
        "instances": tuple(
            f"{configuration.symbol}:{sequence.name}" for configuration, sequence in design.runs
        ),
    }


def _of_aiecc(context: Context, design: Design) -> Mapping[str, FactValue]:
    """What the stage aiecc is given: the driver's command, and where its own tools are."""
    aiecc, peano, xclbinutil = (context.toolchain.found(name) for name in ("aiecc", "peano", "xclbinutil"))
    assert aiecc is not None
    assert peano is not None
    assert xclbinutil is not None
    flags = AIECC_GENERATIONS[aiecc.facts[0]]
    said = read_driver_flags(design.aiecc_flags)
    said = said._replace(alloc_scheme=design.alloc_scheme or said.alloc_scheme)
    more = words_of(said, keeps_loops=aiecc.facts[0] == "declarative")
    configuration, sequence = design.runs[0]
    start, variables = aiecc_start(aiecc.path, dict(aiecc.beside), context.toolchain.python.path)
    return {
        "words": (*start, *flags.words, *more),
        "variables": tuple(f"{k}={v}" for k, v in variables.items()),
        "peano": peano.path,
        "xclbinutil": xclbinutil.path,
        "made_xclbin": "aie.xclbin",
        "made_insts": flags.insts.format(device=configuration.symbol, sequence=sequence.name),
        "identities": (aiecc.identity, peano.identity, xclbinutil.identity),
    }


def _flag(value: bool) -> str:
    return "yes" if value else ""
