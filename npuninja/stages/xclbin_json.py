"""Stage xclbin_json: what xclbinutil needs to know about a device image, as the three JSON files of aiecc."""

from __future__ import annotations

import os

from npuninja.arch.devices import device as device_model
from npuninja.formats import xclbin_json
from npuninja.stages._run import Outputs, stage_arguments
from npuninja.stages.xclbin import kernels_of


def run(arguments: list[str]) -> None:
    """`NAME.pdi… --device NAME [--kernel NAME=ID=BUFFERS…] -o PARTITION --kernels FILE --memories FILE`."""
    options = stage_arguments("xclbin_json", arguments)
    target, kernels, memories = options.one("-o"), options.one("--kernels"), options.one("--memories")
    with Outputs(target, kernels, memories) as outputs:
        model = device_model(options.one("--device"))
        # xclbinutil looks for the PDIs from the folder of this file, wherever it is started.
        folder = os.path.dirname(target) or "."
        names = [os.path.relpath(path, folder).replace(os.sep, "/") for path in options.positional]
        described = kernels_of(options)
        outputs.write(
            target, xclbin_json.partition_json(described, names, model.columns, model.start_columns)
        )
        outputs.write(kernels, xclbin_json.kernels_json(described))
        outputs.write(memories, xclbin_json.mem_topology_json())
