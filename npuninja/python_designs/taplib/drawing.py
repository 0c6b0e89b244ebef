"""Pictures of access patterns, with matplotlib (the extra `npuninja[drawing]`)."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from npuninja.python_designs import running

_MOST_ARROWS = 400  # more cannot be told apart


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as pyplot
    except ImportError:
        raise ImportError(
            "drawing access patterns needs matplotlib: pip install 'npuninja[drawing]'"
        ) from None
    return pyplot


def _panel(axes: Any, values: Any, title: str, arrows: bool) -> None:
    masking: Any = np.ma  # not typed before NumPy 2.3
    shown = masking.masked_less(values, 0)
    axes.pcolormesh(shown, edgecolors="lightgrey", linewidth=0.5, cmap="viridis")
    axes.set_title(title)
    axes.invert_yaxis()
    axes.set_aspect("equal")
    if values.size <= 256:
        for (row, column), value in np.ndenumerate(values):
            if value >= 0:
                axes.text(column + 0.5, row + 0.5, int(value), ha="center", va="center", fontsize=7)
    if arrows:
        visited = np.argwhere(values >= 0)
        order = visited[np.argsort(values[tuple(visited.T)])]
        for (row, column), (next_row, next_column) in list(zip(order, order[1:]))[:_MOST_ARROWS]:  # noqa: RUF007
            axes.annotate(
                "",
                xy=(next_column + 0.5, next_row + 0.5),
                xytext=(column + 0.5, row + 0.5),
                arrowprops={"arrowstyle": "->", "color": "tab:red", "lw": 0.6},
            )


def draw(
    order: Any, counts: Any, title: str, show_arrows: bool | None, file_path: str | None, show_plot: bool
) -> None:
    """Draws the order of accesses of a tensor, and the counts if given, to the screen and to a file.

    Where only the module of a design is asked for (`--print`), a missing matplotlib is a warning.
    """
    try:
        pyplot = _pyplot()
        figure, axes = pyplot.subplots(1 if counts is None else 2, 1, squeeze=False)
    except ImportError as error:  # of a stand-in for matplotlib too, which is missed only when it is called
        if not running.PRINTS_ONLY:
            raise
        print(f"warning: {error}; only the module was asked for, so nothing is drawn", file=sys.stderr)
        return
    arrows = order.size <= _MOST_ARROWS if show_arrows is None else show_arrows
    _panel(axes[0][0], order, "Access Order", arrows)
    if counts is not None:
        _panel(axes[1][0], counts, "Access Counts", False)
    figure.suptitle(title)
    if file_path:
        figure.savefig(file_path)
    if show_plot:
        pyplot.show()
    pyplot.close(figure)


def animate(orders: list[Any], counts: list[Any] | None, title: str) -> Any:
    """An animation: a frame for each array in `orders`, and the one in `counts` below it."""
    pyplot = _pyplot()
    from matplotlib.animation import FuncAnimation

    figure, axes = pyplot.subplots(1 if counts is None else 2, 1, squeeze=False)
    figure.suptitle(title)

    def frame(i: int) -> None:
        for row, (values, name) in enumerate(((orders, "Access Order"), (counts, "Access Counts"))):
            if values is not None:
                axes[row][0].clear()
                _panel(axes[row][0], values[i], f"{name} {i}", False)

    return FuncAnimation(figure, frame, frames=len(orders))
