"""The lints that need the design alone. They run on what the user wrote, before it is lowered."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.ir.core import Operation
from npuninja.lints.descriptor_length import check_descriptor_lengths
from npuninja.lints.lock_release import check_lock_releases
from npuninja.lints.lost_offset import check_lost_offsets
from npuninja.lints.reused_descriptors import check_reused_descriptors

_LINTS = (check_lost_offsets, check_lock_releases, check_descriptor_lengths, check_reused_descriptors)


def lint_design(module: Operation, warnings: Warnings) -> None:
    """Runs all of them on every device of a verified module."""
    for device in module.body.ops:
        if device.name == "aie.device":
            for lint in _LINTS:
                lint(device, warnings)
