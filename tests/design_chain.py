"""Every stage of a design in one process: class `Chain`."""

from __future__ import annotations

import json
from pathlib import Path

from wasm_build import WasmBuild

from npuninja.ir.attributes import EnumAttr
from npuninja.ir.parser import parse_module
from npuninja.stages import (
    cdo,
    core_cc,
    core_code,
    core_link,
    insts,
    kernel_cc,
    lower,
    manifest,
    pdi,
    route,
    sequence,
    xclbin,
)

ROOT = Path(__file__).resolve().parent.parent
#: Those whose kernels are on the AIE API are built as a project is, in tests/kernel_headers.
_ON_THE_API = ("gelu", "gemm", "layer_norm", "softmax")
#: The shipped designs that a `Chain` builds.
DESIGNS = sorted(
    path.stem for path in (ROOT / "mlir").glob("*.mlir") if not path.stem.startswith(_ON_THE_API)
)


class Chain:
    """Builds a design as the build file's edges do.

    Args:
        build: folder and compiler.
        name: the design's name.
        text: its MLIR; by default that of `mlir/NAME.mlir`.
        kernels: text of the source of each object, by the object's name; by default the file in `kernels/`.
        sequence_name: of the runtime sequence.
        lower_options: for the stage lower.
    """

    def __init__(
        self,
        build: WasmBuild,
        name: str,
        text: str | None = None,
        kernels: dict[str, str] | None = None,
        sequence_name: str = "sequence",
        lower_options: tuple[str, ...] = (),
    ) -> None:
        self.build = build
        self.name = name
        self.kernels = kernels or {}
        self.sequence = sequence_name
        self.lower_options = lower_options
        #: The lowered design as the cores call it; as seen from the folder above, its places can be found.
        self.file_name = "input_with_addresses.mlir"
        self.folder = build.folder / name
        self.folder.mkdir()
        self.design = self.folder / f"{name}.mlir"
        self.design.write_text(text or (ROOT / "mlir" / f"{name}.mlir").read_text())

    def file(self, name: str) -> str:
        """A file of the design's build folder."""
        return str(self.folder / name)

    def run(self) -> str:
        """Runs all stages; returns the manifest's path."""
        lowered, symbol = self.file("input_with_addresses.mlir"), ["--device-symbol", "main"]
        lower.run([str(self.design), *self.lower_options, "-o", lowered])
        route.run([lowered, "-o", self.file("input_physical.mlir")])
        which, facts = [*symbol, "--sequence", self.sequence], ["--arguments", self.file("arguments.json")]
        sequence.run([lowered, *which, *facts, "-o", self.file("npu_insts.mlir")])
        insts.run([self.file("npu_insts.mlir"), *which, "-o", self.file("insts.bin")])
        module = parse_module(Path(lowered).read_text(), lowered)
        (device,) = [op for op in module.walk() if op.name == "aie.device"]
        device_name = device.attributes["device"]
        assert isinstance(device_name, EnumAttr)
        images = []
        for core in [op for op in device.walk() if op.name == "aie.core"]:
            tile = core.operands[0].owner
            column, row = tile.integer("col"), tile.integer("row")
            images += ["--image", f"{column},{row}={self.core(lowered, column, row)}"]
        cdos = [self.file(f"cdo_{part}.bin") for part in ("elfs", "init", "enable")]
        outputs = ["-o", cdos[0], "--init", cdos[1], "--enable", cdos[2]]
        options = ["--device", device_name.case]
        cdo.run([self.file("input_physical.mlir"), *symbol, *options, *images, *outputs])
        pdi.run([*cdos, "-o", self.file("design.pdi")])
        xclbin.run([self.file("design.pdi"), *options, *images, "-o", self.file("design.xclbin")])
        options += [*facts, "--design", self.name, "--kind", "wasm"]
        options += ["--xclbin", self.file("design.xclbin"), "--insts", self.file("insts.bin")]
        options += ["--provider", "lower=npuninja=0"]
        reference = ROOT / "host" / f"{self.name}.py"
        if reference.exists():
            options += ["--reference", str(reference), "--reference-copy", self.file("reference.py")]
        manifest.run([lowered, *options, "-o", self.file("design.json")])
        return self.file("design.json")

    def core(self, lowered: str, column: int, row: int) -> str:
        """The image of one core."""
        base = self.file(f"core_{column}_{row}")
        place = ["--core", f"{column},{row}", "--kind", "wasm", "--info", base + ".json"]
        name = ["--file-name", self.file_name]
        core_code.run([lowered, "--device-symbol", "main", *place, *name, "-o", base + ".c"])
        core_cc.run(self.build.compile_arguments(Path(base + ".c"), Path(base + ".o")))
        objects = [self.kernel(name) for name in json.loads(Path(base + ".json").read_text())["link_files"]]
        core_link.run([base + ".o", *objects, *self.build.link_tool(), *place, "-o", base + ".wasm"])
        return base + ".wasm"

    def kernel(self, name: str) -> str:
        """The object of a kernel."""
        target = self.folder / name
        if name in self.kernels:
            source = target.with_suffix(".c")
            source.write_text(self.kernels[name])
        else:
            source = next((ROOT / "kernels").glob(f"*/{target.stem}.c"))
        kernel_cc.run(self.build.compile_arguments(source, target))
        return str(target)
