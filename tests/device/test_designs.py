"""The shipped designs through every stage, onto the emulated array, against their references."""

import json
from pathlib import Path

import pytest
from design_chain import DESIGNS, ROOT, Chain

from npuninja.device import runner
from npuninja.formats.xclbin import read_xclbin

KERNEL = "void passthrough(const signed char *in, signed char *out, int n) {{\n  {}\n}}\n"


@pytest.mark.parametrize("name", DESIGNS)
def test_design_gives_what_its_reference_says(wasm_build, capfd, name):
    path = Chain(wasm_build, name).run()
    assert runner.main([path, "--verify", "--bench", "2", "--require", "emu", "--json"]) == 0
    outcome = json.loads(capfd.readouterr().out)
    assert outcome["verified"] is True
    assert outcome["device"] == "emu"
    assert outcome["times"]["label"] == "emulated"
    assert outcome["remarks"] == []
    assert all(core["steps"] > 0 for core in outcome["report"]["cores"])


def test_wrong_kernel_is_found_out(wasm_build, capfd):
    kernel = KERNEL.format("for (int i = 0; i < n; i++) out[i] = in[i] ^ (i == 77);")
    path = Chain(wasm_build, "passthrough", kernels={"passthrough.o": kernel}).run()
    assert runner.main([path, "--verify"]) == 1
    output = capfd.readouterr().out
    assert "b: 64 of 262144 elements differ" in output  # one in each element of the objectFifo
    assert "b[77]: got" in output


def test_fault_names_the_kernel_line(wasm_build, capfd):
    kernel = KERNEL.format("for (int i = 0; i < n; i++) out[i] = in[i]; *(volatile int *)0x28000 = n;")
    path = Chain(wasm_build, "passthrough", kernels={"passthrough.o": kernel}).run()
    assert runner.main([path, "--verify"]) == 4
    error = capfd.readouterr().err
    assert "passthrough.c:2:" in error
    assert "0x28000" in error
    assert "input_with_addresses.mlir:" in error


def test_missing_release_is_explained(wasm_build, capfd):
    text = (
        (ROOT / "mlir" / "passthrough.mlir")
        .read_text()
        .replace("aie.objectfifo.release @out(Produce, 1)", "")
    )
    path = Chain(wasm_build, "passthrough", text).run()
    assert runner.main([path, "--verify", "--json"]) == 4
    captured = capfd.readouterr()
    assert json.loads(captured.out)["report"]["kind"] == "Deadlock"
    assert "out_cons_lock_0" in captured.err or "out_prod_lock_0" in captured.err
    # What a DMA channel waits for has its name too.
    assert "waits for lock 3 of tile (0, 2) 'out_cons_lock_0' >= 1" in captured.err


def test_modules_travel_in_the_xclbin_only(wasm_build, capfd):
    path = Chain(wasm_build, "pipeline").run()
    folder = Path(path).parent
    container = read_xclbin((folder / "design.xclbin").read_bytes(), "design.xclbin")
    assert container.section(21) is not None
    keep = {"design.xclbin", "insts.bin", "design.json", "reference.py"}
    for file in folder.iterdir():
        if file.name not in keep:
            file.unlink()
    assert runner.main([path, "--verify"]) == 0
    capfd.readouterr()


def test_missing_wait_is_remarked(wasm_build, capfd):
    text = (ROOT / "mlir" / "vector_add.mlir").read_text()
    # The sequence waits for an input instead of the output.
    text = text.replace("metadata = @rhs}", "metadata = @rhs, issue_token = true}")
    text = text.replace("dma_wait {symbol = @sum}", "dma_wait {symbol = @rhs}")
    path = Chain(wasm_build, "vector_add", text).run()
    runner.main([path])
    assert (
        "S2MM 0 of tile (0, 0) had not finished BD 2 when the runtime sequence ended"
        in capfd.readouterr().out
    )


def test_write_beyond_the_last_buffer_is_remarked(wasm_build, capfd):
    kernel = KERNEL.format("for (int i = 0; i < n; i++) out[i] = in[i]; out[n + 5] = 1;")
    path = Chain(wasm_build, "passthrough", kernels={"passthrough.o": kernel}).run()
    assert runner.main([path, "--verify"]) == 0
    output = capfd.readouterr().out
    assert "of tile (0, 2) were written and belong to nothing: in the own" in output
    assert "data memory, 5 bytes past the end of buffer 'out_buff_0'" in output


def test_nearly_full_stack_is_remarked(wasm_build, capfd):
    fill = "volatile char t[900]; for (int i = 0; i < 900; i++) t[i] = i;"
    kernel = KERNEL.format(fill + " for (int i = 0; i < n; i++) out[i] = in[i];")
    path = Chain(wasm_build, "passthrough", kernels={"passthrough.o": kernel}).run()
    assert runner.main([path, "--verify"]) == 0
    assert "of its 1024 bytes of stack" in capfd.readouterr().out
