"""Which names designs and kernels may have.

Names become file names, Ninja targets, C symbols and XCLBIN entries; a rule for them spares escaping later.
"""

from __future__ import annotations

import re

from npuninja.errors import Location, UserError

# 63: xclbinutil refuses kernel names of 64 characters and more.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")


def check_name(kind: str, name: str, location: Location | None) -> str:
    """Returns `name`. Raises UserError unless it is a letter followed by at most 62 letters, digits, `_`."""
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{kind} name {name!r} is not a letter followed by at most 62 letters, digits and underscores",
            location,
            hint="rename it" + (f", for example to {suggestion!r}" if (suggestion := _suggest(name)) else ""),
        )
    return name


def is_name(name: str) -> bool:
    """Whether a design may be called so."""
    return bool(_NAME.fullmatch(name))


def _suggest(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:63]
    return plain if _NAME.fullmatch(plain) else ""
