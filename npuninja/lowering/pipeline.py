"""The lowering's steps, as stages take them; `npuninja.lowering.passes` lists their passes.

Each step works on a module in place.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.errors import Warnings
from npuninja.ir.core import Operation
from npuninja.lowering.generation import rules_of

if TYPE_CHECKING:
    from typing import Iterable, Mapping

    from npuninja.arch.devices import TilePlace
    from npuninja.formats.core_image import CoreImage
    from npuninja.lowering.configuration.files import ConfigurationFiles


def generation_of(module: Operation, wanted: str | None = None) -> str:
    """`2025-10`, `2026-02` or `2026-08`: the syntax generation of a design, whose conventions are kept.

    Where the text reads alike in several, `wanted` decides if it is one of them, else the oldest is taken. It
    needs the text as it was read, before any step.

    Raises:
        UserError: the text mixes spellings of two generations.
    """
    from npuninja.lowering.spelled_generation import detect

    return detect(module, wanted)


def lower_resources(
    module: Operation,
    *,
    alloc_scheme: str | None,
    generation: str,
    warnings: Warnings,
    packet_fifos: bool = False,
    dynamic_fifos: bool | None = None,
    cores_per_column: int | None = None,
    control_overlay: str = "",
) -> None:
    """Step 1: objectFifos become buffers, locks, DMA programs and flows; loops become branches.

    It also gives ids and addresses.

    Args:
        module: the design, changed in place.
        alloc_scheme: `basic-sequential`, `bank-aware`, or None for bank-aware with a fallback to
            basic-sequential.
        generation: see `generation_of`.
        warnings: collects what the user should know though it is no error.
        packet_fifos: objectFifos use packet flows, not circuits (the reference's packet-sw-objFifos).
        dynamic_fifos: whether cores that do not say it choose a FIFO's object at run time (dynamic-objFifos);
            None for the default.
        cores_per_column: how many cores of each column, from the bottom, are for logical tiles without a
            place (cores-per-col); None for all.
        control_overlay: "true" when the shim's DMA reaches the control port of every tile
            (generate-ctrl-pkt-overlay); "first" when that is so before tiles that nothing uses are dropped.

    Raises:
        UserError: there is too little memory, there are too few channels, locks or descriptors, or a fifo is
            used in a wrong way.
    """
    from npuninja.lowering.passes import RESOURCES, PassSettings, run_passes

    settings = PassSettings(
        rules=rules_of(generation),
        warnings=warnings,
        alloc_scheme=alloc_scheme,
        packet_fifos=packet_fifos,
        dynamic_fifos=dynamic_fifos,
        cores_per_column=cores_per_column,
        control_overlay=control_overlay,
    )
    run_passes(RESOURCES, module, settings)


def route(module: Operation, *, generation: str, warnings: Warnings) -> None:
    """Step 2: flows become connections of switchboxes and shim multiplexers. It needs step 1.

    Raises:
        UserError: the flows cannot be routed; located at the flows that cause it.
    """
    from npuninja.lowering.passes import ROUTING, PassSettings, run_passes

    run_passes(ROUTING, module, PassSettings(rules_of(generation), warnings))


def sequence_is_routed(generation: str) -> bool:
    """Whether step 3 of a generation reads the result of step 2, not of step 1."""
    return rules_of(generation).sequence_is_routed


def lower_sequence(module: Operation, *, generation: str, warnings: Warnings) -> None:
    """Step 3: runtime sequences become register writes, address patches and waits. It needs step 1, not 2.

    Raises:
        UserError: among others a transfer that the DMA cannot do, an unknown name, no descriptor left, a wait
            without a token.
    """
    from npuninja.lowering.passes import SEQUENCES, PassSettings, run_passes

    run_passes(SEQUENCES, module, PassSettings(rules_of(generation), warnings))


def instructions(
    module: Operation,
    device: str,
    sequence: str,
    *,
    generation: str | None = None,
    full_elf: bool = False,
    for_xclbin: bool = False,
) -> bytes:
    """The bytes of insts.bin for one sequence of a module lowered by `lower_sequence`.

    Args:
        module: the module.
        device: symbol of the device; "" for `main`, or the only one.
        sequence: symbol of the sequence; "" for the first.
        generation: see `generation_of`; None for that of the module's text, as step 3 printed it.
        full_elf: the stream becomes part of an ELF, where the loader patches every argument alike.
        for_xclbin: the stream is run beside an XCLBIN of npuninja: arguments from the sixth on are marked as
            the firmware needs them, and devices have the numbers of their PDIs, whatever the generation.

    Raises:
        UserError: there is no such device or sequence, or an operation has no instruction.
    """
    from npuninja.lowering.sequence.instructions import instruction_stream

    rules = rules_of(generation or generation_of(module))
    return instruction_stream(
        module,
        device,
        sequence,
        folds_late_arguments=(rules.folds_late_arguments or for_xclbin) and not full_elf,
        numbers_devices=for_xclbin,
    )


def linker_script(
    module: Operation, device: str, column: int, row: int, *, generation: str | None = None
) -> str:
    """The linker script of one core, after step 1; arguments and errors are those of `linker_scripts`."""
    return linker_scripts(module, device, [(column, row)], generation=generation)[0]


def linker_scripts(
    module: Operation, device: str, cores: Iterable[TilePlace], *, generation: str | None = None
) -> list[str]:
    """The linker scripts of cores, after step 1.

    Args:
        module: the module.
        device: symbol of the device; "" for `main`, or the only one.
        cores: the cores' columns and rows.
        generation: see `generation_of`; None for that of the module's text, as step 1 printed it.

    Raises:
        UserError: there is no such device or core.
    """
    from npuninja.lowering.resources.linker_script import LinkerScripts

    scripts = LinkerScripts(module, device, rules_of(generation or generation_of(module)))
    return [scripts.script(place) for place in cores]


def configuration(
    module: Operation, device: str, images: Mapping[tuple[int, int], CoreImage]
) -> ConfigurationFiles:
    """The three CDO files of one device, after step 2.

    Args:
        module: the module.
        device: symbol of the device; "" for `main`, or the only one.
        images: the program of each core, by (column, row).

    Raises:
        UserError: a core has no image, an image has no core, or the module holds what the array cannot do.
    """
    from npuninja.lowering.configuration.files import configuration_of

    return configuration_of(module, device, images)
