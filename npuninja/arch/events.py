"""Hardware events of the modules of a tile, by name: what a trace unit records and what starts and stops it.

Each event has a number of its module. Source: AM020 and AM025 (events), aie-rt's xaie_events_aieml.h (numbers);
AIE2 and AIE2P are alike.
"""

from __future__ import annotations

import re

from npuninja.arch.devices import tile_kind

# A number sets where the following names start; `A|B_0-3` stands for A_0 B_0 A_1 B_1 ….
_START = "0 NONE TRUE GROUP_0 TIMER_SYNC TIMER_VALUE_REACHED "
_PORTS = "PORT_IDLE|PORT_RUNNING|PORT_STALLED|PORT_TLAST_0-7 "
_EVENTS = {
    "core": _START
    + """
        PERF_CNT_0-3 COMBO_EVENT_0-3 EDGE_DETECTION_EVENT_0-1 GROUP_PC_EVENT PC_0-3 PC_RANGE_0_1 PC_RANGE_2_3
        GROUP_STALL MEMORY_STALL STREAM_STALL CASCADE_STALL LOCK_STALL DEBUG_HALTED ACTIVE DISABLED ECC_ERROR_STALL
        ECC_SCRUBBING_STALL GROUP_PROGRAM_FLOW INSTR_EVENT_0-1 INSTR_CALL INSTR_RETURN INSTR_VECTOR INSTR_LOAD
        INSTR_STORE INSTR_STREAM_GET INSTR_STREAM_PUT INSTR_CASCADE_GET INSTR_CASCADE_PUT INSTR_LOCK_ACQUIRE_REQ
        INSTR_LOCK_RELEASE_REQ GROUP_ERRORS_0-1 SRS_OVERFLOW UPS_OVERFLOW FP_HUGE INT_FP_0 FP_INVALID FP_INF
        73 GROUP_STREAM_SWITCH """
    + _PORTS
    + "GROUP_BROADCAST BROADCAST_0-15 GROUP_USER_EVENT USER_EVENT_0-3",
    "memory": _START
    + """
        PERF_CNT_0-1 COMBO_EVENT_0-3 EDGE_DETECTION_EVENT_0-1 15 GROUP_WATCHPOINT WATCHPOINT_0-1 GROUP_DMA_ACTIVITY
        DMA_S2MM_0_START_TASK DMA_S2MM_1_START_TASK DMA_MM2S_0_START_TASK DMA_MM2S_1_START_TASK
        DMA_S2MM_0_FINISHED_BD DMA_S2MM_1_FINISHED_BD DMA_MM2S_0_FINISHED_BD DMA_MM2S_1_FINISHED_BD
        DMA_S2MM_0_FINISHED_TASK DMA_S2MM_1_FINISHED_TASK DMA_MM2S_0_FINISHED_TASK DMA_MM2S_1_FINISHED_TASK
        DMA_S2MM_0_STALLED_LOCK DMA_S2MM_1_STALLED_LOCK DMA_MM2S_0_STALLED_LOCK DMA_MM2S_1_STALLED_LOCK
        DMA_S2MM_0_STREAM_STARVATION DMA_S2MM_1_STREAM_STARVATION DMA_MM2S_0_STREAM_BACKPRESSURE
        DMA_MM2S_1_STREAM_BACKPRESSURE DMA_S2MM_0_MEMORY_BACKPRESSURE DMA_S2MM_1_MEMORY_BACKPRESSURE
        DMA_MM2S_0_MEMORY_STARVATION DMA_MM2S_1_MEMORY_STARVATION GROUP_LOCK
        LOCK_SEL@_ACQ_EQ|LOCK_SEL@_ACQ_GE|LOCK_@_REL|LOCK_SEL@_EQUAL_TO_VALUE_0-7
        GROUP_MEMORY_CONFLICT CONFLICT_DM_BANK_0-7 86 GROUP_ERRORS 101 LOCK_ERROR DMA_TASK_TOKEN_STALL
        106 GROUP_BROADCAST BROADCAST_0-15 GROUP_USER_EVENT USER_EVENT_0-3""",
    "shim": _START
    + """
        PERF_CNT_0-1 COMBO_EVENT_0-3 EDGE_DETECTION_EVENT_0-1 GROUP_DMA_ACTIVITY
        DMA_S2MM_0_START_TASK DMA_S2MM_1_START_TASK DMA_MM2S_0_START_TASK DMA_MM2S_1_START_TASK
        DMA_S2MM_0_FINISHED_BD DMA_S2MM_1_FINISHED_BD DMA_MM2S_0_FINISHED_BD DMA_MM2S_1_FINISHED_BD
        DMA_S2MM_0_FINISHED_TASK DMA_S2MM_1_FINISHED_TASK DMA_MM2S_0_FINISHED_TASK DMA_MM2S_1_FINISHED_TASK
        DMA_S2MM_0_STALLED_LOCK DMA_S2MM_1_STALLED_LOCK DMA_MM2S_0_STALLED_LOCK DMA_MM2S_1_STALLED_LOCK
        DMA_S2MM_0_STREAM_STARVATION DMA_S2MM_1_STREAM_STARVATION DMA_MM2S_0_STREAM_BACKPRESSURE
        DMA_MM2S_1_STREAM_BACKPRESSURE DMA_S2MM_0_MEMORY_BACKPRESSURE DMA_S2MM_1_MEMORY_BACKPRESSURE
        DMA_MM2S_0_MEMORY_STARVATION DMA_MM2S_1_MEMORY_STARVATION GROUP_LOCK
        LOCK_@_ACQ_EQ|LOCK_@_ACQ_GE|LOCK_@_REL|LOCK_@_EQUAL_TO_VALUE_0-5
        63 GROUP_ERRORS 76 GROUP_STREAM_SWITCH """
    + _PORTS
    + "GROUP_BROADCAST_A BROADCAST_A_0-15 USER_EVENT_0-1",
    "memtile": _START
    + """
        PERF_CNT0_EVENT PERF_CNT1_EVENT PERF_CNT2_EVENT PERF_CNT3_EVENT COMBO_EVENT_0-3 EDGE_DETECTION_EVENT_0-1
        GROUP_WATCHPOINT WATCHPOINT_0-3 GROUP_DMA_ACTIVITY
        DMA_S2MM_SEL0_START_TASK DMA_S2MM_SEL1_START_TASK DMA_MM2S_SEL0_START_TASK DMA_MM2S_SEL1_START_TASK
        DMA_S2MM_SEL0_FINISHED_BD DMA_S2MM_SEL1_FINISHED_BD DMA_MM2S_SEL0_FINISHED_BD DMA_MM2S_SEL1_FINISHED_BD
        DMA_S2MM_SEL0_FINISHED_TASK DMA_S2MM_SEL1_FINISHED_TASK DMA_MM2S_SEL0_FINISHED_TASK
        DMA_MM2S_SEL1_FINISHED_TASK
        DMA_S2MM_SEL0_STALLED_LOCK DMA_S2MM_SEL1_STALLED_LOCK DMA_MM2S_SEL0_STALLED_LOCK DMA_MM2S_SEL1_STALLED_LOCK
        DMA_S2MM_SEL0_STREAM_STARVATION DMA_S2MM_SEL1_STREAM_STARVATION DMA_MM2S_SEL0_STREAM_BACKPRESSURE
        DMA_MM2S_SEL1_STREAM_BACKPRESSURE DMA_S2MM_SEL0_MEMORY_BACKPRESSURE DMA_S2MM_SEL1_MEMORY_BACKPRESSURE
        DMA_MM2S_SEL0_MEMORY_STARVATION DMA_MM2S_SEL1_MEMORY_STARVATION GROUP_LOCK
        LOCK_SEL@_ACQ_EQ|LOCK_SEL@_ACQ_GE|LOCK_SEL@_REL|LOCK_SEL@_EQUAL_TO_VALUE_0-7 GROUP_STREAM_SWITCH """
    + _PORTS
    + "GROUP_MEMORY_CONFLICT CONFLICT_DM_BANK_0-15 128 GROUP_ERRORS 141 GROUP_BROADCAST BROADCAST_0-15 "
    + "GROUP_USER_EVENT USER_EVENT_0-1",
}


def _numbers(text: str) -> dict[str, int]:
    numbers: dict[str, int] = {}
    at = 0
    for word in text.split():
        series = re.fullmatch(r"(.*)_(\d+)-(\d+)", word)
        if word.isdigit():
            at = int(word)
            continue
        names = [word]
        if series:
            stems, first, last = series.groups()
            names = [
                stem.replace("@", str(i)) if "@" in stem else f"{stem}_{i}"
                for i in range(int(first), int(last) + 1)
                for stem in stems.split("|")
            ]
        for name in names:
            numbers[name] = at
            at += 1
    return numbers


_CACHE: dict[str, dict[str, int]] = {}


def module_of(row: int, memory: bool) -> str:
    """The module of a tile in this row whose events are meant: `core`, `memory`, `memtile` or `shim`."""
    kind = tile_kind(row)
    if kind == "core":
        return "memory" if memory else "core"
    return "memtile" if kind == "mem" else kind


def events_of(module: str) -> dict[str, int]:
    """The numbers of the events of `core`, `memory`, `memtile` or `shim`, by name."""
    if module not in _CACHE:
        _CACHE[module] = _numbers(_EVENTS[module])
    return _CACHE[module]


def broadcast_event(module: str, channel: int) -> int:
    """The number of the event that a broadcast channel, 0 to 15, brings to a module."""
    return events_of(module)[f"BROADCAST_{'A_' if module == 'shim' else ''}{channel}"]
