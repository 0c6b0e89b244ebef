"""`npuninja verify-package FILE…`: are archives and wheels of designs as `ninja package` made them?"""

from __future__ import annotations

import argparse
import json
from typing import Any

from npuninja.errors import UserError
from npuninja.packaging.contents import sha256
from npuninja.packaging.verify import verify


def main(arguments: list[str]) -> int:
    """Checks each file; the first that is not good ends it with the error."""
    parser = argparse.ArgumentParser(
        prog="npuninja verify-package",
        description="Checks archives and wheels of designs: every file against its hashes, none more and none less, "
        "manifests against XCLBINs and instruction streams, bill of materials and provenance against all.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="made by `ninja package`")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object for each file on standard output"
    )
    options = parser.parse_args(arguments)
    for path in options.files:
        try:
            with open(path, "rb") as stream:
                data = stream.read()
        except OSError as error:
            raise UserError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
        found = verify(data, path)
        fields: dict[str, Any] = {"file": path, "kind": found.kind, **found.package.fields()}
        fields.update(designs=found.designs, files=len(found.files), sha256=sha256(data))
        if options.json:
            print(json.dumps(fields))
        else:
            print(
                f"{path}: good: {found.kind} of {found.package.stem}, {len(found.files)} files, "
                f"designs {', '.join(found.designs)}\n  sha256 {fields['sha256']}"
            )
    return 0
