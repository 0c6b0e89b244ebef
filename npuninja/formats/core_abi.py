"""The ABI of emulated cores: what a core's module, its host and the engine agree on.

docs/architecture.md, "Core images", is the contract. `emulator/engine/scheduler.c` has the kinds of answers
too; a test compares them.
"""

from __future__ import annotations

from npuninja.arch.devices import DATA_WINDOW_BYTES, DATA_WINDOWS

ABI_VERSION = 1

#: A core's address space: pages of 64 KiB. The first is unmapped.
MEMORY_PAGES = 8
#: The locks of all tiles, shared by all cores.
LOCK_PAGE = 0x10000
LOCK_PAGE_BYTES = 0x10000
#: A lock's number in that page: of the tile, 8 * column + row, times the locks of a tile, plus its id.
ROWS_PER_COLUMN, LOCKS_PER_TILE = 8, 64
#: What stands for the core's registers: the resume point, and values that live across a wait.
STATE_PAGE = 0x20000
#: The core's own data memory, and its end.
OWN_DATA = DATA_WINDOWS["own"]
OWN_DATA_END = OWN_DATA + DATA_WINDOW_BYTES

#: A step function's answers: wait until a lock is at least, or equal to, a value; a release went too far.
WAIT_AT_LEAST, WAIT_EQUAL, FAULT_RELEASE = 1, 2, 3
#: Resume point of a core that has ended.
ENDED = -1
