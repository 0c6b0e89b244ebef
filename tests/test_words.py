"""The English of code, messages and docs: phrases that stop a reader, and what to write in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

# What is not to be written -> what to write. Matched across line breaks, comment signs left out.
PHRASES = {
    r"(?<!there )\b(?:is|are) none\b(?! of (?:these|those|them)\b)": "is not one; is no X; there is none",
    r"\banew\b": "again",
    r"\bhardly\b": "barely, probably not",
    r"\babroad\b": "in another tile, elsewhere",
    r"\bfor once\b": "for one time only",
    r"\b(?:is|are|was|were|be) told\b(?! apart\b)": "is reported, is said, is given",
    r"\bas of\b": "as in, those of, since",
    r"\bwho does (?:a|each|it|what)\b": "the provider of",
    r"\bwho waits for what\b": "what waits for what",
    r"\b(?:by|for|of|with) who\b": "the name of the thing that does it",
    r"\bbeside (?:its|their) inputs\b|\bbeside the (?:rest|build|stages)\b": "in addition to, while",
}
SUFFIXES = {".py", ".md", ".in", ".json", ".c", ".h", ".cpp"}
PLACES = (
    *("npuninja", "tools", "examples", "host", "kernels", "docs"),
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "build.ninja.in", "configure.py"),
)
# Names of MLIR-AIE's own and error texts that are to be as those of its Python layer.
LEFT_OUT = ("npuninja/python_designs/", "npuninja/machine_code/tables/", "docs/api/")


def texts() -> Iterator[tuple[str, str]]:
    """Every text file that people read, by its name in the project."""
    for place in PLACES:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            name = file.relative_to(ROOT).as_posix()
            if file.suffix in SUFFIXES and not name.startswith(LEFT_OUT) and not file.is_symlink():
                yield name, file.read_text(encoding="utf-8")


def found_in(text: str) -> list[tuple[int, str]]:
    """Line and phrase of each turn of phrase that is listed."""
    plain = re.sub(r"[ \t]*\n[ \t]*(?:#:?|\*|//)?[ \t]*", "\n", text)
    joined = plain.replace("\n", " ")
    return [
        (plain.count("\n", 0, hit.start()) + 1, hit[0])
        for phrase in PHRASES
        for hit in re.finditer(phrase, joined)
    ]


def test_no_listed_phrase_is_written():
    hits = [f"{name}:{line}: {phrase!r}" for name, text in texts() for line, phrase in found_in(text)]
    assert not hits, "\n".join(hits)


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("the address is none", [(1, "is none")]),
        ("None when there is none", []),
        ("one\n    # two is\n    # told here", [(2, "is told")]),
        ("two that are told apart", []),
        ("it is made anew\nand as of now", [(1, "anew"), (2, "as of")]),
    ],
)
def test_phrases_are_found_across_lines(text, hits):
    assert found_in(text) == hits


def test_places_exist():
    assert all(Path(ROOT, place).exists() for place in PLACES)
