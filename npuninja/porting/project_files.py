"""The files of an imported project. What the user has changed in them stays.

toolchain.toml is compared by section with what the last import wrote (kept in `.npuninja-import.json`): one
that is still as it was written is rewritten, one that was changed or removed is left alone.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from npuninja.files import write_file
from npuninja.porting.project import Host, ImportedProject

RECORD = ".npuninja-import.json"
_HEADER = re.compile(r"^\[\[?[^\]]+\]\]?\s*(?:#.*)?$", re.M)
_CONFIGURE = '''\
"""Looks at this machine and at the designs that toolchain.toml names, and writes build.ninja."""

from npuninja.configure.main import main

raise SystemExit(main())
'''


@dataclass(frozen=True)
class Written:
    """What became of a file: its name, and sections that were left as the user has them."""

    name: str
    kept: tuple[str, ...] = ()


def _sections_of(record: str) -> dict[str, str]:
    """What an earlier import wrote, by its record; nothing when that is damaged: all is the user's own."""
    try:
        with open(record, encoding="utf-8") as stream:
            return {str(name): str(body) for name, body in json.load(stream)["sections"].items()}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return {}


def write_project(project: ImportedProject, source: str, target: str) -> list[Written]:
    """Writes toolchain.toml, configure.py and .gitignore.

    Args:
        project: what was found.
        source: the imported folder, absolute.
        target: the project's folder, absolute; made when it is not there.
    """
    os.makedirs(target, exist_ok=True)
    record_path = os.path.join(target, RECORD)
    before: dict[str, str] = {}
    if os.path.isfile(record_path):
        before = _sections_of(record_path)
    sections = _sections(project, target)
    toml = os.path.join(target, "toolchain.toml")
    kept: tuple[str, ...] = ()
    if os.path.isfile(toml):
        with open(toml, encoding="utf-8") as stream:
            text, kept = _merged(stream.read(), sections, before)
    else:
        text = _preface(source, target) + "".join(f"\n{body}" for body in sections.values())
    write_file(toml, text.encode())
    write_file(record_path, (json.dumps({"format": 1, "sections": sections}, indent=1) + "\n").encode())
    written = [Written("toolchain.toml", kept)]
    for name, content in (
        ("configure.py", _CONFIGURE),
        (".gitignore", "/build/\n/build.ninja\n/.build.ninja.d\n/.ninja_*\n"),
    ):
        path = os.path.join(target, name)
        if not os.path.exists(path):
            write_file(path, content.encode())
            written.append(Written(name))
    return written


def _preface(source: str, target: str) -> str:
    return (
        f"# The build of {_relative(source, target)}, as `npuninja import` found it; "
        "sources are where they were.\n"
        "# `npuninja import` run again rewrites what is unchanged here, and keeps what you have edited.\n"
    )


def _relative(path: str, base: str) -> str:
    return os.path.relpath(path, base).replace(os.sep, "/")


def _merged(text: str, sections: Mapping[str, str], before: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The user's file with the sections that they have not changed rewritten; and those that were kept."""
    starts = [match.start() for match in _HEADER.finditer(text)]
    pieces = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)])]
    result = [text[: starts[0]] if starts else text]
    present, kept = set(), []
    for piece in pieces:
        header = piece.splitlines()[0].split("#")[0].strip()
        key = next(
            (
                k
                for k in (*sections, *before)
                if _key_header(k) == header and piece.strip() == before.get(k, "").strip()
            ),
            "",
        )
        if key and key in sections:
            result.append(sections[key].rstrip() + piece[len(piece.rstrip()) :])
            present.add(key)
        elif key:
            continue  # as it was written, and no longer there
        else:
            result.append(piece)
            kept += [k for k in sections if _key_header(k) == header]
    for key, body in sections.items():
        # A section that was written before and is gone was removed by the user.
        if key not in present and key not in kept and key not in before:
            result.append(f"\n{body}")
    return "".join(result), tuple(dict.fromkeys(kept))


def _key_header(key: str) -> str:
    return key.split("#")[0]


def _sections(project: ImportedProject, target: str) -> dict[str, str]:
    """Header (and a number, where it occurs several times) -> the section's text."""
    found: dict[str, str] = {}

    def add(header: str, entries: Mapping[str, object]) -> None:
        lines = [header, *(f"{name} = {_toml(value)}" for name, value in entries.items() if value)]
        key, number = header, 2
        while key in found:
            key, number = f"{header}#{number}", number + 1
        found[key] = "\n".join(lines) + "\n"

    def paths(values: tuple[str, ...]) -> list[str]:
        # A name alone is another kernel's.
        return [_relative(value, target) if os.path.isabs(value) else value for value in values]

    for design in project.designs:
        entries: dict[str, object] = {
            "source": _relative(design.source, target),
            "arguments": list(design.arguments),
            "module": design.module,
            "folder": _relative(design.folder, target) if design.folder else "",
        }
        entries["replace"] = [f"{word}={text}" for word, text in design.replaced]
        entries |= {"generation": design.generation, "aiecc-flags": list(design.aiecc_flags)}
        entries |= {"devices": list(design.devices), "reconfiguration": design.reconfiguration}
        entries["full-elf"] = design.full_elf
        add(f"[design.{design.name}]", {**entries, "kernels": list(design.kernels)})
    names = [kernel.name for kernel in project.kernels]
    for kernel in project.kernels:
        name = _toml(kernel.name)
        add(
            f"[[kernel.{name}]]" if names.count(kernel.name) > 1 else f"[kernel.{name}]",
            {
                "sources": paths(kernel.sources), "defines": list(kernel.defines), "include": paths(kernel.include),
                "flags": list(kernel.flags), "language": kernel.language, "designs": list(kernel.designs),
            },
        )  # fmt: skip
    for host in project.hosts:
        add(f"[host.{host.name}]", _host_entries(host, target))
    return found


def _host_entries(host: Host, target: str) -> dict[str, object]:
    def paths(values: tuple[str, ...]) -> list[str]:
        return [_relative(value, target) for value in values]

    return {
        "sources": paths(host.sources), "defines": list(host.defines), "include": paths(host.include),
        "flags": list(host.flags), "language": host.language,
        "libraries": [_relative(lib, target) if "/" in lib else lib for lib in host.libraries],
        "arguments": list(host.arguments), "environment": [f"{name}={value}" for name, value in host.environment],
        "folder": _relative(host.folder, target), "module": host.module, "device": host.device, "refused": host.refused,
        "files": list(host.files),
        "output-has": list(host.output_has), "designs": list(host.designs),
    }  # fmt: skip


def _toml(value: object) -> str:
    """A value of TOML: true or false, a string, or a list of strings."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    assert isinstance(value, list)
    one_line = "[" + ", ".join(map(_toml, value)) + "]"
    if len(one_line) <= 100:
        return one_line
    lines, line = [], "   "
    for item in map(_toml, value):
        if len(line) + len(item) > 98 and line.strip():
            lines.append(line)
            line = "   "
        line += f" {item},"
    return "\n".join(["[", *lines, line, "]"])
