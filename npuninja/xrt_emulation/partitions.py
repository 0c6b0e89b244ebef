"""Columns and contexts: which context gets which part of the array, and when there is no more.

A context gets free columns when there are any, else it shares the columns of contexts of the same width. That
is how a driver behaves from outside; which columns a real one chooses is its own affair.
"""

from __future__ import annotations

import errno
import threading
from dataclasses import dataclass

from npuninja.xrt_emulation.amdxdna import DriverError
from npuninja.xrt_emulation.models import NpuModel


@dataclass
class LoadedPartition:
    """Neighbouring columns, and how many contexts share them; what runs there takes `lock`: one at a time."""

    first_column: int
    columns: int
    lock: threading.Lock
    contexts: int = 1


class Partitions:
    """The columns of one NPU. Safe to use from several threads."""

    def __init__(self, model: NpuModel) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._partitions: list[LoadedPartition] = []

    def enter(self, columns: int) -> LoadedPartition:
        """Columns for one more context.

        Raises:
            DriverError: EINVAL for more columns than there are, ENOENT when the NPU takes no more contexts,
                ENOSPC when other contexts have the columns.
        """
        model = self._model
        if not 1 <= columns <= model.columns:
            raise DriverError(
                errno.EINVAL,
                f"the design has {columns} columns, {model.name} has {model.columns} for designs",
            )
        with self._lock:
            if sum(p.contexts for p in self._partitions) >= model.context_limit:
                raise DriverError(
                    errno.ENOENT, f"{model.name} takes {model.context_limit} hardware contexts at a time"
                )
            partition = self._free(columns)
            if partition is not None:
                self._partitions.append(partition)
                return partition
            shareable = [p for p in self._partitions if p.columns == columns]
            if not shareable:
                taken = ", ".join(
                    f"{p.first_column} to {p.first_column + p.columns - 1}" for p in self._partitions
                )
                raise DriverError(
                    errno.ENOSPC, f"no {columns} free columns: other contexts of other width have {taken}"
                )
            partition = min(shareable, key=lambda p: p.contexts)
            partition.contexts += 1
            return partition

    def _free(self, columns: int) -> LoadedPartition | None:
        model = self._model
        end = model.first_column + model.columns
        for first in range(model.first_column, end - columns + 1):
            if all(
                first + columns <= p.first_column or p.first_column + p.columns <= first
                for p in self._partitions
            ):
                return LoadedPartition(first, columns, threading.Lock())
        return None

    def leave(self, partition: LoadedPartition) -> None:
        """A context gives its columns back."""
        with self._lock:
            partition.contexts -= 1
            if not partition.contexts:
                self._partitions.remove(partition)
