"""A kernel's C parameters against the design's memrefs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from npuninja.errors import Location, Warnings
from npuninja.lints.kernel_signatures import check_kernel_signatures, parameters_at, pointed_bytes


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("int32_t *in", 4), ("const int16_t *restrict in", 2), ("bfloat16 * __restrict a", 2), ("uint16 *", 2),
        ("int in[64]", 4), ("const unsigned short *x", 2), ("float *y", 4), ("std::int64_t *z", 8),
        ("uint8_t *bytes", None), ("char *c", None), ("void *v", None), ("int32_t n", None), ("T *t", None),
        ("int32_t **p", None), ("v16int32 *v", None), ("aie::vector<int16, 32> *v", None),
    ],
)  # fmt: skip
def test_what_a_parameter_points_to(parameter: str, expected: int | None) -> None:
    assert pointed_bytes(parameter) == expected


SOURCE = """\
#include <stdint.h>
void other(int32_t *x);
/* twice(int8_t *no) { */
extern "C" void twice(const int32_t *restrict in, // in
                      int16_t *out, int32_t count,
                      int (*back)(int, int)) {
  other(0);
}
"""


def warned(tmp_path: Path, *elements: str | None, source: str = SOURCE, line: int = 4) -> str:
    path = tmp_path / "k.c"
    path.write_text(source, encoding="utf-8")
    warnings = Warnings()
    kernel = SimpleNamespace(name="twice", location=Location(str(path), line))
    declared = [("twice", Location("d.mlir", 7, 3), elements)]
    check_kernel_signatures("core (0, 2)", declared, [[kernel]], warnings)  # type: ignore[list-item]
    return warnings.render()


def test_both_places_are_said(tmp_path: Path) -> None:
    said = warned(tmp_path, "i16", "i16", None, None)
    assert said.startswith(f"{tmp_path}/k.c:4: warning: core (0, 2) calls twice, whose parameter 1 is")
    assert "`const int32_t *restrict in`, but the design passes numbers of i16, at d.mlir:7:3" in said
    assert said.count("warning") == 1


@pytest.mark.parametrize(
    "elements",
    [
        ("i32", "bf16", None, None),
        ("si32", "ui16", None, None),
        ("f32", "i16"),
        ("vector<4xi8>", "i16", None, None),
    ],
)
def test_what_fits_or_is_not_known_is_silent(tmp_path: Path, elements: tuple[str | None, ...]) -> None:
    assert warned(tmp_path, *elements) == ""


@pytest.mark.parametrize(
    "source", ["", "K(twice)\n", "void twice(int32_t *in\n", "void twice(int32_t *in);\n"]
)
def test_a_definition_that_is_not_there_is_silent(tmp_path: Path, source: str) -> None:
    assert warned(tmp_path, "i16", source=source, line=1) == ""


def test_a_source_that_is_gone_is_silent() -> None:
    assert parameters_at(Location("/nothing/k.c", 3), "twice") == ([], 0)
