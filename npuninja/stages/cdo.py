"""Stage cdo: a routed design and the images of its cores to the three configuration files."""

from __future__ import annotations

from npuninja.arch.devices import device as device_model
from npuninja.formats.cdo import read_cdo
from npuninja.formats.core_image import read_core_image
from npuninja.lowering.pipeline import configuration
from npuninja.stages._mlir_module import read_module
from npuninja.stages._places import parse_images
from npuninja.stages._run import Outputs, read_bytes, stage_arguments


def run(arguments: list[str]) -> None:
    """`input_physical.mlir --device NAME --device-symbol D --image C,R=FILE… -o ELFS --init F --enable F`."""
    options = stage_arguments("cdo", arguments)
    elfs, init, enable = options.one("-o"), options.one("--init"), options.one("--enable")
    with Outputs(elfs, init, enable) as outputs:
        module = read_module(options.input())
        architecture = device_model(options.one("--device")).architecture
        files = parse_images(options.all("--image"), "--image")
        images = {
            place: read_core_image(read_bytes(path), architecture, path) for place, path in files.items()
        }
        result = configuration(module, options.one("--device-symbol"), images)
        for path, data in ((elfs, result.elfs), (init, result.init), (enable, result.enable)):
            outputs.write(path, data, _check)


def _check(data: bytes) -> None:
    read_cdo(data)
