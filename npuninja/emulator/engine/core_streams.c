/* Streams, cascades and locks of cores, from inside their code. A core asks; what cannot be had now is kept
 * as its wait, and the core gives its turn back until `core_can_go_on`
 * (npuninja/emulator/core_modules/suspension.py; machine code likewise). */
#include "checks.h"

#define EXPORT(name) __attribute__((export_name(name)))

/* Words on their way to a core: what the switches hold, as for a DMA channel. */
#define INPUT_WORDS 64
static struct {
    u32 words[INPUT_WORDS];
    u8 last[INPUT_WORDS];
    u32 head, count;
} inputs[TILES];

/* A cascade is 512 bits wide, with room for two transfers on either side (AM020). */
#define CASCADE_DEPTH 4
static struct {
    u64 transfers[CASCADE_DEPTH][8];
    u32 head, count;
} cascades[TILES]; /* by receiver */
static u64 sent[TILES][8]; /* a transfer that is being put together */

static struct {
    Route route;
    u32 word;
    u8 in_packet, is_header;
} outputs[TILES];

Wait core_wait[TILES];

static u32 me(void) { return current_actor - ACTOR_CORE; }
static void wait_for(u32 tile, u32 kind, u32 a, u32 b, u32 c) { core_wait[tile] = (Wait){kind, a, b, c}; }

void core_streams_reset(void) {
    __builtin_memset(inputs, 0, sizeof inputs);
    __builtin_memset(cascades, 0, sizeof cascades);
    __builtin_memset(outputs, 0, sizeof outputs);
    __builtin_memset(core_wait, 0, sizeof core_wait);
}

/* A core gets another program: what was on its way to the old one is gone. */
void core_streams_forget(u32 tile) {
    route_release(ACTOR_CORE + tile, &outputs[tile].route);
    __builtin_memset(&inputs[tile], 0, sizeof inputs[tile]);
    __builtin_memset(&cascades[tile], 0, sizeof cascades[tile]);
    __builtin_memset(&outputs[tile], 0, sizeof outputs[tile]);
    core_wait[tile].kind = WAIT_NONE;
    check_stream_lost(ACTOR_CORE + tile);
}

/* --- The stream into a core. */
u32 core_input_room(u32 tile, u32 room) { return inputs[tile].count < room ? room - inputs[tile].count : 0; }

void core_input(u32 tile, const u32 *from, u32 words) {
    for (u32 i = 0; i < words; i++) {
        u32 at = (inputs[tile].head + inputs[tile].count++) % INPUT_WORDS;
        inputs[tile].words[at] = from[i];
        inputs[tile].last[at] = 0;
    }
}

/* The word that came last ends its packet. */
void core_input_end(u32 tile) {
    if (inputs[tile].count) inputs[tile].last[(inputs[tile].head + inputs[tile].count - 1) % INPUT_WORDS] = 1;
}

/* Answers to a question: not yet, no, yes. A core that asks in a loop must let the others go on, so a no
 * comes one turn later. */
enum { LATER, NO, YES };
static u32 answer(u32 tile, u32 yes, u32 asked) {
    if (yes || asked) {
        core_wait[tile].kind = WAIT_NONE;
        return yes ? YES : NO;
    }
    wait_for(tile, WAIT_TURN, 0, 0, 0);
    return LATER;
}

EXPORT("core_stream_ready") u32 core_stream_ready(void) {
    u32 tile = me();
    return answer(tile, inputs[tile].count != 0, core_wait[tile].kind == WAIT_TURN);
}

/* Bit 32: a word was there; bit 33: it was its packet's last. */
EXPORT("core_stream_get") u64 core_stream_get(void) {
    u32 tile = me(), at = inputs[tile].head;
    if (!inputs[tile].count) {
        wait_for(tile, WAIT_STREAM, 0, 0, 0);
        return 0;
    }
    check_received(current_actor, 1);
    inputs[tile].head = (at + 1) % INPUT_WORDS;
    inputs[tile].count--;
    progress++;
    return inputs[tile].words[at] | 1ull << 32 | (u64)inputs[tile].last[at] << 33;
}

/* --- The stream out of a core. The first word of a packet is its header when the switch takes packets. */
static int can_put(u32 tile) {
    u32 actor = ACTOR_CORE + tile;
    Route *route = &outputs[tile].route;
    if (!outputs[tile].in_packet || (!route->arbiters && route->epoch != switch_epoch)) {
        if (route->epoch != switch_epoch) route_release(actor, route);
        if (route->epoch != switch_epoch || route->has_header || route->error)
            route_resolve(actor, route, 0, 0);
        outputs[tile].is_header = route->error == ROUTE_NEED_HEADER;
        if (outputs[tile].is_header) route_resolve(actor, route, 1, outputs[tile].word);
        if (route->error == ROUTE_NO_SLOT)
            fault(FAULT_NO_ROUTE, actor, route->error, route->error_tile, route->error_port,
                  outputs[tile].word, 0);
        if (route->error) {
            wait_for(tile, WAIT_ROUTE, route->error, route->error_tile, route->error_port);
            return 0;
        }
        outputs[tile].in_packet = 1;
    }
    if (!route_take_arbiters(actor, route)) {
        u32 arbiter = route->arbiter[route->held];
        wait_for(tile, WAIT_ARBITER, arbiter, arbiter_owner(arbiter), 0);
        return 0;
    }
    for (u32 i = 0; i < route->targets; i++)
        if (!(outputs[tile].is_header && route->target[i].drop_header) && !sink_room(&route->target[i])) {
            wait_for(tile, WAIT_SINK, route->target[i].sink, 0, 0);
            return 0;
        }
    return 1;
}

EXPORT("core_stream_put") u32 core_stream_put(u32 word, u32 last) {
    u32 tile = me();
    Route *route = &outputs[tile].route;
    outputs[tile].word = word;
    if (!can_put(tile)) return 0;
    for (u32 i = 0; i < route->targets; i++) {
        const Target *target = &route->target[i];
        if (!(outputs[tile].is_header && target->drop_header)) deliver(current_actor, target, &word, 1);
        if (last) sink_end(target);
    }
    outputs[tile].is_header = 0;
    progress++;
    if (last) {
        route_release(current_actor, route);
        outputs[tile].in_packet = 0;
    }
    return 1;
}

EXPORT("core_stream_try") u32 core_stream_try(u32 word, u32 last) {
    u32 tile = me(), asked = core_wait[tile].kind == WAIT_TURN;
    return answer(tile, core_stream_put(word, last), asked);
}

/* --- Cascades: from north or west, to south or east. */
static u32 cascade_target(u32 tile) {
    u32 east = REG(tile, CORE_ACCUMULATOR_CONTROL) >> 1 & 1, to = east ? tile + ROWS_PER_COLUMN : tile - 1;
    if (!tile_exists(to) || tile_kind(to) != CORE) return TILES;
    return (REG(to, CORE_ACCUMULATOR_CONTROL) & 1) == east ? to : TILES;
}

/* Step -1: whether a transfer is there; 0 to 7: its words; 8: it is taken. */
EXPORT("core_cascade_in") u64 core_cascade_in(i32 step) {
    u32 tile = me();
    if (step < 0) {
        if (!cascades[tile].count)
            wait_for(tile, WAIT_CASCADE_IN, REG(tile, CORE_ACCUMULATOR_CONTROL) & 1, 0, 0);
        return cascades[tile].count != 0;
    }
    if (step < 8) return cascades[tile].transfers[cascades[tile].head][step];
    check_cascade_received(tile);
    cascades[tile].head = (cascades[tile].head + 1) % CASCADE_DEPTH;
    cascades[tile].count--;
    progress++;
    return 0;
}

static int cascade_room(u32 tile) {
    u32 to = cascade_target(tile);
    if (to < TILES && cascades[to].count < CASCADE_DEPTH) return 1;
    wait_for(tile, WAIT_CASCADE_OUT, REG(tile, CORE_ACCUMULATOR_CONTROL) >> 1 & 1, to, 0);
    return 0;
}

/* Step -1: whether there is room; 0 to 7: a word; 8: it is sent. */
EXPORT("core_cascade_out") u32 core_cascade_out(i32 step, u64 word) {
    u32 tile = me();
    if (step < 0) return (u32)cascade_room(tile);
    if (step < 8) {
        sent[tile][step] = word;
        return 1;
    }
    u32 to = cascade_target(tile);
    check_cascade_sent(current_actor, to);
    __builtin_memcpy(cascades[to].transfers[(cascades[to].head + cascades[to].count++) % CASCADE_DEPTH],
                     sent[tile], 64);
    progress++;
    return 1;
}

/* --- Locks inside kernels, numbered as a core sees them: 16 each of south, west, north and its own tile. */
static u32 lock_of(u32 number) {
    static const i32 steps[4] = {-1, -ROWS_PER_COLUMN, 1, 0};
    i32 tile = (i32)me() + steps[number >> 4 & 3];
    if (number >= 64 || tile < 0 || !tile_exists((u32)tile) || tile_kind((u32)tile) != CORE)
        fault(FAULT_CORE_LOCK, me(), number, 0, 0, 0, 0);
    return LOCKS_PER_TILE * (u32)tile + (number & 15);
}

EXPORT("core_lock_take") u32 core_lock_take(u32 number, i32 value, u32 exact) {
    u32 tile = me(), lock = lock_of(number);
    if (exact ? LOCK(lock) != value : LOCK(lock) < value) {
        wait_for(tile, exact ? WAIT_LOCK_EQ : WAIT_LOCK_GE, lock, (u32)value, 0);
        return 0;
    }
    if (exact)
        check_lock_exact(current_actor,
                         lock); /* it waits, and takes nothing (AIEOps.td: Acquire, AcquireGreaterEqual) */
    else
        lock_change(current_actor, lock, -value);
    progress++;
    return 1;
}

EXPORT("core_lock_give") void core_lock_give(u32 number, i32 value) {
    lock_change(current_actor, lock_of(number), value);
    progress++;
}

/* --- Registers of its own tile, which a core reaches by the processor bus, and waits for while that is off
 * (its state after a reset, AM025 Core_Processor_Bus). */
static u32 register_address(u32 tile, u32 offset) {
    return tile_column(tile) << COLUMN_SHIFT | tile_row(tile) << ROW_SHIFT | (offset & 0xFFFFF);
}

static int bus_is_on(u32 tile) {
    if (REG(tile, CORE_PROCESSOR_BUS) & 1) return 1;
    wait_for(tile, WAIT_POLL, register_address(tile, CORE_PROCESSOR_BUS), 1, 1);
    return 0;
}

/* A core that writes what is there, or reads on and on, may do so without end, and must let the others go
 * on. */
static int has_had_its_turn(u32 tile) {
    if (core_wait[tile].kind == WAIT_TURN) {
        core_wait[tile].kind = WAIT_NONE;
        return 1;
    }
    wait_for(tile, WAIT_TURN, 1, 0, 0);
    return 0;
}

EXPORT("core_register_write") u32 core_register_write(u32 offset, u32 value) {
    u32 tile = me();
    if (!bus_is_on(tile)) return 0;
    if (REG(tile, offset & 0xFFFFC) == value && !has_had_its_turn(tile)) return 0;
    core_wait[tile].kind = WAIT_NONE;
    write32(register_address(tile, offset & 0xFFFFC), value);
    progress++;
    return 1;
}

/* Bit 32: it has been read. */
EXPORT("core_register_read") u64 core_register_read(u32 offset) {
    u32 tile = me();
    if (!bus_is_on(tile) || !has_had_its_turn(tile)) return 0;
    progress++;
    return read32(register_address(tile, offset & 0xFFFFC)) | 1ull << 32;
}

/* --- Whether what a core waits for is there now. */
int core_can_go_on(u32 tile) {
    const Wait *wait = &core_wait[tile];
    switch (wait->kind) {
    case WAIT_STREAM: return inputs[tile].count != 0;
    case WAIT_CASCADE_IN: return cascades[tile].count != 0;
    case WAIT_CASCADE_OUT: return cascade_room(tile);
    case WAIT_POLL: return REG(tile, CORE_PROCESSOR_BUS) & 1;
    case WAIT_LOCK_GE: return LOCK(wait->a) >= (i32)wait->b;
    case WAIT_LOCK_EQ: return LOCK(wait->a) == (i32)wait->b;
    case WAIT_SINK:
    case WAIT_ARBITER:
    case WAIT_ROUTE: return can_put(tile);
    default: return 1;
    }
}
