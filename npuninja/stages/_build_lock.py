"""One Ninja at a time in a build folder.

Ninja numbers the files in its log of dependencies (`.ninja_deps`) by their order there. Two that append to
one log give the same numbers to different files; what follows is never read again: every later build rebuilds
everything. Ninja does not look for another one. It writes an entry when a command with a depfile
succeeds, so such commands fail here while the build folder belongs to another Ninja that still lives.
"""

from __future__ import annotations

import os

from npuninja.errors import UserError

#: The file in the build folder that names the process.
LOCK = ".npuninja_lock"
#: How the programs are called that read build.ninja: Ninja, and samurai, which keeps the same log.
BUILDERS = (b"ninja", b"samu")


def claim_build_folder(lock: str) -> None:
    """Makes the process that started this one the owner of a build folder, for as long as it lives.

    Args:
        lock: the file that names the owner, in the build folder. Made when missing.

    Raises:
        UserError: another process that still lives is the owner.
    """
    ninja = _identity(os.getppid(), BUILDERS)
    if not ninja:
        return  # Ninja was killed, and this stage lives on: its new parent builds nothing
    try:
        with open(lock, encoding="ascii", errors="replace") as stream:
            if stream.read(100) == ninja:
                return
    except OSError:
        pass  # not there yet, or not readable: see below
    try:
        import fcntl  # here, since all stages of a build but the first end above

        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    except ImportError:
        return  # Windows: two at once are not noticed there
    except OSError:
        return  # what makes the folder unwritable is said by the stage, about its output
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        owner = os.read(descriptor, 100).decode("ascii", "replace")
        if owner == ninja:
            return
        process = owner.partition(" ")[0]
        if process.isdecimal() and _identity(int(process)) == owner:
            folder = os.path.dirname(lock) or "."
            raise UserError(
                f"process {process} already builds in {folder}, and two at once would damage Ninja's log",
                hint="wait for its end, then start this build again",
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, ninja.encode("ascii"), 0)
    finally:
        os.close(descriptor)


def _identity(process: int, names: tuple[bytes, ...] = (b"",)) -> str:
    """`PID START`, with the time of its start where /proc tells it, since numbers are used again.

    "" when it has ended, or where its name is known and begins with none of `names`.
    """
    try:
        with open(f"/proc/{process}/stat", "rb") as stream:
            before, _, after = stream.read().rpartition(b")")
        name, fields = before.partition(b"(")[2], after.split()
    except OSError:
        if process == 1:
            return ""
        try:
            os.kill(process, 0)
        except PermissionError:
            pass
        except (OSError, OverflowError):
            return ""
        return f"{process} -"
    # Of proc(5): field 3 is the state, a zombie (Z) has ended; field 22 is the start in ticks since boot.
    if fields[0] == b"Z" or not name.startswith(names):
        return ""
    return f"{process} {fields[19].decode('ascii')}"
