/* The kernel's interface of the amdxdna driver, as far as this library looks into it: which ioctls have
 * pointers in their structure. Source of numbers and layouts: include/uapi/drm/amdxdna_accel.h and drm.h of
 * Linux. */
#ifndef NPUNINJA_AMDXDNA_H
#define NPUNINJA_AMDXDNA_H

#include <stdint.h>

#define DRM_TYPE 'd'

enum {
    NR_PRIME_HANDLE_TO_FD = 0x2d,
    NR_PRIME_FD_TO_HANDLE = 0x2e,
    NR_CREATE_HWCTX = 0x40,
    NR_CONFIG_HWCTX = 0x42,
    NR_CREATE_BO = 0x43,
    NR_GET_BO_INFO = 0x44,
    NR_EXEC_CMD = 0x46,
    NR_GET_INFO = 0x47,
    NR_SET_STATE = 0x48,
    NR_WAIT_CMD = 0x49,
    NR_GET_ARRAY = 0x4a,
    NR_SYNCOBJ_HANDLE_TO_FD = 0xc1,
    NR_SYNCOBJ_FD_TO_HANDLE = 0xc2,
    NR_SYNCOBJ_TIMELINE_WAIT = 0xca,
    NR_SYNCOBJ_TIMELINE_SIGNAL = 0xcd,
};

struct prime_handle {
    uint32_t handle, flags;
    int32_t fd;
};

struct create_hwctx {
    uint64_t ext, ext_flags, qos_pointer;
    uint32_t umq_bo, log_bo, max_opc, num_tiles, mem_size, doorbell, handle, syncobj;
};
#define QOS_BYTES 24u

struct config_hwctx {
    uint32_t handle, param_type;
    uint64_t value_pointer;
    uint32_t value_bytes, pad;
};

struct create_bo {
    uint64_t flags, table_pointer, size;
    uint32_t type, handle;
};
/* What table_pointer leads to: { int32_t dmabuf_fd; uint32_t entries; { uint64_t address, bytes; }[] } */
struct address_table {
    int32_t dmabuf_fd;
    uint32_t entries;
};
struct address_entry {
    uint64_t address, bytes;
};

struct get_bo_info {
    uint64_t ext, ext_flags;
    uint32_t handle, pad;
    uint64_t map_offset, address, device_address;
};

struct exec_cmd {
    uint64_t ext, ext_flags;
    uint32_t hwctx, type;
    uint64_t commands_pointer, arguments_pointer;
    uint32_t commands, arguments;
    uint64_t seq;
};

struct wait_cmd {
    uint32_t hwctx, timeout_ms;
    uint64_t seq;
};

struct get_info {
    uint32_t param, bytes;
    uint64_t pointer;
};

struct get_array {
    uint32_t param, element_bytes, elements, pad;
    uint64_t pointer;
};

struct syncobj_handle {
    uint32_t handle, flags;
    int32_t fd;
    uint32_t pad;
    uint64_t point;
};

struct timeline_array {
    uint64_t handles_pointer, points_pointer;
    uint32_t handles, flags;
};

struct timeline_wait {
    uint64_t handles_pointer, points_pointer;
    int64_t timeout_ns; /* of CLOCK_MONOTONIC, absolute */
    uint32_t handles, flags, first_signaled, pad;
    uint64_t deadline_ns;
};

#endif
