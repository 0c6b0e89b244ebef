"""Bounds-checked reading of little-endian binary data.

All readers of formats use it, so a cut or damaged file becomes one kind of error: the name of the file, the
offset, and what was expected there.
"""

from __future__ import annotations

import struct

from npuninja.errors import Location, UserError

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


class ByteReader:
    """Reads `data`; offsets are absolute in it. `name` (a file name) is named in errors."""

    __slots__ = ("data", "name")

    def __init__(self, data: bytes, name: str) -> None:
        self.data = bytes(data)
        self.name = name

    def __len__(self) -> int:
        return len(self.data)

    def error(self, message: str, hint: str | None = None) -> UserError:
        """The error to raise for wrong content."""
        return UserError(message, Location(self.name), hint=hint)

    def need(self, offset: int, size: int, what: str) -> None:
        """Raises UserError unless `size` bytes lie at `offset`."""
        if offset < 0 or size < 0 or offset + size > len(self.data):
            raise self.error(
                f"the file ends too early: {what} needs {size} bytes at 0x{offset:x}, "
                f"the file has {len(self.data)} bytes",
                "it is cut off or damaged; build it again",
            )

    def u8(self, offset: int, what: str) -> int:
        """The byte at `offset`."""
        self.need(offset, 1, what)
        return self.data[offset]

    def u16(self, offset: int, what: str) -> int:
        """The 16-bit number at `offset`."""
        self.need(offset, 2, what)
        return int(_U16.unpack_from(self.data, offset)[0])

    def u32(self, offset: int, what: str) -> int:
        """The 32-bit word at `offset`."""
        self.need(offset, 4, what)
        return int(_U32.unpack_from(self.data, offset)[0])

    def u64(self, offset: int, what: str) -> int:
        """The 64-bit number at `offset`."""
        self.need(offset, 8, what)
        return int(_U64.unpack_from(self.data, offset)[0])

    def words(self, offset: int, count: int, what: str) -> tuple[int, ...]:
        """`count` 32-bit words from `offset` on."""
        self.need(offset, 4 * count, what)
        return struct.unpack_from(f"<{count}I", self.data, offset)

    def block(self, offset: int, size: int, what: str) -> bytes:
        """`size` bytes from `offset` on."""
        self.need(offset, size, what)
        return self.data[offset : offset + size]

    def text(self, offset: int, size: int, what: str) -> str:
        """A text padded with zeros to `size` bytes."""
        return self._decode(self.block(offset, size, what).split(b"\0", 1)[0], offset, what)

    def zero_terminated(self, offset: int, what: str) -> str:
        """A text that ends with a zero byte."""
        end = self.data.find(b"\0", offset) if 0 <= offset < len(self.data) else -1
        if end < 0:
            raise self.error(
                f"{what} at 0x{offset:x} has no end: expected a zero byte before the end of the file"
            )
        return self._decode(self.data[offset:end], offset, what)

    def _decode(self, raw: bytes, offset: int, what: str) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self.error(f"{what} at 0x{offset:x} is not text: {raw[:32]!r}") from None
