"""A run on the emulated array in which cores of machine code count every bundle that they issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from npuninja.errors import Location, UserError
from npuninja.machine_code.functions import Functions
from npuninja.machine_code.known_programs import elves_beside, known_programs, program_image
from npuninja.machine_code.profile import Profile, ProfiledFrame, profile_of
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from npuninja.emulator.machine_cores import MachineCore


class RunInputs(NamedTuple):
    """What is run: the XCLBIN's bytes and name, instructions, content of the buffers, kernel, time limit."""

    xclbin: bytes
    name: str
    insts: bytes
    content: list[bytes]
    kernel: str | None
    time_limit_s: float


class CoreProfile(NamedTuple):
    """One core after the run.

    Attributes:
        column, row: its place.
        issue_cycles: bundles that it issued: exact.
        stall_cycles: by kind: modelled.
        has_symbols: whether an ELF of its program is known.
        profile: where the cycles went.
    """

    column: int
    row: int
    issue_cycles: int
    stall_cycles: dict[str, int]
    has_symbols: bool
    profile: Profile

    def to_json(self) -> dict[str, Any]:
        """The core's figures as data for JSON: functions, lines, frames."""
        return {
            "column": self.column,
            "row": self.row,
            "issue_cycles": self.issue_cycles,
            "stall_cycles": self.stall_cycles,
            "has_symbols": self.has_symbols,
            "functions": [row.to_json() for row in self.profile.functions],
            "lines": [{"line": line, "issue_cycles": cycles} for line, cycles in self.profile.lines],
            "frames": [frame.to_json() for frame in self.profile.frames],
        }


class ProfiledRun(NamedTuple):
    """The cores after a run. `is_cut`: the time limit ended it, so the figures are of its beginning."""

    cores: list[CoreProfile]
    is_cut: bool


def profile_run(run: RunInputs, wanted: Sequence[str] = ()) -> ProfiledRun:
    """Runs, and says where each core's cycles went.

    Args:
        run: what is run. ELFs beside the XCLBIN give names and C lines.
        wanted: ELFs that a person named.

    Raises:
        UserError: no core has machine code, or an ELF of `wanted` is of no core here.
        EmulationError: the run ended badly, apart from the time limit.
    """
    from npuninja.emulator import Emulator  # wasmtime takes 50 ms
    from npuninja.emulator.errors import TimeLimit

    asked = {path: known_programs([path], wanted) for path in wanted}
    known = known_programs(elves_beside(run.name), wanted)
    for programs in asked.values():
        known.update(programs)
    with Emulator.from_xclbin(run.xclbin, kernel=run.kernel, name=run.name, count_bundles=True) as npu:
        if not npu.machine_cores():
            raise UserError(
                "no core of the design has machine code, so there are no issue cycles",
                hint="npuninja model NAME.json",
            )
        images = {program_image(core.pieces) for core in npu.machine_cores()}
        for path, programs in asked.items():
            if not images & set(programs):
                raise UserError("no core of the design has the program in this ELF", Location(path))
        hosts = npu.allocate_filled(run.content)
        is_cut = False
        try:
            npu.run(run.insts, hosts, run.time_limit_s)
        except TimeLimit:
            is_cut = True
        cores = []
        for core in npu.machine_cores():
            found = known.get(program_image(core.pieces))
            functions = Functions(core.pieces, found.symbols if found is not None else ())
            made = profile_of(functions, core.runtime.issues, found.lines if found is not None else None)
            cores.append(_of(core, found is not None, made))
        for host in hosts:
            host.view.release()
    return ProfiledRun(cores, is_cut)


def _of(core: MachineCore, has_symbols: bool, profile: Profile) -> CoreProfile:
    return CoreProfile(
        core.info.column, core.info.row, core.issue_cycles(), core.stall_cycles(), has_symbols, profile
    )


def core_frame(core: CoreProfile) -> ProfiledFrame:
    """A core as the root of its tree."""
    total = sum(frame.issue_cycles for frame in core.profile.frames)
    return ProfiledFrame(f"core ({core.column}, {core.row})", total, 0.0, core.profile.frames)
