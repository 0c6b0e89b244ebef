"""Names of functions in faults are those that the user wrote."""

from __future__ import annotations

import pytest

from npuninja.emulator.core_modules.places import _first_frame

TEXT = """\
wasm trap: unreachable
    0:  0x1a3 - <unknown>!{name}
                    at kernels/f.c:1:30
"""


@pytest.mark.parametrize(
    ("said", "name"), [("float", "f"), ("double", "d"), ("int", "i"), ("negate", "negate"), ("g2", "g2")]
)
def test_one_letter_is_no_type(said: str, name: str) -> None:
    (frame,) = _first_frame(TEXT.format(name=said))
    assert frame[0] == name
