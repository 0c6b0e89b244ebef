"""`[package]` of toolchain.toml: what the designs are packed as."""

from __future__ import annotations

import os
import re

from npuninja.errors import Location, UserError
from npuninja.packaging.package import (
    DEFAULT_NAME,
    DEFAULT_VERSION,
    RUNNER_LICENSE,
    Package,
    preset_label,
    problem_of_name,
    problem_of_version,
)
from npuninja.settings.toml_file import Table

KEYS = ("name", "version", "summary", "license", "license-files")
# What is taken as the licence when the table names none.
_LICENSE_FILE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE)([.-][\w.-]*)?", re.ASCII)
# Names that need no quotes wherever a package lists its files.
_PLAIN_PATH = re.compile(r"[\w.+-]+(/[\w.+-]+)*", re.ASCII)


def read_package(table: Table) -> Package:
    """The table, checked; what it leaves out has its default. Licence files are only those that it names.

    Raises:
        UserError: a key that means nothing, or a value that cannot be; located.
    """
    table.only(list(KEYS))
    name, version = table.text("name") or DEFAULT_NAME, table.text("version") or DEFAULT_VERSION
    summary, license_, files = (
        table.text("summary") or "",
        table.text("license") or "",
        table.texts("license-files"),
    )
    for key, value, problem in (
        ("name", name, problem_of_name(name)),
        ("version", version, problem_of_version(version)),
        ("summary", summary, _problem_of_line(summary)),
        ("license", license_, _problem_of_line(license_)),
        *(("license-files", file, _problem_of_path(file)) for file in files),
    ):
        if problem:
            raise UserError(f"{key!r}: {value!r} {problem}", table.place(key))
    return Package(name, version, "", summary, license_, tuple(sorted(set(files))))


def _problem_of_line(text: str) -> str:
    return "" if not text or text.isprintable() else "is more than one line"


def _problem_of_path(path: str) -> str:
    if not _PLAIN_PATH.fullmatch(path) or ".." in path.split("/"):
        return (
            "is no plain name of a file in the project (letters, digits, `.`, `+`, `-`, `_`, "
            "folders with `/`)"
        )
    if path == RUNNER_LICENSE:
        return "has the name of the runner's licence"
    return "" if os.path.isfile(path) else "is no file of the project"


def package_of_project(package: Package, settings_file: str, preset: str | None) -> Package:
    """The package of the project in this folder, for a preset.

    Args:
        package: what `read_package` made of the table.
        settings_file: where the table is, for messages.
        preset: the name of the preset, or None.

    Raises:
        UserError: the preset's name has neither letter nor digit, so that no file can be called after it.
    """
    if not package.license_files:
        package = package._replace(license_files=tuple(sorted(filter(_LICENSE_FILE.fullmatch, os.listdir()))))
    label = preset_label(preset or "")
    if preset and not label:
        raise UserError(
            f"a package cannot be called after preset {preset!r}",
            Location(settings_file),
            hint="give it a letter or digit",
        )
    return package._replace(preset=label)
