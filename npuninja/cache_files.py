"""The folder of caches, and the files in it, which this process trusts as much as itself.

The folder is `$NPUNINJA_CACHE_DIR`, else `$XDG_CACHE_HOME/npuninja`, else `~/.cache/npuninja`. It must be
one's own, and nobody else may write to it. A file ends with a sha256 of its name and content: one that was
cut off, changed or put in another's place counts as not there; so does one of another user, a link, and what
is no plain file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat

from npuninja import TYPE_CHECKING
from npuninja.errors import ToolError
from npuninja.files import MIB, write_file

if TYPE_CHECKING:
    from pathlib import Path

_DIGEST_BYTES = 32
#: The largest is a core's program translated: 16 KiB of machine code become some megabytes.
MAX_KEPT_BYTES = 256 * MIB
#: Answers of one kind to keep: some kilobytes each.
MAX_ANSWERS = 256


def cache_folder(name: str = "") -> Path:
    """Where files are kept, or a folder there; made when missing. Falls back to a temporary folder when it
    cannot be written.

    Raises:
        ToolError: others can write there, or it cannot be made.
    """
    folder = _whole_cache()
    if not name:
        return folder
    below = folder / name
    try:
        below.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        raise ToolError(
            f"{below} is in the way of a folder of the cache",
            hint="delete it; everything there is made again",
        ) from None
    require_own(below)
    return below


def _whole_cache() -> Path:
    from pathlib import Path  # 8 ms, and configure.py often needs no cache

    given = os.environ.get("NPUNINJA_CACHE_DIR")
    if given:
        folder = Path(given)
    else:
        base = os.environ.get("XDG_CACHE_HOME")
        folder = (Path(base) if base else Path.home() / ".cache") / "npuninja"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(folder, os.W_OK):
            require_own(folder)
            return folder
    except OSError:
        if given:
            raise ToolError(
                f"cannot make the cache folder {folder}",
                hint="set NPUNINJA_CACHE_DIR to a folder that can be written",
            ) from None
    import tempfile  # takes 10 ms, and a run that finds its modules does not need it

    fallback = Path(tempfile.gettempdir()) / f"npuninja-{os.getuid()}"
    with contextlib.suppress(OSError):  # something else has its name: the next lines say so
        fallback.mkdir(mode=0o700, exist_ok=True)
    if not stat.S_ISDIR(fallback.lstat().st_mode):  # anybody can put a link there, before us
        raise ToolError(
            f"{fallback} is no folder", hint="set NPUNINJA_CACHE_DIR to a folder of your own, or delete it"
        )
    require_own(fallback)
    return fallback


def require_own(folder: Path, variable: str = "NPUNINJA_CACHE_DIR") -> None:
    """Raises ToolError when others can write there: this process runs machine code from it.

    Args:
        folder: for the cache.
        variable: of the environment, which says where the folder is.
    """
    status = folder.stat()
    hint = f"set {variable} to a folder of your own"
    if status.st_uid != os.getuid():
        raise ToolError(f"{folder} belongs to somebody else", hint=hint)
    if _others_write(status):
        raise ToolError(
            f"others can write to {folder}, and it holds machine code", hint=f"chmod go-w {folder}, or {hint}"
        )


def _others_write(status: os.stat_result) -> bool:
    return bool(status.st_mode & 0o002 or (status.st_mode & 0o020 and status.st_gid != os.getgid()))


def _seal(path: Path, content: bytes) -> bytes:
    return hashlib.sha256(path.name.encode() + b"\0" + content).digest()


def kept(path: Path) -> bytes | None:
    """The content of a file that `keep` wrote; None if it is missing, not whole, of another name or user."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
        with open(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or _others_write(status):
                return None
            if not _DIGEST_BYTES <= status.st_size <= MAX_KEPT_BYTES:
                return None
            data = stream.read(MAX_KEPT_BYTES + 1)
    except OSError:
        return None
    content = data[:-_DIGEST_BYTES]
    return content if data[-_DIGEST_BYTES:] == _seal(path, content) else None


def keep(path: Path, content: bytes) -> bool:
    """Writes a file that `kept` reads. False when it cannot be written: a full cache makes nothing fail."""
    with contextlib.suppress(OSError):  # nothing is there, or a folder
        if not stat.S_ISREG(path.lstat().st_mode):  # a link or a FIFO, which `write_file` would write to
            path.unlink()
    try:
        write_file(str(path), content + _seal(path, content))
    except ToolError:
        return False
    with contextlib.suppress(OSError):  # another process was faster, or the file system has no modes
        os.chmod(path, 0o600)
    return True


def kept_answer(kind: str, question: str) -> bytes | None:
    """What `keep_answer` wrote for a question of a kind; None when nothing is there that counts."""
    if os.name != "posix":  # elsewhere files have no owners
        return None
    try:
        return kept(cache_folder(kind) / _name_of(question))
    except (ToolError, OSError):  # a cache that is not to be trusted has nothing
        return None


def keep_answer(kind: str, question: str, answer: bytes) -> None:
    """Keeps an answer that only the words of its question decide; the newest `MAX_ANSWERS` of a kind stay."""
    if os.name != "posix":
        return
    with contextlib.suppress(ToolError, OSError):
        folder = cache_folder(kind)
        forget_oldest(folder, MAX_ANSWERS)
        keep(folder / _name_of(question), answer)


def _name_of(question: str) -> str:
    return hashlib.sha256(question.encode("utf-8", "surrogateescape")).hexdigest()[:40]


def forget_oldest(folder: Path, most: int) -> None:
    """Removes the older half of a folder's files when it has more than `most`."""
    entries: list[tuple[float, str]] = []
    for entry in os.scandir(folder):
        try:
            entries.append((entry.stat(follow_symlinks=False).st_mtime, entry.path))
        except OSError:
            continue  # another process was faster
    if len(entries) <= most:
        return
    for _, path in sorted(entries)[: len(entries) // 2]:
        with contextlib.suppress(OSError):
            os.unlink(path)
