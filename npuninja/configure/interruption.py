"""Ctrl-C while Ninja has build.ninja made again.

Ninja deletes the outputs of an interrupted command that has a depfile, whether they were written or not, and
without build.ninja it cannot start again. It does so when this process has ended, so one is left behind that
waits for Ninja's end and puts the files back as they were.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from npuninja.build_places import BUILD_FILE
from npuninja.configure import signals
from npuninja.files import write_file
from npuninja.plan.layout import BATCHES, GRAPH, PLAN, Layout

# Ninja ends at once; if it does not, the files are put back all the same.
WAIT_S = 10.0

# The files that Ninja takes for outputs of the command: their bytes and times.
_kept: dict[str, tuple[bytes, int]] = {}


def keep_outputs(layout: Layout) -> None:
    """Remembers the files that configure.py writes and Ninja would delete."""
    made = []
    for folder in (os.path.join(layout.build_folder, name) for name in ("designs", BATCHES)):
        made += [os.path.join(folder, name) for name in (os.listdir(folder) if os.path.isdir(folder) else ())]
    made += [os.path.join(layout.build_folder, name) for name in (GRAPH, PLAN)]
    for path in (os.path.join(layout.ninja_folder, BUILD_FILE), *made):
        try:
            with open(path, "rb") as stream:
                _kept[path] = stream.read(), os.stat(path).st_mtime_ns
        except OSError:
            continue


@contextmanager
def interruptible(by_ninja: bool) -> Iterator[None]:
    """Has the kept files put back when the block is interrupted, if Ninja started the command."""
    try:
        signals.let_through()
        yield
    except KeyboardInterrupt:
        if by_ninja and hasattr(os, "fork"):
            _leave_behind(os.getppid())
        raise


def _leave_behind(ninja: int) -> None:
    """Starts the process that waits for the end of `ninja`."""
    if os.fork():
        return
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):  # Ninja waits until no process has its pipes
            os.dup2(nothing, stream)
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end and _alive(ninja):
            time.sleep(0.01)
        put_back(_kept)
    finally:
        os._exit(0)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def put_back(files: dict[str, tuple[bytes, int]]) -> None:
    """Writes those of the files that are missing, with their old times: Ninja makes them again next time."""
    for path, (content, time_ns) in files.items():
        if os.path.exists(path):
            continue
        write_file(path, content, time_ns=time_ns)
