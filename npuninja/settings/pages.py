"""Texts made of the table: the reference page, and a new project's file with every key as a comment."""

from __future__ import annotations

import textwrap

from npuninja.settings.table import KINDS, PRESET, SECTIONS, Section

_HEAD = """\
# toolchain.toml: reference

What a project says about its build, apart from its designs and kernels. Everything in it is optional.
`configure.py` reads it at the top of the project, or the file of `--toolchain FILE`; paths count from where
it lies, and `~` works. A key or value that means nothing is an error with its place. Ninja notices when it
changes, also when it is new.

This page is made from the table that the reader uses (`npuninja settings --reference`); so is the schema for
editors (`npuninja settings --schema`, in the package as `npuninja/settings/toolchain.schema.json`), and the
file with every key as a comment (`npuninja settings --template`).
"""


def heading(section: Section) -> str:
    """How a section begins in the file."""
    if not section.name:
        return ""
    name = f"{section.name}.{section.example_name}" if section.named else section.name
    return f"[[{name}]]" if section.many == "yes" else f"[{name}]"


def reference_page() -> str:
    """The page, in Markdown."""
    parts = [_HEAD]
    for section in SECTIONS:
        parts.append(f"## `{heading(section)}`\n" if section.name else "## At the top\n")
        parts.append("\n".join(textwrap.wrap(section.meaning, 110, break_on_hyphens=False)) + "\n")
        rows = ["| key | value | meaning | example |", "|---|---|---|---|"]
        for key in section.keys:
            values = ", ".join(f"`{value}`" for value in key.allowed) or KINDS[key.kind]
            needed = " (needed)" if key.required else ""
            meaning, example = key.meaning.replace("|", "\\|"), key.example.replace("|", "\\|")
            rows.append(f"| `{key.name}`{needed} | {values} | {meaning} | `{example}` |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def template(schema: str = "") -> str:
    """The file of a new project: every key, as a comment.

    Args:
        schema: where editors find the JSON schema; "" for no line about it.
    """
    lines = [f"#:schema {schema}"] if schema else []
    lines += _comment(
        "What this project says about its build. Everything is optional, and each key is here as a "
        "comment with an example. Paths count from this file."
    )
    for section in SECTIONS:
        lines += ["", *_comment(section.meaning)] if section.name else [""]
        lines += [f"# {heading(section)}"] if section.name else []
        keys = section.keys if section is not PRESET else section.keys[:1] + section.keys[3:]
        for key in keys:
            lines += [f"# {line}" for line in textwrap.wrap(key.meaning, 108)] if not section.name else []
            allowed = f"    # {', '.join(key.allowed)}" if 0 < len(key.allowed) < 9 else ""
            lines.append(f"# {key.name} = {key.example}{allowed}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 108, break_on_hyphens=False)]
