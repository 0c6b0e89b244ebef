"""`configure.py --remote`: what it needs, what it refuses, what it writes."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from build_project import Project, make_tool

from npuninja.configure.options import Options
from npuninja.configure.remote import remote_settings
from npuninja.detect.machine import Toolchain, this_python
from npuninja.errors import UserError
from npuninja.plan.layout import layout_of

EMBEDDED = '[providers]\npdi = "embedded"\n'


@pytest.fixture
def with_client(project: Project) -> Project:
    """The project `plain` with embedded providers, and a trexe on PATH."""
    project.write("toolchain.toml", EMBEDDED)
    make_tool(project.tools / "trexe", "trexe 1.4.30")
    return project


def test_commands_that_take_time_are_put_behind_the_launcher(with_client):
    printed = with_client.configure("--remote", "http://farm:8980").stdout
    assert "what takes time is run by the service at http://farm:8980" in printed
    text = (with_client.folder / "build.ninja").read_text(encoding="utf-8")
    rules = dict(re.findall(r"^build (.*?): (\w+) ", text, re.MULTILINE))
    remote = re.findall(
        r"^build (.*?): \w+ .*\n(?:  \w+ = .*\n)*?  stage = \$remote --needs", text, re.MULTILINE
    )
    assert {rules[outputs] for outputs in remote} == {"kernel_cc", "core_cc", "core_link", "batch"}
    command = with_client.ninja("-t", "commands", "build/npu1_1col/wasm/kernels/gain.o").stdout
    words = shlex.split(command)
    assert words[words.index("build/remote.json") + 1 :][:3] == ["--needs", "kernels/gain/gain.c", "--makes"]
    settings = json.loads((with_client.folder / "build/remote.json").read_text(encoding="utf-8"))
    assert settings["address"] == "http://farm:8980"
    assert settings["trexe"] == str(with_client.tools / "trexe")
    # What stages are made of decides what a worker must have.
    depfile = (with_client.folder / ".build.ninja.d").read_text(encoding="utf-8")
    assert "npuninja/stages/core_link.py" in depfile
    assert (
        with_client.configure("--remote", "http://farm:8980")
        .stdout.splitlines()[-1]
        .startswith("build.ninja unchanged")
    )


def test_ninja_configures_again_with_the_same_address(with_client):
    with_client.configure("--remote", "http://farm:8980")
    with_client.write("mlir/other.mlir", (with_client.folder / "mlir/gain.mlir").read_text(encoding="utf-8"))
    with_client.ninja("build.ninja")
    assert "stage = $remote --needs mlir/other.mlir" in (with_client.folder / "build.ninja").read_text(
        encoding="utf-8"
    )


def test_without_it_everything_runs_here(with_client):
    with_client.configure("--remote", "http://farm:8980")
    with_client.configure()
    assert "$remote" not in (with_client.folder / "build.ninja").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "address",
    ["farm", "farm:8980", "https://farm:8980", "http://farm", "http://farm:8980/x", "unix:farm", "unix:"],
)
def test_what_is_no_address_is_refused(with_client, address):
    assert "no address of a service" in with_client.configure("--remote", address, code=2).stderr


def test_a_missing_client_is_reported(project):
    said = project.configure("--remote", "http://farm:8980", code=3).stderr
    assert "there is no trexe, a program of BuildBox" in said
    assert "npuninja tools install buildbox" in said


def test_a_launcher_is_refused(tmp_path):
    options = Options(remote="http://farm:8980", launcher="ccache")
    toolchain = Toolchain({}, this_python())
    with pytest.raises(UserError, match="--launcher and --remote exclude each other"):
        remote_settings(options, {}, layout_of(str(tmp_path), None), toolchain, str(tmp_path))
