"""Ctrl-C while Ninja has build.ninja made anew.

Ninja then deletes the outputs of the command whose time has changed, and without build.ninja it cannot start
again. So the files get their old time back: Ninja leaves them alone, and makes them again next time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from npuninja.plan.layout import GRAPH, Layout
from npuninja.plan.package_recipe import PLAN

# The files whose times count, and these times.
_guarded: dict[str, int] = {}


def guard_outputs(layout: Layout) -> None:
    """Remembers the times of the files that configure.py writes and Ninja takes for its outputs."""
    designs = os.path.join(layout.build_folder, "designs")
    made = [os.path.join(designs, name) for name in (os.listdir(designs) if os.path.isdir(designs) else ())]
    made += [os.path.join(layout.build_folder, name) for name in (GRAPH, PLAN)]
    for path in (os.path.join(layout.ninja_folder, "build.ninja"), *made):
        if os.path.isfile(path):
            _guarded[path] = os.stat(path).st_mtime_ns


@contextmanager
def interruptible(by_ninja: bool) -> Iterator[None]:
    """Gives the guarded files their old times when the block is interrupted, if Ninja started the command."""
    _guarded.clear()
    try:
        yield
    except KeyboardInterrupt:
        if by_ninja:
            for path, time_ns in _guarded.items():
                try:
                    status = os.stat(path)
                    os.utime(path, ns=(status.st_atime_ns, time_ns))
                except OSError:
                    continue
        raise
