"""Names of designs and kernels."""

from __future__ import annotations

import pytest

from npuninja.errors import Location, UserError
from npuninja.plan.names import check_name, is_name

AT = Location("mlir/a.mlir", 3)


@pytest.mark.parametrize("name", ["a", "gain_2", "N" * 63])
def test_good_ones(name: str) -> None:
    assert check_name("design", name, AT) == name
    assert is_name(name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gain-2", "rename it, for example to 'gain_2'"),
        ("N" * 64, f"rename it, for example to '{'N' * 63}'"),
        ("2gain", "rename it"),
        ("", "rename it"),
    ],
)
def test_others_are_refused_at_their_place(name: str, hint: str) -> None:
    assert not is_name(name)
    with pytest.raises(UserError, match="is not a letter followed by at most 62") as caught:
        check_name("design", name, AT)
    assert caught.value.location == AT
    assert caught.value.hint == hint
