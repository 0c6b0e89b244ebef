"""ObjectFifos whose objects travel in packets. That they arrive is tested on the emulated array."""

from __future__ import annotations

import pytest
from lowered import lines_with, lowered, text_of

from npuninja.errors import UserError
from npuninja.ir.core import Operation

TILES = """%s0 = aie.tile(0, 0)
%m0 = aie.tile(0, 1)
%c2 = aie.tile(0, 2)
%c3 = aie.tile(0, 3)
%c5 = aie.tile(0, 5)
"""
FAN_OUT = "aie.objectfifo @a(%s0, {%c2, %c3, %c5}, 2 : i32) : !aie.objectfifo<memref<16xi32>>"
BACK = "aie.objectfifo @b(%c2, {%s0}, 2 : i32) : !aie.objectfifo<memref<16xi32>>"


def lower(*lines: str, generation: str = "2025-10") -> Operation:
    return lowered("\n".join([TILES, *lines]), generation=generation, packet_fifos=True)


def flow(number: int) -> str:
    return f"aie.packet_flow({number}) {{ aie.packet_source<%c5, DMA : 0> aie.packet_dest<%m0, DMA : 5> }}"


def test_a_packet_flow_for_each_fifo_with_its_last_consumer_first() -> None:
    text = text_of(lower(FAN_OUT, BACK))
    assert "aie.flow(" not in text
    words = text[text.index("aie.packet_flow(0)") :].split("}")[0].split("\n")
    assert [word.strip() for word in words[1:5]] == [
        "aie.packet_source<%s0, DMA : 0>",
        "aie.packet_dest<%c5, DMA : 0>",
        "aie.packet_dest<%c3, DMA : 0>",
        "aie.packet_dest<%c2, DMA : 0>",
    ]


def test_headers_are_put_in_front_where_data_is_sent_only() -> None:
    module = lower(FAN_OUT, BACK)
    assert lines_with(module, "aie.dma_bd_packet") == ["aie.dma_bd_packet(0, 1)"] * 2
    allocations = lines_with(module, "shim_dma_allocation")
    assert [("pkt_id = 0" in line, "MM2S" in line) for line in allocations] == [(True, True), (False, False)]


def test_objects_in_shared_memory_need_no_packets() -> None:
    module = lower("aie.objectfifo @a(%c2, {%c3}, 2 : i32) : !aie.objectfifo<memref<16xi32>>")
    assert lines_with(module, "flow(") == []


@pytest.mark.parametrize(("given", "expected"), [([], 0), ([3], 4), ([0], 1), ([5, 6], 7), ([6, 2], 7)])
def test_ids_are_free(given: list[int], expected: int) -> None:
    module = lower(*_flows(given), BACK)
    assert lines_with(module, "aie.dma_bd_packet") == [f"aie.dma_bd_packet(0, {expected})"] * 2


def _flows(numbers: list[int]) -> list[str]:
    return [flow(number).replace("DMA : 5", f"DMA : {5 - place}") for place, number in enumerate(numbers)]


def test_ids_run_out() -> None:
    with pytest.raises(UserError, match="no packet id left for objectFifo '@b': they go up to 31") as caught:
        lower(flow(31), BACK)
    assert caught.value.location is not None


def test_newer_generation() -> None:
    (line,) = lines_with(lower(FAN_OUT, generation="2026-02"), "shim_dma_allocation")
    assert line.startswith("aie.shim_dma_allocation @a_shim_alloc(%s0, MM2S, 0")
    assert "pkt_id = 0" in line
