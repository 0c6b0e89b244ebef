"""XRT's Python binding in a worker process of another Python, when it was built for that one."""

from __future__ import annotations

import json
import mmap
import os
import socket
import subprocess
from pathlib import Path
from typing import Any, BinaryIO, Sequence

from npuninja import errors
from npuninja.detect.pyxrt_import import OtherPyxrt
from npuninja.device import xrt_worker
from npuninja.device.api import Buffer, Capabilities, Device, Program, StartedRuns
from npuninja.device.xrt import capabilities, refuse_emulated
from npuninja.errors import DeviceError, InternalError, Location

#: What a request may take beyond the time limit of a run: opening a device, loading a design.
_PATIENCE_S = 60.0


class RemoteBuffer:
    """Memory of an argument, shared with the worker."""

    def __init__(self, file: BinaryIO, nbytes: int) -> None:
        self.nbytes = nbytes
        self.number = -1
        self.view = memoryview(mmap.mmap(file.fileno(), nbytes))


class RemoteXrtDevice(Device):
    """`XrtDevice` in a worker process. A crash of XRT ends the worker only.

    Args:
        other: the binding and its Python.

    Raises:
        NoDevice: as `npuninja.device.xrt_open.open_npu`.
    """

    def __init__(self, other: OtherPyxrt) -> None:
        self.capabilities: Capabilities = capabilities()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [
                other.python,
                "-I",
                "-B",
                str(Path(xrt_worker.__file__)),
                str(theirs.fileno()),
                other.pyxrt,
            ]
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        try:
            self._ask("open")
        except BaseException:
            self.close()
            raise

    def load(self, program: Program) -> None:
        """As `XrtDevice.load`."""
        refuse_emulated(program)
        self._pass("load", program)

    def instruct(self, insts: bytes) -> None:
        """As `XrtDevice.instruct`."""
        with _file_of(insts) as file:
            self._ask("instruct", file, insts_bytes=len(insts))

    def allocate(self, nbytes: int, position: int) -> RemoteBuffer:
        """As `XrtDevice.allocate`."""
        with _file_of(b"") as file:
            file.truncate(nbytes)
            buffer = RemoteBuffer(file, nbytes)
            buffer.number = self._ask("allocate", file, nbytes=nbytes, position=position)["number"]
        return buffer

    def add(self, program: Program) -> int:
        """As `XrtDevice.add`."""
        return int(self._pass("add", program)["number"])

    def _pass(self, verb: str, program: Program) -> dict[str, Any]:
        """A request with a program; the worker reads its files by itself."""
        fields = program._asdict() | {
            "xclbin_path": os.path.abspath(program.xclbin_path),
            "full_elf": program.full_elf and os.path.abspath(program.full_elf),
        }
        del fields["xclbin"], fields["insts"]
        with _file_of(program.insts) as file:
            return self._ask(verb, file, insts_bytes=len(program.insts), **fields)

    def start(self, runs: Sequence[Sequence[Buffer]], programs: Sequence[int] = ()) -> StartedRuns:
        """As `XrtDevice.start`."""
        numbers = [
            [buffer.number for buffer in buffers if isinstance(buffer, RemoteBuffer)] for buffers in runs
        ]
        if [len(row) for row in numbers] != [len(buffers) for buffers in runs]:
            raise InternalError("a buffer of another device")
        reply = self._ask("start", runs=numbers, programs=list(programs))
        return StartedRuns(reply["way"], reply["number"])

    def wait(self, started: StartedRuns, time_limit_s: float) -> float:
        """As `XrtDevice.wait`."""
        seconds: float = self._ask(
            "wait", None, time_limit_s, number=started.handle, time_limit_s=time_limit_s
        )["seconds"]
        return seconds

    def remarks(self) -> list[str]:
        """An NPU says nothing but the state."""
        return []

    def report(self) -> None:
        """An NPU says nothing but the state."""

    def close(self) -> None:
        """Ends the worker, and with it all that it had of the NPU."""
        self._channel.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(
        self, verb: str, file: BinaryIO | None = None, more_s: float = 0.0, **fields: Any
    ) -> dict[str, Any]:
        """One request. Raises the error that the worker met, DeviceError when it does not answer any more."""
        self._channel.settimeout(_PATIENCE_S + more_s)
        try:
            message = json.dumps({"verb": verb, **fields}).encode()
            socket.send_fds(self._channel, [message], [file.fileno()] if file else [])
            data = self._channel.recv(xrt_worker.MESSAGE_BYTES)
        except TimeoutError:
            self._process.kill()
            raise DeviceError(
                f"XRT did not come back from '{verb}'",
                hint="see the kernel log (`dmesg`); reload amdxdna, or reboot",
            ) from None
        except OSError:
            data = b""
        if not data:
            code = self._process.wait()
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise DeviceError(
                f"XRT crashed in '{verb}' ({how})", hint="see the kernel log (`dmesg`) of the time of the run"
            )
        reply: dict[str, Any] = json.loads(data)
        if "error" in reply:
            raise _error(reply)
        return reply


def _file_of(data: bytes) -> BinaryIO:
    """A file in memory with these bytes."""
    file = os.fdopen(os.memfd_create("npuninja"), "w+b")
    file.write(data)
    file.flush()
    return file


def _error(reply: dict[str, Any]) -> errors.Error:
    kind: type[errors.Error] = getattr(errors, reply["error"])
    location = Location(*reply["location"]) if reply["location"] else None
    notes = tuple((text, Location(*place) if place else None) for text, place in reply["notes"])
    return kind(reply["message"], location, hint=reply["hint"], notes=notes)
