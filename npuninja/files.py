"""Files that somebody named: read with a bound; written without replacing what is no plain file.

A path may be a device, a FIFO, a symbolic link, or no path at all. Imported by stage processes.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat

from npuninja import TYPE_CHECKING
from npuninja.errors import Error, Location, ToolError, UserError, in_words

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBERS = itertools.count()

MIB = 1 << 20
#: What the largest XCLBIN takes: 8 modules of 8 MiB for each of 8 columns' cores are 256 MiB, and the PDI.
MAX_XCLBIN_BYTES = 512 * MIB
#: An instruction stream. The firmware takes less than a tenth of that.
MAX_INSTRUCTIONS_BYTES = 64 * MIB
#: A package of designs.
MAX_PACKAGE_BYTES = 1 << 30
#: JSON and Python that describe one design.
MAX_DESCRIPTION_BYTES = 16 * MIB


def read_file(path: str, limit_bytes: int, *, hint: str | None = None) -> bytes:
    """The content of a file.

    Args:
        path: of a file, a pipe or a device.
        limit_bytes: more than that is refused, after as many bytes.
        hint: what to do when it cannot be read.

    Raises:
        UserError: it cannot be opened, is a folder, or is longer than the limit.
    """
    try:
        # A FIFO that nobody writes to would keep us waiting for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise UserError(f"cannot read {path}: {in_words(error)}", hint=hint) from error
    except (ValueError, UnicodeError) as error:
        raise UserError(f"{path!r} is no path: {error}", hint=hint) from error
    try:
        if hasattr(os, "set_blocking"):
            os.set_blocking(descriptor, True)
        pieces, left = [], limit_bytes + 1
        while left > 0:
            piece = os.read(descriptor, min(left, 4 * MIB))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
    except OSError as error:
        raise UserError(f"cannot read {path}: {in_words(error)}", hint=hint) from error
    finally:
        os.close(descriptor)
    if left <= 0:
        raise UserError(f"more than {limit_bytes} bytes, which is the most that is read here", Location(path))
    return b"".join(pieces)


def is_lfs_pointer(data: bytes) -> bool:
    """Whether this is a pointer of Git LFS, which lies in a file's place until it is pulled."""
    return data.startswith(b"version https://git-lfs")


#: A full disk, a full quota, and a file that would be larger than this process may write.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def foreign_error(error: Exception) -> Error | None:
    """The error for one of Python's about a file's content or name, or a full disk; None for others.

    The last net: the code that reads or writes a file knows better what is wrong with it.
    """
    if isinstance(error, OSError) and error.errno in _FULL:
        where = f" {os.fsdecode(error.filename)}" if isinstance(error.filename, (str, bytes)) else ""
        return ToolError(
            f"cannot write{where}: {in_words(error)}",
            hint="make room, and do the same again: files are put in place when they are whole, "
            "so nothing is half written",
        )
    if isinstance(error, UnicodeError):
        return UserError(
            "text that is no UTF-8, in a file or in the name of one: "
            f"{error.reason if hasattr(error, 'reason') else error}",
            hint="names of files and folders must be UTF-8; a file that the build made is damaged: "
            "delete it and build again",
        )
    if isinstance(error, RecursionError):
        return UserError("an input is nested too deeply")
    if (
        isinstance(error, ValueError) and hasattr(error, "lineno") and hasattr(error, "doc")
    ):  # json.JSONDecodeError
        return UserError(f"a file of JSON is damaged: {error}", hint="run configure.py, and build again")
    if isinstance(error, ValueError) and "null byte" in str(error):
        return UserError("a path has a NUL in it, which no file can have")
    return None


def is_special(path: str) -> bool:
    """Whether there is no plain file but a link, a device, a FIFO. It is written to, never replaced."""
    try:
        return not stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def write_file(
    path: str, data: bytes, *, check: Callable[[str], None] | None = None, time_ns: int | None = None
) -> None:
    """Writes a file in one step: whole or not at all. What is no plain file is written to where it is.

    Args:
        path: of the file; its folder is there.
        data: its content.
        check: looks at the file under its temporary name; what it raises leaves the old file in its place.
        time_ns: the file's time; default: now.

    Raises:
        ToolError: it cannot be written.
    """
    folder, name = os.path.split(path)
    # Two processes, and two threads of one, may write the same file at once.
    temporary = os.path.join(folder, f".new{os.getpid()}_{next(_NUMBERS)}.{name}")
    try:
        if is_special(path):
            with open(path, "wb") as stream:
                stream.write(data)
            return
        try:
            with open(temporary, "wb") as stream:
                stream.write(data)
            if check:
                check(temporary)
            if time_ns is not None:
                os.utime(temporary, ns=(time_ns, time_ns))
            os.replace(temporary, path)
        except BaseException:
            if os.path.lexists(temporary):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise ToolError(f"cannot write {path}: {in_words(error)}") from error
    except ValueError as error:
        raise ToolError(f"{path!r} is no path: {error}") from error


def write_if_changed(path: str, text: str, *, check: Callable[[str], None] | None = None) -> bool:
    """`write_file`, unless the file has this content already: so its time says when it last changed.

    Returns whether it wrote. The folder is made where it is missing.

    Raises:
        ToolError: it cannot be written.
    """
    data = text.encode("utf-8", "surrogateescape")
    try:
        with open(path, "rb") as stream:
            if stream.read() == data:
                return False
    except OSError:
        pass  # not there yet, or not to be read: writing tells
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    except OSError as error:
        raise ToolError(f"cannot make the folder of {path}: {in_words(error)}") from error
    write_file(path, data, check=check)
    return True
