"""What the command says about the design that runs in this process."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable

from npuninja import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

#: The device that `get_current_device()` gives, as the command named it, or None.
DEVICE: str | None = None

#: Whether the first module that would be compiled is printed instead.
PRINTS_ONLY = False


class Printed(BaseException):
    """The module is printed, which is all that was asked for."""


#: The kernels of that module, for its build: object, source or text, include folders, flags.
KERNELS: list[dict[str, Any]] = []

#: The flags of MLIR-AIE's driver with which the design wants to be lowered.
AIECC_FLAGS: list[str] = []


def printed_instead(module: Any, kernels: Iterable[Any] = (), aiecc_flags: Iterable[str] = ()) -> None:
    """Under `--print`, writes the module and ends the script."""
    if PRINTS_ONLY:
        AIECC_FLAGS[:] = map(str, aiecc_flags)
        KERNELS[:] = []
        for record in map(_record, kernels):  # several functions of one object are one kernel to build
            if record not in KERNELS:
                KERNELS.append(record)
        said = sys.stdout
        if isinstance(said, io.StringIO):  # what the design has said before is no part of its module
            sys.stderr.write(said.getvalue())
            said.seek(0)
            said.truncate()
        sys.stdout.write(str(module).rstrip("\n") + "\n")
        sys.stdout.flush()
        raise Printed


def _record(kernel: Any) -> dict[str, Any]:
    """An `ExternalFunction` as data. A source that is there is named, any other text is given."""
    source = kernel.source_file
    named = source is not None and kernel._source_string is None
    return {
        "object": kernel.object_file_name,
        "source": os.path.abspath(source) if named else "",
        "text": "" if named else kernel.source_text(),
        "include": [os.path.abspath(folder) for folder in kernel._include_dirs],
        "flags": kernel.build_flags,
    }
