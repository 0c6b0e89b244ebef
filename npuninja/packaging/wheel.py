"""The wheel of a package: its contents as a Python package, and the metadata that pip reads.

Source: the wheel format (PEP 427), core metadata 2.4 (PEP 639), bills of materials in wheels (PEP 770).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from npuninja.packaging.contents import EMULATOR_REQUIRES, LICENSES, OLDEST_PYTHON, REQUIRES, SBOM
from npuninja.packaging.package import RUNNER_LICENSE, Package
from npuninja.packaging.sbom import NPUNINJA_LICENSE


def wheel_files(package: Package, contents: Mapping[str, bytes], emulated: bool) -> dict[str, bytes]:
    """All files of the wheel.

    Args:
        package: what it is.
        contents: of the package.
        emulated: whether it can use the emulated array.
    """
    info = package.dist_info
    files = {f"{package.module}/{name}": data for name, data in contents.items()}
    files[f"{info}/METADATA"] = _metadata(package, emulated).encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: npuninja\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/entry_points.txt"] = (
        f"[console_scripts]\n{package.name} = {package.module}.run:main\n".encode()
    )
    files[f"{info}/sboms/{SBOM}"] = contents[SBOM]
    for name in package.license_files:
        files[f"{info}/licenses/{name}"] = contents[f"{LICENSES}/{name}"]
    files[f"{info}/licenses/{RUNNER_LICENSE}"] = contents[RUNNER_LICENSE]
    files[f"{info}/RECORD"] = _record(files, info)
    return files


def _metadata(package: Package, emulated: bool) -> str:
    lines = ["Metadata-Version: 2.4", f"Name: {package.name}", f"Version: {package.wheel_version}"]
    lines += [f"Summary: {package.summary}"] if package.summary else []
    lines += [f"License-Expression: {_license(package.license)}"] if package.license else []
    lines += [f"License-File: {name}" for name in (*package.license_files, RUNNER_LICENSE)]
    lines.append(f"Requires-Python: >={OLDEST_PYTHON}")
    lines += [f"Requires-Dist: {requirement}" for requirement in REQUIRES]
    if emulated:
        lines.append("Provides-Extra: emulator")
        lines += [f'Requires-Dist: {requirement}; extra == "emulator"' for requirement in EMULATOR_REQUIRES]
    return "\n".join(lines) + "\n"


def _license(designs: str) -> str:
    """The licence of the whole: of the designs, and of the runner."""
    if designs == NPUNINJA_LICENSE:
        return designs
    return f"({designs}) AND {NPUNINJA_LICENSE}" if " " in designs else f"{designs} AND {NPUNINJA_LICENSE}"


def _record(files: Mapping[str, bytes], info: str) -> bytes:
    rows = []
    for name in sorted(files):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).decode().rstrip("=")
        # Names are those of designs, modules and licence files; what CSV would quote is refused for the last.
        rows.append(f"{name},sha256={digest},{len(files[name])}\n")
    return ("".join(rows) + f"{info}/RECORD,,\n").encode()
