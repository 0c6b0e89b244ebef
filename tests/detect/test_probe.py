import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from build_project import make_tool

from npuninja.detect.aiebu import AIEBU_ASM
from npuninja.detect.bootgen import BOOTGEN
from npuninja.detect.cache import ProbeCache
from npuninja.detect.machine import TOOLS, detect
from npuninja.detect.peano import PEANO, PROGRAMS
from npuninja.detect.probe import Denied, probe
from npuninja.detect.tool import AbsentTool, FoundTool, Surroundings, Tool
from npuninja.detect.xrt import PYXRT

BOOTGEN_BANNER = """

****** Xilinx Bootgen v2022.2
  **** Build date : Jan 12 2023-02:25:15
    ** Copyright 1986-2022 Xilinx, Inc. All Rights Reserved.
"""
PEANO_BANNER = (
    "LLVM (http://llvm.org/):\n"
    "  LLVM version 19.0.0git\n\n"
    "  Registered Targets:\n"
    "    aie2 - Xilinx AI Engine 2\n"
)
LLVM_BANNER = "LLVM (http://llvm.org/):\n  LLVM version 22.0.0git\n  Optimized build.\n"
TRANSLATIONS = "".join(
    f"      --{name}  -   …\n"
    for name in ("aie-generate-cdo", "aie-generate-ldscript", "aie-npu-to-binary", "mlir-to-llvmir")
)
SYSTEM_LLC = "Debian LLVM version 14.0.6\n  Optimized build.\n\n  Registered Targets:\n    x86 - 32-bit X86\n"


class Machine:
    """A made-up machine: a PATH with tools in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "bin"
        self.path.mkdir()
        # The pretended tools are shell scripts that need `cat`, and nothing else is to be found.
        os.symlink("/bin/cat", self.path / "cat")
        self.variables = {"PATH": str(self.path)}
        self.pins: dict[str, str] = {}
        self.cache = folder / "cache.json"

    def tool(self, name: str, output: str, code: int = 0) -> Path:
        return make_tool(self.path / name, output, code)

    def look(self, tool: Tool, *denied: Denied) -> FoundTool | AbsentTool:
        root = str(self.folder)
        surroundings = Surroundings(self.variables, self.pins, (root + "/site",), sys.executable, root)
        cache = ProbeCache(str(self.cache))
        outcome = probe([tool], surroundings, cache, denied)[tool.name]
        cache.save()
        return outcome


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_tool_is_found_by_what_it_prints(machine):
    path = machine.tool("bootgen", BOOTGEN_BANNER, code=1)  # Debian's exits with 1 when it has nothing to do
    found = machine.look(BOOTGEN)
    assert isinstance(found, FoundTool)
    assert (found.path, found.origin, found.version) == (str(path), "PATH", "2022.2")
    assert found.identity.startswith("bootgen-2022.2-")


def test_a_script_whose_module_is_gone_is_refused_with_its_last_words(machine):
    machine.tool(
        "bootgen", "Traceback (most recent call last):\n  x\nModuleNotFoundError: No module named 'aie'", 1
    )
    absent = machine.look(BOOTGEN)
    assert isinstance(absent, AbsentTool)
    assert "No module named 'aie'" in absent.explain()


def test_a_wrapper_without_its_program_is_refused(machine):
    tool = next(t for t in TOOLS if t.name == "xclbinutil")
    machine.tool("xclbinutil", "ERROR: unwrapped/xclbinutil not found", 1)
    absent = machine.look(tool)
    assert isinstance(absent, AbsentTool)
    assert "does not print an XRT version" in absent.explain()


def test_a_system_llc_is_refused_and_the_next_candidate_tried(machine):
    machine.tool("llc", SYSTEM_LLC)
    absent = machine.look(PEANO)
    assert isinstance(absent, AbsentTool)
    assert "LLVM 14.0.6 without the AI Engine targets" in absent.explain()
    machine.variables["PEANO_INSTALL_DIR"] = str(machine.folder / "peano")
    make_tool(machine.folder / "peano/bin/llc", PEANO_BANNER)
    absent = machine.look(PEANO)
    assert isinstance(absent, AbsentTool)
    assert "it has no clang, clang++, opt, ld.lld beside it" in absent.explain()
    for program in PROGRAMS:
        make_tool(machine.folder / "peano/bin" / program, "")
    found = machine.look(PEANO)
    assert isinstance(found, FoundTool)
    assert (found.version, found.origin) == ("19.0.0git", "$PEANO_INSTALL_DIR")


def test_a_missing_installation_says_so(machine):
    machine.variables["PEANO_INSTALL_DIR"] = str(machine.folder / "nowhere")
    absent = machine.look(PEANO)
    assert isinstance(absent, AbsentTool)
    assert "there is no such file" in absent.explain()


def test_a_pinned_tool_is_looked_for_nowhere_else(machine):
    machine.tool("bootgen", BOOTGEN_BANNER)
    machine.pins["bootgen"] = str(machine.folder / "other")
    absent = machine.look(BOOTGEN)
    assert isinstance(absent, AbsentTool)
    assert [candidate.origin for candidate, _ in absent.examined] == ["toolchain.toml"]


def test_a_denied_version_is_refused_with_its_effect(machine):
    machine.tool("bootgen", BOOTGEN_BANNER)
    absent = machine.look(BOOTGEN, Denied("bootgen", "2022", "writes nonsense", "issue 1"))
    assert isinstance(absent, AbsentTool)
    assert "version 2022.2 is denied: writes nonsense (issue 1)" in absent.explain()
    assert isinstance(
        machine.look(BOOTGEN, Denied("bootgen", "2021", "x"), Denied("peano", "2022", "x")), FoundTool
    )


def test_a_remembered_tool_is_not_run_again(machine):
    path = machine.tool("bootgen", BOOTGEN_BANNER)
    machine.look(BOOTGEN)
    before = path.stat()
    path.write_text("#!/bin/sh\nexit 9\n".ljust(before.st_size), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert isinstance(machine.look(BOOTGEN), FoundTool)


def test_a_replaced_tool_is_asked_again_and_has_another_identity(machine):
    machine.tool("bootgen", BOOTGEN_BANNER)
    first = machine.look(BOOTGEN)
    machine.tool("bootgen", BOOTGEN_BANNER.replace("2022.2", "2024.1"))
    second = machine.look(BOOTGEN)
    assert isinstance(first, FoundTool)
    assert isinstance(second, FoundTool)
    assert second.version == "2024.1"
    assert first.identity != second.identity


class Elsewhere(Machine):
    """The machine as a configure of further build folders sees it, for which answers are kept too."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(folder / "user"))
        # What looks like an executable: the pretended tools are scripts.
        monkeypatch.setattr("npuninja.detect.probe.ELF_MAGIC", b"#!/bin/sh")
        self.folders = 0

    def look(self, tool: Tool, *denied: Denied) -> FoundTool | AbsentTool:
        self.folders += 1
        root = str(self.folder)
        surroundings = Surroundings(self.variables, self.pins, (root + "/site",), sys.executable, root)
        cache = ProbeCache(str(self.folder / f"{self.folders}.json"), for_all=True)
        outcome = probe([tool], surroundings, cache, denied)[tool.name]
        cache.save()
        return outcome


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    return Elsewhere(tmp_path, monkeypatch)


def break_silently(path: Path) -> None:
    """Makes a tool fail whose file seems to be as it was."""
    before = path.stat()
    path.write_text("#!/bin/sh\nexit 9\n".ljust(before.st_size), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_program_is_asked_once_for_all_build_folders(elsewhere):
    path = elsewhere.tool("bootgen", BOOTGEN_BANNER)
    first = elsewhere.look(BOOTGEN)
    break_silently(path)
    assert isinstance(first, FoundTool)
    assert elsewhere.look(BOOTGEN) == first
    assert BOOTGEN.name in (elsewhere.folder / "2.json").read_text(encoding="utf-8"), (
        "the folder has it now, too"
    )
    llc = elsewhere.tool("llc", SYSTEM_LLC)
    refused = elsewhere.look(PEANO)
    break_silently(llc)
    assert isinstance(refused, AbsentTool)
    assert elsewhere.look(PEANO) == refused


def replaced(machine: Elsewhere, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")


def other_libraries(machine: Elsewhere, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_silently(path)
    machine.variables["LD_LIBRARY_PATH"] = "/opt/lib"


def a_script(machine: Elsewhere, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_silently(path)
    monkeypatch.setattr("npuninja.detect.probe.ELF_MAGIC", b"\x7fELF")


def other_machine(machine: Elsewhere, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_silently(path)
    monkeypatch.setattr("os.uname", lambda: SimpleNamespace(nodename="another"))


def damaged(machine: Elsewhere, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_silently(path)
    for kept in (machine.folder / "user/probes").iterdir():
        kept.write_bytes(b"[" + kept.read_bytes())


@pytest.mark.parametrize("change", [replaced, other_libraries, a_script, other_machine, damaged])
def test_what_may_answer_otherwise_is_asked_again(elsewhere, monkeypatch, change):
    path = elsewhere.tool("bootgen", BOOTGEN_BANNER)
    assert isinstance(elsewhere.look(BOOTGEN), FoundTool)
    change(elsewhere, path, monkeypatch)
    assert isinstance(elsewhere.look(BOOTGEN), AbsentTool)


def test_answers_of_programs_that_failed_or_need_more_are_for_one_folder(elsewhere):
    path = elsewhere.tool("bootgen", "error while loading shared libraries", 127)
    assert isinstance(elsewhere.look(BOOTGEN), AbsentTool)
    before = path.stat()
    path.write_text(f"#!/bin/sh\necho Bootgen v2022.2; exit #{'x' * before.st_size}", encoding="utf-8")
    os.truncate(path, before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert isinstance(elsewhere.look(BOOTGEN), FoundTool)
    path = elsewhere.tool("aiebu-asm", "aiebu-asm 1.2.3\n")
    elsewhere.look(AIEBU_ASM)
    assert len(list((elsewhere.folder / "user/probes").iterdir())) == 1


def test_a_time_limit_is_no_answer_to_remember(machine, monkeypatch):
    monkeypatch.setattr("npuninja.detect.probe.ANSWER_LIMIT_S", 0.2)
    slow = machine.path / "bootgen"
    slow.write_text("#!/bin/sh\nexec /bin/sleep 5\n", encoding="utf-8")
    slow.chmod(0o755)
    absent = machine.look(BOOTGEN)
    assert isinstance(absent, AbsentTool)
    assert "did not answer within" in absent.explain()
    assert not machine.cache.exists()


def test_a_damaged_cache_is_as_good_as_none(machine):
    machine.cache.write_text('{"format": 1, "proofs": [3]}', encoding="utf-8")
    machine.tool("bootgen", BOOTGEN_BANNER)
    assert isinstance(machine.look(BOOTGEN), FoundTool)


def test_pyxrt_of_another_python_is_refused_by_its_name(machine):
    folder = machine.folder / "site"
    folder.mkdir()
    (folder / "pyxrt.cpython-39-x86_64-linux-gnu.so").write_bytes(b"")
    absent = machine.look(PYXRT)
    assert isinstance(absent, AbsentTool)
    assert "built for cpython-39" in absent.explain()


def test_pyxrt_that_cannot_be_imported_is_refused(machine):
    from importlib.machinery import EXTENSION_SUFFIXES

    folder = machine.folder / "site"
    folder.mkdir()
    (folder / f"pyxrt{EXTENSION_SUFFIXES[0]}").write_bytes(b"not a library")
    absent = machine.look(PYXRT)
    assert isinstance(absent, AbsentTool)
    assert "it cannot be imported" in absent.explain()


def test_an_empty_machine_has_nothing(tmp_path):
    surroundings = Surroundings({"PATH": ""}, {}, (), str(tmp_path / "python"), str(tmp_path))
    toolchain = detect(surroundings, ProbeCache(str(tmp_path / "cache.json")))
    assert all(toolchain.absent(tool.name) for tool in TOOLS)
    assert toolchain.python.version


# The samples of the comments above the patterns, and what each tool's reader makes of them.
@pytest.mark.parametrize(
    ("name", "code", "output", "version"),
    [
        ("ninja", 0, "1.11.1\n", "1.11.1"),
        ("ninja", 0, "1.13.2.git.kitware.jobserver-pipe-1\n", "1.13.2"),
        ("ninja", 0, "1.10.0\n", ""),
        ("ziglang", 0, "0.17.1\n", "0.17.1"),
        ("clang", 0, "Debian clang version 14.0.6\nTarget: wasm32-unknown-unknown\n", "14.0.6"),
        ("clang", 1, "clang version 19.1.0\nerror: unable to create target: 'No available targets'\n", ""),
        ("clang", 0, "clang version 11.0.1\n", ""),
        ("wasm-ld", 0, "Debian LLD 14.0.6\n", "14.0.6"),
        ("wasm-ld", 0, "LLD 19.1.1 (compatible with GNU linkers)\n", "19.1.1"),
        ("peano", 0, PEANO_BANNER, "19.0.0git"),
        ("peano", 0, SYSTEM_LLC, ""),
        (
            "aie-opt",
            0,
            f"{LLVM_BANNER}      --aie-assign-lock-ids     -   Assigns the lockIDs\n",
            "22.0.0git",
        ),
        ("aie-opt", 0, LLVM_BANNER, ""),
        ("aie-translate", 0, LLVM_BANNER + TRANSLATIONS, "22.0.0git"),
        ("aie-translate", 0, LLVM_BANNER, ""),
        ("aiecc", 0, "  --aie-generate-xclbin  Generate xclbin\naiecc.py 5950a4d3d2c1\n", "5950a4d3d2c1"),
        ("aiecc", 0, "  --get-xclbin\n", "unknown"),
        ("aiecc", 0, "  --verbose\n", ""),
        ("aiecc", 1, "Traceback (most recent call last):\nModuleNotFoundError: No module named 'aie'\n", ""),
        ("aie-opt", 1, "ModuleNotFoundError: No module named 'aie'\n", ""),
        ("bootgen", 1, BOOTGEN_BANNER, "2022.2"),
        (
            "xclbinutil",
            0,
            "       XRT Build Version: 2.25.00\n       Build Version Branch: master\n",
            "2.25.00",
        ),
        ("pyxrt", 0, "pyxrt imported, hw_context\n", "hw_context"),
        ("pyxrt", 0, "pyxrt imported, no hw_context\n", ""),
        ("pyxrt", -11, "", ""),
    ],
)
def test_versions_are_read_from_sample_output(name, code, output, version):
    proof = next(tool for tool in TOOLS if tool.name == name).read(code, output)
    assert proof.version == version
    assert bool(proof.reason) != bool(version)
