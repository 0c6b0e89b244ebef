"""`npuninja xclbin`: a device image to the container that a runtime loads."""

from __future__ import annotations

import sys

from npuninja.stages import xclbin
from npuninja.stages._run import read_arguments

USAGE = """\
usage: npuninja xclbin --pdi FILE --device D -o FILE.xclbin [--buffers N] [--image C,R=FILE.wasm …]

D is the device of the design (npu1_1col, npu2, …). A kernel takes N host
buffers, 5 (default) to 16. --image adds the wasm cores of a design for the emulated array.
"""


def main(arguments: list[str]) -> int:
    """Runs `npuninja xclbin`; returns its exit code."""
    if "--help" in arguments or "-h" in arguments:
        sys.stdout.write(USAGE)
        return 0
    options = read_arguments(
        "npuninja xclbin", arguments, options=("--pdi", "--device", "--buffers", "--image")
    )
    words = [options.one("--pdi"), "--device", options.one("--device"), "-o", options.one("-o")]
    if options.optional("--buffers"):
        words += ["--buffers", options.one("--buffers")]
    for image in (*options.all("--image"), *options.positional):
        words += ["--image", image]
    xclbin.run(words)
    return 0
