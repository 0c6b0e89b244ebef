"""Addresses of buffers: both schemes, presets, fallbacks, errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lowered import addresses, lowered

from npuninja.errors import UserError, Warnings
from npuninja.lowering.resources.introsort import sorted_like_std_sort

CORE = "aie.core(%t) { aie.end }"
BANK = 0x4000


def buffers(*sizes: int, attributes: str = "") -> str:
    lines = [
        f'aie.buffer(%t) {{sym_name = "b{i}"{attributes}}} : memref<{size}xi8>'
        for i, size in enumerate(sizes)
    ]
    return "\n".join(lines)


def place(
    *lines: str, scheme: str | None = None, warnings: Warnings | None = None, tile: str = "(0, 2)"
) -> dict[str, tuple[int, int | None]]:
    return addresses(lowered("\n".join([f"%t = aie.tile{tile}", *lines]), scheme=scheme, warnings=warnings))


def test_bank_aware_goes_round_the_banks_by_size() -> None:
    assert place(buffers(10, 30, 20, 25, 15), CORE) == {
        "b1": (1024, 0), "b3": (BANK, 1), "b2": (2 * BANK, 2), "b4": (3 * BANK, 3), "b0": (1054, 0),
    }  # fmt: skip


def test_bank_aware_skips_a_full_bank() -> None:
    assert place(buffers(BANK, BANK, 100), CORE) == {
        "b0": (BANK, 1),
        "b1": (2 * BANK, 2),
        "b2": (3 * BANK, 3),
    }


def test_memtile_has_eight_banks_and_no_stack() -> None:
    placed = place(buffers(*[8] * 9), tile="(0, 1)")
    assert [placed[f"b{i}"] for i in range(9)] == [*((i * 0x10000, i) for i in range(8)), (8, 0)]


def test_sequential_packs_behind_the_stack_without_alignment() -> None:
    core = "aie.core(%t) { aie.end } {stack_size = 512 : i32}"
    assert place(buffers(3, 40, 7), core, scheme="basic-sequential") == {
        "b1": (512, None),
        "b2": (552, None),
        "b0": (559, None),
    }


def test_sequential_jumps_behind_a_given_address() -> None:
    fixed = 'aie.buffer(%t) {sym_name = "fixed", address = 1050 : i32} : memref<100xi8>'
    placed = place(fixed, buffers(20, 30), CORE, scheme="basic-sequential")
    assert placed == {"fixed": (1050, None), "b1": (1150, None), "b0": (1180, None)}


def test_given_address_and_bank_are_kept() -> None:
    fixed = 'aie.buffer(%t) {sym_name = "fixed", address = 20000 : i32} : memref<100xi8>'
    banked = 'aie.buffer(%t) {sym_name = "banked", mem_bank = 1 : i32} : memref<100xi8>'
    assert place(fixed, banked, buffers(8), CORE) == {
        "fixed": (20000, 1),
        "banked": (20100, 1),
        "b0": (1024, 0),
    }


def test_default_scheme_falls_back_with_a_warning() -> None:
    warnings = Warnings()
    assert place(buffers(BANK + 1), CORE, warnings=warnings) == {"b0": (1024, None)}
    assert "bank-aware allocation failed for tile (0, 2)" in warnings.items[0][0]
    assert warnings.items[0][1] is not None


def test_explicit_bank_aware_does_not_fall_back() -> None:
    with pytest.raises(UserError, match="no bank has room for 'b0'"):
        place(buffers(BANK + 1), CORE, scheme="bank-aware")


def test_tile_attribute_goes_before_the_option() -> None:
    tile = '(0, 2) {allocation_scheme = "basic-sequential"}'
    assert place(buffers(8), CORE, scheme="bank-aware", tile=tile) == {"b0": (1024, None)}


def test_buffers_without_name_are_numbered() -> None:
    lines = ["aie.buffer(%t) : memref<8xi8>", 'aie.buffer(%t) {sym_name = "_anonymous1"} : memref<8xi8>'] * 1
    assert list(place(*lines, "aie.buffer(%t) : memref<8xi8>")) == [
        "_anonymous0",
        "_anonymous1",
        "_anonymous2",
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([buffers(40000, 30000), CORE], "71024 of 65536 bytes"),
        ([buffers(8, attributes=", address = 100 : i32"), CORE], "not inside 1024 to 65536"),
        ([buffers(8, attributes=", address = 65532 : i32")], "not inside 0 to 65536"),
        ([buffers(8, 8, attributes=", address = 64 : i32")], "overlaps"),
        ([buffers(8, attributes=", mem_bank = 4 : i32")], "there is no bank 4"),
    ],
)
def test_what_does_not_fit_is_refused(lines: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        place(*lines)
    assert caught.value.location is not None


def test_full_memory_lists_what_is_in_it() -> None:
    with pytest.raises(UserError) as caught:
        place(buffers(40000, 30000), CORE)
    assert [text for text, _ in caught.value.notes] == [
        "stack: 1024 bytes",
        "buffer 'b0': 40000 bytes",
        "buffer 'b1': 30000 bytes",
    ]


def test_unknown_scheme_is_refused() -> None:
    with pytest.raises(UserError, match="unknown allocation scheme 'random'"):
        place(buffers(8), scheme="random")


def test_shim_tile_has_no_memory() -> None:
    with pytest.raises(UserError, match="shim tile"):
        place(buffers(8), tile="(0, 0)")


@given(st.lists(st.integers(1, 3000), max_size=20), st.sampled_from([None, "basic-sequential"]))
def test_buffers_never_overlap(sizes: list[int], scheme: str | None) -> None:
    placed = place(buffers(*sizes), CORE, scheme=scheme)
    ranges = sorted((address, address + sizes[int(name[1:])]) for name, (address, _) in placed.items())
    assert all(end <= start for (_, end), (start, _) in zip([(0, 1024), *ranges], [*ranges, (0x10000, 0)]))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers()), max_size=80))
def test_introsort_sorts(items: list[tuple[int, int]]) -> None:
    result = sorted_like_std_sort(items, lambda a, b: a[0] > b[0])
    assert sorted(result) == sorted(items)
    assert [key for key, _ in result] == sorted((key for key, _ in items), reverse=True)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers()), max_size=16))
def test_introsort_is_stable_up_to_sixteen(items: list[tuple[int, int]]) -> None:
    assert sorted_like_std_sort(items, lambda a, b: a[0] < b[0]) == sorted(items, key=lambda item: item[0])


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ([5] * 17, "8 16 15 14 13 12 11 10 9 0 7 6 5 4 3 2 1"),
        ([i % 3 for i in range(24)], "23 2 20 5 17 8 14 11 1 22 19 16 13 10 7 4 12 15 9 18 6 21 3 0"),
        ([64, 32] * 12, "0 2 22 4 6 20 8 10 18 12 14 16 23 21 19 17 15 13 11 9 7 5 3 1"),
    ],
)
def test_introsort_orders_equal_items_like_libstdcxx(keys: list[int], order: str) -> None:
    """`order` was printed by a C++ program that sorts the indices of `keys` by falling key (GCC 12)."""
    assert sorted_like_std_sort(list(range(len(keys))), lambda a, b: keys[a] > keys[b]) == [
        int(i) for i in order.split()
    ]
