"""Stage xclbin: a device image, and the modules of emulated cores, to the container that a runtime loads.

By xclbinutil (from the JSON files of stage xclbin_json) or by ourselves; the sections are the same, and
xclbinutil's time of day and random UUID are taken out.
"""

from __future__ import annotations

import os

from npuninja.arch.devices import device as device_model
from npuninja.errors import Location, ToolError, UserError, Warnings
from npuninja.formats.core_image import read_core_image
from npuninja.formats.elf import made_by, read_elf
from npuninja.formats.emulation_data import write_emulation_data
from npuninja.formats.pdi import read_pdi
from npuninja.formats.xclbin import Kernel, read_xclbin, write_xclbin
from npuninja.formats.xclbin_check import check_xclbin
from npuninja.formats.xclbin_json import MODULES_FILE
from npuninja.formats.xclbin_normal import normalised
from npuninja.formats.xclbin_sections import DEFAULT_KERNEL_NAME, LEAST_BUFFERS, MOST_BUFFERS
from npuninja.stages._places import parse_images
from npuninja.stages._run import Arguments, Outputs, print_warnings, read_bytes, run_tool, stage_arguments


def run(arguments: list[str]) -> None:
    """`NAME.pdi --device NAME [--buffers N] --image C,R=FILE… [--werror] -o NAME.xclbin
            [--xclbinutil EXE --partition F --kernels F --memories F]`.

    The JSON files are those of stage xclbin_json.
    """
    options = stage_arguments("xclbin", arguments)
    target = options.one("-o")

    def check(data: bytes) -> None:
        check_xclbin(read_xclbin(data, target), DEFAULT_KERNEL_NAME, target)

    with Outputs(target) as outputs:
        model = device_model(options.one("--device"))
        pdi = read_bytes(options.input())
        read_pdi(pdi, options.input())
        files = parse_images(options.all("--image"), "--image")
        programs = {path: read_bytes(path) for _, path in sorted(files.items())}
        images = [read_core_image(program, model.architecture, path) for path, program in programs.items()]
        modules = list(dict.fromkeys(image.module for image in images if image.module))
        if options.optional("--xclbinutil"):
            data = _by_xclbinutil(options, modules, outputs.temporary(target))
        else:
            kernel = Kernel(pdi, buffers=buffers_of(options))
            data = write_xclbin([kernel], model.columns, model.start_columns, modules)
        outputs.write(target, data, check)
        print_warnings(_warnings(programs, target), as_errors="--werror" in options.flags)


def buffers_of(options: Arguments) -> int:
    """How many buffers the kernel takes, by `--buffers`; the least number without it. Raises UserError."""
    text = options.optional("--buffers")
    if text is None:
        return LEAST_BUFFERS
    if not text.isdigit() or not LEAST_BUFFERS <= int(text) <= MOST_BUFFERS:
        raise UserError(f"--buffers {text}: expected a number from {LEAST_BUFFERS} to {MOST_BUFFERS}")
    return int(text)


def _warnings(programs: dict[str, bytes], path: str) -> Warnings:
    """Programs of different compilers work together by luck only."""
    makers = {
        made_by(read_elf(program, name)) for name, program in programs.items() if program[:4] == b"\x7fELF"
    } - {""}
    warnings = Warnings()
    if len(makers) > 1:
        warnings.add(
            f"the cores were made by different compilers: {', '.join(sorted(makers))}", Location(path)
        )
    return warnings


def _by_xclbinutil(options: Arguments, modules: list[bytes], work: str) -> bytes:
    """Packs with the real tool, in a folder of its own at `work`, and makes the result depend on its content
    only.
    """
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
        if modules:
            with open(modules_file, "wb") as stream:
                stream.write(write_emulation_data(modules))
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
