"""What WebAssembly instructions take from the operand stack and leave there.

One letter a value: i, l, f, d and v for i32, i64, f32, f64 and v128. Control, calls, variables, `drop` and
`select` depend on more and are not here. Source: core specification, chapter 4, "Instructions".
"""

from __future__ import annotations

from npuninja.formats.wasm_code import BULK, SIMD

LETTERS = {"i32": "i", "i64": "l", "f32": "f", "f64": "d", "v128": "v"}

# Ranges of opcodes, first and last, that have one signature: what is taken, what is left.
_RANGES: tuple[tuple[int, int, str, str], ...] = (
    (0x28, 0x28, "i", "i"),
    (0x29, 0x29, "i", "l"),
    (0x2A, 0x2A, "i", "f"),
    (0x2B, 0x2B, "i", "d"),
    (0x2C, 0x2F, "i", "i"),
    (0x30, 0x35, "i", "l"),
    (0x36, 0x36, "ii", ""),
    (0x37, 0x37, "il", ""),
    (0x38, 0x38, "if", ""),
    (0x39, 0x39, "id", ""),
    (0x3A, 0x3B, "ii", ""),
    (0x3C, 0x3E, "il", ""),
    (0x3F, 0x3F, "", "i"),
    (0x41, 0x41, "", "i"),
    (0x42, 0x42, "", "l"),
    (0x43, 0x43, "", "f"),
    (0x44, 0x44, "", "d"),
    (0x45, 0x45, "i", "i"),
    (0x46, 0x4F, "ii", "i"),
    (0x50, 0x50, "l", "i"),
    (0x51, 0x5A, "ll", "i"),
    (0x5B, 0x60, "ff", "i"),
    (0x61, 0x66, "dd", "i"),
    (0x67, 0x69, "i", "i"),
    (0x6A, 0x78, "ii", "i"),
    (0x79, 0x7B, "l", "l"),
    (0x7C, 0x8A, "ll", "l"),
    (0x8B, 0x91, "f", "f"),
    (0x92, 0x98, "ff", "f"),
    (0x99, 0x9F, "d", "d"),
    (0xA0, 0xA6, "dd", "d"),
    (0xA7, 0xA7, "l", "i"),
    (0xA8, 0xA9, "f", "i"),
    (0xAA, 0xAB, "d", "i"),
    (0xAC, 0xAD, "i", "l"),
    (0xAE, 0xAF, "f", "l"),
    (0xB0, 0xB1, "d", "l"),
    (0xB2, 0xB3, "i", "f"),
    (0xB4, 0xB5, "l", "f"),
    (0xB6, 0xB6, "d", "f"),
    (0xB7, 0xB8, "i", "d"),
    (0xB9, 0xBA, "l", "d"),
    (0xBB, 0xBB, "f", "d"),
    (0xBC, 0xBC, "f", "i"),
    (0xBD, 0xBD, "d", "l"),
    (0xBE, 0xBE, "i", "f"),
    (0xBF, 0xBF, "l", "d"),
    (0xC0, 0xC1, "i", "i"),
    (0xC2, 0xC4, "l", "l"),
    (BULK, BULK | 1, "f", "i"),
    (BULK | 2, BULK | 3, "d", "i"),
    (BULK | 4, BULK | 5, "f", "l"),
    (BULK | 6, BULK | 7, "d", "l"),
    (BULK | 10, BULK | 11, "iii", ""),
)
# Of vector instructions: nearly all take two vectors, or one, and leave one. The others by number.
_VECTOR_EXCEPTIONS: tuple[tuple[int, int, str, str], ...] = (
    (0, 10, "i", "v"),
    (11, 11, "iv", ""),
    (12, 12, "", "v"),
    (15, 17, "i", "v"),
    (18, 18, "l", "v"),
    (19, 19, "f", "v"),
    (20, 20, "d", "v"),
    (21, 22, "v", "i"),
    (23, 23, "vi", "v"),
    (24, 25, "v", "i"),
    (26, 26, "vi", "v"),
    (27, 27, "v", "i"),
    (28, 28, "vi", "v"),
    (29, 29, "v", "l"),
    (30, 30, "vl", "v"),
    (31, 31, "v", "f"),
    (32, 32, "vf", "v"),
    (33, 33, "v", "d"),
    (34, 34, "vd", "v"),
    (82, 82, "vvv", "v"),
    (83, 83, "v", "i"),
    (84, 87, "iv", "v"),
    (88, 91, "iv", ""),
    (92, 93, "i", "v"),
    (99, 100, "v", "i"),
    (107, 109, "vi", "v"),
    (131, 132, "v", "i"),
    (139, 141, "vi", "v"),
    (163, 164, "v", "i"),
    (171, 173, "vi", "v"),
    (195, 196, "v", "i"),
    (203, 205, "vi", "v"),
    (261, 268, "vvv", "v"),
    (275, 275, "vvv", "v"),
)
_OF_ONE_VECTOR: tuple[tuple[int, int], ...] = (
    *((77, 77), (94, 98), (103, 106), (116, 117), (122, 122), (124, 129), (135, 138), (148, 148)),
    *((160, 161), (167, 170), (192, 193), (199, 202), (224, 227), (236, 239), (248, 255), (257, 260)),
)
_LAST_VECTOR = 275


def _signatures() -> dict[int, tuple[str, str]]:
    found = {SIMD | n: ("vv", "v") for n in range(_LAST_VECTOR + 1)}
    found.update((SIMD | n, ("v", "v")) for first, last in _OF_ONE_VECTOR for n in range(first, last + 1))
    found.update(
        (SIMD | n, (taken, left))
        for first, last, taken, left in _VECTOR_EXCEPTIONS
        for n in range(first, last + 1)
    )
    found.update((n, (taken, left)) for first, last, taken, left in _RANGES for n in range(first, last + 1))
    return found


#: Opcode (`npuninja.formats.wasm_code`) -> types taken, types left.
SIGNATURES = _signatures()
