/* From which buffer an address was made. A register that is given the begin of a buffer, as a constant, is
 * known to point into it; what is made of it by moves, sums and steps points into the same one, also when it
 * was kept in the tile's own memory between. An access through it that meets another buffer is an overrun.
 * Everything else is unknown, and says nothing. */
#include "core.h"

#define EXPORT(name) __attribute__((export_name(name)))
/* As many as `of_register` can name: one for every four bytes of the memories that a core reaches. */
#define MAX_EXTENTS 0xFFFF
#define OWN_WORDS 0x4000

/* `is_sized`: the end is the buffer's own, and not the begin of the next one. */
typedef struct {
    u32 start, end, is_sized;
} Extent;
static Extent extents[MAX_EXTENTS];
static u32 extent_count;
static u16 of_register[BANK_BYTES / 4];
/* Words of the own data memory that were stored as addresses. The value tells whether it is still the same
 * one. */
static struct {
    u32 value, origin;
} kept[OWN_WORDS];

/* They come by their begins, no two with the same one. */
EXPORT("add_extent") u32 add_extent(u32 start, u32 end, u32 is_sized) {
    if (extent_count == MAX_EXTENTS) return 0;
    extents[extent_count++] = (Extent){start, end, is_sized};
    state.checked |= CHECKED_ORIGINS;
    return 1;
}

void forget_origins(void) {
    __builtin_memset(of_register, 0, sizeof of_register);
    __builtin_memset(kept, 0, sizeof kept);
}

static u32 begins_at(u32 value) {
    u32 first = 0, end = extent_count;
    while (first < end) {
        u32 middle = (first + end) / 2;
        if (extents[middle].start < value)
            first = middle + 1;
        else
            end = middle;
    }
    return first < extent_count && extents[first].start == value ? first + 1 : 0;
}

u32 origin_at(const Op *op, u32 source) {
    u32 offset = source - (u32)bank[0];
    if (source == (u32)&op->imm) return begins_at((u32)op->imm);
    return offset < BANK_BYTES ? of_register[offset / 4] : 0;
}

u32 origin_of_result(const Op *op) {
    u32 a, b;
    switch (op->op) {
    case OP_MOV: return origin_at(op, op->a);
    case OP_SELEQZ: return origin_at(op, WORD(REG_R + 4 * 27) ? op->b : op->a);
    case OP_SELNEZ: return origin_at(op, WORD(REG_R + 4 * 27) ? op->a : op->b);
    case OP_ADD:
    case OP_ADD_NC:
        a = origin_at(op, op->a);
        b = origin_at(op, op->b);
        return a && b ? 0 : a | b;
    case OP_SUB: return origin_at(op, op->b) ? 0 : origin_at(op, op->a);
    default: return 0;
    }
}

void set_origin(u32 dst, u32 size, u32 origin) {
    for (u32 at = dst; at < dst + size && at < REG_Q; at += 4) of_register[at / 4] = (u16)origin;
}

void keep_origin(u32 address, u32 value, u32 origin) {
    u32 word = (address - OWN_WINDOW) / 4;
    if (address < OWN_WINDOW || word >= OWN_WORDS) return;
    kept[word].value = value;
    kept[word].origin = origin;
}

u32 kept_origin(u32 address, u32 value) {
    u32 word = (address - OWN_WINDOW) / 4;
    return address >= OWN_WINDOW && word < OWN_WORDS && kept[word].value == value ? kept[word].origin : 0;
}

/* Vectors may be read beyond an end: what is not used of them does no harm. */
static int may_reach_over(const Op *op) { return op->op >= OP_LOAD_VECTOR && op->op <= OP_LOAD_GATHER; }

void check_origin(const Op *op, u32 address) {
    u32 origin = of_register[op->pointer / 4], met = 0;
    if (op->mode == MODE_INDEX && op->modifier != (u32)&op->imm) {
        u32 other = origin_at(op, op->modifier);
        origin = origin && other ? 0 : origin | other;
    }
    if (!origin) return;
    const Extent *own = &extents[origin - 1];
    u32 at = memory_aligned(address, op->size), end = at + op->size;
    if ((at >= own->start && end <= own->end) || may_reach_over(op)) return;
    for (u32 i = 0; i < extent_count; i++) {
        const Extent *e = &extents[i];
        if (end <= e->start || at >= e->end) continue;
        if (at < own->start && e->end == own->start) return; /* the pointer may be that buffer's end */
        if (e != own) met = i + 1;
    }
    if (met || own->is_sized) fault(FAULT_STRAYED, op, address, own->start, met ? extents[met - 1].start : 0);
}
