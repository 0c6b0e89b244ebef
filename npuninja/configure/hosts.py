"""The host programs of a project: what toolchain.toml says of them, and the other programs in host/."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping

from npuninja import TYPE_CHECKING
from npuninja.configure.settings import Settings, expanded, from_root
from npuninja.errors import Location, UserError, in_words
from npuninja.file_kinds import C_SUFFIXES
from npuninja.formats.notebook import program_of_notebook
from npuninja.plan.designs import HOST
from npuninja.plan.host_program import (
    DEFAULT_TIME_LIMIT_S,
    NOTEBOOK,
    SCRIPT_SUFFIXES,
    HostProgram,
)
from npuninja.plan.names import is_name

if TYPE_CHECKING:
    import ast
    from typing import Any

_SCRIPT_END = "_test.py"
#: What programs that test a design take, by the custom of MLIR-AIE's examples.
_CUSTOM = ("-x", "{xclbin}", "-i", "{insts}", "-k", "MLIR_AIE")


def has_hosts(settings: Settings, designs: Collection[str] = ()) -> bool:
    """Whether any host program is compiled or run. `X_test.py` does not count where `X_test` is a design."""
    return bool(settings.hosts) or any(
        not (name.endswith(_SCRIPT_END) and name.removesuffix(".py") in designs) for name in _found()
    )


def has_sources(settings: Settings) -> bool:
    """Whether there is any host program to be compiled."""
    return bool(settings.hosts) or any(name.endswith(C_SUFFIXES) for name in _found())


def _found() -> Iterator[str]:
    """The names of the files in host/ that are host programs by their names."""
    if os.path.isdir(HOST):
        for name in sorted(os.listdir(HOST)):
            if name.endswith((*C_SUFFIXES, _SCRIPT_END)):
                yield name


def read_hosts(
    settings: Settings, variables: Mapping[str, str], source_root: str, designs: Collection[str]
) -> tuple[HostProgram, ...]:
    """All host programs of the project in the working folder, by name.

    Args:
        settings: toolchain.toml.
        variables: what `$NAME` in its paths stands for.
        source_root: the project.
        designs: the names of its designs: `host/NAME.cpp` and `host/NAME_test.py` are for the design NAME.

    Raises:
        UserError: a table says nothing that could be run, or a source is not there; located.
    """
    programs = {name: _from_table(name, settings, variables, source_root, designs) for name in settings.hosts}
    spoken_of = {source for program in programs.values() for source in program.sources}
    for file in _found():
        path = f"{HOST}/{file}"
        stem = os.path.splitext(file)[0]
        design = stem.removesuffix("_test") if file.endswith(_SCRIPT_END) else stem
        if path in spoken_of or stem in programs or design not in designs:
            continue
        programs[stem] = HostProgram(
            name=stem, location=Location(path), sources=(path,), arguments=_CUSTOM, designs=(design,),
            module=_module_of(_script(path)) if path.endswith(".py") else "",
        )  # fmt: skip
    return tuple(programs[name] for name in sorted(programs))


def _from_table(
    name: str, settings: Settings, variables: Mapping[str, str], source_root: str, designs: Collection[str]
) -> HostProgram:
    table = settings.hosts[name]
    where = settings.host_places.get(name) or Location(settings.file)
    if not is_name(name):
        raise UserError(f"{name!r} cannot be the name of a host program", where, hint="letters, digits and _")

    def path(text: str) -> str:
        return from_root(expanded(text, variables, where), settings.folder, source_root)

    sources = tuple(map(path, table.get("sources", ()))) or tuple(_by_name(name))
    refused = table.get("refused", "")
    if refused and not sources:
        return HostProgram(name=name, location=where, sources=(), refused=refused)
    _check_sources(name, sources, where)
    is_script = sources[0].endswith(SCRIPT_SUFFIXES)
    if table.get("module") and not is_script:
        raise UserError(f"host program {name} is no Python script, and module is for those", where)
    _check_designs(name, table.get("designs", ()), designs, where)
    folder = path(table["folder"]) if table.get("folder") else ""
    module = ""
    if is_script:
        script = _script(sources[0])
        module = _module_of(script)
        folders = [os.path.dirname(sources[0]), folder or ".", *_python_path(table)]
        refused = refused or _lacking(sources[0], script, module, folders)
    return HostProgram(
        name=name,
        location=where,
        sources=sources,
        include=tuple(map(path, table.get("include", ()))),
        libraries=tuple(lib if "/" not in lib else path(lib) for lib in table.get("libraries", ())),
        language=table.get("language", ""),
        folder=folder,
        designs=tuple(table.get("designs", ())) or ((name,) if name in designs else ()),
        time_limit_s=table.get("time-limit-s", DEFAULT_TIME_LIMIT_S),
        run_as=table.get("module", ""),
        device=table.get("device", ""),
        output_has=tuple(table.get("output-has", ())),
        module=module,
        refused=refused,
        **{
            key: tuple(table.get(key, ()))
            for key in ("defines", "flags", "arguments", "environment", "files")
        },
    )


def _check_sources(name: str, sources: tuple[str, ...], where: Location) -> None:
    if not sources:
        raise UserError(
            f"host program {name} has no sources, and there is no {HOST}/{name}.cpp", where,
            hint='say sources = ["PATH"]',
        )  # fmt: skip
    for source in sources:
        if not os.path.isfile(source):
            raise UserError(f"host program {name}: there is no file {source}", where)
        if not source.endswith((*C_SUFFIXES, *SCRIPT_SUFFIXES, ".o", ".a")):
            raise UserError(f"host program {name}: {source} is neither C, C++ nor Python", where)
    if len(sources) > 1 and any(source.endswith(SCRIPT_SUFFIXES) for source in sources):
        raise UserError(f"host program {name} has a Python script among several sources", where)


def _check_designs(name: str, named: Iterable[str], designs: Collection[str], where: Location) -> None:
    for design in named:
        if design not in designs:
            raise UserError(
                f"host program {name} names the design {design!r}, which there is not", where,
                hint=f"designs: {', '.join(sorted(designs)) or 'none'}",
            )  # fmt: skip


def _lacking(path: str, script: ast.Module, module: str, folders: list[str]) -> str:
    """Why a script cannot run with this Python's packages; "" when it can, or another Python runs it."""
    from npuninja.configure.absent_packages import absent_packages, install_words

    missing = absent_packages(script, folders) if module in ("aie", "") else ()
    if not missing:
        return ""
    return (
        f"{os.path.basename(path)} needs {' and '.join(missing)}, which this Python does not have: "
        f"{install_words(missing)}, and python configure.py again"
    )


def _by_name(name: str) -> Iterator[str]:
    for end in (*C_SUFFIXES, ".py"):
        path = f"{HOST}/{name}{end}"
        if os.path.isfile(path):
            yield path
            return


def _python_path(table: Mapping[str, Any]) -> list[str]:
    """The folders that a table's environment gives to Python."""
    values = dict(word.partition("=")[::2] for word in table.get("environment", ()))
    return [folder for folder in values.get("PYTHONPATH", "").split(os.pathsep) if folder]


def _script(path: str) -> ast.Module:
    import ast  # 4 ms, and many projects have no such programs

    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        return ast.parse(program_of_notebook(text, path) if path.endswith(NOTEBOOK) else text, path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {in_words(error)}") from error
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise UserError(f"not Python: {getattr(error, 'msg', error)}", Location(path, line)) from error


def _module_of(tree: ast.Module) -> str:
    """What a script imports of the host's side: "aie", "pyxrt", "both", or ""."""
    import ast

    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    used = names & {"aie", "pyxrt"}
    return "both" if len(used) == 2 else "".join(used)
