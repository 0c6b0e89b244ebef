"""Reading and writing of trace files (`aie.utils.trace.utils`)."""

from __future__ import annotations

import argparse
import json
import math
import sys
from typing import Any

import numpy as np


def write_out_trace(trace: Any, file_name: str) -> None:
    """One word of eight digits a line."""
    with open(file_name, "w", encoding="utf-8") as stream:
        stream.writelines(f"{int(v):08x}\n" for v in np.asarray(trace).reshape(-1))


def extract_trace(out_buf: Any, out_buf_shape: Any, out_buf_dtype: Any, trace_size: int) -> Any:
    """(output, trace) of a buffer that holds both."""
    split = int(np.prod(out_buf_shape)) * np.dtype(out_buf_dtype).itemsize
    raw = np.asarray(out_buf).reshape(-1).view(np.uint8)
    return raw[:split].view(out_buf_dtype).reshape(out_buf_shape), raw[split : split + trace_size].view(
        np.uint32
    )


def get_cycles(trace_path: str) -> float:
    """Cycles from the first INSTR_EVENT_0 to the first INSTR_EVENT_1 of a trace in Chrome's format (JSON);
    infinite when one is missing.
    """
    first: dict[str, float] = {}
    for event in _begun(_events(trace_path)):
        first.setdefault(event["name"], _cycle(event))
    if "INSTR_EVENT_0" not in first or "INSTR_EVENT_1" not in first:
        return math.inf
    return first["INSTR_EVENT_1"] - first["INSTR_EVENT_0"]


def get_cycles_summary(trace_path: str) -> list[list[Any]]:
    """For each process its name, then the cycles from each INSTR_EVENT_0 to the next INSTR_EVENT_1.

    The events of a file may lie in any order: `npuninja trace` writes them by name.
    """
    events = _events(trace_path)
    rows: dict[Any, list[Any]] = {
        event["pid"]: [event["args"]["name"]] for event in events if event["name"] == "process_name"
    }
    began: dict[Any, float] = {}
    for event in _begun(events):
        process = event["pid"]
        if process not in rows:
            continue
        if event["name"] == "INSTR_EVENT_0":
            began.setdefault(process, _cycle(event))
        elif event["name"] == "INSTR_EVENT_1" and process in began:
            rows[process].append(_cycle(event) - began.pop(process))
    return list(rows.values())


def print_cycles_summary(trace_path: str) -> None:
    """Prints how often each process ran its kernel from event 0 to event 1, and for how many cycles."""
    for name, *cycles in get_cycles_summary(trace_path):
        print(name)
        # In the words of MLIR-AIE: programs of others find the numbers by them.
        print(f"Total number of full kernel invocations is {len(cycles)}")
        if cycles:
            mean = sum(cycles) / len(cycles)
            print(f"First/Min/Avg/Max cycles is {cycles[0]}/ {min(cycles)}/ {mean}/ {max(cycles)}")


def main(arguments: list[str] | None = None) -> None:
    """`get_trace_summary.py --input FILE`: the summary of a JSON file that `parse.py` made."""
    parser = argparse.ArgumentParser(description="How often kernels ran in a trace, and for how many cycles")
    parser.add_argument("--input", required=True, help="the JSON file")
    try:
        print_cycles_summary(parser.parse_args(arguments).input)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def _events(path: str) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8") as stream:
        content = json.load(stream)
    found: list[dict[str, Any]] = content if isinstance(content, list) else content.get("traceEvents", [])
    return found


def _begun(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that begin an event, in order: the first of a pair, a whole one, or a moment."""
    return sorted((event for event in events if event.get("ph") in ("B", "X", "i")), key=_cycle)


def _cycle(event: dict[str, Any]) -> float:
    """When an event begins. `npuninja trace` writes times in microseconds, and the cycle as an argument."""
    cycle: float = event.get("args", {}).get("cycle", event["ts"])
    return cycle


# Packets


def parity(x: int) -> int:
    """1 when an odd number of the word's bits is set."""
    return bin(x).count("1") & 1


def extract_tile(data: int) -> tuple[int, int, int, int]:
    """Column, row, type and id of a packet, from its header."""
    return data >> 21 & 0x7F, data >> 16 & 0x1F, data >> 12 & 0x3, data & 0x1F


def pack4bytes(b3: int, b2: int, b1: int, b0: int) -> int:
    """A word of four bytes, the highest first."""
    return int.from_bytes(bytes(b & 0xFF for b in (b3, b2, b1, b0)), "big")


def create_ctrl_pkt(operation: int, beats: int, addr: int, ctrl_pkt_read_id: int = 28) -> int:
    """The header of a control packet, with odd parity in its highest bit."""
    header = ctrl_pkt_read_id << 24 | operation << 22 | beats << 20 | addr
    return header | (parity(header) ^ 1) << 31
