"""Who does each stage: the real tool or the embedded replacement, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from npuninja import __version__
from npuninja.detect.machine import Toolchain
from npuninja.detect.mlir_aie import root_of
from npuninja.detect.mlir_aie_releases import NEW_SEQUENCE, Release, release_of, spelling_of
from npuninja.detect.tool import Found
from npuninja.detect.versions import day_of
from npuninja.errors import ToolError, UserError
from npuninja.plan.names import near

CHOICES = ("auto", "real", "embedded")

# Stage -> what it does, and the tools that the real provider needs; the first gives it its name.
STAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "kernel": ("kernels to objects", ("peano",)),
    "lower": ("objectFifos, locks, addresses", ("aie-opt",)),
    "route": ("stream switches", ("aie-opt",)),
    "sequence": ("runtime sequence", ("aie-opt",)),
    "insts": ("instructions of the sequence", ("aie-translate", "aie-opt")),
    "core": ("core code to objects", ("peano", "aie-opt", "aie-translate")),
    "ldscript": ("linker scripts", ("aie-translate", "aie-opt")),
    "link": ("core images", ("peano",)),
    "cdo": ("configuration", ("aie-translate", "aie-opt")),
    "pdi": ("device image", ("bootgen",)),
    "xclbin": ("container", ("xclbinutil",)),
    "run": ("execution", ("pyxrt",)),
}
# Not a stage: who drives a design. `stages` is an edge for each stage, `aiecc` one edge for the whole design.
DRIVER = "design"
DRIVERS = ("stages", "aiecc")
DRIVER_NEEDS = ("aiecc", "peano", "xclbinutil")

# Stages on MLIR: what is real among them must read what is embedded, so the design is put into the real
# tools' spelling.
MLIR_STAGES = ("lower", "route", "sequence", "insts", "core", "ldscript", "cdo")
# Stages that decide together whether the cores are real or emulated: an object of one kind links with no
# other.
CORE_STAGES = ("kernel", "core", "link")
# Stages whose real tool reads or makes programs of real cores only.
REAL_CORES_ONLY = (*CORE_STAGES, "ldscript", "cdo")


@dataclass(frozen=True)
class Provider:
    """The choice for one stage.

    Attributes:
        stage: key of `STAGES`, or `DRIVER`.
        real: whether a real tool does it.
        name: what it is called, for people and for the manifest.
        version: its version.
        path: where it is; "" for our own modules.
        reason: why this one.
    """

    stage: str
    real: bool
    name: str
    version: str
    path: str
    reason: str


@dataclass(frozen=True)
class Choice:
    """The providers of all stages.

    Attributes:
        providers: in the order of the stages.
        real_cores: whether cores are compiled for the NPU; else for the emulated array.
        release: the conventions of the MLIR-AIE whose aie-opt and aie-translate are used; None when they are
            not.
        spelling: the release in whose spelling designs are wanted; None for that in which they are written.
        aiecc: whether aiecc builds the designs.
    """

    providers: tuple[Provider, ...]
    real_cores: bool
    release: Release | None
    spelling: Release | None
    aiecc: bool = False

    def of(self, stage: str) -> Provider:
        """Who does a stage."""
        return next(p for p in self.providers if p.stage == stage)


@dataclass(frozen=True)
class WasmCompiler:
    """What compiles and links for emulated cores: two programs, or one with two first words."""

    compiler: Found
    compiler_words: tuple[str, ...]
    linker: Found
    linker_words: tuple[str, ...]
    reason: str


def wasm_compiler(toolchain: Toolchain) -> WasmCompiler | None:
    """The `ziglang` wheel, since it gives the same results everywhere, else clang and wasm-ld; None without
    either.
    """
    zig, clang, linker = (toolchain.found(name) for name in ("ziglang", "clang", "wasm-ld"))
    if zig:
        return WasmCompiler(zig, ("cc",), zig, ("wasm-ld",), "its results are the same on every machine")
    if clang and linker:
        return WasmCompiler(clang, (), linker, (), "ziglang is not there")
    return None


def _no_wasm_compiler(toolchain: Toolchain) -> ToolError:
    examined = []
    for name in ("ziglang", "clang", "wasm-ld"):
        absent = toolchain.absent(name)
        if absent:
            examined.append((f"{name}: {absent.explain()}", None))
    return ToolError(
        "no compiler for emulated cores: neither the ziglang package nor clang with wasm-ld is usable",
        notes=tuple(examined),
        hint="pip install ziglang, or clang and lld 14 or newer",
    )


def choices_of(stage: str) -> tuple[str, ...]:
    """What may be chosen for a stage, or for who drives the designs."""
    return DRIVERS if stage == DRIVER else CHOICES


def parse_choices(words: Sequence[str]) -> dict[str, str]:
    """`["pdi=real", …]` as a table.

    Raises:
        UserError: not `STAGE=real|embedded|auto` (or `design=stages|aiecc`), or an unknown stage.
    """
    choices: dict[str, str] = {}
    for word in words:
        stage, equals, choice = word.partition("=")
        known = [*STAGES, DRIVER]
        if equals and stage not in known:
            close = near(stage, known)
            meant = f"did you mean {close[0]}? " if close else ""
            raise UserError(
                f"--provider {word}: there is no stage {stage!r}", hint=f"{meant}stages: {', '.join(known)}"
            )
        if not equals or choice not in choices_of(stage):
            allowed = " or ".join(f"{stage if equals else 'STAGE'}={c}" for c in choices_of(stage))
            raise UserError(f"--provider {word}: expected {allowed}")
        if stage == "run" and choice == "real":
            hint = "the runner takes an NPU by itself when there is one; `npuninja run --require npu` insists on it"
            raise UserError(f"--provider {word}: where a design runs is not decided by configure", hint=hint)
        choices[stage] = choice
    return choices


def choose(choices: Mapping[str, str], toolchain: Toolchain, compiler: WasmCompiler | None) -> Choice:
    """The provider of every stage.

    `auto` takes the real tool when everything it needs proved itself and it fits the cores; the cores are
    real when all of `CORE_STAGES` can be.

    Args:
        choices: stage -> real, embedded or auto.
        toolchain: what there is.
        compiler: for emulated cores; None when there is none.

    Raises:
        ToolError: a real provider was asked for and its tool is not usable; says what was examined.
        UserError: the choices do not go together; says why.
    """
    if choices.get(DRIVER) == "aiecc":
        return _driven_by_aiecc(toolchain)
    release, unknown = _release(toolchain)
    problems = {stage: _problem(stage, toolchain, unknown) for stage in STAGES}
    asked, real_cores = choices, _real_cores(choices, problems)
    if compiler is None and not real_cores:
        raise _no_wasm_compiler(toolchain)
    if real_cores:
        # Whichever of them was asked for, these two make real cores.
        choices = {**choices, "kernel": "real", "link": "real"}
    for stage, choice in choices.items():
        if choice == "real" and problems[stage]:
            _refuse(stage, problems[stage], toolchain)
        if choice == "real" and stage in REAL_CORES_ONLY and not real_cores:
            raise UserError(
                f"--provider {stage}=real: the real tool knows no emulated cores, and the cores are compiled for the "
                "emulated array",
                hint="add --provider kernel=real, which compiles the cores for the NPU",
            )
    providers = []
    for stage in STAGES:
        choice, fits = asked.get(stage, "auto"), real_cores or stage not in REAL_CORES_ONLY
        if stage == "run":
            providers.append(_runner(real_cores, toolchain))
        elif choice != "embedded" and fits and not problems[stage]:
            providers.append(_real(stage, choice, toolchain))
        else:
            reason = "asked for" if choice == "embedded" else problems[stage] or "the cores are emulated"
            providers.append(_embedded(stage, reason, real_cores, compiler))
    # Where any tool of MLIR-AIE reads what is made of the design, all of it is in that tool's spelling.
    used = release if any(p.real for p in providers if p.stage in MLIR_STAGES) else None
    chosen = Choice(tuple(providers), real_cores, used, used)
    _check_mixture(chosen)
    return chosen


def for_tests(choices: Mapping[str, str], toolchain: Toolchain, compiler: WasmCompiler) -> Choice:
    """The same choice for emulated cores: what `ninja test` runs when the cores are real."""
    others = {stage: c for stage, c in choices.items() if stage not in (*REAL_CORES_ONLY, DRIVER)}
    return choose({**others, **dict.fromkeys(CORE_STAGES, "embedded")}, toolchain, compiler)


def _release(toolchain: Toolchain) -> tuple[Release | None, str]:
    """The conventions of the MLIR-AIE that was found, or None and why there are none."""
    opt, translate = toolchain.found("aie-opt"), toolchain.found("aie-translate")
    if opt is None:
        return None, "no usable aie-opt"
    if translate is not None and root_of(translate.path) != root_of(opt.path):
        return (
            None,
            f"aie-opt and aie-translate are of two installations, {root_of(opt.path)} and {root_of(translate.path)}",
        )
    # A tree that was built from source says its commit through its driver only.
    aiecc = toolchain.found("aiecc")
    driver = aiecc.version if aiecc and root_of(aiecc.path) == root_of(opt.path) else ""
    return release_of(day_of(opt.version) or day_of(driver), frozenset(opt.facts))


def _problem(stage: str, toolchain: Toolchain, unknown: str) -> str:
    """Why the real tool cannot do a stage; "" when it can."""
    missing = [name for name in STAGES[stage][1] if not toolchain.found(name)]
    if missing:
        return f"no usable {' and '.join(missing)}"
    return unknown if stage in MLIR_STAGES else ""


def _refuse(stage: str, problem: str, toolchain: Toolchain) -> None:
    absent = [a for name in STAGES[stage][1] if (a := toolchain.absent(name))]
    if absent:
        raise ToolError(
            f"--provider {stage}=real: {absent[0].tool} is not usable",
            notes=tuple((f"{a.tool}: {a.explain()}", None) for a in absent),
            hint=absent[0].remedy,
        )
    raise ToolError(
        f"--provider {stage}=real: {problem}",
        hint="the driver of that release can build whole designs: --provider design=aiecc",
    )


def _real_cores(choices: Mapping[str, str], problems: Mapping[str, str]) -> bool:
    """Whether the cores are compiled for the NPU. UserError when the choices contradict each other."""
    real = [stage for stage in CORE_STAGES if choices.get(stage) == "real"]
    embedded = [stage for stage in ("kernel", "link") if choices.get(stage) == "embedded"]
    if real and embedded:
        raise UserError(
            f"--provider {real[0]}=real does not go with {embedded[0]}=embedded: objects for the NPU and for the emulated "
            "array cannot be linked with each other",
            hint="choose the same for kernel and link",
        )
    if real:
        return True
    asked = any(choices.get(stage) == "embedded" for stage in CORE_STAGES)
    return not asked and not any(problems[stage] for stage in CORE_STAGES)


def _check_mixture(choice: Choice) -> None:
    """UserError when a real tool would not read what the embedded lowering writes."""
    release = choice.release
    if (
        release is None
        or choice.of("lower").real
        or release.allocation_has_tile == (release.sequence_op == NEW_SEQUENCE)
    ):
        return
    # The embedded lowering spells its allocations as the runtime sequence is spelled; these releases spell
    # them otherwise.
    real = next(stage for stage in MLIR_STAGES if choice.of(stage).real)
    raise UserError(
        f"stage lower cannot be embedded while {real} is done by this MLIR-AIE, whose syntax (2025-11-18 to 2025-12-16) "
        "only its own aie-opt writes",
        hint=f"--provider lower=real, or --provider {real}=embedded too",
    )


def _real(stage: str, choice: str, toolchain: Toolchain) -> Provider:
    tool = toolchain.found(STAGES[stage][1][0])
    assert tool is not None
    reason = "asked for" if choice == "real" else f"found on {tool.origin}"
    return Provider(stage, True, tool.tool, tool.version, tool.path, reason)


def _runner(real_cores: bool, toolchain: Toolchain) -> Provider:
    pyxrt = toolchain.found("pyxrt")
    if not real_cores:
        return Provider(
            "run", False, "emulator", __version__, "", "the cores are compiled for the emulated array"
        )
    if pyxrt is None:
        reason = "no usable pyxrt: `ninja test` runs the same designs on the emulated array"
        return Provider("run", False, "none", "-", "", reason)
    return Provider("run", True, "pyxrt", pyxrt.version, pyxrt.path, f"found on {pyxrt.origin}")


def _embedded(stage: str, reason: str, real_cores: bool, compiler: WasmCompiler | None) -> Provider:
    if stage not in CORE_STAGES or real_cores:
        return Provider(stage, False, "npuninja", __version__, "", reason)
    assert compiler is not None
    tool = compiler.linker if stage == "link" else compiler.compiler
    return Provider(stage, False, f"{tool.tool} (wasm32)", tool.version, tool.path, reason)


def _driven_by_aiecc(toolchain: Toolchain) -> Choice:
    """Everything by aiecc but the kernels' objects, which it wants to find, and what the manifest is made of."""
    absent = [a for name in DRIVER_NEEDS if (a := toolchain.absent(name))]
    if absent:
        raise ToolError(
            f"--provider {DRIVER}=aiecc: {absent[0].tool} is not usable",
            notes=tuple((f"{a.tool}: {a.explain()}", None) for a in absent),
            hint=absent[0].remedy,
        )
    aiecc = toolchain.found("aiecc")
    assert aiecc is not None
    driver = Provider(DRIVER, True, f"aiecc ({aiecc.facts[0]})", aiecc.version, aiecc.path, "asked for")
    providers = [driver, _real("kernel", "auto", toolchain)]
    for stage in ("lower", "sequence"):
        providers.append(Provider(stage, False, "npuninja", __version__, "", "for the manifest only"))
    others = (s for s in STAGES if s not in ("kernel", "lower", "sequence", "run"))
    providers += [replace(driver, stage=stage, reason=f"by {DRIVER}=aiecc") for stage in others]
    opt = toolchain.found("aie-opt")
    beside = opt if opt and root_of(opt.path) == root_of(aiecc.path) else None
    spelling = spelling_of(day_of(aiecc.version), frozenset(beside.facts if beside else ()))
    return Choice((*providers, _runner(True, toolchain)), True, None, spelling, aiecc=True)
