"""Signatures of packages: Ed25519 in the files of minisign, so that `minisign -V` checks them, too.

A signature lies beside the package, `FILE.minisig`. Formats: the description of minisign
(jedisct1.github.io/minisign, "Signature format", "Public key format", "Secret key format"); keys without a
password. The arithmetic is that of the library `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, ToolError, UserError
from npuninja.files import read_file
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SUFFIX = ".minisig"
_UNTRUSTED, _TRUSTED = "untrusted comment: ", "trusted comment: "
_HASHED, _KEY = b"ED", b"Ed"
MAX_FILE_BYTES = 4096
# Of a secret key: no key derivation, BLAKE2b as checksum, and the derivation's salt and limits, unused.
_SECRET_HEAD = b"Ed\0\0B2" + bytes(32 + 8 + 8)


class PublicKey(NamedTuple):
    """A key's number, by which people tell keys apart, and its 32 bytes."""

    number: bytes
    data: bytes

    @property
    def name(self) -> str:
        """As minisign prints it."""
        return self.number[::-1].hex().upper()


class SecretKey(NamedTuple):
    """A key's number and its seed of 32 bytes."""

    number: bytes
    seed: bytes


def _private(seed: bytes) -> Ed25519PrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise _missing() from None
    return Ed25519PrivateKey.from_private_bytes(seed)


def _public(data: bytes) -> Ed25519PublicKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise _missing() from None
    return Ed25519PublicKey.from_public_bytes(data)


def _missing() -> ToolError:
    return ToolError(
        "signatures need the Python package cryptography", hint="pip install cryptography, or npuninja[sign]"
    )


def public_key_of(secret: SecretKey) -> PublicKey:
    """The public key that belongs to a secret one."""
    return PublicKey(secret.number, _private(secret.seed).public_key().public_bytes_raw())


def new_key() -> SecretKey:
    """A secret key, drawn at random."""
    return SecretKey(os.urandom(8), os.urandom(32))


def secret_key_text(secret: SecretKey) -> str:
    """The content of a secret key's file."""
    public = public_key_of(secret).data
    checksum = hashlib.blake2b(_KEY + secret.number + secret.seed + public, digest_size=32).digest()
    raw = _SECRET_HEAD + secret.number + secret.seed + public + checksum
    return f"{_UNTRUSTED}minisign unencrypted secret key\n{base64.b64encode(raw).decode()}\n"


def public_key_text(public: PublicKey) -> str:
    """The content of a public key's file."""
    raw = base64.b64encode(_KEY + public.number + public.data).decode()
    return f"{_UNTRUSTED}minisign public key {public.name}\n{raw}\n"


def _lines(path: str, count: int) -> list[str]:
    text = read_file(path, MAX_FILE_BYTES).decode("utf-8", "replace")
    lines = text.splitlines()
    if len(lines) < count or not lines[0].startswith(_UNTRUSTED):
        raise UserError("not a file of minisign", Location(path))
    return lines


def _decoded(line: str, size: int, path: str) -> bytes:
    try:
        raw = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != size:
        raise UserError("not a file of minisign, or a damaged one", Location(path))
    return raw


def read_secret_key(path: str) -> SecretKey:
    """Reads a secret key. Raises UserError when it is damaged or has a password."""
    raw = _decoded(_lines(path, 2)[1], 158, path)
    if raw[2:4] != b"\0\0":
        raise UserError(
            "the secret key has a password", Location(path), hint="minisign -G -W makes one without"
        )
    number, seed, public, checksum = raw[54:62], raw[62:94], raw[94:126], raw[126:]
    right = hashlib.blake2b(_KEY + number + seed + public, digest_size=32).digest()
    if raw[:2] != _KEY or checksum != right:
        raise UserError("the secret key is damaged", Location(path))
    return SecretKey(number, seed)


def read_public_key(path: str) -> PublicKey:
    """Reads a public key. Raises UserError when it is not one."""
    raw = _decoded(_lines(path, 2)[1], 42, path)
    if raw[:2] != _KEY:
        raise UserError("not a public key of minisign", Location(path))
    return PublicKey(raw[2:10], raw[10:])


def signature_text(data: bytes, secret: SecretKey, comment: str) -> str:
    """The content of a signature's file.

    Args:
        data: what is signed.
        secret: the key that signs.
        comment: one line, which is signed too.
    """
    if "\n" in comment or not comment.isprintable():
        raise UserError("the comment of a signature is one line of text")
    key = _private(secret.seed)
    signature = key.sign(hashlib.blake2b(data).digest())
    both = key.sign(signature + comment.encode())
    raw = base64.b64encode(_HASHED + secret.number + signature).decode()
    lines = (
        f"{_UNTRUSTED}signature of npuninja, key {public_key_of(secret).name}",
        raw,
        _TRUSTED + comment,
        base64.b64encode(both).decode(),
    )
    return "\n".join(lines) + "\n"


def check_signature(data: bytes, path: str, public: PublicKey) -> str:
    """Checks a signature; returns its comment.

    Args:
        data: what was signed.
        path: of the signature's file.
        public: the key that should have signed.

    Raises:
        UserError: it is another's, or the data or the comment are not what was signed.
    """
    from cryptography.exceptions import InvalidSignature

    lines = _lines(path, 4)
    raw = _decoded(lines[1], 74, path)
    both = _decoded(lines[3], 64, path)
    if raw[:2] != _HASHED or not lines[2].startswith(_TRUSTED):
        raise UserError(
            "a signature of an old form, which signs no hash", Location(path), hint="sign it again"
        )
    if raw[2:10] != public.number:
        other = PublicKey(raw[2:10], b"").name
        raise UserError(f"signed with the key {other}, not with {public.name}", Location(path))
    comment = lines[2][len(_TRUSTED) :]
    key = _public(public.data)
    try:
        key.verify(raw[10:], hashlib.blake2b(data).digest())
        key.verify(both, raw[10:] + comment.encode())
    except InvalidSignature:
        raise UserError(
            f"the signature of {public.name} is not of this file: one of them was changed",
            Location(path),
            hint="get both again from their maker",
        ) from None
    return comment
