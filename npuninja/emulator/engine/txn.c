/* The runtime sequence: TXN operations (formats.md section 5; mlir-aie AIETargetNPU.cpp, aie-rt
 * xaie_txn.h). */
#include "checks.h"

enum {
    OP_WRITE32 = 0,
    OP_BLOCKWRITE = 1,
    OP_MASKWRITE = 3,
    OP_MASKPOLL = 4,
    OP_NOOP = 5,
    OP_PREEMPT = 6,
    OP_MASKPOLL_BUSY = 7,
    OP_LOADPDI = 8,
    OP_CREATE_SCRATCHPAD = 10,
    OP_UPDATE_FROM_SCRATCHPAD = 12,
    OP_TCT = 0x80,
    OP_DDR_PATCH = 0x81,
};
#define HEADER_BYTES 16
#define MAX_ARGUMENTS 64
#define TRANSLATED_ARGUMENTS 5
#define WORDS_PER_PUSH 512 /* what a channel may move while the controller makes one push */

Wait txn_wait;
u32 txn_offset, txn_pdi;
static const u8 *stream;
static u32 stream_bytes;
/* Offset of each argument's host buffer from DDR_BASE, written by the host before a run. */
static struct {
    u32 offset, bytes;
} arguments[MAX_ARGUMENTS];
static u32 argument_count;
u32 configuring;
/* Since the sequence's last wait: pushes, and words that channels moved while it wanted room in their
 * queue. */
static u32 pushes, room_wanted;
static u64 words_waited, words_before;
/* Turns that the channels of a tile get before a write, where it changes what they wait for. */
#define ROUNDS_OF_A_WRITE 64
static u32 scratchpad_words;
static u32 tokens_taken; /* of the channels of the sync at txn_offset, bit by bit */

__attribute__((export_name("argument_table"))) u32 argument_table(void) { return (u32)arguments; }

int txn_configuring(void) { return (int)configuring; }
int txn_finished(void) { return txn_offset == stream_bytes; }

void txn_begin(u32 address, u32 bytes, u32 count) {
    stream = (const u8 *)address;
    stream_bytes = bytes;
    argument_count = count;
    txn_offset = bytes > HEADER_BYTES ? HEADER_BYTES : bytes;
    txn_wait.kind = WAIT_NONE;
    tokens_taken = 0;
    scratchpad_words = 0;
    host_begin();
    pushes = room_wanted = 0;
    words_waited = 0;
    /* Tokens that nothing took are gone with their run. */
    for (u32 i = 0; i < CHANNELS; i++) {
        channels[i].tokens = 0;
        check_tokens_lost(i);
    }
}

/* Executes a stream without arguments while the array stands still, also in the middle of another one. 1 when
 * it has to wait for something that cannot happen then. */
int txn_execute(u32 address, u32 bytes) {
    const u8 *outer_stream = stream;
    u32 outer_bytes = stream_bytes, outer_offset = txn_offset, outer_count = argument_count;
    int result;
    stream = (const u8 *)address;
    stream_bytes = bytes;
    txn_offset = HEADER_BYTES;
    argument_count = 0;
    configuring = 1;
    do result = txn_step();
    while (result == TXN_MOVED);
    if (txn_wait.kind == WAIT_QUEUE) fault(FAULT_QUEUE, txn_wait.a, 0, 0, 0, 0, 0);
    txn_wait.kind = WAIT_NONE;
    configuring = 0;
    stream = outer_stream;
    stream_bytes = outer_bytes;
    txn_offset = outer_offset;
    argument_count = outer_count;
    return result != TXN_DONE;
}

static void bad(u32 word) { fault(FAULT_TXN, txn_offset, word, 0, 0, 0, 0); }

static int wait_for(u32 kind, u32 a, u32 b, u32 c) {
    txn_wait = (Wait){kind, a, b, c};
    return TXN_BLOCKED;
}

/* Waits for a task completion token of the channel in each of wide * high tiles. */
static int sync(const u32 *op) {
    u32 direction = op[2] & 255, row = op[2] >> 8 & 255, column = op[2] >> 16 & 255;
    u32 high = op[3] >> 8 & 255, wide = op[3] >> 16 & 255, channel = op[3] >> 24, bit = 0;
    if (direction > 1 || channel > 5 || !high || !wide || high * wide > 32 || column + wide > columns ||
        row + high > rows)
        bad(op[2]);
    for (u32 c = column; c < column + wide; c++)
        for (u32 r = row; r < row + high; r++, bit++) {
            u32 id = tile_number(c, r) * CHANNELS_PER_TILE + 6 * direction + channel;
            if (tokens_taken >> bit & 1) continue;
            if (!channels[id].tokens) return wait_for(WAIT_TOKEN, id, 0, 0);
            channels[id].tokens--;
            check_token_taken(id);
            tokens_taken |= 1u << bit;
        }
    tokens_taken = 0;
    pushes = 0;
    words_waited = 0;
    return TXN_MOVED;
}

/* Puts an argument's address into words 1 and 2 of a shim BD. */
static void patch(const u32 *op) {
    u32 address = op[6], argument = op[8];
    u64 plus = (u64)op[11] << 32 | op[10];
    u32 in_tile = address % TILE_BYTES;
    if (argument >= argument_count) bad(argument);
    if ((address >> ROW_SHIFT & 31) != 0 || in_tile < SHIM_BD || in_tile >= SHIM_BD + BD_STRIDE * SHIM_BDS ||
        in_tile % BD_STRIDE != 4)
        fault(FAULT_NOT_MODELLED, UNMODELLED_PATCH,
              tile_number(address >> COLUMN_SHIFT, address >> ROW_SHIFT & 31), in_tile, argument, 0, 0);
    /* The firmware translates the first arguments only; the stream has done it for the others, or the address
     * is one that the array does not reach. */
    if (argument >= TRANSLATED_ARGUMENTS) {
        if (plus < DDR_AIE_OFFSET)
            fault(FAULT_LATE_ARGUMENT, argument, TRANSLATED_ARGUMENTS, address, 0, 0, 0);
        plus -= DDR_AIE_OFFSET;
    }
    u64 target = DEVICE_DDR + DDR_AIE_OFFSET + arguments[argument].offset + plus;
    write32(address, (u32)target);
    write32(address + 4, (read32(address + 4) & 0xFFFF0000u) | (u32)(target >> 32 & 0xFFFF));
    host_bound(address >> COLUMN_SHIFT, (in_tile - SHIM_BD) / BD_STRIDE, target, target - plus,
               arguments[argument].bytes, argument);
}

/* The scratchpad: what the controller copied from host memory (MLIR-AIE AIEX.td, npu.create_scratchpad). The
 * stream of an emulated run has an argument where XRT puts an address, marked in the upper word: its number
 * in the low byte, and the bytes before it. */
#define SCRATCHPAD_WORDS 32
#define ARGUMENT_MARK 0x80000000u
static u32 scratchpad[SCRATCHPAD_WORDS];

static void create_scratchpad(const u32 *op) {
    u32 argument = op[2] & 255, before = op[2] >> 8, bytes = op[1];
    if (op[0] >> 8 || bytes % 4 || bytes > 4 * SCRATCHPAD_WORDS) bad(op[0] >> 8 ? op[0] : bytes);
    if (op[3] != ARGUMENT_MARK) fault(FAULT_NOT_MODELLED, UNMODELLED_SCRATCHPAD, 0, txn_offset, 0, 0, 0);
    if (argument >= argument_count || (u64)before + bytes > arguments[argument].bytes) bad(argument);
    __builtin_memcpy(scratchpad, (const void *)(DDR_BASE + arguments[argument].offset + before), bytes);
    scratchpad_words = bytes / 4;
}

/* Adds to the 48 bits of address in two words; the two low bits become 0 (AIEX.td,
 * npu.update_from_scratchpad). */
static void update_from_scratchpad(const u32 *op) {
    u32 entry = op[0] >> 8 & 255, function = op[0] >> 16, address = op[2];
    if (entry >= scratchpad_words || function > 2 || address % 4) bad(op[0]);
    u64 value = scratchpad[entry], change;
    change = function == 0 ? value * op[1] : function == 1 ? value + op[1] : value - op[1];
    /* In how many bits the firmware computes is not known. */
    if (change >> 32) fault(FAULT_NOT_MODELLED, UNMODELLED_UPDATE, 0, txn_offset, entry, 0, 0);
    u32 low = read32(address), high = read32(address + 4);
    u64 before = (u64)(high & 0xFFFF) << 32 | (low & ~3u), after = before + change;
    write32(address, (u32)after & ~3u);
    write32(address + 4, (high & 0xFFFF0000u) | (u32)(after >> 32 & 0xFFFF));
    u32 in_tile = address % TILE_BYTES;
    if (!(address >> ROW_SHIFT & 31) && in_tile >= SHIM_BD && in_tile < SHIM_BD + BD_STRIDE * SHIM_BDS &&
        in_tile % BD_STRIDE == 4)
        host_bound_moved(address >> COLUMN_SHIFT, (in_tile - SHIM_BD) / BD_STRIDE, before, after & ~3ull);
}

/* Whether a write goes to a full task queue. On hardware such a push is lost, without a word. Time does not
 * pass here as it does there, so the sequence waits, and counts the words that the channel moves until there
 * is room. A controller needs some time for each push; a channel that has to move more in that time keeps its
 * queue full, and the push is lost. Measured on a Strix: pushes of 2048 words each, without a wait between,
 * are lost from about the seventh on. */
static int queue_full(u32 address, u32 value) {
    int channel = queue_channel(address);
    if (channel < 0 || configuring) return channel >= 0 && channels[channel].queue_count == QUEUE_DEPTH &&
                                           (wait_for(WAIT_QUEUE, (u32)channel, 0, 0), 1);
    u64 moved = room_wanted ? words_waited + channels[channel].words_moved - words_before : words_waited;
    if (channels[channel].queue_count < QUEUE_DEPTH) {
        words_waited = moved;
        room_wanted = 0;
        pushes++;
        return 0;
    }
    if (!room_wanted) words_before = channels[channel].words_moved;
    room_wanted = 1;
    if (moved > (u64)WORDS_PER_PUSH * (pushes + 1))
        fault(FAULT_QUEUE, (u32)channel, value, pushes + 1, 0, 0, 0);
    wait_for(WAIT_QUEUE, (u32)channel, 0, 0);
    return 1;
}

/* Whether a write changes the descriptor of a task that is queued and has not begun. Time does not pass here
 * as it does there: a channel whose tasks are short has begun them before a controller has come as far as the
 * next write (MLIR-AIE's test add_one_ctrl_packet_4_cores works so on NPUs). So the sequence waits, as long
 * as one could expect; a task that stands still then gets the new descriptor, as it would there. */
static int task_not_begun(u32 address) {
    static u32 patience;
    u32 tile = tile_number(address >> COLUMN_SHIFT, address >> ROW_SHIFT & 31),
        in_tile = address % TILE_BYTES;
    int is_bd = !(address >> ROW_SHIFT & 31) && in_tile >= SHIM_BD &&
                in_tile < SHIM_BD + BD_STRIDE * SHIM_BDS;
    for (u32 id = 0; is_bd && !configuring && !schedule && id < CHANNELS_PER_TILE; id++) {
        Channel *c = &channels[tile * CHANNELS_PER_TILE + id];
        for (u32 i = 0; i < c->queue_count; i++) {
            u32 task = c->queue[(c->queue_head + i) % QUEUE_DEPTH];
            if ((task & 15) != (in_tile - SHIM_BD) / BD_STRIDE || patience == ROUNDS_OF_A_WRITE) continue;
            patience++;
            progress++;
            return 1;
        }
    }
    patience = 0;
    return 0;
}

/* Whether the last write let cores use their processor bus: one that waits for it goes on within some cycles,
 * long before a controller has come as far as the next write. */
static int bus_was_switched;
static void written(u32 address) {
    u32 tile = tile_number(address >> COLUMN_SHIFT, address >> ROW_SHIFT & 31);
    bus_was_switched = !configuring && !schedule && tile_kind(tile) == CORE &&
                       address % TILE_BYTES == CORE_PROCESSOR_BUS;
}

/* A poll has seen what it waited for: it is after all that the tile's channels and core did. */
static void polled(u32 address) {
    u32 tile = tile_number(address >> COLUMN_SHIFT, address >> ROW_SHIFT & 31);
    for (u32 i = 0; i < CHANNELS_PER_TILE; i++)
        if (channels[tile * CHANNELS_PER_TILE + i].bds_done) check_polled(tile * CHANNELS_PER_TILE + i);
    if (tile_kind(tile) == CORE) check_polled(ACTOR_CORE + tile);
}

/* One operation, or nothing when it must wait. */
int txn_step(void) {
    const u32 *op = (const u32 *)(stream + txn_offset);
    u32 left = stream_bytes - txn_offset, bytes = 4, code;
    if (bus_was_switched) {
        bus_was_switched = 0;
        progress++;
        return TXN_BLOCKED;
    }
    if (!left) return TXN_DONE;
    if (left < 4) bad(0);
    code = op[0] & 255;
    switch (code) { /* how long it is; where the size is a field, that field */
    case OP_WRITE32: bytes = left < 24 ? 24 : op[5]; break;
    case OP_BLOCKWRITE: bytes = left < 16 ? 16 : op[3]; break;
    case OP_MASKWRITE:
    case OP_MASKPOLL:
    case OP_MASKPOLL_BUSY: bytes = left < 28 ? 28 : op[6]; break;
    case OP_CREATE_SCRATCHPAD:
    case OP_LOADPDI: bytes = 16; break;
    case OP_UPDATE_FROM_SCRATCHPAD: bytes = 12; break;
    case OP_TCT:
    case OP_DDR_PATCH: bytes = left < 8 ? 8 : op[1]; break;
    case OP_NOOP:
    case OP_PREEMPT: break;
    default: fault(FAULT_NOT_MODELLED, UNMODELLED_TXN_OPERATION, 0, txn_offset, op[0], 0, 0);
    }
    u32 least = code == OP_WRITE32 ? 24 : code == OP_DDR_PATCH ? 48 : 4;
    if (code == OP_BLOCKWRITE || code == OP_TCT) least = 16;
    if (code == OP_MASKWRITE || code == OP_MASKPOLL || code == OP_MASKPOLL_BUSY) least = 28;
    if (bytes > left || bytes < least || bytes % 4) bad(op[0]);
    txn_wait.kind = WAIT_NONE;
    int high_address = code == OP_WRITE32 || code == OP_MASKWRITE || code == OP_MASKPOLL ||
                       code == OP_MASKPOLL_BUSY;
    if (high_address && op[3]) bad(op[3]);
    switch (code) {
    case OP_WRITE32:
        if (queue_full(op[2], op[4])) return TXN_BLOCKED;
        write32(op[2], op[4]);
        written(op[2]);
        break;
    case OP_BLOCKWRITE:
        if (task_not_begun(op[2])) return TXN_BLOCKED;
        block_write(op[2], op + 4, (bytes - 16) / 4);
        break;
    case OP_MASKWRITE:
        if (queue_full(op[2], op[4])) return TXN_BLOCKED;
        write32(op[2], (read32(op[2]) & ~op[5]) | (op[4] & op[5]));
        written(op[2]);
        break;
    case OP_MASKPOLL:
    case OP_MASKPOLL_BUSY:
        if ((read32(op[2]) & op[5]) != op[4]) return wait_for(WAIT_POLL, op[2], op[5], op[4]);
        if (checks) polled(op[2]);
        break;
    case OP_LOADPDI:
        txn_pdi = op[0] >> 16;
        txn_offset += bytes;
        return TXN_LOAD_PDI;
    case OP_TCT:
        if (sync(op) == TXN_BLOCKED) return TXN_BLOCKED;
        break;
    case OP_DDR_PATCH: patch(op); break;
    case OP_CREATE_SCRATCHPAD: create_scratchpad(op); break;
    case OP_UPDATE_FROM_SCRATCHPAD: update_from_scratchpad(op); break;
    default: break;
    }
    if (!configuring) log_event(LOG_TXN, ACTOR_TXN, txn_offset, code);
    progress++;
    txn_offset += bytes;
    return TXN_MOVED;
}
