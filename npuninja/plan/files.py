"""Writing a file only when its content changes, so that its time says when it last did."""

from __future__ import annotations

import os


def write_if_changed(path: str, text: str) -> bool:
    """Writes a file by temporary name and rename, unless it has this content already.

    Returns whether it wrote.
    """
    data = text.encode("utf-8", "surrogateescape")
    try:
        with open(path, "rb") as stream:
            if stream.read() == data:
                return False
    except OSError:
        pass
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    temporary = f"{path}.new{os.getpid()}"
    with open(temporary, "wb") as stream:
        stream.write(data)
    os.replace(temporary, path)
    return True
