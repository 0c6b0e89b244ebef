"""Lexer, parser and printer do work that grows with the length of a text: counted, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module

SHORT, LONG = 60, 480
#: Eight times the length may be so many times the steps; the square would be 64 times.
MOST_TIMES = 12


def steps(action: Callable[[], object]) -> int:
    """Lines of Python that are run."""
    count = 0

    def line(frame, event, argument):
        nonlocal count
        count += 1
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def device(inside: str) -> str:
    return f"module {{\n  aie.device(npu1) {{\n    %t = aie.tile(0, 2)\n{inside}  }}\n}}\n"


def joined(n: int, piece: Callable[[int], str], between: str = "") -> str:
    return between.join(piece(i) for i in range(n))


def chain(n: int) -> str:
    blocks = joined(n, lambda i: f"    ^b{i}:\n      aie.next_bd ^b{i + 1}\n")
    start = "    %m = aie.mem(%t) {\n      %d = aie.dma_start(S2MM, 0, ^b0, ^e)\n"
    return f"{start}{blocks}    ^b{n}:\n      aie.next_bd ^e\n    ^e:\n      aie.end\n    }}\n"


def core(n: int) -> str:
    return (
        "    %c = aie.core(%t) {\n"
        + joined(n, lambda i: f"      %c{i} = arith.constant {i} : i32\n")
        + "      aie.end\n    }\n"
    )


def attribute(text: str, before: str = "") -> str:
    return f"{before}module attributes {{a = {text}}} {{}}\n"


TEXTS: dict[str, Callable[[int], str]] = {
    "operations": lambda n: device(
        joined(n, lambda i: f"    %b{i} = aie.buffer(%t) : memref<{i + 1}xi32>\n")
    ),
    "one list": lambda n: attribute(f"[{joined(n, str, ', ')}]"),
    "one dictionary": lambda n: (
        f"module attributes {{{joined(n, lambda i: f'a{i} = {i} : i32', ', ')}}} {{}}\n"
    ),
    "dense": lambda n: attribute(f"dense<[{joined(8 * n, str, ', ')}]> : tensor<{8 * n}xi32>"),
    "aliases": lambda n: joined(n, lambda i: f"#a{i} = {i} : i32\n") + "module {}\n",
    "uses of one alias": lambda n: attribute(
        f"[{joined(n, lambda i: '#a', ', ')}]", "#a = affine_map<(d0) -> (d0)>\n"
    ),
    "sum of an affine map": lambda n: attribute(f"affine_map<(d0) -> ({joined(n, lambda i: 'd0', ' + ')})>"),
    "blocks": lambda n: device(chain(n)),
    "constants": lambda n: device(core(n)),
    "blanks": lambda n: "module {" + " " * 50 * n + "}\n",
    "comments": lambda n: "module {\n" + "// c\n" * n + "}\n",
    "digits": lambda n: attribute(f"{'1' * n} : i8192"),
    "a string": lambda n: attribute(f'"{"x" * n}"'),
    "results": lambda n: f"func.func private @f({joined(n, lambda i: 'memref<8xi32>', ', ')})\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_work_grows_with_the_length(name):
    print_module(parse_module(TEXTS[name](SHORT + 1), "x.mlir"))  # tables are made
    texts = [TEXTS[name](n) for n in (SHORT, LONG)]
    read = [steps(lambda text=text: parse_module(text, "x.mlir")) for text in texts]
    assert read[1] <= MOST_TIMES * read[0]
    modules = [parse_module(text, "x.mlir") for text in texts]
    written = [steps(lambda module=module: print_module(module)) for module in modules]
    assert written[1] <= MOST_TIMES * written[0]
