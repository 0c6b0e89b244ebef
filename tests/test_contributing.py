"""What CONTRIBUTING.md says is done here, word for word: built, and checked by the tests that it names."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from build_project import Project
from conftest import CONFORMANCE, ROOT

PAGE = ROOT / "CONTRIBUTING.md"
# What the page names and is not run here: it builds whole projects, and its lists are changed by hand.
BUILDING = tuple(
    f"tests/stages/test_{name}.py"
    for name in ("incremental", "make_build", "ninja_features", "real_toolchain")
)
TEST = r"tests/[\w/]+\.py(?:::\w+)?"


def blocks() -> dict[str, str]:
    """What comes after ```python -> the block."""
    return dict(
        re.findall(r"^```python (.+)\n((?:.*\n)*?)```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    )


def checks(*walks: str) -> list[str]:
    """The tests that the page names in some of its walks."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")
    walked = [part for part in parts if part.startswith(tuple(f"{walk}\n" for walk in walks))]
    assert len(walked) == len(walks)
    return sorted({name for part in walked for name in re.findall(rf"`({TEST})`", part)})


def failed(folder: Path, *words: str) -> set[str]:
    """The tests that fail in a copy, of those that `words` name."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rf", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = set(re.findall(r"^FAILED \S+::(\w+)", done.stdout, re.MULTILINE))
    assert done.returncode == bool(found), done.stdout + done.stderr
    return found


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """npuninja with its tests."""
    folder = tmp_path / "changed"
    skipped = shutil.ignore_patterns("__pycache__", CONFORMANCE.name)
    for name in ("npuninja", "tests", "docs", "tools", "host", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    for name in ("configure.py", "build.ninja.in", "pyproject.toml", "toolchain.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def changed(copied: Path) -> Path:
    """The same with the stage and the compiler of the page."""
    folder = copied
    table = folder / "npuninja/stages/table.py"
    text = table.read_text(encoding="utf-8")
    for name, block in blocks().items():
        if name.startswith("npuninja/"):
            (folder / name).write_text(block, encoding="utf-8")
        elif name == "row":
            end = text.index("\n)\n", text.index("STAGES: tuple"))
            text = f"{text[:end]}\n    {block.rstrip()},{text[end:]}"
        else:
            assert name == "provider kernel_cc"
            before = 'providers=(*_compiling(" $warning_options"), '
            assert text.count(before) == 1
            text = text.replace(before, f"{before}{block.rstrip()}, ")
    table.write_text(text, encoding="utf-8")
    return folder


def test_a_stage_and_a_compiler_are_a_row_and_a_module_each(project: Project, changed: Path):
    assert {
        "row",
        "provider kernel_cc",
        "npuninja/stages/overview.py",
        "npuninja/stages/kernel_small.py",
    } == set(blocks())

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=project.folder,
            env=project.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    said = run(str(changed / "configure.py"), "-S", str(project.folder), "--provider", "kernel=small")
    assert re.search(r"^kernel +small ", said, re.MULTILINE)
    assert "OVERVIEW" in project.ninja("gain").stdout
    folder = project.folder / "build/npu1_1col/wasm/gain"
    size = (folder / "gain.xclbin").stat().st_size
    assert (folder / "overview.txt").read_text(encoding="utf-8") == f"gain: {size} bytes\n"
    rules = {edge["rule"] for edge in project.graph()["edges"]}
    assert {"overview", "kernel_cc_small", "core_cc"} <= rules
    assert "kernel_cc" not in rules
    usage = run("-S", str(changed / "npuninja/stages/__main__.py"), "overview", "--help")
    assert usage.startswith("usage: overview NAME.json NAME.xclbin -o overview.txt\n")
    # An edit of the new module makes its files again, and no others.
    module = changed / "npuninja/stages/overview.py"
    module.write_text(module.read_text(encoding="utf-8").replace("bytes\\n", "B\\n"), encoding="utf-8")
    assert project.rebuilt("gain") == ["overview.txt"]
    assert (folder / "overview.txt").read_text(encoding="utf-8").endswith(" B\n")


def test_the_checks_of_the_page_ask_for_what_was_forgotten_and_for_nothing_else(changed: Path):
    # The plans of made-up designs follow the table, so the page need not name them.
    named = checks("Add a stage", "Add a kernel compiler")
    tests = ["tests/plan/test_recipe.py", *(name for name in named if name not in BUILDING)]
    assert len(tests) == 1 + len(named) - len(BUILDING)
    assert failed(changed, *tests) == {
        "test_page_schema_and_template_are_those_of_the_table",
        "test_the_page_of_the_architecture_has_the_table_of_stages",
        "test_the_page_of_the_tools_has_the_table_of_providers",
        "test_build_file_and_graph_of_a_small_project",
    }
    assert failed(changed, *tests, "--regen") == set()
    (changed / "npuninja/stages/overview.py").rename(changed / "npuninja/stages/view.py")
    assert "test_every_module_has_a_row_and_every_row_a_module" in failed(changed, *tests)


def test_an_operation_is_a_row_and_the_checks_of_the_page_ask_for_the_rest(copied: Path):
    table = copied / "npuninja/ir/syntax.py"
    row = "aie.brand_new                ( $tile:index , .amount:i32 ) {}\n"
    before = "\naie.tile  "
    text = table.read_text(encoding="utf-8")
    assert text.count(before) == 1
    table.write_text(text.replace(before, f"\n{row}{before[1:]}"), encoding="utf-8")
    tests = checks("Add an operation")
    assert failed(copied, *tests) == {"test_every_operation_that_is_read_is_on_the_page_once"}
    twice = row.replace(".amount:i32 ", ".amount:i32 , .amount:i32 ")
    table.write_text(text.replace(before, f"\n{twice}{before[1:]}"), encoding="utf-8")
    assert "test_every_row_reads_and_prints_what_is_made_from_it" in failed(copied, *tests)


def test_a_device_is_a_record_and_the_checks_of_the_page_ask_for_its_facts(copied: Path):
    table = copied / "npuninja/arch/families.py"
    row = (
        'FAMILIES["npu7"] = FAMILIES["npu2"]._replace(\n'
        '    name="npu7", architecture="aie7", first_device_number=70, txn_generation=7, elf_flag=7,\n'
        '    driver=FAMILIES["npu2"].driver._replace(xrt_numbers=(17,), pci_device=0x17F7),\n'
        ")\n\n\n"
    )
    function = "def architectures()"
    table.write_text(table.read_text(encoding="utf-8").replace(function, row + function), encoding="utf-8")
    # Which devices there are is in an error's hint, too.
    tests = ("tests/ir/test_ir_errors.py::test_error_place_and_message", *checks("Add a device"))
    asked = {"test_facts_of_every_family_are_here", "test_designs_in_python_know_every_family"}
    written = {"test_page_schema_and_template_are_those_of_the_table"}
    assert failed(copied, *tests) == {*asked, *written}
    assert failed(copied, *tests, "--regen") == asked


def test_what_the_page_names_is_there():
    text = PAGE.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:npuninja|tests|docs)/[\w./]+)`", text):
        if name not in blocks():
            assert (ROOT / name).exists(), name
