"""What toolchain.toml says, as planning and detection take it; with a preset laid over it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import partial

from npuninja import TYPE_CHECKING
from npuninja.configure.options import Options
from npuninja.configure.package_table import read_package
from npuninja.detect.probe import Denied
from npuninja.errors import Location, UserError
from npuninja.formats.xclbin_sections import DEFAULT_INSTANCE_NAME, check_kernel_name
from npuninja.packaging.package import Package
from npuninja.plan.design import KernelName
from npuninja.plan.design_settings import DesignSettings
from npuninja.plan.kernel_settings import KernelSettings, joined
from npuninja.records import field, record, replace
from npuninja.settings.reader import SettingsFile
from npuninja.settings.table import CONFIGURE
from npuninja.settings.toml_file import Table

if TYPE_CHECKING:
    from typing import Any

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
# Variables that stand for what configure found, and the tool whose installation it is.
FOUND_VARIABLES = {"MLIR_AIE": "aie-opt", "PEANO": "peano", "XRT": "xclbinutil"}


@record(frozen=True)
class Settings:
    """The content of toolchain.toml, checked, with the preset that was asked for.

    Attributes:
        file: the file; "" when there is none.
        content: all that it says, as it was read.
        pins: tool -> absolute path.
        pin_places: tool -> where that is.
        unused: tools that are not to be used.
        providers: stage -> its provider.
        denied: versions that are not to be used.
        presets: the names of the presets.
        package: the table about packages, checked.
        kernels: how kernel objects are built.
        designs: design -> what is said about it.
        hosts: host program -> its table.
        host_places: host program -> where that is.
        options: options of configure.py, by the names of the file.
        generation: of the dialect, `auto` when it is not said.
        requires: the versions of npuninja that do.
        folder: where the file lies; paths count from there.
    """

    file: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    pin_places: Mapping[str, Location] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    providers: Mapping[str, str] = field(default_factory=dict)
    provider_places: Mapping[str, Location] = field(default_factory=dict)
    denied: tuple[Denied, ...] = ()
    presets: tuple[str, ...] = ()
    package: Package = field(default_factory=Package)
    kernels: tuple[KernelSettings, ...] = ()
    designs: Mapping[str, DesignSettings] = field(default_factory=dict)
    hosts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    host_places: Mapping[str, Location] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    generation: str = "auto"
    requires: str = ""
    folder: str = ""

    def design(self, name: str) -> DesignSettings:
        """What is said about a design, which may be nothing."""
        return self.designs.get(name) or DesignSettings(name)


def read_settings(path: str, preset: str | None = None) -> Settings:
    """Reads and checks a toolchain.toml.

    Raises:
        UserError: it is not TOML, a key or value means nothing, or there is no such preset; located, with
            near matches.
    """
    file = SettingsFile(path)
    content = file.with_preset(preset)
    folder = os.path.dirname(os.path.abspath(path))
    tools = content.get("tools", {})
    pins = {
        name: os.path.join(folder, os.path.expanduser(value))
        for name, value in tools.items()
        if value is not False
    }
    denied = []
    for number, entry in enumerate(content.get("deny", [])):
        if not any(entry.get(key) for key in ("versions", "since", "until")):
            where = file.place("deny", str(number))
            raise UserError("[[deny]] needs `tool`, and `versions`, `since` or `until`", where)
        texts = (entry.get(key, "") for key in ("versions", "effect", "see", "since", "until"))
        versions, effect, see, since, until = texts
        denied.append(Denied(entry["tool"], versions, effect or "known to be bad", see, since, until))
    requires = content.get("npuninja", "")
    if requires:
        _check_requirement(requires, file.place("npuninja"))
    providers = content.get("providers", {})
    return Settings(
        file=path,
        content=file.content,
        pins=pins,
        pin_places={name: file.place("tools", name) for name in pins},
        unused=tuple(name for name, value in tools.items() if value is False),
        providers=providers,
        provider_places={stage: file.place("providers", stage) for stage in providers},
        denied=tuple(denied),
        presets=tuple(file.presets()),
        package=read_package(Table(content.get("package", {}), path, "package")),
        kernels=tuple(_kernels(content.get("kernel", {}), file)),
        designs={name: _design(name, table, file) for name, table in content.get("design", {}).items()},
        hosts=content.get("host", {}),
        host_places={name: file.place("host", name) for name in content.get("host", {})},
        options=content.get("configure", {}),
        generation=content.get("generation", "auto"),
        requires=requires,
        folder=folder,
    )


def _kernels(tables: Mapping[str, Any], file: SettingsFile) -> list[KernelSettings]:
    found = []
    for name, value in tables.items():
        for number, table in enumerate(value if isinstance(value, list) else [value]):
            way = ("kernel", name, *([str(number)] if isinstance(value, list) else []))
            lists = {key: tuple(table.get(key, ())) for key in ("defines", "include", "flags", "designs")}
            sources = tuple(table["sources"]) if "sources" in table else None
            places = {key: file.place(*way, key) for key in table}
            found.append(
                KernelSettings(
                    name,
                    file.place(*way),
                    sources,
                    language=table.get("language", ""),
                    float=table.get("float", ""),
                    locations=tuple(places.items()),
                    **lists,
                )
            )
    return found


def _design(name: str, table: Mapping[str, Any], file: SettingsFile) -> DesignSettings:
    place = partial(file.place, "design", name)
    plain: dict[str, Any] = {
        key.replace("-", "_"): tuple(value) if isinstance(value, list) else value
        for key, value in table.items()
        if key not in ("replace", "kernels")
    }
    return DesignSettings(
        name=name,
        location=place(),
        source_location=place("source"),
        replaced=_replaced(name, table.get("replace", ()), file),
        kernels=tuple(_kernel_name(word, name, file) for word in table.get("kernels", ())),
        kernels_location=place("kernels"),
        **plain,
    )


def _kernel_name(word: str, design: str, file: SettingsFile) -> KernelName:
    """Reads a word `[DEVICE=]KERNEL[:INSTANCE[:ID]]` of a design's `kernels`; UserError for others."""
    place = file.place("design", design, "kernels")
    device, equals, rest = word.rpartition("=")
    name, _, more = rest.partition(":")
    instance, _, number = more.partition(":")
    try:
        if equals and not device:
            raise ValueError
        check_kernel_name(name, instance or DEFAULT_INSTANCE_NAME)
        return KernelName(device, name, instance, int(number, 0) if number else 0)
    except ValueError:
        raise UserError(f"'kernels' must be DEVICE=KERNEL[:INSTANCE[:ID]], got {word!r}", place) from None
    except UserError as error:
        raise UserError(f"'kernels': {error.message}", place) from error


def _replaced(name: str, words: Sequence[str], file: SettingsFile) -> tuple[tuple[str, str], ...]:
    for word in words:
        if not word.partition("=")[1] or word.startswith("="):
            place = file.place("design", name, "replace")
            raise UserError(f"'replace' must be WORD=TEXT, got {word!r}", place)
    return tuple((word.partition("=")[0], word.partition("=")[2]) for word in words)


def _check_requirement(requires: str, where: Location) -> None:
    """UserError when this npuninja is not of the versions that a project can be built with."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    from npuninja import __version__

    try:
        good = SpecifierSet(requires).contains(__version__, prereleases=True)
    except InvalidSpecifier as error:
        raise UserError(f"'npuninja' must be versions as \">=0.1, <2\", got {requires!r}", where) from error
    if not good:
        raise UserError(
            f"this project wants npuninja {requires}, and this is {__version__}",
            where,
            hint=f"pip install 'npuninja{requires}'",
        )


def with_settings(options: Options, settings: Settings) -> Options:
    """The options, with those of the file below them: what is not empty on the command line wins. In a script
    `--launcher "$LAUNCHER"` is empty when nobody set the variable.
    """
    said = {key.name: settings.options[key.name] for key in CONFIGURE.keys if key.name in settings.options}
    paths = [_below(settings.folder, path) for path in said.get("include", ())]
    lists = {"defines": [*said.get("define", ()), *options.defines], "includes": [*paths, *options.includes]}
    changes: dict[str, Any] = {name: tuple(values) for name, values in lists.items()}
    plain = Options()
    for key, value in said.items():
        name = _FIELDS.get(key, key)
        if name not in changes and getattr(options, name) in ("", getattr(plain, name)):
            changes[name] = tuple(value) if isinstance(value, list) else value
    if "prefix" in changes:
        changes["prefix"] = _below(settings.folder, changes["prefix"])
    return replace(options, **changes)


#: Keys of the file whose options have another name in the record.
_FIELDS = {"separate-stages": "separate", "define": "defines", "include": "includes"}


def _below(folder: str, path: str) -> str:
    # `$NAME` may stand for an absolute path, which is known only when tools were found.
    return path if "$" in path else os.path.join(folder, os.path.expanduser(path))


def variables_in(settings: Settings, options: Options) -> list[str]:
    """The variables of the environment that paths of the file and of the command line name."""
    texts = [path for kernel in settings.kernels for path in (*kernel.include, *(kernel.sources or ()))]
    texts += [
        path
        for host in settings.hosts.values()
        for path in (*host.get("include", ()), *host.get("sources", ()), host.get("folder", ""))
    ]
    texts += [*settings.options.get("include", []), *options.includes]
    return sorted({match[1] or match[2] for text in texts for match in _VARIABLE.finditer(text)})


def expanded(path: str, variables: Mapping[str, str], where: Location | None) -> str:
    """A path with its `$NAME`s replaced.

    Raises:
        UserError: there is no such variable; located.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in variables:
            tool = FOUND_VARIABLES.get(name)
            hint = (
                f"it is the installation of {tool}, which is not usable here: set it in the environment, "
                "or name the tool in [tools]"
                if tool
                else "set it in the environment of configure.py"
            )
            raise UserError(f"there is no value for ${name} in {path!r}", where, hint=hint)
        return variables[name]

    return _VARIABLE.sub(value, os.path.expanduser(path))


def resolved_kernels(
    settings: Settings, options: Options, variables: Mapping[str, str], source_root: str
) -> tuple[KernelSettings, ...]:
    """How kernels are built, with paths relative to the project or absolute.

    What the command line adds for all of them is the last entry, `*`.
    """

    def resolved(paths: Sequence[str], folder: str, where: Location | None) -> tuple[str, ...]:
        return tuple(from_root(expanded(path, variables, where), folder, source_root) for path in paths)

    found = []
    for kernel in settings.kernels:
        sources = kernel.sources
        if sources is not None:
            sources = resolved(sources, settings.folder, kernel.place("sources"))
        include = resolved(kernel.include, settings.folder, kernel.place("include"))
        found.append(replace(kernel, sources=sources, include=include))
    if options.defines or options.includes:
        include = resolved(options.includes, source_root, None)
        found.append(joined("*", defines=options.defines, include=include))
    return tuple(found)


def from_root(path: str, folder: str, source_root: str) -> str:
    """A path that counts from `folder`, relative to the project where it lies below it, else absolute."""
    absolute = os.path.normpath(os.path.join(folder, path))
    below = os.path.join(source_root, "")
    return absolute[len(below) :] or "." if (absolute + os.sep).startswith(below) else absolute
