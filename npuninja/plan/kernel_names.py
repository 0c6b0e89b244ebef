"""Which devices of a module a project builds, and what it calls their kernels."""

from __future__ import annotations

from collections.abc import Sequence

from npuninja.errors import Location, UserError
from npuninja.plan.design import Configuration, Design, KernelName
from npuninja.plan.design_settings import DesignSettings
from npuninja.plan.driver_flags import read_driver_flags
from npuninja.records import replace
from npuninja.suggestions import did_you_mean


def with_kernels(design: Design, said: DesignSettings) -> Design:
    """A design with only the devices that are asked for and those that they load, and the project's names.

    Raises:
        UserError: there is no such device, none that is asked for has a runtime sequence, or two kernels
            share a name or number; located in toolchain.toml.
    """
    where = said.location
    if read_driver_flags(design.aiecc_flags).expand_loads and not said.full_elf:
        raise UserError(
            "--expand-load-pdis is about a full ELF, and the design does not ask for one",
            where,
            hint="say full-elf = true, or leave the flag out",
        )
    configurations = _chosen(design.configurations, said.devices, where)
    if not any(configuration.sequences for configuration in configurations):
        names = ", ".join(f"@{name}" for name in said.devices)
        raise UserError(f"{names} has no runtime sequence, so nothing could ever be run on it", where)
    kernels = _resolved(said.kernels, configurations, said.kernels_location)
    chosen = replace(
        design,
        configurations=configurations,
        kernel_names=kernels,
        reconfiguration=said.reconfiguration,
        full_elf=said.full_elf,
    )
    names_of: dict[str | int, str] = {}
    for kernel in chosen.xclbin_kernels if said.kernels else ():
        for word in (kernel.name, kernel.number):
            other = names_of.setdefault(word, kernel.configuration.symbol)
            if other != kernel.configuration.symbol:
                shown = f"the number {word:#x}" if isinstance(word, int) else f"called {word!r}"
                raise UserError(
                    f"the kernels of @{other} and @{kernel.configuration.symbol} are both {shown}",
                    said.kernels_location,
                )
    return chosen


def _chosen(
    configurations: Sequence[Configuration], devices: Sequence[str], where: Location | None
) -> tuple[Configuration, ...]:
    known = {configuration.symbol: configuration for configuration in configurations}
    wanted: dict[str, None] = {}
    pending = list(devices)
    for name in devices:
        if name not in known:
            hint = did_you_mean(name, known, f"devices: {', '.join(known)}")
            raise UserError(f"the design has no device @{name}", where, hint=hint)
    while pending:
        name = pending.pop()
        if name in known and name not in wanted:
            wanted.setdefault(name)
            pending += known[name].loads
    return tuple(c for c in configurations if c.symbol in wanted or not devices)


def _resolved(
    names: Sequence[KernelName], configurations: Sequence[Configuration], where: Location | None
) -> tuple[KernelName, ...]:
    """The names, each with its device: one without is that of the only device."""
    if len(configurations) == 1:
        names = [name._replace(device=name.device or configurations[0].symbol) for name in names]
    known = {configuration.symbol: configuration for configuration in configurations}
    seen: set[str] = set()
    for name in names:
        if name.device not in known:
            hint = did_you_mean(name.device, known, f"devices: {', '.join(known)}")
            raise UserError(f"'kernels': the design has no device @{name.device}", where, hint=hint)
        if name.device in seen:
            raise UserError(f"'kernels': @{name.device} has two names", where)
        seen.add(name.device)
    return tuple(names)
