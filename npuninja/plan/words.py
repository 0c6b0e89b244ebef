"""Words of command lines: what a release of MLIR-AIE takes, and what comes after the rules' variables."""

from __future__ import annotations

from collections.abc import Sequence

from npuninja.arch.devices import DEVICES
from npuninja.detect.mlir_aie import root_of
from npuninja.detect.mlir_aie_releases import Release
from npuninja.detect.peano import peano_program
from npuninja.errors import UserError
from npuninja.plan.context import Context
from npuninja.plan.design import Core, Design
from npuninja.plan.dialect import lowering_flags
from npuninja.plan.providers import Providers
from npuninja.plan.wasm_compiler import WasmCompiler
from npuninja.stages.table import digested_stages, modules_variable, rules

# How Peano links when no release of MLIR-AIE is used.
LINK_WITHOUT_RELEASE = ("-O2", "--target={triple}", "-fuse-ld={peano}/bin/ld.lld")


def each(option: str, values: Sequence[str]) -> tuple[str, ...]:
    """The option in front of each of the values."""
    return tuple(word for value in values for word in (option, value))


def tool_words(
    rule: str, context: Context, design: Design, symbol: str, core: Core | None
) -> tuple[str, ...]:
    """What a rule's tool is given beyond files, filled in for a device or core; () for a stage of ours."""
    release = context.release
    templates: tuple[str, ...] = LINK_WITHOUT_RELEASE if rule == "core_link_peano" else ()
    if release is not None:
        templates = _templates(release, design, context.providers).get(rule, templates)
    model, peano = DEVICES[design.device], context.toolchain.found("peano")
    values = {
        "arch": model.architecture,
        "triple": model.triple,
        "device": symbol,
        "column": core.column if core else "",
        "row": core.row if core else "",
        "peano": root_of(peano.path) if peano else "",
    }
    return tuple(template.format(**values) for template in templates)


def _templates(release: Release, design: Design, providers: Providers) -> dict[str, tuple[str, ...]]:
    """Rule -> the words of a release; fields in braces are for `tool_words`."""
    first = (release.place if design.logical_tiles else "", release.trace if design.traces else "")
    lower = _with_flags(",".join((*filter(None, first), release.lower)), design, providers)
    return {
        "lower_aie_opt": (f"--pass-pipeline=builtin.module({lower})",),
        "route_aie_opt": tuple(release.route),
        "sequence_aie_opt": (f"--pass-pipeline={release.sequence}",),
        "core_llvm": (f"--pass-pipeline={release.core}",),
        "core_ir": ("--mlir-to-llvmir",),
        "core_opt": tuple(release.opt),
        "core_llc": tuple(release.llc),
        "core_link_peano": tuple(release.link),
    }


def _with_flags(pipeline: str, design: Design, providers: Providers) -> str:
    """A pipeline of the reference with the options of its passes that a design's flags set."""
    flags = lowering_flags(design, providers)
    scheme = design.alloc_scheme or flags.alloc_scheme
    if flags.control_overlay:
        pipeline = _with_overlay(pipeline)
    # Braces are doubled twice: for the f-string here, and for `format` in `tool_words`.
    for old, new in (
        ("dynamic-objFifos=0", flags.dynamic_fifos == "true" and "dynamic-objFifos=1"),
        ("default-dynamic=0", flags.dynamic_fifos == "true" and "default-dynamic=1"),
        ("packet-sw-objFifos=0", flags.packet_fifos and "packet-sw-objFifos=1"),
        ("cores-per-col=-1", flags.cores_per_column and f"cores-per-col={flags.cores_per_column}"),
        (
            "aie-assign-buffer-addresses",
            scheme and f"aie-assign-buffer-addresses{{{{ alloc-scheme={scheme} }}}}",
        ),
    ):
        pipeline = pipeline.replace(old, new) if new else pipeline
    return pipeline


def _with_overlay(pipeline: str) -> str:
    """A pipeline whose control overlay reaches every tile, before objectFifos take the shim's channels."""
    off, on = "route-shim-to-tile-ctrl=0", "route-shim-to-tile-ctrl=1"
    if off not in pipeline:
        raise UserError("this release of MLIR-AIE has no --generate-ctrl-pkt-overlay that npuninja knows")
    late, fifos = (
        f"),aie-generate-column-control-overlay{{{{ {off} }}}},",
        "aie.device(aie-objectFifo-stateful-transform",
    )
    if late not in pipeline:
        return pipeline.replace(off, on)
    # From 1.4 on the driver runs the pass elsewhere when it is asked for (IRTransforms.h of aiecc).
    moved = f"aie-generate-column-control-overlay{{{{ {on} }}}},{fifos}"
    return pipeline.replace(late, "),").replace(fifos, moved)


def variables(context: Context) -> dict[str, tuple[str, ...]]:
    """The words after the rules' variables; an absent or unused tool has none."""
    toolchain, layout, python = context.toolchain, context.layout, context.toolchain.python
    maps: list[str] = []
    for prefix in (layout.source_prefix, layout.output("")):
        maps += ["--prefix-map", f"{prefix}="] if prefix else []
    launcher = ("--launcher", context.launcher) if context.launcher else ()
    compiler = context.compiler
    by_launcher = launcher if compiler and not compiler.compiler_words else ()
    found: dict[str, tuple[str, ...]] = {
        "python": (python.path,),
        "python_identity": (python.identity,),
        **_of_wasm(compiler),
        "compile_options": ("--cache", layout.output("compiler_cache"), *maps, *by_launcher),
        "warning_options": ("--werror",) if context.werror else (),
    }
    used = context.providers.tools()
    for name in single_tools():
        tool, variable = toolchain.found(name) if name in used else None, name.replace("-", "_")
        found[variable] = (tool.path,) if tool else ()
        found[f"{variable}_identity"] = (tool.identity,) if tool else ()
    peano = toolchain.found("peano") if context.providers.for_npu else None
    for program in PEANO_PROGRAMS:
        found[_peano_variable(program)] = (peano_program(peano.path, program),) if peano else ()
    found["peano_identity"] = (peano.identity,) if peano else ()
    opt = toolchain.found("aie-opt")
    headers = each("--include", [root_of(opt.path) + "/include"]) if opt and peano else ()
    found["peano_options"] = (*headers, *maps, *launcher) if peano else ()
    for stage in digested_stages():
        digest = context.modules.get(stage)
        found[modules_variable(stage)] = ("--modules", digest) if digest else ()
    return found


def _of_wasm(compiler: WasmCompiler | None) -> dict[str, tuple[str, ...]]:
    if compiler is None:
        return dict.fromkeys(WASM_VARIABLES, ())
    by, linker = compiler.compiler, compiler.linker
    return {
        "wasm_compiler": ("--compiler", by.path, *each("--compiler-word", compiler.compiler_words)),
        "wasm_compiler_identity": (by.identity,),
        "wasm_linker": ("--linker", linker.path, *each("--linker-word", compiler.linker_words)),
        "wasm_linker_identity": (linker.identity,),
    }


WASM_VARIABLES = ("wasm_compiler", "wasm_compiler_identity", "wasm_linker", "wasm_linker_identity")
PEANO_PROGRAMS = ("clang", "opt", "llc", "ld.lld")
# They have variables of their own, or are called by their place in the command.
_OTHER_TOOLS = ("ziglang", "clang", "wasm-ld", "peano", "aiecc", "pyxrt")


def _peano_variable(program: str) -> str:
    return f"peano_{program.removeprefix('ld.')}"


def single_tools() -> tuple[str, ...]:
    """The tools of the table's providers that are one program: each has variables NAME and NAME_identity."""
    names = dict.fromkeys(name for _, _, provider in rules() for name in provider.tools)
    return tuple(name for name in names if name not in _OTHER_TOOLS)


def tool_variables() -> tuple[str, ...]:
    """The names of the variables for tools and what stages consist of, in build.ninja's order."""
    pairs = [
        pair
        for name in single_tools()
        for pair in (name.replace("-", "_"), f"{name.replace('-', '_')}_identity")
    ]
    peano = [*map(_peano_variable, PEANO_PROGRAMS), "peano_identity", "peano_options"]
    return (
        *WASM_VARIABLES,
        "compile_options",
        "warning_options",
        *pairs,
        *peano,
        *map(modules_variable, digested_stages()),
    )
