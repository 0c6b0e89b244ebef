"""Reading and writing of trace files (`aie.utils.trace.utils`)."""

from __future__ import annotations

import json
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


def print_cycles_summary(path: str) -> None:
    """Prints how long each recorded event lasted, from a trace in Chrome's format (JSON)."""
    with open(path, encoding="utf-8") as stream:
        events = json.load(stream)
    started: dict[tuple[Any, Any, str], float] = {}
    for event in events if isinstance(events, list) else events.get("traceEvents", []):
        key = (event.get("pid"), event.get("tid"), event.get("name", ""))
        if event.get("ph") == "B":
            started[key] = event["ts"]
        elif event.get("ph") == "E" and key in started:
            print(f"{key[2]}: {event['ts'] - started.pop(key)} cycles")


NAMES: dict[str, Any] = {
    "write_out_trace": write_out_trace,
    "extract_trace": extract_trace,
    "print_cycles_summary": print_cycles_summary,
}
