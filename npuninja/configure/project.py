"""Step 1 of configure.py, `open_project`: what the user wrote, read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping

from npuninja import TYPE_CHECKING
from npuninja.build_places import COMPILERS, PROJECT_MARKS, RECORD, SETTINGS
from npuninja.configure.designs import DesignSet, read_designs
from npuninja.configure.options import PREFIX, Options, to_arguments, with_absolute_paths
from npuninja.configure.package_table import package_of_project
from npuninja.configure.planned import modules_stamp
from npuninja.configure.python_bindings import bindings_of
from npuninja.configure.settings import Settings, read_settings, with_settings
from npuninja.configure.template import TEMPLATE, generated_designs, read_template
from npuninja.emit.template import Template
from npuninja.errors import UserError, in_words
from npuninja.packaging.package import Package
from npuninja.plan.designs import find_references
from npuninja.plan.layout import Layout, layout_of
from npuninja.plan.providers import parse_choices
from npuninja.records import record, replace

if TYPE_CHECKING:
    from npuninja.python_designs.script import Bindings

# Files of the build folder that hold what an earlier configure found.
REMEMBERED = (
    RECORD,
    COMPILERS,
    "planned.json",
    "probe_cache.json",
    "scan_cache.json",
    "compiler_cache",
    "python_bindings.json",
)


@record(frozen=True, kw_only=True)
class Project:
    """What the user wrote: options, settings, build rules, designs.

    Attributes:
        home: the folder of configure.py.
        layout: where files are.
        options: the command line, with toolchain.toml below it.
        recorded: the command line that asks for the same again.
        settings: toolchain.toml.
        asked: stage -> the provider that the command line asks for.
        template: build.ninja.in.
        designs: all of them, scanned; those that are wanted, and those that are faulty.
        references: the designs that have a NumPy reference; None when there is no folder of them.
        package: what the designs are packed as.
    """

    home: str
    layout: Layout
    options: Options
    recorded: tuple[str, ...]
    settings: Settings
    asked: Mapping[str, str]
    template: Template
    designs: DesignSet
    references: frozenset[str] | None
    package: Package

    @property
    def prefix(self) -> str:
        """Where `install` puts the designs."""
        return self.options.prefix or PREFIX

    @property
    def choices(self) -> Mapping[str, str]:
        """Stage -> the provider that is asked for, by toolchain.toml or by the command line, which wins."""
        return {**self.settings.providers, **self.asked}


def configure_words(home: str) -> tuple[str, ...]:
    """What Python runs to configure again: the project's configure.py, or the verb where there is none."""
    file = os.path.join(home, "configure.py")
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return (file,) if os.path.isfile(file) else (package, "configure")


def source_root_of(options: Options, home: str) -> str:
    """The project: what `-S` says, else the current folder when it is one, else that of configure.py."""
    if options.source_root:
        return os.path.abspath(options.source_root)
    here = os.getcwd()
    return here if any(map(os.path.exists, PROJECT_MARKS)) else os.path.abspath(home)


def open_project(
    options: Options,
    home: str,
    environment: Mapping[str, str] = os.environ,
    stamp: Callable[[], str] = modules_stamp,
) -> Project:
    """Reads the project that the options name, and changes the working folder to it. `environment` says where
    MLIR-AIE's bindings may be (for designs in Python), `stamp` gives that of npuninja's modules.

    Raises:
        UserError: there is no project, there can be no build folder, or something in it cannot be understood;
            located.
    """
    source_root = source_root_of(options, home)
    layout = layout_of(source_root, options.build_folder)
    options = with_absolute_paths(options)
    if source_root != os.path.abspath(home) and not options.source_root:
        options = replace(options, source_root=source_root)
    _check_folders(layout)
    # From here on paths are relative to the project, in messages too: `mlir/passthrough.mlir:4:5`.
    os.chdir(source_root)
    recorded = tuple(to_arguments(options))
    if options.fresh:
        _forget(layout)
    settings = _settings(options)
    options = with_settings(options, settings)
    references = find_references(".")
    asked = parse_choices(options.providers)
    template = read_template(TEMPLATE, layout)

    def bindings() -> Bindings | None:
        word = {**settings.providers, **asked}.get("python", "auto")
        return bindings_of(word, settings, environment, layout.build_folder)

    return Project(
        home=home,
        layout=layout,
        options=options,
        recorded=recorded,
        settings=settings,
        asked=asked,
        template=template,
        designs=read_designs(
            options,
            settings,
            layout,
            references or frozenset(),
            bindings,
            stamp,
            generated_designs(template, layout),
        ),
        references=references,
        package=package_of_project(settings.package, settings.file, options.preset),
    )


def _check_folders(layout: Layout) -> None:
    """Makes the build folder. Raises UserError when there is no project, or no build folder can be."""
    if not os.path.isdir(layout.source_root):
        raise UserError(
            f"-S: there is no folder {layout.source_root}", hint="give the folder that has mlir/ and kernels/"
        )
    try:
        os.makedirs(layout.build_folder, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot make the build folder {layout.build_folder}: {in_words(error)}",
            hint="give another one with -B FOLDER",
        ) from error


def _settings(options: Options) -> Settings:
    """The toolchain.toml that counts: the one that is named, else the project's, else none."""
    file = options.toolchain or (SETTINGS if os.path.isfile(SETTINGS) else None)
    if file is None and options.preset:
        raise UserError(
            f"there is no preset {options.preset!r}", hint=f"there is no {SETTINGS} in {os.getcwd()}"
        )
    return read_settings(file, options.preset) if file else Settings(folder=os.getcwd())


def _forget(layout: Layout) -> None:
    for name in REMEMBERED:
        path = os.path.join(layout.build_folder, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.unlink(path)
