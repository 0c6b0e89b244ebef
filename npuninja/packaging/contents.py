"""What lies in a package, the same in archive and wheel: designs, runner, the papers that go with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from npuninja import __version__
from npuninja.arch.families import architectures
from npuninja.packaging.package import Package
from npuninja.records import NamedTuple

PACKAGE_FORMAT = 1
PACKAGE = "package.json"
README = "README.txt"
SBOM = "sbom.cdx.json"
PROVENANCE = "provenance.json"
SUMS = "SHA256SUMS"
DESIGNS = "designs"
LICENSES = "licenses"
OLDEST_PYTHON = "3.10"
#: What the runner needs from a package index. The emulator is an extra: an NPU needs none; pyxrt is XRT's.
REQUIRES = ("numpy>=1.24",)
EMULATOR_REQUIRES = ("wasmtime>=36",)


class PackagedDesign(NamedTuple):
    """A design in a package. `manifest` is its name there."""

    name: str
    manifest: str
    device: str
    core_kind: str
    build_id: str


def package_json(package: Package, designs: Sequence[PackagedDesign]) -> bytes:
    """What is in the package, for programs; run.py reads it."""
    content: dict[str, Any] = {
        "format": PACKAGE_FORMAT,
        **package.fields(),
        "made_by": f"npuninja {__version__}",
        "python": f">={OLDEST_PYTHON}",
        "requires": list(REQUIRES),
        "emulator_requires": list(EMULATOR_REQUIRES) if is_emulated(designs) else [],
        "designs": {d.name: {k: v for k, v in d._asdict().items() if k != "name"} for d in designs},
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def is_emulated(designs: Sequence[PackagedDesign]) -> bool:
    """Whether a design runs on the emulated array, so that the package has it."""
    return any(design.core_kind == "wasm" for design in designs)


def readme(package: Package, designs: Sequence[PackagedDesign]) -> bytes:
    """The content of the package's README.txt."""
    first = designs[0].name
    needs = ["NumPy", f"pyxrt, which is a part of XRT, for designs with {' or '.join(architectures())} cores"]
    if is_emulated(designs):
        needs.append("wasmtime for designs with wasm cores, which run on an emulated NPU only")
    rows = [f"  {d.name:24} {d.device:12} {d.core_kind} cores" for d in designs]
    lines = [
        f"{package.name} {package.version}" + (f" ({package.preset})" if package.preset else ""),
        *([package.summary] if package.summary else []),
        "",
        "Designs for AMD's NPUs, built: for each the XCLBIN, the instruction stream (insts.bin), "
        "and a manifest that says",
        "which of both belong together, what the arguments are, and what built it.",
        "",
        *rows,
        "",
        f"The runner needs Python {OLDEST_PYTHON} or newer, and these packages:",
        "",
        *(f"  {need}" for need in needs),
        "",
        "From the unpacked archive, wherever it lies:",
        "",
        f"  python run.py {first} --verify",
        f"  python run.py {first} --device auto --input in.npy --output out.npy",
        "",
        "From the wheel, the same:",
        "",
        f"  pip install '{package.wheel_file}{'[emulator]' if is_emulated(designs) else ''}'",
        f"  python -m {package.module} {first} --verify",
        "",
        "`sha256sum -c SHA256SUMS` checks the files; "
        "`npuninja verify-package FILE` checks the archive or the wheel.",
        f"{PROVENANCE} says what they were made from, with which tools and commands, "
        f"{SBOM} what they consist of.",
    ]
    if package.license or package.license_files:
        where = ", ".join(f"{LICENSES}/{name}" for name in package.license_files)
        lines.append(
            f"Licence of the designs: {' in '.join(text for text in (package.license, where) if text)}."
        )
    lines.append("Licence of the runner, which is a part of npuninja: Apache-2.0 in runner/LICENSE.")
    return ("\n".join(lines) + "\n").encode()


def sha256(data: bytes) -> str:
    """The hash in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sums(files: Mapping[str, bytes]) -> bytes:
    """SHA256SUMS of the files, as `sha256sum` writes it."""
    return "".join(f"{sha256(files[name])}  {name}\n" for name in sorted(files) if name != SUMS).encode()
