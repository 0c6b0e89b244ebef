"""Stage xclbin: a device image, and the modules of emulated cores, to the container that a runtime loads."""

from __future__ import annotations

from npuninja.arch.devices import device as device_model
from npuninja.formats.core_image import read_core_image
from npuninja.formats.pdi import read_pdi
from npuninja.formats.xclbin import Kernel, read_xclbin, write_xclbin
from npuninja.stages._places import parse_images
from npuninja.stages._run import Outputs, read_arguments, read_bytes


def run(arguments: list[str]) -> None:
    """`NAME.pdi --device NAME --image C,R=FILE… -o NAME.xclbin`."""
    options = read_arguments("xclbin", arguments, options=("--device", "--image"))
    target = options.one("-o")
    with Outputs(target) as outputs:
        model = device_model(options.one("--device"))
        pdi = read_bytes(options.input())
        read_pdi(pdi, options.input())
        files = parse_images(options.all("--image"), "--image")
        images = [read_core_image(read_bytes(path), model.architecture, path) for _, path in sorted(files.items())]
        modules = list(dict.fromkeys(image.module for image in images if image.module))
        outputs.write(target, write_xclbin([Kernel(pdi)], model.columns, model.start_columns, modules), _check)


def _check(data: bytes) -> None:
    read_xclbin(data)
