"""`[design.NAME]`: designs elsewhere, several of one script, their dialect and placement; `--retarget`."""

from __future__ import annotations

import json

import pytest
from negate_project import DESIGN, KERNEL, REFERENCE, NegateProject

SCRIPT = """\
import sys
print({text!r}.replace("BYTES", sys.argv[1]))
"""


def test_several_designs_of_one_script_with_arguments(empty: NegateProject) -> None:
    text = DESIGN.replace("OBJECT", "minus.o").replace("64xi8", "BYTESxi8").replace("1, 64]", "1, BYTES]")
    empty.write("designs/any.py", SCRIPT.format(text=text))
    empty.write("kernels/minus.c", KERNEL.replace("FACTOR", "-1"))  # of 64 bytes; only that design is run
    empty.write("answers/any.py", REFERENCE.replace("FACTOR", "-1"))
    empty.write(
        "toolchain.toml",
        "".join(
            f"[design.{name}]\n"
            'source = "designs/any.py"\n'
            f'arguments = ["{size}"]\n'
            'reference = "answers/any.py"\n'
            for name, size in (("small", 64), ("large", 128))
        )
        + '[kernel."minus.o"]\ndefines = []\n',
    )
    empty.configure()
    empty.right("small")
    listed = json.loads(empty.npuninja("list", "--json").stdout)
    assert [design["name"] for design in listed["designs"]] == ["large", "small"]
    arguments = (empty.folder / "build/npu1/wasm/large/arguments.json").parent
    empty.ninja("large")
    assert "128" in (arguments / "arguments.json").read_text(encoding="utf-8")
    # Another argument is another design, and only that one is made again.
    empty.edit("toolchain.toml", '"128"', '"192"')
    assert not any("small" in name for name in empty.rebuilt("large"))
    assert "192" in (arguments / "arguments.json").read_text(encoding="utf-8")


def test_settings_reach_the_lowering(empty: NegateProject) -> None:
    empty.write("kernels/minus.c", KERNEL.replace("FACTOR", "-1"))
    empty.design("minus", "minus.o")
    empty.write(
        "toolchain.toml", '[design.minus]\ngeneration = "2026-02"\nalloc-scheme = "basic-sequential"\n'
    )
    empty.configure()
    lower = next(edge for edge in empty.graph()["edges"] if edge["rule"] == "lower")
    words = " ".join(lower["options"])
    assert "--generation 2026-02" in words
    assert "--alloc-scheme basic-sequential" in words
    empty.right("minus")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[design.none]\ngeneration = "auto"\n',
            "toolchain.toml:1:2: error: [design.none]: there is no design 'none'",
        ),
        ('[design.x]\nsource = "no.mlir"\n', "toolchain.toml:2:1: error: there is no file 'no.mlir'"),
        ('[design.minus]\nreference = "no.py"\n', "there is no reference 'no.py'"),
        (
            '[design.minus]\ngeneration = "2024"\n',
            "toolchain.toml:2:1: error: 'generation' must be one of auto",
        ),
        ('npuninja = ">=99"\n', "toolchain.toml:1:1: error: this project wants npuninja >=99, and this is"),
        ('npuninja = "new"\n', "toolchain.toml:1:1: error: 'npuninja' must be versions"),
    ],
)
def test_wrong_settings_of_designs_are_located(empty: NegateProject, text: str, message: str) -> None:
    empty.write("kernels/minus.c", KERNEL.replace("FACTOR", "-1"))
    empty.design("minus", "minus.o")
    empty.write("toolchain.toml", text)
    assert message in empty.configure(code=2).stderr
