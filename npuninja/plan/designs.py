"""Finds the designs of a project and scans those that changed since the last time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from npuninja.detect.tool import file_stamp
from npuninja.errors import Error, Location, UserError, in_words
from npuninja.files import write_if_changed
from npuninja.plan.design import Design, OwnKernel, from_json, to_json
from npuninja.plan.design_settings import DesignSettings
from npuninja.plan.names import check_name
from npuninja.suggestions import did_you_mean

if TYPE_CHECKING:
    from npuninja.python_designs.script import Bindings

# Targets and folders at the top of a project: a design of such a name would hide one.
RESERVED = frozenset(
    {
        "all",
        "run",
        "test",
        "check",
        "doctor",
        "size",
        "report",
        "ldscripts",
        "package",
        "install",
        "build",
        "dist",
        "kernels",
        "mlir",
        "host",
    }
)
FOLDER = "mlir"
HOST = "host"
WHAT_DESIGNS_ARE = "designs are mlir/NAME.mlir or mlir/NAME.py"


@dataclass(frozen=True)
class Faulty:
    """A design that cannot be built.

    Attributes:
        name: may be none that a design can have.
        source: its file.
        text: the error, as people see it.
        exit_code: of the error.
    """

    name: str
    source: str
    text: str
    exit_code: int


def faulty(name: str, source: str, error: Error) -> Faulty:
    """The design that an error is about."""
    return Faulty(name, source, error.render(), error.exit_code)


@dataclass(frozen=True)
class Source:
    """Where a design is written: its name, its file relative to the project, its command line; and what the project says
    of its lowering that decides the places of its cores.
    """

    name: str
    path: str
    arguments: tuple[str, ...] = ()
    aiecc_flags: tuple[str, ...] = ()
    generation: str = ""
    module: str = ""
    folder: str = ""
    replaced: tuple[tuple[str, str], ...] = ()


def find_references(source_root: str) -> frozenset[str] | None:
    """The names of the designs that have a NumPy reference, `host/NAME.py`; None when a project has no such folder."""
    try:
        names = os.listdir(os.path.join(source_root, HOST))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return frozenset(stem for stem, suffix in map(os.path.splitext, names) if suffix == ".py")


def find_designs(
    source_root: str,
    settings: Mapping[str, DesignSettings] | None = None,
    settings_folder: str = ".",
    needed: bool = True,
) -> tuple[dict[str, Source], list[Faulty]]:
    """Every design of a project by name, in the order of the names, and files that cannot be one.

    Args:
        source_root: the project.
        settings: what toolchain.toml says, by design.
        settings_folder: where paths in it count from.
        needed: whether a project must have designs; one of host programs that build their own need not.

    Raises:
        UserError: there is no folder with designs, and no design stands elsewhere; when they are needed.
    """
    found: dict[str, Source] = {}
    refused: list[Faulty] = []
    settings = settings or {}
    elsewhere = {name: said for name, said in settings.items() if said.source}
    try:
        names = sorted(os.listdir(os.path.join(source_root, FOLDER)))
    except FileNotFoundError as error:
        if not elsewhere and needed:
            where = os.path.abspath(source_root)
            raise UserError(f"there is no folder {FOLDER}/ in {where}", hint=WHAT_DESIGNS_ARE) from error
        names = []
    for file in names:
        stem, suffix = os.path.splitext(file)
        path = os.path.join(FOLDER, file)
        if suffix not in (".mlir", ".py") or file.startswith((".", "_")) or stem in elsewhere:
            continue
        try:
            _check_design_name(stem, path, found)
            of_it = settings.get(stem) or DesignSettings(stem)
            found[stem] = Source(stem, path, of_it.arguments, replaced=_replaced(of_it, path))
        except UserError as error:
            refused.append(faulty(stem, path, error))
            found.pop(stem, None)  # of two with one name neither can be meant
    for name, said in settings.items():
        try:
            if said.source:
                path = os.path.relpath(os.path.join(settings_folder, said.source), source_root)
                _check_design_name(name, str(said.location or path), found, said.location)
                if not os.path.isfile(os.path.join(source_root, path)):
                    raise UserError(f"there is no file {said.source!r}", said.source_location)
                if not path.endswith((".mlir", ".py")):
                    raise UserError(
                        f"{said.source!r} is no design", said.source_location, hint=WHAT_DESIGNS_ARE
                    )
                found[name] = Source(
                    name, path, said.arguments, module=said.module, folder=_run_in(said, settings_folder),
                    replaced=_replaced(said, path),
                )  # fmt: skip
            elif name not in found and name not in {f.name for f in refused}:
                message = f"[design.{name}]: there is no design {name!r}"
                hint = did_you_mean(name, found, f"{WHAT_DESIGNS_ARE}, or say its `source`")
                raise UserError(message, said.location, hint=hint)
        except UserError as error:
            refused.append(faulty(name, str(said.location), error))
    return dict(sorted(found.items())), refused


def _replaced(said: DesignSettings, path: str) -> tuple[tuple[str, str], ...]:
    if said.replaced and not path.endswith(".mlir"):
        raise UserError("'replace' is for sources in MLIR", said.location, hint="give a script arguments")
    return said.replaced


def _run_in(said: DesignSettings, settings_folder: str) -> str:
    """The folder in which a script is run, absolute; "" for the project's. UserError when it is not there."""
    if not said.folder:
        return ""
    folder = os.path.abspath(os.path.join(settings_folder, said.folder))
    if not os.path.isdir(folder):
        raise UserError(f"there is no folder {said.folder!r}", said.location)
    return folder


def _check_design_name(
    name: str, path: str, found: Mapping[str, Source], location: Location | None = None
) -> None:
    where = location or Location(path)
    check_name("design", name, where)
    if name in RESERVED:
        message = f"a design cannot be called {name!r}: that is a target or a folder"
        raise UserError(message, where, hint="rename it")
    if name in found:
        message = f"two designs are called {name!r}: {found[name].path} and {path}"
        raise UserError(message, where, hint="rename one of them")


def select(found: Iterable[str], wanted: Sequence[str], needed: bool = True) -> list[str]:
    """The names of those designs that are wanted, by name or file; all when none is named.

    Raises:
        UserError: there is no such design; with those that have a similar name. Or there is no design at all, and one is needed.
    """
    known = list(found)
    if not known and (needed or wanted):
        raise UserError(f"there is no design in {FOLDER}/", hint=WHAT_DESIGNS_ARE)
    chosen = []
    for word in wanted:
        name = os.path.splitext(os.path.basename(word))[0] if word.endswith((".mlir", ".py")) else word
        if name not in known:
            hint = did_you_mean(name, known, f"designs: {', '.join(known)}", most=3)
            raise UserError(f"there is no design {name!r}", hint=hint)
        chosen.append(name)
    return chosen or known


class ScanCache:
    """What scans found, by the content of the files that decided it, kept in a JSON file in the build folder."""

    def __init__(self, path: str) -> None:
        self._path = path
        # The scanner's own state is part of the key: another version may see more.
        self._scanner = list(file_stamp(os.path.join(os.path.dirname(__file__), "scan.py")) or ())
        self._old: dict[str, Any] = {}
        self._new: dict[str, Any] = {}
        try:
            with open(path, encoding="utf-8") as stream:
                content = json.load(stream)
            if content["scanner"] == self._scanner:
                self._old = dict(content["designs"])
        except (OSError, ValueError, RecursionError, KeyError, TypeError):
            pass

    def get(self, source: Source, printed_by: str = "") -> Design | None:
        """The design made from `source`, when nothing that decided it has changed; `printed_by` says what prints it."""
        entry = self._old.get(source.name)
        try:
            if entry is None or [entry["source"], entry["arguments"]] != [source.path, [*source.arguments]]:
                return None
            if entry["printed_by"] != printed_by:
                return None
            if any(_hash(path) != digest for path, digest in entry["files"].items()):
                return None
            imports = tuple(entry["imports"])
            design = from_json(entry["design"], source.name, source.path, entry["mlir"], imports)
        except (KeyError, TypeError, ValueError):
            return None
        self._new[source.name] = entry
        return design

    def put(self, design: Design, source: Source, printed_by: str = "") -> None:
        """Remembers a design."""
        self._new[source.name] = {
            "source": source.path,
            "arguments": list(source.arguments),
            "printed_by": printed_by,
            "mlir": design.mlir,
            "imports": list(design.imports),
            "files": {path: _hash(path) for path in {design.source, design.mlir, *design.imports}},
            "design": to_json(design),
        }

    def save(self) -> None:
        """Writes the designs of this time when they differ from the last."""
        if self._new != self._old:
            content = {"scanner": self._scanner, "designs": {k: self._new[k] for k in sorted(self._new)}}
            write_if_changed(self._path, json.dumps(content))


def _hash(path: str) -> str:
    """The sha256 of a file's content; "" when it is not there."""
    try:
        if not os.path.isfile(path):
            return ""
        with open(path, "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    except OSError:
        return ""


def read_design(
    source: Source, generated_folder: str, cache: ScanCache, bindings: Bindings | None = None
) -> Design:
    """The design in `source`; a Python source is run, with MLIR-AIE's `bindings` where they are given. Its MLIR, and that
    of a source with words replaced, is kept as `generated_folder/NAME.mlir`.

    Raises:
        UserError: the source is not a design that can be built; located.
    """
    printed_by = _printed_by(bindings) if source.path.endswith(".py") else ""
    printed_by = " ".join(
        (
            *(printed_by, source.module, source.folder, source.generation, *source.aiecc_flags),
            *("=".join(pair) for pair in source.replaced),
        )
    ).strip()
    remembered = cache.get(source, printed_by)
    if remembered is not None:
        return remembered
    from npuninja.ir.parser import parse_module  # a configure without a change in a design does without
    from npuninja.plan.scan import scan_module

    imports: tuple[str, ...] = ()
    kernels: tuple[OwnKernel, ...] = ()
    flags: tuple[str, ...] = ()
    mlir = source.path
    if source.path.endswith(".py"):
        from npuninja.plan.python_design import run_python_design

        text, imports, made, flags = run_python_design(
            source.path,
            os.getcwd(),
            source.arguments,
            bindings,
            source.module,
            source.folder,
            source.generation or "auto",
        )
        kernels = tuple(_own_kernel(kernel, source, generated_folder) for kernel in made)
        mlir = os.path.join(generated_folder, f"{source.name}.mlir")
        write_if_changed(mlir, text)
    else:
        text = _read_text(source.path)
        for word, other in source.replaced:
            text = text.replace(word, other)
        if source.replaced:
            mlir = os.path.join(generated_folder, f"{source.name}.mlir")
            write_if_changed(mlir, text)
    design = scan_module(
        parse_module(text, source.path if source.replaced else mlir),
        source.name, source.path, mlir, imports, (*flags, *source.aiecc_flags),
        source.generation,
    )  # fmt: skip
    design = replace(design, kernels=kernels, aiecc_flags=flags)
    cache.put(design, source, printed_by)
    return design


def _printed_by(bindings: Bindings | None) -> str:
    """What is another word when the same Python source may print something else: the state of the bindings and of
    npuninja's own package.
    """
    own = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python_designs")
    stamps = [
        file_stamp(os.path.join(folder, name))
        for folder, _, names in sorted(os.walk(own))
        for name in sorted(names)
        if name.endswith(".py")
    ]
    digest = hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]
    return f"{bindings.identity if bindings else ''}:{digest}"


def _own_kernel(record: Mapping[str, Any], source: Source, generated_folder: str) -> OwnKernel:
    """A kernel that a design in Python brings; one without a file gets one in the build folder."""
    path = record["source"]
    if path and not os.path.isfile(path):
        raise UserError(
            f"the kernel {record['object']} is made from {path}, which is not there",
            Location(source.path),
            hint="set MLIR_AIE_INSTALL_DIR to an MLIR-AIE that has its kernels (include/aie_kernels)",
        )
    include = [*record["include"], *([os.path.dirname(path)] if path else [])]
    if not path:
        stem = os.path.splitext(record["object"])[0]
        path = os.path.join(generated_folder, f"{source.name}.kernels", f"{stem}.cc")
        write_if_changed(path, record["text"])
    return OwnKernel(record["object"], path, tuple(include), tuple(record["flags"]))


def _read_text(path: str) -> str:
    try:
        if not os.path.isfile(path):  # a FIFO would keep us waiting, a device never end
            raise UserError("cannot read the design: it is no plain file", Location(path))
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except UnicodeDecodeError as error:
        raise UserError(f"byte {error.object[error.start]:#04x} is not UTF-8 text", Location(path)) from error
    except OSError as error:
        raise UserError(f"cannot read the design: {in_words(error)}", Location(path)) from error
