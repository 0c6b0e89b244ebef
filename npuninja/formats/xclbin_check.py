"""What an XCLBIN must have so that XRT loads it and finds the kernel; xclbinutil makes files that have less.

Source: XRT's loader ("No valid DPU kernel found in xclbin (err=22)": no DPU kernel in EMBEDDED_METADATA),
xclbin.h, files that ran on an NPU.
"""

from __future__ import annotations

from npuninja.errors import Error, Location, UserError
from npuninja.formats import xclbin
from npuninja.formats.aie_partition import AiePartition, kernel_ids_without_pdi, read_aie_partition
from npuninja.formats.pdi import read_pdi
from npuninja.formats.xclbin import KIND_NAMES, Xclbin
from npuninja.formats.xclbin_sections import read_embedded_metadata, read_ip_layout

#: The sections that XRT reads, all of them needed.
REQUIRED = (
    xclbin.MEM_TOPOLOGY, xclbin.AIE_PARTITION, xclbin.EMBEDDED_METADATA, xclbin.IP_LAYOUT, xclbin.CONNECTIVITY,
    xclbin.GROUP_CONNECTIVITY, xclbin.GROUP_TOPOLOGY,
)  # fmt: skip


def check_xclbin(container: Xclbin, kernel: str | None, name: str) -> None:
    """Raises UserError unless all sections are there and agree.

    Args:
        container: as read.
        kernel: the name under which the host asks for the kernel; None for any.
        name: of the file, for messages.
    """
    missing = [KIND_NAMES[kind] for kind in REQUIRED if not _data(container, kind)]
    if missing:
        raise _error(
            name, f"the XCLBIN has no section {', '.join(missing)}", "XRT does not load it; build it again"
        )
    kernels = read_embedded_metadata(_data(container, xclbin.EMBEDDED_METADATA), name)
    names = [k.name for k in kernels if k.kernel_id]
    if not names:
        raise _error(
            name, "the XCLBIN's EMBEDDED_METADATA has no DPU kernel", "XRT would refuse it with err=22"
        )
    if kernel is not None and kernel not in names:
        raise _error(name, f"the XCLBIN has no kernel {kernel}", f"its kernels: {', '.join(names)}")
    units = read_ip_layout(_data(container, xclbin.IP_LAYOUT), name)
    partition = read_aie_partition(_data(container, xclbin.AIE_PARTITION), name)
    if not partition.pdis:
        raise _error(
            name, "the XCLBIN's AIE_PARTITION has no PDI", "check the file_name in the partition's JSON"
        )
    if not partition.start_columns:
        raise _error(name, "the XCLBIN's partition may start at no column", "XRT would find no place for it")
    lost = kernel_ids_without_pdi(partition, [unit.kernel_id for unit in units])
    if lost:
        raise _error(
            name,
            f"no PDI implements kernel {', '.join(f'0x{i:x}' for i in lost)}",
            "give each kernel its PDI",
        )
    _check_pdis(partition, name)


def problem_of(container: Xclbin, name: str) -> str | None:
    """What `check_xclbin` has to say, for people; None when all is well."""
    try:
        check_xclbin(container, None, name)
    except Error as error:
        return error.message
    return None


def _check_pdis(partition: AiePartition, name: str) -> None:
    for pdi in partition.pdis:
        if not any(pdi.uuid):
            raise _error(
                name, "a PDI of the XCLBIN has the UUID 0", "XRT tells designs apart by it; build it again"
            )
        if not read_pdi(pdi.image, name).commands(name):
            raise _error(name, "a PDI of the XCLBIN configures nothing", "build it again")


def _data(container: Xclbin, kind: int) -> bytes:
    section = container.section(kind)
    return section.data if section else b""


def _error(name: str, message: str, hint: str) -> UserError:
    return UserError(message, Location(name), hint=hint)
