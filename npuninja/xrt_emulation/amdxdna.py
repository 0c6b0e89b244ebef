"""The amdxdna driver's interface: numbers and structures of its ioctls, and what a driver error is.

Source: include/uapi/drm/amdxdna_accel.h and include/uapi/drm/drm.h of Linux 7.2.
"""

from __future__ import annotations

import errno
import struct

# Numbers of the ioctls (type 'd'; those of a driver begin at 0x40).
GEM_CLOSE = 0x09
PRIME_HANDLE_TO_FD, PRIME_FD_TO_HANDLE = 0x2D, 0x2E
CREATE_HWCTX, DESTROY_HWCTX, CONFIG_HWCTX, CREATE_BO, GET_BO_INFO, SYNC_BO, EXEC_CMD, GET_INFO, SET_STATE = (
    range(0x40, 0x49)
)
GET_ARRAY = 0x4A
SYNCOBJ_CREATE, SYNCOBJ_DESTROY, SYNCOBJ_HANDLE_TO_FD, SYNCOBJ_FD_TO_HANDLE = range(0xBF, 0xC3)

GEM_CLOSE_S = struct.Struct("<2I")  # handle, pad
PRIME_S = struct.Struct("<2Ii")  # handle, flags, descriptor
SYNCOBJ_CREATE_S = struct.Struct("<2I")  # handle, flags
SYNCOBJ_HANDLE_S = struct.Struct("<2IiIQ")  # handle, flags, descriptor, pad, point
SYNCOBJ_DESTROY_S = struct.Struct("<2I")  # handle, pad
# ext, flags, qos, umq bo, log bo, max_opc, num_tiles, mem_size, doorbell, handle, syncobj
CREATE_HWCTX_S = struct.Struct("<3Q8I")
DESTROY_HWCTX_S = struct.Struct("<2I")  # handle, pad
CONFIG_HWCTX_S = struct.Struct("<2IQ2I")  # handle, param type, value, value bytes, pad
CREATE_BO_S = struct.Struct("<3Q2I")  # flags, table, size, type, handle
GET_BO_INFO_S = struct.Struct("<2Q2I3Q")  # ext, flags, handle, pad, map offset, vaddr, device address
SYNC_BO_S = struct.Struct("<2I2Q")  # handle, direction, offset, size
EXEC_CMD_S = struct.Struct("<2Q2I2Q2IQ")  # ext, flags, context, type, commands, arguments, their counts, seq
GET_INFO_S = struct.Struct("<2IQ")  # param, buffer bytes, buffer
GET_ARRAY_S = struct.Struct("<4IQ")  # param, element bytes, elements, pad, buffer

# Types of buffers.
BO_SHARE, BO_DEV_HEAP, BO_DEV, BO_CMD = 1, 2, 3, 4
# Directions of SYNC_BO.
SYNC_TO_DEVICE, SYNC_FROM_DEVICE = 0, 1
# Parameters of CONFIG_HWCTX.
CONFIG_CU = 0
CU_CONFIG_HEADER_S = struct.Struct("<H3H")  # number, pad
CU_CONFIG_S = struct.Struct("<IB3x")  # bo, function
# Types of EXEC_CMD.
SUBMIT_EXEC_BUF = 0
#: "No address", and "no offset to map".
INVALID_ADDRESS = (1 << 64) - 1

#: Device addresses of the heap, from which instructions and PDIs are read (amdxdna: AIE2_DEVM_BASE and
#: AIE2_DEVM_SIZE).
HEAP_ADDRESS = 0x400_0000
HEAP_BYTES = 64 << 20


class DriverError(Exception):
    """What makes an ioctl fail: the errno a driver gives, and the reason for the log.

    Attributes:
        number: the errno.
        reason: a sentence, or "" for what needs no explanation.
    """

    def __init__(self, number: int, reason: str = "") -> None:
        super().__init__(f"{errno.errorcode.get(number, number)}: {reason}")
        self.number = number
        self.reason = reason
