"""What files are recognised by: how they begin, and the ends of their names."""

from __future__ import annotations

ELF_MAGIC = b"\x7fELF"
ARCHIVE_MAGIC, THIN_ARCHIVE_MAGIC = b"!<arch>\n", b"!<thin>\n"
WASM_MAGIC = b"\0asm\1\0\0\0"
XCLBIN_MAGIC = b"xclbin2\0"
PDI_MAGIC = b"\xdd\0\0\0"
#: What is npuninja's own in real files: the modules in an XCLBIN, and the stub of one in a program memory.
OWN_MAGIC = b"NPUNWASM"

CXX_SUFFIXES = (".cc", ".cpp", ".cxx")
#: Of kernels and host programs.
C_SUFFIXES = (".c", *CXX_SUFFIXES)

#: How the names of npuninja's headers begin in objects, which are the same wherever npuninja lies.
HEADERS_IN_OBJECTS = "npuninja/"
