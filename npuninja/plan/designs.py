"""Finds the designs of a project and scans those that changed since the last time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from npuninja.build_places import DESIGNS
from npuninja.errors import Error, Location, UserError
from npuninja.plan.design_settings import DesignSettings
from npuninja.plan.names import check_name
from npuninja.records import record
from npuninja.suggestions import did_you_mean

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
HOST = "host"
KERNELS = "kernels"
WHAT_DESIGNS_ARE = "designs are mlir/NAME.mlir or mlir/NAME.py"


@record(frozen=True)
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


@record(frozen=True)
class DesignSource:
    """Where a design is written: its name, its file relative to the project, its command line; and what the
    project says of its lowering that decides the places of its cores.
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
    """The names of designs with a NumPy reference, `host/NAME.py`; None when a project has no such folder."""
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
) -> tuple[dict[str, DesignSource], list[Faulty]]:
    """Every design of a project by name, in the order of the names, and files that cannot be one.

    Args:
        source_root: the project.
        settings: what toolchain.toml says, by design.
        settings_folder: where paths in it count from.
        needed: whether a project must have designs; one of host programs that build their own need not.

    Raises:
        UserError: there is no folder with designs, and no design is elsewhere; when they are needed.
    """
    found: dict[str, DesignSource] = {}
    refused: list[Faulty] = []
    settings = settings or {}
    elsewhere = {name for name, said in settings.items() if said.source}
    for stem, path in _files(source_root, needed and not elsewhere):
        if stem in elsewhere:
            continue
        try:
            _check_design_name(stem, path, found)
            said = settings.get(stem) or DesignSettings(stem)
            found[stem] = DesignSource(stem, path, said.arguments, replaced=_replaced(said, path))
        except UserError as error:
            refused.append(faulty(stem, path, error))
            found.pop(stem, None)  # of two with one name neither can be meant
    for name, said in settings.items():
        try:
            if said.source:
                found[name] = _elsewhere(name, said, found, source_root, settings_folder)
            elif name not in found and name not in {f.name for f in refused}:
                message = f"[design.{name}]: there is no design {name!r}"
                hint = did_you_mean(name, found, f"{WHAT_DESIGNS_ARE}, or say its `source`")
                raise UserError(message, said.location, hint=hint)
        except UserError as error:
            refused.append(faulty(name, str(said.location), error))
    return dict(sorted(found.items())), refused


def _files(source_root: str, needed: bool) -> Iterator[tuple[str, str]]:
    """Names and files of the designs in the project's folder. UserError if that is needed but missing."""
    try:
        names = sorted(os.listdir(os.path.join(source_root, DESIGNS)))
    except FileNotFoundError as error:
        if needed:
            where = os.path.abspath(source_root)
            raise UserError(f"there is no folder {DESIGNS}/ in {where}", hint=WHAT_DESIGNS_ARE) from error
        return
    for file in names:
        stem, suffix = os.path.splitext(file)
        if suffix in (".mlir", ".py") and not file.startswith((".", "_")):
            yield stem, os.path.join(DESIGNS, file)


def _elsewhere(
    name: str, said: DesignSettings, found: Mapping[str, DesignSource], source_root: str, settings_folder: str
) -> DesignSource:
    """A design whose source toolchain.toml names. Raises UserError."""
    path = os.path.relpath(os.path.join(settings_folder, said.source), source_root)
    _check_design_name(name, str(said.location or path), found, said.location)
    if not os.path.isfile(os.path.join(source_root, path)):
        raise UserError(f"there is no file {said.source!r}", said.source_location)
    if not path.endswith((".mlir", ".py")):
        raise UserError(f"{said.source!r} is no design", said.source_location, hint=WHAT_DESIGNS_ARE)
    return DesignSource(
        name, path, said.arguments, module=said.module, folder=_run_in(said, settings_folder),
        replaced=_replaced(said, path),
    )  # fmt: skip


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
    name: str, path: str, found: Mapping[str, DesignSource], location: Location | None = None
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
        UserError: there is no such design (similar names are given), or none at all and one is needed.
    """
    known = list(found)
    if not known and (needed or wanted):
        raise UserError(f"there is no design in {DESIGNS}/", hint=WHAT_DESIGNS_ARE)
    chosen = []
    for word in wanted:
        name = os.path.splitext(os.path.basename(word))[0] if word.endswith((".mlir", ".py")) else word
        if name not in known:
            hint = did_you_mean(name, known, f"designs: {', '.join(known)}", most=3)
            raise UserError(f"there is no design {name!r}", hint=hint)
        chosen.append(name)
    return chosen or known
