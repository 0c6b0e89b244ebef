"""What a package is called: name, version, preset, and the names of files that follow from them."""

from __future__ import annotations

import keyword
import re
import sys

from npuninja import TYPE_CHECKING
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any

#: Without `[package]` in toolchain.toml. Not the folder's name: packages of equal sources are to be equal.
DEFAULT_NAME = "npu-designs"
DEFAULT_VERSION = "0.0.0"
#: The licence of npuninja's part of a package, by its name in it.
RUNNER_LICENSE = "runner/LICENSE"
#: Names of projects (core metadata of Python packages, "Name").
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
#: Public versions in the one spelling of each (PEP 440, "normal form", without epochs).
_NUMBER = "(?:0|[1-9][0-9]*)"
_VERSION = re.compile(
    rf"{_NUMBER}(?:\.{_NUMBER})*(?:(?:a|b|rc){_NUMBER})?(?:\.post{_NUMBER})?(?:\.dev{_NUMBER})?"
)
#: Packages that the runner imports, which the wheel's own must not hide.
_TAKEN = frozenset({"npuninja", "numpy", "wasmtime", "ziglang", "pyxrt", "pip"})


class Package(NamedTuple):
    """A package to be made, or one that was read.

    Attributes:
        name: as people write it.
        version: a public version of PEP 440.
        preset: the label of the preset (`preset_label`); "" without one.
        summary: one sentence; may be "".
        license: an SPDX expression, or "" when none is declared.
        license_files: relative to the project, with `/`.
    """

    name: str = DEFAULT_NAME
    version: str = DEFAULT_VERSION
    preset: str = ""
    summary: str = ""
    license: str = ""
    license_files: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """The Python package in the wheel, and the wheel's name in file names."""
        return module_name(self.name)

    @property
    def wheel_version(self) -> str:
        """The version with the preset as its local label, which tells builds for several targets apart."""
        return f"{self.version}+{self.preset}" if self.preset else self.version

    @property
    def stem(self) -> str:
        """The archive's name without suffix, and the folder in it."""
        return "-".join([self.name, self.version, *([self.preset] if self.preset else [])])

    @property
    def archive_file(self) -> str:
        """The archive's name."""
        return f"{self.stem}.zip"

    @property
    def wheel_file(self) -> str:
        """The wheel's name: for every Python 3 and every system; nothing in it is compiled for the host."""
        return f"{self.module}-{self.wheel_version}-py3-none-any.whl"

    @property
    def dist_info(self) -> str:
        """The wheel's metadata folder."""
        return f"{self.module}-{self.wheel_version}.dist-info"

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**self._asdict(), "license_files": list(self.license_files)}


def package_of(fields: dict[str, Any]) -> Package:
    """The package of `Package.fields`. Raises KeyError, TypeError or ValueError for other fields."""
    texts = {key: fields[key] for key in ("name", "version", "preset", "summary", "license")}
    files = fields["license_files"]
    if not all(isinstance(text, str) for text in (*texts.values(), *files)) or not isinstance(files, list):
        raise TypeError("a field that is no text")
    problem = problem_of_name(texts["name"]) or problem_of_version(texts["version"])
    if problem or texts["preset"] != preset_label(texts["preset"]):
        raise ValueError(problem or "the preset is no label")
    return Package(**texts, license_files=tuple(files))


def module_name(name: str) -> str:
    """The Python package for a name."""
    return re.sub(r"[-_.]+", "_", name).lower()


def problem_of_name(name: str) -> str:
    """Why a package cannot have this name, as the end of "… "; "" when it can."""
    module = module_name(name)
    if not _NAME.fullmatch(name):
        return "is not letters, digits, `.`, `-` and `_` between a letter or digit at each end"
    if not module.isidentifier() or keyword.iskeyword(module):
        return f"makes the Python module {module!r}, which Python cannot import"
    if module in _TAKEN or module in sys.stdlib_module_names:
        return f"makes the Python module {module!r}, which would hide another of that name"
    return ""


def problem_of_version(version: str) -> str:
    """Why a package cannot have this version; "" when it can."""
    if _VERSION.fullmatch(version):
        return ""
    return (
        "is no version as 1.2.3, 1.2.0rc1, 1.2.0.post1 or 1.2.0.dev4 (PEP 440, in normal form, "
        "without `+label`)"
    )


def preset_label(preset: str) -> str:
    """A preset's name as the label of a version (PEP 440): lower-case letters and digits with `.` between."""
    return re.sub(r"[^a-z0-9]+", ".", preset.lower()).strip(".")
