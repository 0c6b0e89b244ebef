/* Buffer descriptors: from register words to addresses, and the walk along the dimensions.
 * Field positions: AM025, {MEMORY,MEM_TILE,NOC}_MODULE_DMA_BDn_m. */
#include "checks.h"

u32 walker;

static inline u32 bits(u32 word, int high, int low) { return word >> low & ((2u << (high - low)) - 1); }
static inline i32 signed7(u32 value) { return (i32)(value << 25) >> 25; }

static _Noreturn void bad(u32 channel, u32 number, BadBd why, u32 a, u32 b) {
    fault(FAULT_BD, channel, number, why, a, b, 0);
}

/* The tile a memtile's DMA sees in window 0 west, 1 own, 2 east. A Phoenix has a column in front of the first
 * one of a partition. MLIR-AIE lets tasks of memory tiles use that window for their own buffers there and its
 * tests pass on hardware, so what goes in comes out again; whose memory holds it between is not known. */
static u32 window_tile(u32 channel, u32 number, u32 window, BadBd why, u32 detail) {
    u32 tile = channel_tile(channel), column = tile_column(tile);
    if (window == 1) return tile;
    if (window > 2 || channel_index(channel) >= MEM_FIRST_OWN_CHANNEL)
        bad(channel, number, why, detail, window);
    if (window == 0 && column == 0 && west_column && why == BAD_BD_WINDOW) return tile;
    if (window == 0 ? column == 0 : column + 1 >= columns) bad(channel, number, why, detail, window);
    return window == 0 ? tile - ROWS_PER_COLUMN : tile + ROWS_PER_COLUMN;
}

static u16 lock_index(u32 channel, u32 number, u32 id) {
    u32 tile = channel_tile(channel);
    if (tile_kind(tile) == MEM) tile = window_tile(channel, number, id >> 6, BAD_BD_LOCK, id), id &= 63;
    return (u16)(LOCKS_PER_TILE * tile + id);
}

static void decode_core(const u32 *w, Bd *bd) {
    bd->length = bits(w[0], 13, 0);
    bd->packet = (u8)bits(w[1], 30, 30);
    bd->packet_id = (u8)bits(w[1], 23, 19);
    bd->packet_type = (u8)bits(w[1], 18, 16);
    bd->step[0] = bits(w[2], 12, 0) + 1;
    bd->step[1] = bits(w[2], 25, 13) + 1;
    bd->step[2] = bits(w[3], 12, 0) + 1;
    bd->wrap[0] = bits(w[3], 20, 13);
    bd->wrap[1] = bits(w[3], 28, 21);
    bd->iteration_step = bits(w[4], 12, 0) + 1;
    bd->iteration_wrap = bits(w[4], 18, 13);
    bd->iteration_current = bits(w[4], 24, 19);
}

static void decode_shim(const u32 *w, Bd *bd) {
    bd->length = w[0];
    bd->packet = (u8)bits(w[2], 30, 30);
    bd->packet_id = (u8)bits(w[2], 23, 19);
    bd->packet_type = (u8)bits(w[2], 18, 16);
    bd->step[0] = bits(w[3], 19, 0) + 1;
    bd->wrap[0] = bits(w[3], 29, 20);
    bd->step[1] = bits(w[4], 19, 0) + 1;
    bd->wrap[1] = bits(w[4], 29, 20);
    bd->step[2] = bits(w[5], 19, 0) + 1;
    bd->iteration_step = bits(w[6], 19, 0) + 1;
    bd->iteration_wrap = bits(w[6], 25, 20);
    bd->iteration_current = bits(w[6], 31, 26);
}

static void decode_mem(const u32 *w, Bd *bd) {
    bd->length = bits(w[0], 16, 0);
    bd->packet = (u8)bits(w[0], 31, 31);
    bd->packet_type = (u8)bits(w[0], 30, 28);
    bd->packet_id = (u8)bits(w[0], 27, 23);
    bd->step[0] = bits(w[2], 16, 0) + 1;
    bd->wrap[0] = bits(w[2], 26, 17);
    bd->step[1] = bits(w[3], 16, 0) + 1;
    bd->wrap[1] = bits(w[3], 26, 17);
    bd->step[2] = bits(w[4], 16, 0) + 1;
    bd->wrap[2] = bits(w[4], 26, 17);
    bd->step[3] = bits(w[5], 16, 0) + 1;
    bd->before[0] = bits(w[1], 31, 26);
    bd->before[1] = bits(w[3], 31, 27);
    bd->before[2] = bits(w[4], 30, 27);
    bd->after[0] = bits(w[5], 22, 17);
    bd->after[1] = bits(w[5], 27, 23);
    bd->after[2] = bits(w[5], 31, 28);
    bd->iteration_step = bits(w[6], 16, 0) + 1;
    bd->iteration_wrap = bits(w[6], 22, 17);
    bd->iteration_current = bits(w[6], 28, 23);
}

/* Compute and shim: word 5 and 7 of the BD are alike. */
static void decode_control(u32 w, Bd *bd, u32 *acquire_id, u32 *release_id) {
    bd->tlast = !bits(w, 31, 31);
    bd->next = (u8)bits(w, 30, 27);
    bd->use_next = (u8)bits(w, 26, 26);
    bd->release_value = signed7(bits(w, 24, 18));
    *release_id = bits(w, 16, 13);
    bd->acquire = (u8)bits(w, 12, 12);
    bd->acquire_value = signed7(bits(w, 11, 5));
    *acquire_id = bits(w, 3, 0);
}

/* Rows that follow each other without a gap are one row: long runs move at the speed of a block copy. */
static void merge_rows(Bd *bd) {
    while (bd->wrap[0] && bd->step[0] == 1 && bd->step[1] == bd->wrap[0]) {
        u32 rows = bd->wrap[1];
        bd->wrap[0] = rows ? bd->wrap[0] * rows : 0;
        if (!rows) break;
        bd->wrap[1] = bd->wrap[2];
        bd->wrap[2] = 0;
        bd->step[1] = bd->step[2];
        bd->step[2] = bd->step[3];
    }
}

static void check_tile_memory(u32 channel, u32 number, const Bd *bd, u32 first, u32 bytes) {
    i64 last;
    walk_extent(bd, &last);
    i64 end = (i64)first + 4 * last + 4;
    if (end > bytes)
        bad(channel, number, BAD_BD_MEMORY, first, (u32)(end - 1 > 0xFFFFFFFFll ? 0xFFFFFFFFll : end - 1));
}

/* Host buffers of this emulator: offset from DDR_BASE and bytes, set by the host. */
#define MAX_BUFFERS 4096
static struct {
    u32 offset, bytes;
} buffers[MAX_BUFFERS];
static u32 buffer_count;

__attribute__((export_name("add_host_buffer"))) i32 add_host_buffer(u32 offset, u32 bytes) {
    for (u32 i = 0; i < buffer_count; i++)
        if (!buffers[i].bytes) {
            buffers[i].offset = offset;
            buffers[i].bytes = bytes;
            return (i32)i;
        }
    if (buffer_count == MAX_BUFFERS) return -1;
    buffers[buffer_count].offset = offset;
    buffers[buffer_count].bytes = bytes;
    return (i32)buffer_count++;
}

__attribute__((export_name("remove_host_buffer"))) void remove_host_buffer(u32 index) {
    buffers[index].bytes = 0;
}

/* The argument whose address a shim BD holds since the last patch, while the BD has the address that was
 * patched in. */
static struct {
    u64 address, first;
    u32 bytes, argument;
} bounds[MOST_COLUMNS][SHIM_BDS];

void host_bound(u32 column, u32 number, u64 address, u64 first, u32 bytes, u32 argument) {
    bounds[column][number].address = address;
    bounds[column][number].first = first;
    bounds[column][number].bytes = bytes;
    bounds[column][number].argument = argument;
}

/* A descriptor's address was moved: it is still one of the same argument. */
void host_bound_moved(u32 column, u32 number, u64 before, u64 after) {
    if (bounds[column][number].address == before) bounds[column][number].address = after;
}

/* A driver gives whole pages, so what a transfer does after a buffer's end, in its last page, does no harm
 * there. */
static u32 page_bytes = 1;
static struct {
    u32 channel, number, argument, bytes;
} beyond; /* the first such transfer of a run; bytes 0: none */

__attribute__((export_name("set_host_page"))) void set_host_page(u32 bytes) { page_bytes = bytes; }
__attribute__((export_name("host_beyond"))) u32 host_beyond(void) { return (u32)&beyond; }
void host_begin(void) { beyond.bytes = 0; }
static u64 page_end(u64 address) { return (address + page_bytes - 1) / page_bytes * page_bytes; }

/* The address in linear memory of a shim BD's first word; every word must lie in one host buffer, and in that
 * of the argument whose address it was given: on an NPU the bytes after it are those of another buffer. */
static u32 host_address(u32 channel, u32 number, const Bd *bd, u64 address) {
    i64 last;
    walk_extent(bd, &last);
    u64 start = address + 4 * (u64)bd->iteration_current * bd->iteration_step;
    u64 bytes = 4 * (u64)last + 4;
    u64 offset = start - DDR_AIE_OFFSET - DEVICE_DDR;
    u32 column = tile_column(channel_tile(channel)), argument = 0, inside = 1;
    if (bounds[column][number].address == address && address) {
        u64 first = bounds[column][number].first;
        argument = bounds[column][number].argument + 1;
        u64 end = first + bounds[column][number].bytes;
        inside = start >= first && start + bytes <= page_end(end);
        if (inside && start + bytes > end && !beyond.bytes) {
            beyond.channel = channel;
            beyond.number = number;
            beyond.argument = argument - 1;
            beyond.bytes = (u32)(start + bytes - end);
        }
    }
    for (u32 i = 0; inside && i < buffer_count; i++)
        if (offset >= buffers[i].offset &&
            offset + bytes <= page_end((u64)buffers[i].offset + buffers[i].bytes))
            return DDR_BASE + (u32)(address - DDR_AIE_OFFSET - DEVICE_DDR);
    fault(FAULT_HOST_OVERRUN, channel, number, (u32)start, (u32)(start >> 32), (u32)bytes,
          (u32)(bytes >> 32) | argument << 16);
}

/* Reads buffer descriptor `number` for a channel. Faults when the channel may not use it, when it is not
 * valid, or when it reaches memory or locks that are not there. Advances the BD's iteration counter
 * ("incremented after BD loaded"). */
void bd_load(u32 channel, u32 number, Bd *bd) {
    u32 tile = channel_tile(channel), acquire_id, release_id, valid;
    int kind = tile_kind(tile);
    u32 *words = (u32 *)(tile_base(tile) + (kind == MEM ? MEM_BD : CORE_BD) + BD_STRIDE * number);
    __builtin_memset(bd, 0, sizeof *bd);
    if (kind == MEM) {
        if (number >= MEM_BDS || (number >= MEM_BDS_PER_PARITY) != (channel_index(channel) & 1))
            bad(channel, number, BAD_BD_CHANNEL, 0, 0);
        decode_mem(words, bd);
        valid = bits(words[7], 31, 31);
        bd->tlast = !bits(words[2], 31, 31);
        bd->next = (u8)bits(words[1], 25, 20);
        bd->use_next = (u8)bits(words[1], 19, 19);
        bd->release_value = signed7(bits(words[7], 30, 24));
        release_id = bits(words[7], 23, 16);
        bd->acquire = (u8)bits(words[7], 15, 15);
        bd->acquire_value = signed7(bits(words[7], 14, 8));
        acquire_id = bits(words[7], 7, 0);
        bd->padded = channel_is_mm2s(channel) && (bd->before[0] | bd->before[1] | bd->before[2] |
                                                  bd->after[0] | bd->after[1] | bd->after[2]);
    } else {
        u32 control = words[kind == CORE ? 5 : 7];
        if (kind == CORE)
            decode_core(words, bd);
        else
            decode_shim(words, bd);
        valid = bits(control, 25, 25);
        decode_control(control, bd, &acquire_id, &release_id);
    }
    if (!valid) bad(channel, number, BAD_BD_INVALID, 0, 0);
    u32 compressed = kind == CORE ? words[1] >> 31 : kind == MEM ? words[4] >> 31 : 0;
    u32 s2mm = kind == CORE ? CORE_S2MM_CONTROL : kind == MEM ? MEM_S2MM_CONTROL : SHIM_S2MM_CONTROL;
    u32 mm2s = kind == CORE ? CORE_MM2S_CONTROL : kind == MEM ? MEM_MM2S_CONTROL : SHIM_MM2S_CONTROL;
    u32 control_register = channel_is_mm2s(channel) ? mm2s : s2mm;
    control_register += CHANNEL_STRIDE * channel_index(channel);
    bd->compressed = compressed && REG(tile, control_register) & 0x10;
    if (bd->compressed && (!compression_known || bd->length % GROUP_WORDS))
        fault(FAULT_NOT_MODELLED, UNMODELLED_COMPRESSION, tile, control_register, number, 0, 0);
    if (bd->acquire) bd->acquire_lock = lock_index(channel, number, acquire_id);
    if (bd->release_value) bd->release_lock = lock_index(channel, number, release_id);

    if (!bd->padded) {
        __builtin_memset(bd->before, 0, sizeof bd->before);
        __builtin_memset(bd->after, 0, sizeof bd->after);
        merge_rows(bd);
    }
    u32 offset = 4 * bd->iteration_current * bd->iteration_step;
    if (kind == SHIM) {
        u64 address = (u64)bits(words[2], 15, 0) << 32 | (words[1] & ~3u);
        if (bd->length) bd->base = host_address(channel, number, bd, address);
    } else if (kind == CORE) {
        u32 first = 4 * bits(words[0], 27, 14);
        if (bd->length) check_tile_memory(channel, number, bd, first + offset, CORE_MEMORY_BYTES);
        bd->base = tile_base(tile) + first;
    } else {
        u32 first = 4 * bits(words[1], 18, 0);
        u32 owner = window_tile(channel, number, first / MEM_MEMORY_BYTES, BAD_BD_WINDOW, first);
        first %= MEM_MEMORY_BYTES;
        if (bd->length) check_tile_memory(channel, number, bd, first + offset, MEM_MEMORY_BYTES);
        bd->base = tile_base(owner) + first;
    }
    bd->base += offset;

    u32 current = bd->iteration_current == bd->iteration_wrap ? 0 : bd->iteration_current + 1;
    if (kind == CORE)
        words[4] = (words[4] & ~(63u << 19)) | current << 19;
    else if (kind == MEM)
        words[6] = (words[6] & ~(63u << 23)) | current << 23;
    else
        words[6] = (words[6] & ~(63u << 26)) | current << 26;
}

/* Padding in front of the row at `walk`: the columns before it, and whole rows and blocks when it is the
 * first of them. A row of the padding is as long as a padded row (AM025: D1 counts D0 wraps, D2 counts D1
 * wraps). */
static u32 zeros_before(const Walk *walk, const Bd *bd) {
    u32 row = bd->before[0] + bd->wrap[0] + bd->after[0];
    u32 block = row * (bd->before[1] + bd->wrap[1] + bd->after[1]);
    u32 zeros = bd->before[0];
    if (walk->index[0] == 0) zeros += bd->before[1] * row;
    if (walk->index[0] == 0 && walk->index[1] == 0) zeros += bd->before[2] * block;
    return zeros;
}

void walk_start(Walk *walk, const Bd *bd) {
    walk->left = bd->length;
    walk->at = walk->start[0] = walk->start[1] = walk->start[2] = bd->base;
    walk->index[0] = walk->index[1] = 0;
    walk->zeros = bd->padded ? zeros_before(walk, bd) : 0;
    walk->row_left = bd->wrap[0] ? bd->wrap[0] : 0xFFFFFFFFu;
    if (walk->row_left > walk->left) walk->row_left = walk->left;
}

/* The current row is done: goes to the next one, block by block, and counts the padding between. */
void walk_next_row(Walk *walk, const Bd *bd) {
    u32 row = bd->before[0] + bd->wrap[0] + bd->after[0];
    u32 zeros = bd->after[0];
    if (bd->wrap[1] == 0 || ++walk->index[0] < bd->wrap[1]) {
        if (bd->wrap[1] == 0) walk->index[0] = 1; /* rows without end: never the first again */
        walk->start[0] += 4 * bd->step[1];
    } else {
        zeros += bd->after[1] * row;
        walk->index[0] = 0;
        if (bd->wrap[2] == 0 || ++walk->index[1] < bd->wrap[2]) {
            if (bd->wrap[2] == 0) walk->index[1] = 1;
            walk->start[1] += 4 * bd->step[2];
        } else {
            zeros += bd->after[2] * row * (bd->before[1] + bd->wrap[1] + bd->after[1]);
            walk->index[1] = 0;
            walk->start[2] += 4 * bd->step[3];
            walk->start[1] = walk->start[2];
        }
        walk->start[0] = walk->start[1];
    }
    walk->at = walk->start[0];
    walk->row_left = bd->wrap[0];
    if (bd->padded) walk->zeros = zeros + zeros_before(walk, bd);
    if (walk->row_left > walk->left) walk->row_left = walk->left;
}

/* Takes `words` words of the stream; the caller has seen that they are left and that no padding comes
 * next. */
void walk_read(Walk *walk, const Bd *bd, u32 *to, u32 words) {
    while (words) {
        u32 n = walk->row_left < words ? walk->row_left : words, step = bd->step[0];
        const u32 *from = (const u32 *)walk->at;
        if (checks) check_words(walker, walk->at, step, n, 0, channels[walker].bd_number);
        if (step == 1 && n > 8)
            __builtin_memcpy(to, from, 4 * n);
        else
            for (u32 i = 0; i < n; i++) to[i] = from[i * step];
        to += n;
        words -= n;
        walk_advance(walk, bd, n);
    }
}

void walk_write(Walk *walk, const Bd *bd, const u32 *from, u32 words) {
    while (words) {
        u32 n = walk->row_left < words ? walk->row_left : words, step = bd->step[0];
        u32 *to = (u32 *)walk->at;
        if (checks) check_words(walker, walk->at, step, n, 1, channels[walker].bd_number);
        if (step == 1 && n > 8)
            __builtin_memmove(to, from, 4 * n);
        else
            for (u32 i = 0; i < n; i++) to[i * step] = from[i];
        from += n;
        words -= n;
        walk_advance(walk, bd, n);
    }
}

/* The largest word offset from the base that `words` words reach, along dimensions 0 to `top`. */
static i64 extent(const Bd *bd, u64 words, int top) {
    if (top == 0) return (i64)(words - 1) * bd->step[0];
    u64 inner = 1; /* words of one step along `top` */
    for (int i = 0; i < top; i++) inner *= bd->wrap[i];
    u64 steps = (words + inner - 1) / inner;
    i64 last = (i64)(steps - 1) * bd->step[top] + extent(bd, words - (steps - 1) * inner, top - 1);
    i64 full = steps > 1 ? (i64)(steps - 2) * bd->step[top] + extent(bd, inner, top - 1) : 0;
    return last > full ? last : full;
}

/* Words of data among the `length` words of a padded stream. */
static u32 data_words(const Bd *bd) {
    Bd copy = *bd;
    Walk walk;
    u32 data = 0;
    copy.base = 0;
    walk_start(&walk, &copy);
    for (;;) {
        u32 zeros = walk.zeros < walk.left ? walk.zeros : walk.left;
        walk.left -= zeros;
        walk.zeros = 0;
        if (!walk.left) return data;
        u32 n = copy.wrap[0] && copy.wrap[0] < walk.left ? copy.wrap[0] : walk.left;
        data += n;
        walk.row_left = n;
        walk_advance(&walk, &copy, n);
    }
}

void walk_extent(const Bd *bd, i64 *last) {
    int top = 0;
    while (top < 3 && bd->wrap[top]) top++;
    u32 words = bd->padded ? data_words(bd) : bd->length;
    *last = words ? extent(bd, words, top) : 0;
}
