"""The layers: docs/architecture.md has a table of what a folder of npuninja may import, and that holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
# One language, three readers: its table of operations names functions that parse and print, which read it.
RING = {
    f"npuninja.ir.{name}"
    for name in (
        *(
            "assembly",
            "attribute_directives",
            "custom",
            "custom_affine",
            "custom_numbers",
            "custom_scf",
            "custom_standard",
            "custom_trace",
            "declared_parser",
            "directives",
        ),
        *("numbers", "op_state", "parser", "printer", "syntax"),
    )
} | {
    f"npuninja.python_designs.{name}"
    for name in (
        *("construct.insertion", "construct.operations", "construct.values"),
        *("dialects.aie", "dialects.third"),
    )
}
# Values of a Python design have operators, operators make operations where the text is, and those have
# values; the dialect modules of two generations offer each other's names.
PYTHON_RINGS = (
    {
        f"npuninja.python_designs.construct.{name}"
        for name in ("insertion", "memory_parts", "operations", "values")
    },
    {f"npuninja.python_designs.dialects.{name}" for name in ("aie", "third")},
)


def test_every_import_stands_in_the_table(table, imports):
    """A row's last cell lists, in backticks, the folders and modules that its folder may import."""
    forbidden = [
        f"{importer}:{line} imports {imported}"
        for importer, imported, line in imports
        if not allowed(table, importer, imported)
    ]
    assert not forbidden, "\n".join(forbidden)


def test_the_table_has_every_folder_and_no_other(table):
    folders = {path.parent.name for path in (ROOT / "npuninja").glob("*/__init__.py")}
    modules = {path.stem for path in (ROOT / "npuninja").glob("*.py")} - {"__init__"}
    assert {name.partition(".")[0] for name in table} == folders | modules


def test_no_circle_of_folders(imports):
    graph: dict[str, set[str]] = {}
    for importer, imported, _ in imports:
        # What is shipped in packages as it is starts the command there; nothing imports it here.
        if importer.startswith("npuninja.packaging.shipped."):
            continue
        of, to = importer.split(".")[1], imported.split(".")[1]
        if of != to:
            graph.setdefault(of, set()).add(to)
    assert circles(graph) == []


def test_no_circle_of_modules_but_that_of_the_parser(imports):
    graph: dict[str, set[str]] = {}
    for importer, imported, _ in imports:
        graph.setdefault(importer, set()).add(imported)
    assert [
        circle for circle in circles(graph) if not any(circle <= ring for ring in (RING, *PYTHON_RINGS))
    ] == []


def test_the_reading_of_imports_sees_every_form(tmp_path):
    code = (
        "import npuninja.errors\nfrom npuninja import hints\nfrom npuninja.ir import core\n"
        "def late():\n    from npuninja.ir.core import Operation\nfrom . import beside\n"
    )
    names = {"npuninja.errors", "npuninja.hints", "npuninja.ir", "npuninja.ir.core", "npuninja.ir.beside"}
    assert sorted(imported_in(code, "npuninja.ir.here", names)) == [
        ("npuninja.errors", 1),
        ("npuninja.hints", 2),
        ("npuninja.ir.beside", 6),
        ("npuninja.ir.core", 3),
        ("npuninja.ir.core", 5),
    ]


def test_what_the_table_means():
    rows = {
        "errors": set(),
        "ir": {"arch"},
        "plan": {"detect.tool"},
        "arch": set(),
        "plan.inner": {"cli"},
        "top": {"anything"},
    }
    for importer, imported, may in (
        ("ir.core", "arch.devices", True),
        ("ir.core", "ir.types", True),
        ("ir.core", "errors", True),
        ("ir.core", "plan.graph", False),
        ("plan.graph", "detect.tool", True),
        ("plan.graph", "detect.tools", False),
        ("plan.graph", "cli", False),
        ("plan.inner.x", "cli", True),
        ("plan.inner.x", "detect.tool", False),
        ("top.x", "plan.graph", True),
        ("unknown.x", "arch", False),
    ):
        assert allowed(rows, f"npuninja.{importer}", f"npuninja.{imported}") is may, (importer, imported)
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [{"b", "c"}]


@pytest.fixture(scope="module")
def table() -> dict[str, set[str]]:
    """Folder or module -> what it may import, as names below npuninja."""
    lines = PAGE.read_text(encoding="utf-8").split("| may import |", 1)[1].split("\n")[2:]
    rows: dict[str, set[str]] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        folder, _, may = (cell.strip() for cell in line.strip("|").split(" | "))
        names = re.findall(r"`npuninja/([\w/]+?)(?:/|\.py)`", folder)
        for name in names:
            rows[name.replace("/", ".")] = (
                {"anything"} if may == "anything" else set(re.findall(r"`([\w.]+)`", may))
            )
    return rows


@pytest.fixture(scope="module")
def imports() -> list[tuple[str, str, int]]:
    """Every import within npuninja, wherever in a module: importer, imported, line."""
    files = {module_name(path): path for path in sorted((ROOT / "npuninja").rglob("*.py"))}
    return [
        (module, imported, line)
        for module, path in files.items()
        for imported, line in imported_in(path.read_text(encoding="utf-8"), module, files)
        if imported != "npuninja"
    ]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_in(code: str, module: str, known: Mapping[str, object] | set[str]) -> Iterator[tuple[str, int]]:
    """The modules among `known` that the code of `module` imports, each with the line."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(module.split(".")[: -node.level]) + "." if node.level else ""
            start = (start + (node.module or "")).rstrip(".")
            for alias in node.names:
                name = f"{start}.{alias.name}"
                if name in known or start in known:
                    yield (name if name in known else start), node.lineno


def below(name: str, folder: str) -> bool:
    """Whether a module is `folder` (a name below npuninja) or lies in it."""
    return f"{name}.".startswith(f"npuninja.{folder}.")


def row_of(table: Mapping[str, set[str]], module: str) -> str:
    """The row of a module: that of the innermost folder that has one."""
    return max((row for row in table if below(module, row)), key=len, default="")


def ground_floor(table: Mapping[str, set[str]]) -> set[str]:
    """The single modules that everything may stand on: those whose row allows nothing but each other."""
    modules = {row for row in table if (ROOT / "npuninja" / f"{row}.py").exists()}
    return {row for row in modules if table[row] <= modules - {"cli"} and row not in ("cli", "__main__")}


def allowed(table: Mapping[str, set[str]], importer: str, imported: str) -> bool:
    row = row_of(table, importer)
    names = table.get(row, set())
    within = below(imported, row) if row else False
    # A row of an inner folder speaks for that folder alone; its outer folder does not see it.
    return within or "anything" in names or any(below(imported, name) for name in names | ground_floor(table))


def circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """The sets of nodes that reach each other."""
    reached = {}
    for start in graph:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for name in graph.get(waiting.pop(), set()) - seen:
                seen.add(name)
                waiting.append(name)
        reached[start] = seen
    found: list[set[str]] = []
    for name, others in reached.items():
        circle = {other for other in others if name in reached.get(other, set())}
        if len(circle) > 1 and circle not in found:
            found.append(circle)
    return found
