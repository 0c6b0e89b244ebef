"""Streams and cascades in a block.

A bundle that may wait for one begins a block, like one with an acquire: all of it can be issued, or the core
waits and the block begins again. So does the bundle four cycles after a read of the cascade, which takes
what is there then.
"""

from __future__ import annotations

from npuninja.machine_code import wasm_writer as w
from npuninja.machine_code.families.fields import STREAM_NO_WAIT, Fields
from npuninja.machine_code.prepare import PreparedBundle
from npuninja.machine_code.translator.in_flight import (
    CASCADE,
    MAYBE,
    RUNTIME_FUNCTIONS,
    STREAM_IN_THERE,
    STREAM_OUT_TAKEN,
    WRITE,
    GiveUpError,
)
from npuninja.machine_code.translator.leaving import Leaving
from npuninja.machine_code.wasm_writer import constant

CASCADE_READS = ("OP_CASCADE_READ", "OP_CASCADE_READ_HIGH", "OP_CASCADE_READ_LOW")
PORTS = ("OP_STREAM_READ", "OP_STREAM_WRITE", "OP_CASCADE_WRITE", *CASCADE_READS)
#: Cycles from the issue of a stream access to the flag that says whether it was done.
_IN_FLAG_CYCLES, _OUT_FLAG_CYCLES = 8, 3
_CASCADE_CYCLES = 4


class Ports(Leaving):
    """What a block does with streams and the cascade."""

    def may_wait(self, entry: PreparedBundle, now: int) -> bool:
        """Whether the core may wait in front of a bundle that would be issued `now`."""
        due = [p.kind for p in self.pending if p.due == now]
        return CASCADE in due or entry.blocks or entry.waits_for_port

    def wait_for_ports(self, entry: PreparedBundle) -> None:
        """At the block's begin: what its first bundle sends and receives, and the cascade read then due."""
        due = [p for p in self.pending if p.kind == CASCADE and p.due == 0]
        if not due and not entry.waits_for_port:
            return
        if len(due) > 1 or (due and entry.blocks):
            raise GiveUpError
        for _, f in entry.operations:
            if f.op in ("OP_STREAM_WRITE", "OP_CASCADE_WRITE"):
                self.flush_sources(f)
        code, address = self.code, entry.bundle.address
        read, slot = (due[0].op, due[0].slot) if due else (0, -1)
        code.call(RUNTIME_FUNCTIONS["t_ports"], constant(address), constant(read), self.key_address(slot))
        result = code.new()
        code.when(result)
        self.stay_at(address)
        code.leave((w.SUB, constant(0), result))
        code.end()
        for p in due:
            self.pending.remove(p)
            f = self.owner.fields_at[p.op]
            dst = f.dst + (64 if f.op == "OP_CASCADE_READ_HIGH" else 0)
            key, early = self.vector_later(f, p.op, f.latency - _CASCADE_CYCLES, 64, 0, dst=dst)
            for to in (key, early):
                if to >= 0:
                    self.copy_slot(p.slot, to, 64)

    def port(self, op: int, f: Fields, number: int, now: int) -> None:
        """A stream or cascade instruction, the bundle's `number`th, when it is issued."""
        code = self.code
        if f.op in CASCADE_READS:
            self.add(now + _CASCADE_CYCLES, CASCADE, 0, 0, 0, op)
        elif f.op == "OP_STREAM_READ" and f.x & STREAM_NO_WAIT:
            word = self.add(now + f.latency, MAYBE, f.dst, 4, 1, op, began=now)
            code.call(RUNTIME_FUNCTIONS["t_try_get"], self.key_address(word.key))
            self.add(now + _IN_FLAG_CYCLES, WRITE, STREAM_IN_THERE, 4, 1, op, code.new(), now)
        elif f.op == "OP_STREAM_READ":
            code.call(RUNTIME_FUNCTIONS["t_received"], constant(number))
            self.add(now + f.latency, WRITE, f.dst, 4, 1, op, code.new(), now)
            came = code.let(constant(1))
            self.add(now + _IN_FLAG_CYCLES, WRITE, STREAM_IN_THERE, 4, 1, op, came, now)
        elif f.op == "OP_STREAM_WRITE" and f.x & STREAM_NO_WAIT:
            self.flush_sources(f)
            code.call(RUNTIME_FUNCTIONS["t_try_put"], constant(op))
            self.add(now + _OUT_FLAG_CYCLES, WRITE, STREAM_OUT_TAKEN, 4, 1, op, code.new(), now)
