/* DMA channels: task queue, buffer descriptors in turn, locks, and words between memory and stream. */
#include "checks.h"
#define EXPORT(name) __attribute__((export_name(name)))

Channel channels[CHANNELS];
static Fifo fifos[CHANNELS];   /* what has arrived at an S2MM channel that was not ready for it */
static Route routes[CHANNELS]; /* of MM2S channels */

/* A group of words as it is in a compressed stream: a bit for each of its bytes that is not zero, then these
 * bytes, with zeros up to a word. */
typedef struct {
    u32 words[1 + GROUP_WORDS];
    u32 count, sent;
} Compressed;
static Compressed compressed[CHANNELS]; /* what is on its way into a stream, or has come so far */
u32 compression_known;
EXPORT("set_compression_known") void set_compression_known(u32 known) { compression_known = known; }

#define BOUNCE_WORDS 512 /* words gathered before they are given on, when the source is not one run */
#define DIRECT_WORDS 16  /* shorter runs are gathered */

static void wait_for(Channel *c, u32 kind, u32 a, u32 b, u32 d) {
    c->wait.kind = kind;
    c->wait.a = a;
    c->wait.b = b;
    c->wait.c = d;
}

/* --- Tasks. */
static void load(u32 channel, u32 number) {
    Channel *c = &channels[channel];
    c->bd_number = (u8)number;
    check_bd_loaded(channel, number);
    bd_load(channel, number, &c->bd);
    c->state = LOADED;
    c->wait.kind = WAIT_NONE;
    log_event(LOG_BD_START, channel, number, c->bd.length);
}

static void start_task(u32 channel) {
    Channel *c = &channels[channel];
    u32 task = c->queue[c->queue_head];
    check_started(channel, c->queue_head);
    c->queue_head = (c->queue_head + 1) % QUEUE_DEPTH;
    c->queue_count--;
    c->start_bd = task & (tile_kind(channel_tile(channel)) == MEM ? 63 : 15);
    c->repeats_left = task >> 16 & 255;
    c->issue_token = (u8)(task >> 31);
    load(channel, c->start_bd);
}

/* A write to the start queue. An idle channel loads its first BD at once. */
void channel_push(u32 channel, u32 task) {
    Channel *c = &channels[channel];
    if (c->queue_count == QUEUE_DEPTH) fault(FAULT_QUEUE, channel, task, 0, 0, 0, 0);
    u32 slot = (c->queue_head + c->queue_count++) % QUEUE_DEPTH;
    c->queue[slot] = task;
    check_pushed(channel, slot);
    activate(channel);
    if (c->state == IDLE) start_task(channel);
}

/* A write to the control register. */
void channel_control(u32 channel, u32 value) {
    Channel *c = &channels[channel];
    u32 tile = channel_tile(channel), mm2s = channel_is_mm2s(channel);
    u32 reason = 0;
    if (tile_kind(tile) == SHIM && value & 6) reason = UNMODELLED_PAUSE;
    if (!mm2s && value & 8) reason = UNMODELLED_OUT_OF_ORDER;
    if (!mm2s && value >> 16 & 3) reason = UNMODELLED_FINISH_ON_TLAST;
    if (reason) fault(FAULT_NOT_MODELLED, reason, tile, channel, value, 0, 0);
    if (!(value & 2)) return;
    if (mm2s) route_release(channel, &routes[channel]);
    c->state = IDLE;
    c->queue_count = 0;
    c->in_packet = 0;
    c->wait.kind = WAIT_NONE;
    fifos[channel].count = 0;
    compressed[channel].count = compressed[channel].sent = 0;
    check_stream_lost(channel);
}

/* The status register (device.md: state, stalls, queue size, current BD). */
u32 channel_status(u32 channel) {
    Channel *c = &channels[channel];
    u32 status = (u32)c->queue_count << 20;
    if (c->state != IDLE) status |= 2;
    if (c->wait.kind == WAIT_LOCK_GE || c->wait.kind == WAIT_LOCK_EQ) status |= 4;
    if (c->wait.kind == WAIT_DATA || c->wait.kind == WAIT_SINK) status |= 16;
    if (c->state != IDLE || c->queue_count) status |= 1u << 19;
    return status | (u32)c->bd_number << 24;
}

static int acquire(u32 channel) {
    Channel *c = &channels[channel];
    if (c->bd.acquire) {
        u32 lock = c->bd.acquire_lock;
        i32 value = c->bd.acquire_value;
        if (!lock_ready(lock, value)) {
            wait_for(c, value < 0 ? WAIT_LOCK_GE : WAIT_LOCK_EQ, lock, (u32)(value < 0 ? -value : value), 0);
            return 0;
        }
        if (value < 0)
            lock_change(channel, lock, value);
        else
            check_lock_exact(channel, lock); /* it waits, and takes nothing */
    }
    c->wait.kind = WAIT_NONE;
    progress++;
    walk_start(&c->walk, &c->bd);
    if (checks && tile_kind(channel_tile(channel)) == SHIM)
        check_transfer_begins(channel, &c->bd, c->bd_number);
    return 1;
}

/* The BD is done: release, then the next BD, the next repetition or the next task. */
static void finish(u32 channel) {
    Channel *c = &channels[channel];
    c->bds_done++;
    progress++;
    check_transfer_ends(channel);
    log_event(LOG_BD_END, channel, c->bd_number, 0);
    if (c->bd.release_value) lock_change(channel, c->bd.release_lock, c->bd.release_value);
    if (c->bd.use_next) {
        load(channel, c->bd.next);
    } else if (c->repeats_left) {
        c->repeats_left--;
        load(channel, c->start_bd);
    } else {
        c->tasks_done++;
        if (c->issue_token) {
            c->tokens++;
            check_token(channel);
        }
        log_event(LOG_TASK_END, channel, c->start_bd, c->issue_token);
        c->state = IDLE;
        c->wait.kind = WAIT_NONE;
        if (c->queue_count) start_task(channel);
    }
}

/* --- S2MM: from the stream into memory. */

/* How many of these words are alike, for `walk_write`. */
static u32 alike(const u8 *bare, u32 words) {
    u32 n = 1;
    while (n < words && bare[n] == bare[0]) n++;
    bare_words = bare[0];
    return n;
}

static void drain_compressed(u32 channel) {
    Channel *c = &channels[channel];
    Fifo *fifo = &fifos[channel];
    Compressed *group = &compressed[channel];
    while (fifo->count && c->walk.left) {
        check_received(channel, 1);
        group->words[group->count++] = fifo->words[fifo->head];
        fifo->head = (fifo->head + 1) % FIFO_WORDS;
        fifo->count--;
        c->words_moved++;
        progress++;
        if (group->count < 1 + ((u32)__builtin_popcount(group->words[0]) + 3) / 4) continue;
        u32 plain[GROUP_WORDS] = {0};
        const u8 *from = (const u8 *)&group->words[1];
        for (u32 i = 0; i < sizeof plain; i++)
            if (group->words[0] >> i & 1) ((u8 *)plain)[i] = *from++;
        group->count = 0;
        walk_for(channel);
        walk_write(&c->walk, &c->bd, plain, GROUP_WORDS);
    }
}

static void drain(u32 channel) {
    Channel *c = &channels[channel];
    Fifo *fifo = &fifos[channel];
    if (c->bd.compressed) {
        drain_compressed(channel);
        return;
    }
    while (fifo->count && c->walk.left) {
        u32 n = FIFO_WORDS - fifo->head;
        if (n > fifo->count) n = fifo->count;
        if (n > c->walk.left) n = c->walk.left;
        if (checks) n = alike(&fifo->bare[fifo->head], n);
        check_received(channel, n);
        walk_for(channel);
        walk_write(&c->walk, &c->bd, &fifo->words[fifo->head], n);
        bare_words = 0;
        fifo->head = (fifo->head + n) % FIFO_WORDS;
        fifo->count -= n;
        c->words_moved += n;
        progress++;
    }
}

/* One BD at most, so that endless chains of BDs without locks leave the others their turn. */
void s2mm_step(u32 channel) {
    Channel *c = &channels[channel];
    if (c->state == IDLE) return;
    if (c->state == LOADED) {
        if (!acquire(channel)) return;
        c->state = MOVING;
    }
    drain(channel);
    if (c->walk.left)
        wait_for(c, WAIT_DATA, 0, 0, 0);
    else
        finish(channel);
}

/* Words a receiver takes now. A channel with nothing in its FIFO and a BD at work takes as much as the BD
 * wants, past the FIFO; `deliver` follows the same rule. */
u32 sink_room(const Target *target) {
    u32 sink = target->sink;
    if (sink & SINK_TILE_CONTROL) return tile_control_room(sink & (TILES - 1));
    if (sink & SINK_CORE) return core_input_room(sink & (TILES - 1), target->room);
    Channel *c = &channels[sink];
    Fifo *fifo = &fifos[sink];
    if (c->state == LOADED || (c->state == MOVING && (fifo->count || !c->walk.left))) s2mm_step(sink);
    if (c->state == LOADED && !fifo->count) s2mm_step(sink);
    if (c->state == MOVING && !fifo->count && c->walk.left && !c->bd.compressed) return c->walk.left;
    return fifo->count < target->room ? target->room - fifo->count : 0;
}

void deliver(u32 source, const Target *target, const u32 *from, u32 words) {
    u32 sink = target->sink;
    progress++;
    if (sink & SINK_TILE_CONTROL) {
        for (u32 i = 0; i < words; i++) tile_control_word(sink & (TILES - 1), from[i]);
        return;
    }
    if (sink & SINK_CORE) {
        check_sent(source, ACTOR_CORE + (sink & (TILES - 1)), words, 1);
        core_input(sink & (TILES - 1), from, words);
        return;
    }
    Channel *c = &channels[sink];
    Fifo *fifo = &fifos[sink];
    int direct = c->state == MOVING && !fifo->count && c->walk.left && !c->bd.compressed;
    check_sent(source, sink, words, !direct);
    if (direct) {
        walk_for(sink);
        walk_write(&c->walk, &c->bd, from, words);
        c->words_moved += words;
        return;
    }
    for (u32 i = 0; i < words; i++) {
        u32 at = (fifo->head + fifo->count++) % FIFO_WORDS;
        fifo->words[at] = from[i];
        fifo->bare[at] = (u8)bare_words;
    }
}

/* A packet's last word has been delivered. */
void sink_end(const Target *target) {
    if (target->sink & SINK_TILE_CONTROL) tile_control_end(target->sink & (TILES - 1));
    if (target->sink & SINK_CORE) core_input_end(target->sink & (TILES - 1));
}

/* --- MM2S: from memory into the stream. */

/* Odd parity [31], source column and row, packet type, stream id (AM020, packet header). */
static u32 packet_header(u32 channel, const Bd *bd) {
    u32 tile = channel_tile(channel);
    u32 header = tile_column(tile) << 21 | tile_row(tile) << 16 | (u32)bd->packet_type << 12 | bd->packet_id;
    return header | (u32)!__builtin_parity(header) << 31;
}

static u32 first_word(const Channel *c) { return c->walk.zeros ? 0 : *(const u32 *)c->walk.at; }

/* Opens the way of a BD's words: finds the route, takes its arbiters, sends the header. 1 when words may
 * follow. */
static int open_stream(u32 channel) {
    Channel *c = &channels[channel];
    Route *route = &routes[channel];
    u32 header = 0;
    int from_data = 0;
    if (c->in_packet && (route->arbiters || route->epoch == switch_epoch) && !c->bd.packet) return 1;
    if (!c->in_packet || (!route->arbiters && route->epoch != switch_epoch)) {
        if (c->bd.packet) header = packet_header(channel, &c->bd);
        if (route->epoch != switch_epoch)
            route_release(channel, route); /* arbiters of a way that is no more */
        if (route->epoch != switch_epoch || route->has_header != c->bd.packet || route->error ||
            route->header != (header & 31))
            route_resolve(channel, route, c->bd.packet, header);
        if (route->error == ROUTE_NEED_HEADER && c->walk.left && !c->bd.compressed) {
            header = first_word(c);
            from_data = 1;
            route_resolve(channel, route, 1, header);
        }
        if (route->error == ROUTE_NO_SLOT)
            fault(FAULT_NO_ROUTE, channel, route->error, route->error_tile, route->error_port, header, 0);
        if (route->error) {
            wait_for(c, WAIT_ROUTE, route->error, route->error_tile, route->error_port);
            return 0;
        }
        if (!route_take_arbiters(channel, route)) {
            u32 arbiter = route->arbiter[route->held];
            wait_for(c, WAIT_ARBITER, arbiter, arbiter_owner(arbiter), 0);
            return 0;
        }
    } else {
        header = packet_header(channel, &c->bd); /* a second header inside a packet is a word like others */
    }
    if (c->bd.packet || from_data) {
        for (u32 i = 0; i < route->targets; i++) {
            Target *target = &route->target[i];
            if ((!target->drop_header || c->in_packet) && !sink_room(target)) {
                wait_for(c, WAIT_SINK, target->sink, 0, 0);
                return 0;
            }
        }
        for (u32 i = 0; i < route->targets; i++)
            if (!route->target[i].drop_header || c->in_packet)
                deliver(channel, &route->target[i], &header, 1);
        if (from_data) {
            u32 scratch;
            c->words_moved++;
            if (c->walk.zeros) {
                c->walk.zeros--;
                c->walk.left--;
            } else {
                walk_for(channel);
                walk_read(&c->walk, &c->bd, &scratch, 1);
            }
        }
    }
    c->in_packet = 1;
    return 1;
}

/* Fills `bounce` with the next words of the stream, padding included; `bare` in a checked run. */
static void gather(u32 channel, u32 *bounce, u8 *bare, u32 words) {
    Channel *c = &channels[channel];
    u32 pad = tile_kind(channel_tile(channel)) == MEM
                  ? REG(channel_tile(channel), MEM_PAD_VALUE + 4 * channel_index(channel))
                  : 0;
    while (words) {
        u32 n;
        if (c->walk.zeros) {
            n = c->walk.zeros < words ? c->walk.zeros : words;
            for (u32 i = 0; i < n; i++) bounce[i] = pad;
            if (checks) __builtin_memset(bare, 0, n);
            c->walk.zeros -= n;
            c->walk.left -= n;
        } else {
            n = c->walk.row_left < words ? c->walk.row_left : words;
            walk_for(channel);
            if (checks) check_bare(c->walk.at, c->bd.step[0], n, bare);
            walk_read(&c->walk, &c->bd, bounce, n);
        }
        bounce += n;
        bare += n;
        words -= n;
    }
}

/* How many of some words all targets of a channel take; none when one has no room, for which the channel then
 * waits. */
static u32 room_in_all(Channel *c, const Route *route, u32 words) {
    for (u32 i = 0; i < route->targets; i++) {
        u32 room = sink_room(&route->target[i]);
        if (!room) {
            wait_for(c, WAIT_SINK, route->target[i].sink, 0, 0);
            return 0;
        }
        if (room < words) words = room;
    }
    return words;
}

static void move_compressed(u32 channel) {
    Channel *c = &channels[channel];
    Route *route = &routes[channel];
    Compressed *group = &compressed[channel];
    while (c->walk.left || group->sent < group->count) {
        if (group->sent == group->count) {
            u32 plain[GROUP_WORDS];
            u8 bare[GROUP_WORDS];
            if (checks) check_transfer_reads(channel);
            gather(channel, plain, bare, GROUP_WORDS);
            __builtin_memset(group, 0, sizeof *group);
            u8 *to = (u8 *)&group->words[1];
            for (u32 i = 0; i < sizeof plain; i++) {
                u8 byte = ((u8 *)plain)[i];
                if (!byte) continue;
                group->words[0] |= 1u << i;
                *to++ = byte;
            }
            group->count = 1 + ((u32)__builtin_popcount(group->words[0]) + 3) / 4;
        }
        u32 n = room_in_all(c, route, group->count - group->sent);
        if (!n) return;
        for (u32 i = 0; i < route->targets; i++)
            deliver(channel, &route->target[i], &group->words[group->sent], n);
        group->sent += n;
        c->words_moved += n;
    }
}

static void move(u32 channel) {
    static u32 bounce[BOUNCE_WORDS];
    static u8 bare[BOUNCE_WORDS];
    Channel *c = &channels[channel];
    Route *route = &routes[channel];
    while (c->walk.left) {
        u32 n = room_in_all(c, route, c->walk.left);
        if (!n) return;
        if (schedule) {
            /* A stream's latency: some words, and the rest at another turn. */
            if (!draw(4)) {
                progress++;
                return;
            }
            u32 most = 1 + draw(64);
            if (most < n) n = most;
        }
        const u32 *from;
        if (checks) check_transfer_reads(channel);
        if (!c->walk.zeros && c->bd.step[0] == 1 &&
            (c->walk.row_left >= DIRECT_WORDS || c->walk.row_left == c->walk.left)) {
            if (n > c->walk.row_left) n = c->walk.row_left;
            from = (const u32 *)c->walk.at;
            if (checks) {
                n = check_bare_run(c->walk.at, n);
                check_words(channel, c->walk.at, 1, n, 0, c->bd_number);
            }
            for (u32 i = 0; i < route->targets; i++) deliver(channel, &route->target[i], from, n);
            bare_words = 0;
            walk_advance(&c->walk, &c->bd, n);
        } else {
            if (n > BOUNCE_WORDS) n = BOUNCE_WORDS;
            gather(channel, bounce, bare, n);
            for (u32 done = 0, some; done < n; done += some) {
                some = checks ? alike(&bare[done], n - done) : n;
                for (u32 i = 0; i < route->targets; i++)
                    deliver(channel, &route->target[i], bounce + done, some);
            }
            bare_words = 0;
        }
        c->words_moved += n;
    }
}

void mm2s_step(u32 channel) {
    Channel *c = &channels[channel];
    Route *route = &routes[channel];
    if (c->state == IDLE) return;
    if (c->state == LOADED) {
        if (!acquire(channel)) return;
        c->state = HEADER;
    }
    if (c->state == HEADER) {
        if (!open_stream(channel)) return;
        c->state = MOVING;
    }
    if (c->bd.compressed)
        move_compressed(channel);
    else
        move(channel);
    if (c->walk.left || compressed[channel].sent < compressed[channel].count) return;
    if (c->bd.tlast) {
        for (u32 i = 0; i < route->targets; i++) sink_end(&route->target[i]);
        route_release(channel, route);
        c->in_packet = 0;
    }
    finish(channel);
}

/* --- A lock that is set while descriptors of its tile have taken of it: then more is in use than the
 * configuration gave, and one writes where another reads. The first of a run is kept. */
static i32 given[LOCKS_PER_TILE * TILES]; /* by the configuration */
static struct {
    u32 found, channel, bd, lock, value, taken;
} set_again;

void lock_set_again(u32 index, i32 value) {
    if (txn_configuring()) {
        given[index] = value;
        return;
    }
    i32 taken = 0;
    u32 by = 0, tile = index / LOCKS_PER_TILE;
    for (u32 id = CHANNELS_PER_TILE * tile; id < CHANNELS_PER_TILE * (tile + 1); id++) {
        Channel *c = &channels[id];
        int holds = (c->state == HEADER || c->state == MOVING) && c->bd.acquire &&
                    c->bd.acquire_lock == index;
        if (!holds || c->bd.acquire_value >= 0) continue;
        taken -= c->bd.acquire_value;
        by = id;
    }
    if (!taken || given[index] <= 0 || value + taken <= given[index] || set_again.found) return;
    set_again.found = 1;
    set_again.channel = by;
    set_again.bd = channels[by].bd_number;
    set_again.lock = index;
    set_again.value = (u32)value;
    set_again.taken = (u32)taken;
}
EXPORT("set_again") u32 set_again_address(void) { return (u32)&set_again; }

u32 fifo_count(u32 channel) { return fifos[channel].count; }

void dma_reset(void) {
    __builtin_memset(channels, 0, sizeof channels);
    __builtin_memset(fifos, 0, sizeof fifos);
    __builtin_memset(routes, 0, sizeof routes);
    __builtin_memset(compressed, 0, sizeof compressed);
    __builtin_memset(given, 0, sizeof given);
    set_again.found = 0;
}
