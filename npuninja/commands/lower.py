"""`npuninja lower`: one design through all steps of the lowering, in one process."""

from __future__ import annotations

import gc
import sys

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Operation, clone
from npuninja.lowering import passes
from npuninja.lowering.generation import CHOICES
from npuninja.lowering.resources.allocation_schemes import SCHEMES
from npuninja.records import NamedTuple
from npuninja.stages._run import Outputs, print_warnings, read_arguments, read_text

if TYPE_CHECKING:
    from typing import Sequence

USAGE = """\
usage: npuninja lower DESIGN.mlir -o FOLDER [--alloc-scheme basic-sequential|bank-aware]
                      [--generation auto|2025-10|2026-02|2026-08] [--packet-fifos]
                      [--dynamic-fifos true|false] [--werror]
                      [--print-after PASS|all]… [--stop-after PASS]
       npuninja lower DESIGN.mlir --print-after PASS|all… [--stop-after PASS]
       npuninja lower --passes

Writes into FOLDER: input_with_addresses.mlir, input_physical.mlir, npu_insts.mlir, insts.bin, and
core_C_R.ld.script for each core. A module with several devices puts `DEVICE.` in front of the last two; a
device with several runtime sequences has insts.SEQUENCE.bin; a module with scratchpad parameters has
params.txt. Without --alloc-scheme buffers are spread over the banks, or laid out one after the other where
that does not fit. `auto` (default) reads the generation of MLIR-AIE off the design's syntax. With
--packet-fifos objectFifos use packet flows instead of circuits. --dynamic-fifos says whether cores that do
not say it keep their loops and choose a FIFO's object at run time (default false, as the passes of MLIR-AIE
do; its driver, and builds here, take true from 2026-08 on). With --werror what would be a warning is an
error.

--print-after prints the module on standard error after a pass, under the names of MLIR-AIE's passes, which
--passes lists. --stop-after ends after one: it writes FOLDER/PASS.mlir only, or without -o prints the
module. Without -o and --stop-after nothing is written.
"""
OPTIONS = ("--alloc-scheme", "--generation", "--dynamic-fifos", "--print-after", "--stop-after")
FLAGS = ("--packet-fifos", "--werror", "--passes")


def _meant(word: str) -> str:
    """A file, or the source of a design of the project here that is named."""
    import os

    if os.path.isfile(word) or not word.isidentifier():
        return word
    from npuninja.configure.built import project_folder
    from npuninja.configure.options import Options
    from npuninja.configure.project import open_project
    from npuninja.plan.designs import select

    here, project = os.getcwd(), project_folder()
    sources = {d.name: d.source for d in open_project(Options(), project).designs.designs}
    os.chdir(here)
    select(list(sources), [word])
    return os.path.relpath(os.path.join(project, sources[word]))


def _printed(script: str) -> str:
    """The MLIR that a design in Python prints, as the build runs it."""
    import os

    from npuninja.plan.python_design import run_python_design

    return run_python_design(script, os.getcwd()).text


def main(arguments: list[str]) -> int:
    """Runs the verb. All files are written, or none."""
    if "--help" in arguments or "-h" in arguments:
        sys.stdout.write(USAGE)
        return 0
    options = read_arguments("npuninja lower", arguments, options=OPTIONS, flags=FLAGS)
    if "--passes" in options.flags:
        sys.stdout.write("".join(f"{name}\n" for name in passes.names()))
        return 0
    shown = [name if name == "all" else passes.find(name) for name in options.all("--print-after")]
    stop = options.optional("--stop-after")
    watch = Watch(shown, passes.find(stop) if stop else "")
    source = _meant(options.input())
    folder = options.optional("-o")
    if folder is None and not stop and not shown:
        raise UserError("npuninja lower: option -o is missing", hint="-o FOLDER says where the files go")
    scheme = _choice("--alloc-scheme", options.optional("--alloc-scheme"), SCHEMES)
    generation = _choice("--generation", options.optional("--generation"), CHOICES) or "auto"
    dynamic = _choice("--dynamic-fifos", options.optional("--dynamic-fifos"), ("true", "false"))
    warnings = Warnings()
    gc.disable()  # looking for garbage would cost a tenth of the time and find little
    try:
        packets = "--packet-fifos" in options.flags
        text = _printed(source) if source.endswith(".py") else read_text(source)
        files = lower_design(
            text, source, scheme, generation, warnings,
            packet_fifos=packets, dynamic_fifos=dynamic == "true" if dynamic else None, watch=watch,
        )  # fmt: skip
    finally:
        gc.enable()
    print_warnings(warnings, as_errors="--werror" in options.flags)
    if folder is not None:
        write_files(folder, files)
    elif stop:
        sys.stdout.write(files[f"{watch.stop}.mlir"].decode())
    return 0


class Watch(NamedTuple):
    """What is looked at on the way: the passes after which the module is printed, and the last one."""

    shown: Sequence[str] = ()
    stop: str = ""

    def run(self, step: Sequence[passes.Pass], module: Operation, settings: passes.PassSettings) -> bool:
        """Runs the passes of a step; returns whether that was the last."""
        wanted, stopped = passes.until(step, settings.rules, self.stop)
        passes.run_passes(wanted, module, settings, self._after(module) if self.shown else None)
        return stopped

    def _after(self, module: Operation) -> passes.After:
        from npuninja.ir.printer import print_module

        def after(one: passes.Pass, root: Operation) -> None:
            if one.name in self.shown or "all" in self.shown:
                of = f" on @{root.string('sym_name', 'main')}" if root is not module else ""
                sys.stderr.write(f"// -----// after {one.name}{of} //----- //\n{print_module(module)}\n")

        return after


def _choice(option: str, value: str | None, allowed: tuple[str, ...]) -> str | None:
    if value is not None and value not in allowed:
        raise UserError(f"{option} {value}: expected one of {', '.join(allowed)}")
    return value


def write_files(folder: str, files: dict[str, bytes]) -> None:
    """Puts files into a folder, all together."""
    paths = {f"{folder}/{name}": data for name, data in files.items()}
    with Outputs(*paths) as outputs:
        for path, data in paths.items():
            outputs.write(path, data)


def lower_design(
    text: str,
    file: str,
    alloc_scheme: str | None,
    generation: str,
    warnings: Warnings,
    *,
    packet_fifos: bool = False,
    dynamic_fifos: bool | None = None,
    watch: Watch | None = None,
) -> dict[str, bytes]:
    """Everything the lowering makes of a design: file name -> content.

    Args:
        text: the design's MLIR.
        file: its name, for messages.
        alloc_scheme: one of `SCHEMES`, or None for the default.
        generation: one of `CHOICES`.
        warnings: collects what the user should know though it is no error.
        packet_fifos: see `pipeline.lower_resources`.
        dynamic_fifos: see there.
        watch: what is printed on the way, and where it ends; then the module as it is there is the only file.

    Raises:
        UserError: the design must be refused.
    """
    from npuninja.ir.printer import print_module
    from npuninja.lowering import pipeline
    from npuninja.lowering.generation import rules_of
    from npuninja.lowering.resources.scratchpad import parameter_table

    module, generation = _checked(text, file, generation, warnings)
    watch = watch or Watch()
    settings = passes.PassSettings(rules_of(generation), warnings, alloc_scheme, packet_fifos, dynamic_fifos)
    if watch.run(passes.RESOURCES, module, settings):
        return {f"{watch.stop}.mlir": print_module(module).encode()}
    files = {"input_with_addresses.mlir": print_module(module).encode()}
    parameters = parameter_table(module)
    if parameters:
        files["params.txt"] = parameters.encode()
    for name, script in _linker_scripts(module, generation):
        files[name] = script.encode()
    sequences = clone(module, {})
    if watch.run(passes.ROUTING, module, settings):
        return {f"{watch.stop}.mlir": print_module(module).encode()}
    files["input_physical.mlir"] = print_module(module).encode()
    if pipeline.sequence_is_routed(generation):
        sequences = module
    if watch.run(passes.SEQUENCES, sequences, settings):
        return {f"{watch.stop}.mlir": print_module(sequences).encode()}
    if watch.stop:
        raise UserError(
            f"--stop-after: the lowering of {generation} has no pass {watch.stop}",
            hint="see npuninja lower --passes",
        )
    files["npu_insts.mlir"] = print_module(sequences).encode()
    for name, device, sequence in _sequences(sequences):
        files[name] = pipeline.instructions(sequences, device, sequence, generation=generation)
    return files


def _checked(text: str, file: str, generation: str, warnings: Warnings) -> tuple[Operation, str]:
    """The module of a text, verified and linted, and the generation to lower it for."""
    from npuninja.ir.parser import parse_module
    from npuninja.ir.verifier import verify
    from npuninja.lints.design import lint_design
    from npuninja.lowering.generation import rules_of
    from npuninja.lowering.number_operands import numbers_from_values
    from npuninja.lowering.pipeline import generation_of

    module = parse_module(text, file)
    if generation == "auto":
        generation = generation_of(module)
    numbers_from_values(module)
    verify(module, splits_transfers=rules_of(generation).splits_transfers)
    lint_design(module, warnings)
    return module, generation


def devices_of(module: Operation) -> list[tuple[str, str, Operation]]:
    """The devices of a module: (symbol, prefix of its file names, operation)."""
    devices = [(op.string("sym_name", "main"), op) for op in module.body.ops if op.name == "aie.device"]
    return [(symbol, f"{symbol}." if len(devices) > 1 else "", op) for symbol, op in devices]


def _linker_scripts(module: Operation, generation: str) -> list[tuple[str, str]]:
    from npuninja.lowering.pipeline import linker_scripts
    from npuninja.lowering.tiles import place_of

    scripts: list[tuple[str, str]] = []
    for symbol, prefix, device in devices_of(module):
        places = [place_of(core.tile) for core in device.body.ops if core.name == "aie.core"]
        names = [f"{prefix}core_{column}_{row}.ld.script" for column, row in places]
        scripts += zip(names, linker_scripts(module, symbol, places, generation=generation))
    return scripts


def _sequences(module: Operation) -> list[tuple[str, str, str]]:
    """File name, device and sequence of every runtime sequence."""
    from npuninja.lowering.lookup import sequences

    found = []
    for symbol, prefix, device in devices_of(module):
        names = [op.string("sym_name", "sequence") for op in sequences(device)]
        for name in names:
            found.append(
                (f"{prefix}insts.{name}.bin" if len(names) > 1 else f"{prefix}insts.bin", symbol, name)
            )
    return found
