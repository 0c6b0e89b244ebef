/* What translated code calls: memory checks, locks, vector instructions (translate.py emits the calls).
 * Addresses of `slot`s are places in `ring`, where results wait for their cycle. */
#include "core.h"

#define EXPORT(name) __attribute__((export_name(name)))
#define OPERATION ((const Op *)op_at)

/* An access that is not allowed: keeps the reason. */
EXPORT("t_bad") void t_bad(u32 op_at, u32 address) {
    const Op *op = OPERATION;
    u32 size = op->size;
    if (size < 16 && address & (size - 1) && address >= DATA_START && address < DATA_END)
        fault(FAULT_ALIGNMENT, op, address, size, 0);
    else
        memory_reach(op, address, size);
    if (!state.fault) fault(FAULT_ADDRESS, op, address, size, 0);
}

EXPORT("t_branch_fault") void t_branch_fault(u32 op_at, u32 other) {
    fault(FAULT_BRANCH_IN_DELAY_SLOT, OPERATION, other, 0, 0);
}

/* Accesses of one cycle: the first one, and one more, which may meet an earlier one in a bank (modelled). */
EXPORT("t_touch") void t_touch(u32 address, u32 size) {
    touch_nothing();
    touch(banks_of(address, size));
}
EXPORT("t_touch_more") void t_touch_more(u32 address, u32 size) { touch(banks_of(address, size)); }

/* 1 when the acquire is done, 0 when the core waits, 2 when there is no such lock. */
EXPORT("t_acquire") u32 t_acquire(u32 op_at, u32 id, u32 value) {
    if (!lock_can_acquire(OPERATION, id, (i32)value)) {
        forget_early_releases();
        return 0;
    }
    lock_acquire(OPERATION, id, (i32)value);
    return state.fault ? 2 : 1;
}

/* 0 when the release cannot be. */
EXPORT("t_release") u32 t_release(u32 op_at, u32 id, u32 value, u32 ahead) {
    lock_release_early(OPERATION, id, (i32)value, ahead);
    return !state.fault;
}

/* A vector instruction: its result to `slot`, its mask to `mask`. 0 when it faults. */
EXPORT("t_vector") u32 t_vector(u32 op_at, u32 slot, u32 mask) {
    u64 bits = 0;
    compute(OPERATION, (u8 *)slot, &bits);
    if (mask) *(u64 *)mask = bits;
    return !state.fault;
}

/* A vector load: memory to `slot`, converted where the instruction says so. */
EXPORT("t_load") u32 t_load(u32 op_at, u32 address, u32 slot) {
    const Op *op = OPERATION;
    address = memory_aligned(address, op->size);
    touch_nothing();
    if (!memory_reach(op, address, op->size)) return 0;
    if (op->op == OP_LOAD_CONV)
        v_from_bf16((u8 *)slot, (const u8 *)address);
    else
        copy((u8 *)slot, (const u8 *)address, op->size);
    return 1;
}

/* Four table look-ups: their data to `slot`, the addresses that were read after it. 0 when there is a
 * fault. */
EXPORT("t_gather") u32 t_gather(u32 op_at, u32 slot) {
    const Op *op = OPERATION;
    touch_nothing();
    if (!gather(op, (const u32 *)op->a, (u8 *)slot)) return 0;
    for (u32 i = 0; i < 4; i++) {
        u32 plain = ((const u32 *)op->a)[i] & ADDRESS_MASK & ~(op->x - 1u);
        ((u32 *)(slot + 128))[2 * i] = plain;
        ((u32 *)(slot + 128))[2 * i + 1] = i & 1 ? plain | 16 : plain;
    }
    return 1;
}

/* Stages 7 and 8 of a load with ups: shift and sign are kept after the data, then saturation is read. */
EXPORT("t_ups_shift") void t_ups_shift(u32 op_at, u32 from, u32 to) {
    const Op *op = OPERATION;
    copy((u8 *)to, (const u8 *)from, op->size);
    *(u32 *)(to + 128) = (u32)shift_of(op->a);
    *(u32 *)(to + 132) = sign_of(op, CR_UPS_SIGN);
}
EXPORT("t_ups") void t_ups(u32 op_at, u32 from, u32 slot) {
    const Op *op = OPERATION;
    u8 data[128] __attribute__((aligned(16)));
    v_ups(data, (const u8 *)from, op->x, op->y, op->size * 8u / op->x, *(u32 *)(from + 132),
          *(i32 *)(from + 128), CONTROL(CR_SAT));
    copy((u8 *)slot, data, op->size * op->y / op->x);
}

/* Stage 7 of an unpack: `from` is the loaded data, 0 for a register. */
EXPORT("t_unpack") void t_unpack(u32 op_at, u32 from, u32 slot) {
    const Op *op = OPERATION;
    u8 data[64] __attribute__((aligned(16)));
    v_unpack(data, from ? (const u8 *)from : (const u8 *)op->a, op->x, sign_of(op, CR_UNPACK_SIGN));
    copy((u8 *)slot, data, 64);
}

/* Stage 1 of a product: x, y and the configuration are read. Stage 3: accumulators are read. */
EXPORT("t_product") void t_product(u32 op_at, u32 slot) {
    const Op *op = OPERATION;
    *(u32 *)(slot + 128) = op->extra ? *(u32 *)op->extra : 0;
    if (op->op != OP_MAC && op->op != OP_MAC_F) return;
    copy((u8 *)slot, (const u8 *)op->c, 64);
    copy((u8 *)slot + 64, (const u8 *)op->d, 64);
}
EXPORT("t_accumulate") u32 t_accumulate(u32 op_at, u32 from, u32 slot) {
    const Op *op = OPERATION;
    const u8 *acc1 = (const u8 *)op->a, *acc2 = (const u8 *)op->b, *x = (const u8 *)from, *y = x + 64;
    u32 configuration = *(u32 *)(from + 128);
    u8 *d = (u8 *)slot;
    int known = 1;
    switch (op->op) {
    case OP_MAC: known = v_mac(d, acc1, acc2, x, y, configuration, op->y); break;
    case OP_MAC_F: known = v_mac_f(d, acc1, acc2, x, y, configuration, op->y); break;
    case OP_ACC_ADD: v_acc_add(d, acc1, acc2, configuration, op->y); break;
    case OP_ACC_ADD_F: v_acc_add_f(d, acc1, acc2, configuration, op->y); break;
    default: copy(d, acc1, 128);
    }
    if (!known) fault(FAULT_CONFIGURATION, op, configuration, 0, 0);
    return known;
}

/* A vector store: at once (`slot` 0), or its value and address kept until its cycle. */
EXPORT("t_store") u32 t_store(u32 op_at, u32 address, u32 slot) {
    const Op *op = OPERATION;
    u64 none;
    address = memory_aligned(address, op->size);
    touch_nothing();
    if (!memory_reach(op, address, op->size)) return 0;
    compute(op, slot ? (u8 *)slot : (u8 *)address, &none);
    if (slot) {
        *(u32 *)(slot + 128) = address;
        *(u32 *)(slot + 132) = 0; /* whether it is done */
    }
    return !state.fault;
}
/* A store that was kept: at its cycle, or before, because the core waits. */
EXPORT("t_store_now") void t_store_now(u32 op_at, u32 slot) {
    if (!*(u32 *)(slot + 132)) copy((u8 *) * (u32 *)(slot + 128), (const u8 *)slot, OPERATION->size);
    *(u32 *)(slot + 132) = 1;
}

EXPORT("t_stack") void t_stack(u32 sp) {
    if (sp <= state.stack_high) return;
    if (!state.stack_start) state.stack_start = sp;
    state.stack_high = sp;
}
