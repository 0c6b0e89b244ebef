"""The JSON schema of toolchain.toml, for editors: completion, help and errors while one types."""

from __future__ import annotations

import os

from npuninja import TYPE_CHECKING
from npuninja.files import write_if_changed
from npuninja.settings.table import GENERAL, IN_PRESETS, PRESET, SECTIONS, Key, Section

if TYPE_CHECKING:
    from typing import Any

FILE = "toolchain.schema.json"

_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "path": {"type": "string", "minLength": 1},
    "texts": _TEXTS,
    "paths": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "boolean": {"type": "boolean"},
    "seconds": {"type": "integer", "exclusiveMinimum": 0},
    "count": {"type": "integer", "minimum": 0},
    "tool": {"oneOf": [{"type": "string", "minLength": 1}, {"const": False}]},
    "day": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    "names": {"oneOf": [{"type": "string"}, _TEXTS]},
}


def schema() -> dict[str, Any]:
    """The schema (draft 7, which editors for TOML know)."""
    properties = {key.name: _key(key) for key in GENERAL.keys}
    properties.update({s.name: _section(s) for s in SECTIONS if s.name})
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "toolchain.toml of npuninja",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def write_schema(folder: str) -> None:
    """Puts the schema into a folder, where editors of the project find it, unless it is there."""
    shipped = os.path.join(os.path.dirname(os.path.abspath(__file__)), FILE)
    target = os.path.join(folder, FILE)
    if os.path.exists(target) and os.stat(target).st_size == os.stat(shipped).st_size:
        return
    with open(shipped, encoding="utf-8") as stream:
        write_if_changed(target, stream.read())


def _key(key: Key) -> dict[str, Any]:
    made = {"description": key.meaning, **_TYPES[key.kind]}
    if key.allowed and key.kind == "texts":
        made["items"] = {"enum": list(key.allowed)}
    elif key.allowed:
        made["enum"] = list(key.allowed)
    return made


def _table(section: Section) -> dict[str, Any]:
    properties = {key.name: _key(key) for key in section.keys}
    if section is PRESET:
        properties.update({s.name: _section(s) for s in IN_PRESETS})
    required = [key.name for key in section.keys if key.required]
    made: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**made, "required": required} if required else made


def _section(section: Section) -> dict[str, Any]:
    table: dict[str, Any] = _table(section)
    if section.many == "yes":
        return {"description": section.meaning, "type": "array", "items": table}
    if not section.named:
        return {"description": section.meaning, **table}
    if section.many == "may":
        table = {"oneOf": [table, {"type": "array", "items": table}]}
    return {"description": section.meaning, "type": "object", "additionalProperties": table}
