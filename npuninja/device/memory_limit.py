"""How much memory the buffers of an emulated run may take: `--memory-limit`.

A design cannot change the size of anything else in the emulated array: data memories are the device's, a core
has 512 KiB of address space, its module can neither grow it nor bring a second one
(`emulator/core_modules/admission.py`), and function tables have a largest size (`emulator/array.py`). Buffers
in host memory are what the caller, a manifest or a host program asks for.
"""

from __future__ import annotations

import argparse
import re

#: For `npuninja run`; the emulated DDR itself ends a little below that.
RUN_LIMIT_BYTES = 3840 << 20
#: For `npuninja emu`, whose programs may hold more buffers than one array sees.
EMU_LIMIT_BYTES = 16 << 30

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30}
_SIZE = re.compile(r"(\d{1,15})\s*([kmg]i?|)b?", re.IGNORECASE | re.ASCII)


def memory_size(text: str) -> int:
    """A number of bytes as people write it: `1000000`, `512MiB`, `2G`. Raises argparse.ArgumentTypeError."""
    found = _SIZE.fullmatch(text.strip())
    size = int(found[1]) * _UNITS[found[2].lower()] if found else 0
    if size < 1:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a size: a number of bytes, with KiB, MiB or GiB after it if you like"
        )
    return size


def add_memory_limit(parser: argparse.ArgumentParser, default_bytes: int) -> None:
    """Adds the option; the result's `memory_limit` is in bytes."""
    parser.add_argument(
        "--memory-limit",
        type=memory_size,
        default=default_bytes,
        metavar="SIZE",
        help="most memory for host buffers of the emulated NPU, "
        f"as in 512MiB (default {default_bytes >> 20}MiB)",
    )
