"""Who does each stage: the real tool or the embedded replacement, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from npuninja import __version__
from npuninja.detect.machine import Toolchain
from npuninja.detect.tool import Found
from npuninja.diag.errors import ToolError, UserError
from npuninja.plan.names import near

CHOICES = ("auto", "real", "embedded")

# Stage -> what it does, the tools that the real provider needs, and what the embedded provider is called.
STAGES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "kernel": ("kernels to objects", ("peano",), "npuninja"),
    "lower": ("objectFifos, locks, addresses", ("aie-opt",), "npuninja"),
    "route": ("stream switches", ("aie-opt",), "npuninja"),
    "sequence": ("runtime sequence", ("aie-opt",), "npuninja"),
    "insts": ("instructions of the sequence", ("aie-translate",), "npuninja"),
    "core": ("core code to objects", ("aie-opt", "aie-translate", "peano"), "npuninja"),
    "link": ("core images", ("peano",), "npuninja"),
    "cdo": ("configuration", ("aie-translate",), "npuninja"),
    "pdi": ("device image", ("bootgen",), "npuninja"),
    "xclbin": ("container", ("xclbinutil",), "npuninja"),
    "run": ("execution", ("pyxrt",), "npuninja"),
}

# Stages whose real provider the recipe can put into the graph.
WIRED = frozenset({"pdi", "xclbin"})
# Both devices are there at run time: the runner chooses, and says which it took.
AT_RUN_TIME = frozenset({"run"})


@dataclass(frozen=True)
class Provider:
    """The choice for one stage.

    Attributes:
        stage: key of `STAGES`.
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
class WasmCompiler:
    """What compiles and links for emulated cores: two programs, or one with two first words."""

    compiler: Found
    compiler_words: tuple[str, ...]
    linker: Found
    linker_words: tuple[str, ...]
    reason: str


def wasm_compiler(toolchain: Toolchain) -> WasmCompiler:
    """The `ziglang` wheel, since it gives the same results everywhere, else clang and wasm-ld.

    Raises:
        ToolError: neither is usable; lists what was examined.
    """
    zig, clang, linker = (toolchain.found(name) for name in ("ziglang", "clang", "wasm-ld"))
    if zig:
        return WasmCompiler(zig, ("cc",), zig, ("wasm-ld",), "its results are the same on every machine")
    if clang and linker:
        return WasmCompiler(clang, (), linker, (), "ziglang is not there")
    examined = []
    for name in ("ziglang", "clang", "wasm-ld"):
        absent = toolchain.absent(name)
        if absent:
            examined.append((f"{name}: {absent.explain()}", None))
    raise ToolError(
        "no compiler for emulated cores: neither the ziglang package nor clang with wasm-ld is usable",
        notes=tuple(examined),
        hint="pip install ziglang, or clang and lld 14 or newer",
    )


def parse_choices(words: Sequence[str]) -> dict[str, str]:
    """`["pdi=real", …]` as a table.

    Raises:
        UserError: not `STAGE=real|embedded|auto`, an unknown stage, or a real provider that this version cannot use.
    """
    choices: dict[str, str] = {}
    for word in words:
        stage, equals, choice = word.partition("=")
        if not equals or choice not in CHOICES:
            raise UserError(f"--provider {word}: expected STAGE=real, STAGE=embedded or STAGE=auto")
        if stage not in STAGES:
            close = near(stage, list(STAGES))
            meant = f"did you mean {close[0]}? " if close else ""
            raise UserError(f"--provider {word}: there is no stage {stage!r}", hint=f"{meant}stages: {', '.join(STAGES)}")
        if choice == "real" and stage not in WIRED:
            raise UserError(
                f"--provider {word}: this version of npuninja cannot use the real tools for stage {stage}",
                hint=f"real tools can do: {', '.join(sorted(WIRED))}"
                + ("; the runner takes an NPU by itself when there is one" if stage in AT_RUN_TIME else ""),
            )
        choices[stage] = choice
    return choices


def choose(choices: Mapping[str, str], toolchain: Toolchain, compiler: WasmCompiler) -> tuple[Provider, ...]:
    """The provider of every stage.

    `auto` takes the real tool when this version can use it for the stage, and everything it needs proved itself.

    Raises:
        ToolError: a real provider was asked for and its tool is not usable; says what was examined.
    """
    return tuple(_choose(stage, choices.get(stage, "auto"), toolchain, compiler) for stage in STAGES)


def _choose(stage: str, choice: str, toolchain: Toolchain, compiler: WasmCompiler) -> Provider:
    needs = STAGES[stage][1]
    missing = [absent for name in needs if (absent := toolchain.absent(name))]
    if choice == "real" and missing:
        raise ToolError(
            f"--provider {stage}=real: {missing[0].tool} is not usable",
            notes=tuple((f"{absent.tool}: {absent.explain()}", None) for absent in missing),
            hint=missing[0].remedy,
        )
    if stage in WIRED and choice != "embedded" and not missing:
        tool = toolchain.found(needs[0])
        assert tool is not None
        reason = "asked for" if choice == "real" else f"found on {tool.origin}"
        return Provider(stage, True, tool.tool, tool.version, tool.path, reason)
    return _embedded(stage, _why_embedded(stage, choice, bool(missing), needs), compiler)


def _why_embedded(stage: str, choice: str, missing: bool, needs: tuple[str, ...]) -> str:
    tools = " and ".join(needs)
    if choice == "embedded":
        return "asked for"
    if missing:
        return f"no usable {tools}"
    return f"{tools} found, not used by this version"


def _embedded(stage: str, reason: str, compiler: WasmCompiler) -> Provider:
    if stage in ("kernel", "core"):
        tool = compiler.compiler
        return Provider(stage, False, f"{tool.tool} (wasm32)", tool.version, tool.path, reason)
    if stage == "link":
        tool = compiler.linker
        return Provider(stage, False, f"{tool.tool} (wasm32)", tool.version, tool.path, reason)
    if stage == "run":
        return Provider(stage, False, "emulator", __version__, "", "the cores are compiled for the emulated array")
    return Provider(stage, False, "npuninja", __version__, "", reason)
