/* The interpreter: one bundle a turn, with everything that is in flight kept by the cycle in which it lands.
 *
 * Cycles here are unstalled ones: a stall stops the core whole, so nothing in flight moves. In each cycle
 * results that are due land first, then loads read, then instructions of the bundle read their operands, then
 * stores write. */
#include "core.h"

#define EXPORT(name) __attribute__((export_name(name)))
#define RING_WRITES 24
#define RING_EVENTS 16

u8 bank[2][BANK_BYTES] __attribute__((aligned(64)));
Bundle bundles[PROGRAM_BYTES / 2];
u32 block_at[PROGRAM_BYTES / 2];
u32 issues[PROGRAM_BYTES / 2];
u8 ring[RING][RING_SLOTS][SLOT_BYTES] __attribute__((aligned(64)));
u32 lookups[MAX_LOOKUPS][PROGRAM_BYTES / 2];
Op ops[MAX_OPS];
State state;

/* --- Results on their way. */
typedef struct {
    u32 dst, size, banks; /* banks: 1 what instructions read, 2 what bypass readers see */
    u32 origin;           /* the buffer that it points into, see origins.c */
    u8 data[128] __attribute__((aligned(16)));
} Write;
typedef struct {
    const Op *op;
    u32 address, phase;
    u32 is_read; /* a load whose memory was read before the core waited: its bytes are in `data` */
    u32 dst, size, banks; /* of PHASE_CLAIM, whose `address` is the number of cycles until it lands */
    u32 origin;           /* of a stored word */
    u8 data[64] __attribute__((aligned(16)));
} Event;
static Write writes[RING][RING_WRITES];
static u32 write_count[RING];
static Event events[RING][RING_EVENTS];
static u32 event_count[RING];
static u32 in_flight; /* results, events and products on their way */
/* Banks of data memory that this cycle's accesses use: [0] once at least, [1] twice at least, and so on. */
static u32 touched[ACCESSES];

void touch_nothing(void) {
    for (u32 i = 0; i < ACCESSES && touched[i]; i++) touched[i] = 0;
}

/* One more access. The cycle takes as long as the busiest bank, so the order of accesses does not matter. */
void touch(u32 used) {
    for (u32 i = ACCESSES - 1; i > 0; i--) {
        u32 again = touched[i - 1] & used;
        if (again && !touched[i]) state.bank_conflicts++;
        touched[i] |= again;
    }
    touched[0] |= used;
}

void fault(u32 kind, const Op *op, u32 a, u32 b, u32 c) {
    if (state.fault) return;
    state.fault = kind;
    state.fault_at = op ? op->at : state.pc;
    state.fault_a = a;
    state.fault_b = b;
    state.fault_c = c;
}

static Write *claimed = &writes[0][0]; /* the last one */
static u32 result_origin;               /* of the instruction that is being executed */

static u8 *claim(u32 delay, u32 dst, u32 size, u32 banks) {
    u32 slot = (u32)(state.cycle + delay) % RING;
    if (write_count[slot] == RING_WRITES) {
        fault(FAULT_TOO_MUCH_IN_FLIGHT, 0, 0, 0, 0);
        return writes[slot][0].data;
    }
    Write *w = &writes[slot][write_count[slot]++];
    in_flight++;
    w->dst = dst;
    w->size = size;
    w->banks = banks;
    w->origin = 0;
    claimed = w;
    return w->data;
}

static void put32(const Op *op, u32 delay, u32 dst, u32 value) {
    (void)op;
    *(u32 *)claim(delay, dst, 4, 1) = value;
}

/* A shift register holds what fits into six bits; measured: what does not fit acts as 0. */
static u32 shift_register(u32 value) { return (i32)value >= -32 && (i32)value < 64 ? value & 63 : 0; }
i32 shift_of(u32 address) {
    u32 value = *(u32 *)address & 63;
    return value & 32 ? (i32)value - 64 : (i32)value;
}

static void put_scalar(const Op *op, u32 value) {
    put32(op, op->latency, op->dst, op->mask ? value & op->mask : shift_register(value));
    claimed->origin = result_origin;
}

/* The result of a vector instruction: the bytes go to both banks, to the bypass one a cycle earlier. */
static void put_vector(const Op *op, u32 delay, u32 dst, u32 size, const u8 *data) {
    if (op->flags & F_BYPASS) {
        copy(claim(delay - 1, dst, size, 2), data, size);
        copy(claim(delay, dst, size, 1), data, size);
    } else {
        copy(claim(delay, dst, size, 3), data, size);
    }
}

static Event *later(const Op *op, u32 delay, u32 address, u32 phase) {
    u32 slot = (u32)(state.cycle + delay) % RING;
    if (event_count[slot] == RING_EVENTS) {
        fault(FAULT_TOO_MUCH_IN_FLIGHT, op, 0, 0, 0);
        return &events[slot][0];
    }
    Event *e = &events[slot][event_count[slot]++];
    in_flight++;
    e->op = op;
    e->address = address;
    e->phase = phase;
    e->is_read = 0;
    return e;
}

static void land(void) {
    u32 slot = (u32)state.cycle % RING;
    for (u32 i = 0; i < write_count[slot]; i++) {
        Write *w = &writes[slot][i];
        if (state.checked & CHECKED_ORIGINS) set_origin(w->dst, w->size, w->origin);
        if (w->size == 4) {
            if (w->banks & 1) *(u32 *)(bank[0] + w->dst) = *(u32 *)w->data;
            if (w->banks & 2) *(u32 *)(bank[1] + w->dst) = *(u32 *)w->data;
            continue;
        }
        if (w->banks & 1) copy(bank[0] + w->dst, w->data, w->size);
        if (w->banks & 2) copy(bank[1] + w->dst, w->data, w->size);
    }
    in_flight -= write_count[slot];
    write_count[slot] = 0;
}

/* --- Data memory. Physical banks of 128 bits: two in each 16 KiB of a window (device, section 3). */
u32 banks_of(u32 address, u32 size) {
    u32 pair = (address - DATA_START) >> 14 << 1;
    return size > 16 ? 3u << pair : 1u << (pair + (address >> 4 & 1));
}

int memory_reach(const Op *op, u32 address, u32 size) {
    if (address < DATA_START || address + size > DATA_END) {
        fault(FAULT_ADDRESS, op, address, size, 0);
        return 0;
    }
    if (!(state.windows >> ((address >> 16) - 4) & 1)) {
        fault(FAULT_WINDOW, op, address, size, 0);
        return 0;
    }
    touch(banks_of(address, size));
    return 1;
}

u32 memory_aligned(u32 address, u32 size) {
    /* Vectors ignore low address bits; scalars must be where they belong. */
    return size >= 16 ? address & ~((size > 32 ? 32 : size) - 1) : address;
}

static int natural(const Op *op, u32 address, u32 size) {
    if (size < 16 && address & (size - 1)) {
        fault(FAULT_ALIGNMENT, op, address, size, 0);
        return 0;
    }
    return 1;
}

/* --- Addresses: what an access uses, and the pointer's new value. */
static u32 step_2d(u32 pointer, u32 m, i32 *count_out) {
    i32 modifier = (i32)(WORD(REG_M + 4 * m) << 12) >> 12, dn = (i32)WORD(REG_DN + 4 * m);
    i32 dj = (i32)(WORD(REG_DJ + 4 * m) << 12) >> 12, dc = (i32)WORD(REG_DC + 4 * m);
    if (dc == dn) {
        *count_out = 0;
        return (pointer + (u32)modifier) & ADDRESS_MASK;
    }
    *count_out = dc + 1;
    return (pointer + (u32)dj) & ADDRESS_MASK;
}

static u32 plain_address(const Op *op) {
    u32 pointer = WORD(op->pointer);
    switch (op->mode) {
    case MODE_INDEX: return (pointer + ((u32)(i32)(*(i32 *)op->modifier))) & ADDRESS_MASK;
    case MODE_POST:
        put32(op, 1, op->pointer, (pointer + *(u32 *)op->modifier) & ADDRESS_MASK);
        claimed->origin = origin_at(op, (u32)bank[0] + op->pointer);
        return pointer;
    case MODE_2D: {
        i32 count;
        u32 next = step_2d(pointer, op->modifier, &count);
        put32(op, 1, op->pointer, next);
        claimed->origin = origin_at(op, (u32)bank[0] + op->pointer);
        put32(op, 1, REG_DC + 4 * op->modifier, (u32)count & ADDRESS_MASK);
        return pointer;
    }
    default: return pointer;
    }
}

static u32 address_of(const Op *op) {
    u32 address = plain_address(op);
    if (state.checked & CHECKED_ORIGINS && op->op != OP_PADD) check_origin(op, address);
    return address;
}

/* --- Branches and locks. */
static void branch(const Op *op, u32 target) {
    if (state.branch_in) {
        fault(FAULT_BRANCH_IN_DELAY_SLOT, op, state.branch_at, 0, 0);
        return;
    }
    state.branch_in = 6; /* counted down after this bundle already */
    state.branch_target = target & ADDRESS_MASK;
    state.branch_at = op->at;
}

/* The lock page's word of lock `id` as a core names it: 16 each of south, west, north, own. */
static i32 lock_index(const Op *op, u32 id) {
    static const i32 steps[4] = {-1, -8, 1, 0};
    i32 tile = (i32)state.tile + steps[id >> 4 & 3];
    if (tile < 0 || tile >= 64 || (state.windows >> (id >> 4 & 3) & 1) == 0) {
        fault(FAULT_WINDOW, op, id, 0, 1);
        return -1;
    }
    return tile * 64 + (i32)(id & 15);
}

static int condition(const Op *op) { return !(op->flags & F_CONDITION) || WORD(REG_R + 4 * 26); }

/* Releases act four cycles behind their issue; translated code does them at once. Here are those whose cycle
 * is still to come: an acquire meets the lock without them, or, when it would have to wait, with them. */
#define RELEASE_CYCLES 4
#define EARLY_RELEASES 8
static struct {
    u64 cycle;
    i32 index, value;
} early_releases[EARLY_RELEASES];
static u32 early_release;

void forget_early_releases(void) { __builtin_memset(early_releases, 0, sizeof early_releases); }

static i32 released_early(i32 index) {
    i32 sum = 0;
    for (u32 i = 0; i < EARLY_RELEASES; i++)
        if (early_releases[i].value && early_releases[i].index == index &&
            state.cycle - early_releases[i].cycle <= RELEASE_CYCLES)
            sum += early_releases[i].value;
    return sum;
}

void lock_release_early(const Op *op, u32 id, i32 value, u32 ahead) {
    lock_release(op, id, value);
    if (state.fault) return;
    early_release = (early_release + 1) % EARLY_RELEASES;
    early_releases[early_release].cycle = state.cycle + ahead;
    early_releases[early_release].index = lock_index(op, id & 63);
    early_releases[early_release].value = value;
}

/* Whether an acquire can go on; says what it waits for otherwise. */
int lock_can_acquire(const Op *op, u32 id, i32 value) {
    i32 index = lock_index(op, id & 63);
    if (index < 0) return 1;
    i32 now = ((volatile i32 *)LOCK_PAGE)[index], before = now - released_early(index);
    if (value < 0 ? now >= -value || before >= -value : now == value || before == value) return 1;
    state.wait_kind = value < 0 ? STEP_WAIT_GE : STEP_WAIT_EQ;
    state.wait_lock = (u32)index;
    state.wait_need = (u32)(value < 0 ? -value : value);
    return 0;
}

void lock_acquire(const Op *op, u32 id, i32 value) {
    i32 index = lock_index(op, id & 63);
    if (index < 0) return;
    i32 taken = value < 0 ? -value : 0; /* one that waits for an exact value takes nothing */
    if (state.checked & CHECKED_ACCESSES) machine_lock((u32)index, -taken, value >= 0);
    ((volatile i32 *)LOCK_PAGE)[index] -= taken;
    state.lock_stalls++;
}

void lock_release(const Op *op, u32 id, i32 value) {
    i32 index = lock_index(op, id & 63);
    if (index < 0) return;
    volatile i32 *lock = &((volatile i32 *)LOCK_PAGE)[index];
    if (*lock + value > 63 || *lock + value < -64) {
        fault(FAULT_LOCK_OVERFLOW, op, (u32)index, (u32)*lock, (u32)value);
        return;
    }
    if (state.checked & CHECKED_ACCESSES) machine_lock((u32)index, value, 0);
    *lock += value;
}

static void told(const Op *op, u32 address, u32 size, u32 writes) {
    if (state.checked & CHECKED_ACCESSES) machine_access(address, size, writes, op->at);
}

/* --- What happens to an access after its issue. */
enum { PHASE_LOAD, PHASE_UPS, PHASE_UNPACK, PHASE_CASCADE, PHASE_CLAIM, PHASE_STORE, PHASE_PART_READ,
       PHASE_PART_SOURCE, PHASE_PART_WRITE, PHASE_RELEASE, PHASE_DONE };

u32 sign_of(const Op *op, u32 control) {
    return op->flags & F_CONTROL_SIGN ? CONTROL(control) & 1 : (op->flags & F_SIGNED) != 0;
}

/* Four table look-ups: 64 bits from each of four addresses, aligned to x bytes. Two descriptions of the
 * machine differ in whether the second and fourth are taken from the other 16 bytes of their 32. A table for
 * this instruction has each 16 bytes twice, so that both give the same; where they do not, nothing is
 * guessed. */
int gather(const Op *op, const u32 *addresses, u8 *data) {
    u64 compared = op->x > 4 ? ~0ull : 0xFFFFFFFFull;
    for (u32 i = 0; i < 4; i++) {
        u32 plain = addresses[i] & ADDRESS_MASK & ~(op->x - 1u), address = i & 1 ? plain | 16 : plain;
        if (!memory_reach(op, address, 8) || !memory_reach(op, plain, 8)) return 0;
        told(op, address, 8, 0);
        u64 one, other;
        copy((u8 *)&one, (const u8 *)address, 8);
        copy((u8 *)&other, (const u8 *)plain, 8);
        if ((one ^ other) & compared) {
            fault(FAULT_GATHER, op, plain, address, 0);
            return 0;
        }
        copy(data + 8 * i, (const u8 *)&one, 8);
    }
    return 1;
}

/* The word that a part-word store changes; 0 when there is none. */
static int part_reach(const Event *e) {
    return natural(e->op, e->address, e->op->size) && memory_reach(e->op, e->address & ~3u, 4);
}

/* Reads for a load or a part-word store in flight, before the core waits. */
static void read_early(Event *e) {
    const Op *op = e->op;
    u32 address = memory_aligned(e->address, op->size);
    if (e->is_read) return;
    if (e->phase == PHASE_PART_READ) {
        if (!part_reach(e)) return;
        *(u32 *)e->data = *(u32 *)(address & ~3u);
    } else if (op->op == OP_LOAD_GATHER) {
        if (!gather(op, (const u32 *)e->data, e->data + 16)) return;
    } else {
        if (!natural(op, address, op->size) || !memory_reach(op, address, op->size)) return;
        told(op, address, op->size, 0);
        copy(e->data, (const u8 *)address, op->size);
    }
    e->is_read = 1;
}

static void load(Event *e) {
    const Op *op = e->op;
    if (op->op == OP_LOAD_GATHER) {
        u8 found[32] __attribute__((aligned(16)));
        if (e->is_read) {
            for (u32 i = 0; i < 8; i++) {
                u32 plain = ((const u32 *)e->data)[i >> 1] & ADDRESS_MASK & ~(op->x - 1u);
                touch(banks_of(i % 4 == 3 ? plain | 16 : plain, 8));
            }
            copy(found, e->data + 16, 32);
        } else if (!gather(op, (const u32 *)e->data, found)) {
            return;
        }
        put_vector(op, op->latency - 4u, op->dst, 32, found);
        return;
    }
    u32 address = memory_aligned(e->address, op->size);
    const u8 *from = e->is_read ? e->data : (const u8 *)address;
    if (e->is_read) {
        touch(banks_of(address, op->size));
    } else {
        if (!natural(op, address, op->size) || !memory_reach(op, address, op->size)) return;
        told(op, address, op->size, 0);
    }
    u8 data[128] __attribute__((aligned(16)));
    switch (op->op) {
    case OP_LOAD: {
        u32 value = op->size == 1 ? (op->flags & F_SIGNED ? (u32)(i32)(i8)*from : *from)
                    : op->size == 2
                        ? (op->flags & F_SIGNED ? (u32)(i32) * (const i16 *)from : *(const u16 *)from)
                        : *(const u32 *)from;
        put32(op, op->latency - 4u, op->dst, op->mask ? value & op->mask : shift_register(value));
        if (state.checked & CHECKED_ORIGINS && op->size == 4) claimed->origin = kept_origin(address, value);
        return;
    }
    case OP_LOAD_VECTOR:
        put_vector(op, op->latency - 4u, op->dst, op->size, from);
        return;
    case OP_LOAD_CONV:
        v_from_bf16(data, from);
        put_vector(op, op->latency - 4u, op->dst, 64, data);
        return;
    case OP_LOAD_UNPACK: {
        Event *next = later(op, 2, 0, PHASE_UNPACK);
        copy(next->data, from, 32);
        return;
    }
    default: { /* OP_LOAD_UPS: the shift is read in stage 7, crSat in stage 8 */
        Event *next = later(op, 2, 0, PHASE_UPS);
        copy(next->data, from, op->size);
    }
    }
}

static void late(Event *e) {
    const Op *op = e->op;
    u8 data[128] __attribute__((aligned(16)));
    switch (e->phase) {
    case PHASE_UPS:
        if (!e->address) { /* stage 7: shift and sign; once more in stage 8 */
            Event *next = later(op, 1, 1 + (*(u32 *)op->a & 63) + (sign_of(op, CR_UPS_SIGN) << 8), PHASE_UPS);
            copy(next->data, e->data, 64);
            return;
        }
        {
            u32 shift = (e->address - 1) & 63;
            v_ups(data, e->data, op->x, op->y, op->size * 8u / op->x, (e->address - 1) >> 8,
                  shift & 32 ? (i32)shift - 64 : (i32)shift, CONTROL(CR_SAT));
            put_vector(op, op->latency - 7u, op->dst, op->size * op->y / op->x, data);
        }
        return;
    case PHASE_CASCADE: /* stage 5: it has been taken (cascade_is_there), unless the core ends first */
        if (e->address)
            put_vector(op, op->latency - 4u, op->dst + (op->op == OP_CASCADE_READ_HIGH ? 64 : 0), 64,
                       e->data);
        return;
    case PHASE_CLAIM: copy(claim(e->address, e->dst, e->size, e->banks), e->data, e->size); return;
    case PHASE_UNPACK: /* source and sign are read in stage 7 */
        v_unpack(data, op->op == OP_VUNPACK ? (const u8 *)op->a : e->data, op->x,
                 sign_of(op, CR_UNPACK_SIGN));
        put_vector(op, op->latency - 6u, op->dst, 64, data);
        return;
    default: return;
    }
}

/* Stage 3 of the accumulator unit: x and y were read at issue and lie in `products`, accumulators are read
 * now. */
typedef struct {
    const Op *op;
    u32 configuration;
    u8 x[64] __attribute__((aligned(16)));
    u8 y[64] __attribute__((aligned(16)));
} Product;
static Product products[RING];
static u32 product_pending[RING];

static void accumulate(void) {
    u32 slot = (u32)state.cycle % RING;
    if (!product_pending[slot]) return;
    product_pending[slot] = 0;
    in_flight--;
    Product *p = &products[slot];
    const Op *op = p->op;
    const u8 *acc1 = (const u8 *)op->a, *acc2 = (const u8 *)op->b;
    u8 data[128] __attribute__((aligned(16)));
    u32 size = 128;
    int known = 1;
    switch (op->op) {
    case OP_MAC: known = v_mac(data, acc1, acc2, p->x, p->y, p->configuration, op->y); break;
    case OP_MAC_F:
        known = v_mac_f(data, acc1, acc2, p->x, p->y, p->configuration, op->y);
        size = 64;
        break;
    case OP_ACC_ADD: v_acc_add(data, acc1, acc2, p->configuration, op->y); break;
    case OP_ACC_ADD_F:
        v_acc_add_f(data, acc1, acc2, p->configuration, op->y);
        size = 64;
        break;
    default: /* vmov.d */ copy(data, acc1, 128);
    }
    if (!known) {
        fault(FAULT_CONFIGURATION, op, p->configuration, 0, 0);
        return;
    }
    put_vector(op, op->latency - 2u, op->dst, size, data);
}

static void start_product(const Op *op) {
    u32 slot = (u32)(state.cycle + 2) % RING;
    Product *p = &products[slot];
    product_pending[slot] = 1;
    in_flight++;
    p->op = op;
    p->configuration = op->extra ? *(u32 *)op->extra : 0;
    if (op->op == OP_MAC || op->op == OP_MAC_F) {
        copy(p->x, (const u8 *)op->c, 64);
        copy(p->y, (const u8 *)op->d, 64);
    }
}

static void store(Event *e) {
    const Op *op = e->op;
    u32 size = op->size, address = memory_aligned(e->address, size);
    if (e->phase == PHASE_DONE) { /* done before the core waited; its bank is used in this cycle */
        touch(banks_of(address, size));
        return;
    }
    if (e->phase == PHASE_RELEASE) {
        lock_release(op, e->address, *(i32 *)e->data);
        return;
    }
    if (e->phase == PHASE_PART_READ) { /* stage 5: the word is read */
        if (e->is_read)
            touch(banks_of(address & ~3u, 4));
        else if (!part_reach(e))
            return;
        Event *next = later(op, 2, address, PHASE_PART_SOURCE);
        *(u32 *)next->data = e->is_read ? *(u32 *)e->data : *(u32 *)(address & ~3u);
        return;
    }
    if (e->phase == PHASE_PART_SOURCE) { /* stage 7: the source register is read */
        u32 value = *(u32 *)op->a, shift = (address & 3) * 8, mask = size == 1 ? 0xFFu : 0xFFFFu;
        Event *next = later(op, 4, address, PHASE_PART_WRITE);
        *(u32 *)next->data = (*(u32 *)e->data & ~(mask << shift)) | (value & mask) << shift;
        return;
    }
    if (e->phase == PHASE_PART_WRITE) { /* stage 11 */
        if (!memory_reach(op, address & ~3u, 4)) return;
        told(op, address, size, 1);
        *(u32 *)(address & ~3u) = *(u32 *)e->data;
        return;
    }
    if (!natural(op, address, size) || !memory_reach(op, address, size)) return;
    told(op, address, size, 1);
    if (state.checked & CHECKED_ORIGINS && op->op == OP_STORE)
        keep_origin(address, *(u32 *)e->data, e->origin);
    copy((u8 *)address, e->data, size);
}

static int is_read(u32 phase) {
    return phase < PHASE_STORE || phase == PHASE_PART_READ || phase == PHASE_PART_SOURCE;
}

static void run_events(int reads) {
    u32 slot = (u32)state.cycle % RING;
    for (u32 i = 0; i < event_count[slot]; i++) {
        Event *e = &events[slot][i];
        if (!e->op || is_read(e->phase) != reads) continue;
        if (e->phase == PHASE_LOAD)
            load(e);
        else if (e->phase < PHASE_STORE)
            late(e);
        else
            store(e);
    }
    if (reads) return;
    in_flight -= event_count[slot];
    event_count[slot] = 0;
}

/* Before the core waits: accesses of what was issued are done, in the order of their cycles. On the hardware
 * an acquire acts in the same stage as a release, so what was issued before it is over when it waits. Banks
 * are used in the stores' own cycles. */
static void finish_accesses(void) {
    forget_early_releases();
    for (u32 ahead = 0; ahead < RING; ahead++) {
        u32 slot = (u32)(state.cycle + ahead) % RING;
        for (u32 i = 0; i < event_count[slot]; i++) {
            Event *e = &events[slot][i];
            if (!e->op || (e->phase != PHASE_LOAD && e->phase != PHASE_PART_READ)) continue;
            touch_nothing();
            read_early(e);
        }
        for (u32 i = 0; i < event_count[slot]; i++) {
            Event *e = &events[slot][i];
            if (!e->op ||
                (e->phase != PHASE_STORE && e->phase != PHASE_PART_WRITE && e->phase != PHASE_RELEASE))
                continue;
            touch_nothing();
            store(e);
            if (e->phase == PHASE_RELEASE)
                e->op = 0;
            else
                e->phase = PHASE_DONE;
        }
    }
}

/* --- Streams and the cascade. A bundle that sends or receives is issued when all of it can be: what was
 * taken or sent on the way there is remembered by the instruction's number in the bundle. */
static u32 port_done, port_values[8];

static int stream_put(const Op *op) {
    u32 last = op->x & STREAM_LAST || (op->x & STREAM_LAST_BY_R28 && WORD(REG_R + 4 * 28));
    return (int)core_stream_put(*(u32 *)op->a, last);
}

static u32 port(const Op *op, u32 number) {
    u64 word;
    switch (op->op) {
    case OP_STREAM_READ:
        if (op->x & STREAM_NO_WAIT) return 0;
        word = core_stream_get();
        port_values[number] = (u32)word;
        return word >> 32 & 1 ? 0 : STEP_WAIT_STREAM_IN;
    case OP_STREAM_WRITE: return op->x & STREAM_NO_WAIT || stream_put(op) ? 0 : STEP_WAIT_STREAM_OUT;
    case OP_CASCADE_WRITE:
        if (!(CONTROL(CR_MCD_EN) & 1)) {
            fault(FAULT_CASCADE_OFF, op, 0, 0, 0);
            return 0;
        }
        if (!core_cascade_out(-1, 0)) return STEP_WAIT_CASCADE_OUT;
        for (i32 i = 0; i < 8; i++) core_cascade_out(i, ((const u64 *)op->a)[i]);
        core_cascade_out(8, 0);
        return 0;
    default: return 0;
    }
}

/* 0 when the bundle can be issued, else the STEP_WAIT_... of what it waits for. */
static u32 ports_wait(const Op *op, const Op *end) {
    for (u32 number = 0; op < end; op++, number++) {
        if (port_done >> number & 1) continue;
        u32 wait = port(op, number);
        if (wait) return wait;
        port_done |= 1u << number;
    }
    return 0;
}

/* Takes what the neighbour's cascade holds; 0 when there is nothing, and the core waits. */
static int take_cascade(const Op *op, u64 *to) {
    if (!(CONTROL(CR_SCD_EN) & 1)) {
        fault(FAULT_CASCADE_OFF, op, 1, 0, 0);
        return 1;
    }
    if (!core_cascade_in(-1)) return 0;
    for (i32 word = 0; word < 8; word++) to[word] = core_cascade_in(word);
    core_cascade_in(8);
    return 1;
}

/* Reads of the cascade take it in stage 5, where crSCDEn is read too: this cycle's are there, or the core
 * waits. */
static int cascade_is_there(void) {
    u32 slot = (u32)state.cycle % RING;
    for (u32 i = 0; i < event_count[slot]; i++) {
        Event *e = &events[slot][i];
        if (!e->op || e->phase != PHASE_CASCADE || e->address) continue;
        if (!take_cascade(e->op, (u64 *)e->data)) return 0;
        if (state.fault) return 1;
        e->address = 1;
    }
    return 1;
}

static void stream_read(const Op *op, u32 number) {
    u32 there = 1;
    if (op->x & STREAM_NO_WAIT) {
        there = core_stream_ready();
        if (there) port_values[number] = (u32)core_stream_get();
    }
    if (there) *(u32 *)claim(op->latency, op->dst, 4, 1) = port_values[number];
    *(u32 *)claim(8, REG_SR + 4 * SR_SS0, 4, 1) = there;
}

/* --- One instruction at its issue. */
#define A (*(u32 *)op->a)
#define B (*(u32 *)op->b)
#define C (*(u32 *)op->c)

static u64 mask_operand(u32 address, u32 lanes) { return lanes == 64 ? *(u64 *)address : *(u32 *)address; }

static void put_mask(const Op *op, u32 dst, u64 mask, u32 lanes) {
    if (lanes == 64)
        *(u64 *)claim(op->latency, dst, 8, 1) = mask;
    else
        put32(op, op->latency, dst, (u32)mask);
}

static void fill(u8 *d, const u8 *value, u32 bytes) {
    for (u32 i = 0; i < 64; i += bytes) copy(d + i, value, bytes);
}

/* A vector instruction without timing: its result into `data` (its size comes back, 0 for none), its mask
 * into `mask`. */
u32 compute(const Op *op, u8 *data, u64 *mask) {
    switch (op->op) {
    case OP_VMOV: copy(data, (const u8 *)op->a, op->size); return op->size;
    case OP_VADD:
    case OP_VSUB:
    case OP_VADDSUB:
    case OP_VBAND:
    case OP_VBOR:
    case OP_VABS_GTZ:
    case OP_VNEG_GTZ:
    case OP_VBNEG_LTZ:
    case OP_VMIN_GE:
    case OP_VMAX_LT:
    case OP_VMAXDIFF_LT:
    case OP_VSUB_LT:
    case OP_VSUB_GE:
    case OP_VSEL:
    case OP_VMIN_GE_BF16:
    case OP_VMAX_LT_BF16:
        lanes_op(op->op, op->x, sign_of(op, CR_VADD_SIGN), data, mask, (const u8 *)op->a,
                 op->b ? (const u8 *)op->b : 0, op->c ? mask_operand(op->c, 512u / op->x) : 0);
        return 64;
    case OP_VLT:
    case OP_VGE:
    case OP_VEQZ:
    case OP_VLT_BF16:
    case OP_VGE_BF16:
        lanes_op(op->op, op->x, sign_of(op, CR_VADD_SIGN), 0, mask, (const u8 *)op->a,
                 op->b ? (const u8 *)op->b : 0, 0);
        return 0;
    case OP_VSHIFT_ALIGN: /* proved for counts beyond both vectors only, which give zeros */
        if (C < 128 || *(u32 *)op->d) fault(FAULT_CONFIGURATION, op, C, *(u32 *)op->d, 0);
        v_shift(data, (const u8 *)op->a, (const u8 *)op->b, C);
        return 64;
    case OP_VSHIFT: v_shift(data, (const u8 *)op->a, (const u8 *)op->b, C); return 64;
    case OP_VSHUFFLE:
        if (!v_shuffle(data, (const u8 *)op->a, (const u8 *)op->b, C))
            fault(FAULT_CONFIGURATION, op, C, 0, 0);
        return 64;
    case OP_VBCST: fill(data, (const u8 *)op->a, op->x / 8u); return 64;
    case OP_VBCSTSHFL: {
        u8 zeros[64] = {0};
        u32 mode = WORD(REG_R + 4 * 29);
        fill(data, (const u8 *)op->a, op->x / 8u);
        if (!v_shuffle(data, data, zeros, mode)) fault(FAULT_CONFIGURATION, op, mode, 0, 0);
        return 64;
    }
    case OP_VEXTBCST: {
        u32 bytes = op->x / 8u, index = B & (64 / bytes - 1);
        fill(data, (const u8 *)op->a + index * bytes, bytes);
        return 64;
    }
    case OP_VEXTRACT: {
        u32 bytes = op->x / 8u, index = B & (64 / bytes - 1), sign = sign_of(op, CR_VADD_SIGN);
        const u8 *from = (const u8 *)op->a + index * bytes;
        if (bytes == 8) {
            copy(data, from, 8);
            return 8;
        }
        u32 value = bytes == 1   ? (sign ? (u32)(i32)(i8)*from : *from)
                    : bytes == 2 ? (sign ? (u32)(i32)*(const i16 *)from : *(const u16 *)from)
                                 : *(const u32 *)from;
        *(u32 *)data = op->mask ? value & op->mask : shift_register(value);
        return 4;
    }
    case OP_VINSERT: {
        u32 bytes = op->x / 8u, index = WORD(REG_R + 4 * 29) & (64 / bytes - 1);
        copy(data, (const u8 *)op->a, 64);
        copy(data + index * bytes, (const u8 *)op->b, bytes);
        return 64;
    }
    case OP_VPUSH_HI: {
        u32 bytes = op->x / 8u;
        copy(data, (const u8 *)op->a + bytes, 64 - bytes);
        copy(data + 64 - bytes, (const u8 *)op->b, bytes);
        return 64;
    }
    case OP_VPUSH_LO: {
        u32 bytes = op->x / 8u;
        copy(data + bytes, (const u8 *)op->b, 64 - bytes);
        copy(data, (const u8 *)op->a, bytes);
        return 64;
    }
    case OP_VPACK:
        v_pack(data, (const u8 *)op->a, op->x, sign_of(op, CR_PACK_SIGN), CONTROL(CR_SAT));
        return 32;
    case OP_VUPS:
        v_ups(data, (const u8 *)op->a, op->x, op->y, op->size * 8u / op->x, sign_of(op, CR_UPS_SIGN),
              shift_of(op->b), CONTROL(CR_SAT));
        return op->size * op->y / op->x;
    case OP_VSRS:
    case OP_STORE_SRS:
        v_srs(data, (const u8 *)op->a, op->x, op->y, op->size * 8u / op->x, sign_of(op, CR_SRS_SIGN),
              shift_of(op->b), CONTROL(CR_RND), CONTROL(CR_SAT));
        return op->size;
    case OP_VCONV_BF16:
    case OP_STORE_CONV: v_to_bf16(data, (const u8 *)op->a, CONTROL(CR_RND)); return 32;
    case OP_STORE_PACK:
        v_pack(data, (const u8 *)op->a, op->x, sign_of(op, CR_PACK_SIGN), CONTROL(CR_SAT));
        return 32;
    case OP_STORE_VECTOR: copy(data, (const u8 *)op->a, op->size); return op->size;
    case OP_VCONV_FP32: v_from_bf16(data, (const u8 *)op->a); return 64;
    case OP_VFLOOR: v_floor(data, (const u8 *)op->a, shift_of(op->b)); return 64;
    case OP_ACC_CLEAR: __builtin_memset(data, 0, 128); return op->size;
    default: fault(FAULT_UNSUPPORTED, op, (u32)op->imm, 0, 0); return 0;
    }
}

static void vector(const Op *op) {
    u8 data[128] __attribute__((aligned(16)));
    u64 mask = 0;
    u32 size = compute(op, data, &mask);
    if (size > 8) put_vector(op, op->latency, op->dst, size, data);
    if (size == 4 || size == 8) copy(claim(op->latency, op->dst, size, 1), data, size);
    if (op->flags & F_MASK) put_mask(op, size ? op->dst2 : op->dst, mask, 512u / op->x);
}

static void divide_step(const Op *op) {
    u32 quotient = WORD(REG_R + 4 * 31), rest = A << 1 | quotient >> 31;
    u64 wide = (u64)A << 1 | quotient >> 31;
    quotient <<= 1;
    if (wide >= B) {
        rest = (u32)(wide - B);
        quotient |= 1;
    }
    put_scalar(op, rest);
    put32(op, 1, REG_R + 4 * 31, quotient);
}

static void execute(const Op *op, u32 number) {
    u8 data[128] __attribute__((aligned(16)));
    result_origin = state.checked & CHECKED_ORIGINS ? origin_of_result(op) : 0;
    switch (op->op) {
    case OP_MOV: put_scalar(op, A); break;
    case OP_MOV_CNTR: *(u64 *)claim(op->latency, op->dst, 8, 1) = state.cycle; break;
    case OP_ADD: {
        u64 sum = (u64)A + B;
        put_scalar(op, (u32)sum);
        put32(op, 1, REG_SR, (u32)(sum >> 32));
        break;
    }
    case OP_ADC: {
        u64 sum = (u64)A + B + (STATUS(SR_CARRY) & 1);
        put_scalar(op, (u32)sum);
        put32(op, 1, REG_SR, (u32)(sum >> 32));
        break;
    }
    case OP_SUB: {
        put_scalar(op, A - B);
        put32(op, 1, REG_SR, A >= B);
        break;
    }
    case OP_SBC: {
        u64 difference = (u64)A - B - !(STATUS(SR_CARRY) & 1);
        put_scalar(op, (u32)difference);
        put32(op, 1, REG_SR, difference >> 63 ? 0 : 1);
        break;
    }
    case OP_ADD_NC: put_scalar(op, A + B); break;
    case OP_AND: put_scalar(op, A & B); break;
    case OP_OR: put_scalar(op, A | B); break;
    case OP_XOR: put_scalar(op, A ^ B); break;
    case OP_LSHL:
        put_scalar(op, (i32)B >= 0 ? A << (B & 31) : A >> ((0 - B) & 31));
        break;
    case OP_ASHL:
        put_scalar(op, (i32)B >= 0 ? A << (B & 31) : (u32)((i32)A >> ((0 - B) & 31)));
        break;
    case OP_ABS: put_scalar(op, (i32)A < 0 ? 0 - A : A); break;
    case OP_CLZ: put_scalar(op, A ? (u32)__builtin_clz(A) : 32); break;
    case OP_CLB: {
        u32 same = A ^ (u32)((i32)A >> 31);
        put_scalar(op, same ? (u32)__builtin_clz(same) : 32);
        break;
    }
    case OP_EQ: put_scalar(op, A == B); break;
    case OP_NE: put_scalar(op, A != B); break;
    case OP_LT: put_scalar(op, (i32)A < (i32)B); break;
    case OP_LTU: put_scalar(op, A < B); break;
    case OP_GE: put_scalar(op, (i32)A >= (i32)B); break;
    case OP_GEU: put_scalar(op, A >= B); break;
    case OP_EQZ: put_scalar(op, A == 0); break;
    case OP_NEZ: put_scalar(op, A != 0); break;
    case OP_EXTEND:
        put_scalar(op, op->x == 8 ? (op->flags & F_SIGNED ? (u32)(i32)(i8)A : A & 0xFF)
                                  : (op->flags & F_SIGNED ? (u32)(i32)(i16)A : A & 0xFFFF));
        break;
    case OP_MUL: put_scalar(op, A * B); break;
    case OP_SELEQZ: put_scalar(op, WORD(REG_R + 4 * 27) ? B : A); break;
    case OP_SELNEZ: put_scalar(op, WORD(REG_R + 4 * 27) ? A : B); break;
    case OP_DIVS: divide_step(op); break;
    case OP_EVENT: state.events++; break;
    case OP_DONE: state.stopped = 1; break;
    case OP_ACQ:
        if (condition(op)) lock_acquire(op, A, (i32)B);
        break;
    case OP_REL:
        if (condition(op)) *(u32 *)later(op, 4, A, PHASE_RELEASE)->data = B;
        break;
    case OP_J: branch(op, A); break;
    case OP_JL:
        branch(op, A);
        put32(op, 4, REG_LR, op->extra);
        break;
    case OP_JZ:
        if (!B) branch(op, A);
        break;
    case OP_JNZ:
        if (B) branch(op, A);
        break;
    case OP_JNZD:
        put_scalar(op, B - 1);
        if (B) branch(op, A);
        break;

    case OP_PADD: address_of(op); break;
    case OP_LOAD:
    case OP_LOAD_VECTOR:
    case OP_LOAD_CONV:
    case OP_LOAD_UPS:
    case OP_LOAD_UNPACK: {
        u32 address = address_of(op);
        later(op, 4, address, PHASE_LOAD);
        break;
    }
    case OP_LOAD_GATHER: copy(later(op, 4, 0, PHASE_LOAD)->data, (const u8 *)op->a, 16); break;
    case OP_STORE: {
        u32 address = address_of(op);
        Event *e = later(op, 4, address, PHASE_STORE);
        *(u32 *)e->data = A;
        e->origin = state.checked & CHECKED_ORIGINS ? origin_at(op, op->a) : 0;
        break;
    }
    case OP_STORE_PART: {
        u32 address = address_of(op);
        later(op, 4, address, PHASE_PART_READ);
        break;
    }
    case OP_STORE_VECTOR:
    case OP_STORE_PACK: {
        u32 address = address_of(op);
        u64 none;
        compute(op, later(op, 4, address, PHASE_STORE)->data, &none);
        break;
    }
    case OP_STORE_CONV:
    case OP_STORE_SRS: {
        u32 address = address_of(op);
        u64 none;
        compute(op, later(op, 6, address, PHASE_STORE)->data, &none);
        break;
    }

    case OP_STREAM_READ: stream_read(op, number); break;
    case OP_STREAM_WRITE:
        if (op->x & STREAM_NO_WAIT) put32(op, 3, REG_SR + 4 * SR_MS0, (u32)stream_put(op));
        break;
    case OP_CASCADE_READ:
    case OP_CASCADE_READ_HIGH:
    case OP_CASCADE_READ_LOW: later(op, 4, 0, PHASE_CASCADE); break;
    case OP_CASCADE_WRITE: break; /* sent before the bundle was issued */
    case OP_VUNPACK: later(op, 6, 0, PHASE_UNPACK); break;
    case OP_ACC_ADD:
    case OP_ACC_ADD_F:
    case OP_ACC_COPY:
    case OP_MAC:
    case OP_MAC_F: start_product(op); break;
    default: vector(op);
    }
}

/* --- What translated code asks for where it may wait. What was taken from the cascade stays in its slot
 * until the bundle is issued, since a port of the same bundle may have to wait. Stores are four cycles early
 * here, so nearly all that was issued before is over when the core waits; translated code does the rest
 * (t_store_now). */
static u32 cascade_taken;

/* Whether the bundle at `pc` can be issued: 0, or a STEP_.... `cascade_at` is the instruction whose read of
 * the cascade is due, or 0. */
EXPORT("t_ports") u32 t_ports(u32 pc, u32 cascade_at, u32 slot) {
    const Bundle *bundle = &bundles[pc / 2];
    u32 wait = 0;
    if (cascade_at && !cascade_taken) {
        if (take_cascade((const Op *)cascade_at, (u64 *)slot))
            cascade_taken = 1;
        else
            wait = STEP_WAIT_CASCADE_IN;
    }
    if (!state.fault && !wait && bundle->flags & BUNDLE_PORTS)
        wait = ports_wait(&ops[bundle->first], &ops[bundle->first] + bundle->count);
    if (state.fault) return STEP_FAULT;
    if (!wait) {
        port_done = cascade_taken = 0;
        return 0;
    }
    forget_early_releases();
    if (wait <= STEP_WAIT_STREAM_OUT)
        state.stream_stalls++;
    else
        state.cascade_stalls++;
    return wait;
}

/* What instruction `number` of the bundle has received. */
EXPORT("t_received") u32 t_received(u32 number) { return port_values[number]; }

/* Without waiting: whether there was a word, which goes to `slot`. */
EXPORT("t_try_get") u32 t_try_get(u32 slot) {
    u32 there = core_stream_ready();
    *(u32 *)(slot + 128) = there;
    if (there) *(u32 *)slot = (u32)core_stream_get();
    return there;
}
EXPORT("t_try_put") u32 t_try_put(u32 op_at) { return (u32)stream_put((const Op *)op_at); }

/* --- The loop. */
EXPORT("core_layout") u32 core_layout(void) {
    static u32 where[16];
    u32 values[] = {(u32)bank[0], (u32)bank[1], (u32)bundles, (u32)ops, (u32)&state, BANK_BYTES,
                    sizeof(Bundle), sizeof(Op), sizeof(State), MAX_OPS, OPERATIONS,
                    (u32)block_at, (u32)ring, (u32)lookups, MAX_LOOKUPS, (u32)issues};
    copy((u8 *)where, (const u8 *)values, sizeof values);
    return (u32)where;
}

/* A reset of the core: registers zero, nothing in flight, at address 0. Counters go on. */
EXPORT("core_reset") void core_reset(void) {
    for (u32 i = 0; i < RING; i++) write_count[i] = event_count[i] = product_pending[i] = 0;
    in_flight = 0;
    u32 identity = WORD(REG_CORE_ID);
    __builtin_memset(bank, 0, sizeof bank);
    WORD(REG_CORE_ID) = identity;
    WORD(REG_LE) = ADDRESS_MASK;
    state.pc = state.stopped = state.branch_in = state.fault = state.resume = 0;
    port_done = cascade_taken = 0;
    forget_early_releases();
    if (state.checked & CHECKED_ORIGINS) forget_origins();
}

/* Lets everything in flight land, without issuing anything. */
static void drain(void) {
    for (u32 i = 0; i < RING; i++) {
        touch_nothing();
        land();
        accumulate();
        run_events(1);
        run_events(0);
        state.cycle++;
    }
    land();
}

/* Translated code: runs from a block on; STEP_MORE hands over to the interpreter. */
typedef u32 (*Translated)(u32 block);

/* Issues bundles until the core waits, stops, faults, or as many as the limit says are issued. Returns a
 * STEP_.... */
EXPORT("core_run") u32 core_run(void) {
    u64 limit = (u64)state.limit_high << 32 | state.limit_low;
    if (state.fault) return STEP_FAULT;
    if (state.stopped) return STEP_DONE;
    for (int first = 1;; first = 0) {
        land();
        if (state.translated && !in_flight && !state.branch_in) {
            u32 block = state.resume ? state.resume : state.pc < PROGRAM_BYTES ? block_at[state.pc / 2] : 0;
            state.resume = 0;
            if (block) {
                u32 result = ((Translated)state.translated)(block);
                if (result == STEP_DONE) drain();
                if (result != STEP_MORE) return result;
                first = 0;
            }
        }
        u32 pc = state.pc;
        if (pc == state.return_address && !first) {
            drain();
            return STEP_RETURNED;
        }
        if (state.issued >= limit) return STEP_LIMIT;
        if (pc >= PROGRAM_BYTES || pc & 1) {
            fault(FAULT_PROGRAM_ADDRESS, 0, pc, 0, 0);
            return STEP_FAULT;
        }
        const Bundle *bundle = &bundles[pc / 2];
        if (!(bundle->flags & BUNDLE_KNOWN)) {
            fault(FAULT_UNDECODABLE, 0, pc, 0, 0);
            return STEP_FAULT;
        }
        if (bundle->flags & BUNDLE_BREAK && !first) return STEP_BREAK;
        const Op *op = &ops[bundle->first], *end = op + bundle->count;
        if (bundle->flags & BUNDLE_BLOCKS && condition(op) &&
            !lock_can_acquire(op, *(u32 *)op->a, *(i32 *)op->b)) {
            finish_accesses();
            if (state.fault) return STEP_FAULT;
            if (!lock_can_acquire(op, *(u32 *)op->a, *(i32 *)op->b)) return state.wait_kind;
        }
        u32 wait = cascade_is_there() ? 0 : STEP_WAIT_CASCADE_IN;
        if (!wait && bundle->flags & BUNDLE_PORTS) wait = ports_wait(op, end);
        if (wait) {
            if (wait <= STEP_WAIT_STREAM_OUT)
                state.stream_stalls++;
            else
                state.cascade_stalls++;
            finish_accesses();
            return state.fault ? STEP_FAULT : wait;
        }
        port_done = 0;
        touch_nothing();
        accumulate();
        run_events(1);
        for (u32 number = 0; op < end; op++, number++) execute(op, number);
        run_events(0);
        if (state.fault) return STEP_FAULT;
        state.issued++;
        state.cycle++;
        issues[pc / 2]++;
        u32 sp = WORD(REG_SP);
        if (sp > state.stack_high) {
            if (!state.stack_start) state.stack_start = sp;
            state.stack_high = sp;
        }
        u32 next = pc + bundle->size;
        if (state.branch_in && --state.branch_in == 0) {
            next = state.branch_target;
        } else if (pc == WORD(REG_LE) && WORD(REG_LC)) {
            u32 left = --WORD(REG_LC);
            if (left) next = WORD(REG_LS);
        }
        state.pc = next;
        if (state.stopped) {
            drain();
            return STEP_DONE;
        }
    }
}

/* What the array's engine calls: until the core waits or ends, in the words of the wasm core ABI. */
EXPORT("core_step") i64 core_step(void) {
    u32 result = core_run();
    switch (result) {
    case STEP_DONE: return -1;
    case STEP_LIMIT: return (i64)5 << 24; /* a pause: the host may translate the program */
    case STEP_WAIT_GE:
    case STEP_WAIT_EQ:
        return (i64)((u64)state.pc << 32 | (u64)(result == STEP_WAIT_EQ ? 2 : 1) << 24 |
                     (u64)(state.wait_need & 255) << 16 | state.wait_lock);
    case STEP_WAIT_STREAM_IN: /* the array knows what for (engine/core_streams.c) */
    case STEP_WAIT_STREAM_OUT:
    case STEP_WAIT_CASCADE_IN:
    case STEP_WAIT_CASCADE_OUT: return (i64)((u64)state.pc << 32 | (u64)6 << 24);
    default: return (i64)((u64)state.pc << 32 | (u64)4 << 24 | state.fault);
    }
}

/* --- What translated code hands over to the interpreter: something in flight, `delay` cycles from being
 * due. */
EXPORT("t_push")
void t_push(u32 kind, u32 op_at, u32 delay, u32 dst, u32 size, u32 banks, u32 slot, u32 begins) {
    const Op *op = (const Op *)op_at;
    const u8 *data = (const u8 *)slot;
    Event *e;
    switch (kind) {
    case T_WRITE:
        if (!delay) { /* this cycle's results have landed already */
            if (banks & 1) copy(bank[0] + dst, data, size);
            if (banks & 2) copy(bank[1] + dst, data, size);
            return;
        }
        /* A load: of two results for one register in one cycle the one whose stage began later stays. */
        if (begins) {
            /* Which instruction made it is not known any more. */
            e = later(ops, begins, delay - begins, PHASE_CLAIM);
            e->dst = dst;
            e->size = size;
            e->banks = banks;
            copy(e->data, data, size);
        } else {
            copy(claim(delay, dst, size, banks), data, size);
        }
        return;
    case T_PART: /* its source is read when it is due, its word is written four cycles later */
        e = later(op, delay, *(const u32 *)data, PHASE_PART_SOURCE);
        *(u32 *)e->data = *(const u32 *)(data + 4);
        return;
    /* Translated code counts four cycles less for loads and stores alike; loads of the interpreter do not. */
    case T_STORE:
        e = later(op, delay + 4, *(const u32 *)(data + 128),
                  *(const u32 *)(data + 132) ? PHASE_DONE : PHASE_STORE);
        copy(e->data, data, 64);
        return;
    case T_UNPACK: copy(later(op, delay, 0, PHASE_UNPACK)->data, data, 32); return;
    case T_UPS: copy(later(op, delay, 0, PHASE_UPS)->data, data, 64); return;
    case T_CASCADE:
        e = later(op, delay, 0, PHASE_CASCADE);
        if (!delay && cascade_taken) {
            copy(e->data, data, 64);
            e->address = 1;
            cascade_taken = 0;
        }
        return;
    case T_MAYBE:
        if (!*(const u32 *)(data + 128)) return;
        if (delay)
            *(u32 *)claim(delay, dst, 4, 1) = *(const u32 *)data;
        else
            *(u32 *)(bank[0] + dst) = *(const u32 *)data;
        return;
    case T_UPS_SHIFTED:
        e = later(op, delay, 1 + (*(const u32 *)(data + 128) & 63) + (*(const u32 *)(data + 132) << 8),
                  PHASE_UPS);
        copy(e->data, data, 64);
        return;
    default: {
        u32 at = (u32)(state.cycle + delay) % RING;
        Product *p = &products[at];
        product_pending[at] = 1;
        in_flight++;
        p->op = op;
        p->configuration = *(const u32 *)(data + 128);
        copy(p->x, data, 64);
        copy(p->y, data + 64, 64);
    }
    }
}
