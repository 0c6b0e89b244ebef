/* The register interface: what a write to an address of the array does, and locks. */
#include "checks.h"

Fault fault_record;
u32 columns, rows;
u8 row_kinds[ROWS_PER_COLUMN];
u32 west_column; /* whether there is a column in front of the first one */

/* Records the first fault and leaves the engine by a trap; the host reads the record. */
_Noreturn void fault(u32 kind, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f) {
    fault_record = (Fault){kind, {a, b, c, d, e, f, 0}};
    __builtin_trap();
}

/* Adds to a lock. The value has 6 bits; arithmetic beyond -64..63 sets the hardware's overflow bits, here it
 * is a fault. */
void lock_change(u32 actor, u32 index, i32 change) {
    i32 value = LOCK(index);
    if (value + change > LOCK_MAX || value + change < LOCK_MIN)
        fault(FAULT_LOCK, actor, index, (u32)value, (u32)change, 0, 0);
    check_lock_change(actor, index, change);
    LOCK(index) = value + change;
}

/* The tile of an address, or a fault when the device has none there. */
static u32 tile_of(u32 address) {
    u32 column = address >> COLUMN_SHIFT, row = address >> ROW_SHIFT & 31;
    if (column >= columns || row >= rows) fault(FAULT_ADDRESS, address, 0, 0, 0, 0, 0);
    return tile_number(column, row);
}

typedef struct {
    u32 memory, s2mm, mm2s, s2mm_status, mm2s_status, channel_count, locks, lock_count, lock_request, masters;
} Map;
static const Map maps[] = {
    [SHIM] = {0, SHIM_S2MM_CONTROL, SHIM_MM2S_CONTROL, SHIM_S2MM_STATUS, SHIM_MM2S_STATUS, SHIM_CHANNELS,
              SHIM_LOCK_VALUE, SHIM_LOCKS, SHIM_LOCK_REQUEST, SHIM_SWITCH_MASTERS},
    [MEM] = {MEM_MEMORY_BYTES, MEM_S2MM_CONTROL, MEM_MM2S_CONTROL, MEM_S2MM_STATUS, MEM_MM2S_STATUS,
             MEM_CHANNELS, MEM_LOCK_VALUE, MEM_LOCKS, MEM_LOCK_REQUEST, MEM_SWITCH_MASTERS},
    [CORE] = {CORE_MEMORY_BYTES, CORE_S2MM_CONTROL, CORE_MM2S_CONTROL, CORE_S2MM_STATUS, CORE_MM2S_STATUS,
              CORE_CHANNELS, CORE_LOCK_VALUE, CORE_LOCKS, CORE_LOCK_REQUEST, CORE_SWITCH_MASTERS},
};

/* The channel whose control (`part` 0) or queue (`part` 4) register is at `offset`, or -1. */
static int channel_at(u32 tile, u32 offset, u32 part) {
    const Map *map = &maps[tile_kind(tile)];
    u32 bytes = CHANNEL_STRIDE * map->channel_count;
    if (offset - map->s2mm < bytes && (offset - map->s2mm) % CHANNEL_STRIDE == part)
        return (int)(tile * CHANNELS_PER_TILE + (offset - map->s2mm) / CHANNEL_STRIDE);
    if (offset - map->mm2s < bytes && (offset - map->mm2s) % CHANNEL_STRIDE == part)
        return (int)(tile * CHANNELS_PER_TILE + 6 + (offset - map->mm2s) / CHANNEL_STRIDE);
    return -1;
}

/* The channel whose start queue is at `address`, or -1. */
int queue_channel(u32 address) { return channel_at(tile_of(address), address % TILE_BYTES, 4); }

static void not_modelled(Unmodelled what, u32 tile, u32 offset, u32 value) {
    fault(FAULT_NOT_MODELLED, what, tile, offset, value, 0, 0);
}

u32 read32(u32 address) {
    u32 tile = tile_of(address), offset = address % TILE_BYTES & ~3u;
    const Map *map = &maps[tile_kind(tile)];
    if (offset < map->memory) return REG(tile, offset);
    if (offset - map->locks < LOCK_STRIDE * map->lock_count && offset % LOCK_STRIDE == 0)
        return (u32)LOCK(LOCKS_PER_TILE * tile + (offset - map->locks) / LOCK_STRIDE) & 0x7F;
    if (offset - map->s2mm_status < 4 * map->channel_count)
        return channel_status(tile * CHANNELS_PER_TILE + (offset - map->s2mm_status) / 4);
    if (offset - map->mm2s_status < 4 * map->channel_count)
        return channel_status(tile * CHANNELS_PER_TILE + 6 + (offset - map->mm2s_status) / 4);
    if (offset - map->lock_request < 0x400 * map->lock_count) {
        /* base + lock * 0x400 + (acquire ? 0x200 : 0) + ((value & 0x7F) << 2) (aie-rt xaie_locks_aieml.c) */
        u32 request = offset - map->lock_request, lock = LOCKS_PER_TILE * tile + request / 0x400;
        i32 value = (i32)(request << 23) >> 25;
        if (!(request & 0x200)) {
            lock_change(ACTOR_TXN, lock, value);
            return 1;
        }
        if (!lock_ready(lock, value)) return 0;
        if (value < 0)
            lock_change(ACTOR_TXN, lock, value);
        else
            check_lock_exact(ACTOR_TXN, lock);
        return 1;
    }
    return REG(tile, offset);
}

/* The sequence or a configuration wrote words of a data memory. */
static void configured(u32 address, u32 words) {
    if (!txn_configuring() && current_actor < ACTOR_CORE) /* by a control packet that it sends */
        check_words(current_actor, address, 1, words, 1, channels[current_actor].bd_number);
    else if (txn_configuring() || current_actor != ACTOR_TXN)
        check_filled(address, 4 * words);
    else
        check_words(ACTOR_TXN, address, 1, words, 1, txn_offset);
}

static void write_core(u32 tile, u32 offset, u32 value) {
    switch (offset) {
    case CORE_CONTROL:
        core_control(tile, value);
        break;
    case CORE_MEMORY_CONTROL:
        if (value & 1) {
            __builtin_memset((void *)tile_base(tile), 0, CORE_MEMORY_BYTES);
            if (checks) check_filled(tile_base(tile), CORE_MEMORY_BYTES);
        }
        break;
    case CORE_DEBUG_CONTROL0:
    case CORE_MERGE_CONTROL + 8:
    case CORE_MERGE_CONTROL + 0x18:
        if (value & 1) not_modelled(UNMODELLED_REGISTER, tile, offset, value);
        break;
    default: break;
    }
}

void write32(u32 address, u32 value) {
    u32 tile = tile_of(address), offset = address % TILE_BYTES & ~3u;
    const Map *map = &maps[tile_kind(tile)];
    if (offset < map->memory) {
        REG(tile, offset) = value;
        if (checks) configured(tile_base(tile) + offset, 1);
        return;
    }
    if (offset - map->locks < LOCK_STRIDE * map->lock_count && offset % LOCK_STRIDE == 0) {
        check_lock_set(LOCKS_PER_TILE * tile + (offset - map->locks) / LOCK_STRIDE, value & 63);
        lock_set_again(LOCKS_PER_TILE * tile + (offset - map->locks) / LOCK_STRIDE, (i32)(value & 63));
        LOCK(LOCKS_PER_TILE * tile + (offset - map->locks) / LOCK_STRIDE) = (i32)(value & 63);
        return;
    }
    int channel = channel_at(tile, offset, 4);
    if (channel >= 0) {
        channel_push((u32)channel, value);
        return;
    }
    REG(tile, offset) = value;
    if (checks) {
        int kind = tile_kind(tile);
        u32 bds = kind == MEM ? MEM_BD : CORE_BD;
        if (offset - bds < BD_STRIDE * (kind == MEM ? MEM_BDS : CORE_BDS))
            check_bd_written(tile, (offset - bds) / BD_STRIDE);
    }
    channel = channel_at(tile, offset, 0);
    if (channel >= 0) channel_control((u32)channel, value);
    if (offset - map->masters < SWITCH_END ||
        (tile_kind(tile) == SHIM && (offset == SHIM_MUX || offset == SHIM_DEMUX)))
        switch_epoch++;
    if (offset - map->lock_request < 0x400 * map->lock_count)
        not_modelled(UNMODELLED_LOCK_REQUEST, tile, offset, value);
    if (tile_kind(tile) == CORE) {
        if (offset - CORE_PROGRAM < CORE_PROGRAM_BYTES) core_program_written(tile, offset, value);
        write_core(tile, offset, value);
    }
}

/* Consecutive words; memory takes them as one block. */
void block_write(u32 address, const u32 *data, u32 words) {
    u32 tile = tile_of(address), offset = address % TILE_BYTES, bytes = 4 * words;
    int program = tile_kind(tile) == CORE && offset >= CORE_PROGRAM &&
                  offset + bytes <= CORE_PROGRAM + CORE_PROGRAM_BYTES;
    if (program) core_program_written(tile, offset, *data);
    if (words < TILE_BYTES / 4 && (program || offset + bytes <= maps[tile_kind(tile)].memory)) {
        __builtin_memcpy((void *)(tile_base(tile) + offset), data, bytes);
        if (checks && !program) configured(tile_base(tile) + offset, words);
        return;
    }
    for (u32 i = 0; i < words; i++) write32(address + 4 * i, data[i]);
}

/* --- What the host calls while it loads a configuration. */
#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("read32") u32 host_read32(u32 address) { return read32(address); }
EXPORT("write32") void host_write32(u32 address, u32 value) {
    u32 before = current_actor;
    current_actor = NOBODY; /* between runs, so behind and before everything */
    write32(address, value);
    current_actor = before;
}
static void clear(u32 tile, u32 offset, u32 bytes) {
    __builtin_memset((void *)(tile_base(tile) + offset), 0, bytes);
}

/* The state after a reset: nothing configured, cores in reset, locks zero. Data memory is left as it is.
 * `kinds` has two bits for each row, from the bottom on: what its tiles are, plus one; 0 where no row is. */
EXPORT("reset_array") void reset_array(u32 device_columns, u32 kinds, u32 has_west_column) {
    columns = device_columns;
    rows = 0;
    for (; rows < ROWS_PER_COLUMN && kinds & 3; kinds >>= 2) row_kinds[rows++] = (u8)((kinds & 3) - 1);
    west_column = has_west_column;
    compression_known = 0; /* until a sequence says for which family it is */
    number_words();
    stream_reset();
    dma_reset();
    core_streams_reset();
    __builtin_memset((void *)LOCK_PLANE, 0, 4 * LOCKS_PER_TILE * TILES);
    for (u32 tile = 0; tile < ROWS_PER_COLUMN * columns; tile++) {
        if (!tile_exists(tile)) continue;
        int kind = tile_kind(tile);
        clear(tile, kind == MEM ? MEM_BD : CORE_BD, 0x1000); /* BDs and channels */
        clear(tile, maps[kind].masters, SWITCH_END);
        if (kind == SHIM) clear(tile, SHIM_MUX, 8);
        if (kind != CORE) continue;
        clear(tile, CORE_CONTROL, 8);
        clear(tile, CORE_ACCUMULATOR_CONTROL, 4);
        clear(tile, CORE_PROGRAM, CORE_PROGRAM_BYTES);
        REG(tile, CORE_CONTROL) = 2; /* in reset (AM025: reset value of Core_Control) */
    }
}
