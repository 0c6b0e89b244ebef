"""docs/api is what the docstrings say."""

from __future__ import annotations

import ast

import api_pages
import pytest


@pytest.mark.parametrize("name", api_pages.pages())
def test_a_page_is_current(name, regen):
    text, file = api_pages.pages()[name], api_pages.FOLDER / name
    if regen:
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text, "python tools/api_pages.py writes the pages again"


def test_no_page_is_left_over():
    assert {path.name for path in api_pages.FOLDER.iterdir()} == set(api_pages.pages())


def test_a_docstring_becomes_markdown():
    tree = ast.parse(
        '''
class Pair(NamedTuple):
    """Two numbers."""
    first: int
    """The one
    in front."""
    second: int = 3
    _hidden: int = 0
    @property
    def sum(self) -> int:
        """Both together."""
    def times(self, factor: int, *, late: bool = False) -> "Pair":
        """Multiplied.

        Args:
            factor: by which,
                each of them.

        Raises:
            ValueError: it is too large.
        """
    def _private(self): ...
'''
    )
    assert "\n\n".join(api_pages._entry(tree.body[0], "###", "")) == (
        "### class `Pair` (NamedTuple)\n\n"
        "Two numbers.\n\n"
        "- `first: int`: The one in front.\n"
        "- `second: int = 3`\n\n"
        "#### `Pair.sum -> int`\n\n"
        "Both together.\n\n"
        "#### `Pair.times(factor: int, *, late: bool=False) -> 'Pair'`\n\n"
        "Multiplied.\n\n**Args:**\n\n- `factor`: by which,\n    each of them.\n\n**Raises:**\n\n"
        "- `ValueError`: it is too large."
    )
