/* Stream switches: where the words of an MM2S channel go, arbiters of packet ports, and control packets.
 *
 * A stream is followed from end to end instead of hop by hop; what the switches on the way can hold is added
 * to the room of the receiver (`Target.room`). A packet holds the arbiters on its way, in the order it meets
 * them, until TLAST, as on the hardware; so packets can block each other here in the same ways as there. */
#include "checks.h"

/* Port numbers are AM025's, as in npuninja/arch/switch.py. Each range: first port, what it is. */
typedef enum { TO_CORE, TO_DMA, TO_TILE_CONTROL, TO_FIFO, TO_SOUTH, TO_WEST, TO_NORTH, TO_EAST } Bundle;
typedef struct {
    u8 first, bundle;
} Range;
static const Range core_masters[] = {{0, TO_CORE},  {1, TO_DMA},   {3, TO_TILE_CONTROL}, {4, TO_FIFO},
                                     {5, TO_SOUTH}, {9, TO_WEST}, {13, TO_NORTH},       {19, TO_EAST}};
static const Range mem_masters[] = {{0, TO_DMA}, {6, TO_TILE_CONTROL}, {7, TO_SOUTH}, {11, TO_NORTH}};
static const Range shim_masters[] = {{0, TO_TILE_CONTROL}, {1, TO_FIFO},   {2, TO_SOUTH},
                                     {8, TO_WEST},         {12, TO_NORTH}, {18, TO_EAST}};
typedef struct {
    const Range *ranges;
    u8 range_count, master_count, south, west, north, east, fifo; /* first slave port of each side */
    u32 masters, slaves, slots;
} Switch;
static const Switch switches[] = {
    [SHIM] = {shim_masters, 6, SHIM_MASTERS, 2, 10, 14, 18, 1, SHIM_SWITCH_MASTERS, SHIM_SWITCH_SLAVES,
              SHIM_SWITCH_SLOTS},
    [MEM] = {mem_masters, 4, MEM_MASTERS, 7, 0, 13, 0, 0, MEM_SWITCH_MASTERS, MEM_SWITCH_SLAVES,
             MEM_SWITCH_SLOTS},
    [CORE] = {core_masters, 8, CORE_MASTERS, 5, 11, 15, 19, 4, CORE_SWITCH_MASTERS, CORE_SWITCH_SLAVES,
              CORE_SWITCH_SLOTS},
};

/* Words a stream can hold on its way. Measured on a Strix (MLIR-AIE's test deadlock_model_head_of_line): of a
 * first transfer whose receiver takes one word, 9 words leave the sender and 10 do not. How it grows with the
 * switches that are passed is not measured; a design that needs more room than this has seen may hang. */
#define ROOM_ON_THE_WAY 8
#define MAX_HOPS 48

u32 switch_epoch = 1;

/* --- Control packets: stream header, control word, up to four words of data (mlir-aie AIETargetNPU.cpp). One
 * that reads is answered by a packet from the tile's control port: a header with the id that it names, then
 * the words. */
#define MOST_ANSWERS 64
#define ANSWER_WORDS 5
typedef struct {
    u32 words[ANSWER_WORDS], count, sent;
} Answer;
static struct {
    u8 in_packet, words_left, operation, answer_count;
    u32 address;
    Answer answers[MOST_ANSWERS];
    Route route; /* of the first answer, when some of it is sent */
} controls[TILES];
static u32 answers_left; /* of all tiles */

/* --- Arbiters: an owner and a queue of those that wait, first come, first served. */
#define MAX_WAITING 32
static struct {
    u16 owner, waiting_count, waiting[MAX_WAITING];
} arbiters[TILES * ARBITERS];

void stream_reset(void) {
    switch_epoch++;
    __builtin_memset(controls, 0, sizeof controls);
    answers_left = 0;
    for (u32 i = 0; i < TILES * ARBITERS; i++) {
        arbiters[i].owner = NOBODY;
        arbiters[i].waiting_count = 0;
    }
}

u32 arbiter_owner(u32 arbiter) { return arbiters[arbiter].owner; }

static int take_arbiter(u32 channel, u32 arbiter) {
    u32 n = arbiters[arbiter].waiting_count, place = 0;
    u16 *waiting = arbiters[arbiter].waiting;
    if (arbiters[arbiter].owner == channel) return 1;
    while (place < n && waiting[place] != channel) place++;
    if (arbiters[arbiter].owner == NOBODY && place == 0) {
        if (n) {
            for (u32 i = 1; i < n; i++) waiting[i - 1] = waiting[i];
            arbiters[arbiter].waiting_count = (u16)(n - 1);
        }
        arbiters[arbiter].owner = (u16)channel;
        progress++;
        return 1;
    }
    if (place == n && n < MAX_WAITING) {
        waiting[n] = (u16)channel;
        arbiters[arbiter].waiting_count = (u16)(n + 1);
    }
    return 0;
}

/* Takes the arbiters of a route one after the other; 0 when one of them is another packet's. */
int route_take_arbiters(u32 channel, Route *route) {
    while (route->held < route->arbiters) {
        if (!take_arbiter(channel, route->arbiter[route->held])) return 0;
        route->held++;
    }
    return 1;
}

/* Gives all arbiters back: the packet's last word has passed. Also leaves the queue of one it still waited
 * for. */
void route_release(u32 channel, Route *route) {
    for (u32 i = 0; i < route->arbiters; i++) {
        u32 arbiter = route->arbiter[i], n = arbiters[arbiter].waiting_count, kept = 0;
        if (arbiters[arbiter].owner == channel) arbiters[arbiter].owner = NOBODY;
        for (u32 j = 0; j < n; j++)
            if (arbiters[arbiter].waiting[j] != channel)
                arbiters[arbiter].waiting[kept++] = arbiters[arbiter].waiting[j];
        arbiters[arbiter].waiting_count = (u16)kept;
    }
    route->held = 0;
}

/* --- Following a stream. */
static u32 sender_tile(u32 sender) {
    return sender >= ACTOR_CORE ? sender - ACTOR_CORE : channel_tile(sender);
}

static int fail(Route *route, RouteError error, u32 tile, u32 port) {
    route->error = (u16)error;
    route->error_tile = (u16)tile;
    route->error_port = (u16)port;
    return 0;
}

static int follow(u32 channel, Route *route, u32 tile, u32 slave, int dropped, u32 hops);

static int reach(u32 channel, Route *route, u32 sink, int dropped) {
    if (route->targets == MAX_SINKS)
        fault(FAULT_NOT_MODELLED, UNMODELLED_FAN_OUT, sender_tile(channel), channel, 0, 0, 0);
    route->target[route->targets].sink = (u16)sink;
    route->target[route->targets].drop_header = (u8)dropped;
    route->target[route->targets++].room = ROOM_ON_THE_WAY;
    return 1;
}

/* Out of master port `master`: a receiver, or on into the next switch. */
static int leave(u32 channel, Route *route, u32 tile, u32 master, int dropped, u32 hops) {
    int kind = tile_kind(tile);
    const Switch *sw = &switches[kind];
    u32 range = 0, next = tile, column = tile_column(tile), row = tile_row(tile);
    while (range + 1 < sw->range_count && master >= sw->ranges[range + 1].first) range++;
    u32 index = master - sw->ranges[range].first;
    switch (sw->ranges[range].bundle) {
    case TO_DMA: return reach(channel, route, tile * CHANNELS_PER_TILE + index, dropped);
    case TO_TILE_CONTROL: return reach(channel, route, SINK_TILE_CONTROL + tile, dropped);
    case TO_CORE: return reach(channel, route, SINK_CORE + tile, dropped);
    case TO_FIFO: return follow(channel, route, tile, sw->fifo, dropped, hops + 1);
    case TO_NORTH:
        if (row + 1 == rows) return fail(route, ROUTE_EDGE, tile, master);
        next = tile + 1;
        return follow(channel, route, next, switches[tile_kind(next)].south + index, dropped, hops + 1);
    case TO_EAST:
        if (column + 1 >= columns) return fail(route, ROUTE_EDGE, tile, master);
        next = tile + ROWS_PER_COLUMN;
        return follow(channel, route, next, switches[tile_kind(next)].west + index, dropped, hops + 1);
    case TO_WEST:
        if (column == 0) return fail(route, ROUTE_EDGE, tile, master);
        next = tile - ROWS_PER_COLUMN;
        return follow(channel, route, next, switches[tile_kind(next)].east + index, dropped, hops + 1);
    default: /* TO_SOUTH */
        if (kind == SHIM) { /* demultiplexer: South2 bits 5:4 -> S2MM0, South3 bits 7:6 -> S2MM1 */
            if ((index != 2 && index != 3) || (REG(tile, SHIM_DEMUX) >> (index == 2 ? 4 : 6) & 3) != MUX_DMA)
                return fail(route, ROUTE_NOT_DMA, tile, master);
            return reach(channel, route, tile * CHANNELS_PER_TILE + index - 2, dropped);
        }
        next = tile - 1;
        return follow(channel, route, next, switches[tile_kind(next)].north + index, dropped, hops + 1);
    }
}

/* Into slave port `slave`, and out of every master that takes from it. */
static int follow(u32 channel, Route *route, u32 tile, u32 slave, int dropped, u32 hops) {
    const Switch *sw = &switches[tile_kind(tile)];
    u32 config = REG(tile, sw->slaves + 4 * slave), found = 0;
    if (hops > MAX_HOPS) fault(FAULT_SWITCH_LOOP, channel, tile, 0, 0, 0, 0);
    if (!(config >> 31)) return fail(route, ROUTE_PORT_OFF, tile, slave);
    int packet = config >> 30 & 1;
    u32 arbiter = 0, msel = 0;
    if (packet) {
        if (dropped)
            fault(FAULT_NOT_MODELLED, UNMODELLED_HEADER_DROPPED, tile, sw->slaves + 4 * slave, config, 0, 0);
        if (!route->has_header) return fail(route, ROUTE_NEED_HEADER, tile, slave);
        u32 slot = 0, word = 0;
        for (; slot < SLOTS; slot++) {
            word = REG(tile, sw->slots + 16 * slave + 4 * slot);
            if (word & 0x100 && !((route->header ^ word >> 24) & (word >> 16 & 31))) break;
        }
        if (slot == SLOTS) return fail(route, ROUTE_NO_SLOT, tile, slave);
        arbiter = word & 7;
        msel = word >> 4 & 3;
        if (route->arbiters == MAX_ARBITERS)
            fault(FAULT_NOT_MODELLED, UNMODELLED_FAN_OUT, tile, sw->slaves + 4 * slave, config, 0, 0);
        route->arbiter[route->arbiters++] = (u16)(tile * ARBITERS + arbiter);
    }
    for (u32 master = 0; master < sw->master_count; master++) {
        u32 word = REG(tile, sw->masters + 4 * master);
        if (!(word >> 31) || (int)(word >> 30 & 1) != packet) continue;
        if (packet ? (word & 7) != arbiter || !(word >> (3 + msel) & 1) : (word & 31) != slave) continue;
        found = 1;
        if (!leave(channel, route, tile, master, dropped || (packet && word >> 7 & 1), hops)) return 0;
    }
    return found ? 1 : fail(route, ROUTE_NO_MASTER, tile, slave);
}

/* Finds where the words of an MM2S channel, or of a core (ACTOR_CORE + tile), go now. Without a header
 * (`has_header` 0) only circuits can be followed. */
void route_resolve(u32 channel, Route *route, int has_header, u32 header) {
    u32 tile = sender_tile(channel), index = channel_index(channel), slave;
    route->epoch = switch_epoch;
    route->has_header = (u8)has_header;
    route->header = has_header ? header & 31 : 0;
    route->targets = route->arbiters = route->held = 0;
    route->error = ROUTE_OK;
    if (channel >= ACTOR_CORE) {
        slave = 0;
    } else if (tile_kind(tile) == SHIM) {
        /* Multiplexer: MM2S0 -> South3 bits 11:10, MM2S1 -> South7 bits 15:14. */
        slave = switches[SHIM].south + (index ? 7 : 3);
        if ((REG(tile, SHIM_MUX) >> (index ? 14 : 10) & 3) != MUX_DMA) {
            fail(route, ROUTE_NOT_DMA, tile, slave);
            return;
        }
    } else {
        slave = tile_kind(tile) == CORE ? 1 + index : index;
    }
    follow(channel, route, tile, slave, 0, 1);
}

static int parity(u32 word) { return __builtin_popcount(word) & 1; }

/* Reads what a control packet asks for. The type of the answer is not known, and 0 here. */
static void answer(u32 tile, u32 control_word) {
    u32 words = controls[tile].words_left, base = tile_column(tile) << COLUMN_SHIFT | tile_row(tile)
                                                                                          << ROW_SHIFT;
    Answer *made = &controls[tile].answers[controls[tile].answer_count++];
    u32 header = (control_word >> 24 & 31) | tile_row(tile) << 16 | tile_column(tile) << 21;
    made->words[0] = header | (u32)!parity(header) << 31;
    for (u32 i = 0; i < words; i++) made->words[i + 1] = read32(base | (controls[tile].address + 4 * i));
    /* It is the channel that sends the packet which reads. */
    u32 memory = tile_kind(tile) == SHIM ? 0 : tile_kind(tile) == MEM ? MEM_MEMORY_BYTES : CORE_MEMORY_BYTES;
    u32 read = controls[tile].address & ~3u;
    if (checks && current_actor < ACTOR_CORE && read + 4 * words <= memory)
        check_words(current_actor, tile_base(tile) + read, 1, words, 0, channels[current_actor].bd_number);
    made->count = words + 1;
    made->sent = 0;
    controls[tile].words_left = 0;
    answers_left++;
}

/* How many words a port takes: one that has many answers to send takes none. */
u32 tile_control_room(u32 tile) { return MOST_ANSWERS - controls[tile].answer_count; }

/* Sends of a tile's oldest answer what finds room. */
static void send_answer(u32 tile) {
    static const u8 control_slaves[] = {[SHIM] = 0, [MEM] = 6, [CORE] = 3};
    Answer *first = &controls[tile].answers[0];
    Route *route = &controls[tile].route;
    u32 checked = checks;
    if (!first->sent && !route->held) {
        route->epoch = switch_epoch;
        route->has_header = 1;
        route->header = first->words[0] & 31;
        route->targets = route->arbiters = route->held = 0;
        route->error = ROUTE_OK;
        if (!follow(ACTOR_CORE + tile, route, tile, control_slaves[tile_kind(tile)], 0, 0))
            fault(FAULT_NOT_MODELLED, UNMODELLED_CONTROL_PACKET, tile, controls[tile].address,
                  first->words[0], 0, 0);
    }
    if (!route_take_arbiters(ACTOR_CORE + tile, route)) return;
    checks = 0; /* accesses of no actor */
    for (; first->sent < first->count; first->sent++) {
        for (u32 i = 0; i < route->targets; i++)
            if (!(route->target[i].drop_header && !first->sent) && !sink_room(&route->target[i])) goto full;
        for (u32 i = 0; i < route->targets; i++)
            if (!(route->target[i].drop_header && !first->sent))
                deliver(ACTOR_TXN, &route->target[i], &first->words[first->sent], 1);
    }
    for (u32 i = 0; i < route->targets; i++) sink_end(&route->target[i]);
    route_release(ACTOR_CORE + tile, route);
    controls[tile].answer_count--;
    for (u32 i = 0; i < controls[tile].answer_count; i++) first[i] = first[i + 1];
    answers_left--;
    progress++;
full:
    checks = checked;
}

void send_answers(void) {
    for (u32 tile = 0; answers_left && tile < TILES; tile++)
        if (controls[tile].answer_count) send_answer(tile);
}

/* --- Words that arrive at a tile's control port. */
static u32 control_packets_join;
__attribute__((export_name("set_control_packets_join"))) void set_control_packets_join(u32 join) {
    control_packets_join = join;
}

void tile_control_word(u32 tile, u32 word) {
    if (!controls[tile].in_packet) { /* the stream header */
        controls[tile].in_packet = 1;
        controls[tile].words_left = 0;
        return;
    }
    if (!controls[tile].words_left) {
        controls[tile].operation = word >> 22 & 3;
        controls[tile].words_left = (u8)((word >> 20 & 3) + 1);
        controls[tile].address = word & 0xFFFFF;
        if (controls[tile].operation == 1) {
            answer(tile, word);
            if (control_packets_join) controls[tile].in_packet = 0;
        }
        return;
    }
    write32(tile_column(tile) << COLUMN_SHIFT | tile_row(tile) << ROW_SHIFT | controls[tile].address, word);
    controls[tile].address += 4;
    if (!--controls[tile].words_left && control_packets_join)
        controls[tile].in_packet = 0; /* the next one's header */
}

void tile_control_end(u32 tile) { controls[tile].in_packet = 0; }

/* --- Packets of trace units. The host makes them when a run has ended: their words take the way of any
 * packet from the slave port of a tile. Returns how many words arrived; the rest of a packet that finds no
 * room is lost, as after a full buffer. */
#define PACKET_WORDS 8
static u32 trace_packet[PACKET_WORDS];
__attribute__((export_name("trace_packet"))) u32 trace_packet_address(void) { return (u32)trace_packet; }

__attribute__((export_name("send_trace"))) u32 send_trace(u32 tile, u32 slave) {
    static Route route;
    u32 sent = 0, checked = checks;
    route.epoch = switch_epoch;
    route.has_header = 1;
    route.header = trace_packet[0] & 31;
    route.targets = route.arbiters = route.held = 0;
    route.error = ROUTE_OK;
    if (!follow(ACTOR_CORE + tile, &route, tile, slave, 0, 0) || !route_take_arbiters(ACTOR_TXN, &route))
        return 0;
    checks = 0; /* accesses of no actor */
    for (; sent < PACKET_WORDS; sent++) {
        for (u32 i = 0; i < route.targets; i++)
            if (!(route.target[i].drop_header && !sent) && !sink_room(&route.target[i])) goto full;
        for (u32 i = 0; i < route.targets; i++)
            if (!(route.target[i].drop_header && !sent))
                deliver(ACTOR_TXN, &route.target[i], &trace_packet[sent], 1);
    }
full:
    for (u32 i = 0; i < route.targets; i++) sink_end(&route.target[i]);
    route_release(ACTOR_TXN, &route);
    checks = checked;
    return sent;
}
