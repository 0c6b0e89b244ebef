"""What `npuninja inspect` says of a folder, as aiecc's X.mlir.prj: the files it can read, by their kind."""

from __future__ import annotations

import os

from npuninja.diag.inspect import inspect_bytes
from npuninja.diag.inspect_report import InspectReport
from npuninja.errors import Error, Location, UserError
from npuninja.files import MAX_XCLBIN_BYTES, read_file

#: The ends of names of what a work folder holds that `npuninja inspect` can read.
_READABLE = (".xclbin", ".pdi", ".bin", ".txt", ".elf", ".o", ".a", ".wasm", ".json")


def inspect_folder(path: str) -> InspectReport:
    """The files of a folder with their kinds. Raises UserError when none can be read."""
    files: list[dict[str, str]] = []
    for name in sorted(os.listdir(path)):
        whole = os.path.join(path, name)
        if name.endswith(_READABLE) and os.path.isfile(whole):
            files.append({"file": name, "kind": _kind(whole)})
    if not files:
        raise UserError(
            "a folder without a file that can be inspected",
            Location(path),
            hint="expected an XCLBIN, PDIs, CDOs, instructions or core programs in it, "
            "or one of these files itself",
        )
    lines = [f"  {each['file']}: {each['kind']}" for each in files]
    return InspectReport(
        "folder", path, {"files": files}, [*lines, "  npuninja inspect FILE says more of each"]
    )


def _kind(path: str) -> str:
    try:
        return inspect_bytes(read_file(path, MAX_XCLBIN_BYTES), path).kind
    except Error as error:
        return f"cannot be read: {error.message}"
