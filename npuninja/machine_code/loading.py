"""A program into a core's runtime: prepared once, and kept in the cache by content.

Decoding and preparing take most of a core's start, and most runs need neither: names of instructions are for
messages, and a translation is made once. So both wait until something asks.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from functools import cached_property
from pathlib import Path

from npuninja import TYPE_CHECKING
from npuninja.cache_files import cache_folder, forget_oldest, keep, kept
from npuninja.compiled_modules import sources_key
from npuninja.machine_code import decode, prepare, reachable
from npuninja.machine_code.core_runtime import PROGRAM, CoreRuntime
from npuninja.machine_code.decode import Bundle
from npuninja.machine_code.families import fields, memory, scalars, vectors
from npuninja.machine_code.families.fields import BUNDLE, BUNDLE_KNOWN
from npuninja.machine_code.foreign_code import require_aie2
from npuninja.machine_code.instruction_set import table_path
from npuninja.machine_code.prepare import Prepared
from npuninja.machine_code.reachable import reachable_bundles

if TYPE_CHECKING:
    from typing import Sequence

#: Prepared programs to keep; each is some hundred kilobytes.
_PROGRAMS_KEPT = 256
_PREPARING = (prepare, decode, reachable, fields, memory, scalars, vectors)
_HEADER = struct.Struct("<III")


class LoadedProgram:
    """A core's program in a runtime.

    Args:
        core: takes the program.
        pieces: (address, bytes) of program memory.
        title: whose program, for messages.

    Attributes:
        digest: sha256 of the pieces.

    Raises:
        UserError: the program is larger than program memory could be, or none for AIE2.
    """

    def __init__(
        self, core: CoreRuntime, pieces: Sequence[tuple[int, bytes]], title: str = "the core"
    ) -> None:
        self._core = core
        self._pieces = tuple(pieces)
        self.digest = hashlib.sha256(
            b"".join(at.to_bytes(4, "little") + data for at, data in pieces)
        ).digest()
        path = _path(self.digest)
        found = _read(path)
        if found is None:
            require_aie2(pieces, title, "")
            found = self.prepared._replace(by_address={})
            _write(path, found)
        core.put(found)
        self._table = found.bundles

    @cached_property
    def bundles(self) -> dict[int, Bundle]:
        """The bundles by address."""
        return {b.address: b for b in reachable_bundles(self._pieces)}

    @cached_property
    def prepared(self) -> Prepared:
        """The program as the runtime and the translator take it."""
        return prepare.prepare([self.bundles[at] for at in sorted(self.bundles)], self._core.layout)

    def is_code(self, address: int) -> bool:
        """Whether a bundle begins at an address."""
        _, _, flags, _ = BUNDLE.unpack_from(self._table, address // 2 * BUNDLE.size)
        return bool(flags & BUNDLE_KNOWN)


def _path(digest: bytes) -> Path:
    key, _ = sources_key(PROGRAM)
    # What prepares a program: its sources are known by time and size, as reading them would take too long.
    sources = [module.__file__ for module in _PREPARING]
    states = [os.stat(path) for path in (*sources, table_path("aie2")) if path]
    words = " ".join([digest.hex(), key, *(f"{s.st_size}.{s.st_mtime_ns}" for s in states)])
    return cache_folder("programs") / f"{hashlib.sha256(words.encode()).hexdigest()[:32]}.bin"


def _read(path: Path) -> Prepared | None:
    data = kept(path)
    if data is None:
        return None
    try:
        bundles, ops, names = _HEADER.unpack_from(data)
        if len(data) != _HEADER.size + bundles + ops + names:
            return None
        at = _HEADER.size
        unsupported = json.loads(data[at + bundles + ops :])
        return Prepared(
            data[at : at + bundles],
            data[at + bundles : at + bundles + ops],
            {int(a): n for a, n in unsupported.items()},
            {},
        )
    except (ValueError, struct.error):
        return None


def _write(path: Path, prepared: Prepared) -> None:
    names = json.dumps(prepared.unsupported).encode()
    header = _HEADER.pack(len(prepared.bundles), len(prepared.ops), len(names))
    keep(path, header + prepared.bundles + prepared.ops + names)
    forget_oldest(path.parent, _PROGRAMS_KEPT)
