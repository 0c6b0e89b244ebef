"""Stage install: the archive of a package unpacked below a prefix, and below the folder `DESTDIR` if set."""

from __future__ import annotations

import os

from npuninja.stages._run import read_bytes, stage_arguments


def run(arguments: list[str]) -> None:
    """`NAME.zip --prefix FOLDER`: installs, and prints every file that it put in place.

    Raises:
        UserError: the archive is not as it was made, or something else is where the package belongs.
        ToolError: a file cannot be written.
    """
    from npuninja.packaging.installation import install
    from npuninja.packaging.verify import verify

    options = stage_arguments("install", arguments)
    path = options.input()
    found = verify(read_bytes(path), path)
    install(found.package, found.files, options.one("--prefix"), os.environ.get("DESTDIR", ""), say=_say)


def _say(path: str) -> None:
    print(f"installed {path}")
