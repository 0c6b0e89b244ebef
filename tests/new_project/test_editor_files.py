"""Tasks and settings for VS Code: in its form, with commands that there are and messages that it finds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from npuninja.cli import VERBS
from npuninja.errors import Location, UserError, Warnings
from npuninja.new_project.write import write_project

# Of the schema of tasks.json, version 2.0.0 (code.visualstudio.com/docs/editor/tasks-appendix): key -> kind.
TASK = {
    "label": str, "type": str, "command": str, "args": list, "group": dict, "problemMatcher": (str, list),
    "isBackground": bool,
}  # fmt: skip
# Of the variables in code.visualstudio.com/docs/editor/variables-reference.
VARIABLES = {"workspaceFolder", "file", "fileBasename", "fileBasenameNoExtension", "relativeFile"}
#: The pattern of the C/C++ extension's matcher `$gcc`: file, line, column, severity, message.
GCC = re.compile(r"^(.*?):(\d+):(\d*):?\s+(?:fatal\s+)?(warning|error):\s+(.*)$")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    write_project(str(tmp_path), "gemm", "npu1")
    return {
        path.name: json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / ".vscode").iterdir()
    }


def test_tasks_have_the_form_of_the_schema(files: dict[str, Any]) -> None:
    tasks = files["tasks.json"]
    assert set(tasks) == {"version", "tasks"}
    assert tasks["version"] == "2.0.0"
    labels = [task["label"] for task in tasks["tasks"]]
    assert len(labels) == len(set(labels))
    for task in tasks["tasks"]:
        assert set(task) <= set(TASK), task
        assert all(isinstance(value, TASK[key]) for key, value in task.items()), task
        assert task["type"] in ("process", "shell")
        group = task.get("group", {"kind": "none"})
        assert group["kind"] in ("build", "test", "none")
    defaults = [task["group"]["kind"] for task in tasks["tasks"] if task.get("group", {}).get("isDefault")]
    assert sorted(defaults) == ["build", "test"]


def test_tasks_start_what_there_is(files: dict[str, Any]) -> None:
    for task in files["tasks.json"]["tasks"]:
        words = task.get("args", [])
        if task["command"] == "npuninja":
            assert words[0] in VERBS, task
        else:
            assert task["command"] == "ninja"
            assert all(word == "test" or word == "run-${fileBasenameNoExtension}" for word in words), task
        assert set(re.findall(r"\$\{(\w+)\}", json.dumps(task))) <= VARIABLES


def test_settings_name_the_server_and_the_schema(files: dict[str, Any]) -> None:
    settings = files["settings.json"]
    command = [settings["glspc.server.command"], *settings["glspc.server.commandArguments"]]
    assert command == ["npuninja", "language-server"]
    assert "language-server" in VERBS
    (pattern,) = settings["evenBetterToml.schema.associations"]
    assert re.fullmatch(pattern, "toolchain.toml")
    assert settings["evenBetterToml.schema.associations"][pattern] == "./build/toolchain.schema.json"
    assert all(re.fullmatch(r"[\w-]+\.[\w-]+", name) for name in files["extensions.json"]["recommendations"])


def test_the_matcher_of_the_tasks_finds_our_errors_and_warnings(
    files: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {task["problemMatcher"] for task in files["tasks.json"]["tasks"] if task["problemMatcher"]} == {
        "$gcc"
    }
    error = UserError("unknown operation 'x'", Location("mlir/my design.mlir", 4, 16), hint="look")
    warnings = Warnings()
    warnings.add("takes more than it releases", Location("mlir/d.mlir", 2, 5))
    found = [GCC.match(line) for line in (error.render() + "\n" + warnings.render()).splitlines()]
    assert [match.groups() for match in found if match] == [
        ("mlir/my design.mlir", "4", "16", "error", "unknown operation 'x'"),
        ("mlir/d.mlir", "2", "5", "warning", "takes more than it releases"),
    ]
