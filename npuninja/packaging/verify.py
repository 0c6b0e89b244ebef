"""Checks a package, archive or wheel, as it lies: every byte is accounted for, and all that it says agrees.

From outside in: the zip file is in the one form that `ninja package` writes; its list of hashes, or the
wheel's, is that of its files, none missing and none more; every design's manifest fits its XCLBIN and its
instruction stream, and these are what they should be; the bill of materials and the provenance name the files
with their hashes. What was changed together with all of these is another package: only a signature, or the
hash of the whole file from a trusted place, tells that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from npuninja.arch.devices import DEVICES
from npuninja.device.manifest import Manifest, parse_manifest
from npuninja.errors import Error
from npuninja.file_kinds import ELF_MAGIC
from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.emulation_data import read_emulation_data, read_family
from npuninja.formats.txn import read_txn
from npuninja.formats.xclbin import AIE_PARTITION, EMULATION_DATA, read_xclbin
from npuninja.formats.xclbin_check import check_xclbin
from npuninja.packaging import contents
from npuninja.packaging.package import Package, package_of
from npuninja.packaging.provenance import read_subjects
from npuninja.packaging.sbom import read_file_hashes
from npuninja.packaging.wheel import wheel_files
from npuninja.packaging.zip_file import damaged, read_zip
from npuninja.records import NamedTuple


class Verified(NamedTuple):
    """A package that is as it was made, its files by name, without the folder or the wheel's metadata."""

    package: Package
    kind: str
    """"archive" or "wheel"."""
    designs: list[str]
    files: dict[str, bytes]


def verify(data: bytes, path: str) -> Verified:
    """Checks a package.

    Args:
        data: its bytes.
        path: its name, for messages.

    Raises:
        UserError: the first thing found wrong, and the others as notes; each names the file in the package.
    """
    entries = read_zip(data, path)
    metadata = {name for name in entries if name.split("/")[0].endswith(".dist-info")}
    inside = {name: content for name, content in entries.items() if name not in metadata}
    folders = [
        name.rpartition("/")[0]
        for name in inside
        if name.count("/") == 1 and name.endswith(f"/{contents.PACKAGE}")
    ]
    if len(folders) != 1:
        raise damaged(path, f"no package of designs: there is no FOLDER/{contents.PACKAGE} in it")
    (folder,) = folders
    files = {
        name[len(folder) + 1 :]: content for name, content in inside.items() if name.startswith(f"{folder}/")
    }
    problems = [f"{name} lies outside of {folder}" for name in inside if not name.startswith(f"{folder}/")]
    problems += _sums(files)
    try:
        described = json.loads(files[contents.PACKAGE])
        if described["format"] != contents.PACKAGE_FORMAT:
            said = f"a package of format {described['format']}; this npuninja reads {contents.PACKAGE_FORMAT}"
            raise damaged(path, said)
        package, designs = package_of(described), described["designs"]
        problems += _designs(files, designs)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(
            path, *problems, f"{contents.PACKAGE} is not what `ninja package` writes: {error!r}"
        ) from error
    problems += _papers(files)
    if metadata:
        emulated = bool(described["emulator_requires"])
        problems += _wheel(entries, package, files, emulated, path)
    elif folder != package.stem:
        problems.append(f"the folder in it is called {folder}, the package {package.stem}")
    if problems:
        raise damaged(path, *problems)
    return Verified(package, "wheel" if metadata else "archive", list(designs), files)


def _sums(files: Mapping[str, bytes]) -> Iterator[str]:
    """SHA256SUMS against the files."""
    listed: dict[str, str] = {}
    for line in files.get(contents.SUMS, b"").decode("utf-8", "replace").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    there = {name: contents.sha256(data) for name, data in files.items() if name != contents.SUMS}
    yield from _compared(contents.SUMS, listed, there)
    if not listed:
        yield f"{contents.SUMS} is missing or empty"
    elif listed == there and files[contents.SUMS] != contents.sums(files):
        yield f"{contents.SUMS} has the right hashes and something else"


def _compared(where: str, listed: Mapping[str, str], there: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*listed, *there}):
        if name not in there:
            yield f"{name} is missing, which {where} lists"
        elif name not in listed:
            yield f"{name} is not listed in {where}"
        elif listed[name] != there[name]:
            yield f"{name} has sha256 {there[name][:16]}…, {where} says {listed[name][:16]}…"


def _designs(files: Mapping[str, bytes], designs: Mapping[str, Any]) -> Iterator[str]:
    """Every design's manifest with its files, and no file that belongs to none."""
    owned: set[str] = set()
    for name, entry in designs.items():
        path = entry["manifest"]
        if path not in files:
            yield f"{path} is missing, the manifest of {name}"
            continue
        try:
            manifest = parse_manifest(json.loads(files[path]), path)
            owned.add(path)
            said = (manifest.design, manifest.device, manifest.core_kind, manifest.build_id)
            if said != (name, entry["device"], entry["core_kind"], entry["build_id"]):
                yield f"{path} is of another design or build than {contents.PACKAGE} says"
            parts = (*manifest.hashes, manifest.reference, *manifest.reference_modules)
            owned.update(map(_inside, filter(None, parts)))
            yield from _pairing(files, manifest)
        except (ValueError, RecursionError) as error:
            yield f"{path} is no manifest: {error}"
        except Error as error:
            yield f"{error.location.file if error.location else path}: {error.message}"
    for name in files:
        if name.startswith(f"{contents.DESIGNS}/") and name not in owned:
            yield f"{name} belongs to no design"


def _inside(path: str) -> str:
    """A path that the manifest's reader made absolute, as it is named in the package."""
    return os.path.relpath(path).replace(os.sep, "/")


def _pairing(files: Mapping[str, bytes], manifest: Manifest) -> Iterator[str]:
    """XCLBIN and instruction stream: of the manifest's hashes, whole, and for its device and kind of core."""
    for path in manifest.hashes:
        name = _inside(path)
        if name not in files:
            yield f"{name} is missing, which {manifest.path} names"
            return
        if contents.sha256(files[name]) != manifest.hashes[path]:
            yield (
                f"{name} is not the file of {manifest.path}: "
                "XCLBIN and instructions of different builds hang an NPU"
            )
    yield from _of_device(files[_inside(manifest.xclbin)], manifest)
    for path in manifest.hashes:
        if path != manifest.xclbin and files[_inside(path)][:4] != ELF_MAGIC:
            read_txn(files[_inside(path)], _inside(path))


def _of_device(xclbin: bytes, manifest: Manifest) -> Iterator[str]:
    """The container against the kind of core and the device that the manifest says."""
    name = _inside(manifest.xclbin)
    container = read_xclbin(xclbin, name)
    check_xclbin(container, manifest.kernel, name)
    modules = container.section(EMULATION_DATA)
    if modules:
        read_emulation_data(modules.data, name)
    without_cores = modules is not None and bool(read_family(modules.data))
    if not without_cores and bool(modules) != (manifest.core_kind == "wasm"):
        yield f"{name} has {'' if modules else 'no '}wasm cores, {manifest.path} says {manifest.core_kind}"
    model, section = DEVICES.get(manifest.device), container.section(AIE_PARTITION)
    if model is None or manifest.core_kind not in ("wasm", model.architecture):
        yield f"{manifest.path}: there is no device {manifest.device} with {manifest.core_kind} cores"
    elif section and read_aie_partition(section.data, name).column_width > model.columns:
        yield f"{name} takes more columns than {manifest.device} has, {model.columns}"


def _papers(files: Mapping[str, bytes]) -> Iterator[str]:
    """Provenance and bill of materials against the files."""
    there = {name: contents.sha256(data) for name, data in files.items()}
    own = {contents.SUMS, contents.PROVENANCE}
    parts = {n: h for n, h in there.items() if n.startswith((f"{contents.DESIGNS}/", "runner/npuninja/"))}
    for name, read, expected in (
        (contents.PROVENANCE, read_subjects, {n: h for n, h in there.items() if n not in own}),
        (contents.SBOM, read_file_hashes, parts),
    ):
        if name not in files:
            yield f"{name} is missing"
            continue
        try:
            yield from _compared(name, read(files[name]), expected)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            yield f"{name} is not what `ninja package` writes: {error!r}"


def _wheel(
    entries: Mapping[str, bytes], package: Package, files: Mapping[str, bytes], emulated: bool, path: str
) -> Iterator[str]:
    """The wheel's name and metadata: they follow from the contents."""
    if os.path.basename(path) != package.wheel_file:
        yield f"the file has to be called {package.wheel_file}, or pip does not take it"
    try:
        expected = wheel_files(package, files, emulated)
    except KeyError as error:
        yield f"{error.args[0]} is missing"
        return
    for name in sorted({*entries, *expected}):
        if name not in entries:
            yield f"{name} is missing"
        elif name not in expected:
            yield f"{name} does not belong into this wheel"
        elif entries[name] != expected[name]:
            yield f"{name} is not what `ninja package` writes for these contents"
