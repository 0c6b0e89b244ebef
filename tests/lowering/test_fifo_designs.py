"""Any objectFifos between any tiles become a module that the verifier accepts, or a located error."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from npuninja.errors import UserError, Warnings
from npuninja.ir.core import Operation, Value
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.ir.verifier import verify
from npuninja.lowering.pipeline import lower_resources

PLACES = [(column, row) for column in range(2) for row in range(6)]
SIZES = (4, 8, 12, 16)


class Fifo(NamedTuple):
    producer: int
    consumers: tuple[int, ...]
    depth: int
    size: int
    attributes: str


class Design(NamedTuple):
    generation: str
    fifos: tuple[Fifo, ...]
    links: tuple[tuple[int, int], ...]
    acquired: int


def text_of(design: Design) -> str:
    lines = [f"%t{i} = aie.tile({column}, {row})" for i, (column, row) in enumerate(PLACES)]
    for i, fifo in enumerate(design.fifos):
        consumers = ", ".join(f"%t{c}" for c in fifo.consumers)
        lines.append(
            f"aie.objectfifo @f{i}(%t{fifo.producer}, {{{consumers}}}, {fifo.depth} : i32) "
            f"{fifo.attributes} : !aie.objectfifo<memref<{fifo.size}xi32>>"
        )
    lines += [f"aie.objectfifo.link [@f{a}] -> [@f{b}] ([] [])" for a, b in design.links]
    for place in range(len(PLACES)):
        uses = [(i, "Produce") for i, fifo in enumerate(design.fifos) if fifo.producer == place]
        uses += [(i, "Consume") for i, fifo in enumerate(design.fifos) if place in fifo.consumers]
        if PLACES[place][1] >= 2 and uses:
            lines += [
                f"aie.core(%t{place}) {{",
                "%c0 = arith.constant 0 : index",
                "%c1 = arith.constant 1 : index",
            ]
            lines += ["%c7 = arith.constant 7 : index", "scf.for %i = %c0 to %c7 step %c1 {"]
            for i, port in uses:
                count = min(design.acquired, design.fifos[i].depth)
                type = f"!aie.objectfifosubview<memref<{design.fifos[i].size}xi32>>"
                lines.append(f"%s{i}_{port} = aie.objectfifo.acquire @f{i}({port}, {count}) : {type}")
                lines.append(f"aie.objectfifo.release @f{i}({port}, {count})")
            lines += ["}", "aie.end", "}"]
    return "\n".join(["module {", "aie.device(npu1_2col) {", *lines, "}", "}"])


FIFOS = st.builds(
    Fifo,
    st.integers(0, len(PLACES) - 1),
    st.lists(st.integers(0, len(PLACES) - 1), min_size=1, max_size=2, unique=True).map(tuple),
    st.integers(1, 4),
    st.sampled_from(SIZES),
    st.sampled_from(["", "{via_DMA = true}", "{repeat_count = 2 : i32}", "{disable_synchronization = true}"]),
)


def with_links_that_meet(design: Design) -> Design:
    """The design with the output of each link starting at the memtile at which its input ends."""
    fifos = list(design.fifos)
    for a, b in design.links:
        memtile = PLACES.index((fifos[a].producer % 2, 1))
        fifos[a] = fifos[a]._replace(consumers=(memtile,))
        fifos[b] = fifos[b]._replace(producer=memtile)
    return design._replace(fifos=tuple(fifos))


DESIGNS = st.lists(FIFOS, min_size=1, max_size=5).flatmap(
    lambda fifos: st.builds(
        Design,
        st.sampled_from(["2025-10", "2026-02"]),
        st.just(tuple(fifos)),
        st.lists(st.tuples(*[st.integers(0, len(fifos) - 1)] * 2), max_size=2).map(tuple),
        st.integers(1, 3),
    ).map(with_links_that_meet)
)


def descriptors_of(module: Operation) -> dict[Value, list[tuple[int, int]]]:
    """Offset and length, in elements, of what the DMA programs move from and to each buffer."""
    found: dict[Value, list[tuple[int, int]]] = {}
    for op in module.walk():
        if op.name == "aie.dma_bd":
            found.setdefault(op.operands[0], []).append((op.integer("offset"), op.integer("len")))
    return found


@settings(max_examples=120, deadline=None)
@given(DESIGNS)
def test_designs_lower_to_valid_modules_or_fail_with_a_place(design: Design) -> None:
    module = parse_module(text_of(design), "design.mlir")
    refused = refusal(module, design.generation)
    if refused is not None:
        assert refused.location is not None
        assert refused.location.line > 0
        return
    verify(module)
    assert not [op for op in module.walk() if op.name.startswith(("aie.objectfifo", "scf."))]
    text = print_module(module)
    assert verify_again(text) == text
    for buffer, moved in descriptors_of(module).items():
        size = int(buffer.type.removeprefix("memref<").partition("x")[0])
        assert all(offset >= 0 and offset + length <= size for offset, length in moved)


def refusal(module: Operation, generation: str) -> UserError | None:
    """The error that verifying and lowering a module ends with, or None."""
    try:
        verify(module)
        lower_resources(module, alloc_scheme=None, generation=generation, warnings=Warnings())
    except UserError as error:
        return error
    return None


def verify_again(text: str) -> str:
    """The text of the module that `text` is read as."""
    module = parse_module(text, "printed.mlir")
    verify(module)
    return print_module(module)
