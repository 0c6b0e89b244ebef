"""Stage cdo_translate: a routed design with ELF names to the three configuration files, by aie-translate."""

from __future__ import annotations

import os
import sys

from npuninja.arch.devices import device as device_model
from npuninja.errors import ToolError
from npuninja.formats.cdo import read_cdo
from npuninja.formats.core_image import read_core_image
from npuninja.stages._places import parse_images
from npuninja.stages._run import Outputs, read_bytes, stage_arguments
from npuninja.stages._tool import WorkFolder, run_tool


def run(arguments: list[str]) -> None:
    """Arguments: those of stage cdo, the input `input_physical_with_elfs.mlir`, and `--aie-translate EXE`.

    The tool looks for the ELFs below its work folder and writes files of fixed names into it, so each run has
    a work folder of its own.
    """
    options = stage_arguments("cdo_translate", arguments)
    elfs, init, enable = options.one("-o"), options.one("--init"), options.one("--enable")
    symbol, source = options.one("--device-symbol"), options.input()
    with Outputs(elfs, init, enable) as outputs:
        read_bytes(source)
        architecture = device_model(options.one("--device")).architecture
        images = [*parse_images(options.all("--image"), "--image").values()]
        for path in images:
            read_core_image(read_bytes(path), architecture, path)
        with WorkFolder(outputs.temporary(elfs) + ".d", *images) as folder:
            command = [options.one("--aie-translate"), "--aie-generate-cdo", "--aie-device-name", symbol]
            printed = run_tool(
                [*command, f"--work-dir-path={folder}", os.path.abspath(source)], folder=folder
            )
            sys.stderr.write(printed)
            for path, part in ((elfs, "elfs"), (init, "init"), (enable, "enable")):
                made = os.path.join(folder, f"{symbol}_aie_cdo_{part}.bin")
                if not os.path.exists(made):
                    raise ToolError(f"aie-translate made no {os.path.basename(made)} although it succeeded")
                os.replace(made, outputs.temporary(path, _check))


def _check(data: bytes) -> None:
    read_cdo(data)
