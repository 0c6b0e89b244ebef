"""Writes docs/api/*.md from the docstrings of npuninja's public modules: `python tools/api_pages.py`.

The code is read, not imported. What has a name without `_` in front in a module of `PAGES` is public: other
programs may rely on it. `tests/tools/test_api_pages.py` sees to it that the pages are current.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "api"


class Page(NamedTuple):
    """One page: what it is about, and the modules on it."""

    title: str
    modules: tuple[str, ...]


PAGES = {
    "device": Page(
        "Running built designs",
        (
            *("device.manifest", "device.choice", "device.api", "device.reference", "device.output_comparison"),
            *("device.bfloat16", "device.source_paths"),
        ),
    ),
    "emulator": Page(
        "The emulated array",
        (
            *("emulator", "emulator.emulator", "emulator.array_access"),
            *("emulator.host_memory", "emulator.errors"),
        ),
    ),
    "timing": Page("The timing model", ("emulator.timing.work", "emulator.timing.model", "emulator.timing.band")),
    "ir": Page(
        "MLIR text",
        (
            *("ir.parser", "ir.printer", "ir.verifier", "ir.core", "ir.attributes", "ir.types"),
            *("ir.operation_difference", "ir.affine"),
        ),
    ),
    "lowering": Page("Lowering", ("lowering.pipeline", "lowering.passes")),
    "formats": Page(
        "Binary formats",
        tuple(f"formats.{name}" for name in ("cdo", "pdi", "xclbin", "txn", "elf", "core_image")),
    ),
    "errors": Page("Errors", ("errors",)),
    "programs": Page("Command lines and files of programs", ("argument_parser", "files")),
}  # fmt: skip


def pages() -> dict[str, str]:
    """The file names of all pages and their texts."""
    found = {f"{name}.md": _page(page) for name, page in PAGES.items()}
    lines = [f"| [{page.title}]({name}.md) | {_listed(page)} |" for name, page in PAGES.items()]
    found["README.md"] = (
        "# Modules that other programs may use\n\n"
        "Made from the docstrings by `python tools/api_pages.py`.\n\n"
        "| page | modules |\n|---|---|\n" + "\n".join(lines) + "\n"
    )
    return found


def _listed(page: Page) -> str:
    return ", ".join(f"`npuninja.{module}`" for module in page.modules)


def _page(page: Page) -> str:
    parts = [f"# {page.title}"]
    for module in page.modules:
        path = ROOT / "npuninja" / Path(*module.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        tree = ast.parse(file.read_text(encoding="utf-8"))
        parts.append(f"## npuninja.{module}")
        parts += _text(tree)
        for node in tree.body:
            parts += _entry(node, "###", "")
    return "\n\n".join(parts) + "\n"


def _entry(node: ast.stmt, heading: str, owner: str) -> Iterator[str]:
    """A public function or class, with the fields and methods of a class."""
    if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"):
        return
    if isinstance(node, ast.FunctionDef):
        marks = {ast.unparse(mark) for mark in node.decorator_list}
        signature = node.name if "property" in marks else f"{node.name}({_parameters(node, bool(owner))})"
        result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        yield f"{heading} `{owner}{signature}{result}`"
        yield from _text(node)
        return
    bases = ", ".join(map(ast.unparse, node.bases))
    yield f"{heading} class `{node.name}`" + (f" ({bases})" if bases else "")
    yield from _text(node)
    fields = list(_fields(node))
    if fields:
        yield "\n".join(fields)
    for part in node.body:
        yield from _entry(part, heading + "#", f"{node.name}.")


def _parameters(node: ast.FunctionDef, method: bool) -> str:
    text = ast.unparse(node.args)
    return re.sub(r"^(self|cls)(, )?", "", text) if method else text


def _fields(node: ast.ClassDef) -> Iterator[str]:
    """The fields of a class, each with the string after it."""
    for part, behind in zip(node.body, [*node.body[1:], None]):
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            if part.target.id.startswith("_"):
                continue
            default = f" = {ast.unparse(part.value)}" if part.value else ""
            said = ""
            if (
                isinstance(behind, ast.Expr)
                and isinstance(behind.value, ast.Constant)
                and isinstance(behind.value.value, str)
            ):
                said = ": " + " ".join(behind.value.value.split())
            yield f"- `{part.target.id}: {ast.unparse(part.annotation)}{default}`{said}"


def _text(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    """A docstring as Markdown: its sections become lists."""
    text = ast.get_docstring(node)
    if not text:
        return
    lines: list[str] = []
    section = False
    for line in text.split("\n"):
        if re.fullmatch(r"(Args|Attributes|Returns|Raises|Yields):", line):
            lines += ["", f"**{line}**", ""]
            section = True
        elif section and line.startswith("    "):
            lines.append(line[4:] if line.startswith("     ") else f"- {_named(line[4:])}")
        else:
            section = section and not line.strip()
            lines.append(line)
    yield re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _named(line: str) -> str:
    """An entry `name: what it is` of a list, its name as code."""
    return re.sub(r"^([\w, ]+?)(?: \([^)]*\))?:(?= )", lambda found: f"`{found[1]}`:", line)


def main() -> None:
    """Writes all pages, and removes those that are no longer made."""
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for old in FOLDER.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
