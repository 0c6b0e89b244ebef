"""Texts that nobody wrote by hand: refused at their place, in time and memory that grow with their length."""

from __future__ import annotations

import pytest

from npuninja.errors import UserError, Warnings
from npuninja.ir import lexer
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.pipeline import lower_resources


def refused(text: str) -> UserError:
    with pytest.raises(UserError) as caught:
        print_module(parse_module(text, "x.mlir"))
    caught.value.render()
    return caught.value


@pytest.mark.parametrize("odd", ["\u00a0", "\f", "\v", "\u2028", "\u3000", "\0", "\x1b", "\x85", "\u200b"])
@pytest.mark.parametrize("blanks", ["", " " * 30, "\t\n" * 2000, "// c\n" * 500])
def test_odd_blanks_are_refused_where_they_stand(odd: str, blanks: str) -> None:
    error = refused(f"module {{\n{blanks}{odd}}}")
    assert error.location is not None
    assert error.location.line == 2 + blanks.count("\n")
    assert error.location.column == 1 + len(blanks.rpartition("\n")[2])
    assert f"U+{ord(odd):04X}" in error.message


def test_an_odd_blank_between_good_tokens_is_not_skipped() -> None:
    refused("module\u00a0{}")


def test_blanks_take_linear_time() -> None:
    """No clock: so many blanks would take longer than the test machine lasts."""
    refused("module {" + " " * 200_000 + "\u00a0}")
    parse_module("module {" + " " * 200_000 + "}", "x.mlir")


LAUGHS = "#a0 = affine_map<(d0) -> (d0 + 1)>\n" + "".join(
    f"#a{i} = [#a{i - 1}, #a{i - 1}]\n" for i in range(1, 40)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("module attributes {a = " + "9" * 5000 + "} {}", "digits"),
        ("module attributes {a = 0x" + "f" * 9000 + "} {}", "does not fit"),
        ("module attributes {a = 0x" + "f" * 9000 + " : i32} {}", "does not fit"),
        ("module attributes {a = 1 : i40000000000} {}", "bits"),
        ("module attributes {a = 1 : ui8000000000} {}", "bits"),
        ("module attributes {a = -1 : ui16777215} {}", "does not fit"),
        (LAUGHS + "module attributes {x = #a39} {}", "stand for more than"),
        ("module attributes {x = " + "[" * 100_000, "nested too deeply"),
        ("module attributes {x = " + "{a = " * 100_000, "nested too deeply"),
        ("func.func private @f(memref<" + "9" * 5000 + "xi8>)", "digits"),
        ("func.func private @f(memref <8xi32>)", None),
        ("module attributes {x = affine_map<(d0) -> (" + "-" * 50_000 + "d0)>} {}", None),
        ("module attributes {x = affine_map<(d0) -> (d0 +>} {}", None),
        ("module attributes {x = affine_map<(d0", None),
        ("module attributes {x = affine_map<(d0)>} {}", None),
        ("module attributes {x = affine_map<>} {}", None),
        ("module attributes {x = affine_map<(d0) -> >} {}", None),
        ("module attributes {x = memref} {}", None),
        ("module attributes {x = vector<} {}", None),
        ("module attributes {x = dense<0> : tensor<?xi8>} {}", None),
        ("module attributes {x = strided<[1, " + "9" * 5000 + "]>} {}", "digits"),
        ('module attributes {x = "\ud800"} {}', None),
    ],
)
def test_bombs_and_torn_texts_are_refused(text: str, words: str | None) -> None:
    if words is not None:
        assert words in refused(text).message
        return
    try:
        print_module(parse_module(text, "x.mlir"))
    except UserError as error:
        error.render()


def test_a_text_has_a_size(monkeypatch) -> None:
    monkeypatch.setattr(lexer, "MAX_TEXT_CHARACTERS", 1000)
    assert "at most 1000" in refused("module {" + " " * 1000 + "}").message


FIFO = """
module {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %a = aie.tile(0, 2)
    %b = aie.tile(0, 3)
    aie.objectfifo @in(%a, {%b}, DEPTH) {OPTIONS} : !aie.objectfifo<memref<1xi32>>
    aie.objectfifo @other(%a, {%b}, OTHER) : !aie.objectfifo<memref<1xi32>>
    %core = aie.core(%b) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %n = arith.constant 9223372036854775807 : index
      scf.for %i = %c0 to %n step %c1 {
        %v = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<1xi32>>
        %w = aie.objectfifo.acquire @other(Consume, 1) : !aie.objectfifosubview<memref<1xi32>>
        aie.objectfifo.release @in(Consume, 1)
        aie.objectfifo.release @other(Consume, 1)
      }
      aie.end
    }
  }
}
"""


@pytest.mark.parametrize(
    ("depth", "options", "other", "words"),
    [
        ("100000000 : i32", "", "2 : i32", "depth of 100000000"),
        ("[2, 100000000]", "", "2 : i32", "depth of 100000000"),
        ("2 : i32", "repeat_count = 100000000 : i32", "2 : i32", "repeat_count 100000000"),
        ("1023 : i32", "", "1021 : i32", "operations; at most"),
    ],
)
def test_counts_that_no_tile_has_are_refused_before_they_are_built(
    depth: str, options: str, other: str, words: str
) -> None:
    text = FIFO.replace("DEPTH", depth).replace("{OPTIONS}", f"{{{options}}}" if options else "")
    module = parse_module(text.replace("OTHER", other), "x.mlir")
    with pytest.raises(UserError) as caught:
        lower_resources(module, alloc_scheme=None, generation="2025-10", warnings=Warnings())
    assert words in caught.value.message
    assert caught.value.location is not None
