"""Looking for operations in what has been built (`aie.extras.util`)."""

from __future__ import annotations

from typing import Any, Callable

from npuninja.python_designs.construct.operations import view_of


def find_ops(op: Any, pred: Callable[[Any], Any], single: bool = False) -> Any:
    """The operations inside a module or an operation for which `pred` holds, in the order of the text.

    Args:
        op: a module or the view of an operation; itself it is not asked about.
        pred: called with the view of each.
        single: the first one alone (an empty list when there is none).
    """
    found = []
    root = getattr(op, "ir", op)
    for inner in root.walk():
        if inner is root:
            continue
        view = view_of(inner)
        if pred(view):
            if single:
                return view
            found.append(view)
    return found
