"""Two programs side by side: functions (or cores) by name, bundles aligned, targets by name where known."""

from __future__ import annotations

import difflib

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError
from npuninja.machine_code.decode import Bundle
from npuninja.machine_code.listing import Names, SectionListing, list_section
from npuninja.machine_code.program import MachineProgram
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any, Sequence

#: Width of the left column.
_COLUMN = 72


class Pair(NamedTuple):
    """One part of both programs: its name, rows of (left, mark, right), and how many bundles are alike."""

    name: str
    rows: tuple[tuple[str, str, str], ...]
    equal: int
    left: int
    right: int


class ComparedPrograms(NamedTuple):
    """All parts, and what only one side has."""

    left: str
    right: str
    pairs: tuple[Pair, ...]
    only_left: tuple[str, ...]
    only_right: tuple[str, ...]

    def text(self) -> str:
        """Rows side by side: `|` differs, `<` only left, `>` only right; parts that are equal in one line."""
        out = [f"{self.left:{_COLUMN}}   {self.right}"]
        for pair in self.pairs:
            if pair.equal == pair.left == pair.right:
                out.append(f"<{pair.name}>: equal, {pair.left} bundles")
                continue
            out += ["", f"<{pair.name}>: {pair.left} and {pair.right} bundles, {pair.equal} equal"]
            out += [f"{left[:_COLUMN]:{_COLUMN}} {mark} {right}" for left, mark, right in pair.rows]
        out += [f"only in {self.left}: <{name}>" for name in self.only_left]
        out += [f"only in {self.right}: <{name}>" for name in self.only_right]
        return "\n".join(out)

    def to_json(self) -> dict[str, Any]:
        """The comparison as data for JSON; of each pair only the rows that differ."""
        return {
            "left": self.left,
            "right": self.right,
            "functions": [
                {"name": p.name, "left_bundles": p.left, "right_bundles": p.right, "equal": p.equal,
                 "rows": [list(r) for r in p.rows if r[1] != " "]}
                for p in self.pairs
            ],
            "only_left": list(self.only_left),
            "only_right": list(self.only_right),
        }  # fmt: skip


class _ProgramPart(NamedTuple):
    bundles: tuple[Bundle, ...]
    texts: tuple[str, ...]


def compare_programs(
    left: Sequence[MachineProgram], right: Sequence[MachineProgram], left_path: str, right_path: str
) -> ComparedPrograms:
    """Compares the machine code of two files. Raises UserError when one holds none or does not decode."""
    a, b = _program_parts(left, left_path), _program_parts(right, right_path)
    if len(a) == len(b) == 1:  # whatever they are called
        b = dict(zip(a, b.values()))
    pairs = tuple(_pair(name, a[name], b[name]) for name in a if name in b)
    only_left, only_right = tuple(n for n in a if n not in b), tuple(n for n in b if n not in a)
    return ComparedPrograms(left_path, right_path, pairs, only_left, only_right)


def _program_parts(programs: Sequence[MachineProgram], path: str) -> dict[str, _ProgramPart]:
    parts: dict[str, _ProgramPart] = {}
    for program in programs:
        if program.isa == "wasm":
            raise UserError(
                f"{path}: {program.title or 'the program'} is wasm, and --diff compares machine code"
            )
        names = Names(program.symbols)
        for section in program.sections:
            listing = list_section(program, section, path)
            parts.update(_of_section(program, listing, names))
    return parts


def _of_section(program: MachineProgram, listing: SectionListing, names: Names) -> dict[str, _ProgramPart]:
    found: dict[str, list[Bundle]] = {}
    prefix = f"{program.title} " if program.title else ""
    for bundle in listing.bundles:
        name = names.function_of(bundle.address) or listing.section.name
        found.setdefault(prefix + name, []).append(bundle)
    return {
        name: _ProgramPart(tuple(bundles), tuple(_anonymous(b, listing, names) for b in bundles))
        for name, bundles in found.items()
    }


def _anonymous(bundle: Bundle, listing: SectionListing, names: Names) -> str:
    """The text with a branch's target as a name, so that code that moved is alike."""
    branch = listing.flow.branches.get(bundle.address)
    if branch is None or branch.target is None:
        return bundle.text
    phrase = names.phrase(branch.target).strip()
    return bundle.text.replace(f"#{branch.target}", phrase or f"#{branch.target - bundle.address:+d}")


def _pair(name: str, a: _ProgramPart, b: _ProgramPart) -> Pair:
    matcher = difflib.SequenceMatcher(None, a.texts, b.texts, autojunk=False)
    rows: list[tuple[str, str, str]] = []
    equal = 0
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        if kind == "equal":
            equal += a1 - a0
            rows += [(_row(a, a0 + i), " ", _row(b, b0 + i)) for i in range(a1 - a0)]
            continue
        for i in range(max(a1 - a0, b1 - b0)):
            left = _row(a, a0 + i) if a0 + i < a1 else ""
            right = _row(b, b0 + i) if b0 + i < b1 else ""
            rows.append((left, "|" if left and right else "<" if left else ">", right))
    return Pair(name, tuple(rows), equal, len(a.bundles), len(b.bundles))


def _row(part: _ProgramPart, index: int) -> str:
    return f"{part.bundles[index].address:5x}: {part.texts[index]}"
