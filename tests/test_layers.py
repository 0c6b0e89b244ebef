"""The layers: docs/architecture.md has a table of what a folder may import, and that holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import api_pages
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
# Folders that a row of the table names, and from which Python imports each: npuninja's modules are
# `npuninja.…`, those of the others are named by their place (`tools.farm.command`).
SOURCES = {
    "npuninja": ROOT,
    "tools": ROOT / "tools",
    "examples/mel": ROOT / "examples/mel",
    "host": ROOT / "host",
}
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
    of_npuninja = {name.split(".")[1] for name in table if name.startswith("npuninja.")}
    assert of_npuninja == folders | modules
    programs = {f"tools.{path.parent.name}" for path in (ROOT / "tools").glob("*/__init__.py")}
    assert {name for name in table if name.startswith("tools.")} == programs
    assert set(table) >= {folder.replace("/", ".") for folder in SOURCES} - {"npuninja"}


def test_applications_import_what_is_public(imports):
    """A page of docs/api lists it; `host/run.py` and its like start the command instead."""
    public = {f"npuninja.{module}" for page in api_pages.PAGES.values() for module in page.modules}
    private = [
        f"{importer}:{line} imports {imported}, which has no page in docs/api"
        for importer, imported, line in imports
        if importer.startswith(("examples.", "host.")) and imported.startswith("npuninja.")
        if imported not in public | {"npuninja.cli"}
    ]
    assert not private, "\n".join(private)


def test_no_circle_of_folders(imports):
    graph: dict[str, set[str]] = {}
    for importer, imported, _ in imports:
        # What is shipped in packages as it is starts the command there; nothing imports it here.
        if importer.startswith("npuninja.packaging.shipped."):
            continue
        of, to = folder_of(importer), folder_of(imported)
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
        "npuninja.errors": set(),
        "npuninja.ir": {"npuninja.arch"},
        "npuninja.plan": {"npuninja.detect.tool"},
        "npuninja.arch": set(),
        "npuninja.plan.inner": {"npuninja.cli"},
        "npuninja.top": {"anything"},
        "tools.farm": {"npuninja.plan", "host"},
    }
    for importer, imported, may in (
        ("npuninja.ir.core", "npuninja.arch.devices", True),
        ("npuninja.ir.core", "npuninja.ir.types", True),
        ("npuninja.ir.core", "npuninja.errors", True),
        ("npuninja.ir.core", "npuninja.plan.graph", False),
        ("npuninja.ir.core", "tools.farm.engines", False),
        ("npuninja.plan.graph", "npuninja.detect.tool", True),
        ("npuninja.plan.graph", "npuninja.detect.tools", False),
        ("npuninja.plan.graph", "npuninja.cli", False),
        ("npuninja.plan.inner.x", "npuninja.cli", True),
        ("npuninja.plan.inner.x", "npuninja.detect.tool", False),
        ("npuninja.top.x", "npuninja.plan.graph", True),
        ("npuninja.top.x", "tools.farm.engines", False),
        ("npuninja.unknown.x", "npuninja.arch", False),
        ("tools.farm.engines", "tools.farm.processes", True),
        ("tools.farm.engines", "npuninja.plan.graph", True),
        ("tools.farm.engines", "npuninja.errors", True),
        ("tools.farm.engines", "npuninja.ir.core", False),
        ("tools.farm.engines", "host.mel_scale", True),
        ("tools.farm.engines", "tools.conformance.table", False),
    ):
        assert allowed(rows, importer, imported) is may, (importer, imported)
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [{"b", "c"}]


@pytest.fixture(scope="module")
def table() -> dict[str, set[str]]:
    """Folder or module -> what it may import: places with dots, as `npuninja.ir`, `tools.farm`."""
    lines = PAGE.read_text(encoding="utf-8").split("| may import |", 1)[1].split("\n")[2:]
    rows: dict[str, set[str]] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        folder, _, may = (cell.strip() for cell in line.strip("|").split(" | "))
        names = re.findall(r"`((?:npuninja|tools|examples|host)/[\w/]*?)/?(?:\.py)?`", folder)
        for name in names:
            within = {f"npuninja.{module}" for module in re.findall(r"`([\w.]+)`", may)}
            outside = {place.replace("/", ".") for place in re.findall(r"`([\w/]+)/`", may)}
            rows[name.strip("/").replace("/", ".")] = {"anything"} if may == "anything" else within | outside
    return rows


@pytest.fixture(scope="module")
def imports() -> list[tuple[str, str, int]]:
    """Every import among `SOURCES`, wherever in a module: places of importer and imported, line."""
    files = {
        module_name(path, start): path
        for folder, start in SOURCES.items()
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    places = {module: module_name(path, ROOT) for module, path in files.items()}
    return [
        (places[module], places[imported], line)
        for module, path in files.items()
        for imported, line in imported_in(path.read_text(encoding="utf-8"), module, files)
        if imported != "npuninja"
    ]


def module_name(path: Path, start: Path) -> str:
    parts = path.relative_to(start).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def folder_of(place: str) -> str:
    """A folder or single module of npuninja, or the folder that holds a program beside it."""
    parts = place.split(".")
    return parts[0] if parts[0] == "host" else ".".join(parts[:2])


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
    """Whether a module is `folder` or lies in it."""
    return f"{name}.".startswith(f"{folder}.")


def row_of(table: Mapping[str, set[str]], module: str) -> str:
    """The row of a module: that of the innermost folder that has one."""
    return max((row for row in table if below(module, row)), key=len, default="")


def ground_floor(table: Mapping[str, set[str]]) -> set[str]:
    """The single modules that everything may stand on: those whose row allows nothing but each other."""
    modules = {row for row in table if (ROOT / f"{row.replace('.', '/')}.py").exists()}
    command = {"npuninja.cli", "npuninja.__main__"}
    return {row for row in modules if table[row] <= modules - command} - command


def allowed(table: Mapping[str, set[str]], importer: str, imported: str) -> bool:
    row = row_of(table, importer)
    names = table.get(row, set())
    within = below(imported, row) if row else False
    # A row of an inner folder speaks for that folder alone; its outer folder does not see it.
    anything = "anything" in names and below(imported, "npuninja")
    return within or anything or any(below(imported, name) for name in names | ground_floor(table))


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
