"""toolchain.toml: where tools are, which providers, which versions never, and options under a name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from npuninja.configure.options import Options
from npuninja.configure.package_table import read_package
from npuninja.configure.toml_file import Table, read_toml
from npuninja.detect.machine import TOOLS
from npuninja.detect.probe import Denied
from npuninja.errors import UserError
from npuninja.packaging.package import Package
from npuninja.plan.names import near
from npuninja.plan.providers import DRIVER, STAGES, choices_of


@dataclass(frozen=True)
class Settings:
    """The content of toolchain.toml, checked.

    Attributes:
        file: the file; "" when there is none.
        content: all that it says, as it was read.
        pins: tool -> absolute path.
        providers: stage -> real, embedded or auto.
        denied: versions that are not to be used.
        presets: the tables of presets.
        package: the table about packages, checked.
    """

    file: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    providers: Mapping[str, str] = field(default_factory=dict)
    denied: tuple[Denied, ...] = ()
    presets: Mapping[str, Table] = field(default_factory=dict)
    package: Package = field(default_factory=Package)


def read_settings(path: str) -> Settings:
    """Reads and checks a toolchain.toml.

    Raises:
        UserError: it is not TOML, or has a key or value that means nothing; located, with near matches.
    """
    whole = Table(read_toml(path), path)
    whole.only(["tools", "providers", "deny", "preset", "package"])
    names = [tool.name for tool in TOOLS]
    tools = whole.table("tools")
    tools.only(names)
    folder = os.path.dirname(os.path.abspath(path))
    pins = {name: os.path.join(folder, os.path.expanduser(tools.text(name) or "")) for name in tools.content}
    denied = []
    for entry in whole.tables("deny"):
        entry.only(["tool", "versions", "since", "until", "effect", "see"])
        tool, versions, days = (
            entry.text("tool"),
            entry.text("versions") or "",
            (entry.text("since"), entry.text("until")),
        )
        if tool not in names or not (versions or any(days)):
            hint = f"tools: {', '.join(names)}; since and until are days, as 2025-10-06"
            raise UserError(
                "[[deny]] needs `tool`, and `versions`, `since` or `until`", entry.place("tool"), hint=hint
            )
        for key, day in zip(("since", "until"), days):
            if day and not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
                raise UserError(f"{key!r} must be a day as 2025-10-06, got {day!r}", entry.place(key))
        effect, see = entry.text("effect") or "known to be bad", entry.text("see") or ""
        denied.append(Denied(tool, versions, effect, see, days[0] or "", days[1] or ""))
    presets = whole.table("preset")
    return Settings(
        file=path,
        content=whole.content,
        pins=pins,
        providers=_providers(whole.table("providers")),
        denied=tuple(denied),
        presets={name: presets.table(name) for name in presets.content},
        package=read_package(whole.table("package")),
    )


def _providers(table: Table) -> dict[str, str]:
    table.only([*STAGES, DRIVER])
    choices = {}
    for stage in table.content:
        choice = table.text(stage)
        known = choices_of(stage)
        if choice not in known:
            raise UserError(
                f"{stage!r} must be one of {', '.join(known)}, got {choice!r}", table.place(stage)
            )
        choices[stage] = choice
    return choices


def apply_preset(options: Options, settings: Settings) -> Options:
    """The options with those of the chosen preset put below them: what is on the command line wins.

    Raises:
        UserError: there is no such preset, or it has a key that is no option.
    """
    if options.preset is None:
        return options
    table = settings.presets.get(options.preset)
    if table is None:
        close = near(options.preset, list(settings.presets))
        meant = f"did you mean {close[0]!r}? " if close else ""
        known = ", ".join(settings.presets) or "none"
        raise UserError(
            f"there is no preset {options.preset!r}", hint=f"{meant}presets in toolchain.toml: {known}"
        )
    table.only(["device", "providers", "designs"])
    providers = [f"{stage}={choice}" for stage, choice in _providers(table.table("providers")).items()]
    return replace(
        options,
        device=options.device or table.text("device"),
        providers=(*providers, *options.providers),
        designs=options.designs or tuple(table.texts("designs")),
    )
