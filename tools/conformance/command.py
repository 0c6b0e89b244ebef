"""`npuninja conformance`: our lowering against the results of the reference tools, design by design."""

from __future__ import annotations

import glob
import json
import os
import struct
import sys
from typing import Any, Callable

from conformance.table import ARTEFACTS, DesignOutcome, markdown, report
from npuninja.errors import Error, UserError, Warnings
from npuninja.stages._run import read_arguments, read_bytes, read_text

USAGE = """\
usage: npuninja conformance FOLDER [DESIGN…] [--verbose | --markdown | --json]

FOLDER is laid out like tests/conformance: a folder for each design with design.mlir, meta.json and what the
reference tools made of it; below negative/, designs that they reject. Runs lower, cdo and pdi on every design
(or on those named) and prints, artefact by artefact, `=` equal, `x` different, `!` refused, `-` none. MLIR is
compared by meaning, the rest byte for byte. --verbose lists the differences; --markdown prints the table as
docs/conformance.md has it. Exit code 1 when anything differs.
"""

MLIR_FILES = {
    "addresses": "input_with_addresses.mlir",
    "physical": "input_physical.mlir",
    "insts.mlir": "npu_insts.mlir",
}


def main(arguments: list[str]) -> int:
    """Runs `npuninja conformance`; returns its exit code."""
    if "--help" in arguments or "-h" in arguments:
        sys.stdout.write(USAGE)
        return 0
    options = read_arguments("npuninja conformance", arguments, flags=("--verbose", "--markdown", "--json"))
    if not options.positional:
        raise UserError("npuninja conformance: no folder given", hint="npuninja conformance --help")
    folder, *wanted = options.positional
    accepted = _designs(folder, wanted)
    rejected = _designs(os.path.join(folder, "negative"), wanted)
    if not accepted and not rejected:
        named = f" called {' or '.join(wanted)}" if wanted else ""
        raise UserError(f"there is no design{named} in {folder}", hint="expected NAME/design.mlir below it")
    outcomes = [_guarded(compare_design, path) for path in accepted]
    refusals = [_guarded(compare_refusal, path) for path in rejected]
    if "--json" in options.flags:
        print(json.dumps([outcome._asdict() for outcome in (*outcomes, *refusals)], indent=1))
    elif "--markdown" in options.flags:
        sys.stdout.write(markdown(outcomes, refusals))
    else:
        sys.stdout.write(report(outcomes, refusals, "--verbose" in options.flags))
    return 0 if all(outcome.good for outcome in (*outcomes, *refusals)) else 1


def _guarded(compare: Callable[[str], DesignOutcome], folder: str) -> DesignOutcome:
    """The outcome of a design; a bug of ours is one too, so that the table gets its end."""
    try:
        return compare(folder)
    except Exception as error:
        import traceback

        place = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__}: {error} at {os.path.basename(place.filename)}:{place.lineno}"
        return DesignOutcome(os.path.basename(folder), {}, [f"a bug of npuninja: {said}"], "")


def _designs(folder: str, wanted: list[str]) -> list[str]:
    found = sorted(
        os.path.dirname(path) for path in glob.glob(os.path.join(glob.escape(folder), "*", "design.mlir"))
    )
    return [path for path in found if not wanted or os.path.basename(path) in wanted]


def compare_design(folder: str) -> DesignOutcome:
    """Runs all steps on a design that the reference accepts, and compares."""
    meta: dict[str, Any] = json.loads(read_text(os.path.join(folder, "meta.json")))
    comparison = _DesignComparison(folder, tuple(meta.get("reference_wrong", {}).get("sections", ())))
    source = os.path.join(folder, "design.mlir")
    try:
        files = _lowered(source, meta)
    except Error as error:
        comparison.refused("addresses", error)
        return comparison.outcome()
    for artefact, name in MLIR_FILES.items():
        comparison.mlir(artefact, name, files[name])
    for name in sorted(name for name in files if "insts" in name and name.endswith(".bin")):
        comparison.words("insts.bin", name[: -len(".bin")] + ".hex", files[name])
    for name in sorted(name for name in files if name.endswith(".ld.script")):
        comparison.same("ldscript", name, files[name])
    _compare_configuration(comparison, files["input_physical.mlir"].decode(), meta)
    comparison.nothing_missing()
    return comparison.outcome()


def _compare_configuration(comparison: _DesignComparison, physical: str, meta: dict[str, Any]) -> None:
    """CDO and PDI from our routed module and the core programs of the folder."""
    from npuninja.commands.cdo import configure_devices
    from npuninja.formats.pdi import write_pdi
    from npuninja.ir.parser import parse_module
    from npuninja.lowering.number_operands import numbers_from_values

    several = len(meta.get("devices", ())) > 1
    programs = {}
    for column, row, _, *device in meta["cores"]:
        prefix = device[0] if device else ""
        name = f"{prefix + '.' if several else ''}core_{column}_{row}.elf"
        path = os.path.join(comparison.folder, name)
        programs[f"{prefix + ':' if several else ''}{column},{row}"] = (path, read_bytes(path))
    try:
        module = parse_module(physical, "input_physical.mlir")
        numbers_from_values(module)
        files = configure_devices(module, programs)
        for name, data in files.items():
            comparison.same("cdo", name, data)
        for prefix in sorted({name[: name.index("cdo_")] for name in files}):
            parts = [files[f"{prefix}cdo_{part}.bin"] for part in ("elfs", "init", "enable")]
            comparison.same("pdi", f"{prefix}main.pdi", write_pdi(parts))
    except Error as error:
        comparison.refused("cdo", error)


def compare_refusal(folder: str) -> DesignOutcome:
    """Lowers a design that the reference rejects: it must be refused as wrong input, with a place."""
    expected: dict[str, Any] = json.loads(read_text(os.path.join(folder, "expected.json")))
    source = os.path.join(folder, "design.mlir")
    name = f"negative/{os.path.basename(folder)}"
    try:
        _lowered(source, expected)
    except UserError as error:
        said = f"{error.location or ''}: {error.message}".removeprefix(f"{folder}/")
        missing = (
            [] if error.location and error.location.line else [f"refused without a place: {error.message}"]
        )
        return DesignOutcome(name, {}, missing, said)
    return DesignOutcome(name, {}, [f"accepted; the reference says {expected['first_error_lines'][0]!r}"], "")


def _lowered(source: str, meta: dict[str, Any]) -> dict[str, bytes]:
    """The files of the lowering of a design, with the options of the recorded run."""
    from npuninja.commands.lower import lower_design

    scheme, dynamic = (meta["pass_options"].get(name) for name in ("alloc-scheme", "default-dynamic"))
    return lower_design(
        read_text(source),
        source,
        None if scheme == "default" else scheme,
        meta["generation"],
        Warnings(),
        dynamic_fifos=None if dynamic is None else dynamic == "true",
    )


class _DesignComparison:
    """Collects the comparisons of one design."""

    def __init__(self, folder: str, ignored_sections: tuple[str, ...]) -> None:
        self.folder = folder
        # Where the reference does wrong, or does the same in another way; meta.json says why.
        self._ignored_sections = ignored_sections
        self._marks: dict[str, str] = {}
        self._differences: list[str] = []
        self._seen: set[str] = set()

    def outcome(self) -> DesignOutcome:
        """What was found so far: a mark for each artefact, and the differences."""
        marks = {artefact: self._marks.get(artefact, "-") for artefact in ARTEFACTS}
        return DesignOutcome(os.path.basename(self.folder), marks, self._differences, "")

    def refused(self, artefact: str, error: Error) -> None:
        """Our side raised an error."""
        self._marks[artefact] = "!"
        self._differences.append(f"{artefact}: {error.location or ''} {error.message}")

    def same(self, artefact: str, name: str, data: bytes) -> None:
        """Compares byte for byte."""
        expected = self._expected(artefact, name)
        if expected is not None:
            self._mark(artefact, [] if expected == data else [_first_difference(name, data, expected)])

    def words(self, artefact: str, name: str, data: bytes) -> None:
        """Compares 32-bit words with a file of one hexadecimal word a line."""
        expected = self._expected(artefact, name)
        if expected is not None:
            numbers = [int(line, 16) for line in expected.split()]
            packed = struct.pack(f"<{len(numbers)}I", *numbers)
            self._mark(artefact, [] if packed == data else [_first_difference(name, data, packed)])

    def mlir(self, artefact: str, name: str, data: bytes) -> None:
        """Compares MLIR with a file by meaning: names and spelling do not count."""
        from conformance.compare_mlir import compare

        expected = self._expected(artefact, name)
        if expected is not None:
            found = compare(data.decode(), expected.decode(), ignore=self._ignored_sections)
            self._mark(artefact, [f"{name}: {line}" for line in found])

    def nothing_missing(self) -> None:
        """Every result of the reference that we ought to make must have been compared."""
        for name in sorted(os.listdir(self.folder)):
            artefact = _artefact_of(name)
            if artefact and name not in self._seen:
                self._mark(artefact, [f"{name}: the reference made it, we did not"])

    def _expected(self, artefact: str, name: str) -> bytes | None:
        self._seen.add(name)
        path = os.path.join(self.folder, name)
        if os.path.exists(path):
            return read_bytes(path)
        self._mark(artefact, [f"{name}: we made it, the reference did not"])
        return None

    def _mark(self, artefact: str, differences: list[str]) -> None:
        if differences or self._marks.get(artefact) is None:
            self._marks[artefact] = "x" if differences else "="
        self._differences += differences


def _artefact_of(name: str) -> str | None:
    """Which artefact a file of the reference is, None for its inputs and notes."""
    for artefact, suffix in (("insts.bin", ".hex"), ("ldscript", ".ld.script"), ("pdi", ".pdi")):
        if name.endswith(suffix):
            return artefact
    if "cdo_" in name and name.endswith(".bin"):
        return "cdo"
    return next((artefact for artefact, file in MLIR_FILES.items() if name == file), None)


def _first_difference(name: str, ours: bytes, expected: bytes) -> str:
    if name.endswith(".ld.script"):
        lines = zip(ours.decode().split("\n"), expected.decode().split("\n"))
        for number, (line, reference) in enumerate(lines, 1):
            if line != reference:
                return f"{name}: line {number} is {line!r}, the reference's {reference!r}"
    for offset in range(0, min(len(ours), len(expected)), 4):
        a, b = ours[offset : offset + 4], expected[offset : offset + 4]
        if a != b:
            return f"{name}: at byte {offset:#x} {a[::-1].hex()}, the reference has {b[::-1].hex()}"
    return f"{name}: {len(ours)} bytes, the reference's has {len(expected)}"
