"""Everything that decides the graph, as one record: what was found and what was chosen."""

from __future__ import annotations

from collections.abc import Mapping

from npuninja.arch.devices import DEVICES
from npuninja.detect.machine import Toolchain
from npuninja.detect.mlir_aie_releases import Release
from npuninja.packaging.package import Package
from npuninja.plan.design import Design
from npuninja.plan.kernels import KernelFolder
from npuninja.plan.layout import Layout
from npuninja.plan.providers import Providers
from npuninja.plan.wasm_compiler import WasmCompiler
from npuninja.records import field, record


@record(frozen=True, kw_only=True)
class Context:
    """What planning is a function of, in addition to the designs.

    Attributes:
        layout: where files are.
        toolchain: the proved tools.
        compiler: what compiles for emulated cores; None when there is none, and then no provider needs it.
        providers: of each stage.
        kernels: the sources of kernel objects.
        rules: the rules of build.ninja.
        batched: those of them whose stages may share a command.
        werror: whether warnings about designs and kernels are errors.
        launcher: the program that starts compilers, "" for none. `zig cc` is started without it.
        check: whether each design is run on the emulated array while it is built.
        test_words: what `npuninja run` is given in tests in addition to the rest.
        package: what the designs are packed as; None when they are not.
        prefix: where `install` puts them.
        modules: a stage's module -> the digest of the modules that it consists of.
    """

    layout: Layout
    toolchain: Toolchain
    compiler: WasmCompiler | None
    providers: Providers
    kernels: KernelFolder
    rules: frozenset[str]
    batched: frozenset[str] = frozenset()
    werror: bool = False
    launcher: str = ""
    check: bool = False
    test_words: tuple[str, ...] = ("--check", "races,memory")
    package: Package | None = None
    prefix: str = ""
    modules: Mapping[str, str] = field(default_factory=dict)

    @property
    def release(self) -> Release | None:
        """The conventions of the MLIR-AIE that is used."""
        return self.providers.release

    def kind_of(self, design: Design) -> str:
        """The core kind that a design is built for: `wasm`, or the architecture of its device."""
        return DEVICES[design.device].architecture if self.providers.for_npu else EMULATED


EMULATED = "wasm"
