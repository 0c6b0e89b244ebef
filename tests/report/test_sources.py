"""Sources on a page, with what the build warned of in its place."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from negate_project import KERNEL, NegateProject

from npuninja.report.sources import Warned, read_warnings, sources_of
from npuninja.stages._words_first import with_words_first

SAID = """\
mlir/d.mlir:2:5: warning: takes more than it releases
  line
  ^
kernels/k/k.c:1:1: warning: unused variable 'x' [-Wunused-variable]
1 warning generated.
d.xclbin: warning: nothing like it
warning: of no file
mlir/d.mlir:2:5: warning: takes more than it releases
"""


def test_warnings_are_read_from_what_was_printed() -> None:
    assert read_warnings(SAID) == [
        Warned("mlir/d.mlir", 2, "takes more than it releases"),
        Warned("kernels/k/k.c", 1, "unused variable 'x' [-Wunused-variable]"),
        Warned("d.xclbin", 0, "nothing like it"),
        Warned("", 0, "of no file"),
    ]
    assert read_warnings("") == []


def edge(rule: str, outputs: list[str], inputs: list[str], batch: str = "") -> dict[str, Any]:
    return {"rule": rule, "outputs": outputs, "inputs": inputs, "implicit": [], "batch": batch}


def test_a_design_has_its_own_sources_and_their_warnings(tmp_path: Path) -> None:
    files = {
        "mlir/d.mlir": "one\ntwo\n", "mlir/other.mlir": "x", "kernels/k/k.c": "int x;\n",
        "out/.stages0.warnings": SAID, "out/other.mlir.warnings": "mlir/other.mlir:1:1: warning: not ours\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    graph = {
        "edges": [
            edge("lower", ["out/lowered.mlir"], ["mlir/d.mlir"], "out/.stages0"),
            edge("kernel_cc", ["out/k.o"], ["kernels/k/k.c"]),
            edge("manifest", ["out/d.json"], ["out/lowered.mlir", "out/k.o"]),
            edge("lower", ["out/other.mlir"], ["mlir/other.mlir"]),
        ]
    }
    sources, rest = sources_of(graph, "out/d.json", str(tmp_path))
    assert [source.path for source in sources] == ["mlir/d.mlir", "kernels/k/k.c"]
    assert [line.warnings for line in sources[0].lines] == [(), ("takes more than it releases",)]
    assert rest == ("d.xclbin: nothing like it", "of no file")


@pytest.mark.parametrize(
    "words",
    [["cc", "--depfile", "{}/k.o.d", "-o", "k.o"], ["batch", "--depfile", "{}/k.o.d", "@words"]],
    ids=["stage", "batch"],
)
def test_what_a_stage_said_is_kept_until_it_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    record = tmp_path / "k.o.warnings"

    def run(said: str, code: int) -> None:
        def stage(arguments: list[str]) -> int:
            sys.stderr.write(said)
            return code

        assert with_words_first(stage, [word.format(tmp_path) for word in words]) == code
        assert capsys.readouterr().err == said

    run("\x1b[1mk.c:1:1: \x1b[0mwarning: odd\n", 0)
    assert read_warnings(record.read_text(encoding="utf-8")) == [Warned("k.c", 1, "odd")]
    run("", 0)
    assert not record.exists()
    run("k.c:1:1: warning: odd\n", 0)
    run("k.c:1:1: error: wrong\n", 2)
    assert not record.exists()


def test_the_page_of_a_build_that_warned(empty: NegateProject) -> None:
    empty.write("kernels/minus.c", KERNEL.replace("FACTOR", "-1"))
    empty.design("minus", "minus.o")
    empty.edit(
        "mlir/minus.mlir",
        "aie.objectfifo.acquire @src(Consume, 1)",
        "aie.objectfifo.acquire @src(Consume, 2)",
    )
    empty.configure()
    assert "warning: each trip of this loop takes 1 more object" in empty.ninja().stdout
    empty.npuninja("report", "minus", "--no-run")
    page = (empty.folder / "build/report/minus.html").read_text(encoding="utf-8")
    before, _, behind = page.partition('<span class="warning">')
    assert "each trip of this loop takes 1 more object" in behind[:200]
    assert before.rstrip().endswith("scf.for %turn = %zero to %many step %one {</span>")
    assert 'data-source="kernels/minus.c"' in behind
    # The next build, without the fault, has nothing to warn of.
    empty.edit("mlir/minus.mlir", "acquire @src(Consume, 2)", "acquire @src(Consume, 1)")
    empty.ninja()
    empty.npuninja("report", "minus", "--no-run")
    assert '<span class="warning">' not in (empty.folder / "build/report/minus.html").read_text(
        encoding="utf-8"
    )
