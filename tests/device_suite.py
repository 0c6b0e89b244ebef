"""What every device must do, whatever it is: class `DeviceSuite`, whose subclasses give the device."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

import pytest

from npuninja.device.api import Buffer, Device, Program
from npuninja.device.null import NullBuffer
from npuninja.errors import DeviceError, InternalError

LIMIT_S = 60.0


class Case(NamedTuple):
    """A device, not loaded yet, with a design of one input and one output.

    Attributes:
        result: what the design makes of an input; None for a device that runs nothing.
        endless: gives a design of the same kind whose runs do not end.
    """

    device: Device
    program: Program
    nbytes: int
    result: Callable[[bytes], bytes] | None
    endless: Callable[[], Program]

    def buffers(self) -> list[Buffer]:
        return [self.device.allocate(self.nbytes, position) for position in (0, 1)]

    def fill(self, buffers: list[Buffer], seed: int) -> bytes:
        """Puts data in, and what is no result into the output; returns the data."""
        data = random.Random(seed).randbytes(self.nbytes // 4)
        data = b"".join(
            bytes([byte, 0, 0, 0]) for byte in data
        )  # small words, so that doubling them overflows nothing
        buffers[0].view[:] = data
        buffers[1].view[:] = b"\xaa" * self.nbytes
        return data

    def check(self, buffers: list[Buffer], data: bytes) -> None:
        expected = b"\xaa" * self.nbytes if self.result is None else self.result(data)
        assert bytes(buffers[1].view) == expected
        assert bytes(buffers[0].view) == data


class DeviceSuite:
    """Tests; a subclass has a fixture `case`, which closes the device at its end."""

    @pytest.fixture
    def loaded(self, case: Case) -> Case:
        case.device.load(case.program)
        return case

    def test_says_what_it_is(self, case: Case) -> None:
        assert case.device.capabilities.name in ("npu", "emu", "null")
        assert case.device.capabilities.timing in ("measured", "emulated")
        assert case.device.capabilities.description

    def test_buffers_have_the_size_that_was_asked_for(self, loaded: Case) -> None:
        for nbytes in (1, 4095, 4097):
            buffer = loaded.device.allocate(nbytes, 0)
            assert (buffer.nbytes, len(buffer.view), buffer.view.readonly) == (nbytes, nbytes, False)

    def test_runs_again_and_again(self, loaded: Case) -> None:
        buffers = loaded.buffers()
        for seed in range(3):
            data = loaded.fill(buffers, seed)
            assert 0 <= loaded.device.run(buffers, LIMIT_S) < LIMIT_S
            loaded.check(buffers, data)
            assert loaded.device.remarks() == []
            assert loaded.device.report() is None or loaded.device.report()

    def test_many_in_flight_and_waited_for_in_any_order(self, loaded: Case) -> None:
        flights = []
        for seed in range(5):
            buffers = loaded.buffers()  # while the others are in flight
            data = loaded.fill(buffers, seed)
            flights.append((loaded.device.start([buffers]), buffers, data))
        for number in (3, 0, 4, 1, 2):
            started, buffers, data = flights[number]
            assert loaded.device.wait(started, LIMIT_S) >= 0
            loaded.check(buffers, data)

    @pytest.mark.parametrize("runs", [1, 2, 3, 6])
    def test_several_at_once(self, loaded: Case, runs: int) -> None:
        rows = [loaded.buffers() for _ in range(runs)]
        for _ in range(2):
            data = [loaded.fill(row, seed) for seed, row in enumerate(rows)]
            started = loaded.device.start(rows)
            assert started.way
            assert loaded.device.wait(started, LIMIT_S) >= 0
            for row, content in zip(rows, data):
                loaded.check(row, content)

    def test_buffers_may_be_shared_between_runs(self, loaded: Case) -> None:
        buffers = loaded.buffers()
        data = loaded.fill(buffers, 1)
        loaded.device.wait(loaded.device.start([buffers] * 4), LIMIT_S)
        loaded.check(buffers, data)

    def test_instructions_can_be_given_again(self, loaded: Case) -> None:
        loaded.device.instruct(loaded.program.insts)
        buffers = loaded.buffers()
        data = loaded.fill(buffers, 1)
        loaded.device.run(buffers, LIMIT_S)
        loaded.check(buffers, data)

    def test_buffer_of_another_device_is_refused(self, loaded: Case) -> None:
        with pytest.raises(InternalError, match="another device"):
            loaded.device.start([[NullBuffer(loaded.nbytes), NullBuffer(loaded.nbytes)]])

    def test_run_that_does_not_end(self, case: Case) -> None:
        case.device.load(case.endless())
        buffers = case.buffers()
        case.fill(buffers, 1)
        first = case.device.start([buffers])
        case.device.start([buffers])
        with pytest.raises(DeviceError):
            case.device.wait(first, 0.2)
        case.device.close()  # with one in flight

    def test_closed_with_runs_in_flight(self, loaded: Case) -> None:
        rows = [loaded.buffers() for _ in range(3)]
        for row in rows:
            loaded.fill(row, 1)
        loaded.device.start(rows)
        loaded.device.start(rows[:1])
        loaded.device.close()

    def test_closed_twice(self, loaded: Case) -> None:
        loaded.device.close()
        loaded.device.close()
