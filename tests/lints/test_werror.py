"""`--werror` from the command line and from configure.py down to the stages."""

from __future__ import annotations

from build_project import Project

from npuninja.cli import main

DESIGN = """module { aie.device(npu1_1col) {
  %s = aie.tile(0, 0)
  %t = aie.tile(0, 2)
  aie.flow(%s, DMA : 0, %t, DMA : 0)
  aie.shim_dma_allocation @in (MM2S, 0, 0)
  aiex.runtime_sequence(%a : memref<64xi32>) {
    aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 65][0, 0, 0, 1]) {id = 0 : i64, metadata = @in} : memref<64xi32>
  }
} }
"""


def test_lower(tmp_path, capsys):
    design, folder = tmp_path / "d.mlir", tmp_path / "out"
    design.write_text(DESIGN)
    warning = f"{design}:7:5: warning: the transfer covers bytes 0 to 260 of argument 0, which has 256"
    assert main(["lower", str(design), "-o", str(folder), "--werror"]) == 2
    printed = capsys.readouterr().err
    assert warning in printed
    assert "error: 1 warning, and --werror makes warnings errors" in printed
    assert not folder.exists()
    assert main(["lower", str(design), "-o", str(folder)]) == 0
    assert warning in capsys.readouterr().err
    assert (folder / "insts.bin").exists()


def test_build_of_a_design_with_a_warning(project: Project):
    project.edit("mlir/gain.mlir", "[0, 0, 0, 0][1, 1, 1, 256]", "[0, 0, 0, 4][1, 1, 1, 256]")
    project.configure("--werror")
    failed = project.ninja(code=None).stdout
    assert "warning: the transfer covers bytes 4 to 260 of argument 0, which has 256" in failed
    assert "--werror makes warnings errors" in failed
    project.configure()
    assert "warning: the transfer covers bytes" in project.ninja().stdout


def test_build_of_a_kernel_with_a_warning(project: Project):
    project.edit("kernels/gain/gain.c", "(in[i] * factor)", "(in[i] * (factor * 1.0f))")
    project.configure("--werror")
    failed = project.ninja(code=None).stdout
    assert "kernels/gain/gain.c:" in failed
    assert "warning: gain computes with scalar floats" in failed
    assert "--werror makes warnings errors" in failed
    project.configure()
    project.ninja()
