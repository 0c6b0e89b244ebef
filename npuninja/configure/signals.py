"""When Ninja started configure.py, Ctrl-C is held back from its first import until it can be dealt with."""

from __future__ import annotations

import signal
import sys


def hold_back() -> None:
    """Blocks SIGINT when this is a configure that Ninja has started."""
    if "--regenerate" in sys.argv and hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def let_through() -> None:
    """Unblocks it; one that came meanwhile is raised now."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def is_held_back() -> bool:
    """Whether one has come that is held back."""
    return hasattr(signal, "sigpending") and signal.SIGINT in signal.sigpending()
