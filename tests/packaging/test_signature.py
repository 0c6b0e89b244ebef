"""Signatures of packages, in minisign's form."""

from __future__ import annotations

import base64
import hashlib
import os
import stat

import pytest

from npuninja.cli import main
from npuninja.errors import UserError
from npuninja.packaging.signature import (
    SecretKey,
    check_signature,
    public_key_of,
    public_key_text,
    read_public_key,
    read_secret_key,
    secret_key_text,
    signature_text,
)

SECRET = SecretKey(bytes(range(8)), bytes(range(32)))


def test_ed25519_is_that_of_rfc_8032():
    """Test 1 of section 7.1: the public key of this seed."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert public_key_of(SecretKey(bytes(8), seed)).data.hex() == public


def test_the_files_have_minisigns_form(tmp_path):
    lines = signature_text(b"data", SECRET, "file:x").splitlines()
    assert [line.partition(": ")[0] for line in (lines[0], lines[2])] == [
        "untrusted comment",
        "trusted comment",
    ]
    raw = base64.b64decode(lines[1])
    assert (raw[:2], raw[2:10], len(raw), len(base64.b64decode(lines[3]))) == (b"ED", SECRET.number, 74, 64)
    raw = base64.b64decode(public_key_text(public_key_of(SECRET)).splitlines()[1])
    assert (raw[:2], raw[2:10], len(raw)) == (b"Ed", SECRET.number, 42)
    raw = base64.b64decode(secret_key_text(SECRET).splitlines()[1])
    assert (raw[:6], len(raw)) == (b"Ed\0\0B2", 158)
    assert raw[126:] == hashlib.blake2b(b"Ed" + raw[54:126], digest_size=32).digest()


def test_a_key_and_a_signature_go_round(tmp_path):
    (tmp_path / "key").write_text(secret_key_text(SECRET))
    (tmp_path / "key.pub").write_text(public_key_text(public_key_of(SECRET)))
    (tmp_path / "x.minisig").write_text(signature_text(b"data", SECRET, "file:x"))
    assert read_secret_key(str(tmp_path / "key")) == SECRET
    public = read_public_key(str(tmp_path / "key.pub"))
    assert check_signature(b"data", str(tmp_path / "x.minisig"), public) == "file:x"
    with pytest.raises(UserError, match="one of them was changed"):
        check_signature(b"Data", str(tmp_path / "x.minisig"), public)


@pytest.mark.parametrize("line", range(4))
def test_every_change_of_a_signature_is_noticed(tmp_path, line):
    lines = signature_text(b"data", SECRET, "file:x").splitlines()
    lines[line] = lines[line][:-3] + ("AA=" if line in (1, 3) else "abc")
    path = tmp_path / "x.minisig"
    path.write_text("\n".join(lines) + "\n")
    if line == 0:  # that comment is not signed
        assert check_signature(b"data", str(path), public_key_of(SECRET)) == "file:x"
        return
    with pytest.raises(UserError):
        check_signature(b"data", str(path), public_key_of(SECRET))


def test_another_key_is_reported_by_its_name(tmp_path):
    other = SecretKey(bytes(8), bytes(32))
    path = tmp_path / "x.minisig"
    path.write_text(signature_text(b"data", other, "c"))
    with pytest.raises(UserError, match=r"signed with the key 0{16}, not with 0706050403020100"):
        check_signature(b"data", str(path), public_key_of(SECRET))


@pytest.mark.parametrize(
    "text", ["", "x", "untrusted comment: a\n", "untrusted comment: a\n!!!\n", "\xff" * 9000]
)
def test_files_that_are_no_keys_are_refused(tmp_path, text):
    path = tmp_path / "k"
    path.write_text(text)
    for read in (read_secret_key, read_public_key):
        with pytest.raises(UserError):
            read(str(path))


def test_the_command_makes_keys_and_signs(tmp_path, capsys):
    key, file = str(tmp_path / "k"), tmp_path / "p.zip"
    file.write_bytes(b"content")
    assert main(["sign-package", "--key", key, "--new-key", str(file)]) == 0
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    assert check_signature(b"content", str(file) + ".minisig", read_public_key(key + ".pub")) == "file:p.zip"
    assert main(["sign-package", "--key", key, "--new-key"]) == 2  # never over a key that is there
    assert main(["sign-package", "--key", key]) == 2
    capsys.readouterr()
