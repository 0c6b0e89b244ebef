"""Stage bif: the file that says to bootgen what to pack."""

from __future__ import annotations

import os

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, UserError
from npuninja.stages._run import Outputs, stage_arguments

if TYPE_CHECKING:
    from typing import Sequence

# What aiecc writes; the ids are those of every NPU image.
BIF = """all:
{{
  id_code = 0x14ca8093
  extended_id_code = 0x01
  image
  {{
    name=aie_image, id=0x1c000000
    {{ type=cdo {files} }}
  }}
}}
"""


def run(arguments: list[str]) -> None:
    """`--cdo cdo_elfs.bin --cdo cdo_init.bin --cdo cdo_enable.bin -o NAME.bif`; only file names count."""
    options = stage_arguments("bif", arguments)
    target, cdos = options.one("-o"), options.all("--cdo")
    if not cdos:
        raise UserError("bif: no CDO file given")
    with Outputs(target) as outputs:
        outputs.write(target, bif_text(cdos, os.path.dirname(target)))


def bif_text(cdos: Sequence[str], folder: str) -> str:
    """The BIF for these CDO files, which are named from `folder`, where it lies and bootgen runs.

    Raises:
        UserError: a name that a BIF, which has no quotes, cannot hold.
    """
    names = [os.path.relpath(path, folder or ".") for path in cdos]
    for name in names:
        if any(c.isspace() or c in "{}[]=," for c in name):
            raise UserError(
                "bootgen cannot read a file of this name", Location(name), hint="use --provider pdi=embedded"
            )
    return BIF.format(files=" ".join(f"file={name}" for name in names))
