"""Buffer descriptors decoded: from register words to named fields, and to one line of text.

Fields as in AM025; lengths and addresses in bytes, steps in bytes, sizes as counts of steps.
"""

from __future__ import annotations

from typing import Any, Sequence

from npuninja.arch.devices import MEMTILE_WINDOWS, TILE_KINDS


def _bits(word: int, high: int, low: int) -> int:
    return word >> low & (1 << high - low + 1) - 1


def _signed7(value: int) -> int:
    return value - 128 if value & 64 else value


def descriptor_fields(kind: str, words: Sequence[int]) -> dict[str, Any] | None:
    """The fields of a complete descriptor of a tile kind; None when there are too few words."""
    if len(words) < TILE_KINDS[kind].bd_words:
        return None
    return {"core": _core, "mem": _memtile, "shim": _shim}[kind](words)


def _fields(
    address: int,
    length: int,
    steps: list[int],
    wraps: list[int],
    packet: tuple[int, int, int],
    iteration: tuple[int, int, int],
) -> dict[str, Any]:
    """Fields that all kinds have.

    `packet` is (enabled, id, type), `iteration` (current, wrap - 1, step - 1).
    """
    dims = [{"size": wrap, "step_bytes": 4 * (step + 1)} for step, wrap in zip(steps, wraps)]
    while dims and dims[-1] == {"size": 0, "step_bytes": 4}:
        dims.pop()
    fields: dict[str, Any] = {"address": address, "length_bytes": 4 * length, "dimensions": dims}
    if packet[0]:
        fields["packet"] = {"id": packet[1], "type": packet[2]}
    if iteration != (0, 0, 0):
        current, wrap, step = iteration
        fields["iteration"] = {"current": current, "size": wrap + 1, "step_bytes": 4 * (step + 1)}
    return fields


def _locks(acquire: tuple[int, int, int], release: tuple[int, int]) -> dict[str, Any]:
    """`acquire` is (enabled, value, id), `release` (value, id)."""
    fields: dict[str, Any] = {}
    if acquire[0]:
        value = _signed7(acquire[1])
        fields["acquire"] = {"lock": acquire[2], "value": abs(value), "greater_equal": value < 0}
    if release[0]:
        fields["release"] = {"lock": release[1], "value": _signed7(release[0])}
    return fields


def _narrow_locks(word: int) -> dict[str, Any]:
    """The last word of core and shim descriptors."""
    fields: dict[str, Any] = {"valid": bool(_bits(word, 25, 25))}
    if _bits(word, 26, 26):
        fields["next"] = _bits(word, 30, 27)
    fields.update(
        _locks(
            (_bits(word, 12, 12), _bits(word, 11, 5), _bits(word, 3, 0)),
            (_bits(word, 24, 18), _bits(word, 16, 13)),
        )
    )
    return fields


def _core(w: Sequence[int]) -> dict[str, Any]:
    fields = _fields(
        4 * _bits(w[0], 27, 14),
        _bits(w[0], 13, 0),
        [_bits(w[2], 12, 0), _bits(w[2], 25, 13), _bits(w[3], 12, 0)],
        [_bits(w[3], 20, 13), _bits(w[3], 28, 21), 0],
        (_bits(w[1], 30, 30), _bits(w[1], 23, 19), _bits(w[1], 18, 16)),
        (_bits(w[4], 24, 19), _bits(w[4], 18, 13), _bits(w[4], 12, 0)),
    )
    return {**fields, **_narrow_locks(w[5])}


def _shim(w: Sequence[int]) -> dict[str, Any]:
    fields = _fields(
        (w[1] & 0xFFFFFFFC) | _bits(w[2], 15, 0) << 32,
        w[0],
        [_bits(w[3], 19, 0), _bits(w[4], 19, 0), _bits(w[5], 19, 0)],
        [_bits(w[3], 29, 20), _bits(w[4], 29, 20), 0],
        (_bits(w[2], 30, 30), _bits(w[2], 23, 19), _bits(w[2], 18, 16)),
        (_bits(w[6], 31, 26), _bits(w[6], 25, 20), _bits(w[6], 19, 0)),
    )
    return {**fields, **_narrow_locks(w[7]), "burst_bytes": 64 << _bits(w[4], 31, 30)}


def _memtile(w: Sequence[int]) -> dict[str, Any]:
    fields = _fields(
        4 * _bits(w[1], 18, 0),
        _bits(w[0], 16, 0),
        [_bits(w[2 + i], 16, 0) for i in range(4)],
        [*(_bits(w[2 + i], 26, 17) for i in range(3)), 0],
        (_bits(w[0], 31, 31), _bits(w[0], 27, 23), _bits(w[0], 30, 28)),
        (_bits(w[6], 28, 23), _bits(w[6], 22, 17), _bits(w[6], 16, 0)),
    )
    before = [_bits(w[1], 31, 26), _bits(w[3], 31, 27), _bits(w[4], 30, 27)]
    after = [_bits(w[5], 22, 17), _bits(w[5], 27, 23), _bits(w[5], 31, 28)]
    if any(before) or any(after):
        fields["padding"] = [{"before": b, "after": a} for b, a in zip(before, after)]
    fields["valid"] = bool(_bits(w[7], 31, 31))
    if _bits(w[1], 19, 19):
        fields["next"] = _bits(w[1], 25, 20)
    fields.update(
        _locks(
            (_bits(w[7], 15, 15), _bits(w[7], 14, 8), _bits(w[7], 7, 0)),
            (_bits(w[7], 30, 24), _bits(w[7], 23, 16)),
        )
    )
    return fields


def descriptor_text(kind: str, fields: dict[str, Any]) -> str:
    """One line: what is moved, how memory is walked, which locks, what comes next."""
    parts = [f"{fields['length_bytes']} bytes at {_address(kind, fields['address'])}"]
    if fields["dimensions"]:
        # Outermost first, as MLIR writes them; a size of 0 means "until the length is used up".
        dims = [f"<{d['size'] or 'rest'} x {d['step_bytes']} B>" for d in reversed(fields["dimensions"])]
        parts.append("walk " + " ".join(dims))
    if "iteration" in fields:
        parts.append(f"iterate {fields['iteration']['size']} x {fields['iteration']['step_bytes']} B")
    if "padding" in fields:
        parts.append("pad " + " ".join(f"{p['before']}+{p['after']}" for p in reversed(fields["padding"])))
    if "packet" in fields:
        parts.append(f"packet id {fields['packet']['id']} type {fields['packet']['type']}")
    if "acquire" in fields:
        acquire = fields["acquire"]
        relation = ">=" if acquire["greater_equal"] else "=="
        parts.append(f"acquire {_lock(kind, acquire['lock'])} {relation} {acquire['value']}")
    if "release" in fields:
        parts.append(f"release {_lock(kind, fields['release']['lock'])} {fields['release']['value']:+d}")
    if "next" in fields:
        parts.append(f"then BD {fields['next']}")
    if not fields["valid"]:
        parts.append("not valid")
    return ", ".join(parts)


def _address(kind: str, address: int) -> str:
    if kind != "mem":
        return f"0x{address:x}"
    window, base = max(
        (item for item in MEMTILE_WINDOWS.items() if item[1] <= address), key=lambda item: item[1]
    )
    return f"0x{address - base:x}" + ("" if window == "own" else f" of the {window} memtile")


def _lock(kind: str, number: int) -> str:
    if kind != "mem":
        return f"lock {number}"
    window = ("west", "own", "east", "unknown")[number // 64]
    return f"lock {number % 64}" + ("" if window == "own" else f" of the {window} memtile")
