"""The bill of materials of a package, CycloneDX 1.6 in JSON, by the package cyclonedx-python-lib."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from npuninja import __version__
from npuninja.errors import Location, ToolError, UserError
from npuninja.packaging.package import Package
from npuninja.packaging.provenance import Dependency
from npuninja.packaging.zip_file import TIME

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

NPUNINJA_LICENSE = "Apache-2.0"


def require_library() -> None:
    """Raises ToolError when the library is not installed, and says how to get it."""
    try:
        import cyclonedx  # noqa: F401
    except ImportError as error:
        raise ToolError(
            "the Python package cyclonedx-python-lib is missing: "
            "it writes the bill of materials of a package",
            hint="pip install cyclonedx-python-lib (npuninja's extra `package` brings it)",
        ) from error


def write_sbom(
    package: Package,
    designs: Mapping[str, Mapping[str, str]],
    runner: Mapping[str, str],
    requires: Mapping[str, bool],
    tools: Iterable[Dependency],
) -> bytes:
    """The bill.

    Args:
        package: what it is about.
        designs: design -> file -> sha256.
        runner: the files of the runner -> sha256.
        requires: what the runner needs from an index -> whether always.
        tools: what the files were made with.

    Raises:
        UserError: the package's licence is no SPDX expression.
    """
    require_library()
    from cyclonedx.model.bom import Bom
    from cyclonedx.output.json import JsonV1Dot6

    whole = _component(
        package.name, "application", "package", version=package.version, description=package.summary or None,
        licenses=_licenses(package.license),
    )  # fmt: skip
    parts = [
        _component(name, "firmware", f"design:{name}", components=_files(files))
        for name, files in sorted(designs.items())
    ]
    own = _component(
        "npuninja", "library", "runner", version=__version__,
        description="the part of npuninja that runs designs", licenses=_licenses(NPUNINJA_LICENSE),
        components=_files(runner),
    )  # fmt: skip
    needed = [_requirement(name, always) for name, always in sorted(requires.items())]
    bill = Bom(serial_number=_serial_number(package, designs, runner))
    bill.metadata.timestamp = datetime.datetime(*TIME, tzinfo=datetime.timezone.utc)  # like that of all files
    bill.metadata.component = whole
    bill.components.update([*parts, own, *needed, *map(_tool, sorted(tools))])
    bill.register_dependency(whole, [*parts, own])
    bill.register_dependency(own, needed)
    text: str = JsonV1Dot6(bill).output_as_string(indent=1)
    return (text + "\n").encode()


def _component(name: str, kind: str, reference: str, **fields: Any) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    return Component(name=name, type=ComponentType(kind), bom_ref=reference, **fields)


def _requirement(name: str, always: bool) -> Component:
    from cyclonedx.model.component import ComponentScope
    from packageurl import PackageURL

    scope = ComponentScope.REQUIRED if always else ComponentScope.OPTIONAL
    return _component(name, "library", f"requires:{name}", purl=PackageURL("pypi", name=name), scope=scope)


def _tool(tool: Dependency) -> Component:
    from cyclonedx.model.component import ComponentScope

    return _component(
        tool.name, "application", f"tool:{tool.name}", version=tool.version, hashes=_hashes(tool.sha256),
        scope=ComponentScope.EXCLUDED,  # it made the files and is not part of them
    )  # fmt: skip


def _serial_number(
    package: Package, designs: Mapping[str, Mapping[str, str]], runner: Mapping[str, str]
) -> uuid.UUID:
    """The serial number of a bill of materials, equal for equal contents."""
    said = [package.fields(), {n: dict(f) for n, f in designs.items()}, dict(runner)]
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()
    return uuid.UUID(bytes=digest[:16], version=4)


def _files(hashes: Mapping[str, str]) -> list[Component]:
    return [
        _component(name, "file", f"file:{name}", hashes=_hashes(digest))
        for name, digest in sorted(hashes.items())
    ]


def _hashes(sha256: str) -> list[Any]:
    from cyclonedx.model import HashAlgorithm, HashType

    return [HashType(alg=HashAlgorithm.SHA_256, content=sha256)]


def _licenses(expression: str) -> list[Any]:
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
    from cyclonedx.spdx import is_expression, is_supported_id

    if not expression:
        return []
    if is_supported_id(expression):
        return [DisjunctiveLicense(id=expression)]
    if re.fullmatch(r"LicenseRef-[A-Za-z0-9.-]+", expression):
        return [DisjunctiveLicense(name=expression)]  # a licence of one's own
    if is_expression(expression):
        return [LicenseExpression(expression)]
    raise UserError(
        f"{expression!r} is no licence of SPDX and no expression of them",
        Location("toolchain.toml"),
        hint='as in license = "Apache-2.0", "MIT OR BSD-3-Clause" or, for one of your own, '
        '"LicenseRef-NAME"; the names are '
        "at https://spdx.org/licenses/",
    )


def read_file_hashes(data: bytes) -> dict[str, str]:
    """Name -> sha256 of the files in a bill.

    Raises ValueError, KeyError or TypeError when it is not in CycloneDX's form.
    """
    bill = json.loads(data)
    if (bill["bomFormat"], bill["specVersion"]) != ("CycloneDX", "1.6"):
        raise ValueError("it is no bill of CycloneDX 1.6")
    files: dict[str, str] = {}
    for component in bill["components"]:
        for part in component.get("components", []):
            (digest,) = part["hashes"]
            files[str(part["name"])] = str(digest["content"])
    return files
