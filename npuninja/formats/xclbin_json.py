"""The JSON files from which xclbinutil packs an XCLBIN, as aiecc writes them.

Source: MLIR-AIE's Python aiecc (keys, order, values, indentation; equal to files it made). But the PDI's
UUID comes from its content, not from chance, so that the same PDI gives the same XCLBIN.
"""

from __future__ import annotations

import json

from npuninja import TYPE_CHECKING
from npuninja.formats import xclbin_sections as sections
from npuninja.formats.xclbin import XclbinKernel, content_uuid

if TYPE_CHECKING:
    from typing import Any, Sequence

#: The same in every build: xclbinutil stores the first 15 characters of these names in the XCLBIN.
MEM_TOPOLOGY_FILE = "main_mem_topology.json"
KERNELS_FILE = "main_kernels.json"
PARTITION_FILE = "main_aie_partition.json"
MODULES_FILE = "core_modules.bin"


def mem_topology_json() -> str:
    """The file of `--add-replace-section MEM_TOPOLOGY:JSON:`."""
    return _text({"mem_topology": sections.memories_json(sections.MEMORIES)})


def kernels_json(kernels: Sequence[XclbinKernel]) -> str:
    """The file of `--add-kernel`. Raises UserError when a kernel's name cannot be stored."""
    return _text({"ps-kernels": {"kernels": [_kernel(kernel) for kernel in kernels if kernel.name]}})


def _kernel(kernel: XclbinKernel) -> dict[str, Any]:
    sections.check_kernel_name(kernel.name, kernel.instance)
    arguments: list[dict[str, str]] = []
    for argument in sections.call_arguments(kernel.buffers):
        fields = {"name": argument.name}
        if argument.memory is not None:
            fields["memory-connection"] = sections.MEMORIES[argument.memory].tag
        fields["address-qualifier"] = "SCALAR" if argument.memory is None else "GLOBAL"
        arguments.append({**fields, "type": argument.type, "offset": argument.offset})
    return {
        "name": kernel.name,
        "type": "dpu",
        "extended-data": {"subtype": "DPU", "functional": "0", "dpu_kernel_id": f"0x{kernel.kernel_id:x}"},
        "arguments": arguments,
        "instances": [{"name": kernel.instance}],
    }


def partition_json(
    kernels: Sequence[XclbinKernel],
    file_names: Sequence[str],
    column_width: int,
    start_columns: Sequence[int],
) -> str:
    """The file of `--add-replace-section AIE_PARTITION:JSON:`.

    Args:
        kernels: each with its PDI, whose content gives the UUID.
        file_names: where their PDIs are, from the folder of this JSON file.
        column_width: columns that a partition takes.
        start_columns: columns at which a partition may start.
    """
    partition = {
        "name": "QoS",
        "operations_per_cycle": "2048",
        "inference_fingerprint": "23423",
        "pre_post_fingerprint": "12345",
        "partition": {"column_width": column_width, "start_columns": list(start_columns)},
        "PDIs": [_pdi(kernel, name) for kernel, name in zip(kernels, file_names)],
    }
    return _text({"aie_partition": partition})


def _pdi(kernel: XclbinKernel, file_name: str) -> dict[str, Any]:
    group = {
        "name": "DPU",
        "type": "PRIMARY",
        "pdi_id": f"0x{kernel.pdi_id:02x}",
        "dpu_kernel_ids": [f"0x{kernel.kernel_id:x}"] if kernel.name else [],
        "pre_cdo_groups": ["0xC1"],
    }
    digits = content_uuid(kernel.pdi).hex()
    uuid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return {"uuid": uuid, "file_name": file_name, "cdo_groups": [group]}


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2) + "\n"
