"""Arrays of a design's arguments: from files, from the reference, to files."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np

from npuninja.device.manifest import Argument, Manifest
from npuninja.errors import Location, ToolError, UserError
from npuninja.files import read_file, write_file

#: Read beyond an argument's size: for NumPy's header (version 1 allows 64 KiB), and so that a file that is
#: too long is shown with its length.
_MORE_BYTES = 16 << 20

NumpyArray = np.ndarray[Any, np.dtype[Any]]


def check_array(
    array: object, argument: Argument, source: str, location: Location | None = None
) -> NumpyArray:
    """The array, if it has exactly the argument's shape and dtype.

    Args:
        array: what was given.
        argument: what it is for.
        source: where it comes from, for the message ("the file", "reference() of passthrough").
        location: of the source.

    Raises:
        UserError: it is no array, or shape or dtype differ.
    """
    expected = f"expected {argument.describe()} (NumPy: {argument.dtype}, shape {argument.shape})"
    if not isinstance(array, np.ndarray):
        raise UserError(f"{source} gives {type(array).__name__} for {argument.name}, {expected}", location)
    if array.dtype != argument.dtype or array.shape != argument.shape:
        raise UserError(
            f"{source} gives {array.dtype} of shape {array.shape}, {array.nbytes} bytes, "
            f"for {argument.name}; {expected}",
            location,
            hint="convert it: nothing is converted silently",
        )
    return np.ascontiguousarray(array)


def assign_files(options: list[str], arguments: list[Argument], what: str) -> list[tuple[Argument, str]]:
    """Which file belongs to which argument: `NAME=FILE` by name, `FILE` in order.

    Args:
        options: the values of --input or --output.
        arguments: those it can be about, in order.
        what: "input" or "output".

    Raises:
        UserError: a name that is not there, two files for one argument, more files than arguments.
    """
    names = {argument.name: argument for argument in arguments}
    listed = ", ".join(f"{a.name} ({a.describe()})" for a in arguments)
    assigned: dict[str, str] = {}
    for option in options:
        name, separator, file = option.partition("=")
        if not separator or name not in names:
            if separator and name.isidentifier() and not os.path.exists(option):
                raise UserError(f"there is no {what} {name!r}", hint=f"the {what}s are: {listed}")
            file = option
            name = next((n for n in names if n not in assigned), "")
            if not name:
                message = f"{len(options)} {what} files for {len(arguments)} {what}s"
                raise UserError(message, hint=f"the {what}s are: {listed}")
        if name in assigned:
            raise UserError(f"two files for the {what} {name}: {assigned[name]} and {file}")
        assigned[name] = file
    return [(names[name], file) for name, file in assigned.items()]


def read_inputs(options: list[str], manifest: Manifest) -> list[NumpyArray]:
    """The arrays for all inputs from the files of --input.

    Raises:
        UserError: a file is missing, unreadable, or not of the argument's shape, dtype or size.
    """
    assigned = assign_files(options, manifest.inputs, "input")
    by_name = {argument.name: _read(argument, file) for argument, file in assigned}
    missing = [a for a in manifest.inputs if a.name not in by_name]
    if missing:
        raise UserError(
            f"no file for the input {missing[0].name} ({missing[0].describe()})",
            hint="give --input once for each input, in order, or as NAME=FILE",
        )
    return [by_name[a.name] for a in manifest.inputs]


def _read(argument: Argument, file: str) -> NumpyArray:
    location = Location(file)
    try:
        if file.endswith(".npy"):
            data = read_file(file, argument.nbytes + _MORE_BYTES)
            array = np.load(io.BytesIO(data), allow_pickle=False)
            return check_array(array, argument, "the file", location)
        data = read_file(file, argument.nbytes + _MORE_BYTES)
    except UserError:
        raise
    except Exception as error:  # what NumPy makes of a damaged file: ValueError, EOFError, SyntaxError, …
        raise UserError(
            f"not a NumPy file: {error}", location, hint="raw bytes need another ending than .npy"
        ) from error
    if len(data) != argument.nbytes:
        raise UserError(f"{len(data)} bytes for {argument.name}, expected {argument.describe()}", location)
    return np.frombuffer(data, argument.dtype).reshape(argument.shape)


def write_outputs(options: list[str], manifest: Manifest, results: list[NumpyArray]) -> None:
    """Writes results to the files of --output: `.npy` as NumPy's format, any other as raw bytes.

    Raises:
        UserError: a file cannot be written.
    """
    by_name = dict(zip((a.name for a in manifest.outputs), results))
    for argument, file in assign_files(options, manifest.outputs, "output"):
        content = io.BytesIO()
        if file.endswith(".npy"):
            np.save(content, by_name[argument.name], allow_pickle=False)
        else:
            content.write(by_name[argument.name].tobytes())
        try:
            write_file(file, content.getvalue())
        except ToolError as error:
            raise UserError(error.message) from error
