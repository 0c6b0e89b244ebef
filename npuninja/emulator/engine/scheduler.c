/* What runs when: the runtime sequence, then cores and channels in the order of their numbers, round after
 * round. A round in which nothing changed means that nothing can ever change again. The order depends on
 * nothing but the input. */
#include "checks.h"

#define EXPORT(name) __attribute__((export_name(name)))
#define ACTORS (CHANNELS + TILES)
#define NO_CORE 0 /* index 0 of the table is never a function */

u32 current_actor, progress;
static u32 paused;
static u64 active[(ACTORS + 63) / 64];

/* --- Cores: instances of other wasm modules, called through the table. */
typedef struct {
    u32 function; /* index in the table, NO_CORE when the tile has none */
    u32 reset;    /* index of a machine code core's reset function; NO_CORE: a wasm core */
    u32 stale; /* a wasm core that was reset, or a core whose program memory was written: it is made again */
    u32 kind, need, lock, point;
    u32 ended;
    u64 steps;
} Core;
static Core cores[TILES];
static u64 wanted_cores; /* tiles whose cores are enabled, and which the host has to make first */
typedef i64 (*StepFunction)(void);
typedef void (*ResetFunction)(void);

void activate(u32 actor) { active[actor / 64] |= 1ull << actor % 64; }
static void deactivate(u32 actor) { active[actor / 64] &= ~(1ull << actor % 64); }

EXPORT("set_core") void set_core(u32 tile, u32 function) {
    core_streams_forget(tile);
    cores[tile] = (Core){.function = function};
    if (function == NO_CORE) {
        deactivate(ACTOR_CORE + tile);
        return;
    }
    /* Its configuration leaves it in reset, so that no NPU runs it; here it runs, and its register says
     * so. */
    REG(tile, CORE_CONTROL) = 1;
    REG(tile, CORE_STATUS) &= ~CORE_STATUS_DONE;
    activate(ACTOR_CORE + tile);
}

/* A core of machine code runs when its control register enables it and does not hold it in reset. */
EXPORT("set_machine_core") void set_machine_core(u32 tile, u32 function, u32 reset) {
    cores[tile] = (Core){.function = function, .reset = reset};
    core_control(tile, REG(tile, CORE_CONTROL));
}

/* Words of a program are written. A core that runs would run some of them, and the host has translated what
 * was there. */
void core_program_written(u32 tile, u32 offset, u32 value) {
    if (cores[tile].function != NO_CORE && active[(ACTOR_CORE + tile) / 64] >> (ACTOR_CORE + tile) % 64 & 1)
        fault(FAULT_NOT_MODELLED, UNMODELLED_PROGRAM_WRITE, tile, offset, value, 0, 0);
    cores[tile].stale = 1;
}

EXPORT("take_wanted_core") u32 take_wanted_core(void) {
    if (!wanted_cores) return TILES;
    u32 tile = (u32)__builtin_ctzll(wanted_cores);
    wanted_cores &= wanted_cores - 1;
    return tile;
}

/* A write to the control register: bit 0 enable, bit 1 reset. What a configuration enables before its program
 * is known is started by set_machine_core. */
void core_control(u32 tile, u32 value) {
    Core *core = &cores[tile];
    int is_machine = core->reset != NO_CORE, runs = (value & 3) == 1;
    if (!is_machine && configuring) return;
    if (value & 2 && !is_machine) core->stale = 1;
    if (runs && (core->function == NO_CORE || core->stale)) {
        wanted_cores |= 1ull << tile; /* the host makes it from what its program memory holds */
        deactivate(ACTOR_CORE + tile);
        return;
    }
    if (value & 2) {
        if (is_machine) ((ResetFunction)core->reset)();
        core->kind = core->ended = 0;
        REG(tile, CORE_STATUS) &= ~CORE_STATUS_DONE;
    }
    if (runs && !core->ended)
        activate(ACTOR_CORE + tile);
    else
        deactivate(ACTOR_CORE + tile);
}

/* --- Event log, for tests and for people; off unless asked for. */
#define LOG_EVENTS 16384
static struct {
    u32 what_actor, a, b;
} event_log[LOG_EVENTS];
static u32 event_count, log_wanted;

void log_event(u32 what, u32 actor, u32 a, u32 b) {
    if (!log_wanted || event_count == LOG_EVENTS) return;
    event_log[event_count].what_actor = what << 16 | actor;
    event_log[event_count].a = a;
    event_log[event_count++].b = b;
}
/* A core executes an event instruction. */
EXPORT("core_event") void core_event(u32 number) { log_event(LOG_MARK, current_actor, number, 0); }
EXPORT("log_events") void log_events(u32 wanted) { log_wanted = wanted; }
EXPORT("event_log") u32 event_log_address(void) { return (u32)event_log; }
EXPORT("take_event_count") u32 take_event_count(void) {
    u32 count = event_count;
    event_count = 0;
    return count;
}

/* --- One turn of an actor. */
#define CORE_GE 1
#define CORE_EQ 2
#define CORE_RELEASE_FAULT 3
#define CORE_MACHINE_FAULT 4
#define CORE_PAUSE 5 /* a core of machine code gives the host a chance to translate it */
#define CORE_SUSPENDED 6 /* in the middle of its code: what it waits for is in core_wait */

static void core_step(u32 tile) {
    Core *core = &cores[tile];
    if (core->kind == CORE_GE && LOCK(core->lock) < (i32)core->need) return;
    if (core->kind == CORE_EQ && LOCK(core->lock) != (i32)core->need) return;
    if (core->kind == CORE_SUSPENDED && !core_can_go_on(tile)) return;
    core->steps++;
    progress++;
    i64 result = ((StepFunction)core->function)();
    if (result == -1) {
        core->ended = 1;
        core->kind = 0;
        REG(tile, CORE_STATUS) |= CORE_STATUS_DONE;
        log_event(LOG_CORE_END, ACTOR_CORE + tile, 0, 0);
        deactivate(ACTOR_CORE + tile);
        return;
    }
    core_waits(tile);
    core->point = (u32)((u64)result >> 32);
    core->kind = (u32)result >> 24;
    core->need = (u32)result >> 16 & 255;
    core->lock = (u32)result & 0xFFFF;
    log_event(LOG_CORE_WAIT, ACTOR_CORE + tile, core->point, (u32)result);
    if (core->kind == CORE_PAUSE) {
        core->kind = 0;
        paused = 1;
        return;
    }
    if (core->kind == CORE_MACHINE_FAULT) fault(FAULT_MACHINE_CORE, tile, core->point, 0, 0, 0, 0);
    if (core->kind == CORE_RELEASE_FAULT)
        fault(FAULT_LOCK, ACTOR_CORE + tile, core->lock, (u32)LOCK(core->lock), 0, core->point, 0);
}

static void step(u32 actor) {
    current_actor = actor;
    if (actor >= ACTOR_CORE) {
        core_step(actor - ACTOR_CORE);
    } else {
        if (channel_is_mm2s(actor))
            mm2s_step(actor);
        else
            s2mm_step(actor);
        if (channels[actor].state == IDLE) deactivate(actor);
    }
}

/* --- The order of turns. Without a seed it is that of the numbers; with one, every order that hardware could
 * take may come: how fast each actor is, whose turn is when, how many words go at once. */
u32 schedule; /* state of the generator (xorshift, Marsaglia 2003), 0: no seed */
static u32 slowness[ACTORS + 1]; /* of so many rounds an actor takes one */

u32 draw(u32 below) {
    schedule ^= schedule << 13;
    schedule ^= schedule >> 17;
    schedule ^= schedule << 5;
    return schedule % below;
}
EXPORT("set_schedule") void set_schedule(u32 seed) {
    schedule = seed;
    for (u32 i = 0; seed && i <= ACTORS; i++) slowness[i] = 1 + draw(4) * draw(4);
}

static void ordered_round(void) {
    for (u32 word = 0; word < sizeof active / sizeof *active; word++)
        for (u64 left = active[word]; left; left &= left - 1) step(64 * word + (u32)__builtin_ctzll(left));
}

static void array_round(void) {
    static u16 turns[ACTORS];
    u32 count = 0, before = progress;
    send_answers();
    if (!schedule) {
        ordered_round();
        return;
    }
    for (u32 word = 0; word < sizeof active / sizeof *active; word++)
        for (u64 left = active[word]; left; left &= left - 1) {
            u32 actor = 64 * word + (u32)__builtin_ctzll(left), place = draw(count + 1);
            turns[count++] = turns[place];
            turns[place] = (u16)actor;
        }
    for (u32 i = 0; i < count; i++)
        if (!draw(slowness[turns[i]]) && active[turns[i] / 64] >> turns[i] % 64 & 1) step(turns[i]);
    /* Perhaps none of those that could move had a turn: that is no standstill. */
    if (progress == before) ordered_round();
}

/* --- What the host calls. */
enum { RUN_DONE, RUN_DEADLOCK, RUN_MORE, RUN_LOAD_PDI, RUN_START_CORE };

EXPORT("begin") void begin(u32 address, u32 bytes, u32 argument_count) {
    txn_begin(address, bytes, argument_count);
    fault_record.kind = FAULT_NONE;
    checks_begin();
}

/* Writes a configuration, given as TXN operations, while the array stands still. 0, or 1 when a poll is not
 * satisfied. */
EXPORT("configure") u32 configure(u32 address, u32 bytes) {
    current_actor = ACTOR_TXN;
    u32 result = (u32)txn_execute(address, bytes);
    checks_reset();
    return result;
}

/* Runs until the sequence is done, nothing moves, a PDI or a core is wanted, or `rounds` rounds have
 * passed. */
EXPORT("run") u32 run(u32 rounds) {
    while (rounds--) {
        u32 before = progress;
        current_actor = ACTOR_TXN;
        int result;
        do result = txn_step();
        while (result == TXN_MOVED && !wanted_cores && !(schedule && draw(slowness[ACTORS])));
        if (wanted_cores) return RUN_START_CORE;
        if (result == TXN_DONE) return RUN_DONE;
        if (result == TXN_LOAD_PDI) return RUN_LOAD_PDI;
        array_round();
        if (wanted_cores) return RUN_START_CORE;
        if (progress == before) return RUN_DEADLOCK;
        if (event_count > LOG_EVENTS / 2 || paused) break;
    }
    paused = 0;
    return RUN_MORE;
}

/* Lets the array come to rest after a sequence, as it does on hardware before the host can start the next
 * one. RUN_DONE when it is at rest, RUN_MORE when `rounds` were not enough. */
EXPORT("settle") u32 settle(u32 rounds) {
    while (rounds--) {
        u32 before = progress;
        array_round();
        if (wanted_cores) return RUN_START_CORE;
        if (progress == before) return RUN_DONE;
        if (event_count > LOG_EVENTS / 2 || paused) break;
    }
    paused = 0;
    return RUN_MORE;
}

/* --- State for reports. */
typedef struct {
    u32 actor, state, bd, bds_done, tasks_done, queued, left, arrived, tokens, base;
    Wait wait;
    i32 lock_value;
    u64 words_moved;
} ActorState;
static ActorState states[ACTORS + 1];

/* Writes the state of every actor that ever did something, the sequence last; returns their number. */
EXPORT("describe") u32 describe(void) {
    u32 count = 0;
    for (u32 id = 0; id < CHANNELS; id++) {
        Channel *c = &channels[id];
        if (c->state == IDLE && !c->queue_count && !c->bds_done && !fifo_count(id)) continue;
        ActorState *s = &states[count++];
        *s = (ActorState){id, c->state, c->bd_number, c->bds_done, c->tasks_done, c->queue_count,
                          c->walk.left, fifo_count(id), c->tokens, c->bd.base, c->wait, 0, c->words_moved};
        if (c->wait.kind == WAIT_LOCK_GE || c->wait.kind == WAIT_LOCK_EQ) s->lock_value = LOCK(c->wait.a);
    }
    for (u32 tile = 0; tile < TILES; tile++) {
        Core *core = &cores[tile];
        if (core->function == NO_CORE) continue;
        ActorState *s = &states[count++];
        *s = (ActorState){.actor = ACTOR_CORE + tile, .state = core->ended, .bd = core->point,
                          .words_moved = core->steps};
        if (core->kind == CORE_SUSPENDED) {
            s->wait = core_wait[tile];
            s->tasks_done = 1;
            if (s->wait.kind == WAIT_LOCK_GE || s->wait.kind == WAIT_LOCK_EQ) s->lock_value = LOCK(s->wait.a);
        } else if (core->kind) {
            s->wait = (Wait){core->kind == CORE_EQ ? WAIT_LOCK_EQ : WAIT_LOCK_GE, core->lock, core->need, 0};
            s->lock_value = LOCK(core->lock);
        }
    }
    states[count++] = (ActorState){.actor = ACTOR_TXN, .state = (u32)txn_finished(), .bd = txn_offset,
                                   .wait = txn_wait};
    return count;
}
EXPORT("actor_states") u32 actor_states(void) { return (u32)states; }
EXPORT("fault_record") u32 fault_record_address(void) { return (u32)&fault_record; }
EXPORT("current_actor") u32 current_actor_number(void) { return current_actor; }
EXPORT("wanted_pdi") u32 wanted_pdi(void) { return txn_pdi; }

/* The numbers the host must agree with, in this order. */
EXPORT("layout") u32 layout(void) {
    static const u32 numbers[] = {LOCK_PLANE, ARRAY_BASE, DDR_BASE,
                                  TILES, CHANNELS_PER_TILE, sizeof(ActorState)};
    return (u32)numbers;
}
