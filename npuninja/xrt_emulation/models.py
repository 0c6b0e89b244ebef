"""The NPUs that can be shown: what /sys, XRT and the driver say of them."""

from __future__ import annotations

from npuninja.arch.families import FAMILIES, Rows
from npuninja.errors import UserError
from npuninja.records import NamedTuple


class NpuModel(NamedTuple):
    """An NPU.

    Attributes:
        name: as in `--device`.
        vbnv: its name in XRT.
        device_id, revision: of the PCI function.
        first_column: of those that designs can use.
        columns: that designs can use.
        rows: what the tiles of each row of the array are.
        context_limit: hardware contexts at a time.
        firmware: its version.
        max_clock_mhz: of the array.
    """

    name: str
    vbnv: str
    device_id: int
    revision: int
    first_column: int
    columns: int
    rows: Rows
    context_limit: int
    firmware: tuple[int, int, int, int]
    max_clock_mhz: int

    @property
    def all_columns(self) -> int:
        """Columns of the array, those included that no design can use."""
        return self.first_column + self.columns


MODELS = {
    family.name: NpuModel(
        name=family.name,
        vbnv=family.driver.xrt_name,
        device_id=family.driver.pci_device,
        revision=family.driver.pci_revision,
        first_column=family.physical_columns - family.columns,
        columns=family.columns,
        rows=family.rows,
        context_limit=family.driver.context_limit,
        firmware=family.driver.firmware,
        max_clock_mhz=family.driver.max_clock_mhz,
    )
    for family in FAMILIES.values()
}


def model_named(name: str) -> NpuModel:
    """Raises UserError for an unknown name."""
    if name not in MODELS:
        raise UserError(f"there is no NPU '{name}' to emulate", hint="known: " + ", ".join(MODELS))
    return MODELS[name]
