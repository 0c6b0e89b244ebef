"""The frame of every stage: reading arguments and inputs, putting outputs in place. `_tool` runs programs.

Outputs are collected in an `Outputs` and appear together, at the end: each is written under a temporary name
in its own folder, checked, and renamed. An output whose bytes did not change is left alone and keeps its
time, so that Ninja's `restat` stops the rebuild there. When a stage fails, none of its outputs exists,
neither a new one nor the one of an earlier build: nobody must take an old file for the result of a failed
build.
"""

from __future__ import annotations

import os
from types import TracebackType

from npuninja import TYPE_CHECKING
from npuninja.errors import InternalError, Location, ToolError, UserError, Warnings, in_words
from npuninja.files import MAX_XCLBIN_BYTES, is_lfs_pointer, is_special, read_file, write_file
from npuninja.records import NamedTuple
from npuninja.terminal import tell

if TYPE_CHECKING:
    from typing import Callable, Iterable, Union

    Check = Callable[[bytes], None]
else:
    Check = object
"""Looks at the bytes of an output and raises an `Error` when their structure is wrong."""


_PARENT = os.getppid()

placed_outputs: set[str] = set()
"""The outputs that stages of this process have put in place, or found there with the same bytes."""


#: Of one input of a stage. Objects, images and designs are some megabytes.
MAX_INPUT_BYTES = MAX_XCLBIN_BYTES


class Arguments(NamedTuple):
    """The command line of a stage, taken apart by `read_arguments`."""

    stage: str
    positional: tuple[str, ...]
    options: dict[str, list[str]]
    flags: frozenset[str]

    def one(self, name: str) -> str:
        """The value of an option that must be given."""
        values = self.options.get(name)
        if not values:
            raise UserError(f"{self.stage}: option {name} is missing")
        return values[-1]

    def optional(self, name: str) -> str | None:
        """The value of an option, or None."""
        values = self.options.get(name)
        return values[-1] if values else None

    def all(self, name: str) -> list[str]:
        """All values of an option that may be given several times, in order."""
        return self.options.get(name, [])

    def input(self) -> str:
        """The only positional argument."""
        if len(self.positional) != 1:
            raise UserError(f"{self.stage}: expected one input file, got {len(self.positional)}")
        return self.positional[0]


def stage_arguments(stage: str, arguments: list[str]) -> Arguments:
    """The command line of a stage, taken apart by what its row in `npuninja.stages.table` says."""
    from npuninja.stages.table import stage as row_of  # 3 ms, which verbs that write outputs do without

    known = row_of(stage).options
    options = tuple(option.word for option in known if option.value)
    return read_arguments(
        stage, arguments, options=options, flags=tuple(option.word for option in known if not option.value)
    )


#: Comes before each stage's command in that of a batch.
SEPARATOR = "--then"


def read_arguments(
    stage: str, arguments: list[str], *, options: tuple[str, ...] = (), flags: tuple[str, ...] = ()
) -> Arguments:
    """Takes a command line apart: `--name VALUE` for each of `options`, `--name` for each of `flags`, files.

    Every stage takes `-o`, `--depfile`, `--identity` and `--modules`. It ignores the last two: they put the
    tool's version, and what of npuninja the stage consists of, into the command line, so that the edge is run
    again when these change. What follows `--` is positional. Done by hand: argparse costs more than most
    stages.

    Raises:
        UserError: an unknown option or a missing value.
    """
    known = {"-o", "--depfile", "--depfile-target", "--identity", "--modules", *options}
    positional: list[str] = []
    values: dict[str, list[str]] = {}
    seen: set[str] = set()
    rest = iter(arguments)
    for word in rest:
        if word in known:
            value = next(rest, None)
            if value is None:
                raise UserError(f"{stage}: option {word} needs a value")
            values.setdefault(word, []).append(value)
        elif word in flags:
            seen.add(word)
        elif word == "--":
            positional += rest
        elif word.startswith("-") and word != "-":
            raise UserError(
                f"{stage}: unknown option {word!r}", hint="known: " + " ".join(sorted({*known, *flags}))
            )
        else:
            positional.append(word)
    return Arguments(stage, tuple(positional), values, frozenset(seen))


def read_bytes(path: str) -> bytes:
    """The content of an input file.

    Raises:
        UserError: the file is missing, unreadable or empty, or it is a Git LFS pointer instead of the file.
    """
    data = read_file(path, MAX_INPUT_BYTES)
    if not data:
        raise UserError("the file is empty", Location(path), hint="delete it and build again")
    if is_lfs_pointer(data):
        raise UserError(
            "the file is a Git LFS pointer, not the content", Location(path), hint="run `git lfs pull`"
        )
    return data


def read_text(path: str) -> str:
    """The content of a text file.

    Raises:
        UserError: as `read_bytes`, or the bytes are not UTF-8.
    """
    data = read_bytes(path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"byte {data[error.start]:#04x} is not UTF-8 text", Location(path, line)) from error


def with_words(arguments: list[str]) -> list[str]:
    """The arguments of a batch, with the words of a file for `@FILE [OUTPUT]`.

    In them `${folder}` is the folder of that output, `${design}` the folder's name.
    """
    place = next((i for i, word in enumerate(arguments) if word.startswith("@")), 0)
    if not place or arguments[0] != "batch":
        return arguments
    before, output = arguments[:place], "".join(arguments[place + 1 : place + 2])
    text = read_text(arguments[place][1:])
    if output:
        folder = os.path.dirname(output)
        text = text.replace("${folder}", folder).replace("${design}", os.path.basename(folder))
    if not any(mark in text for mark in "'\"\\"):  # a thirtieth of such a batch's time is saved
        return [*before, *text.split()]
    import shlex

    return [*before, *shlex.split(text)]


class Outputs:
    """The outputs of a stage, as a context: put in place on a clean exit, taken away on an error.

        with Outputs("a.bin", "b.bin") as outputs:
            outputs.write("a.bin", data)
            run_tool([..., "-o", outputs.temporary("b.bin")])

    Args:
        paths: every file the stage makes. One that is missing or empty at the end is an error, unless it
            `may_be_empty`.
    """

    def __init__(self, *paths: str) -> None:
        self.paths = paths
        self._checks: dict[str, Check] = {}
        self._may_be_empty: set[str] = set()
        for path in paths:
            folder = os.path.dirname(path) or "."
            try:
                os.makedirs(folder, exist_ok=True)
            except OSError as error:
                raise _cannot_write(folder, error) from error

    def temporary(self, path: str, check: Check | None = None) -> str:
        """The name under which `path` is to be written: hidden, in the same folder, with the same suffix."""
        if path not in self.paths:
            raise InternalError(f"{path} was not announced as an output")
        if check:
            self._checks[path] = check
        folder, name = os.path.split(path)
        if is_special(path):  # `-o /dev/null`, a FIFO, a link: written to when all is there
            folder = os.environ.get("TMPDIR") or "/tmp"
            name = f"npuninja{abs(hash(path))}.{name}"
        return os.path.join(folder, f".new{os.getpid()}.{name}")

    def may_be_empty(self, *paths: str) -> None:
        """Says that these hold what there may be nothing of."""
        self._may_be_empty.update(paths)

    def write(self, path: str, data: Union[bytes, str], check: Check | None = None) -> None:
        """Writes the whole content of one output."""
        try:
            with open(self.temporary(path, check), "wb") as stream:
                stream.write(data.encode("utf-8") if isinstance(data, str) else data)
        except OSError as error:
            raise _cannot_write(path, error) from error

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                if _orphaned():
                    raise ToolError(
                        "the build that started this stage has ended; what it made is thrown away"
                    )
                contents = [self._checked(path) for path in self.paths]
                for path, data in zip(self.paths, contents):
                    _put_in_place(self.temporary(path), path, data)
                    placed_outputs.add(path)
        except BaseException:
            self._remove()
            raise
        if error is not None:
            self._remove()

    def _checked(self, path: str) -> bytes:
        try:
            with open(self.temporary(path), "rb") as stream:
                data = stream.read()
        except OSError as error:
            raise ToolError(f"no file {path} was made, although the command succeeded") from error
        if not data and path not in self._may_be_empty:
            raise ToolError(f"{path} was made empty, although the command succeeded")
        check = self._checks.get(path)
        if check:
            check(data)
        return data

    def _remove(self) -> None:
        for path in self.paths:
            temporary = self.temporary(path)
            if os.path.lexists(temporary) and not os.path.isdir(temporary):
                os.unlink(temporary)
        remove_outputs(self.paths)


def remove_outputs(paths: Iterable[str]) -> None:
    """Takes outputs away after a failure, unless they may be those of another build by now."""
    for path in paths:
        if not _orphaned() and os.path.lexists(path) and not os.path.isdir(path) and not is_special(path):
            os.unlink(path)


def _orphaned() -> bool:
    """Whether the build that started this process was killed.

    Another build may have been started since: its outputs are newer than those of this process.
    """
    return os.getppid() != _PARENT


def _put_in_place(temporary: str, path: str, data: bytes) -> None:
    """Renames, unless the file is there with the same bytes already."""
    if is_special(path):
        write_file(path, data)
        os.unlink(temporary)
        return
    try:
        if os.path.getsize(path) == len(data):
            with open(path, "rb") as stream:
                if stream.read() == data:
                    os.unlink(temporary)
                    return
    except OSError:
        pass
    try:
        os.replace(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: str, error: OSError) -> ToolError:
    return ToolError(f"cannot write {path}: {in_words(error)}")


def print_warnings(warnings: Warnings, *, as_errors: bool = False) -> None:
    """Shows what the stage collected; Ninja passes it on although the stage succeeds.

    Raises:
        UserError: there are warnings, and `as_errors` (the option `--werror`) makes them errors.
    """
    if warnings.items:
        tell(warnings.render())
        if as_errors:
            count = len(warnings.items)
            raise UserError(f"{count} warning{'s' if count > 1 else ''}, and --werror makes warnings errors")
