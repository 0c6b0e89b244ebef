"""What the command says about the design that runs in this process."""

from __future__ import annotations

import io
import sys
from typing import Any

#: The device that `get_current_device()` gives, as the command named it, or None.
DEVICE: str | None = None

#: Whether the first module that would be compiled is printed instead.
PRINTS_ONLY = False


class Printed(BaseException):
    """The module is printed, which is all that was asked for."""


def printed_instead(module: Any) -> None:
    """Under `--print`, writes the module and ends the script."""
    if PRINTS_ONLY:
        said = sys.stdout
        if isinstance(said, io.StringIO):  # what the design has said before is no part of its module
            sys.stderr.write(said.getvalue())
            said.seek(0)
            said.truncate()
        sys.stdout.write(str(module).rstrip("\n") + "\n")
        sys.stdout.flush()
        raise Printed
