"""`npuninja verify-package FILE…`: are archives and wheels of designs as `ninja package` made them?"""

from __future__ import annotations

import json
import os
from typing import Any

from npuninja.argument_parser import VerbParser
from npuninja.errors import Location, UserError
from npuninja.files import MAX_PACKAGE_BYTES, read_file
from npuninja.packaging.contents import sha256
from npuninja.packaging.signature import SUFFIX, check_signature, read_public_key
from npuninja.packaging.verify import verify


def main(arguments: list[str]) -> int:
    """Checks each file; the first that is not good ends it with the error."""
    parser = VerbParser(
        prog="npuninja verify-package",
        description="Checks archives and wheels of designs: every file against its hashes, none more "
        "and none less, manifests against XCLBINs and instruction streams, bill of "
        "materials and provenance against all.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="made by `ninja package`")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object for each file on standard output"
    )
    parser.add_argument(
        "--public-key",
        metavar="FILE",
        help="the key that must have signed: the signature is FILE.minisig beside each file",
    )
    options = parser.parse_args(arguments)
    for path in options.files:
        data = read_file(path, MAX_PACKAGE_BYTES)
        found = verify(data, path)
        signed = _signed(data, path, options.public_key)
        fields: dict[str, Any] = {"file": path, "kind": found.kind, **found.package.fields()}
        fields["signature"] = signed
        fields.update(designs=found.designs, files=len(found.files), sha256=sha256(data))
        if options.json:
            print(json.dumps(fields))
        else:
            print(
                f"{path}: good: {found.kind} of {found.package.stem}, {len(found.files)} files, "
                f"designs {', '.join(found.designs)}\n  sha256 {fields['sha256']}\n  {signed}"
            )
    return 0


def _signed(data: bytes, path: str, public_key: str | None) -> str:
    """What there is to say of the signature."""
    there = os.path.exists(path + SUFFIX)
    if public_key is None:
        return (
            f"{path}{SUFFIX} was not checked: --public-key says whose it must be"
            if there
            else "unsigned: nothing says where it comes from"
        )
    key = read_public_key(public_key)
    if not there:
        raise UserError(f"unsigned, and the key {key.name} was asked for", Location(path))
    return f"signed with the key {key.name}: {check_signature(data, path + SUFFIX, key)}"
