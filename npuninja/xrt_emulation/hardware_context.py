"""A hardware context: its commands one after the other, in a thread of its own."""

from __future__ import annotations

import queue
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from npuninja.xrt_emulation import packets
from npuninja.xrt_emulation.array_context import ArrayContext, ContextOutcome
from npuninja.xrt_emulation.buffers import AllocatedBuffer, Buffers
from npuninja.xrt_emulation.journal import Journal
from npuninja.xrt_emulation.npu_memory import EndedCommands, NpuMemory
from npuninja.xrt_emulation.packets import Chain, KernelCall, MalformedPacket
from npuninja.xrt_emulation.partitions import LoadedPartition

#: How often a run that must end is interrupted, and a context that waits looks whether it was closed.
_LOOK_S = 0.05


class _ContextEnds(Exception):
    """The context is ended while it waits for its columns."""


class HardwareContext:
    """Runs command buffers in the order they come.

    Args:
        handle: its number for the client.
        partition: its columns.
        array: what executes.
        buffers, memory: of the client.
        ended: where the client sees which command has ended.
        journal: gets the commands that end badly.
        time_limit_s: for one command.
    """

    def __init__(
        self,
        handle: int,
        partition: LoadedPartition,
        array: ArrayContext,
        buffers: Buffers,
        memory: NpuMemory,
        ended: EndedCommands,
        journal: Journal,
        time_limit_s: float,
    ) -> None:
        self.handle = handle
        self.partition = partition
        self.submitted = 0
        self.completed = 0
        self.errors = 0
        self._array = array
        self._buffers = buffers
        self._memory = memory
        self._ended = ended
        self._journal = journal
        self._time_limit_s = time_limit_s
        self._queue: queue.SimpleQueue[tuple[int, AllocatedBuffer] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"npuninja-context-{handle}", daemon=True)
        self._closing = False
        self._reported: set[str] = set()  # remarks made once
        ended.set(handle, 0)
        self._thread.start()

    def configure(self, pdis: Sequence[bytes]) -> None:
        """Takes the PDIs of the compute units; before the first command. Raises Error."""
        with self._columns():
            self._array.configure(pdis)

    def submit(self, command: AllocatedBuffer) -> int:
        """Queues a command buffer, which counts one user for it; returns the command's number, from 1."""
        self.submitted += 1
        self._queue.put((self.submitted, command))
        return self.submitted

    def close(self) -> None:
        """Ends the context: what is queued is not run any more, what runs is interrupted."""
        self._closing = True
        self._queue.put(None)
        while self._thread.is_alive():
            self._array.interrupt()  # again, because it has no effect on a run that has not begun yet
            self._thread.join(_LOOK_S)
        self._array.close()

    def _work(self) -> None:
        while True:
            item = self._queue.get()
            if item is None:
                return
            seq, command = item
            if not self._closing:
                self._execute(command)
            self._buffers.drop(command)
            self.completed = seq
            self._ended.set(self.handle, seq)

    def _execute(self, command: AllocatedBuffer) -> None:
        try:
            packet = packets.read_packet(self._memory.read(command.offset, command.nbytes))
            if isinstance(packet, Chain):
                self._run_chain(command, packet)
            else:
                self._set_state(command, self._run(packet))
        except MalformedPacket as error:
            self._journal.problem(f"context {self.handle}: a command was refused: {error}")
            self._set_state(command, packets.STATE_ERROR)
        if self._state(command) != packets.STATE_COMPLETED:
            self.errors += 1

    def _run(self, call: KernelCall) -> int:
        try:
            with self._columns():
                self._array.run(call, self._time_limit_s)
        except ContextOutcome as outcome:
            if not self._closing:
                self._tell_remarks()
                self._journal.failure(f"context {self.handle}", outcome.error)
            return outcome.state
        except _ContextEnds:
            return packets.STATE_ABORT
        except Exception as error:  # a bug of ours must not leave the program waiting
            if not self._closing:  # else it was interrupted wherever it was
                self._journal.bug(f"context {self.handle}", error)
            return packets.STATE_ABORT
        self._tell_remarks()
        return packets.STATE_COMPLETED

    def _tell_remarks(self) -> None:
        """Tells what there is to say about the last run, each sentence once."""
        for remark in self._array.remarks:
            if remark not in self._reported:
                self._journal.problem(f"context {self.handle}: {remark}")
                self._reported.add(remark)

    @contextmanager
    def _columns(self) -> Iterator[None]:
        """The columns for this context alone; waits for others. Raises _ContextEnds when ended meanwhile."""
        while not self.partition.lock.acquire(timeout=_LOOK_S):
            if self._closing:
                raise _ContextEnds
        try:
            yield
        finally:
            self.partition.lock.release()

    def _run_chain(self, chain_buffer: AllocatedBuffer, chain: Chain) -> None:
        """Runs a runlist up to the first command that does not end well."""
        for number, handle in enumerate(chain.commands):
            state = self._run_chained(handle)
            if state != packets.STATE_COMPLETED:
                self._memory.write(
                    chain_buffer.offset + packets.CHAIN_ERROR_OFFSET, struct.pack("<I", number)
                )
                self._set_state(chain_buffer, state)
                return
        self._set_state(chain_buffer, packets.STATE_COMPLETED)

    def _run_chained(self, handle: int) -> int:
        try:
            command = self._buffers.hold(handle)
        except Exception as error:
            raise MalformedPacket(f"a runlist names the buffer {handle}, which does not exist") from error
        try:
            packet = packets.read_packet(self._memory.read(command.offset, command.nbytes))
            if isinstance(packet, Chain):
                raise MalformedPacket("a runlist in a runlist")
            state = self._run(packet)
            self._set_state(command, state)
            return state
        finally:
            self._buffers.drop(command)

    def _state(self, command: AllocatedBuffer) -> int:
        return self._memory.read(command.offset, 1)[0] & 0xF

    def _set_state(self, command: AllocatedBuffer, state: int) -> None:
        (header,) = struct.unpack("<I", self._memory.read(command.offset, 4))
        self._memory.write(command.offset, struct.pack("<I", packets.state_of(header, state)))
