"""How a process ends that has nothing to wind up. Imported by stage processes."""

from __future__ import annotations

import os
import sys

from npuninja import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn


def leave(code: int) -> NoReturn:
    """Ends the process with an exit code.

    A process that never imported `threading` has no threads, children or servers, and closes its files where
    it writes them. Python would take its objects apart one by one, a tenth of a lowering's time: such a
    process just ends.
    """
    if "threading" not in sys.modules:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):
            # The reader has gone, or the stream is or was closed: Python's own end knows what to say.
            sys.exit(code)
        os._exit(code)
    sys.exit(code)
