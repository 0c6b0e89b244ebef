"""printf of kernels: formats, values as wasm32 lays them out, lines of several cores."""

from __future__ import annotations

import struct

import pytest

from npuninja.emulator.kernel_output import KernelOutput, _CallArguments, formatted

TEXTS = {64: "name"}


def shown(template: str, data: bytes) -> str:
    return formatted(template, _CallArguments(lambda at, size: data[at : at + size], 0), TEXTS.__getitem__)


@pytest.mark.parametrize(
    ("template", "data", "text"),
    [
        ("plain 100%%", b"", "plain 100%"),
        ("%d %u", struct.pack("<iI", -5, 7), "-5 7"),
        ("%5.2f|", struct.pack("<d", 3.14159), " 3.14|"),
        ("%d %f", struct.pack("<i4xd", 1, 0.5), "1 0.500000"),
        ("%d %lld %d", struct.pack("<i4xqi", 1, -(1 << 40), 2), f"1 {-(1 << 40)} 2"),
        ("%s=%x", struct.pack("<II", 64, 255), "name=ff"),
        ("%*d|%-4d|%c", struct.pack("<iiii", 4, 7, 8, 65), "   7|8   |A"),
    ],
)
def test_formats(template, data, text):
    assert shown(template, data) == text


def test_a_line_ends_with_its_newline_and_belongs_to_one_core():
    output = KernelOutput()
    output.add(0, 2, "one ")
    output.add(1, 2, "other\n")
    output.add(0, 2, "line\nrest")
    assert output.take() == [(1, 2, "other"), (0, 2, "one line"), (0, 2, "rest")]
    assert output.take() == []
