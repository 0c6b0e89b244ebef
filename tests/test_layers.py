"""The layers: docs/architecture.md has a table of what a folder may import, and that holds."""

from __future__ import annotations

import ast
import itertools
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


def test_every_import_is_in_the_table(table, imports):
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


def test_every_name_of_the_table_is_imported(table, imports):
    """A row allows no more than is needed."""
    imported: dict[str, set[str]] = {}
    for of, to, _ in imports:
        imported.setdefault(row_of(table, of), set()).add(to)
    unused = [
        f"{row} does not import {name}"
        for row, names in table.items()
        for name in names - {"anything"}
        if not any(below(to, name) for to in imported.get(row, ()))
    ]
    assert not unused, "\n".join(unused)


def test_no_row_imports_from_a_later_one(table, imports):
    """The table is from the ground floor to the top, also where a row may import anything."""
    numbers = {row: number for number, row in enumerate(table)}
    pairs = {(row_of(table, of), row_of(table, to)) for of, to, _ in imports}
    pairs |= {(row, row_of(table, name)) for row, names in table.items() for name in names - {"anything"}}
    upwards = [
        f"{of} imports {to or 'what has no row'}"
        for of, to in sorted(pairs)
        if to not in numbers or numbers[to] > numbers[of]
    ]
    assert not upwards, "\n".join(upwards)


def test_inner_folders_import_in_the_order_of_their_row(inner_folders, imports):
    against = [
        f"{importer}:{line} imports {imported}"
        for importer, imported, line in imports
        if is_against(inner_folders, importer, imported)
    ]
    assert not against, "\n".join(against)


def test_inner_folders_have_a_row_where_there_are_several(inner_folders):
    found: dict[str, set[str]] = {}
    for path in (ROOT / "npuninja").rglob("*.py"):
        parts = path.relative_to(ROOT).parts[:-1]
        for depth in range(2, len(parts)):
            found.setdefault(".".join(parts[:depth]), set()).add(parts[depth])
    several = {folder: inner for folder, inner in found.items() if len(inner) > 1}
    assert {folder: set(inner) for folder, inner in inner_folders.items()} == several


def test_no_circle_but_those_that_the_page_explains(imports):
    """Of what lies in one folder, at any depth: its folders, and its own modules each for itself."""
    rows = rows_below("| circle of modules |")
    explained = [tuple(re.findall(r"`([\w.]+)`", cells[0])) for cells in rows]
    assert circles_within(imports) == {folder: [set(names)] for folder, *names in explained}


def test_the_reading_of_imports_sees_every_form():
    code = (
        "import npuninja.errors\nfrom npuninja import hints\nfrom npuninja.ir import core\n"
        "def late():\n    from npuninja.ir.core import Operation\nfrom . import beside\n"
        "importlib.import_module('npuninja.files')\n__import__('npuninja.ir.core', fromlist=['Operation'])\n"
        "import_module(name='npuninja.hints')\n__import__(f'npuninja.stages.{stage}')\n"
        "__import__(name)\nprint('npuninja.errors')\n__import__(f'npuninja.no.{stage}')\n"
    )
    names = {"errors", "hints", "files", "ir", "ir.core", "ir.beside", "stages"}
    assert sorted(imported_in(code, "npuninja.ir.here", {f"npuninja.{name}" for name in names})) == [
        ("npuninja.errors", 1),
        ("npuninja.files", 7),
        ("npuninja.hints", 2),
        ("npuninja.hints", 9),
        ("npuninja.ir.beside", 6),
        ("npuninja.ir.core", 3),
        ("npuninja.ir.core", 5),
        ("npuninja.ir.core", 8),
        ("npuninja.stages", 10),
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


def test_what_the_order_of_inner_folders_means():
    order = {"npuninja.lowering": ["fifos", "routing"]}
    for importer, imported, against in (
        ("fifos.model", "routing.flows", True),
        ("fifos.deeper.model", "routing", True),
        ("routing.flows", "fifos.model", False),
        ("fifos.model", "fifos.core", False),
        ("fifos.model", "tiles", False),
        ("passes", "routing.flows", False),
    ):
        found = is_against(order, f"npuninja.lowering.{importer}", f"npuninja.lowering.{imported}")
        assert found is against, (importer, imported)


def test_circles_are_seen_at_every_depth():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [{"b", "c"}]
    for pairs, found in (
        ("top.a.x>top.b.y top.b.z>top.a.w", {"top": [{"a", "b"}]}),
        ("top.a.x>top.y top.y>top.a.w", {"top": [{"a", "y"}]}),
        ("top.a.x>top.y top.z>top.a.w", {}),
        ("top.a.x>top.a.y top.a.y>top.a.x", {"top.a": [{"x", "y"}]}),
        ("top.a.x>top.a top.a>top.a.x", {"top.a": [{"__init__", "x"}]}),
        ("one.x>two.y two.z>one.w", {"": [{"one", "two"}]}),
    ):
        listed = [tuple(pair.split(">")) for pair in pairs.split()]
        assert circles_within([(of, to, 1) for of, to in listed]) == found, pairs


@pytest.fixture(scope="module")
def table() -> dict[str, set[str]]:
    """Folder or module -> what it may import: places with dots, as `npuninja.ir`, `tools.farm`."""
    rows: dict[str, set[str]] = {}
    for folder, _, may in rows_below("| may import |"):
        names = re.findall(r"`((?:npuninja|tools|examples|host)/[\w/]*?)/?(?:\.py)?`", folder)
        for name in names:
            within = {f"npuninja.{module}" for module in re.findall(r"`([\w.]+)`", may)}
            outside = {place.replace("/", ".") for place in re.findall(r"`([\w/]+)/`", may)}
            rows[name.strip("/").replace("/", ".")] = {"anything"} if may == "anything" else within | outside
    return rows


@pytest.fixture(scope="module")
def inner_folders() -> dict[str, list[str]]:
    """Folder -> the folders in it, each of which may import those before it."""
    return {
        folder.strip("`/").replace("/", "."): re.findall(r"`(\w+)`", inner)
        for folder, inner in rows_below("| its folders, in order |")
    }


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


def rows_below(head: str) -> list[list[str]]:
    """The cells of the page's table whose first line ends with `head`."""
    lines = PAGE.read_text(encoding="utf-8").split(head, 1)[1].split("\n")[2:]
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def module_name(path: Path, start: Path) -> str:
    parts = path.relative_to(start).with_suffix("").parts
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
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__"):
            name = given_name(node)
            if name in known:
                yield name, node.lineno


def called(call: ast.Call) -> str:
    """The function that a call names, without what comes before a point."""
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def given_name(call: ast.Call) -> str:
    """The module that a call imports: by its name, or the folder where only the name's end is computed."""
    for given in (*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "name")):
        if isinstance(given, ast.JoinedStr):
            first = given.values[0]
            return ast.literal_eval(first).rpartition(".")[0] if isinstance(first, ast.Constant) else ""
        if isinstance(given, ast.Constant):
            return str(given.value)
    return ""


def below(name: str, folder: str) -> bool:
    """Whether a module is `folder` or lies in it."""
    return f"{name}.".startswith(f"{folder}.")


def row_of(table: Mapping[str, set[str]], module: str) -> str:
    """The row of a module: that of the innermost folder that has one."""
    return max((row for row in table if below(module, row)), key=len, default="")


def ground_floor(table: Mapping[str, set[str]]) -> set[str]:
    """The single modules that everything may import: those whose row allows nothing but each other."""
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


def is_against(inner_folders: Mapping[str, list[str]], importer: str, imported: str) -> bool:
    """Whether a folder within another imports one that comes after it."""
    for folder, order in inner_folders.items():
        of, to = (place.removeprefix(f"{folder}.").split(".")[0] for place in (importer, imported))
        inside = below(importer, folder) and below(imported, folder) and {of, to} <= set(order)
        if inside and order.index(to) > order.index(of):
            return True
    return False


def circles_within(imports: list[tuple[str, str, int]]) -> dict[str, list[set[str]]]:
    """Folder -> circles of what lies in it: its folders, and its own modules each for itself."""
    folders = {place.rpartition(".")[0] for pair in imports for place in pair[:2]}
    graphs: dict[str, dict[str, set[str]]] = {}
    for importer, imported, _ in imports:
        of, to = (
            [*place.split("."), *(["__init__"] if place in folders else [])] for place in (importer, imported)
        )
        depth = next((i for i, (one, other) in enumerate(zip(of, to)) if one != other), None)
        if depth is not None:
            graphs.setdefault(".".join(of[:depth]), {}).setdefault(of[depth], set()).add(to[depth])
    return {folder: found for folder, graph in graphs.items() if (found := circles(graph))}


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
