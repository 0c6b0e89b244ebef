"""Layouts of convolutions' tensors (`aie.utils.ml`)."""

from __future__ import annotations

from typing import Any


class DataShaper:
    """Reorders tensors: a letter of an order is a dimension, a number splits the letter's innermost part."""

    def __init__(self) -> None:
        self.debug = False

    def reorder_mat(self, given: Any, new_order: str, cur_order: str) -> Any:
        """The elements of an array of `cur_order` in `new_order`, flat: ("YCXC8", "CYX") splits C by 8."""
        letters, sizes = list(cur_order), list(given.shape)
        wanted: list[tuple[str, int | None]] = []
        position = 0
        while position < len(new_order):
            letter = new_order[position]
            position += 1
            digits = ""
            while position < len(new_order) and new_order[position].isdigit():
                digits += new_order[position]
                position += 1
            wanted.append((letter, int(digits) if digits else None))
        inner = {letter: size for letter, size in wanted if size is not None}
        shape: list[int] = []
        axes: dict[tuple[str, bool], int] = {}
        for letter, size in zip(letters, sizes):
            axes[letter, False] = len(shape)
            if letter in inner:
                shape.append(size // inner[letter])
                axes[letter, True] = len(shape)
                shape.append(inner[letter])
            else:
                shape.append(size)
        order = [axes[letter, size is not None] for letter, size in wanted]
        return given.reshape(shape).transpose(order).reshape(-1)
