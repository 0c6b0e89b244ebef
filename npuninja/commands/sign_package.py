"""`npuninja sign-package`: keys, and signatures beside packages."""

from __future__ import annotations

import os

from npuninja.argument_parser import VerbParser
from npuninja.errors import UserError, in_words
from npuninja.files import MAX_PACKAGE_BYTES, read_file, write_file
from npuninja.packaging.signature import (
    SUFFIX,
    new_key,
    public_key_of,
    public_key_text,
    read_secret_key,
    secret_key_text,
    signature_text,
)


def main(arguments: list[str]) -> int:
    """Signs each file, or makes a key."""
    parser = VerbParser(
        prog="npuninja sign-package",
        description="Signs packages with Ed25519: FILE.minisig beside each, which `npuninja verify-package "
        "--public-key` and `minisign -V` check.",
    )
    parser.add_argument("files", metavar="FILE", nargs="*")
    parser.add_argument("--key", metavar="FILE", required=True, help="the secret key, without a password")
    parser.add_argument("--new-key", action="store_true", help="makes it, and FILE.pub beside it")
    parser.add_argument("--comment", default="", help="one line that is signed, too")
    options = parser.parse_args(arguments)
    if options.new_key:
        _make(options.key)
    elif not options.files:
        raise UserError("no file to sign was given")
    for path in options.files:
        secret = read_secret_key(options.key)
        comment = options.comment or f"file:{os.path.basename(path)}"
        text = signature_text(read_file(path, MAX_PACKAGE_BYTES), secret, comment)
        write_file(path + SUFFIX, text.encode())
        print(f"{path}{SUFFIX}: signed with the key {public_key_of(secret).name}")
    return 0


def _make(path: str) -> None:
    secret = new_key()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UserError(f"cannot make the key {path}: {in_words(error)}") from error
    with open(descriptor, "w", encoding="ascii") as stream:
        stream.write(secret_key_text(secret))
    write_file(path + ".pub", public_key_text(public_key_of(secret)).encode())
    print(
        f"{path}: the secret key {public_key_of(secret).name}, for nobody else; {path}.pub is for everybody"
    )
