/* The emulated array: types and state shared by the engine's files.
 *
 * The engine is freestanding C for wasm32. Its linear memory is the array: tile (column, row) lies at
 * ARRAY_BASE + TILE_BYTES * its number, registers and data memory at their own offsets. The host maps the
 * tiles' data memories, the lock plane and host DDR there, so that cores (other wasm instances) see the same
 * bytes. What is not modelled is plain storage if it has no effect on data, and a fault otherwise. */
#ifndef NPUNINJA_ENGINE_H
#define NPUNINJA_ENGINE_H

#include "registers.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;

/* --- Layout of linear memory. layout() in scheduler.c tells the host, which
 * refuses to run with another idea of it. */
#define LOCK_PLANE 0x03FF0000u
#define ARRAY_BASE 0x04000000u
#define CHECK_BASE 0x08000000u /* what checked runs remember (checks.c) */
#define DDR_BASE 0x10000000u
/* A device address of host memory is DEVICE_DDR + offset; BDs hold DDR_AIE_OFFSET more (XRT
 * elf_patcher.cpp). */
#define DEVICE_DDR 0x100000000ull
#define DDR_AIE_OFFSET 0x80000000ull

/* --- Numbers of things. A tile is ROWS_PER_COLUMN * column + row; a lock is LOCKS_PER_TILE * tile + id, as
 * in the cores' lock plane. */
#define ROWS_PER_COLUMN 8
#define MOST_COLUMNS 8
#define TILES (MOST_COLUMNS * ROWS_PER_COLUMN)
#define LOCKS_PER_TILE 64
#define CHANNELS_PER_TILE 12 /* S2MM 0-5, MM2S 0-5 */
#define CHANNELS (TILES * CHANNELS_PER_TILE)
#define ACTOR_CORE CHANNELS /* + tile */
#define ACTOR_TXN (CHANNELS + TILES)
#define NOBODY 0xFFFFu

enum { SHIM, MEM, CORE };
/* The device: its columns, its rows, and what the tiles of each row are. */
extern u32 columns, rows;
extern u8 row_kinds[ROWS_PER_COLUMN];
static inline u32 tile_number(u32 column, u32 row) { return ROWS_PER_COLUMN * column + row; }
static inline u32 tile_column(u32 tile) { return tile / ROWS_PER_COLUMN; }
static inline u32 tile_row(u32 tile) { return tile % ROWS_PER_COLUMN; }
static inline int tile_kind(u32 tile) { return row_kinds[tile_row(tile)]; }
/* Whether the device has a tile of this number. */
static inline int tile_exists(u32 tile) { return tile < ROWS_PER_COLUMN * columns && tile_row(tile) < rows; }
static inline u32 tile_base(u32 tile) { return ARRAY_BASE + tile * TILE_BYTES; }
#define REG(tile, offset) (*(u32 *)(tile_base(tile) + (offset)))
#define LOCK(index) (((volatile i32 *)LOCK_PLANE)[index])

/* --- Faults: the first one ends the emulation. The host turns the record into a report. */
enum {
    FAULT_NONE,
    FAULT_LOCK,          /* actor, lock, value before, change */
    FAULT_BD,            /* channel, bd, BadBd, detail, detail */
    FAULT_NO_ROUTE,      /* channel, RouteError, tile, slave port, header */
    FAULT_HOST_OVERRUN,  /* channel, bd, first low, high, bytes low, high | argument + 1 << 16 (0: none) */
    FAULT_NOT_MODELLED,  /* Unmodelled, tile, register offset, value */
    FAULT_QUEUE,         /* channel, value written, pushes of the sequence since its last wait */
    FAULT_TXN,           /* byte offset, operation word */
    FAULT_ADDRESS,       /* register address */
    FAULT_SWITCH_LOOP,   /* channel, tile */
    FAULT_MACHINE_CORE,  /* tile, address: its own record says more */
    FAULT_ACCESS,        /* tile, BadAccess, address, bytes, packed site, writes | 2 * begin of its buffer */
    FAULT_LATE_ARGUMENT, /* argument, how many the firmware translates, register address */
    FAULT_CORE_LOCK,     /* tile, lock number as a core sees it */
};
typedef enum {
    BAD_BD_INVALID = 1,   /* valid bit not set */
    BAD_BD_MEMORY,        /* first byte, last byte relative to the window: outside the tile's memory */
    BAD_BD_WINDOW,        /* window: no such neighbour, or channel 4, 5 */
    BAD_BD_LOCK,          /* lock id: no such lock */
    BAD_BD_CHANNEL,       /* BD not reachable from this channel */
} BadBd;
typedef enum {
    UNMODELLED_REGISTER = 1,
    UNMODELLED_OUT_OF_ORDER,
    UNMODELLED_COMPRESSION,
    UNMODELLED_FINISH_ON_TLAST,
    UNMODELLED_PAUSE,
    UNMODELLED_HEADER_DROPPED,
    UNMODELLED_CONTROL_PACKET,
    UNMODELLED_TXN_OPERATION,
    UNMODELLED_LOCK_REQUEST,
    UNMODELLED_FAN_OUT,
    UNMODELLED_PATCH,
    UNMODELLED_PROGRAM_WRITE,
    UNMODELLED_SCRATCHPAD,
    UNMODELLED_UPDATE,
} Unmodelled;
typedef struct {
    u32 kind, words[7];
} Fault;
extern Fault fault_record;
_Noreturn void fault(u32 kind, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f);

/* --- Buffer descriptors and the walk along their dimensions (bd.c). */
typedef struct {
    u32 length;            /* words of the stream, zeros of the padding included */
    u32 base;              /* address in linear memory of the first word, without iteration */
    u32 step[4], wrap[3];  /* words; wrap 0: this dimension runs to the end */
    u32 before[3], after[3];
    u32 iteration_step, iteration_wrap, iteration_current;
    i32 acquire_value, release_value;
    u16 acquire_lock, release_lock;
    u8 acquire, packet, packet_type, packet_id, tlast, use_next, next, padded, compressed;
} Bd;

typedef struct {
    u32 left;     /* words of the stream still to come */
    u32 zeros;    /* padding words that come next */
    u32 row_left; /* words left in the row at `at` */
    u32 at;       /* address of the next word */
    u32 start[3]; /* where the current row, block and cube began */
    u32 index[2]; /* number of the current row and block */
} Walk;

/* Whether the device's form of compressed words is known: AIE-ML's is (AM020), AIE2P's differs and is not
 * public. */
extern u32 compression_known;
void bd_load(u32 channel, u32 number, Bd *bd);
void host_bound(u32 column, u32 number, u64 address, u64 first, u32 bytes, u32 argument);
void host_begin(void);
void host_bound_moved(u32 column, u32 number, u64 before, u64 after);
void walk_start(Walk *walk, const Bd *bd);
void walk_next_row(Walk *walk, const Bd *bd);
void walk_read(Walk *walk, const Bd *bd, u32 *to, u32 words);
void walk_write(Walk *walk, const Bd *bd, const u32 *from, u32 words);
/* Whose walk the next words are, for checks. */
extern u32 walker;
static inline void walk_for(u32 channel) { walker = channel; }
void walk_extent(const Bd *bd, i64 *last);

/* Goes on by `words` of the current row. */
static inline void walk_advance(Walk *walk, const Bd *bd, u32 words) {
    walk->at += words * bd->step[0] * 4;
    walk->left -= words;
    walk->row_left -= words;
    if (!walk->row_left && walk->left) walk_next_row(walk, bd);
}

/* --- Stream switches (stream.c). */
#define MAX_SINKS 40
#define MAX_ARBITERS 64
#define SINK_TILE_CONTROL 0x1000 /* + tile */
#define SINK_CORE 0x2000         /* + tile */
typedef enum {
    ROUTE_OK,
    ROUTE_PORT_OFF,     /* slave port not enabled */
    ROUTE_NO_MASTER,    /* nothing takes from the slave port */
    ROUTE_NO_SLOT,      /* no slot matches the packet */
    ROUTE_EDGE,         /* leaves the array at the side */
    ROUTE_NOT_DMA,      /* the shim's (de)multiplexer does not lead to the DMA */
    ROUTE_NEED_HEADER,  /* a packet port, and no header was given */
} RouteError;
typedef struct {
    u16 sink;
    u8 drop_header, room;
} Target;
typedef struct {
    u32 epoch, header;
    u16 error, error_tile, error_port;
    u8 targets, arbiters, held, has_header;
    Target target[MAX_SINKS];
    u16 arbiter[MAX_ARBITERS];
} Route;
extern u32 switch_epoch;
void route_resolve(u32 channel, Route *route, int has_header, u32 header);
int route_take_arbiters(u32 channel, Route *route);
void route_release(u32 channel, Route *route);
u32 arbiter_owner(u32 arbiter);
void stream_reset(void);
void tile_control_word(u32 tile, u32 word);
void tile_control_end(u32 tile);
u32 tile_control_room(u32 tile);
void send_answers(void);
u32 sink_room(const Target *target);
void deliver(u32 source, const Target *target, const u32 *from, u32 words);
void sink_end(const Target *target);

/* --- DMA channels (dma.c). */
#define QUEUE_DEPTH 4
#define GROUP_WORDS 8 /* that are compressed together: 32 bytes */
#define FIFO_WORDS 256
enum { IDLE, LOADED, HEADER, MOVING };
typedef enum {
    WAIT_NONE,
    WAIT_LOCK_GE,     /* lock, needed */
    WAIT_LOCK_EQ,     /* lock, needed */
    WAIT_DATA,        /* S2MM: nothing comes */
    WAIT_SINK,        /* MM2S: target does not take */
    WAIT_ARBITER,     /* arbiter, owner */
    WAIT_ROUTE,       /* RouteError, tile, port */
    WAIT_TOKEN,       /* TXN: channel */
    WAIT_QUEUE,       /* TXN: channel */
    WAIT_POLL,        /* TXN: register address, mask, value */
    WAIT_STREAM,      /* core: nothing comes */
    WAIT_CASCADE_IN,  /* core: whether from west */
    WAIT_CASCADE_OUT, /* core: whether to east, receiver's tile or TILES */
    WAIT_TURN,        /* core: has asked whether it could go on; the others have a turn before it hears no */
} WaitKind;
typedef struct {
    u32 kind, a, b, c;
} Wait;
typedef struct {
    u32 words[FIFO_WORDS];
    u8 bare[FIFO_WORDS]; /* checks.h */
    u32 head, count;
} Fifo;
typedef struct {
    u32 queue[QUEUE_DEPTH];
    u8 queue_head, queue_count, state, bd_number, start_bd, in_packet, issue_token;
    u16 repeats_left;
    u32 tokens;
    Bd bd;
    Walk walk;
    Wait wait;
    u64 words_moved;
    u32 bds_done, tasks_done;
} Channel;
extern Channel channels[CHANNELS];
static inline u32 channel_tile(u32 channel) { return channel / CHANNELS_PER_TILE; }
static inline u32 channel_is_mm2s(u32 channel) { return channel % CHANNELS_PER_TILE >= 6; }
static inline u32 channel_index(u32 channel) { return channel % CHANNELS_PER_TILE % 6; }
void channel_control(u32 channel, u32 value);
void channel_push(u32 channel, u32 task);
u32 channel_status(u32 channel);
void s2mm_step(u32 channel);
void mm2s_step(u32 channel);
u32 fifo_count(u32 channel);
void dma_reset(void);

/* --- Locks. */
static inline int lock_ready(u32 index, i32 value) {
    return value < 0 ? LOCK(index) >= -value : LOCK(index) == value;
}
void lock_change(u32 actor, u32 index, i32 change);
void lock_set_again(u32 index, i32 value);

/* --- Registers (array.c). */
extern u32 west_column;
u32 read32(u32 address);
void write32(u32 address, u32 value);
void block_write(u32 address, const u32 *data, u32 words);
int queue_channel(u32 address);

/* --- Runtime sequence (txn.c). */
enum { TXN_BLOCKED, TXN_MOVED, TXN_DONE, TXN_LOAD_PDI };
extern Wait txn_wait;
extern u32 txn_offset, txn_pdi;
extern u32 configuring; /* a configuration is being written: programs are known only after it */
int txn_step(void);
void txn_begin(u32 address, u32 bytes, u32 count);
int txn_execute(u32 address, u32 bytes);
int txn_finished(void);
int txn_configuring(void);

/* --- Streams, cascades and locks that cores use (core_streams.c). */
extern Wait core_wait[TILES]; /* of cores that gave their turn back in the middle of their code */
u32 core_input_room(u32 tile, u32 room);
void core_input(u32 tile, const u32 *from, u32 words);
void core_input_end(u32 tile);
int core_can_go_on(u32 tile);
void core_streams_reset(void);
void core_streams_forget(u32 tile);

/* --- Scheduler (scheduler.c). */
void core_control(u32 tile, u32 value);
void core_program_written(u32 tile, u32 offset, u32 value);
extern u32 current_actor;
extern u32 progress; /* counts every change of state; a round without one is a standstill */
extern u32 schedule;  /* not 0: turns and words are drawn */
u32 draw(u32 below);
void activate(u32 actor);
void core_waits(u32 tile);
void log_event(u32 what, u32 actor, u32 a, u32 b);
enum { LOG_BD_START = 1, LOG_BD_END, LOG_TASK_END, LOG_CORE_WAIT, LOG_CORE_END, LOG_TXN, LOG_LOCK, LOG_MARK };

#endif
