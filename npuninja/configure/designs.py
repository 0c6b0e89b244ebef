"""Which designs there are, which were asked for, which are faulty: one faulty design stops one design."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import DEVICES
from npuninja.configure.hosts import has_hosts
from npuninja.configure.options import Options
from npuninja.configure.settings import Settings
from npuninja.errors import Error, Location, UserError
from npuninja.plan.design import Design
from npuninja.plan.design_reader import DesignReader, ScanCache
from npuninja.plan.designs import HOST, DesignSource, Faulty, faulty, find_designs, select
from npuninja.plan.driver_flags import read_driver_flags
from npuninja.plan.kernel_names import with_kernels
from npuninja.plan.known_scans import KnownScans
from npuninja.plan.layout import Layout
from npuninja.records import record, replace
from npuninja.suggestions import did_you_mean

if TYPE_CHECKING:
    from npuninja.plan.python_design import StartedDesign
    from npuninja.python_designs.script import Bindings


@record(frozen=True)
class DesignSet:
    """The designs of a project.

    Attributes:
        designs: all that can be built, in the order of the names.
        wanted: the names of those that are built when none is named; faulty ones are among them.
        faulty: those that cannot be built.
        left_out: how many were not asked for.
    """

    designs: tuple[Design, ...]
    wanted: tuple[str, ...]
    faulty: tuple[Faulty, ...]
    left_out: int = 0

    @property
    def names(self) -> frozenset[str]:
        """The names of all designs, faulty ones too."""
        return frozenset([*(design.name for design in self.designs), *(fault.name for fault in self.faulty)])

    def without(self, refused: Sequence[Faulty]) -> DesignSet:
        """These designs, with those that planning refused among the faulty ones."""
        names = {f.name for f in refused}
        kept = tuple(design for design in self.designs if design.name not in names)
        return replace(self, designs=kept, faulty=(*self.faulty, *refused))


def read_designs(
    options: Options,
    settings: Settings,
    layout: Layout,
    references: frozenset[str],
    bindings: Callable[[], Bindings | None],
    stamp: Callable[[], str],
    made_by_build: Sequence[str] = (),
) -> DesignSet:
    """All designs of the project in the working folder, scanned. `bindings` is asked when one is in Python;
    `stamp`, for npuninja's modules, where the build folder knows no scans. Those of the names
    `made_by_build` may be missing.

    Raises:
        UserError: there is none at all, none of those that were asked for, or none for the device.
    """
    for option, name in (("--device", options.device), ("--retarget", options.retarget)):
        _check_device(option, name)
    cache = ScanCache(os.path.join(layout.build_folder, "scan_cache.json"))
    generated = os.path.relpath(os.path.join(layout.build_folder, "designs"))
    needed = not made_by_build and not has_hosts(settings)  # which may make their designs themselves
    sources, refused = find_designs(".", settings.designs, settings.folder or ".", needed)
    names = sorted({*sources, *(f.name for f in refused)})
    wanted = [
        name
        for name in select(dict.fromkeys((*names, *made_by_build)), options.designs, needed)
        if name in names
    ]
    designs: list[Design] = []
    printing = bindings() if any(source.path.endswith(".py") for source in sources.values()) else None
    known = KnownScans(".", stamp) if cache.is_new and not options.fresh else None
    reader = DesignReader(generated, cache, printing, known)
    try:
        decided: dict[str, DesignSource] = {}
        for name, source in sources.items():
            try:
                decided[name] = _decided(source, settings)
            except Error as error:
                refused.append(faulty(name, source.path, error))
        for name, read in _readings(decided, reader):
            try:
                design = _with_settings(read(), settings, references)
                if options.retarget:
                    from npuninja.plan.retarget import retargeted  # which reads MLIR

                    folder = os.path.relpath(os.path.join(layout.build_folder, "retargeted"))
                    design = retargeted(design, options.retarget, folder)
                designs.append(design)
            except Error as error:
                refused.append(faulty(name, sources[name].path, error))
    finally:
        cache.save()
        if known is not None:
            known.save()
    if options.device is not None:
        fitting = {d.name for d in designs if fits(d.device, options.device)}
        wanted = _for_device(options, designs, wanted, fitting)
    return DesignSet(tuple(designs), tuple(wanted), tuple(refused), len(names) - len(wanted))


def _readings(
    sources: Mapping[str, DesignSource], reader: DesignReader
) -> Iterator[tuple[str, Callable[[], Design]]]:
    """Each design by name, and what gives it.

    Designs in Python are programs that run for themselves: of those that are not remembered, as many run at a
    time as there are processors.
    """
    remembered = {name: reader.remembered(source) for name, source in sources.items()}
    scripts = [name for name in remembered if remembered[name] is None and sources[name].path.endswith(".py")]
    known = {name: text for name in scripts if (text := reader.known_print(sources[name])) is not None}
    waiting = [name for name in scripts if name not in known]
    waiting.reverse()
    started: dict[str, StartedDesign | Error] = {}
    with ExitStack() as at_the_end:

        def start_next() -> None:
            if waiting:
                name = waiting.pop()
                try:
                    started[name] = at_the_end.enter_context(reader.start(sources[name]))
                except Error as error:
                    started[name] = error

        def printed(name: str) -> Design:
            process = started.pop(name)
            try:
                if isinstance(process, Error):
                    raise process
                with process:
                    text = process.result()
            finally:
                start_next()  # it runs while this one's text is read
            return reader.made(sources[name], text)

        for _ in range(os.cpu_count() or 1):
            start_next()
        for name, design in remembered.items():
            if design is not None:
                yield name, partial(_itself, design)
            elif name in known:
                yield name, partial(reader.made, sources[name], known[name])
            elif sources[name].path.endswith(".py"):
                yield name, partial(printed, name)
            else:
                yield name, partial(reader.made, sources[name])


def _itself(design: Design) -> Design:
    return design


def _decided(source: DesignSource, settings: Settings) -> DesignSource:
    """A source with what decides the places of its cores."""
    said = settings.design(source.name)
    read_driver_flags(said.aiecc_flags, said.location)
    return replace(source, aiecc_flags=said.aiecc_flags, generation=said.generation or settings.generation)


def _with_settings(design: Design, settings: Settings, references: frozenset[str]) -> Design:
    said = settings.design(design.name)
    reference = os.path.relpath(os.path.join(settings.folder, said.reference)) if said.reference else ""
    if reference and not os.path.isfile(reference):
        raise UserError(f"there is no reference {said.reference!r}", said.location)
    if not reference and design.name in references:
        reference = os.path.join(HOST, f"{design.name}.py")
    flags = (*design.aiecc_flags, *said.aiecc_flags)
    read_driver_flags(flags, said.location or Location(design.source))
    if design.name in settings.designs:
        design = with_kernels(design, said)
    return replace(
        design,
        generation=said.generation or settings.generation,
        alloc_scheme=said.alloc_scheme,
        aiecc_flags=flags,
        reference=reference,
    )


def fits(design_device: str, device: str) -> bool:
    """Whether a design for one device runs on another: on the same, or on the whole array of its family."""
    whole = DEVICES[device]
    return design_device == device or (whole.whole_array and DEVICES[design_device].family == whole.family)


def _for_device(
    options: Options, designs: Sequence[Design], wanted: Sequence[str], fitting: set[str]
) -> list[str]:
    """Those of the wanted designs that fit the device; one that was named must."""
    for design in designs:
        if design.name in wanted and design.name not in fitting and (options.designs or not fitting):
            raise UserError(
                f"the design is for {design.device}, not for {options.device} as --device says",
                design.device_location,
                hint="change aie.device(…), or name the designs that are for that device",
            )
    return [name for name in wanted if name in fitting]


def _check_device(option: str, device: str | None) -> None:
    if device is not None and device not in DEVICES:
        hint = did_you_mean(device, DEVICES, f"devices: {', '.join(DEVICES)}")
        raise UserError(f"{option}: there is no NPU device {device!r}", hint=hint)
