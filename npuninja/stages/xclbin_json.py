"""Stage xclbin_json: what xclbinutil needs to know about a device image, as the three JSON files of aiecc."""

from __future__ import annotations

import os

from npuninja.arch.devices import device as device_model
from npuninja.formats import xclbin_json
from npuninja.formats.pdi import read_pdi
from npuninja.formats.xclbin import Kernel
from npuninja.stages._run import Outputs, read_bytes, stage_arguments
from npuninja.stages.xclbin import buffers_of


def run(arguments: list[str]) -> None:
    """`NAME.pdi --device NAME -o main_aie_partition.json --kernels main_kernels.json --memories
    main_mem_topology.json`.
    """
    options = stage_arguments("xclbin_json", arguments)
    target, kernels, memories = options.one("-o"), options.one("--kernels"), options.one("--memories")
    with Outputs(target, kernels, memories) as outputs:
        model = device_model(options.one("--device"))
        path = options.input()
        pdi = read_bytes(path)
        read_pdi(pdi, path)
        kernel = Kernel(pdi, buffers=buffers_of(options))
        # xclbinutil looks for the PDI from the folder of this file, wherever it is started.
        name = os.path.relpath(path, os.path.dirname(target) or ".").replace(os.sep, "/")
        outputs.write(target, xclbin_json.partition_json(kernel, name, model.columns, model.start_columns))
        outputs.write(kernels, xclbin_json.kernels_json(kernel))
        outputs.write(memories, xclbin_json.mem_topology_json())
