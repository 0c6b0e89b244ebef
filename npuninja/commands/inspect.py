"""`npuninja inspect FILE`: what a file of a build, or of somebody else, holds."""

from __future__ import annotations

import os
import sys
from typing import Sequence

from npuninja.argument_parser import VerbParser
from npuninja.configure.built import meant_xclbin
from npuninja.diag.inspect import inspect_bytes
from npuninja.diag.inspect_folder import inspect_folder
from npuninja.errors import printable
from npuninja.files import MAX_XCLBIN_BYTES, read_file


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the verb. Raises UserError when the file cannot be read or is damaged."""
    parser = VerbParser(
        prog="npuninja inspect",
        description="Says what a file holds: sections, kernels, cores, and each register write with tile, "
        "name and meaning.",
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="CDO, PDI, XCLBIN, insts.bin, insts.txt, core ELF, object, archive, wasm core, manifest, "
        "a work folder of aiecc; or a design of the project here",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = parser.parse_args(arguments)
    file = meant_xclbin(options.file)
    if os.path.isdir(file):
        report = inspect_folder(file)
    else:
        report = inspect_bytes(read_file(file, MAX_XCLBIN_BYTES), file)
    sys.stdout.write((report.json() if options.json else printable(report.text())) + "\n")
    return 0
