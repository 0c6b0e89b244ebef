/* One AIE2 core: registers, memory, and what its instructions do. Freestanding C for wasm32.
 *
 * Linear memory is the core's address space: data memory at 0x40000 to 0x7FFFF as the hardware has it, the
 * array's lock plane at LOCK_PAGE; everything of ours lies above OWN_BASE. The host decodes program memory
 * once into `Op`s (lowered.py), puts them into `program`, and calls `core_step`. Sources of all rules:
 * aie2-isa, aie-api (docs). */
#ifndef NPUNINJA_CORE_H
#define NPUNINJA_CORE_H

typedef unsigned char u8;
typedef signed char i8;
typedef unsigned short u16;
typedef short i16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;

#define LOCK_PAGE 0x10000u
#define DATA_START 0x40000u
#define DATA_END 0x80000u
#define OWN_WINDOW 0x70000u
#define ADDRESS_MASK 0xFFFFFu

/* --- Registers: one bank of bytes. registers.py has the same offsets and asks for `BANK_BYTES`. */
#define REG_R 0
#define REG_P 128
#define REG_M 160
#define REG_DN 192
#define REG_DJ 224
#define REG_DC 256
#define REG_SP 288
#define REG_LR 292
#define REG_LS 296
#define REG_LE 300
#define REG_LC 304
#define REG_DP 308
#define REG_S 312
#define REG_CORE_ID 328
#define REG_CR 332 /* 12 control registers in the order of the class mCRm */
#define REG_SR 380 /* 10 status registers */
#define REG_Q 448
#define REG_W 512
#define REG_AM 1280
#define BANK_BYTES 2432
enum { CR_VADD_SIGN, CR_F2F_MASK, CR_F2I_MASK, CR_FP_MASK, CR_MCD_EN, CR_PACK_SIGN, CR_RND, CR_SCD_EN,
       CR_SRS_SIGN, CR_SAT, CR_UPS_SIGN, CR_UNPACK_SIGN };
enum { SR_CARRY, SR_SRS_OF, SR_UPS_OF, SR_SPARSE_OF, SR_COMPR_UF, SR_FP_FLAGS, SR_F2F_FLAGS, SR_F2I_FLAGS,
       SR_SS0, SR_MS0 };

/* bank[0] is what instructions read. bank[1] differs in vector registers and accumulators only: it holds what
 * readers on the same bypass network as the writer see, one cycle earlier. */
extern u8 bank[2][BANK_BYTES];
#define WORD(offset) (*(u32 *)(bank[0] + (offset)))
#define CONTROL(n) WORD(REG_CR + 4 * (n))
#define STATUS(n) WORD(REG_SR + 4 * (n))

/* --- Instructions as the host prepares them. Sources are addresses, of a register in a bank or of `imm`;
 * destinations are offsets in a bank. */
typedef struct {
    u16 op;
    u8 latency, flags; /* cycles until the result can be read; F_... */
    u32 dst, dst2;
    u32 a, b, c, d;
    u32 pointer, modifier; /* addressing: offset of the pointer register; address of the modifier's value */
    u8 mode, size, x, y;   /* MODE_..., bytes of the access, two parameters */
    i32 imm;
    u32 mask;  /* of a scalar destination; 0: a shift register */
    u32 at;    /* address of its bundle */
    u32 extra; /* lr of a call; address of a configuration word */
} Op;
#define F_BYPASS 1      /* the destination is on a bypass network */
#define F_CONDITION 2   /* only when r26 is not 0 */
#define F_SIGNED 4
#define F_CONTROL_SIGN 8 /* the sign is in a control register */
#define F_MASK 16 /* has a mask as its second result, or as its only one */

enum { MODE_NONE, MODE_INDEX, MODE_POST, MODE_2D, MODE_3D };

typedef struct {
    u32 first;
    u16 size, flags;
    u32 count;
} Bundle;
#define BUNDLE_KNOWN 1
#define BUNDLE_BLOCKS 2 /* its first instruction can wait */
#define BUNDLE_PORTS 8  /* it has an instruction of a stream or the cascade */
#define BUNDLE_BREAK 4  /* the host wants to be asked before it is issued */

#define PROGRAM_BYTES 0x4000
#define MAX_OPS 24576
extern Bundle bundles[PROGRAM_BYTES / 2];
/* Translated code: its block at an address where nothing is in flight; what is in flight between blocks, by
 * the cycle in which it is due; where computed jumps lead, one table for each shape of what is in flight. */
#define RING 16 /* cycles ahead; the longest is a part-word store, 10 */
#define RING_SLOTS 8
#define SLOT_BYTES 256
#define MAX_LOOKUPS 40
extern u32 block_at[PROGRAM_BYTES / 2];
extern u8 ring[RING][RING_SLOTS][SLOT_BYTES];
extern u32 lookups[MAX_LOOKUPS][PROGRAM_BYTES / 2];
enum { T_WRITE, T_PART, T_STORE, T_UNPACK, T_UPS, T_UPS_SHIFTED, T_PRODUCT, T_CASCADE, T_MAYBE };
extern Op ops[MAX_OPS];
/* How often the interpreter has issued the bundle at an address: what a profile is made of. */
extern u32 issues[PROGRAM_BYTES / 2];

/* --- State of the core. The host reads and writes it by the order of its words (runtime.py). */
typedef struct {
    u32 pc, stopped, branch_in, branch_target, branch_at;
    u32 tile;          /* its number, as in engine.h */
    u32 windows;       /* bit n: data memory n (0 south, 1 west, 2 north, 3 own) is there */
    u32 stack_high;    /* the highest value of sp */
    u32 stack_start;   /* the first value that sp got */
    u32 return_address; /* the core stops when it is reached, none: 0xFFFFFFFF */
    u32 fault, fault_at, fault_a, fault_b, fault_c;
    u32 wait_kind, wait_lock, wait_need;
    u32 limit_low, limit_high; /* issued bundles after which it returns */
    u32 events;
    u32 translated, resume; /* index of the translated code's function; the block at which it waits */
    u32 jump_condition, jump_target; /* of a branch in whose delay slots a block of translated code ends */
    u32 checked; /* CHECKED_...; then nothing is translated */
    u64 cycle, issued, bank_conflicts, lock_stalls, stream_stalls, cascade_stalls;
} State;
extern State state;

enum { FAULT_NONE, FAULT_UNDECODABLE, FAULT_UNSUPPORTED, FAULT_ADDRESS, FAULT_WINDOW, FAULT_ALIGNMENT,
       FAULT_BRANCH_IN_DELAY_SLOT, FAULT_PROGRAM_ADDRESS, FAULT_LOCK_OVERFLOW, FAULT_CONFIGURATION,
       FAULT_STREAM, FAULT_TOO_MUCH_IN_FLIGHT, FAULT_GATHER, FAULT_CASCADE_OFF, FAULT_STRAYED };
enum { STEP_MORE, STEP_WAIT_GE, STEP_WAIT_EQ, STEP_RELEASE_FAULT, STEP_FAULT, STEP_DONE, STEP_RETURNED,
       STEP_BREAK, STEP_LIMIT, STEP_WAIT_STREAM_IN, STEP_WAIT_STREAM_OUT, STEP_WAIT_CASCADE_IN,
       STEP_WAIT_CASCADE_OUT };

void fault(u32 kind, const Op *op, u32 a, u32 b, u32 c);
int lock_can_acquire(const Op *op, u32 id, i32 value);
void lock_acquire(const Op *op, u32 id, i32 value);
void lock_release(const Op *op, u32 id, i32 value);
void lock_release_early(const Op *op, u32 id, i32 value, u32 ahead); /* `ahead` cycles from now */
void forget_early_releases(void);
int memory_reach(const Op *op, u32 address, u32 size);

/* --- What the array around a core has for it (engine/core_streams.c, checks.c); a core alone has
 * stand-ins. */
#define PORT(name) __attribute__((import_module("array"), import_name(#name))) extern
PORT(core_stream_ready) u32 core_stream_ready(void);
PORT(core_stream_get) u64 core_stream_get(void); /* bit 32: a word was there */
PORT(core_stream_put) u32 core_stream_put(u32 word, u32 last); /* 0: no room now */
PORT(core_cascade_in) u64 core_cascade_in(i32 step); /* -1: is there one? 0 to 7: its words; 8: it is taken */
PORT(core_cascade_out) u32 core_cascade_out(i32 step, u64 word);
PORT(machine_access) void machine_access(u32 address, u32 bytes, u32 writes, u32 at);
PORT(machine_lock) void machine_lock(u32 lock, i32 change, u32 exact);
u32 memory_aligned(u32 address, u32 size);

/* --- From which buffer an address was made (origins.c): of a source, of a result, of a register, of a word
 * of memory. 0: unknown. */
#define CHECKED_ACCESSES 1 /* the array hears of every access of memory and lock */
#define CHECKED_ORIGINS 2  /* some buffers are known: an access stays in that of its address */
u32 origin_at(const Op *op, u32 source);
u32 origin_of_result(const Op *op);
void set_origin(u32 dst, u32 size, u32 origin);
void keep_origin(u32 address, u32 value, u32 origin);
u32 kept_origin(u32 address, u32 value);
void check_origin(const Op *op, u32 address);
void forget_origins(void);

u32 sign_of(const Op *op, u32 control);
i32 shift_of(u32 address);
u32 compute(const Op *op, u8 *data, u64 *mask);
#define ACCESSES 8 /* of one cycle at most: two loads, a store, what was kept for later */
void touch_nothing(void);
void touch(u32 used);
u32 banks_of(u32 address, u32 size);
int gather(const Op *op, const u32 *addresses, u8 *data);

/* --- Operations. lowered.py reads this list. */
enum {
    OP_UNSUPPORTED,
    /* scalar */
    OP_MOV, OP_MOV_CNTR, OP_ADD, OP_SUB, OP_ADC, OP_SBC, OP_ADD_NC, OP_AND, OP_OR, OP_XOR, OP_LSHL, OP_ASHL,
    OP_ABS, OP_CLB, OP_CLZ, OP_EQ, OP_NE, OP_LT, OP_LTU, OP_GE, OP_GEU, OP_EQZ, OP_NEZ, OP_EXTEND, OP_MUL,
    OP_SELEQZ, OP_SELNEZ, OP_DIVS, OP_EVENT, OP_DONE, OP_ACQ, OP_REL, OP_J, OP_JL, OP_JZ, OP_JNZ, OP_JNZD,
    /* memory: address registers, loads, stores */
    OP_PADD, OP_LOAD, OP_LOAD_VECTOR, OP_LOAD_CONV, OP_LOAD_UPS, OP_LOAD_UNPACK, OP_LOAD_GATHER, OP_STORE,
    OP_STORE_PART, OP_STORE_VECTOR, OP_STORE_PACK, OP_STORE_CONV, OP_STORE_SRS,
    /* streams and cascade */
    OP_STREAM_READ, OP_STREAM_WRITE, OP_CASCADE_READ, OP_CASCADE_READ_HIGH, OP_CASCADE_READ_LOW,
    OP_CASCADE_WRITE,
    /* vectors, lane by lane: x = bits of a lane */
    OP_VMOV, OP_VADD, OP_VSUB, OP_VADDSUB, OP_VBAND, OP_VBOR, OP_VABS_GTZ, OP_VNEG_GTZ, OP_VBNEG_LTZ,
    OP_VMIN_GE, OP_VMAX_LT, OP_VMAXDIFF_LT, OP_VSUB_LT, OP_VSUB_GE, OP_VLT, OP_VGE, OP_VEQZ, OP_VSEL,
    OP_VMIN_GE_BF16, OP_VMAX_LT_BF16, OP_VLT_BF16, OP_VGE_BF16,
    /* vectors: moving lanes */
    OP_VSHIFT, OP_VSHIFT_ALIGN, OP_VSHUFFLE, OP_VBCST, OP_VBCSTSHFL, OP_VEXTBCST, OP_VEXTRACT, OP_VINSERT,
    OP_VPUSH_HI, OP_VPUSH_LO, OP_VPACK, OP_VUNPACK,
    /* accumulators: x = bits of a vector's lane, y = bits of an accumulator's lane */
    OP_VUPS, OP_VSRS, OP_VCONV_BF16, OP_VCONV_FP32, OP_VFLOOR, OP_ACC_ADD, OP_ACC_ADD_F, OP_ACC_COPY,
    OP_ACC_CLEAR, OP_MAC, OP_MAC_F,
    OPERATIONS
};
/* x of OP_STREAM_...: without waiting, with the end of the packet, with the end when r28 says so. */
#define STREAM_NO_WAIT 1
#define STREAM_LAST 2
#define STREAM_LAST_BY_R28 4
/* y of OP_MAC, OP_MAC_F, OP_ACC_ADD: signs that the mnemonic adds to those of the configuration word. */
#define MAC_SUB_PRODUCT 1
#define MAC_SUB_ACC1 2
#define MAC_SUB_ACC2 4
#define MAC_ZERO 8    /* starts from nothing: vmul */
#define MAC_TWO 16    /* has a second accumulator */

/* --- Vector arithmetic (lanes.c, accumulate.c, floats.c): on plain memory, so that translated code calls it
 * too. */
void lanes_op(u32 op, u32 bits, u32 is_signed, u8 *d, u64 *mask, const u8 *a, const u8 *b, u64 select);
void v_shift(u8 *d, const u8 *a, const u8 *b, u32 bytes);
int v_shuffle(u8 *d, const u8 *a, const u8 *b, u32 mode);
void v_pack(u8 *d, const u8 *a, u32 bits, u32 is_signed, u32 saturation);
void v_unpack(u8 *d, const u8 *a, u32 bits, u32 is_signed);
void v_ups(u8 *d, const u8 *a, u32 lane_bits, u32 acc_bits, u32 lanes, u32 is_signed, i32 shift,
           u32 saturation);
void v_srs(u8 *d, const u8 *a, u32 lane_bits, u32 acc_bits, u32 lanes, u32 is_signed, i32 shift, u32 rounding,
           u32 saturation);
int v_mac(u8 *d, const u8 *acc1, const u8 *acc2, const u8 *x, const u8 *y, u32 configuration, u32 signs);
void v_acc_add(u8 *d, const u8 *acc1, const u8 *acc2, u32 configuration, u32 signs);
int v_mac_f(u8 *d, const u8 *acc1, const u8 *acc2, const u8 *x, const u8 *y, u32 configuration, u32 signs);
void v_acc_add_f(u8 *d, const u8 *acc1, const u8 *acc2, u32 configuration, u32 signs);
void v_to_bf16(u8 *d, const u8 *a, u32 rounding);
void v_from_bf16(u8 *d, const u8 *a);
void v_floor(u8 *d, const u8 *a, i32 shift);

static inline void copy(u8 *to, const u8 *from, u32 bytes) { __builtin_memcpy(to, from, bytes); }

#endif
