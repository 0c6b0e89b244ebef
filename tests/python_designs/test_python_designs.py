"""Designs in Python, each beside the MLIR it prints in each generation it is written for.

`pytest tests/python_designs/test_python_designs.py --regen` writes the expected files: look at what differs.
"""

import os

import pytest

from npuninja.python_designs.script import run_design

HERE = os.path.dirname(os.path.abspath(__file__))
DESIGNS = os.path.join(HERE, "designs")


def cases():
    """(design, generation) of every expected file, and of designs that have none yet."""
    found = []
    for folder, _, names in sorted(os.walk(DESIGNS)):
        for name in sorted(names):
            if name.endswith(".py") and not name.startswith("_"):
                path = os.path.relpath(os.path.join(folder, name), DESIGNS)
                generations = wanted(os.path.join(folder, name))
                found += [(path, generation) for generation in generations]
    return found


def wanted(path):
    """The generations in a design's line `# generations: …`; the older two without one."""
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            if line.startswith("# generations:"):
                return line.split(":", 1)[1].split()
    return ["2025-10", "2026-02"]


@pytest.mark.parametrize(("design", "generation"), cases())
def test_prints_its_mlir(design, generation, request):
    path = os.path.join(DESIGNS, design)
    outcome = run_design(path, [], generation=generation, print_only=True)
    assert outcome.exit_code == 0
    expected = f"{path[:-3]}.{generation}.mlir"
    if request.config.getoption("--regen"):
        with open(expected, "w", encoding="utf-8") as stream:
            stream.write(outcome.text)
    with open(expected, encoding="utf-8") as stream:
        assert outcome.text == stream.read()
