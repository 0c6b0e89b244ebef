"""The NPUs that can be shown: what /sys, XRT and the driver tell of them."""

from __future__ import annotations

from typing import NamedTuple

from npuninja.errors import UserError


class NpuModel(NamedTuple):
    """An NPU.

    Attributes:
        name: as in `--device`.
        vbnv: its name in XRT.
        device_id, revision: of the PCI function.
        first_column: of those that designs can use.
        columns: that designs can use.
        rows: of the array.
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
    rows: int
    context_limit: int
    firmware: tuple[int, int, int, int]
    max_clock_mhz: int

    @property
    def all_columns(self) -> int:
        """Columns of the array, those included that no design can use."""
        return self.first_column + self.columns


#: PCI ids, clocks and npu1's limit of six contexts: amdxdna's npu1_regs.c and npu4_regs.c, as public
#: descriptions give them; npu1's firmware version: one that a Phoenix reported. No source settles npu2's
#: context limit and firmware version: they are values a program can live with.
MODELS = {
    "npu1": NpuModel("npu1", "RyzenAI-npu1", 0x1502, 0x00, 1, 4, 6, 6, (1, 5, 5, 391), 1600),
    "npu2": NpuModel("npu2", "RyzenAI-npu4", 0x17F0, 0x10, 0, 8, 6, 16, (1, 1, 2, 64), 1800),
}


def model_named(name: str) -> NpuModel:
    """Raises UserError for a name that is none."""
    if name not in MODELS:
        raise UserError(f"there is no NPU '{name}' to emulate", hint="known: " + ", ".join(MODELS))
    return MODELS[name]
