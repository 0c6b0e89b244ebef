"""What a core's code can wait for in its middle: the ABI's imports, served by engine/core_streams.c.

Each import becomes a small function of the module. It asks the engine; when the answer is "not now", it says
so in the module's state, and everything that called it returns (`npuninja.emulator.core_modules.suspension`).
Called again later, it asks again.
"""

from __future__ import annotations

from collections.abc import Callable

from npuninja.emulator.core_modules import encoding as e
from npuninja.records import NamedTuple

NORMAL, LEAVING, RETURNING = range(3)


class Import(NamedTuple):
    """An import of core modules.

    Attributes:
        parameters, results: of the function that code calls.
        engine: the engine's function behind it; its parameters and results.
        waits: whether it can find that it has to wait.
        gives: whether others can learn from it what the core did before.
        code: the function's body, made of: a call of the engine's function, the code for "not now", how
            much higher than its addresses the caller's memory lies.
        locals: local variables that `code` uses after the parameters.
    """

    parameters: bytes
    results: bytes
    engine: str
    engine_parameters: bytes
    engine_results: bytes
    waits: bool
    gives: bool
    code: Callable[[bytes, bytes, int], bytes]
    locals: tuple[bytes, ...] = ()


def _get_stream(ask: bytes, not_now: bytes, _: int) -> bytes:
    got = 1
    return ask + e.tee(got) + b"\x50" + e.IF + not_now + e.END + e.get(got) + e.I32_WRAP


def _get_stream_last(ask: bytes, not_now: bytes, _: int) -> bytes:
    got = 1
    last = e.get(got) + b"\x42\x21" + e.I64_SHR_U + b"\x42\x20" + e.I64_SHL  # bit 33 to bit 32
    word = e.get(got) + e.I32_WRAP + e.I64_EXTEND_U
    return ask + e.tee(got) + b"\x50" + e.IF + not_now + e.END + last + word + e.I64_OR


def _put_stream(ask: bytes, not_now: bytes, _: int) -> bytes:
    return e.get(1) + e.get(2) + ask + e.I32_EQZ + e.IF + not_now + e.END


def _answer(ask: bytes, not_now: bytes, local: int) -> bytes:
    """The engine's answer: 0 not yet, 1 no, 2 yes."""
    return ask + e.tee(local) + e.I32_EQZ + e.IF + not_now + e.END + e.get(local) + e.const(2) + e.I32_EQ


def _stream_ready(ask: bytes, not_now: bytes, _: int) -> bytes:
    return _answer(ask, not_now, 1)


def _try_put_stream(ask: bytes, not_now: bytes, _: int) -> bytes:
    return _answer(e.get(1) + e.get(2) + ask, not_now, 3)


def _get_cascade(ask: bytes, not_now: bytes, shift: int) -> bytes:
    def words(number: int) -> bytes:
        return e.get(0) + e.const(number) + ask + e.access(e.I64_STORE, shift + 8 * number)

    first = e.const(-1) + ask + b"\x50" + e.IF + not_now + e.END
    return first + b"".join(map(words, range(8))) + e.const(8) + ask + e.DROP


def _put_cascade(ask: bytes, not_now: bytes, shift: int) -> bytes:
    def word(number: int) -> bytes:
        return e.const(number) + e.get(0) + e.access(e.I64_LOAD, shift + 8 * number) + ask + e.DROP

    none = b"\x42\x00"
    first = e.const(-1) + none + ask + e.I32_EQZ + e.IF + not_now + e.END
    return first + b"".join(map(word, range(8))) + e.const(8) + none + ask + e.DROP


def _acquire(ask: bytes, not_now: bytes, _: int) -> bytes:
    return e.get(0) + e.get(1) + e.get(2) + ask + e.I32_EQZ + e.IF + not_now + e.END


def _release(ask: bytes, _: bytes, __: int) -> bytes:
    return e.get(0) + e.get(1) + ask


def _write_register(ask: bytes, not_now: bytes, _: int) -> bytes:
    return e.get(0) + e.get(1) + ask + e.I32_EQZ + e.IF + not_now + e.END


def _read_register(ask: bytes, not_now: bytes, _: int) -> bytes:
    got = 1
    return e.get(0) + ask + e.tee(got) + b"\x50" + e.IF + not_now + e.END + e.get(got) + e.I32_WRAP


_I, _L = e.I32, e.I64
#: Name in the module `env` -> what it is. Those of streams begin with `port`; cores have one port.
IMPORTS: dict[str, Import] = {
    "npu_get_stream": Import(
        _I, _I, "core_stream_get", b"", _L, waits=True, gives=False, code=_get_stream, locals=(_L,)
    ),
    "npu_get_stream_last": Import(
        _I, _L, "core_stream_get", b"", _L, waits=True, gives=False, code=_get_stream_last, locals=(_L,)
    ),
    "npu_stream_ready": Import(
        _I, _I, "core_stream_ready", b"", _I, waits=True, gives=False, code=_stream_ready, locals=(_I,)
    ),
    "npu_put_stream": Import(
        _I * 3, b"", "core_stream_put", _I * 2, _I, waits=True, gives=True, code=_put_stream
    ),
    "npu_try_put_stream": Import(
        _I * 3, _I, "core_stream_try", _I * 2, _I, waits=True, gives=True, code=_try_put_stream, locals=(_I,)
    ),
    "npu_get_cascade": Import(_I, b"", "core_cascade_in", _I, _L, waits=True, gives=False, code=_get_cascade),
    "npu_put_cascade": Import(
        _I, b"", "core_cascade_out", _I + _L, _I, waits=True, gives=True, code=_put_cascade
    ),
    "npu_acquire": Import(_I * 3, b"", "core_lock_take", _I * 3, _I, waits=True, gives=True, code=_acquire),
    "npu_write_register": Import(
        _I * 2, b"", "core_register_write", _I * 2, _I, waits=True, gives=True, code=_write_register
    ),
    "npu_read_register": Import(
        _I, _I, "core_register_read", _I, _L, waits=True, gives=False, code=_read_register, locals=(_L,)
    ),
    "npu_release": Import(_I * 2, b"", "core_lock_give", _I * 2, b"", waits=False, gives=True, code=_release),
}


def body(what: Import, number: int, shift: int, state: int, renewal: bytes) -> bytes:
    """The function that code calls instead of an import.

    Args:
        what: the import.
        number: of the imported function, which is the engine's now.
        shift: how much higher than its addresses the caller's memory lies.
        state: number of the global that says whether calls are left or returned to.
        renewal: what runs after what others can see, in a checked run.
    """
    leave = e.const(LEAVING) + e.set_global(state) + e.zeros(what.results) + e.RETURN
    resumed = e.const(NORMAL) + e.set_global(state) if what.waits else b""
    return e.body(
        list(what.locals),
        resumed + what.code(e.call(number), leave, shift) + (renewal if what.gives else b""),
    )
