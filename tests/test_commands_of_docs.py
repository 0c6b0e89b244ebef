"""Every block of commands on every page: run here in one project, by another test, or for a reason not run.

A block is found by its page and its first command; one that is in none of the three tables fails the test.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
PROGRAMS = (
    "npuninja",
    "ninja",
    "python",
    "python3",
    "pip",
    "make",
    "unzip",
    "g++",
    "sed",
    "cd",
    "NAME",
    "PYTHON",
)
_COMMAND = re.compile(rf"(?:{'|'.join(map(re.escape, PROGRAMS))}|npuninja-stage|[A-Z]+=\S+$)(?: |=|$)")
_FENCE = re.compile(r"^\s*```(.*)$")

Block = tuple[str, str]


class Run(NamedTuple):
    """A block that is run in the project of this test: with words replaced, and what it must print."""

    words: dict[str, str]
    says: tuple[str, ...] = ()


INCREMENT = "docs/python-designs/increment.py"
MANIFEST = "build/npu1_1col/wasm/passthrough/passthrough.json"
RUN: dict[Block, Run] = {
    ("README.md", "python configure.py && ninja"): Run({}, ("elements are right",)),
    ("checks.md", "ninja check"): Run(
        {"check-NAME": "check-passthrough", "X.json": MANIFEST, "--schedules 20": "--schedules 2"},
        ("passthrough on emu",),
    ),
    ("python-designs.md", f"npuninja python {INCREMENT}"): Run(
        {INCREMENT: shlex.quote(str(ROOT / INCREMENT))}, ("PASS!",)
    ),
    ("real-tools.md", "python configure.py --why gain.xclbin"): Run(
        {"gain.xclbin": "passthrough.xclbin"}, ("passthrough.xclbin",)
    ),
    ("timing-model.md", f"npuninja model {MANIFEST.replace('passthrough', 'NAME')} --unit frame"): Run(
        {"NAME": "passthrough"}, ("frame", "optimistic")
    ),
    ("troubleshooting.md", "npuninja doctor"): Run(
        {"FILE": MANIFEST.replace(".json", ".xclbin"), "TARGET": "passthrough"},
        ("emulat", "AIE_PARTITION", "of 65536", "no work to do"),
    ),
}

#: Blocks that another test runs: its file and name, and for each page the first commands.
OTHER_TESTS: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    (
        "test_commands_of_docs.py",
        "test_a_block_does_what_the_page_says",
    ): {  # the same command is on another page
        "with-an-npu.md": ("npuninja doctor",),
        "python-designs.md": ("npuninja python design.py -- ARGUMENTS > design.mlir",),
    },
    ("test_entry_points.py", "test_make_run_sets_up_once_then_configures_builds_and_runs"): {
        "README.md": ("make run",)
    },
    ("test_entry_points.py", "test_make_test_lints_checks_types_and_runs_the_tests"): {
        "CONTRIBUTING.md": ("make check",)
    },
    ("new_project/test_new_project.py", "test_an_installed_wheel_is_all_one_needs"): dict.fromkeys(
        ("README.md", "index.md", "own-project.md"), ("pip install npuninja",)
    ),
    ("mel/test_mel_command.py", "test_array_and_picture"): {
        "README.md": ("npuninja mel speech.wav -o mel.npy --plot mel.png",),
        "mel.md": ("python configure.py && ninja mel mel_vector",),
    },
    ("machine_code/test_disasm.py", "test_two_programs_side_by_side"): {
        "machine-code.md": ("npuninja disasm working.elf --diff failing.elf",)
    },
    ("machine_code/test_functions.py", "test_a_flame_graph_has_functions_loops_and_all_cycles"): {
        "machine-code.md": (
            "npuninja profile build/npu1_1col/aie2/vector_add/vector_add.json --flame vector_add.svg",
        )
    },
    ("new_project/test_own_project_page.py", "test_the_commands_of_the_page"): {
        "own-project.md": ('npuninja init "my kernels" --template gemm --device npu1', "npuninja list")
    },
    ("packaging/test_install.py", "test_ninja_installs_where_prefix_and_destdir_say"): {
        "packaging.md": ("ninja package",)
    },
    ("packaging/test_wheel.py", "test_a_design_runs_from_the_wheel_in_a_new_environment"): {
        "packaging.md": ("unzip NAME-VERSION.zip",)
    },
    ("packaging/test_verify.py", "test_archive_and_wheel_are_good_and_hold_the_same"): {
        "packaging.md": ("npuninja verify-package FILE…",)
    },
    ("packaging/test_signature.py", "test_the_command_makes_keys_and_signs"): {
        "packaging.md": ("npuninja sign-package --key release.key --new-key",)
    },
    ("test_examples.py", "test_a_folder_with_a_makefile"): {
        "porting.md": ("npuninja import ~/examples/scale -o ~/scale-npuninja",)
    },
    ("device/test_several_kernels.py", "test_every_kernel_and_sequence_of_a_design"): {
        "several-kernels.md": ("ninja run-NAME",)
    },
    ("device/test_full_elf_run.py", "test_a_sequence_is_chosen_and_run"): {
        "several-kernels.md": (
            "npuninja run NAME.full.elf --kernel DEVICE:SEQUENCE --input a.bin --output 1024:b.bin "
            "[--scratchpad values.bin]",
        )
    },
    ("device/test_trace_run.py", "test_a_traced_design"): {"tracing.md": ("npuninja trace --run NAME",)},
    ("test_docs.py", "test_the_walk_through_builds_runs_and_fails_as_it_says"): {
        "writing-a-design.md": ("python configure.py clamp && ninja run-clamp",)
    },
    ("remote/test_launcher.py", "test_a_result_is_put_in_place"): {
        "architecture.md": (
            "PYTHON -S -E npuninja/remote/__main__.py build/remote.json --needs FILE… --makes FILE… -- "
            "STAGE ARG…",
            "npuninja-stage --require npuninja=HASH --require tool=NAME-VERSION-HASH -- STAGE ARG…",
        )
    },
    ("test_site.py", "test_the_tutorial_works_as_it_stands"): {
        "tutorial.md": (
            "npuninja init multiply --template passthrough",
            "python configure.py",
            "ninja test",
            "ninja run-mm",
            r"sed -i 's/c\[row \* N + column\] = 0;/;/' kernels/mm/mm.c",
            "sed -i 's/            ;/            c[row * N + column] = 0;/' kernels/mm/mm.c",
        )
    },
}
ELSEWHERE: dict[Block, tuple[str, str]] = {
    (page, command): test
    for test, pages in OTHER_TESTS.items()
    for page, commands in pages.items()
    for command in commands
}

#: Blocks that no test can run everywhere, and why.
NOT_RUN: dict[Block, str] = {
    (
        "editors.md",
        "pip install 'npuninja[editor]'",
    ): "pip fetches packages; the server is tested over its protocol",
    (
        "with-an-npu.md",
        "pip install llvm-aie -f https://github.com/Xilinx/llvm-aie/releases/expanded_assets/nightly",
    ): ("fetches a compiler of some hundred megabytes, and runs on an NPU"),
    ("remote-execution.md", "npuninja tools install buildbox"): (
        "fetches programs; tools/test_farm.py builds on a farm where they are there"
    ),
    ("xrt-on-the-emulator.md", "npuninja tools install xrt"): (
        "fetches programs; xrt_emulation/test_page.py runs the page's program where they are there"
    ),
    ("xrt-on-the-emulator.md", "X=~/.local/share/npuninja/tools/xrt"): (
        "needs XRT's headers; xrt_emulation/test_cpp.py compiles and runs where they are there"
    ),
}


def blocks_of(text: str) -> list[list[str]]:
    """Blocks of commands (shell fences, indented ones that begin with one), without remarks and output."""
    found: list[list[str]] = []
    fence: str | None = None
    block: list[str] = []
    for line in [*text.split("\n"), ""]:
        mark = _FENCE.match(line)
        if mark:
            if fence is None or fence.split(" ")[0] == "sh":
                found.append(block)
            fence = mark[1].strip() if fence is None else None
            block = []
        elif fence is not None:
            block.append(line.split(" # ")[0].strip())
        elif line.startswith("    ") and (block or _COMMAND.match(line.strip())):
            if _COMMAND.match(line.strip()):  # else it is what a command prints
                block.append(re.split(r" {3,}| +# ", line.strip())[0].strip())
        elif line.strip() and block:
            found.append(block)
            block = []
    found.append(block)
    return [commands for block in found if (commands := list(filter(None, block)))]


BLOCKS = {
    (page.name, block[0]): block for page in PAGES for block in blocks_of(page.read_text(encoding="utf-8"))
}


def test_a_block_is_found_with_its_commands() -> None:
    text = (
        "Say\n\n"
        "    ninja all     builds all\n"
        "    ninja a && ninja b  # both\n\n"
        "and `ninja`:\n\n"
        "    not a command\n\n"
    )
    text += "    ninja y\n\n```sh fails\nninja x\n```\n```c\nint x;\n```\n\n    pip install x"
    assert blocks_of(text) == [
        ["ninja all", "ninja a && ninja b"],
        ["ninja y"],
        ["ninja x"],
        ["pip install x"],
    ]


def test_every_block_is_run_or_says_why_not() -> None:
    known = [*RUN, *ELSEWHERE, *NOT_RUN]
    assert len(known) == len(set(known))
    assert set(BLOCKS) == set(known)


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())), ids=" ".join)
def test_the_other_test_is_there(place: tuple[str, str]) -> None:
    text = (ROOT / "tests" / place[0]).read_text(encoding="utf-8")
    assert f"def {place[1]}" in text


class Shell(NamedTuple):
    """A project, and an environment with the programs that pages name."""

    folder: Path
    environment: dict[str, str]

    def run(self, script: str) -> str:
        """What a script prints, whose every command must succeed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self.folder, env=self.environment, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, script + "\n" + done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A new project in a folder with a blank, built."""
    folder = tmp_path_factory.mktemp("docs")
    programs = folder / "programs"
    programs.mkdir()
    for name, words in (("npuninja", '-m npuninja "$@"'), ("python", '"$@"')):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    path = f"{programs}:{Path(sys.executable).parent}:/usr/bin:/bin"
    empty = folder / "an empty folder"
    empty.mkdir()
    first = Shell(empty, {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)})
    first.run("npuninja init demo && cd demo\npython configure.py && ninja")
    return first._replace(folder=empty / "demo")


@pytest.mark.parametrize("block", sorted(RUN), ids=" ".join)
def test_a_block_does_what_the_page_says(shell: Shell, block: Block) -> None:
    script = "\n".join(BLOCKS[block])
    for word, other in RUN[block].words.items():
        assert word in script
        script = script.replace(word, other)
    said = shell.run(script)
    for words in RUN[block].says:
        assert words in said, said
