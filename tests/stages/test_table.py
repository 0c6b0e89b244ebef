"""The table of stages: what follows from it is there, and what people read of it is what it says."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import pytest
from conftest import ROOT

from npuninja.detect.machine import TOOLS
from npuninja.emit.stage_rules import label, rule_text
from npuninja.emit.template import Template
from npuninja.errors import UserError
from npuninja.formats import xclbin_json
from npuninja.plan.words import tool_variables
from npuninja.records import replace
from npuninja.stages._run import stage_arguments
from npuninja.stages.declaration import FILES, Provider, Stage, help_text, usage
from npuninja.stages.table import STAGES, choices, module_of, rule_name, rules, stage

FOLDER = ROOT / "npuninja/stages"
DOCS = ROOT / "docs"


def test_every_module_has_a_row_and_every_row_a_module():
    modules = {path.stem for path in FOLDER.glob("[a-z]*.py")} - {"table", "declaration"}
    own = {row.name for row in STAGES if not row.planning}
    assert modules - {provider.module for row in STAGES for provider in row.providers} <= own
    assert own <= modules
    assert len(own) == sum(not row.planning for row in STAGES)


def test_what_a_row_names_exists():
    tools = {tool.name for tool in TOOLS}
    template = (ROOT / "build.ninja.in").read_text(encoding="utf-8")
    variables = {*tool_variables(), *re.findall(r"^(\w+) =", template, re.MULTILINE)}
    # A name with a dot is a file's own.
    made = {name for row in STAGES for name in row.makes if "." in name}
    for name, row, provider in rules():
        assert set(provider.tools) <= tools, name
        assert set(re.findall(r"\$(\w+)", provider.words)) <= variables, name
        assert not provider.identity or f"{provider.identity}_identity" in variables, name
        assert {*row.reads, *row.makes, *provider.reads, *provider.makes} <= {*FILES, *made, "MLIR"}, name
        assert row.when.partition("=")[0] in {
            *choices(),
            "sequence_op",
            "reference_source",
            "reconfiguration",
            "full_elf_wanted",
            "",
        }, name
    for row in STAGES:
        taken = {option.takes for option in row.options}
        assert all(name in taken for name in row.makes[1:]), f"{row.name}: what is made has no option"


def test_the_names_in_an_xclbin_are_those_of_the_formats():
    assert FILES["partition"] == xclbin_json.PARTITION_FILE
    assert FILES["kernels"] == xclbin_json.KERNELS_FILE
    assert FILES["memories"] == xclbin_json.MEM_TOPOLOGY_FILE


def test_a_choice_has_names_that_differ_and_one_that_needs_nothing():
    for name, row in choices().items():
        names = [provider.name for provider in row.providers]
        assert len(set(names)) == len(names), name
        assert not set(names) & {"real", "embedded", "auto"}, name
        assert any(not provider.vendor for provider in row.providers), name


def test_rules_of_the_table_are_ninja_and_may_be_written_out_instead():
    text = "builddir = b\n@TOOLS@\n@RULES@\nrule pdi\n  description = MINE $out\n  command = mine $in\n"
    template = Template(text, "build.ninja.in", tool_variables())
    assert set(template.rules) == {name for name, row, _ in rules() if not row.own_rule}
    assert template.rules["pdi"] == {"command": "mine $in", "description": "MINE $out"}
    assert template.rules["pdi_bootgen"]["command"].startswith(
        "@EXEC@ $stage pdi $pdi_modules --identity $bootgen_identity --bootgen"
    )
    assert "pdi" not in template.batch_parts
    # There is no rule `batch` in this one, so nothing is part of one.
    assert template.batch_parts == {}


def test_a_rule_names_its_provider():
    names = {name: label(row, provider) for name, row, provider in rules()}
    assert (names["pdi"], names["pdi_bootgen"], names["core_llvm"]) == (
        "PDI",
        "PDI (bootgen)",
        "CORE (aie-opt)",
    )
    third = Provider("tinycc", cores="wasm", module="kernel_tinycc", words="$wasm_compiler")
    row = stage("kernel_cc")
    assert rule_name(row, third) == "kernel_cc_tinycc"
    assert rule_text("kernel_cc_tinycc", row, third).startswith(
        "rule kernel_cc_tinycc\n"
        "  command = @EXEC@ $stage kernel_tinycc $kernel_tinycc_modules --identity "
        "$python_identity $wasm_compiler $options "
    )


def test_a_module_without_a_row_takes_what_its_stage_takes(monkeypatch):
    row = stage("pdi")
    mine = replace(row, providers=(*row.providers, Provider("mine", module="pdi_mine")))
    table = sys.modules["npuninja.stages.table"]
    monkeypatch.setattr(table, "STAGES", tuple(mine if each is row else each for each in STAGES))
    assert module_of(mine, mine.providers[-1]).options == row.options
    read = stage_arguments("pdi_mine", ["a.bin", "-o", "x.pdi", "--bif", "x.bif"])
    assert (read.stage, read.input(), read.one("--bif")) == ("pdi_mine", "a.bin", "x.bif")
    with pytest.raises(UserError, match="pdi_mine: unknown option '--bogus'"):
        stage_arguments("pdi_mine", ["--bogus"])


@pytest.mark.parametrize("row", STAGES, ids=lambda row: row.name)
def test_help_lists_what_is_taken(row: Stage):
    text = help_text(row)
    assert all(option.word in text for option in row.options)
    assert text.startswith(f"usage: {row.name} ")


def test_help_of_a_stage_is_printed():
    command = [sys.executable, "-S", "-E", str(FOLDER / "__main__.py"), "pdi", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == help_text(stage("pdi"))
    assert "[--bif NAME.bif]" in done.stdout


def test_the_page_of_the_architecture_has_the_table_of_stages(regen):
    rows = [f"| {row.name} | {row.does} | `{usage(row)}` |".replace("``", "") for row in STAGES]
    compare("architecture.md", "| stage | what it does | command line |", rows, regen)


def test_the_page_of_the_tools_has_the_table_of_providers(regen):
    rows = [
        f"| {name} | {row.chosen} | {', '.join(map(in_words, row.providers))} |"
        for name, row in choices().items()
    ]
    compare("real-tools.md", "| stage | what it makes | providers |", rows, regen)


def in_words(provider: Provider) -> str:
    needs = [tool for tool in provider.tools if tool != provider.name]
    notes = [*(["real"] if provider.vendor else []), *([f"needs {' and '.join(needs)}"] if needs else [])]
    notes += [{"npu": "cores of an NPU", "wasm": "emulated cores"}[provider.cores]] if provider.cores else []
    notes += [provider.label] if provider.label else []
    return f"`{provider.name}`" + (f" ({'; '.join(notes)})" if notes else "")


def compare(page: str, head: str, rows: list[str], regen: bool) -> None:
    """Whether a page has a table of these rows."""
    lines = (DOCS / page).read_text(encoding="utf-8").split("\n")
    start = lines.index(head) + 2
    end = next(number for number in range(start, len(lines)) if not lines[number].startswith("|"))
    if regen:
        lines[start:end] = rows
        (DOCS / page).write_text("\n".join(lines), encoding="utf-8")
        end = start + len(rows)
    assert lines[start:end] == rows


@pytest.mark.parametrize("row", [row for row in STAGES if not row.planning], ids=lambda row: row.name)
def test_a_stage_that_finds_files_is_declared_so(row):
    """What `run` returns is for the depfile; without the declaration a batch has none."""
    modules = {row.name, *(module_of(row, provider).name for provider in row.providers)}
    for name in modules:
        returned = importlib.import_module(f"npuninja.stages.{name}").run.__annotations__["return"]
        assert (returned == "list[str]") == bool(row.discovers), name
