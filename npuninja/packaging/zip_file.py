"""Zip files in one form only: equal content gives equal bytes; any other byte is a damage that has a name.

Entries are stored, not compressed: what a compressor makes depends on its version. Times, modes and the
system that is said to have written are constants. Entries are sorted, a wheel's metadata last, as the wheel
format asks for.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from npuninja.errors import Location, UserError

TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can name
#: Eight files for each of a thousand designs, and the runner.
MAX_ENTRIES = 10_000
_UNIX = 3
_PLAIN_FILE = 0o100644


def write_zip(files: Mapping[str, bytes]) -> bytes:
    """The zip file with these contents by name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files, key=lambda name: (".dist-info/" in name, name)):
            entry = zipfile.ZipInfo(name, TIME)
            entry.create_system = _UNIX
            entry.external_attr = _PLAIN_FILE << 16
            archive.writestr(entry, files[name])
    return stream.getvalue()


def read_zip(data: bytes, path: str) -> dict[str, bytes]:
    """The contents by name of a file that `write_zip` made.

    Args:
        data: its bytes.
        path: its name, for messages.

    Raises:
        UserError: it is no zip file, an entry is damaged, or a byte outside the contents is not what
            `write_zip` writes.
    """
    files: dict[str, bytes] = {}
    name = ""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise damaged(path, f"it holds {len(entries)} files; a package has at most {MAX_ENTRIES}")
            for entry in entries:
                name = entry.filename
                if name in files:
                    raise damaged(path, f"{name} is in it twice")
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise damaged(path, f"{name} is compressed, which `ninja package` does not do")
                if entry.file_size > len(data):
                    said = f"{name} is said to have {entry.file_size} bytes, the whole file has {len(data)}"
                    raise damaged(path, said)
                _check_name(path, name)
                files[name] = archive.read(entry)
    except UserError:
        raise
    except Exception as error:  # zipfile raises nearly everything on damaged files, BadZipFile as a rule
        what = f"{name}: {error}" if name else str(error)
        raise damaged(path, f"it cannot be unpacked: {what}") from error
    written = write_zip(files)
    if written != data:
        raise damaged(path, _first_difference(data, written, files))
    return files


def _check_name(path: str, name: str) -> None:
    parts = name.split("/")
    if (
        not name.isprintable()
        or "\\" in name
        or ":" in name
        or any(part in ("", ".", "..") for part in parts)
    ):
        raise damaged(path, f"it holds {name!r}, which is no name of a file inside it")


def _first_difference(data: bytes, written: bytes, files: Mapping[str, bytes]) -> str:
    """Where a zip file is not as it should be, in words."""
    place = next((i for i, (a, b) in enumerate(zip(data, written)) if a != b), min(len(data), len(written)))
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        starts = [(entry.header_offset, entry.filename) for entry in archive.infolist()]
        directory = archive.start_dir
    owner = [name for start, name in starts if start <= place]
    if place >= directory or not owner:
        return f"its table of contents is not the one of its {len(files)} files (byte {place})"
    return (
        f"the header of {owner[-1]} is not as `ninja package` writes it (byte {place}): its order, "
        "time or mode"
    )


def damaged(path: str, first: str, *others: str) -> UserError:
    """The error of a package that is not as it was made: what was found first, and the rest as notes."""
    notes = tuple((text, None) for text in others)
    return UserError(
        f"not as it was made: {first}", Location(path), notes=notes, hint="get it again from its maker"
    )
