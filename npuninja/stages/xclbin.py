"""Stage xclbin: a device image, and the modules of emulated cores, to the container that a runtime loads.

By xclbinutil (from the JSON files of stage xclbin_json) or by ourselves; the sections are the same, and
xclbinutil's time of day and random UUID are taken out.
"""

from __future__ import annotations

import os

from npuninja.arch.devices import device as device_model
from npuninja.errors import Location, ToolError, UserError, Warnings
from npuninja.file_kinds import ELF_MAGIC
from npuninja.formats.core_image import read_core_image
from npuninja.formats.elf import made_by, read_elf
from npuninja.formats.emulation_data import write_emulation_data, write_family
from npuninja.formats.pdi import read_pdi
from npuninja.formats.xclbin import XclbinKernel, read_xclbin, write_xclbin
from npuninja.formats.xclbin_check import check_xclbin
from npuninja.formats.xclbin_json import MODULES_FILE
from npuninja.formats.xclbin_normal import normalised
from npuninja.formats.xclbin_sections import DEFAULT_INSTANCE_NAME, LEAST_BUFFERS, MOST_BUFFERS
from npuninja.stages._places import image_files
from npuninja.stages._run import Arguments, Outputs, print_warnings, read_bytes, stage_arguments
from npuninja.stages._tool import run_tool

#: What `--kernel` says of a device image that only others load.
NO_KERNEL = "none"


def run(arguments: list[str]) -> None:
    """`NAME.pdi… --device NAME [--buffers N | --kernel NAME=ID=BUFFERS…] --image [DEVICE:]C,R=FILE…
    [--werror] -o NAME.xclbin [--xclbinutil EXE --partition F --kernels F --memories F]`.

    The JSON files are those of stage xclbin_json.
    """
    options = stage_arguments("xclbin", arguments)
    target = options.one("-o")

    def check(data: bytes) -> None:
        for kernel in kernels_of(options):
            if kernel.name:
                check_xclbin(read_xclbin(data, target), kernel.name, target)

    with Outputs(target) as outputs:
        model = device_model(options.one("--device"))
        kernels = kernels_of(options)
        programs = {path: read_bytes(path) for path in image_files(options.all("--image"))}
        images = [read_core_image(program, model.architecture, path) for path, program in programs.items()]
        modules = list(dict.fromkeys(image.module for image in images if image.module))
        family = "" if programs else model.family.name
        if options.optional("--xclbinutil"):
            emulated = write_emulation_data(modules) if modules else write_family(family) if family else b""
            data = _by_xclbinutil(options, emulated, outputs.temporary(target))
        else:
            data = write_xclbin(kernels, model.columns, model.start_columns, modules, family)
        outputs.write(target, data, check)
        print_warnings(_warnings(programs, target), as_errors="--werror" in options.flags)


def kernels_of(options: Arguments) -> list[XclbinKernel]:
    """The kernel of each device image, in order: those of `--kernel`, else the only one with aiecc's name.

    Raises:
        UserError: an image is damaged, or the words do not fit the images.
    """
    words, paths = options.all("--kernel"), options.positional
    images = [read_bytes(path) for path in paths]
    for image, path in zip(images, paths):
        read_pdi(image, path)
    if not words and len(images) == 1:
        return [
            XclbinKernel(images[0], buffers=_buffers(options.optional("--buffers") or str(LEAST_BUFFERS)))
        ]
    if len(words) != len(images):
        raise UserError(f"{len(images)} device images and {len(words)} kernels: --kernel is for each image")
    kernels = []
    for place, (word, image) in enumerate(zip(words, images)):
        first, *more = word.split("=")
        if first == NO_KERNEL:
            more = ["0", str(LEAST_BUFFERS), "", *more[1:]]
        number, buffers, instance, pdi = [*more, "", ""][:4]
        kernels.append(
            XclbinKernel(
                image,
                "" if first == NO_KERNEL else first,
                instance or DEFAULT_INSTANCE_NAME,
                int(number, 0),
                _buffers(buffers),
                int(pdi) if pdi else place + 1,
            )
        )
    return kernels


def _buffers(text: str) -> int:
    if not text.isdigit() or not LEAST_BUFFERS <= int(text) <= MOST_BUFFERS:
        raise UserError(f"{text} buffers: expected a number from {LEAST_BUFFERS} to {MOST_BUFFERS}")
    return int(text)


def _warnings(programs: dict[str, bytes], path: str) -> Warnings:
    """Programs of different compilers work together by luck only."""
    makers = {
        made_by(read_elf(program, name)) for name, program in programs.items() if program[:4] == ELF_MAGIC
    } - {""}
    warnings = Warnings()
    if len(makers) > 1:
        warnings.add(
            f"the cores were made by different compilers: {', '.join(sorted(makers))}", Location(path)
        )
    return warnings


def _by_xclbinutil(options: Arguments, emulated: bytes, work: str) -> bytes:
    """Packs with the real tool in a new folder `work`, and makes the result depend on its content only."""
    os.makedirs(work)
    made, modules_file = os.path.join(work, "made.xclbin"), os.path.join(work, MODULES_FILE)
    command = [
        options.one("--xclbinutil"),
        "--add-replace-section",
        f"MEM_TOPOLOGY:JSON:{options.one('--memories')}",
    ]
    command += ["--add-kernel", options.one("--kernels")]
    command += ["--add-replace-section", f"AIE_PARTITION:JSON:{options.one('--partition')}"]
    try:
        if emulated:
            with open(modules_file, "wb") as stream:
                stream.write(emulated)
            command += ["--add-section", f"EMULATION_DATA:RAW:{modules_file}"]
        output = run_tool([*command, "--force", "--quiet", "--output", made])
        if not os.path.exists(made):
            raise ToolError(f"xclbinutil made no file although it succeeded; it printed: {output.strip()}")
        return normalised(read_bytes(made), made)
    finally:
        for path in (made, modules_file):
            if os.path.exists(path):
                os.unlink(path)
        os.rmdir(work)
