"""The manifest of a built design (`NAME.json`): what the runner must know to run it, read and checked."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from npuninja.errors import Location, UserError, printable
from npuninja.files import (
    MAX_DESCRIPTION_BYTES,
    MAX_INSTRUCTIONS_BYTES,
    MAX_XCLBIN_BYTES,
    is_lfs_pointer,
    read_file,
)
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    import numpy as np

MANIFEST_FORMAT = 1
DIRECTIONS = ("in", "out", "inout", "trace", "none")

# MLIR's element types and NumPy's names. bf16 has none: its bits travel as uint16, a float32's upper half.
DTYPES: dict[str, str] = {
    **{f"i{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"si{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"ui{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "f16": "float16",
    "f32": "float32",
    "f64": "float64",
    "bf16": "uint16",
}
ELEMENT_BYTES = {element: int("".join(filter(str.isdigit, name))) // 8 for element, name in DTYPES.items()}


class Argument(NamedTuple):
    """One argument of the runtime sequence, in the order of the call."""

    name: str
    direction: str
    """"in", "out", "inout" (seen from the host); "trace": takes trace units' words; "none": holds a place."""
    shape: tuple[int, ...]
    element: str
    """The element type's MLIR name."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's type of an element."""
        import numpy as np  # 100 ms, and a run whose result is right does without

        return np.dtype(DTYPES[self.element])

    def array(self, data: bytes) -> np.ndarray[Any, np.dtype[Any]]:
        """The elements in these bytes, in the argument's shape."""
        import numpy as np

        return np.frombuffer(data, self.dtype).reshape(self.shape)

    @property
    def nbytes(self) -> int:
        """Size of the whole buffer in bytes."""
        return math.prod(self.shape) * ELEMENT_BYTES[self.element]

    @property
    def is_input(self) -> bool:
        """Whether the host provides data in it."""
        return self.direction in ("in", "inout")

    @property
    def is_output(self) -> bool:
        """Whether the NPU writes it."""
        return self.direction in ("out", "inout")

    def describe(self) -> str:
        """Shape, type and size for a message: `1024 x i32, 4096 bytes`."""
        return f"{' x '.join(map(str, self.shape))} x {self.element}, {self.nbytes} bytes"


#: How a provider's name says so (stages/table.py).
_UNTRIED = "not yet run on an NPU"


class Manifest(NamedTuple):
    """A design ready to run. Paths are absolute."""

    path: str
    design: str
    device: str
    """Device of the design: npu1_1col, npu2, …"""
    core_kind: str
    """"wasm" (emulated cores only), "aie2" or "aie2p"."""
    kernel: str
    """Name of the kernel inside the XCLBIN."""
    arguments: tuple[Argument, ...]
    xclbin: str
    insts: str
    hashes: dict[str, str]
    """sha256 of the XCLBIN and of all instruction streams, by path."""
    build_id: str
    reference: str | None
    reference_modules: tuple[str, ...] = ()
    """Modules beside the reference that it imports."""
    sequence: str = ""
    """The runtime sequence; "" when the design has one."""
    kernel_compiler: str = ""
    """The compiler of the cores, as the manifest names it; "" when it does not."""
    elf: str = ""
    """The instructions as an ELF for `xrt::elf`; "" when the manifest, of an earlier build, names none."""
    full_elf: str = ""
    """The ELF with configurations and instructions; "" when the build made none."""
    full_elf_kernel: str = ""
    """What the sequence is called in it: `DEVICE:SEQUENCE`."""

    @property
    def label(self) -> str:
        """The design, with kernel and sequence where there are several."""
        return f"{self.design} {self.kernel}:{self.sequence}" if self.sequence else self.design

    @property
    def untried(self) -> str:
        """What made the cores, when nobody has run its code on an NPU yet; else ""."""
        return self.kernel_compiler if _UNTRIED in self.kernel_compiler else ""

    @property
    def inputs(self) -> list[Argument]:
        """The arguments the host provides data for."""
        return [a for a in self.arguments if a.is_input]

    @property
    def outputs(self) -> list[Argument]:
        """The arguments the NPU writes."""
        return [a for a in self.arguments if a.is_output]

    @property
    def moved_bytes(self) -> int:
        """What goes in and out in one run."""
        return sum(a.nbytes * (a.is_input + a.is_output) for a in self.arguments)

    def content(self, inputs: Iterable[bytes]) -> list[bytes]:
        """What each argument holds before a run: its input, or zeros."""
        given = iter(inputs)
        return [next(given) if a.is_input else bytes(a.nbytes) for a in self.arguments]

    def read(self, path: str) -> bytes:
        """The bytes of the XCLBIN, of the full ELF or of insts.bin.

        Raises:
            UserError: it is missing, or not the file of this build.
        """
        limit = MAX_XCLBIN_BYTES if path in (self.xclbin, self.full_elf) else MAX_INSTRUCTIONS_BYTES
        data = read_file(path, limit, hint="build the design again (`ninja`)")
        if is_lfs_pointer(data):
            raise UserError(
                "the file is a Git LFS pointer, not the content", Location(path), hint="run `git lfs pull`"
            )
        found = hashlib.sha256(data).hexdigest()
        if found != self.hashes[path]:
            raise UserError(
                f"the file is not of this build: sha256 {found[:16]}…, "
                f"the manifest says {self.hashes[path][:16]}…",
                Location(path),
                notes=(("the manifest", Location(self.path)),),
                hint="build the design again (`ninja`); "
                "XCLBIN and insts.bin of different builds hang the NPU",
            )
        return data


class _FieldReader:
    """Takes fields out of the JSON with an error that names the field."""

    def __init__(self, path: str, fields: Any, where: str = "") -> None:
        self.path, self.fields, self.where = path, fields, where
        if not isinstance(fields, dict):
            raise self.wrong(where or "the manifest", "an object", fields)

    def wrong(self, name: str, expected: str, got: object) -> UserError:
        shown = json.dumps(got)
        return UserError(
            f"{name} should be {expected}, got {shown if len(shown) < 80 else shown[:77] + '...'}",
            Location(self.path),
            hint="build the design again (`ninja`); the manifest is not meant to be edited",
        )

    def get(self, key: str, kind: type, expected: str) -> Any:
        value = self.fields.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.wrong(self.where + key, expected, value)
        return value

    def text(self, key: str) -> str:
        value = str(self.get(key, str, "a string"))
        # Names are printed, and a manifest may come from anywhere.
        if "\n" in value or printable(value) != value:
            raise self.wrong(self.where + key, "a string without control characters", value)
        return value

    def inner(self, key: str) -> _FieldReader:
        return _FieldReader(self.path, self.get(key, dict, "an object"), f"{self.where}{key}.")


def read_manifest(path: str) -> Manifest:
    """Reads and checks a manifest; of several kernels or sequences, the first run. Raises as `read_runs`."""
    return read_runs(path)[0]


def read_runs(path: str) -> tuple[Manifest, ...]:
    """Reads and checks a manifest: every runtime sequence of every kernel, in order.

    Raises:
        UserError: it is missing, not JSON, of another format version, or a field is not what it should be.
    """
    hint = "a design's manifest is build/DEVICE/CORE_KIND/DESIGN/DESIGN.json, made by `ninja`"
    data = read_file(path, MAX_DESCRIPTION_BYTES, hint=hint)
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        if isinstance(error, UnicodeDecodeError):
            reason = "it is no text"
        raise UserError(
            f"not a manifest: {reason}", Location(path), hint="give the .json beside the .xclbin"
        ) from error
    runs = parse_runs(fields, path)
    for program in filter(None, (runs[0].reference, *runs[0].reference_modules)):
        _require_own(program, path)
    return runs


def _require_own(program: str, path: str) -> None:
    """UserError when a reference is a link out of the manifest's folder: its target would be executed."""
    folder = os.path.realpath(os.path.dirname(os.path.abspath(path)))
    try:
        real = os.path.realpath(program)
    except ValueError as error:
        raise UserError(f"{program!r} is no path: {error}", Location(path)) from error
    if not real.startswith(folder.rstrip(os.sep) + os.sep):
        raise UserError(
            f"{program} is a link that leads out of the manifest's folder",
            Location(path),
            hint="put the file itself there; a reference is a program that --verify runs",
        )


def select_runs(runs: tuple[Manifest, ...], kernel: str | None, sequence: str | None) -> tuple[Manifest, ...]:
    """Those of a kernel, of a sequence, or of both. UserError when there is none."""
    chosen = tuple(
        run
        for run in runs
        if (kernel is None or run.kernel == kernel) and (sequence is None or sequence in (run.sequence, ""))
    )
    if not chosen:
        asked = " and ".join(
            f"{what} {name!r}"
            for what, name in (("kernel", kernel), ("sequence", sequence))
            if name is not None
        )
        there = ", ".join(f"{run.kernel}:{run.sequence}" if run.sequence else run.kernel for run in runs)
        raise UserError(f"the design has no {asked}", Location(runs[0].path), hint=f"it has {there}")
    return chosen


def parse_manifest(fields: Any, path: str) -> Manifest:
    """The first run of `parse_runs`."""
    return parse_runs(fields, path)[0]


def parse_runs(fields: Any, path: str) -> tuple[Manifest, ...]:
    """The runs in a manifest with this content (of the JSON file at `path`). Raises as `read_runs`."""
    reader = _FieldReader(path, fields)
    version = reader.get("format", int, "a number")
    if version != MANIFEST_FORMAT:
        raise UserError(
            f"manifest format {version}, this runner reads {MANIFEST_FORMAT}",
            Location(path),
            hint="build it again",
        )
    folder = os.path.dirname(os.path.abspath(path))
    files = reader.inner("files")
    hashes: dict[str, str] = {}
    xclbin, insts = (_file(files, key, folder, hashes) for key in ("xclbin", "insts"))
    elf, full_elf = (_file_if_any(files, key, folder, hashes) for key in ("elf", "full_elf"))
    reference = fields.get("reference")
    has_modules = "reference_modules" in fields
    modules = reader.get("reference_modules", list, "a list of files") if has_modules else []
    first = Manifest(
        path=path,
        design=reader.text("design"),
        device=reader.text("device"),
        core_kind=reader.text("core_kind"),
        kernel=reader.inner("kernel").text("name"),
        arguments=read_arguments(reader.get("arguments", list, "a list"), path),
        xclbin=xclbin,
        insts=insts,
        hashes=hashes,
        build_id=reader.text("build_id"),
        reference=_inside(folder, reference, "reference", path) if isinstance(reference, str) else None,
        reference_modules=tuple(_inside(folder, str(name), "reference_modules", path) for name in modules),
        kernel_compiler=_kernel_compiler(fields),
        elf=elf,
        full_elf=full_elf,
        full_elf_kernel=reader.text("full_elf_kernel") if full_elf else "",
    )
    if "kernels" not in fields:
        return (first,)
    runs = _runs_of_kernels(reader, first, folder)
    if not runs:
        raise reader.wrong("kernels", "kernels with sequences", fields["kernels"])
    return tuple(runs)


def _runs_of_kernels(reader: _FieldReader, first: Manifest, folder: str) -> list[Manifest]:
    """Every sequence of every kernel; adds their hashes to the design's, which all runs share."""
    path, hashes, runs = reader.path, first.hashes, []
    for number, item in enumerate(reader.get("kernels", list, "a list")):
        kernel = _FieldReader(path, item, f"kernels[{number}].")
        for place, inner in enumerate(kernel.get("sequences", list, "a list")):
            sequence = _FieldReader(path, inner, f"{kernel.where}sequences[{place}].")
            insts = _file(sequence, "insts", folder, hashes)
            runs.append(
                first._replace(
                    arguments=read_arguments(sequence.get("arguments", list, "a list"), path),
                    kernel=kernel.text("name"),
                    sequence=sequence.text("name"),
                    insts=insts,
                    elf=_file_if_any(sequence, "elf", folder, hashes),
                    full_elf_kernel=sequence.text("full_elf_kernel") if first.full_elf else "",
                )
            )
    return runs


def _file(reader: _FieldReader, key: str, folder: str, hashes: dict[str, str]) -> str:
    """The file that an object of a manifest names, whose hash is added."""
    entry = reader.inner(key)
    file = _inside(folder, entry.text("path"), f"{entry.where}path", reader.path)
    hashes[file] = entry.text("sha256")
    return file


def _file_if_any(reader: _FieldReader, key: str, folder: str, hashes: dict[str, str]) -> str:
    """The same; "" where none is named."""
    return _file(reader, key, folder, hashes) if key in reader.fields else ""


def _kernel_compiler(fields: Any) -> str:
    """Of the providers, which are for people: one that is not there or not text says nothing."""
    found = fields.get("providers")
    for key in ("kernel", "provider"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _inside(folder: str, name: str, field: str, path: str) -> str:
    """The path of a file that a manifest names. It may come from elsewhere: it reaches only its own folder.

    Outputs of a build may be links to a cache, so only the written path is checked, not where links lead.
    """
    plain = os.path.normpath(name)
    if not name or "\0" in name or os.path.isabs(plain) or plain.split(os.sep)[0] in (os.pardir, os.curdir):
        raise UserError(
            f"{field} is {name!r}, which is no file of the manifest's folder",
            Location(path),
            hint="build the design again (`ninja`); the manifest is not meant to be edited",
        )
    return os.path.join(folder, plain)


def read_arguments(items: list[Any], path: str) -> tuple[Argument, ...]:
    """Arguments in a manifest or a sequence's arguments.json. UserError names the wrong field of `path`."""
    return tuple(_argument(_FieldReader(path, item, f"arguments[{i}].")) for i, item in enumerate(items))


def _argument(reader: _FieldReader) -> Argument:
    direction, element = reader.text("direction"), reader.text("dtype")
    if direction not in DIRECTIONS:
        raise reader.wrong(reader.where + "direction", "one of " + ", ".join(DIRECTIONS), direction)
    if element not in DTYPES:
        raise reader.wrong(reader.where + "dtype", "one of " + ", ".join(DTYPES), element)
    shape = reader.get("shape", list, "a list of sizes")
    if not all(isinstance(size, int) and size > 0 for size in shape):
        raise reader.wrong(reader.where + "shape", "a list of sizes", shape)
    argument = Argument(reader.text("name"), direction, tuple(shape), element)
    nbytes = reader.get("bytes", int, "a number")
    if nbytes != argument.nbytes:
        raise reader.wrong(reader.where + "bytes", f"{argument.nbytes} (shape times element size)", nbytes)
    return argument
