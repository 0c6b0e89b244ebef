"""Puts a new project together from templates."""

from __future__ import annotations

import os
import re

from npuninja.arch.families import DEFAULT, FAMILIES
from npuninja.errors import UserError
from npuninja.records import NamedTuple
from npuninja.settings.pages import template as settings_template

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")
EVERY_PROJECT = "every_project"
# Where configure.py puts the schema of toolchain.toml, for editors.
SCHEMA = "./build/toolchain.schema.json"

#: Template -> the design that is in it, and what that is.
TEMPLATES: dict[str, tuple[str, str]] = {
    "passthrough": ("passthrough", "bytes through one core and back"),
    "vector": ("scale_add", "two vectors in, one out"),
    "gemm": ("gemm", "a product of matrices, int16 to int32, on one core"),
    "mel": ("mel", "Whisper's log-mel spectrum of 30 s of audio"),
    "python": ("scale", "a design in Python (IRON)"),
}
DEVICES = tuple(FAMILIES)
_DEVICE_CLASSES = {name: f"{name.upper()}Col1" for name in FAMILIES}


class Made(NamedTuple):
    """A new project: the files, relative to its folder, and the name of its design."""

    files: tuple[str, ...]
    design: str


def write_project(folder: str, template: str, device: str) -> Made:
    """Writes a project into a folder, which is made; files that are there already are never overwritten.

    Args:
        folder: of the project.
        template: a key of `TEMPLATES`.
        device: one of `DEVICES`.

    Raises:
        UserError: a file of the project is there already.
    """
    design = TEMPLATES[template][0]
    name = os.path.basename(os.path.abspath(folder))
    places = {"PROJECT": name, "DESIGN": design, "DEVICE": device, "DEVICE_CLASS": _DEVICE_CLASSES[device]}
    files = {"toolchain.toml": settings_template(SCHEMA)}
    for part in (EVERY_PROJECT, template):
        for path, text in _read(os.path.join(FOLDER, part)).items():
            text = re.sub(r"@([A-Z_]+)@", lambda match: places.get(match[1], match[0]), text)
            files[path] = _for_device(text, device)
    there = [path for path in sorted(files) if os.path.exists(os.path.join(folder, path))]
    if there:
        raise UserError(
            f"there is already {', '.join(there[:4])}{' …' if len(there) > 4 else ''} in "
            f"{os.path.abspath(folder)}",
            hint="give a name, npuninja init NAME: the project goes into a folder of that name",
        )
    for path, text in files.items():
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "x", encoding="utf-8") as stream:
            stream.write(text)
    return Made(tuple(sorted(files)), design)


def _for_device(text: str, device: str) -> str:
    """A design for the default family, on another: its device, and its core, on the first row of cores."""
    first = {name: FAMILIES[name].rows.of_kind("core")[0] for name in (DEFAULT, device)}
    text = re.sub(rf"(?<=aie\.device\(){DEFAULT}(?=[_)])", device, text)
    return re.sub(rf"(\b(?:aie\.tile|core ?)\(\d+, ){first[DEFAULT]}(?=\))", rf"\g<1>{first[device]}", text)


WORKFLOW = ".github/workflows/build.yml"


def write_workflow(folder: str) -> str:
    """Writes the workflow of a new project into one that is there; returns its path.

    Raises:
        UserError: the folder is no project, or has such a workflow.
    """
    if not os.path.isfile(os.path.join(folder, "configure.py")):
        raise UserError(
            f"{os.path.abspath(folder)} is no project: it has no configure.py",
            hint="npuninja init NAME makes one with its workflow; "
            "npuninja import FOLDER makes one of a foreign folder",
        )
    target = os.path.join(folder, WORKFLOW)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        with open(target, "x", encoding="utf-8") as stream:
            stream.write(_read(os.path.join(FOLDER, EVERY_PROJECT))[WORKFLOW])
    except FileExistsError as error:
        raise UserError(f"there is already {target}", hint="move it away first") from error
    return target


def _read(folder: str) -> dict[str, str]:
    """The files of a template: name in the project -> text."""
    found = {}
    for where, _, names in os.walk(folder):
        for file in names:
            if not file.endswith(".in"):
                continue
            path = os.path.relpath(os.path.join(where, file), folder)
            parts = [re.sub("^dot-", ".", part) for part in path[: -len(".in")].split(os.sep)]
            with open(os.path.join(where, file), encoding="utf-8") as stream:
                found["/".join(parts)] = stream.read()
    return found
