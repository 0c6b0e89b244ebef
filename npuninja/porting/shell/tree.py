"""The parts of a shell script. Words are kept as written, and expanded when they are reached."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Redirect:
    """`2> FILE`: the descriptor ("" for the operator's own), the operator, the word after it; the text of a
    here-document, which is read at the end of the line.
    """

    descriptor: str
    operator: str
    target: str
    text: str = ""


@dataclass(frozen=True)
class Simple:
    """A command of words: `A=B program word > file`."""

    assignments: tuple[str, ...]
    words: tuple[str, ...]
    redirects: tuple[Redirect, ...]
    line: int


@dataclass(frozen=True)
class Pipeline:
    """Commands with `|` between them, and whether a `!` comes in front."""

    commands: tuple[Node, ...]
    negated: bool


@dataclass(frozen=True)
class AndOr:
    """Pipelines, each with the operator before it: "", `&&` or `||`."""

    pipelines: tuple[tuple[str, Pipeline], ...]


@dataclass(frozen=True)
class CommandList:
    """Commands one after the other; `subshell` for those in parentheses."""

    commands: tuple[Node, ...]
    subshell: bool = False
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True)
class If:
    """Conditions with what is done under each; what is done under none of them."""

    branches: tuple[tuple[CommandList, CommandList], ...]
    otherwise: CommandList


@dataclass(frozen=True)
class For:
    """`for NAME in WORDS`; None for the script's own arguments."""

    name: str
    words: tuple[str, ...] | None
    body: CommandList


@dataclass(frozen=True)
class CountingFor:
    """`for ((BEGIN; WHILE; STEP))`."""

    begin: str
    condition: str
    step: str
    body: CommandList


@dataclass(frozen=True)
class While:
    """`while` and `until`."""

    condition: CommandList
    body: CommandList
    until: bool


@dataclass(frozen=True)
class Case:
    """`case WORD in`: patterns with what is done."""

    word: str
    arms: tuple[tuple[tuple[str, ...], CommandList], ...]


@dataclass(frozen=True)
class FunctionDefinition:
    """`NAME() { … }`."""

    name: str
    body: Node


@dataclass(frozen=True)
class Condition:
    """`[[ … ]]`, as words."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class ArithmeticCommand:
    """`(( … ))`."""

    text: str


Node = (
    Simple
    | Pipeline
    | AndOr
    | CommandList
    | If
    | For
    | CountingFor
    | While
    | Case
    | FunctionDefinition
    | Condition
    | ArithmeticCommand
)
