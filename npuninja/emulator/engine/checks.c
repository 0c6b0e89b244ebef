#include "checks.h"

#define EXPORT(name) __attribute__((export_name(name)))

u32 checks;

/* --- Clocks. Actors get small numbers when they first do something. */
/* 32 cores, 4 channels each, 12 of each memtile, 4 of each shim tile, the sequence: 289. */
#define MAX_CLOCKS 320
#define NO_CLOCK 0xFFFF
typedef struct Node Node;
struct Node {
    Node *next;
    u32 units, count, from; /* from: the actor's small number */
    u32 clock[MAX_CLOCKS];
};
static u32 clocks[MAX_CLOCKS][MAX_CLOCKS];
static u32 base[MAX_CLOCKS]; /* of each actor, when the configuration was loaded */
static u16 clock_of[ACTOR_TXN + 1];
static u16 actor_of[MAX_CLOCKS];
static u32 clock_count;

/* Shadow memory, from CHECK_BASE on: a record for each word of data memory, a bit for each byte, nodes. */
typedef struct {
    u32 clock, by; /* by: small number in the upper 9 bits, site below */
} Access;
#define READS 3
typedef struct {
    Access write, read[READS];
} Word;
#define SITE_BITS 23
#define CORE_WORDS (CORE_MEMORY_BYTES / 4)
#define MEM_WORDS (MEM_MEMORY_BYTES / 4)
/* As many as an array of eight columns has, each with a memtile and four cores. */
#define ALL_WORDS (32u * CORE_WORDS + 8u * MEM_WORDS)
#define WORDS ((Word *)CHECK_BASE)
#define FILLED ((u8 *)(CHECK_BASE + sizeof(Word) * ALL_WORDS)) /* a bit for each byte: 4 bits a word */
#define NODES ((Node *)(CHECK_BASE + sizeof(Word) * ALL_WORDS + ALL_WORDS))
#define NODE_COUNT ((DDR_BASE - CHECK_BASE - sizeof(Word) * ALL_WORDS - ALL_WORDS) / sizeof(Node))
static Node *free_nodes;
static u32 nodes_used;

static u32 number_of(u32 actor) {
    if (clock_of[actor]) return clock_of[actor] - 1u;
    u32 n = clock_count < MAX_CLOCKS ? clock_count++ : MAX_CLOCKS - 1;
    clock_of[actor] = (u16)(n + 1);
    actor_of[n] = (u16)actor;
    __builtin_memcpy(clocks[n], base, sizeof base);
    clocks[n][n] = base[n] + 1;
    return n;
}
static u32 *clock_for(u32 actor) { return clocks[number_of(actor)]; }
static void tick(u32 actor) {
    u32 n = number_of(actor);
    clocks[n][n]++;
}
/* Each word is stored, greater or not, so that the compiler takes four at a time. */
static void join(u32 *restrict to, const u32 *restrict from, u32 count) {
    for (u32 i = 0; i < count; i++) to[i] = from[i] > to[i] ? from[i] : to[i];
}
static int ordered(Access access, const u32 *now) { return now[access.by >> SITE_BITS] >= access.clock; }

static Node *new_node(u32 actor, u32 units) {
    Node *node = free_nodes;
    if (node)
        free_nodes = node->next;
    else if (nodes_used < NODE_COUNT)
        node = &NODES[nodes_used++];
    else
        return 0;
    u32 *clock = clock_for(actor);
    node->next = 0;
    node->units = units;
    node->count = clock_count;
    node->from = number_of(actor);
    __builtin_memcpy(node->clock, clock, 4 * clock_count);
    return node;
}
static void free_node(Node *node) {
    node->next = free_nodes;
    free_nodes = node;
}
static void take(u32 actor, Node *node) { join(clock_for(actor), node->clock, node->count); }
/* A node that gathers what several brought. */
static void gather_into(Node **place, u32 actor) {
    if (!*place) {
        *place = new_node(actor, 0);
        return;
    }
    Node *node = *place;
    u32 *clock = clock_for(actor);
    while (node->count < clock_count) node->clock[node->count++] = 0;
    join(node->clock, clock, clock_count);
}

/* --- Queues of units: of locks and of tokens. */
typedef struct {
    Node *first, *last;
    u32 unordered; /* units in front, which the configuration put there */
} Units;
#define LOCKS (LOCKS_PER_TILE * TILES)
static Units locks[LOCKS], tokens[CHANNELS];
static Node *taken[LOCKS];            /* by all that acquired it so far */
static Node *pushed[CHANNELS][QUEUE_DEPTH];
static Units streams[ACTOR_TXN], cascade_units[TILES]; /* words and transfers that have not been received */

static void give_units(Units *units, u32 actor, u32 count) {
    Node *node = new_node(actor, count);
    if (!node) {
        if (units->last) units->last->units += count;
        return;
    }
    if (units->last)
        units->last->next = node;
    else
        units->first = node;
    units->last = node;
}
static void take_units(Units *units, u32 actor, u32 count) {
    u32 n = units->unordered < count ? units->unordered : count;
    units->unordered -= n;
    count -= n;
    while (count && units->first) {
        Node *node = units->first;
        n = node->units < count ? node->units : count;
        /* What the same actor gave later says all that this one says. */
        if (n == count || !node->next || node->next->from != node->from) take(actor, node);
        node->units -= n;
        count -= n;
        if (node->units) break;
        units->first = node->next;
        if (!units->first) units->last = 0;
        free_node(node);
    }
}
static void drop_units(Units *units) {
    while (units->first) {
        Node *node = units->first;
        units->first = node->next;
        free_node(node);
    }
    units->last = 0;
    units->unordered = 0;
}

void check_lock_change(u32 actor, u32 lock, i32 change) {
    if (checks && change) log_event(LOG_LOCK, actor, lock, (u32)change);
    if (!(checks & CHECK_RACES) || !change) return;
    if (change > 0) {
        give_units(&locks[lock], actor, (u32)change);
    } else {
        take_units(&locks[lock], actor, (u32)-change);
        gather_into(&taken[lock], actor);
    }
    tick(actor);
}
void check_lock_exact(u32 actor, u32 lock) {
    if (!(checks & CHECK_RACES)) return;
    if (taken[lock]) take(actor, taken[lock]);
    for (Node *node = locks[lock].first; node; node = node->next) take(actor, node);
}
void check_lock_set(u32 lock, u32 value) {
    if (!(checks & CHECK_RACES)) return;
    drop_units(&locks[lock]);
    if (current_actor != ACTOR_TXN || txn_configuring()) {
        locks[lock].unordered = value;
    } else if (value) {
        give_units(&locks[lock], ACTOR_TXN, value);
        tick(ACTOR_TXN);
    }
}
void check_sent(u32 from, u32 to, u32 words, int waits) {
    if (!(checks & CHECK_RACES)) return;
    if (waits) {
        give_units(&streams[to], from, words);
    } else {
        u32 *clock = clock_for(to);
        join(clock, clock_for(from), clock_count);
    }
    tick(from);
}
void check_received(u32 actor, u32 words) {
    if (checks & CHECK_RACES) take_units(&streams[actor], actor, words);
}
void check_stream_lost(u32 actor) {
    if (!(checks & CHECK_RACES)) return;
    drop_units(&streams[actor]);
    if (actor >= ACTOR_CORE) drop_units(&cascade_units[actor - ACTOR_CORE]);
}
void check_cascade_sent(u32 from, u32 to_tile) {
    if (!(checks & CHECK_RACES)) return;
    give_units(&cascade_units[to_tile], from, 1);
    tick(from);
}
void check_cascade_received(u32 tile) {
    if (checks & CHECK_RACES) take_units(&cascade_units[tile], ACTOR_CORE + tile, 1);
}
void check_pushed(u32 channel, u32 slot) {
    if (!(checks & CHECK_RACES)) return;
    if (pushed[channel][slot]) free_node(pushed[channel][slot]);
    pushed[channel][slot] = new_node(current_actor, 0);
    tick(current_actor);
}
void check_started(u32 channel, u32 slot) {
    if (!(checks & CHECK_RACES) || !pushed[channel][slot]) return;
    take(channel, pushed[channel][slot]);
    free_node(pushed[channel][slot]);
    pushed[channel][slot] = 0;
}
void check_token(u32 channel) {
    if (!(checks & CHECK_RACES)) return;
    give_units(&tokens[channel], channel, 1);
    tick(channel);
}
void check_token_taken(u32 channel) {
    if (checks & CHECK_RACES) take_units(&tokens[channel], ACTOR_TXN, 1);
}
void check_tokens_lost(u32 channel) {
    if (checks & CHECK_RACES && tokens[channel].first) drop_units(&tokens[channel]);
}
void check_polled(u32 actor) {
    if (!(checks & CHECK_RACES)) return;
    u32 *clock = clock_for(ACTOR_TXN);
    join(clock, clock_for(actor), clock_count);
    tick(actor);
}

/* --- What was found. The host makes sentences of it. */
enum { RACE_MEMORY = 1, RACE_HOST, RACE_HOST_READS, RACE_BD_REWRITTEN, RACE_BD_LATE };
#define FIRST_WRITES 1
#define SECOND_WRITES 2
#define MAX_RACES 512
static struct {
    u32 kind, writes, first_actor, first_site, second_actor, second_site, address, count;
} races[MAX_RACES];
static u32 race_count;

static void found(u32 kind, u32 writes, u32 first, u32 first_site, u32 second, u32 second_site, u32 address) {
    for (u32 i = race_count; i--;)
        if (races[i].kind == kind && races[i].writes == writes && races[i].first_actor == first &&
            races[i].first_site == first_site && races[i].second_actor == second &&
            races[i].second_site == second_site) {
            races[i].count++;
            return;
        }
    if (race_count == MAX_RACES) return;
    races[race_count].kind = kind;
    races[race_count].writes = writes;
    races[race_count].first_actor = first;
    races[race_count].first_site = first_site;
    races[race_count].second_actor = second;
    races[race_count].second_site = second_site;
    races[race_count].address = address;
    races[race_count++].count = 1;
}
EXPORT("race_table") u32 race_table(void) { return (u32)races; }
EXPORT("race_count") u32 race_number(void) { return race_count; }

/* --- Words of data memory. */

static u32 first_word[TILES];
static u32 words_of(u32 tile) {
    if (!tile_exists(tile)) return 0;
    return tile_kind(tile) == MEM ? MEM_WORDS : tile_kind(tile) == CORE ? CORE_WORDS : 0;
}

/* Gives the words of all data memories numbers, those of a tile in a row. */
void number_words(void) {
    u32 next = 0;
    for (u32 tile = 0; tile < TILES; next += words_of(tile), tile++) first_word[tile] = next;
}

/* Whether the shadow memory has room for every word of the device. */
EXPORT("can_check") u32 can_check(void) { return first_word[TILES - 1] + words_of(TILES - 1) <= ALL_WORDS; }

/* The number of a word of data memory, or ALL_WORDS when the address is in none. */
static u32 word_number(u32 address) {
    u32 tile = (address - ARRAY_BASE) / TILE_BYTES, offset = (address - ARRAY_BASE) % TILE_BYTES;
    if (address < ARRAY_BASE || tile >= TILES) return ALL_WORDS;
    return offset / 4 < words_of(tile) ? first_word[tile] + offset / 4 : ALL_WORDS;
}

static void race(Access first, u32 writes, u32 actor, u32 site, u32 address) {
    found(RACE_MEMORY, writes, actor_of[first.by >> SITE_BITS], first.by & ((1u << SITE_BITS) - 1), actor,
          site, address);
}

__attribute__((always_inline)) static inline void read_word(Word *word, u32 number, const u32 *now, u32 actor,
                                                            u32 site, u32 address) {
    if (word->write.clock && !ordered(word->write, now))
        race(word->write, FIRST_WRITES, actor, site, address);
    u32 slot = 0;
    if (word->read[0].clock && word->read[0].by >> SITE_BITS != number)
        for (u32 i = 0; i < READS; i++) {
            if (!word->read[i].clock || word->read[i].by >> SITE_BITS == number) {
                slot = i;
                break;
            }
            if (ordered(word->read[i], now)) slot = i;
        }
    word->read[slot].clock = now[number];
    word->read[slot].by = number << SITE_BITS | site;
}
__attribute__((always_inline)) static inline void write_word(Word *word, u32 number, const u32 *now,
                                                             u32 actor, u32 site, u32 address) {
    if (word->write.clock && !ordered(word->write, now))
        race(word->write, FIRST_WRITES | SECOND_WRITES, actor, site, address);
    if (word->read[0].clock) {
        for (u32 i = 0; i < READS && word->read[i].clock; i++) {
            if (!ordered(word->read[i], now)) race(word->read[i], SECOND_WRITES, actor, site, address);
            word->read[i].clock = 0;
        }
    }
    word->write.clock = now[number];
    word->write.by = number << SITE_BITS | site;
}

/* Words from number `first` on, at `address`. */
static inline void order_words(u32 actor, u32 first, u32 address, u32 step, u32 words, int writes, u32 site) {
    u32 number = number_of(actor);
    const u32 *now = clocks[number];
    for (u32 i = 0; i < words; i++) {
        if (writes)
            write_word(&WORDS[first + i * step], number, now, actor, site, address + 4 * i * step);
        else
            read_word(&WORDS[first + i * step], number, now, actor, site, address + 4 * i * step);
    }
}

void check_words(u32 actor, u32 address, u32 step, u32 words, int writes, u32 site) {
    if (address >= DDR_BASE) return; /* host memory is looked at by whole transfers */
    if (writes && checks & CHECK_MEMORY) {
        if (step == 1)
            check_filled(address, 4 * words);
        else
            for (u32 i = 0; i < words; i++) check_filled(address + 4 * i * step, 4);
    }
    if (!(checks & CHECK_RACES)) return;
    u32 first = word_number(address);
    if (first != ALL_WORDS) order_words(actor, first, address, step, words, writes, site);
}

/* --- Bytes that hold data: 4 bits of FILLED for each word. */
static inline u32 byte_number(u32 address) {
    u32 word = word_number(address);
    return word == ALL_WORDS ? 4 * ALL_WORDS : 4 * word + (address & 3);
}
static void set_filled(u32 byte, u32 count, int filled) {
    while (count && byte & 7) {
        u8 bit = (u8)(1 << (byte & 7));
        FILLED[byte >> 3] = (u8)(filled ? FILLED[byte >> 3] | bit : FILLED[byte >> 3] & ~bit);
        byte++;
        count--;
    }
    __builtin_memset(&FILLED[byte >> 3], filled ? 0xFF : 0, count >> 3);
    byte += count & ~7u;
    for (count &= 7; count; count--, byte++) {
        u8 bit = (u8)(1 << (byte & 7));
        FILLED[byte >> 3] = (u8)(filled ? FILLED[byte >> 3] | bit : FILLED[byte >> 3] & ~bit);
    }
}
static int is_filled(u32 byte) { return FILLED[byte >> 3] >> (byte & 7) & 1; }
/* Of the word that holds it. */
static u32 word_filled(u32 byte) { return FILLED[byte >> 3] >> (byte & 4) & 15; }

void check_filled(u32 address, u32 bytes) {
    u32 byte = byte_number(address);
    if (checks & CHECK_MEMORY && byte < 4 * ALL_WORDS && bytes) set_filled(byte, bytes, !bare_words);
}

u32 bare_words;

void check_bare(u32 address, u32 step, u32 words, u8 *bare) {
    u32 byte = checks & CHECK_MEMORY && address < DDR_BASE ? byte_number(address) : 4 * ALL_WORDS;
    if (byte == 4 * ALL_WORDS) {
        __builtin_memset(bare, 0, words);
        return;
    }
    for (u32 i = 0; i < words; i++, byte += 4 * step) bare[i] = !word_filled(byte);
}

u32 check_bare_run(u32 address, u32 words) {
    u32 byte = checks & CHECK_MEMORY && address < DDR_BASE ? byte_number(address) : 4 * ALL_WORDS, run = 1;
    bare_words = 0;
    if (byte == 4 * ALL_WORDS) return words;
    u32 bare = !word_filled(byte);
    while (run < words) {
        /* Two words a byte. */
        if (!bare && run + 2 <= words && !(byte + 4 * run & 7) && FILLED[(byte + 4 * run) >> 3] == 0xFF)
            run += 2;
        else if ((word_filled(byte + 4 * run) == 0) == bare)
            run++;
        else
            break;
    }
    bare_words = bare;
    return run;
}

/* --- Buffer descriptors. */
static Access bd_loads[CHANNELS][64], bd_writes[TILES][64]; /* several channels may have loaded one BD */

void check_bd_loaded(u32 channel, u32 number) {
    if (!(checks & CHECK_RACES)) return;
    u32 n = number_of(channel), tile = channel_tile(channel);
    if (bd_writes[tile][number].clock && !ordered(bd_writes[tile][number], clocks[n]))
        found(RACE_BD_LATE, FIRST_WRITES, ACTOR_TXN, bd_writes[tile][number].by & ((1u << SITE_BITS) - 1),
              channel, number, 0);
    bd_loads[channel][number] = (Access){clocks[n][n], n << SITE_BITS | number};
}
void check_bd_written(u32 tile, u32 number) {
    if (!(checks & CHECK_RACES) || current_actor != ACTOR_TXN || txn_configuring()) return;
    u32 n = number_of(ACTOR_TXN);
    for (u32 i = 0; i < CHANNELS_PER_TILE; i++) {
        Access load = bd_loads[tile * CHANNELS_PER_TILE + i][number];
        if (load.clock && !ordered(load, clocks[n]))
            found(RACE_BD_REWRITTEN, SECOND_WRITES, actor_of[load.by >> SITE_BITS], number, ACTOR_TXN,
                  txn_offset, 0);
    }
    bd_writes[tile][number] = (Access){clocks[n][n], n << SITE_BITS | txn_offset};
}

/* --- Host memory, by transfers. */
#define MAX_TRANSFERS 1024
typedef struct {
    u32 channel, number, ended, clock; /* clock: of the channel, at the end */
    Bd bd;
    i64 last;
    Node *start, *end;
} Transfer;
static Transfer transfers[MAX_TRANSFERS];
static u32 transfer_count;
static u16 running[CHANNELS]; /* number + 1 */

static void forget_transfers(void);
void check_transfer_begins(u32 channel, const Bd *bd, u32 number) {
    running[channel] = 0;
    if (!(checks & CHECK_RACES) || !bd->length) return;
    if (transfer_count == MAX_TRANSFERS) forget_transfers();
    if (transfer_count == MAX_TRANSFERS) return;
    Transfer *t = &transfers[transfer_count++];
    *t = (Transfer){.channel = channel, .number = number, .bd = *bd, .start = new_node(channel, 0)};
    walk_extent(bd, &t->last);
    running[channel] = (u16)transfer_count;
}

#define BITMAP_WORDS (1u << 20) /* of 32 words each: 128 MiB of host memory */
static u32 bitmap[BITMAP_WORDS];

/* Goes over the words of a transfer from `low` on; marks them, or says whether one is marked. */
static int over_words(const Bd *bd, u32 low, u32 words, int mark, u32 *where) {
    Walk walk;
    walk_start(&walk, bd);
    while (walk.left) {
        u32 n = walk.row_left < walk.left ? walk.row_left : walk.left;
        for (u32 i = 0; i < n; i++) {
            u32 at = (walk.at + 4 * i * bd->step[0] - low) / 4;
            if (at >= words) continue;
            if (mark)
                bitmap[at / 32] |= 1u << at % 32;
            else if (bitmap[at / 32] >> at % 32 & 1) {
                *where = low + 4 * at;
                return 1;
            }
        }
        walk_advance(&walk, bd, n);
    }
    return 0;
}

static int transfers_meet(const Transfer *a, const Transfer *b, u32 *where) {
    u32 low = a->bd.base > b->bd.base ? a->bd.base : b->bd.base;
    u64 end_a = (u64)a->bd.base + 4 * (u64)a->last + 4, end_b = (u64)b->bd.base + 4 * (u64)b->last + 4;
    u64 end = end_a < end_b ? end_a : end_b;
    if (end <= low || (end - low) / 128 >= BITMAP_WORDS) return 0;
    u32 words = (u32)((end - low) / 4);
    __builtin_memset(bitmap, 0, 4 * (words / 32 + 1));
    over_words(&a->bd, low, words, 1, where);
    return over_words(&b->bd, low, words, 0, where);
}

static int node_has(const Node *node, u32 number, u32 clock) {
    return node && number < node->count && node->clock[number] >= clock;
}

/* Whether two transfers are in order: one ends before the other begins, or what the first read came to the
 * second. */
static int transfers_ordered(const Transfer *a, const Transfer *b) {
    u32 n = number_of(a->channel);
    if (!a->ended) return 0;
    if (node_has(b->start, n, a->clock)) return 1;
    return channel_is_mm2s(a->channel) && b->ended && node_has(b->end, n, a->clock);
}

static void compare_transfers(const Transfer *a, const Transfer *b) {
    u32 where;
    if (a->channel == b->channel || (channel_is_mm2s(a->channel) && channel_is_mm2s(b->channel))) return;
    if (transfers_ordered(a, b) || transfers_ordered(b, a) || !transfers_meet(a, b, &where)) return;
    u32 writes = (channel_is_mm2s(a->channel) ? 0 : FIRST_WRITES) |
                 (channel_is_mm2s(b->channel) ? 0 : SECOND_WRITES);
    found(RACE_HOST, writes, a->channel, a->number, b->channel, b->number, where);
}

/* Takes those out that the sequence knows to be over: it starts what comes later. */
static void forget_transfers(void) {
    const u32 *now = clock_for(ACTOR_TXN);
    u32 kept = 0;
    for (u32 i = 0; i < transfer_count; i++) {
        Transfer *t = &transfers[i];
        if (t->ended && now[number_of(t->channel)] >= t->clock) {
            for (u32 k = 0; k < kept; k++) compare_transfers(&transfers[k], t);
            for (u32 k = i + 1; k < transfer_count; k++) compare_transfers(t, &transfers[k]);
            if (t->start) free_node(t->start);
            if (t->end) free_node(t->end);
            continue;
        }
        if (running[t->channel] == i + 1) running[t->channel] = (u16)(kept + 1);
        if (kept != i) transfers[kept] = *t;
        kept++;
    }
    transfer_count = kept;
}

void check_transfer_reads(u32 channel) {
    u32 n = number_of(channel);
    if (running[channel]) transfers[running[channel] - 1].clock = clocks[n][n];
}

void check_transfer_ends(u32 channel) {
    if (!running[channel]) return;
    Transfer *t = &transfers[running[channel] - 1];
    running[channel] = 0;
    u32 n = number_of(channel);
    t->ended = 1;
    /* The receiver of the last word knows that it was read, not that the channel went on. */
    if (!channel_is_mm2s(channel) || !t->clock) t->clock = clocks[n][n];
    t->end = new_node(channel, 0);
    tick(channel);
}

/* The sequence is done: the host reads its buffers now. */
EXPORT("check_run_end") void check_run_end(void) {
    if (!(checks & CHECK_RACES)) return;
    const u32 *now = clock_for(ACTOR_TXN);
    for (u32 i = 0; i < transfer_count; i++) {
        Transfer *t = &transfers[i];
        for (u32 k = 0; k < i; k++) compare_transfers(&transfers[k], t);
        if (channel_is_mm2s(t->channel)) continue;
        int arrived = t->ended || channels[t->channel].walk.left < t->bd.length;
        if (arrived && (!t->ended || now[number_of(t->channel)] < t->clock))
            found(RACE_HOST_READS, FIRST_WRITES, t->channel, t->number, ACTOR_TXN, 0, t->bd.base);
    }
}

void checks_begin(void) {
    for (u32 i = 0; i < transfer_count; i++) {
        if (transfers[i].start) free_node(transfers[i].start);
        if (transfers[i].end) free_node(transfers[i].end);
    }
    transfer_count = 0;
    __builtin_memset(running, 0, sizeof running);
    race_count = 0;
}

static void end_epochs(void);
void checks_reset(void) {
    end_epochs();
    if (!(checks & CHECK_RACES)) return;
    free_nodes = 0;
    nodes_used = 0;
    __builtin_memset(tokens, 0, sizeof tokens);
    __builtin_memset(taken, 0, sizeof taken);
    __builtin_memset(pushed, 0, sizeof pushed);
    __builtin_memset(streams, 0, sizeof streams);
    __builtin_memset(cascade_units, 0, sizeof cascade_units);
    __builtin_memset(bd_loads, 0, sizeof bd_loads);
    __builtin_memset(bd_writes, 0, sizeof bd_writes);
    transfer_count = 0;
    __builtin_memset(running, 0, sizeof running);
    for (u32 lock = 0; lock < LOCKS; lock++)
        locks[lock] = (Units){0, 0, LOCK(lock) > 0 ? (u32)LOCK(lock) : 0};
    for (u32 n = 0; n < clock_count; n++) base[n] = clocks[n][n];
    for (u32 n = 0; n < clock_count; n++) {
        __builtin_memcpy(clocks[n], base, sizeof base);
        clocks[n][n]++;
    }
}

EXPORT("set_checks") void set_checks(u32 wanted) { checks = wanted; }

/* --- Cores, whose modules tell every access (npuninja/emulator/core_modules). */
#define LOCK_PAGE 0x10000u
#define STATE_PAGE 0x20000u
#define KERNEL_REGISTERS 0x30000u /* core_modules/address_map.py */
#define WINDOWS 0x40000u
#define WINDOWS_END 0x80000u
#define OWN 0x70000u
#define RENEWED_ALWAYS 512 /* core_renew */
#define RENEWED_SELDOM 256
#define PACKED_SITE ((1u << 20) - 1)
#define PACKED_KERNEL (1u << 26)
#define PACKED_WRITES (1u << 27)
static inline u32 packed_bytes(u32 packed) { return 1u << (packed >> 20 & 7); }
static inline u32 packed_align(u32 packed) { return 1u << (packed >> 23 & 7); }

enum { REGION_STACK = 1, REGION_DATA, REGION_BUFFER };
typedef struct {
    u32 start, end, kind, granted;
} Region;
#define MAX_REGIONS 256
#define RECENT 64
typedef struct {
    Region regions[MAX_REGIONS];
    u32 region_count, call, epoch, renewals;
    u16 recent[RECENT]; /* by site: an access goes to the same buffer mostly */
    u32 epoch_clock; /* of the core when the epoch began; 0: it is over */
    /* Number + 1 of one that was loaded and not changed since: an acquire of an exact value leaves it so. */
    u32 lock_seen;
} CoreChecks;
static CoreChecks core_checks[TILES];

EXPORT("clear_regions") void clear_regions(u32 tile) {
    core_checks[tile] = (CoreChecks){.epoch = core_checks[tile].epoch};
}
EXPORT("add_region") u32 add_region(u32 tile, u32 start, u32 end, u32 kind) {
    CoreChecks *c = &core_checks[tile];
    if (c->region_count == MAX_REGIONS) return 0;
    c->regions[c->region_count++] = (Region){start, end, kind, 0};
    return 1;
}

static void end_epochs(void) {
    for (u32 tile = 0; tile < TILES; tile++) core_checks[tile].epoch_clock = 0;
}
static u32 own_clock(const CoreChecks *c) {
    u32 n = number_of(ACTOR_CORE + (u32)(c - core_checks));
    return clocks[n][n];
}

/* Marks of one epoch say nothing in the next. A mark's bytes are low, high, low, high | 0x80, with low from
 * 0x80 and high below it: what is read across two marks never fits, and of either half the lower 15 bits are
 * the same, which no read at an odd address has. After the last epoch comes the first, whose mark has the
 * module take all marks away. */
static u32 mark_of(const CoreChecks *c) {
    u32 low = c->epoch >> 7 | 0x80, high = c->epoch & 0x7F;
    return low | high << 8 | low << 16 | (high | 0x80) << 24;
}
static u32 next_epoch(CoreChecks *c) {
    if (!c->epoch) c->epoch = 1; /* the module's marks are new */
    do c->epoch = (c->epoch + 1) & 0x3FFF;
    while ((c->epoch >> 7) == (c->epoch & 0x7F));
    c->epoch_clock = own_clock(c);
    return mark_of(c);
}

/* The engine's address of a core's, or 0 when no memory is there. */
static u32 core_address(u32 tile, u32 address) {
    static const i32 steps[4] = {-1, -ROWS_PER_COLUMN, 1, 0};
    if (address - WINDOWS >= WINDOWS_END - WINDOWS) return 0;
    u32 window = (address - WINDOWS) >> 16;
    i32 there = (i32)tile + steps[window];
    if (there < 0 || !tile_exists((u32)there) || tile_kind((u32)there) != CORE) return 0;
    return tile_base((u32)there) + (address & 0xFFFF);
}

typedef enum { MEMORY_OUTSIDE = 1, MEMORY_OTHER_BUFFER, MEMORY_NOT_FILLED, MEMORY_UNALIGNED,
               MEMORY_STRAYED } BadAccess;
static _Noreturn void bad_access(u32 tile, BadAccess why, u32 address, u32 bytes, u32 packed, int writes) {
    fault(FAULT_ACCESS, tile, why, address, bytes, packed, (u32)writes);
}

/* Whether a pointer into a region lies in the core's own data or stack: it was given in an earlier call and
 * kept. */
static int pointer_is_kept(u32 tile, const CoreChecks *c, const Region *to) {
    for (u32 i = 0; i < c->region_count; i++) {
        const Region *r = &c->regions[i];
        if (r->kind == REGION_BUFFER) continue;
        u32 at = core_address(tile, r->start);
        for (u32 word = 0; at && word + 4 <= r->end - r->start; word += 4) {
            u32 value = *(u32 *)(at + word);
            if (value >= to->start && value < to->end) return 1;
        }
    }
    return 0;
}

static void check_region(u32 tile, u32 address, u32 bytes, u32 packed, int writes) {
    CoreChecks *c = &core_checks[tile];
    u16 *recent = &c->recent[packed % RECENT];
    Region *r = &c->regions[*recent];
    if (!c->region_count) return;
    if (address < r->start || address + bytes > r->end) {
        u32 i = 0;
        for (; i < c->region_count; i++)
            if (address >= c->regions[i].start && address + bytes <= c->regions[i].end) break;
        if (i == c->region_count) bad_access(tile, MEMORY_OUTSIDE, address, bytes, packed, writes);
        *recent = (u16)i;
        r = &c->regions[i];
    }
    if (r->kind != REGION_BUFFER || !(packed & PACKED_KERNEL) || r->granted == c->call) return;
    if (!pointer_is_kept(tile, c, r)) bad_access(tile, MEMORY_OTHER_BUFFER, address, bytes, packed, writes);
    r->granted = c->call;
}

static void seen_lock_was_acquire(u32 tile) {
    CoreChecks *c = &core_checks[tile];
    if (c->lock_seen) check_lock_exact(ACTOR_CORE + tile, c->lock_seen - 1);
    c->lock_seen = 0;
}

/* Called for each word that a kernel touches, so the compiler makes one of each for reads and writes. */
__attribute__((always_inline)) static inline u32 core_access(u32 address, u32 packed, int writes) {
    u32 tile = current_actor - ACTOR_CORE, bytes = packed_bytes(packed);
    u32 at = core_address(tile, address);
    if (!at) {
        if (address - KERNEL_REGISTERS < 0x10000) return 0;
        if (!(packed & PACKED_KERNEL) && address - STATE_PAGE < 0x10000) return 0;
        if (!(packed & PACKED_KERNEL) && address - LOCK_PAGE < 0x10000) {
            core_checks[tile].lock_seen = (address - LOCK_PAGE) / 4 + 1;
            return 0;
        }
        if (checks & CHECK_MEMORY) bad_access(tile, MEMORY_OUTSIDE, address, bytes, packed, writes);
        return 0;
    }
    if (core_checks[tile].lock_seen) seen_lock_was_acquire(tile);
    u32 words = (address % 4 + bytes + 3) / 4, marks = address % 4 && bytes >= 4 ? 0 : words;
    if (address % 4 + bytes > 4 && bytes < 4) marks = 0;
    u32 first = word_number(at); /* there is one: `at` is in the data memory of a core */
    if (checks & CHECK_MEMORY) {
        if (address % packed_align(packed))
            bad_access(tile, MEMORY_UNALIGNED, address, bytes, packed, writes);
        check_region(tile, address, bytes, packed, writes);
        u32 byte = 4 * first + (at & 3);
        if (writes) {
            set_filled(byte, bytes, 1);
            for (u32 i = 0; i < words; i++)
                if (word_filled(byte + 4 * i) != 15) marks = 0;
        } else {
            for (u32 i = 0; i < words; i++) {
                u32 filled = word_filled(byte + 4 * i);
                if (filled == 15) continue;
                marks = 0;
                /* Part of a word may be the padding of a struct; a narrower access means that very byte. */
                int missing = bytes >= 4 ? !filled : 0;
                for (u32 k = 0; bytes < 4 && k < bytes; k++) missing |= !is_filled(byte + k);
                if (missing) bad_access(tile, MEMORY_NOT_FILLED, address, bytes, packed, 0);
            }
        }
    }
    if (checks & CHECK_RACES) {
        u32 number = number_of(ACTOR_CORE + tile), site = packed & PACKED_SITE;
        for (u32 i = 0; i < words; i++) {
            Word *word = &WORDS[first + i];
            u32 where = (at & ~3u) + 4 * i;
            if (writes)
                write_word(word, number, clocks[number], ACTOR_CORE + tile, site, where);
            else
                read_word(word, number, clocks[number], ACTOR_CORE + tile, site, where);
        }
    }
    return marks;
}

/* A core begins, or goes on. What it touched stays known while its clock stays: an actor that touched the
 * same since then, and is ordered after it, learnt of it by something that moved the clock. */
EXPORT("core_begin") u32 core_begin(void) {
    CoreChecks *c = &core_checks[current_actor - ACTOR_CORE];
    if (c->epoch_clock && (c->epoch_clock == own_clock(c) || c->renewals > RENEWED_ALWAYS)) return mark_of(c);
    return next_epoch(c);
}
/* Inside a kernel, after what others can see: what the core touches from here on is later than it. A kernel
 * that sends word by word would be asked about every access again: after the first hundreds only now and
 * then. */
EXPORT("core_renew") u32 core_renew(void) {
    CoreChecks *c = &core_checks[current_actor - ACTOR_CORE];
    if (!(checks & CHECK_RACES)) return mark_of(c);
    if (c->renewals++ < RENEWED_ALWAYS || c->renewals % RENEWED_SELDOM == 0) return next_epoch(c);
    return mark_of(c);
}
EXPORT("core_read") u32 core_read(u32 address, u32 packed) { return core_access(address, packed, 0); }
EXPORT("core_write") u32 core_write(u32 address, u32 packed) { return core_access(address, packed, 1); }

/* A store of the core's own function: the lower half is how many words to mark, the upper one the next epoch
 * or 0. */
EXPORT("core_store") u64 core_store(u32 address, u32 value, u32 packed) {
    u32 tile = current_actor - ACTOR_CORE;
    if (address - LOCK_PAGE >= 0x10000) return core_access(address, packed, 1);
    u32 lock = (address - LOCK_PAGE) / 4;
    if (core_checks[tile].lock_seen != lock + 1 && core_checks[tile].lock_seen) seen_lock_was_acquire(tile);
    core_checks[tile].lock_seen = 0;
    check_lock_change(current_actor, lock, (i32)value - LOCK(lock));
    return (u64)next_epoch(&core_checks[tile]) << 32;
}

static int core_range(u32 tile, u32 address, u32 bytes, u32 packed, int writes) {
    u32 at = core_address(tile, address);
    int inside = at && (address & 0xFFFF) + bytes <= 0x10000;
    if (!inside) {
        if (checks & CHECK_MEMORY) bad_access(tile, MEMORY_OUTSIDE, address, bytes, packed, writes);
        return 0; /* its loop runs into the fault */
    }
    if (checks & CHECK_MEMORY) check_region(tile, address, bytes, packed, writes);
    if (checks & CHECK_RACES) {
        u32 saved = checks;
        checks &= ~(u32)CHECK_MEMORY;
        check_words(ACTOR_CORE + tile, at & ~3u, 1, (address % 4 + bytes + 3) / 4, writes,
                    packed & PACKED_SITE);
        checks = saved;
    }
    return 1;
}

EXPORT("core_copy") void core_copy(u32 to, u32 from, u32 bytes, u32 packed) {
    u32 tile = current_actor - ACTOR_CORE;
    if (core_checks[tile].lock_seen) seen_lock_was_acquire(tile);
    if (!bytes || !core_range(tile, from, bytes, packed, 0) || !core_range(tile, to, bytes, packed, 1))
        return;
    if (!(checks & CHECK_MEMORY)) return;
    /* What was not filled is copied as such. */
    u32 source = byte_number(core_address(tile, from)), target = byte_number(core_address(tile, to));
    if (target <= source)
        for (u32 i = 0; i < bytes; i++) set_filled(target + i, 1, is_filled(source + i));
    else
        for (u32 i = bytes; i--;) set_filled(target + i, 1, is_filled(source + i));
}
EXPORT("core_fill") void core_fill(u32 to, u32 bytes, u32 packed) {
    u32 tile = current_actor - ACTOR_CORE;
    if (core_checks[tile].lock_seen) seen_lock_was_acquire(tile);
    if (bytes && core_range(tile, to, bytes, packed, 1)) check_filled(core_address(tile, to), bytes);
}
EXPORT("core_stack") void core_stack(u32 new, u32 old) {
    u32 at = core_address(current_actor - ACTOR_CORE, new);
    if (!(checks & CHECK_MEMORY) || new < OWN || old > WINDOWS_END || !at) return;
    set_filled(byte_number(at), old - new, 0);
}
EXPORT("core_grant") void core_grant(u32 pointer) {
    CoreChecks *c = &core_checks[current_actor - ACTOR_CORE];
    for (u32 i = 0; i < c->region_count; i++)
        if (pointer >= c->regions[i].start && pointer < c->regions[i].end)
            c->regions[i].granted = c->call + 1;
}
EXPORT("core_call") u32 core_call(u32 packed) {
    CoreChecks *c = &core_checks[current_actor - ACTOR_CORE];
    (void)packed;
    c->call++;
    return next_epoch(c);
}
EXPORT("core_return") u32 core_return(void) {
    CoreChecks *c = &core_checks[current_actor - ACTOR_CORE];
    c->call++;
    return next_epoch(c);
}
/* The buffer that an address made of these arguments belongs to: its begin below, its size above. Everything
 * when none of them points into a buffer, or they point into several; or when one may be the end of the
 * buffer before it (an argument of the core's own function is `direct`: it is the buffer that the design
 * gives). Nothing else has an address's value: data memory begins at 0x40000. */
EXPORT("core_bounds") u64 core_bounds(u32 a, u32 b, u32 c, u32 d, u32 direct) {
    const CoreChecks *core = &core_checks[current_actor - ACTOR_CORE];
    const u64 everything = (u64)0xFFFFFFFF << 32;
    u32 arguments[4] = {a, b, c, d}, low = 0, high = 0;
    if (!(checks & CHECK_MEMORY)) return everything;
    for (u32 i = 0; i < 4; i++) {
        u32 start = 0, end = 0;
        int ends = 0;
        for (u32 k = 0; arguments[i] && k < core->region_count; k++) {
            const Region *r = &core->regions[k];
            if (r->end == arguments[i]) ends = 1;
            if (r->kind != REGION_BUFFER || arguments[i] < r->start || arguments[i] >= r->end) continue;
            /* Buffers may lie upon each other. */
            if (!end || r->start < start) start = r->start;
            if (r->end > end) end = r->end;
        }
        if (!end) continue;
        if ((ends && !direct) || (high && (start != low || end != high))) return everything;
        low = start;
        high = end;
    }
    return high ? (u64)(high - low) << 32 | low : everything;
}
/* An access that left the buffer of its argument, which begins at `low`. What is no memory was found
 * before. */
EXPORT("core_strays") void core_strays(u32 address, u32 packed, u32 low) {
    u32 writes = packed & PACKED_WRITES ? 1 : 0;
    fault(FAULT_ACCESS, current_actor - ACTOR_CORE, MEMORY_STRAYED, address, packed_bytes(packed), packed,
          low << 1 | writes);
}
EXPORT("core_within") void core_within(u32 low, u32 size, u32 address, u32 bytes, u32 packed) {
    u32 tile = current_actor - ACTOR_CORE, first = address - low < size ? low + size : address;
    if (!bytes || (address - low < size && bytes <= size - (address - low))) return;
    /* Outside every buffer is the plainer word. */
    check_region(tile, address, bytes, packed, packed & PACKED_WRITES ? 1 : 0);
    fault(FAULT_ACCESS, tile, MEMORY_STRAYED, first, 1, packed,
          low << 1 | (packed & PACKED_WRITES ? 1u : 0u));
}
/* A core waits: what it saw of that lock was no acquire. */
void core_waits(u32 tile) { core_checks[tile].lock_seen = 0; }

/* --- Cores of machine code, whose runtime tells every access and every change of a lock
 * (machine_code/runtime/core.c). Of their buffers nothing is known; what is, is what was never written. `at`:
 * the address of the bundle. */
EXPORT("machine_access") void machine_access(u32 address, u32 bytes, u32 writes, u32 at) {
    u32 tile = current_actor - ACTOR_CORE, there = core_address(tile, address), site = at / 2;
    if (!there) return;
    if (checks & CHECK_MEMORY) {
        u32 byte = byte_number(there), filled = 0;
        if (writes) {
            set_filled(byte, bytes, 1);
        } else {
            for (u32 i = 0; i < bytes; i++) filled += is_filled(byte + i);
            /* Wide loads reach over ends, words over the padding of a struct: only one without any data is
             * wrong. */
            if (!filled) bad_access(tile, MEMORY_NOT_FILLED, address, bytes, site, 0);
        }
    }
    if (checks & CHECK_RACES) {
        u32 saved = checks;
        checks &= ~(u32)CHECK_MEMORY;
        check_words(current_actor, there & ~3u, 1, (address % 4 + bytes + 3) / 4, (int)writes, site);
        checks = saved;
    }
}
EXPORT("machine_lock") void machine_lock(u32 lock, i32 change, u32 exact) {
    check_lock_change(current_actor, lock, change);
    if (exact) check_lock_exact(current_actor, lock);
}
