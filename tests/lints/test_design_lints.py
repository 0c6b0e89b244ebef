"""Each lint of a design: what it warns of, and what looks like it but is right."""

from __future__ import annotations

import pytest
from conftest import positive_designs

from npuninja.errors import UserError, Warnings
from npuninja.ir.parser import parse_module
from npuninja.ir.verifier import verify
from npuninja.lints.design import lint_design


def lint(body: str) -> list[str]:
    """The warnings about a device with this body: `LINE: text`; the body's first line is 1."""
    tiles = "%s = aie.tile(0, 0)\n%t = aie.tile(0, 2)\n%u = aie.tile(0, 3)\n"
    module = parse_module(f"module {{ aie.device(npu1_1col) {{\n{tiles}{body}\n}} }}\n", "design.mlir")
    verify(module)
    warnings = Warnings()
    lint_design(module, warnings)
    found = []
    for message, place in warnings.items:
        assert place is not None
        assert place.column > 0
        found.append(f"{place.line - 4}: {message}")
    return found


VIEW = "memref<4x8xi32, strided<[16, 1], offset: {offset}>>"


def cast(offset: str, target: str) -> str:
    """A core that casts a view of this offset."""
    view = VIEW.format(offset=offset)
    return f"""%b = aie.buffer(%t) {{sym_name = "b"}} : memref<4x16xi32>
func.func private @view() -> {view}
%core = aie.core(%t) {{
%v = func.call @view() : () -> {view}
%c = memref.cast %v : {view} to {target}
aie.end
}}"""


@pytest.mark.parametrize(
    ("offset", "target", "expected"),
    [
        ("?", "memref<4x8xi32>", "an offset known only at run time"),
        ("8", "memref<4x8xi32>", "element 8 of its buffer"),
        ("0", "memref<4x8xi32>", None),
        ("?", "memref<4x8xi32, strided<[16, 1], offset: ?>>", None),
        ("8", "memref<?x8xi32, strided<[16, 1], offset: 8>>", None),
    ],
)
def test_lost_offset(offset, target, expected):
    found = lint(cast(offset, target))
    if expected is None:
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith("5: this cast loses the offset of a view that begins at " + expected)


def core_with_lock(body: str, initial: int, other: str = "") -> str:
    """A core that uses lock %l, and perhaps a neighbour."""
    return f"""%l = aie.lock(%t, 0) {{init = {initial} : i32, sym_name = "go"}}
%core = aie.core(%t) {{
%c0 = arith.constant 0 : index
%c1 = arith.constant 1 : index
%c4 = arith.constant 4 : index
{body}
aie.end
}}
{other}"""


WAIT, GIVE = "aie.use_lock(%l, AcquireGreaterEqual, 1)\n", "aie.use_lock(%l, Release, 1)\n"
LOOP = "scf.for %i = %c0 to %c4 step %c1 {{\n{body}\n}}"
BRANCHES = "cf.br ^head\n^head:\n{body}\ncf.cond_br %true, ^head, ^done\n^done:\n"


@pytest.mark.parametrize(
    ("body", "initial", "line"),
    [
        (WAIT, 0, 6),
        (WAIT, 1, None),
        (WAIT + WAIT, 1, 7),
        (LOOP.format(body="aie.use_lock(%l, Acquire, 0)\n"), 0, None),
        (LOOP.format(body=WAIT), 1, 7),
        (LOOP.format(body=WAIT + GIVE), 1, None),
        (LOOP.format(body=WAIT + GIVE), 0, 7),
        (LOOP.format(body=GIVE + WAIT), 0, None),
        ("%true = arith.constant true\n" + BRANCHES.format(body=WAIT), 3, 9),
    ],
    ids=[
        "never",
        "once",
        "twice",
        "takes-nothing",
        "loop",
        "given-back",
        "only-given-back",
        "given-before",
        "branches",
    ],
)
def test_lock_nobody_else_releases(body, initial, line):
    found = lint(core_with_lock(body, initial))
    assert [text.split(":")[0] for text in found] == ([] if line is None else [str(line)])
    assert all("lock '@go' is waited for here" in text for text in found)


@pytest.mark.parametrize(
    "other",
    [
        "%other = aie.core(%u) {\naie.use_lock(%l, Release, 1)\naie.end\n}",
        "aiex.runtime_sequence(%a : memref<8xi32>) {\naiex.set_lock(%l, 1)\n}",
        "aiex.runtime_sequence(%a : memref<8xi32>) {\n"
        "aiex.npu.write32 {address = 126976 : ui32, column = 0 : i32, row = 2 : i32, value = 1 : ui32}\n}",
    ],
    ids=["neighbour", "set_lock", "register"],
)
def test_lock_released_from_elsewhere(other):
    assert lint(core_with_lock(WAIT, 0, other)) == []


def test_lock_of_a_dma_ring():
    ring = """%l = aie.lock(%t, 0) {init = 1 : i32}
%b = aie.buffer(%t) : memref<16xi32>
%m = aie.mem(%t) {
%0 = aie.dma_start(MM2S, 0, ^bd, ^end)
^bd:
aie.use_lock(%l, AcquireGreaterEqual, 1)
aie.dma_bd(%b : memref<16xi32>, 0, 16)
aie.next_bd TARGET
^end:
aie.end
}"""
    assert lint(ring.replace("TARGET", "^end")) == []
    (warning,) = lint(ring.replace("TARGET", "^bd"))
    assert (
        warning
        == "6: this lock is waited for here, but nothing releases it and its first value 1 does not last"
    )


def chain(
    direction: str, descriptors: list[str], tile: str = "t", again: bool = False, repeat: str = ""
) -> str:
    """The DMA region of a tile with one channel."""
    lines = [f"%m{tile} = aie.mem(%{tile}) {{", f"%0 = aie.dma_start({direction}, 0, ^bd0, ^end{repeat})"]
    for number, descriptor in enumerate(descriptors):
        lines += [f"^bd{number}:", descriptor]
        last = number == len(descriptors) - 1
        lines.append(f"aie.next_bd ^{'bd0' if again and last else 'end' if last else f'bd{number + 1}'}")
    return "\n".join([*lines, "^end:", "aie.end", "}"])


BUFFER = "%b = aie.buffer(%t) : memref<64xi32>\n"
BD = "aie.dma_bd(%b : memref<64xi32>, {})"


@pytest.mark.parametrize(
    ("descriptor", "expected"),
    [
        ("0, 64", None),
        ("32, 32", None),
        ("0, 65", "goes up to element 65, its buffer has 64"),
        ("32, 48", "goes up to element 80, its buffer has 64"),
        ("0, 32, [<size = 4, stride = 16>, <size = 8, stride = 1>]", None),
        ("16, 32, [<size = 4, stride = 16>, <size = 8, stride = 1>]", "goes up to element 72"),
        (
            "0, 64, [<size = 4, stride = 16>, <size = 8, stride = 1>]",
            "moves 64 elements, but its dimensions have 32",
        ),
    ],
)
def test_descriptor_and_its_buffer(descriptor, expected):
    found = lint(BUFFER + chain("S2MM", [BD.format(descriptor)]))
    assert [text.split(": ", 1)[0] for text in found] == ([] if expected is None else ["5"])
    assert all(expected in text for text in found)


@pytest.mark.parametrize(
    ("sent", "repeat", "again", "warned"),
    [
        ("0, 64", "", False, False),
        ("0, 32", "", False, True),
        ("0, 32", ", repeat_count = 1", False, False),
        ("0, 32", "", True, False),
    ],
    ids=["as-much", "less", "less-but-twice", "for-ever"],
)
def test_chain_and_what_feeds_it(sent, repeat, again, warned):
    body = "%d = aie.buffer(%u) : memref<64xi32>\naie.flow(%t, DMA : 0, %u, DMA : 0)\n" + BUFFER
    body += chain("MM2S", [BD.format(sent)], again=again, repeat=repeat) + "\n"
    body += chain("S2MM", ["aie.dma_bd(%d : memref<64xi32>, 0, 64)"], tile="u")
    found = lint(body)
    assert len(found) == warned
    assert all("waits for 256 bytes, but the one that feeds it sends 128 and ends" in text for text in found)


def test_elf_file_and_body_are_refused():
    text = 'aie.core(%t) {\n%c = arith.constant 1 : i32\naie.end\n} {elf_file = "core.elf"}'
    with pytest.raises(UserError, match="a core with 'elf_file' must have an empty body"):
        lint("%x = " + text)


def test_given_designs_are_right_but_one():
    """Nothing is warned of without a reason: this one takes a lock again and again that nothing gives."""
    found = {}
    for folder in positive_designs():
        warnings = Warnings()
        lint_design(parse_module((folder / "design.mlir").read_text(), "design.mlir"), warnings)
        if warnings.items:
            found[folder.name] = [
                (place.line, message.split(",")[0]) for message, place in warnings.items if place
            ]
    assert found == {"shim_static_bds": [(16, "lock '@ls' is waited for here")]}
