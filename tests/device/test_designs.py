"""The shipped designs through every stage, onto the emulated array, against their references."""

import json
from pathlib import Path

import pytest

from npuninja.device import runner
from npuninja.formats.xclbin import read_xclbin
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

ROOT = Path(__file__).resolve().parents[2]
KERNEL = "void passthrough(const signed char *in, signed char *out, int n) {{\n  {}\n}}\n"
DESIGNS = sorted(path.stem for path in (ROOT / "mlir").glob("*.mlir"))


class Chain:
    """Builds a design as the build file's edges do, in one process."""

    def __init__(self, build, name: str, text: str | None = None) -> None:
        self.build = build
        self.name = name
        self.folder = build.folder / name
        self.folder.mkdir()
        self.design = self.folder / f"{name}.mlir"
        self.design.write_text(text or (ROOT / "mlir" / f"{name}.mlir").read_text())

    def file(self, name: str) -> str:
        return str(self.folder / name)

    def kernel(self, name: str, source: Path | None = None) -> str:
        """Compiles the kernel of an object; returns the object."""
        source = source or next((ROOT / "kernels").glob(f"*/{Path(name).stem}.c"))
        target = self.folder / name
        kernel_cc.run(self.build.compile_arguments(source, target))
        return str(target)

    def run(self, kernels: dict[str, Path] | None = None) -> str:
        """Runs all stages; returns the manifest's path."""
        lowered, symbol = self.file("input_with_addresses.mlir"), ["--device-symbol", "main"]
        lower.run([str(self.design), "-o", lowered])
        route.run([lowered, "-o", self.file("input_physical.mlir")])
        sequence.run([lowered, "-o", self.file("npu_insts.mlir")])
        insts.run([self.file("npu_insts.mlir"), *symbol, "--sequence", "sequence", "-o", self.file("insts.bin")])
        images = []
        for column, row in self.cores(Path(lowered)):
            images += ["--image", f"{column},{row}={self.core(lowered, column, row, kernels or {})}"]
        cdos = [self.file(f"cdo_{part}.bin") for part in ("elfs", "init", "enable")]
        outputs = ["-o", cdos[0], "--init", cdos[1], "--enable", cdos[2]]
        cdo.run([self.file("input_physical.mlir"), *symbol, *images, *outputs])
        pdi.run([*cdos, "-o", self.file("design.pdi")])
        xclbin.run([self.file("design.pdi"), "--device", "npu1_1col", *images, "-o", self.file("design.xclbin")])
        target = self.file("design.json")
        options = ["--sequence", "sequence", "--design", self.name, "--device", "npu1_1col", "--kind", "wasm"]
        options += ["--xclbin", self.file("design.xclbin"), "--insts", self.file("insts.bin")]
        options += ["--provider", "lower=npuninja=0", "--reference", str(ROOT / "host" / f"{self.name}.py")]
        manifest.run([lowered, *symbol, *options, "-o", target])
        return target

    @staticmethod
    def cores(lowered: Path) -> list[tuple[int, int]]:
        """Column and row of each core."""
        module = parse_module(lowered.read_text(), str(lowered))
        tiles = [op.operands[0].owner for op in module.walk() if op.name == "aie.core"]
        return [(tile.integer("col"), tile.integer("row")) for tile in tiles]

    def core(self, lowered: str, column: int, row: int, kernels: dict[str, Path]) -> str:
        """The image of one core."""
        base = self.file(f"core_{column}_{row}")
        place = ["--core", f"{column},{row}", "--kind", "wasm", "--info", base + ".json"]
        core_code.run(
            [lowered, "--device-symbol", "main", *place, "--file-name", "input_with_addresses.mlir", "-o", base + ".c"]
        )
        core_cc.run(self.build.compile_arguments(Path(base + ".c"), Path(base + ".o")))
        linked = json.loads(Path(base + ".json").read_text())["link_files"]
        objects = [self.kernel(name, kernels.get(name)) for name in linked]
        tool = self.build.link_tool()
        core_link.run([base + ".o", *objects, *tool, *place, "-o", base + ".wasm"])
        return base + ".wasm"


@pytest.mark.parametrize("name", DESIGNS)
def test_design_gives_what_its_reference_says(wasm_build, capfd, name):
    path = Chain(wasm_build, name).run()
    assert runner.main([path, "--verify", "--bench", "2", "--require", "emu", "--json"]) == 0
    outcome = json.loads(capfd.readouterr().out)
    assert outcome["verified"] is True
    assert outcome["device"] == "emu"
    assert outcome["times"]["label"] == "emulated"


def test_wrong_kernel_is_found_out(wasm_build, capfd, tmp_path):
    source = tmp_path / "wrong.c"
    source.write_text(KERNEL.format("for (int i = 0; i < n; i++) out[i] = in[i] ^ (i == 77);"))
    path = Chain(wasm_build, "passthrough").run({"passthrough.o": source})
    assert runner.main([path, "--verify"]) == 1
    output = capfd.readouterr().out
    assert "b: 64 of 262144 elements differ" in output  # one in each element of the objectFifo
    assert "b[77]: got" in output


def test_fault_names_the_kernel_line(wasm_build, capfd, tmp_path):
    source = tmp_path / "wild.c"
    source.write_text(KERNEL.format("*(volatile int *)0x30000 = n;"))
    path = Chain(wasm_build, "passthrough").run({"passthrough.o": source})
    assert runner.main([path, "--verify"]) == 4
    error = capfd.readouterr().err
    assert "wild.c:2:" in error
    assert "0x30000" in error
    assert "input_with_addresses.mlir:" in error


def test_missing_release_is_explained(wasm_build, capfd):
    text = (ROOT / "mlir" / "passthrough.mlir").read_text().replace("aie.objectfifo.release @out(Produce, 1)", "")
    path = Chain(wasm_build, "passthrough", text).run()
    assert runner.main([path, "--verify", "--json"]) == 4
    captured = capfd.readouterr()
    assert json.loads(captured.out)["report"]["kind"] == "Deadlock"
    assert "out_cons_lock_0" in captured.err or "out_prod_lock_0" in captured.err


def test_modules_travel_in_the_xclbin_only(wasm_build, capfd):
    path = Chain(wasm_build, "pipeline").run()
    folder = Path(path).parent
    container = read_xclbin((folder / "design.xclbin").read_bytes(), "design.xclbin")
    assert container.section(21) is not None
    keep = {"design.xclbin", "insts.bin", "design.json"}
    for file in folder.iterdir():
        if file.name not in keep:
            file.unlink()
    assert runner.main([path, "--verify"]) == 0
    capfd.readouterr()
