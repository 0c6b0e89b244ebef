"""The English of code, messages and docs: phrases that stop a reader, and what to write in their place."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT

# What is not to be written -> what to write. Whole words, matched across line breaks, comment signs left out.
PHRASES = {
    r"(?<!there )(?:is|are) (?-i:none)(?! of (?:these|those|them)\b)": "is not one; is no X; there is none",
    r"anew": "again",
    r"hardly": "barely, probably not",
    r"abroad": "in another tile, elsewhere",
    r"for once": "for one time only",
    r"(?:is|are|was|were|be) told(?! apart\b)": "is reported, is said, is given",
    r"as of": "as in, those of, since",
    r"who(?:m|ever|mever)?": "what, which; for people see PEOPLE",
    r"nobody (?:acquires|calls|defines|fills|gives|has done|takes|waits|waited)|by nobody": "nothing",
    r"beside (?:each other|others?|that|these|those)(?! (?:is|are|lies?)\b)": "in addition; at the same time",
    r"beside (?:an?|its|the|their) (?:api|dialect|exit code|inputs|load|record|rest|build|stages)": (
        "in addition to, while"
    ),
    r"(?:what|which|that) (?:comes|came) of|(?:files|names) come of|comes? about": "the result, follows from",
    r"speaks? of": "names",
    r"stands? (?:at|before|behind|here|in front|in (?:an?|its|the|their)|on|there|under)": "is, comes",
}
# Where "who" means people, who alone may be called so; each is written somewhere.
PEOPLE = (
    *("those who want to change", "not who made it", "the people who wrote", "which knows who they are"),
    *("as a user who may", "as another user, who may not", "the person who runs", "somebody who changes"),
    *("people need who work", "people have them who build"),
)
# Other texts that are right as they are: a notebook's command, a name in a program.
ALLOWED = ("%who", "shape as of")
SUFFIXES = {
    *(".py", ".md", ".mlir", ".jinja", ".in", ".json", ".toml", ".yml"),
    *(".c", ".h", ".cc", ".cpp", ".hpp", ".inc"),
}
PLACES = (
    *("npuninja", "tools", "examples", "host", "kernels", "docs", "mlir", "tests", "bench", ".github"),
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "build.ninja.in", "configure.py"),
    *("Makefile", "toolchain.toml", "pyproject.toml", "mkdocs.yml"),
)
# What programs wrote: MLIR-AIE's tools, the fuzzer. And this list itself.
LEFT_OUT = re.compile(r"tests/(?:conformance/.*\.mlir|fuzz/corpus/.*|test_(?:words|variable_names)\.py)")
_LISTED = re.compile(f"(?<![a-z])(?:{'|'.join(PHRASES)})(?![a-z])", re.IGNORECASE)


@cache
def texts() -> dict[str, str]:
    """Every text file that people read, by its name in the project."""
    found = {}
    for place in PLACES:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            name = file.relative_to(ROOT).as_posix()
            written = file == path or file.suffix in SUFFIXES
            if written and not LEFT_OUT.fullmatch(name) and file.is_file() and not file.is_symlink():
                found[name] = file.read_text(encoding="utf-8")
    return found


def found_in(text: str) -> list[tuple[int, str]]:
    """Line and phrase of each turn of phrase that is listed."""
    plain = re.sub(r"\n[ \t]*(?:#:?|\*|//)?[ \t]*", "\n", text)
    joined = plain.replace("\n", " ").replace("_", " ")
    for allowed in (*PEOPLE, *ALLOWED):
        joined = joined.replace(allowed, " " * len(allowed))
    return [(plain.count("\n", 0, hit.start()) + 1, hit[0]) for hit in _LISTED.finditer(joined)]


def test_no_listed_phrase_is_written():
    hits = [f"{name}:{line}: {phrase!r}" for name, text in texts().items() for line, phrase in found_in(text)]
    assert not hits, "\n".join(hits)


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("the address is none", [(1, "is none")]),
        ("None when there is none", []),
        ("one\n    # two is\n    # told here", [(2, "is told")]),
        ("two that are told apart", []),
        ("it is made anew\nand as of now", [(1, "anew"), (2, "as of")]),
        ("Who waits for\nwhom_it_may", [(1, "Who"), (2, "whom")]),
        ("the whole, whose users are the people who wrote it", []),
        ("the lock; nobody\n// takes it", [(1, "nobody takes")]),
        ("a file beside the manifest, beside those that lie there", [(1, "beside those")]),
    ],
)
def test_phrases_are_found_across_lines(text, hits):
    assert found_in(text) == hits


def test_places_exist():
    assert all(Path(ROOT, place).exists() for place in PLACES)


def test_what_is_allowed_is_written_somewhere():
    written = [re.sub(r"\s+", " ", text) for text in texts().values()]
    assert [text for text in (*PEOPLE, *ALLOWED) if not any(text in one for one in written)] == []
