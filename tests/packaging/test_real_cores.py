"""A package of designs for an NPU by pretended tools: it has no emulator, and its runner wants an NPU."""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys

import pytest

from npuninja.packaging.verify import verify
from npuninja.packaging.zip_file import read_zip


@pytest.mark.parametrize("options", [(), ("--provider", "design=aiecc")])
def test_designs_for_an_npu(machine, tmp_path, options):
    project = machine.with_release("2026-02-24").project
    project.configure(*options)
    project.ninja("package")
    archive = project.folder / "build/dist/npu-designs-0.0.0.zip"
    good = verify(archive.read_bytes(), archive.name)
    described = json.loads(good.files["package.json"])
    assert described["designs"]["gain"]["core_kind"] == "aie2"
    assert described["emulator_requires"] == []
    assert not [name for name in good.files if "emulator" in name or name.endswith(".wasm")]
    wheel = archive.with_name("npu_designs-0.0.0-py3-none-any.whl")
    metadata = read_zip(wheel.read_bytes(), wheel.name)["npu_designs-0.0.0.dist-info/METADATA"].decode()
    assert "Requires-Dist: numpy" in metadata
    assert "emulator" not in metadata

    definition = json.loads(good.files["provenance.json"])["predicate"]["buildDefinition"]
    names = {d["name"]: d["annotations"] for d in definition["resolvedDependencies"]}
    assert {"peano", "aiecc" if options else "aie-opt", "xclbinutil", "kernels/gain/scale.h"} <= set(names)
    assert "ziglang" not in names
    text = json.dumps(definition)
    for place in (project.folder, machine.root):
        assert str(place) not in text

    for name, data in good.files.items():
        (tmp_path / "un" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "un" / name).write_bytes(data)
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XILINX_XRT": str(tmp_path)}
    command = [sys.executable, "run.py", "gain", "--device", "emu"]
    done = subprocess.run(
        command, cwd=tmp_path / "un", env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "was built for aie2 cores, and this package has no emulated array" in done.stderr
    if not glob.glob("/dev/accel/accel*"):
        done = subprocess.run(
            command[:3], cwd=tmp_path / "un", env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 77
        assert "no NPU" in done.stderr
