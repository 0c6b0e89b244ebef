"""The provider of each stage, and why: one of those that its row in `npuninja.stages.table` names.

`--provider STAGE=NAME` names one; the words `real` (the tool of the vendor's flow), `embedded` (what comes
with npuninja) and `auto` (the first that proved itself and fits the cores) choose without a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from npuninja import __version__
from npuninja.detect.machine import Toolchain
from npuninja.detect.mlir_aie import WHEELS, root_of
from npuninja.detect.mlir_aie_releases import NEW_SEQUENCE, Release, release_of, spelling_of
from npuninja.detect.versions import day_of
from npuninja.errors import ToolError, UserError
from npuninja.plan.wasm_compiler import WasmCompiler, no_wasm_compiler
from npuninja.records import record, replace
from npuninja.stages.declaration import Provider
from npuninja.stages.table import choices as choices_of_table
from npuninja.suggestions import did_you_mean

WORDS = ("auto", "real", "embedded")
NPU, WASM = "npu", "wasm"

# Name -> the stage among whose providers it chooses.
STAGES = choices_of_table()
# Not a stage: what drives a design. `stages` is an edge for each stage, `aiecc` one for the whole design.
DRIVER = "design"
# Makes real cores without the vendor's tools; it does kernels and links together, with our own core code.
OWN_COMPILER = "npuninja-aie2"
# Stages that decide together if cores are the NPU's or emulated: objects of one kind link with no other.
CORE_STAGES = ("kernel", "core", "link")


@record(frozen=True)
class Chosen:
    """The choice for one stage.

    Attributes:
        stage: key of `STAGES`.
        provider: the one that does it.
        name: what it is called, for people and for the manifest.
        version: its version.
        path: where it is; "" for our own modules.
        reason: why this one.
    """

    stage: str
    provider: Provider
    name: str
    version: str
    path: str
    reason: str


@record(frozen=True)
class Providers:
    """The providers of all stages.

    Attributes:
        chosen: in the order of the stages.
        cores: the kind of cores that are compiled for: "npu", or "wasm" for the emulated array.
        release: the conventions of the MLIR-AIE whose aie-opt and aie-translate are used, or None.
        spelling: the release in whose spelling designs are wanted; None for that in which they are written.
        driver: "stages", or "aiecc" when that builds the designs.
    """

    chosen: tuple[Chosen, ...]
    cores: str
    release: Release | None
    spelling: Release | None
    driver: str = "stages"

    @property
    def for_npu(self) -> bool:
        """Whether cores are compiled for the NPU; else for the emulated array."""
        return self.cores == NPU

    def of(self, stage: str) -> Chosen:
        """The provider of a stage."""
        return next(c for c in self.chosen if c.stage == stage)

    def tools(self) -> set[str]:
        """The tools of the vendor's flow that are used."""
        used = {name for c in self.chosen if c.provider.vendor for name in c.provider.tools}
        return used | ({"aie-opt", "aie-translate"} if self.release else set())


def choices_of(stage: str) -> tuple[str, ...]:
    """What may be chosen for a stage, or to drive the designs."""
    unasked = [provider for provider in STAGES[stage].providers if provider.unasked]
    names = tuple(provider.name for provider in STAGES[stage].providers if provider not in unasked)
    if stage == DRIVER:
        return names
    words = (word for word in WORDS if word != "real" or not any(provider.vendor for provider in unasked))
    return (*words, *names)


def why_unasked(stage: str) -> str:
    """Why some of a stage's providers are not among `choices_of`; "" when all are."""
    return " ".join(provider.unasked for provider in STAGES[stage].providers if provider.unasked)


def parse_choices(words: Sequence[str]) -> dict[str, str]:
    """`["pdi=bootgen", …]` as a table.

    Raises:
        UserError: not `STAGE=` and a word of `choices_of`, or an unknown stage.
    """
    choices: dict[str, str] = {}
    for word in words:
        stage, equals, choice = word.partition("=")
        if equals and stage not in STAGES:
            raise UserError(
                f"--provider {word}: there is no stage {stage!r}",
                hint=did_you_mean(stage, STAGES, f"stages: {', '.join(STAGES)}"),
            )
        known = choices_of(stage) if equals else (*WORDS, "NAME")
        if not equals or choice not in known:
            allowed = " or ".join(f"{stage if equals else 'STAGE'}={c}" for c in known)
            hint = did_you_mean(choice, known, why_unasked(stage)) if equals else None
            raise UserError(f"--provider {word}: expected {allowed}", hint=hint)
        choices[stage] = choice
    return choices


def choose(choices: Mapping[str, str], toolchain: Toolchain, compiler: WasmCompiler | None) -> Providers:
    """The provider of every stage.

    `auto` takes the first that proved itself and fits the cores; the cores are the NPU's when the tools of
    the vendor can do all of `CORE_STAGES`.

    Args:
        choices: stage -> a word of `choices_of`.
        toolchain: what there is.
        compiler: for emulated cores; None when there is none.

    Raises:
        ToolError: a provider was asked for and its tool is not usable; says what was examined.
        UserError: the choices do not go together; says why.
    """
    if choices.get(DRIVER) == "aiecc":
        return _driven_by_aiecc(choices, toolchain)
    release, unknown = _release(toolchain)
    cores = _cores_of(choices, toolchain, unknown)
    if compiler is None and cores == WASM:
        raise no_wasm_compiler(toolchain)
    # Whichever of them was asked for, these two make cores for the NPU.
    forced = [s for s in ("kernel", "link") if cores == NPU and choices.get(s, "auto") == "auto"]
    if cores == NPU and OWN_COMPILER in choices.values():
        _check_own_compiler(choices)
        forced, choices = [], {**choices, "kernel": OWN_COMPILER, "core": "npuninja", "link": OWN_COMPILER}
    for stage, word in {**choices, **dict.fromkeys(forced, "real")}.items():
        if stage not in ("run", DRIVER):
            _check_asked(stage, word, cores, toolchain, unknown)
    chosen = []
    for stage in STAGES:
        if stage == "run":
            chosen.append(_runner(cores, toolchain))
        elif stage != DRIVER:
            word = choices.get(stage, "auto")
            chosen.append(_choose_one(stage, word, cores, toolchain, unknown, compiler))
    # Where any tool of MLIR-AIE reads what is made of the design, all of it is in that tool's spelling.
    used = release if any(_reads_mlir(c.provider) for c in chosen) else None
    providers = Providers(tuple(chosen), cores, used, used)
    _check_mixture(providers)
    return providers


def for_tests(choices: Mapping[str, str], toolchain: Toolchain, compiler: WasmCompiler) -> Providers:
    """The same choice for emulated cores: what `ninja test` runs when the cores are the NPU's."""
    kept = {
        stage: word
        for stage, word in choices.items()
        if stage not in (*CORE_STAGES, DRIVER) and not _for_npu_only(stage, word)
    }
    return choose({**kept, **dict.fromkeys(CORE_STAGES, "embedded")}, toolchain, compiler)


def _named(stage: str, word: str) -> Provider | None:
    """The provider that a word other than `auto` and `embedded` means."""
    for provider in STAGES[stage].providers:
        if provider.name == word or (word == "real" and provider.vendor):
            return provider
    return None


def _for_npu_only(stage: str, word: str) -> bool:
    provider = _named(stage, word)
    return provider is not None and provider.cores == NPU


def _reads_mlir(provider: Provider) -> bool:
    """Whether it is a tool of MLIR-AIE, which reads what others make only in the spelling of its release."""
    return any(tool.startswith("aie-") for tool in provider.tools)


def _release(toolchain: Toolchain) -> tuple[Release | None, str]:
    """The conventions of the MLIR-AIE that was found, or None and why there are none."""
    opt, translate = toolchain.found("aie-opt"), toolchain.found("aie-translate")
    if opt is None:
        return None, "no usable aie-opt"
    if translate is not None and root_of(translate.path) != root_of(opt.path):
        return (
            None,
            "aie-opt and aie-translate are of two installations, "
            f"{root_of(opt.path)} and {root_of(translate.path)}",
        )
    # A tree that was built from source says its commit through its driver only.
    aiecc = toolchain.found("aiecc")
    driver = aiecc.version if aiecc and root_of(aiecc.path) == root_of(opt.path) else ""
    return release_of(day_of(opt.version) or day_of(driver), frozenset(opt.facts))


def _problem(stage: str, provider: Provider, toolchain: Toolchain, unknown: str) -> str:
    """Why a provider cannot do a stage; "" when it can. `unknown`: why the MLIR-AIE found cannot be used."""
    missing = [name for name in provider.tools if not toolchain.found(name)]
    if missing:
        return f"no usable {' and '.join(missing)}"
    if not _reads_mlir(provider):
        return ""
    return unknown


def _check_asked(stage: str, word: str, cores: str, toolchain: Toolchain, unknown: str) -> None:
    """Raises when the provider that was asked for cannot do the stage, or not for these cores."""
    provider = _named(stage, word)
    if provider is None:
        return
    problem = _problem(stage, provider, toolchain, unknown)
    if problem:
        _refuse(stage, word, provider, problem, toolchain)
    if provider.cores == NPU and cores == WASM:
        raise UserError(
            f"--provider {stage}={word}: the real tool knows no emulated cores, "
            "and the cores are compiled for the emulated array",
            hint="add --provider kernel=real, which compiles the cores for the NPU",
        )


def _refuse(stage: str, word: str, provider: Provider, problem: str, toolchain: Toolchain) -> None:
    absent = [a for name in provider.tools if (a := toolchain.absent(name))]
    if absent:
        raise ToolError(
            f"--provider {stage}={word}: {absent[0].tool} is not usable",
            notes=tuple((f"{a.tool}: {a.explain()}", None) for a in absent),
            hint=absent[0].remedy,
        )
    raise ToolError(
        f"--provider {stage}={word}: {problem}",
        hint=f"{WHEELS}; or, if its driver works, build whole designs with it: --provider design=aiecc",
    )


def _cores_of(choices: Mapping[str, str], toolchain: Toolchain, unknown: str) -> str:
    """The kind of cores that is compiled for. UserError when the choices contradict each other."""
    kinds = {stage: _kind_asked(stage, choices.get(stage, "auto")) for stage in CORE_STAGES}
    npu = [stage for stage, kind in kinds.items() if kind == NPU]
    wasm = [stage for stage, kind in kinds.items() if kind == WASM and stage != "core"]
    if npu and wasm:
        raise UserError(
            f"--provider {npu[0]}={choices[npu[0]]} does not go with {wasm[0]}={choices[wasm[0]]}: objects "
            "for the NPU and for the emulated array cannot be linked with each other",
            hint="choose the same for kernel and link",
        )
    if npu:
        return NPU
    if WASM in kinds.values():
        return WASM
    able = all(not _problem(stage, STAGES[stage].providers[0], toolchain, unknown) for stage in CORE_STAGES)
    return NPU if able else WASM


def _check_own_compiler(choices: Mapping[str, str]) -> None:
    """UserError for npuninja-aie2 with another compiler or linker: its objects link with no others."""
    for stage, fitting in (("kernel", OWN_COMPILER), ("core", "npuninja"), ("link", OWN_COMPILER)):
        word = choices.get(stage, "auto")
        if word not in ("auto", fitting) and not (stage == "core" and word == "embedded"):
            raise UserError(
                f"--provider {stage}={word} does not go with {OWN_COMPILER}, "
                "whose objects link with no others",
                hint=f"--provider kernel={OWN_COMPILER} alone chooses kernel, core code and link",
            )


def _kind_asked(stage: str, word: str) -> str:
    """The kind of cores that a word for one of `CORE_STAGES` asks for; "" for either."""
    if word == "auto":
        return ""
    provider = _named(stage, word)
    return provider.cores or WASM if provider else WASM


def _check_mixture(providers: Providers) -> None:
    """UserError when a tool of MLIR-AIE would not read what the embedded lowering writes."""
    release = providers.release
    if (
        release is None
        or _reads_mlir(providers.of("lower").provider)
        or release.allocation_has_tile == (release.sequence_op == NEW_SEQUENCE)
    ):
        return
    # The embedded lowering spells allocations like the runtime sequence; these releases do it otherwise.
    other = next(c.stage for c in providers.chosen if _reads_mlir(c.provider))
    raise UserError(
        f"stage lower cannot be embedded while {other} is done by this MLIR-AIE, whose syntax (2025-11-18 "
        "to 2025-12-16) only its own aie-opt writes",
        hint=f"--provider lower=real, or --provider {other}=embedded too",
    )


def _choose_one(
    stage: str, word: str, cores: str, toolchain: Toolchain, unknown: str, compiler: WasmCompiler | None
) -> Chosen:
    """The provider of one stage for these cores, and how it is called."""
    picked = _picked(stage, word, cores, toolchain, unknown, compiler)
    if picked.vendor:
        tool = toolchain.found(picked.tools[0])
        assert tool is not None
        reason = f"found on {tool.origin}" if word == "auto" else "asked for"
        return Chosen(stage, picked, tool.tool, tool.version, tool.path, reason)
    reason = "asked for"
    if word == "auto":
        # In every row the vendor's comes first, npuninja's own last.
        reason = _problem(stage, STAGES[stage].providers[0], toolchain, unknown) or "the cores are emulated"
    if picked.label:
        tool = toolchain.found(picked.tools[0])
        assert tool is not None
        by = f"{picked.name} ({tool.tool} {tool.version}; {picked.label})"
        return Chosen(stage, picked, by, __version__, tool.path, reason)
    # Code for emulated cores is compiled by the compiler of the kernels.
    ours = (compiler.linker if stage == "link" else compiler.compiler) if compiler else None
    if ours and (
        ours.tool in picked.tools or (not picked.tools and _compiles_for_wasm(stage, picked, cores))
    ):
        return Chosen(stage, picked, f"{ours.tool} (wasm32)", ours.version, ours.path, reason)
    if picked.tools:  # a provider with a tool of its own
        tool = toolchain.found(picked.tools[0])
        assert tool is not None
        return Chosen(stage, picked, f"{picked.name} ({tool.tool})", tool.version, tool.path, reason)
    return Chosen(stage, picked, picked.name, __version__, "", reason)


def _compiles_for_wasm(stage: str, provider: Provider, cores: str) -> bool:
    return stage in CORE_STAGES and cores == WASM and not provider.module


def _picked(
    stage: str, word: str, cores: str, toolchain: Toolchain, unknown: str, compiler: WasmCompiler | None
) -> Provider:
    """The provider that is named; else the compiler of the emulated cores, or the first that can."""
    named = _named(stage, word)
    if named is not None:
        return named
    fitting = [p for p in STAGES[stage].providers if p.cores in ("", cores)]
    if cores == WASM and stage in ("kernel", "link") and compiler is not None:
        tool = compiler.linker if stage == "link" else compiler.compiler
        return next(p for p in fitting if tool.tool in p.tools)
    able = [p for p in fitting if not _problem(stage, p, toolchain, unknown)]
    return next((p for p in able if word == "auto" or not p.vendor), able[0])


def _runner(cores: str, toolchain: Toolchain) -> Chosen:
    pyxrt = toolchain.found("pyxrt")
    by_xrt, emulator = STAGES["run"].providers
    if cores == WASM:
        reason = "the cores are compiled for the emulated array"
        return Chosen("run", emulator, emulator.name, __version__, "", reason)
    if pyxrt is None:
        reason = "no usable pyxrt: `ninja test` runs the same designs on the emulated array"
        return Chosen("run", emulator, "none", "-", "", reason)
    return Chosen("run", by_xrt, by_xrt.name, pyxrt.version, pyxrt.path, f"found on {pyxrt.origin}")


def _driven_by_aiecc(choices: Mapping[str, str], toolchain: Toolchain) -> Providers:
    """Everything by aiecc but the kernels' objects, which it expects, and what the manifest is made of."""
    by_aiecc = STAGES[DRIVER].providers[1]
    if any(map(toolchain.absent, by_aiecc.tools)):
        _refuse(DRIVER, "aiecc", by_aiecc, "", toolchain)
    aiecc = toolchain.found("aiecc")
    assert aiecc is not None
    driver = Chosen(DRIVER, by_aiecc, f"aiecc ({aiecc.facts[0]})", aiecc.version, aiecc.path, "asked for")
    chosen = [driver, _choose_one("kernel", "auto", NPU, toolchain, "", None)]
    for stage in ("lower", "sequence"):
        ours = STAGES[stage].providers[-1]
        chosen.append(Chosen(stage, ours, ours.name, __version__, "", "for the manifest only"))
    for stage in ("python", "elf"):
        chosen.append(_choose_one(stage, choices.get(stage, "auto"), NPU, toolchain, "", None))
    others = (s for s in STAGES if s != "run" and s not in {c.stage for c in chosen})
    chosen += [replace(driver, stage=stage, reason=f"by {DRIVER}=aiecc") for stage in others]
    opt = toolchain.found("aie-opt")
    beside = opt if opt and root_of(opt.path) == root_of(aiecc.path) else None
    spelling = spelling_of(day_of(aiecc.version), frozenset(beside.facts if beside else ()))
    return Providers((*chosen, _runner(NPU, toolchain)), NPU, None, spelling, driver="aiecc")
