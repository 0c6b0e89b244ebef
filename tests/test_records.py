"""Records are what dataclasses and named tuples are, as far as they go."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from npuninja import records


def _made(record: Callable[..., Any], field: Any, kw_only: Any) -> tuple[type, type, type]:
    class Point:
        """A point."""

        x: int
        y: int = 2
        more: list[int] = field(default_factory=list)

    class Named:
        a: str
        b: str = "b"

    class Mixed:
        a: int
        b: int = 1
        _: kw_only
        c: int = 2

    Mixed.__annotations__ = {"a": "int", "b": "int", "_": "KW_ONLY", "c": "int"}
    for kind in (Point, Named):  # as under `from __future__ import annotations`
        kind.__annotations__ = {name: str(value) for name, value in kind.__annotations__.items()}
    return record(frozen=True)(Point), record(frozen=True, kw_only=True)(Named), record(Mixed)


KW_ONLY = dataclasses.KW_ONLY
THEIRS = _made(dataclasses.dataclass, dataclasses.field, KW_ONLY)
OURS = _made(records.record, records.field, KW_ONLY)


@pytest.mark.parametrize(
    ("which", "values", "named"),
    [
        (0, (1,), {}),
        (0, (1, 3), {"more": [4]}),
        (0, (), {"y": 1, "x": 2}),
        (0, (), {}),
        (0, (1, 2, [], 4), {}),
        (0, (1,), {"x": 1}),
        (0, (1,), {"z": 1}),
        (1, (), {"a": "1"}),
        (1, ("1",), {}),
        (2, (1, 2), {"c": 3}),
        (2, (1, 2, 3), {}),
    ],
)
def test_records_are_made_as_dataclasses_are(which: int, values: Any, named: Any) -> None:
    shown = []
    for kinds in (THEIRS, OURS):
        try:
            made = kinds[which](*values, **named)
            assert made == kinds[which](*values, **named)
            shown.append(repr(made))
        except TypeError:
            shown.append("refused")
    assert shown[0] == shown[1]


def test_frozen_records_do_not_change_and_have_hashes() -> None:
    named = OURS[1](a="x")
    assert hash(named) == hash(OURS[1](a="x"))
    with pytest.raises(AttributeError, match="a Named is not changed: a"):
        named.a = "y"
    with pytest.raises(AttributeError):
        del named.a
    mixed = OURS[2](1)
    mixed.c = 5
    assert mixed != OURS[2](1)
    assert mixed == OURS[2](1, c=5)
    with pytest.raises(TypeError, match="unhashable"):
        hash(mixed)


def test_replaced_and_copied_records() -> None:
    point = OURS[0](1)
    other = records.replace(point, y=7)
    assert (other.x, other.y, other.more) == (1, 7, [])
    assert other.more is point.more
    assert OURS[0](1).more is not point.more, "each its own"
    with pytest.raises(TypeError, match="no such field, or no value for it: z"):
        records.replace(point, z=1)
    assert copy.copy(point) == point
    from npuninja.plan.layout import Layout, layout_of

    layout = layout_of("/a", "/a/build")
    assert pickle.loads(pickle.dumps(layout)) == layout
    assert isinstance(layout, Layout)


def _tuples(base: Any) -> tuple[Any, Any]:
    class Place(base):  # type: ignore[misc]
        """A place."""

        file: str
        line: int = 0
        column: int = 0

        def __str__(self) -> str:
            return f"{self.file}:{self.line}"

        @property
        def next(self) -> Any:
            return self._replace(line=self.line + 1)

    class Empty(base):  # type: ignore[misc]
        pass

    return Place, Empty


@pytest.mark.parametrize(
    "of",
    [
        lambda place, empty: [place("f"), place("f", 2), place(file="g", column=3), place("f").next, empty()],
        lambda place, empty: [str(place("f", 1)), place("a") < place("b"), {place("a"): 1}[("a", 0, 0)]],
        lambda place, empty: [place._fields, place._field_defaults, place.__match_args__, place.__doc__, empty._fields],
        lambda place, empty: [place("f")._asdict(), place._make(("a", 1, 2)), [*place("f")], copy.copy(place("f", 4))],
        lambda place, empty: place(),
        lambda place, empty: place("f", 1, 2, 3),
        lambda place, empty: place("f", wrong=1),
        lambda place, empty: place("f", file="g"),
        lambda place, empty: setattr(place("f"), "line", 1),
        lambda place, empty: setattr(place("f"), "other", 1),
    ],
)  # fmt: skip
def test_named_tuples_are_those_of_typing(of: Callable[[Any, Any], Any]) -> None:
    shown = []
    for base in (typing.NamedTuple, records.NamedTuple):
        try:
            shown.append(repr(of(*_tuples(base))))
        except Exception as error:
            shown.append(type(error).__name__)
    assert shown[0] == shown[1]


@pytest.mark.parametrize("base", [typing.NamedTuple, records.NamedTuple])
def test_a_field_that_is_not_there_is_not_replaced(base: Any) -> None:
    place, _ = _tuples(base)
    with pytest.raises((TypeError, ValueError), match="wrong"):  # a TypeError from Python 3.13 on
        place("f")._replace(wrong=1)


def test_pickled_named_tuples() -> None:
    from npuninja.errors import Location

    assert pickle.loads(pickle.dumps(Location("f", 1))) == Location("f", 1)


#: Programs that use a dataclass's own interface (`asdict`), or that no configure and no stage loads.
_MAY_BE_DATACLASSES = ("commands", "diag", "install", "porting", "xrt_emulation")


def test_what_every_process_loads_is_made_of_records() -> None:
    """A `typing.NamedTuple` takes a millisecond, a dataclass two, in each of the processes of a build."""
    package = Path(records.__file__).parent
    slow = re.compile(r"^from (typing import .*\bNamedTuple|dataclasses import)", re.MULTILINE)
    found = [
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if path.name != "records.py"
        and (match := slow.search(path.read_text(encoding="utf-8")))
        and not (match[1].startswith("data") and path.relative_to(package).parts[0] in _MAY_BE_DATACLASSES)
    ]
    assert not found


def test_annotations_of_records_are_text() -> None:
    """From Python 3.14 on others are made when somebody asks, and are not in a class while it is made."""
    package = Path(records.__file__).parent
    texts = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    users = [path for path, text in texts.items() if "from npuninja.records import" in text]
    assert len(users) > 100
    assert not [path for path in users if "from __future__ import annotations" not in texts[path]]
