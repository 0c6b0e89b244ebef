"""How buffers may be placed in the memory of their tile; `buffer_addresses` does it."""

from __future__ import annotations

BASIC_SEQUENTIAL, BANK_AWARE = "basic-sequential", "bank-aware"
SCHEMES = (BASIC_SEQUENTIAL, BANK_AWARE)
