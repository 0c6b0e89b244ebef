"""Each constant has one home: no two modules of npuninja or its tools say the same, whatever they call it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from npuninja.formats import core_abi

ROOT = Path(__file__).resolve().parents[1]
#: Values of at most so many characters, in all, are equal by chance.
_SHORT = 4
#: Operations and types of MLIR are words of a language, and mean the same everywhere: they need no names.
_WORDS_OF_MLIR = re.compile(r"(?:aiex?|memref|func|scf|builtin)\.[\w.]+")
#: Values that different things have by chance, and what these are.
BY_CHANCE = {
    "build": "the folder of outputs in a project; that of a remote action",
    "design": "the stage of MLIR-AIE's driver; what a design run from Python is called",
    "npuninja": "this program, as PostgreSQL's user, in remote paths, as the version of the package `aie`",
    "source": "a kind of file in a package's build plan; the folder of sources of a remote action",
}


def test_no_constant_is_defined_twice(modules: list[tuple[str, ast.Module]]) -> None:
    """Where two of one name are equal by chance, a name that says what each is for tells them apart."""
    found: dict[tuple[str, str], list[str]] = {}
    for place, code in modules:
        for name, value, line in constants(code):
            if name.lstrip("_").isupper():
                key = (name.lstrip("_"), ast.unparse(value))
                found.setdefault(key, []).append(f"{place}:{line}")
    twice = [f"{name}: {', '.join(places)}" for (name, _), places in found.items() if len(places) > 1]
    assert not twice, "\n".join(twice)


def test_no_text_or_group_of_texts_has_two_names(modules: list[tuple[str, ast.Module]]) -> None:
    found: dict[object, set[str]] = {}
    for place, code in modules:
        for _, value, line in constants(code):
            for text in texts(value):
                found.setdefault(text, set()).add(f"{place}:{line}")
    twice = {value: places for value, places in found.items() if len(places) > 1}
    wrong = [
        f"{value!r}: {', '.join(sorted(places))}" for value, places in twice.items() if value not in BY_CHANCE
    ]
    assert not wrong, "\n".join(wrong)
    assert set(BY_CHANCE) <= set(twice), "these have one home by now"


def test_bytes_that_have_a_name_are_written_nowhere_else(modules: list[tuple[str, ast.Module]]) -> None:
    """Marks of files, mostly. Of plain words most are equal by chance."""
    homes: dict[bytes, set[str]] = {}
    written: dict[bytes, set[str]] = {}
    for place, code in modules:
        for _, value, line in constants(code):
            if isinstance(value, ast.Constant) and isinstance(value.value, bytes):
                homes.setdefault(value.value, set()).add(f"{place}:{line}")
        for node in ast.walk(code):
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes) and len(node.value) >= _SHORT:
                written.setdefault(node.value, set()).add(f"{place}:{node.lineno}")
    twice = {value: written[value] for value in homes if len(written.get(value, ())) > 1}
    assert not twice, "\n".join(f"{value!r}: {', '.join(sorted(places))}" for value, places in twice.items())


def test_the_reading_of_constants_sees_every_form() -> None:
    code = "A = 1\n_A: int = 0x1\nB, C = 2, {'a': [3]}\nlower = 1\nD = f(A)\nclass E:\n    F = 1\nG = H = 4\n"
    assert [(name, ast.unparse(value), line) for name, value, line in constants(ast.parse(code))] == [
        ("A", "1", 1),
        ("_A", "1", 2),
        ("B", "2", 3),
        ("C", "{'a': [3]}", 3),
        ("lower", "1", 4),
        ("D", "f(A)", 5),
        ("G", "4", 8),
        ("H", "4", 8),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("A = b'mark!'", "B = b'mark!'"),
        ("A = 'words'", "_other: str = 'wor' 'ds'"),
        ("A = ('one', 'two')", "B = ['two', 'one']"),
        ("A = ('one', 'two')", "B = frozenset({'two', 'one'})"),
        ("A = ('one', 'two')", "B, C = ('one', *('two',)), 3"),
        ("A = (('one', 1), ('two', 2))", "B = (('two', 2), ('one', 1))"),
    ],
)
def test_equal_values_are_seen_whatever_their_form(first: str, second: str) -> None:
    (_, one, _), (_, two, _) = next(constants(ast.parse(first))), next(constants(ast.parse(second)))
    assert list(texts(one)) == list(texts(two)) != []


@pytest.mark.parametrize(
    "code", ["A = 'word'", "A = 12345", "A = ('a', 1, 23456)", "A = 'aie.core'", "A = (x, 'abcde')"]
)
def test_what_is_equal_by_chance_is_not_looked_at(code: str) -> None:
    ((_, value, _),) = constants(ast.parse(code))
    assert list(texts(value)) == []


def test_the_engine_has_the_numbers_of_the_core_abi() -> None:
    text = (ROOT / "npuninja" / "emulator" / "engine" / "scheduler.c").read_text(encoding="utf-8")
    numbers = {
        name: int(value) for name, value in re.findall(r"^#define (CORE_\w+) (\d+)\b", text, re.MULTILINE)
    }
    assert numbers["CORE_GE"] == core_abi.WAIT_AT_LEAST
    assert numbers["CORE_EQ"] == core_abi.WAIT_EQUAL
    assert numbers["CORE_RELEASE_FAULT"] == core_abi.FAULT_RELEASE


@pytest.fixture(scope="module")
def modules() -> list[tuple[str, ast.Module]]:
    """The modules of npuninja and of its tools: path, content."""
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for folder in ("npuninja", "tools")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def constants(code: ast.Module) -> Iterator[tuple[str, ast.expr, int]]:
    """What a module gives names to at its top: name, value, line."""
    for node in code.body:
        if isinstance(node, ast.Assign):
            targets: list[ast.expr] = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        for target in targets if node.value is not None else ():
            pairs: list[tuple[ast.expr, ast.expr]] = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts))
            for at, what in pairs:
                if isinstance(at, ast.Name):
                    yield at.id, what, node.lineno


def texts(value: ast.expr) -> Iterator[object]:
    """The value of a constant where it is a text, bytes or a group of such, and not short."""
    if (
        isinstance(value, ast.Call)
        and len(value.args) == 1
        and ast.unparse(value.func) in ("frozenset", "tuple")
    ):
        value = value.args[0]
    found = group_of(value)
    if found is None and isinstance(value, ast.Constant) and isinstance(value.value, (str, bytes)):
        found = value.value
    if (
        found is not None
        and characters(found) > _SHORT
        and not (isinstance(found, str) and _WORDS_OF_MLIR.fullmatch(found))
    ):
        yield found


def group_of(value: ast.expr) -> tuple[object, ...] | None:
    """The members of a tuple, list or set in a fixed order; None for others, or when not written out."""
    if not isinstance(value, (ast.Tuple, ast.List, ast.Set)):
        return None
    members: list[object] = []
    for element in value.elts:
        inner = group_of(element.value if isinstance(element, ast.Starred) else element)
        if isinstance(element, ast.Starred):
            if inner is None:
                return None
            members += inner
        elif inner is not None:
            members.append(inner)
        elif isinstance(element, ast.Constant):
            members.append(element.value)
        else:
            return None
    return tuple(sorted(members, key=repr))


def characters(value: object) -> int:
    """The characters or bytes of all texts in a value."""
    if isinstance(value, (str, bytes)):
        return len(value)
    return sum(map(characters, value)) if isinstance(value, tuple) else 0
