"""`npuninja verify-package`: a good package is good, and each kind of tampering is reported with its file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packed_project import PARTS, STEM, WHEEL, Packed

from npuninja.cli import main
from npuninja.errors import UserError
from npuninja.packaging.contents import sums
from npuninja.packaging.verify import verify
from npuninja.packaging.zip_file import read_zip, write_zip

XCLBIN, INSTS, MANIFEST = f"{PARTS}/gain.xclbin", f"{PARTS}/insts.bin", f"{PARTS}/gain.json"
Files = dict[str, bytes]


def contents(path: Path, folder: str) -> Files:
    entries = read_zip(path.read_bytes(), str(path))
    return {name[len(folder) + 1 :]: data for name, data in entries.items() if name.startswith(folder + "/")}


@pytest.fixture
def files(packed: Packed) -> Files:
    return contents(packed.archive, STEM)


def archived(files: Files) -> bytes:
    return write_zip({f"{STEM}/{name}": data for name, data in files.items()})


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# What somebody who changes a file must bring into agreement, from outside in. Each knows those before it.


def agree_sums(files: Files) -> None:
    files["SHA256SUMS"] = sums(files)


def agree_manifest(files: Files) -> None:
    fields = json.loads(files[MANIFEST])
    for name, key in ((XCLBIN, "xclbin"), (INSTS, "insts")):
        fields["files"][key]["sha256"] = sha256(files[name])
    files[MANIFEST] = json.dumps(fields).encode()


def agree_bill(files: Files) -> None:
    bill = json.loads(files["sbom.cdx.json"])
    for component in bill["components"]:
        for part in component.get("components", []):
            part["hashes"][0]["content"] = sha256(files[part["name"]])
    files["sbom.cdx.json"] = json.dumps(bill).encode()


def agree_provenance(files: Files) -> None:
    statement = json.loads(files["provenance.json"])
    for subject in statement["subject"]:
        subject["digest"]["sha256"] = sha256(files[subject["name"]])
    files["provenance.json"] = json.dumps(statement).encode()


AGREE = (agree_manifest, agree_bill, agree_provenance, agree_sums)  # in this order all of it agrees


def refused(data: bytes, path: str = "x.zip") -> str:
    with pytest.raises(UserError) as caught:
        verify(data, path)
    assert caught.value.exit_code == 2
    return caught.value.render()


def flipped(data: bytes, place: int = -1) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def test_archive_and_wheel_are_good_and_hold_the_same(packed, capsys):
    archive, wheel = (verify(path.read_bytes(), str(path)) for path in (packed.archive, packed.wheel))
    assert (archive.kind, wheel.kind) == ("archive", "wheel")
    assert archive.files == wheel.files
    assert archive.designs == wheel.designs == ["gain"]
    assert main(["verify-package", str(packed.archive), str(packed.wheel)]) == 0
    printed = capsys.readouterr().out
    assert f"good: archive of {STEM}" in printed
    assert sha256(packed.wheel.read_bytes()) in printed
    assert main(["verify-package", "--json", str(packed.archive)]) == 0
    assert json.loads(capsys.readouterr().out)["license"] == "MIT"


def test_an_archive_may_be_renamed_a_wheel_not(packed):
    verify(packed.archive.read_bytes(), "another.zip")
    assert f"has to be called {WHEEL}" in refused(packed.wheel.read_bytes(), "another.whl")


@settings(max_examples=60)
@given(data=st.data())
def test_a_flipped_byte_anywhere_is_found(packed, data):
    path = data.draw(st.sampled_from([packed.archive, packed.wheel]))
    good = path.read_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    damaged = bytearray(good)
    damaged[place] ^= data.draw(st.integers(1, 255))
    refused(bytes(damaged), path.name)


@pytest.mark.parametrize(
    "name", [XCLBIN, INSTS, MANIFEST, "run.py", "runner/npuninja/device/xrt.py", "README.txt"]
)
def test_a_changed_file_is_named(files, name):
    changed = {**files, name: flipped(files[name])}
    assert f"{name} has sha256" in refused(archived(changed))
    # And with its hash brought into agreement:
    agree_sums(changed)
    assert f"{name} has sha256 {sha256(changed[name])[:16]}…, provenance.json says" in refused(
        archived(changed)
    )


def test_a_changed_xclbin_needs_changes_of_all_that_describes_it(files):
    digest = sha256(changed := flipped(files[XCLBIN]))
    files[XCLBIN] = changed
    accusers = {
        agree_sums: f"{XCLBIN} has sha256 {digest[:16]}…, SHA256SUMS says",
        agree_manifest: f"{XCLBIN} is not the file of {MANIFEST}",
        agree_bill: f"{XCLBIN} has sha256 {digest[:16]}…, sbom.cdx.json says",
        agree_provenance: f"{XCLBIN} has sha256 {digest[:16]}…, provenance.json says",
    }
    for agree, accusation in accusers.items():
        assert accusation in refused(archived(files))
        agree(files)
        assert agree is agree_provenance or accusation not in refused(archived(files))
    agree_sums(files)
    # Everything agrees: this is another package, and only the hash of the whole can tell.
    assert verify(archived(files), "x.zip").designs == ["gain"]


def test_structures_are_looked_at_even_when_all_hashes_agree(files):
    for name, damaged, message in (
        (XCLBIN, files[XCLBIN][:-8], "gain.xclbin"),
        (XCLBIN, b"xclbin1" + files[XCLBIN][7:], "gain.xclbin"),
        (INSTS, files[INSTS][:-4], "insts.bin"),
        (INSTS, bytes(16), "insts.bin"),
    ):
        changed = {**files, name: damaged}
        for agree in AGREE:
            agree(changed)
        assert message in refused(archived(changed))


def add(name: str, data: bytes) -> Callable[[Files], None]:
    return lambda files: files.update({name: data})


def drop(name: str) -> Callable[[Files], None]:
    return lambda files: files.pop(name) and None


def edit(name: str, old: str, new: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        assert old.encode() in files[name]
        files[name] = files[name].replace(old.encode(), new.encode())

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (add("extra.txt", b"x"), "extra.txt is not listed in SHA256SUMS"),
        (add(f"{PARTS}/extra.bin", b"x"), f"{PARTS}/extra.bin belongs to no design"),
        (add("runner/npuninja/extra.py", b"x"), "runner/npuninja/extra.py is not listed in sbom.cdx.json"),
        (drop(XCLBIN), f"{XCLBIN} is missing"),
        (drop(MANIFEST), f"{MANIFEST} is missing"),
        (drop("provenance.json"), "provenance.json is missing"),
        (drop("sbom.cdx.json"), "sbom.cdx.json is missing"),
        (drop("SHA256SUMS"), "SHA256SUMS is missing or empty"),
        (drop("package.json"), "no package of designs: there is no FOLDER/package.json"),
        (drop("licenses/LICENSE"), "licenses/LICENSE is missing"),
        (add("package.json", b"{}"), "package.json is not what `ninja package` writes"),
        (add("package.json", b"\xff"), "package.json is not what `ninja package` writes"),
        (add("provenance.json", b"[]"), "provenance.json is not what `ninja package` writes"),
        (add("sbom.cdx.json", b"{"), "sbom.cdx.json is not what `ninja package` writes"),
        (add(MANIFEST, b"[]"), "the manifest should be an object"),
        (add(MANIFEST, b"\xff\xfe"), f"{MANIFEST} is no manifest"),
        (edit("package.json", '"format": 1', '"format": 2'), "a package of format 2; this npuninja reads 1"),
        (edit("package.json", '"wasm"', '"aie2"'), f"{MANIFEST} is of another design or build"),
        (edit(MANIFEST, '"wasm"', '"aie2"'), f"{XCLBIN} has wasm cores, {MANIFEST} says aie2"),
        (edit(MANIFEST, '"npu1_1col"', '"npu9"'), "there is no device npu9"),
        (edit(MANIFEST, '"gain.xclbin"', '"../gain.xclbin"'), "no file of the manifest's folder"),
        (edit("SHA256SUMS", XCLBIN, "elsewhere"), f"{XCLBIN} is not listed in SHA256SUMS"),
        (edit("SHA256SUMS", "\n", "\r\n"), "SHA256SUMS"),
    ],
)
def test_other_tampering_is_reported_by_name(files, change, message):
    change(files)
    assert message in refused(archived(files))


@pytest.mark.parametrize(
    "name", ["METADATA", "WHEEL", "RECORD", "entry_points.txt", "sboms/sbom.cdx.json", "licenses/LICENSE"]
)
def test_metadata_of_a_wheel_follow_from_its_contents(packed, name):
    entries = read_zip(packed.wheel.read_bytes(), "x")
    info = f"{'-'.join(WHEEL.split('-')[:2])}.dist-info"
    path = f"{info}/{name}"
    changed = {**entries, path: entries[path] + b"Requires-Dist: evil\n"}
    if name != "RECORD":
        digest = base64.urlsafe_b64encode(hashlib.sha256(changed[path]).digest()).decode().rstrip("=")
        row = f"{path},sha256={digest},{len(changed[path])}".encode()
        changed[f"{info}/RECORD"] = re.sub(
            rb"(?m)^" + re.escape(path.encode()) + rb",.*$", row, entries[f"{info}/RECORD"]
        )
    assert f"{path} is not what `ninja package` writes" in refused(write_zip(changed), WHEEL)
    missing = {key: data for key, data in entries.items() if key != path}
    assert f"{path} is missing" in refused(write_zip(missing), WHEEL)
    assert f"{info}/more does not belong" in refused(write_zip({**entries, f"{info}/more": b""}), WHEEL)


@pytest.mark.parametrize("name", ["sitecustomize.py", "gain_designs.data/scripts/evil"])
def test_nothing_lies_beside_a_package(packed, name):
    for path in (packed.archive, packed.wheel):
        entries = read_zip(path.read_bytes(), "x")
        assert f"{name} lies outside of" in refused(write_zip({**entries, name: b"x"}), path.name)


def test_what_is_no_package_is_reported(tmp_path, capsys):
    other = tmp_path / "other.zip"
    other.write_bytes(write_zip({"a/b": b"c"}))
    assert main(["verify-package", str(other)]) == 2
    assert "no package of designs" in capsys.readouterr().err
    assert main(["verify-package", str(tmp_path / "none.zip")]) == 2
    assert "cannot read" in capsys.readouterr().err
