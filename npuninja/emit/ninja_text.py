"""Reading Ninja's language, as far as build.ninja.in uses it: statements as data, each with its line.

The grammar is that of Ninja's manual, "Ninja file reference": `rule`, `pool`, `build`, `default`, `include`,
`subninja` and variables, in any order; what belongs to a statement is indented and ends at an empty line.
Values stay as they are written, because those of a rule are filled in for every edge: `expand` does so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from npuninja.emit.escape import escape_value
from npuninja.errors import Location, UserError
from npuninja.records import NamedTuple, field, record

_NAME = r"[A-Za-z0-9_.-]+"
_ASSIGNMENT = re.compile(rf"({_NAME}) *= *(.*)")
_BLOCK = re.compile(rf"(rule|pool) +({_NAME}) *")
_OTHER = re.compile(r"(build|default|include|subninja) +(.*)")
_DOLLAR = re.compile(r"\$(?:\{([A-Za-z0-9_.-]+)\}|([A-Za-z0-9_-]+)|([$ :|^]))")
# A path up to a blank, a colon or a bar; a dollar takes the next sign with it.
_PATH = re.compile(r"(?:\$.|[^$ :|])+")
_SIGN = re.compile(r"\|\||\|@|\||:")
# The groups of a build statement's paths, by the sign in front of them.
_BEFORE_COLON = {"": "outputs", "|": "implicit_outputs"}
_BEHIND_COLON = {"": "inputs", "|": "implicit", "||": "order_only", "|@": "validations"}


# Reads the file of a path that `include` names: what messages call it, and its text; None when it cannot be.
Load = Callable[[str], "tuple[str, str] | None"]


class BuildStatement(NamedTuple):
    """A `build` statement: paths with their variables filled in, and its own variables."""

    line: int
    rule: str
    outputs: tuple[str, ...]
    implicit_outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    implicit: tuple[str, ...]
    order_only: tuple[str, ...]
    validations: tuple[str, ...]
    variables: Mapping[str, str]


@record
class NinjaText:
    """What a file says.

    Attributes:
        file: its name, for messages.
        variables: those at the top level, expanded.
        rules: rule -> its variables, not expanded.
        builds: the `build` statements.
        defaults: the paths of `default` statements.
        included: what is included, and the line.
        starts: the lines on which statements begin.
        locations: ("rule", "pool" or "variable", name) -> where it is.
        files: what is included, read, as far as there is a way to read it.
    """

    file: str
    variables: dict[str, str] = field(default_factory=dict)
    rules: dict[str, dict[str, str]] = field(default_factory=dict)
    builds: list[BuildStatement] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)
    included: list[tuple[str, int]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    locations: dict[tuple[str, str], Location] = field(default_factory=dict)
    files: list[NinjaText] = field(default_factory=list)

    def all_files(self) -> Iterator[NinjaText]:
        """This file, and all that are included in it."""
        yield self
        for file in self.files:
            yield from file.all_files()

    def start_of(self, line: int) -> int:
        """The line on which the statement begins that a line belongs to; 0 above the first."""
        return max((start for start in self.starts if start <= line), default=0)

    def value(self, rule: str, name: str, scope: Mapping[str, str]) -> str:
        """A variable of a rule for an edge with the variables `scope`; "" when the rule does not have it."""
        return expand(self.rules[rule].get(name, ""), {**self.variables, **scope})

    def command(self, rule: str, scope: Mapping[str, str]) -> str:
        """The command line of a rule, with the words of its response file in place of that file's name."""
        command, file = self.value(rule, "command", scope), self.value(rule, "rspfile", scope)
        return command.replace(f"@{file}", self.value(rule, "rspfile_content", scope)) if file else command


def read_ninja(
    text: str,
    file: str,
    *,
    load: Load | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
    lines: Sequence[int] = (),
) -> NinjaText:
    """Reads a file of Ninja's language; placeholders `@NAME@` may be wherever text may.

    Args:
        text: its content.
        file: its name, for messages.
        load: gives the files that it includes; without it they are not read.
        variables: what is known above it.
        lines: the numbers of its lines, where they are not 1, 2, 3….

    Raises:
        UserError: a line is not Ninja, or there are two rules or pools of one name; located.
    """
    read = NinjaText(file, dict(variables))
    _read(text, read, load, lines, (file,))
    return read


def _read(
    text: str, read: NinjaText, load: Load | None, numbers: Sequence[int], way: tuple[str, ...]
) -> None:
    file = read.file
    block: dict[str, str] | None = None
    waiting: tuple[int, str] | None = None  # a build statement whose variables are not complete yet
    own: dict[str, str] = {}
    for number, line in _lines(text):
        number = numbers[number - 1] if numbers else number
        indented, line = line.startswith(" "), line.lstrip(" ")
        if indented and line:
            assignment = _ASSIGNMENT.fullmatch(line)
            if block is None or not assignment:
                raise _wrong(file, number, line, "nothing above it takes variables" if assignment else "")
            block[assignment[1]] = expand(assignment[2], read.variables) if block is own else assignment[2]
            continue
        if waiting:
            read.builds.append(_build(*waiting, own, read))
        block, waiting = None, None
        if not line:
            continue
        read.starts.append(number)
        start, other, assignment = _BLOCK.fullmatch(line), _OTHER.fullmatch(line), _ASSIGNMENT.fullmatch(line)
        if start:
            block = {}
            _once(read, start[1], start[2], number)
            if start[1] == "rule":
                read.rules[start[2]] = block
        elif other and other[1] == "build":
            block = own = {}
            waiting = (number, other[2])
        elif other and other[1] == "default":
            read.defaults += [expand(word, read.variables) for word in _PATH.findall(other[2])]
        elif other:
            read.included.append((other[2], number))
            if load:
                _include(other[1], other[2], read, load, number, way)
        elif assignment:
            read.variables[assignment[1]] = expand(assignment[2], read.variables)
            read.locations["variable", assignment[1]] = Location(file, number)
        else:
            raise _wrong(file, number, line)
    if waiting:
        read.builds.append(_build(*waiting, own, read))


def _once(read: NinjaText, kind: str, name: str, number: int) -> None:
    """Keeps where a rule or a pool is. UserError when there is one of that name."""
    other = read.locations.setdefault((kind, name), Location(read.file, number))
    if other != (read.file, number, 0):
        raise UserError(
            f"there is a {kind} {name!r} already, in {other}",
            Location(read.file, number),
            hint="give one of them another name",
        )


def _include(word: str, text: str, read: NinjaText, load: Load, number: int, way: tuple[str, ...]) -> None:
    """Reads what is included; what cannot be read is left to Ninja."""
    match = _PATH.match(text)
    loaded = load(expand(match[0], read.variables)) if match else None
    if loaded is None:
        return
    file, content = loaded
    if file in way:
        raise UserError(
            f"{file!r} includes itself", Location(read.file, number), hint="take one of them away"
        )
    # What `include` reads goes on in the same scope; `subninja` opens one below it.
    below = NinjaText(file, read.variables, read.rules, locations=read.locations)
    if word == "subninja":
        below = NinjaText(file, dict(read.variables), dict(read.rules))
    read.files.append(below)
    _read(content, below, load, (), (*way, file))


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Text with `$name`, `${name}` and escapes replaced, as Ninja does; what is not known is empty."""
    return _DOLLAR.sub(lambda m: m[3] if m[3] else variables.get(m[1] or m[2], ""), text)


def rule_block(name: str, variables: Mapping[str, str]) -> str:
    """A rule as Ninja reads it; the values are escaped already."""
    return "\n".join([f"rule {name}", *(f"  {key} = {value}" for key, value in variables.items())])


def settled(text: str, read: NinjaText) -> str:
    """Text with values in place of the file's variables, in Ninja's language again; other names stay.

    At each start Ninja makes the text of every command, to see whether it is another than last time. Names
    behind names are most of that work, so a rule of many edges has the values themselves.
    """
    if read.included:  # what is said there may be another value
        return text

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return match[0] if match[3] or name not in read.variables else escape_value(read.variables[name])

    return _DOLLAR.sub(value, text)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines with what is continued after `$` on them, each with its number; comments left out."""
    whole, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if not whole and line.lstrip(" ").startswith("#"):
            continue
        first = first if whole else number
        whole += line.lstrip(" ") if whole else line
        if (len(line) - len(line.rstrip("$"))) % 2:
            whole = whole[:-1]
            # An empty first part must not look like the start of a line.
            whole = whole or " "
            continue
        yield first, whole
        whole = ""
    if whole.strip(" "):
        yield first, whole


def _build(number: int, text: str, own: Mapping[str, str], read: NinjaText) -> BuildStatement:
    """The statement after `build`. UserError when it has no outputs, or no rule."""
    groups: dict[str, list[str]] = {
        name: [] for name in (*_BEFORE_COLON.values(), *_BEHIND_COLON.values(), "rule")
    }
    names, sign, place = _BEFORE_COLON, "", 0
    scope = {**read.variables, **own}
    while place < len(text):
        path, mark = _PATH.match(text, place), _SIGN.match(text, place)
        if mark and mark[0] == ":" and names is _BEFORE_COLON:
            names, sign = _BEHIND_COLON, "rule"
        elif mark and mark[0] in names:
            sign = mark[0]
        elif path and sign == "rule":
            groups["rule"].append(path[0])
            sign = ""
        elif path:
            groups[names[sign]].append(expand(path[0], scope))
        elif text[place] != " ":
            raise _wrong(read.file, number, f"build {text}")
        match = path or mark
        place = match.end() if match else place + 1
    if not groups["rule"] or not (groups["outputs"] or groups["implicit_outputs"]):
        raise _wrong(read.file, number, f"build {text}", "expected `build OUTPUT: RULE INPUT`")
    rule = groups.pop("rule")[0]
    return BuildStatement(
        line=number, rule=rule, variables=dict(own), **{name: tuple(p) for name, p in groups.items()}
    )


def _wrong(file: str, number: int, line: str, reason: str = "") -> UserError:
    return UserError(
        f"this is not Ninja's language: {line!r}" + (f" ({reason})" if reason else ""),
        Location(file, number),
        hint="a file of Ninja's has rules, pools, build statements, defaults and variables; "
        "what belongs to one is indented",
    )
