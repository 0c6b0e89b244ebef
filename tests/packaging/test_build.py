"""`ninja package`: what is in it, where it says it comes from, and that nothing else decides its bytes."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from build_project import Project, make_can_build
from conftest import ROOT
from packed_project import PARTS, PRESET, STEM, WHEEL, Packed, packable

from npuninja.errors import UserError
from npuninja.packaging.package import Package
from npuninja.packaging.runner_files import SHIPPED
from npuninja.packaging.sbom import write_sbom
from npuninja.packaging.verify import verify

DIST = "build/dist"


def read(archive: Path) -> dict[str, bytes]:
    return verify(archive.read_bytes(), str(archive)).files


def provenance(archive: Path) -> dict[str, Any]:
    statement = json.loads(read(archive)["provenance.json"])
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    definition: dict[str, Any] = statement["predicate"]["buildDefinition"]
    return definition


def test_a_package_holds_what_runs_and_what_tells_about_it(packed):
    files = read(packed.archive)
    assert {
        f"{PARTS}/gain.json",
        f"{PARTS}/gain.xclbin",
        f"{PARTS}/insts.bin",
        f"{PARTS}/reference.py",
    } <= set(files)
    assert {
        "run.py",
        "README.txt",
        "licenses/LICENSE",
        "runner/LICENSE",
        "sbom.cdx.json",
        "provenance.json",
    } <= set(files)
    built = packed.project.folder / "build/npu1_1col/wasm/gain"
    for name in ("gain.json", "gain.xclbin", "insts.bin", "reference.py"):
        assert files[f"{PARTS}/{name}"] == (built / name).read_bytes()
    assert b"python run.py gain" in files["README.txt"]
    assert files["licenses/LICENSE"] == b"Use it as you like.\n"
    # Of npuninja only what runs designs.
    assert "runner/npuninja/device/runner.py" in files
    assert not [
        name for name in files if name.startswith(("runner/npuninja/lowering", "runner/npuninja/configure"))
    ]


def test_the_licence_of_the_runner_is_that_of_npuninja():
    assert (Path(SHIPPED) / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_provenance_has_every_source_with_its_hash_headers_too(packed):
    definition = provenance(packed.archive)
    entries = {d["name"]: d for d in definition["resolvedDependencies"]}
    sources = {name for name, entry in entries.items() if entry["annotations"]["role"] == "source"}
    assert sources == {"mlir/gain.mlir", "kernels/gain/gain.c", "kernels/gain/scale.h", "host/gain.py"}
    for name in sources:
        content = (packed.project.folder / name).read_bytes()
        assert entries[name]["digest"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert entries["ziglang"]["annotations"]["version"]
    assert {"python", "npuninja"} <= set(entries)
    assert "bootgen" not in entries, "what the build did not use is not among its tools"
    assert definition["externalParameters"] == {
        "name": "Gain-Designs", "version": "1.2.0", "preset": "for.tests", "designs": ["gain"],
    }  # fmt: skip


def test_provenance_has_the_commands_in_names_that_hold_everywhere(packed):
    commands = provenance(packed.archive)["internalParameters"]["commands"]
    made_by = {output: entry["command"] for entry in commands for output in entry["outputs"]}
    folder = "build/npu1_1col/wasm"
    assert made_by[f"{folder}/kernels/gain.o"].endswith(
        f"--depfile {folder}/kernels/gain.o.d -o {folder}/kernels/gain.o kernels/gain/gain.c"
    )
    assert made_by[f"{folder}/gain/gain.xclbin"].startswith(
        "python -S -E npuninja/stages xclbin --identity python-"
    )
    assert f"--image 0,2={folder}/gain/core_0_2.wasm" in made_by[f"{folder}/gain/gain.xclbin"]
    text = json.dumps(commands)
    for place in (str(packed.project.folder), str(ROOT), os.path.dirname(sys.executable), "../"):
        assert place not in text


def test_the_bill_of_materials_names_files_runner_and_what_it_needs(packed):
    bill = json.loads(read(packed.archive)["sbom.cdx.json"])
    parts = {component["bom-ref"]: component for component in bill["components"]}
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["licenses"] == [{"license": {"id": "MIT"}}]
    assert {p["name"] for p in parts["design:gain"]["components"]} >= {
        f"{PARTS}/gain.xclbin",
        f"{PARTS}/insts.bin",
    }
    assert parts["runner"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert (parts["requires:numpy"]["scope"], parts["requires:wasmtime"]["scope"]) == ("required", "optional")
    assert parts["tool:ziglang"]["scope"] == "excluded"
    needs = {d["ref"]: d.get("dependsOn", []) for d in bill["dependencies"]}
    assert needs["package"] == ["design:gain", "runner"]
    assert needs["runner"] == ["requires:numpy", "requires:wasmtime"]


def test_the_library_reads_its_bill_back(packed):
    from cyclonedx.model.bom import Bom

    bom = Bom.from_json(json.loads(read(packed.archive)["sbom.cdx.json"]))
    assert bom.metadata.component.version == "1.2.0"
    assert bom.validate()


def built(
    folder: Path, tools: Path, mask: int, variables: dict[str, str], place: list[str]
) -> tuple[bytes, bytes]:
    project = packable(folder, tools)
    for path in project.folder.rglob("*"):
        os.utime(path, (978_307_200 + mask, 978_307_200 + mask))
    project.environment.update(variables)
    before = os.umask(mask)
    try:
        project.configure(*PRESET, *place)
        project.ninja(*(["-C", place[-1]] if place else []), "package")
    finally:
        os.umask(before)
    made = project.folder / (place[-1] if place else "build") / "dist"
    return (made / f"{STEM}.zip").read_bytes(), (made / WHEEL).read_bytes()


def test_folder_user_umask_and_time_leave_no_trace(packed, tmp_path):
    other = built(
        tmp_path / "some where/else",
        tmp_path / "tools",
        0o077,
        {
            "USER": "bob",
            "HOME": str(tmp_path / "bob"),
            "TZ": "Asia/Tokyo",
            "LC_ALL": "C.UTF-8",
            "SOURCE_DATE_EPOCH": "1",
            "PYTHONHASHSEED": "7",
        },
        ["-B", "out/put"],
    )
    assert other == (packed.archive.read_bytes(), packed.wheel.read_bytes())


@make_can_build
@pytest.mark.slow
def test_make_packs_the_same(packed, tmp_path):
    project = packable(tmp_path / "project", tmp_path / "tools")
    project.configure(*PRESET, "--generator", "make")
    project.make("package")
    assert (project.folder / DIST / f"{STEM}.zip").read_bytes() == packed.archive.read_bytes()
    assert project.remade("package") == []
    project.make("install", f"DESTDIR={tmp_path}/staged")
    assert (tmp_path / "staged/usr/local/bin/Gain-Designs").is_file()


@pytest.fixture
def own(tmp_path: Path) -> Project:
    return packable(tmp_path / "project", tmp_path / "tools")


def test_edits_reach_the_package_and_no_change_makes_nothing(own):
    own.configure()
    own.ninja("package")
    archive = own.folder / DIST / "Gain-Designs-1.2.0.zip"
    first = archive.read_bytes()
    assert "no work to do" in own.ninja("package").stdout
    # A comment in a header: no object changes, but the package says what it was made from.
    own.edit("kernels/gain/scale.h", "\n", " // elements\n")
    assert own.rebuilt("package") == ["Gain-Designs-1.2.0.zip", "gain.o"]
    assert archive.read_bytes() != first
    # Another version: configured again, and the old files are gone.
    own.edit("toolchain.toml", "1.2.0", "1.3.0")
    own.ninja("package")
    assert sorted(path.name for path in archive.parent.iterdir()) == [
        "Gain-Designs-1.3.0.zip", "gain_designs-1.3.0-py3-none-any.whl",
    ]  # fmt: skip


def test_a_design_in_python_and_what_it_imports_are_sources(own):
    text = (own.folder / "mlir/gain.mlir").read_text()
    (own.folder / "mlir/gain.mlir").unlink()
    own.write("mlir/_texts.py", f"TEXT = '''{text}'''\n")
    own.write("mlir/gain.py", "from _texts import TEXT\n\nprint(TEXT)\n")
    own.configure()
    own.ninja("package")
    names = {
        d["name"] for d in provenance(own.folder / DIST / "Gain-Designs-1.2.0.zip")["resolvedDependencies"]
    }
    assert {"mlir/gain.py", "mlir/_texts.py"} <= names
    assert not [name for name in names if name.startswith("build/")]


def test_what_is_missing_is_reported(own, packed):
    hidden = own.write("hidden/cyclonedx/__init__.py", "raise ImportError('not installed')\n").parent.parent
    (own.folder / "LICENSE").unlink()
    own.edit("toolchain.toml", 'license = "MIT"', "")
    own.edit(
        "host/gain.py", "import numpy as np", "import numpy as np\n\nif np.pi < 3:\n    import scipy.signal"
    )
    own.configure()
    own.environment["PYTHONPATH"] = str(hidden)
    own.ninja()
    printed = own.ninja("package", code=None).stdout
    assert "the Python package cyclonedx-python-lib is missing" in printed
    assert "pip install cyclonedx-python-lib" in printed
    own.npuninja("verify-package", str(packed.archive))  # checking needs nothing
    del own.environment["PYTHONPATH"]
    printed = own.ninja("package").stdout
    assert "warning: the package says nothing about the licence" in printed
    assert "the reference of gain imports scipy" in printed
    own.configure("--werror")
    assert "--werror makes warnings errors" in own.ninja("package", code=None).stdout


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("", None),
        ("Apache-2.0", {"license": {"id": "Apache-2.0"}}),
        ("MIT OR BSD-3-Clause", {"expression": "MIT OR BSD-3-Clause"}),
        ("LicenseRef-Own", {"license": {"name": "LicenseRef-Own"}}),
    ],
)
def test_licences_are_those_of_spdx(expression, found):
    bill = json.loads(write_sbom(Package(license=expression), {}, {}, {}, []))
    assert bill["metadata"]["component"].get("licenses") == ([found] if found else None)


def test_what_is_no_licence_is_refused():
    with pytest.raises(UserError, match="'My Own Licence' is no licence of SPDX"):
        write_sbom(Package(license="My Own Licence"), {}, {}, {}, [])


@pytest.mark.parametrize("name", ["package", "install", "dist"])
def test_designs_cannot_have_the_names_of_the_targets(own, name):
    (own.folder / "mlir/gain.mlir").rename(own.folder / f"mlir/{name}.mlir")
    assert f"a design cannot be called '{name}'" in own.configure(code=2).stderr


def unpacked(packed: Packed, folder: Path) -> Path:
    for name, data in read(packed.archive).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def run(*command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), **variables}
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_the_unpacked_archive_runs_anywhere_without_npuninja(packed, tmp_path):
    folder = unpacked(packed, tmp_path / "any where")
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); import run; run.main(['gain', '--verify'])\n"
        "print({m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'npuninja'})"
    )
    done = run("-c", code, cwd=tmp_path)
    assert "b: all 256 elements are right" in done.stdout, done.stderr
    modules = ast.literal_eval(done.stdout.splitlines()[-1])
    assert len(modules) > 20
    assert {os.path.commonpath([name, folder]) for name in modules} == {str(folder)}
    done = run(str(folder), "gain", "--device", "auto", "--verify", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["device"] == "emu"
    assert not list((tmp_path / ".cache").glob("npuninja/zig")), "no compiler is needed"
    listed = run("run.py", cwd=folder)
    assert listed.returncode == 2
    assert "gain" in listed.stderr
    wrong = run("run.py", "gian", cwd=folder)
    assert (wrong.returncode, "designs: gain" in wrong.stderr) == (2, True)
    npu = run("run.py", "gain", "--require", "npu", cwd=folder)
    assert npu.returncode in (2, 77), npu.stderr


def test_the_runner_takes_no_xclbin_of_another_build(packed, tmp_path):
    folder = unpacked(packed, tmp_path / "here")
    path = folder / PARTS / "gain.xclbin"
    path.write_bytes(path.read_bytes() + b"x")
    done = run("run.py", "gain", cwd=folder)
    assert done.returncode == 2
    assert "gain.xclbin: error: the file is not of this build" in done.stderr


@pytest.mark.parametrize("module", ["numpy", "wasmtime"])
def test_the_runner_says_what_is_missing(packed, tmp_path, module):
    folder = unpacked(packed, tmp_path / "here")
    code = (
        "import importlib.util, sys; found = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name: None if name == {module!r} else found(name)\n"
        "from run import main; sys.exit(main(['gain']))"
    )
    done = run("-c", code, cwd=folder)
    assert done.returncode == 3
    assert f"the Python package {module} is missing" in done.stderr
    assert "pip install" in done.stderr
