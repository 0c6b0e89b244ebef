"""Stage pdi: the three configuration files to a device image, by bootgen or by ourselves."""

from __future__ import annotations

import os

from npuninja.arch.devices import device as device_model
from npuninja.errors import Location, ToolError, UserError
from npuninja.formats.core_image import read_core_image
from npuninja.formats.pdi import read_pdi, write_pdi
from npuninja.stages._places import parse_images
from npuninja.stages._programs_loaded import check_loaded
from npuninja.stages._run import Arguments, Check, Outputs, read_bytes, stage_arguments
from npuninja.stages._tool import remove, run_tool
from npuninja.stages.bif import bif_text


def run(arguments: list[str]) -> None:
    """`cdo_elfs.bin cdo_init.bin cdo_enable.bin [--bootgen EXE [--bif F]] [--device NAME --image C,R=FILE…]
    -o NAME.pdi`.

    `--bif` names the file that stage bif made of the same inputs; without it one is written for the run.
    """
    options = stage_arguments("pdi", arguments)
    target, bootgen = options.one("-o"), options.optional("--bootgen")
    if not options.positional:
        raise UserError("pdi: no CDO file given")
    check = _checker(options, target)
    with Outputs(target) as outputs:
        contents = [read_bytes(path) for path in options.positional]
        if bootgen:
            written = outputs.temporary(target, check)
            bif = options.optional("--bif")
            if bif:
                _run_bootgen(bootgen, bif, written)
            else:
                _run_with_own_bif(bootgen, options.positional, written)
        else:
            outputs.write(target, write_pdi(contents, options.positional), check)


def _run_with_own_bif(bootgen: str, cdos: tuple[str, ...], target: str) -> None:
    bif = os.path.join(os.path.dirname(cdos[0]) or ".", f".new{os.getpid()}.bif")
    try:
        with open(bif, "w", encoding="utf-8") as stream:
            stream.write(bif_text(cdos, os.path.dirname(bif)))
        _run_bootgen(bootgen, bif, target)
    finally:
        remove(bif)


def _run_bootgen(bootgen: str, bif: str, target: str) -> None:
    """Runs bootgen in the folder of the BIF, from which the BIF names its files."""
    folder = os.path.dirname(bif) or "."
    command = [
        bootgen,
        "-arch",
        "versal",
        "-image",
        os.path.basename(bif),
        "-o",
        os.path.relpath(target, folder),
        "-w",
    ]
    output = run_tool(command, folder=folder)
    if not os.path.exists(target):
        raise ToolError(f"bootgen made no file although it succeeded; it printed: {output.strip()}")


def _checker(options: Arguments, target: str) -> Check:
    """What the image must hold: commands, and with --image the program of every core."""
    files = parse_images(options.all("--image"), "--image")
    model = device_model(options.one("--device")) if files else None

    def check(data: bytes) -> None:
        commands = read_pdi(data, target).commands(target)
        if not commands:
            raise ToolError("the PDI configures nothing", Location(target), hint="are the CDO files empty?")
        if model:
            images = {
                at: read_core_image(read_bytes(path), model.architecture, path) for at, path in files.items()
            }
            check_loaded(commands, images, model, target)

    return check
