/* Vectors of 512 bits, lane by lane, and lanes that move. aie2-isa section 7, aie-api sections 5, 8, 11. */
#include "core.h"

static i64 lane(const u8 *v, u32 i, u32 bits, u32 is_signed) {
    switch (bits) {
    case 8: return is_signed ? (i64)((const i8 *)v)[i] : (i64)v[i];
    case 16: return is_signed ? (i64)((const i16 *)v)[i] : (i64)((const u16 *)v)[i];
    case 32: return is_signed ? (i64)((const i32 *)v)[i] : (i64)((const u32 *)v)[i];
    default: return ((const i64 *)v)[i];
    }
}

static void set_lane(u8 *v, u32 i, u32 bits, i64 value) {
    switch (bits) {
    case 8: v[i] = (u8)value; break;
    case 16: ((u16 *)v)[i] = (u16)value; break;
    case 32: ((u32 *)v)[i] = (u32)value; break;
    default: ((i64 *)v)[i] = value;
    }
}

/* bfloat16 is compared as sign and magnitude, so -0 < +0; what is no number is neither less nor greater or
 * equal (public captures of an NPU1). */
static i32 bf16_order(u16 bits) { return bits & 0x8000 ? -(i32)(bits & 0x7FFF) - 1 : (i32)bits; }

void lanes_op(u32 op, u32 bits, u32 is_signed, u8 *d, u64 *mask, const u8 *a, const u8 *b, u64 select) {
    u32 lanes = 512 / bits;
    u64 found = 0;
    for (u32 i = 0; i < lanes; i++) {
        i64 x = lane(a, i, bits, is_signed), y = b ? lane(b, i, bits, is_signed) : 0, result = 0;
        int bit = 0;
        switch (op) {
        case OP_VADD: result = x + y; break;
        case OP_VSUB: result = x - y; break;
        case OP_VADDSUB: result = select >> i & 1 ? x - y : x + y; break;
        case OP_VBAND: result = x & y; break;
        case OP_VBOR: result = x | y; break;
        case OP_VSEL: result = select >> i & 1 ? y : x; break;
        case OP_VABS_GTZ: result = x < 0 ? -x : x, bit = x > 0; break;
        case OP_VNEG_GTZ: result = -x, bit = x > 0; break;
        case OP_VBNEG_LTZ: result = ~x, bit = x < 0; break;
        case OP_VMIN_GE: result = x < y ? x : y, bit = x >= y; break;
        case OP_VMAX_LT: result = x < y ? y : x, bit = x < y; break;
        case OP_VMAXDIFF_LT: result = x < y ? 0 : x - y, bit = x < y; break;
        case OP_VSUB_LT: result = x - y, bit = x < y; break;
        case OP_VSUB_GE: result = x - y, bit = x >= y; break;
        case OP_VLT: bit = x < y; break;
        case OP_VGE: bit = x >= y; break;
        case OP_VEQZ: bit = x == 0; break;
        default: { /* bfloat16 */
            i32 p = bf16_order((u16)x), q = bf16_order((u16)y);
            int numbers = ((u16)x & 0x7FFF) <= 0x7F80 && ((u16)y & 0x7FFF) <= 0x7F80;
            int greater = op == OP_VMIN_GE_BF16 || op == OP_VGE_BF16;
            bit = numbers && (greater ? p >= q : p < q);
            result = bit ? y : x;
        }
        }
        found |= (u64)bit << i;
        if (d) set_lane(d, i, bits, result);
    }
    if (mask) *mask = found;
}

/* Bytes `bytes` to `bytes` + 63 of a and b after each other, zeros beyond. */
void v_shift(u8 *d, const u8 *a, const u8 *b, u32 bytes) {
    u8 result[64];
    for (u32 i = 0; i < 64; i++) {
        u64 at = (u64)bytes + i;
        result[i] = at < 64 ? a[at] : at < 128 ? b[at - 64] : 0;
    }
    copy(d, result, 64);
}

/* Shuffle modes: bits of an element, rows, columns, which half of the transposed 1024 bits. */
static const struct {
    u16 bits, rows, columns, high;
} modes[48] = {
    {8, 64, 2, 0},  {8, 64, 2, 1},  {16, 32, 2, 0}, {16, 32, 2, 1}, {32, 16, 2, 0}, {32, 16, 2, 1},
    {64, 8, 2, 0},  {64, 8, 2, 1},  {128, 4, 2, 0}, {128, 4, 2, 1}, {256, 2, 2, 0}, {256, 2, 2, 1},
    {128, 2, 4, 0}, {128, 2, 4, 1}, {64, 2, 8, 0},  {64, 2, 8, 1},  {32, 2, 16, 0}, {32, 2, 16, 1},
    {16, 2, 32, 0}, {16, 2, 32, 1}, {8, 2, 64, 0},  {8, 2, 64, 1},  {512, 1, 2, 0}, {512, 1, 2, 1},
    {16, 16, 4, 0}, {16, 16, 4, 1}, {16, 4, 16, 0}, {16, 4, 16, 1}, {16, 8, 4, 0},  {16, 4, 8, 0},
    {32, 8, 4, 0},  {32, 8, 4, 1},  {32, 4, 8, 0},  {32, 4, 8, 1},  {32, 4, 4, 0},  {8, 8, 8, 0},
    {8, 16, 4, 0},  {8, 4, 16, 0},  {0, 0, 0, 0},   {16, 4, 4, 0},  {16, 4, 2, 0},  {16, 2, 4, 0},
    {16, 8, 2, 0},  {16, 2, 8, 0},  {16, 16, 2, 0}, {16, 2, 16, 0}, {8, 8, 4, 0},   {8, 4, 8, 0},
};

/* The low six bits are the mode. 0 when there is no such mode. */
int v_shuffle(u8 *d, const u8 *a, const u8 *b, u32 mode) {
    u8 both[128], result[128];
    mode &= 63;
    if (mode >= 48) return 0;
    copy(both, a, 64);
    copy(both + 64, b, 64);
    if (mode == 38) { /* T16_1x2_flip: neighbours change places */
        for (u32 i = 0; i < 128; i += 4) {
            copy(result + i, both + i + 2, 2);
            copy(result + i + 2, both + i, 2);
        }
        copy(d, result, 64);
        return 1;
    }
    u32 bytes = modes[mode].bits / 8, rows = modes[mode].rows, columns = modes[mode].columns;
    u32 block = rows * columns * bytes;
    for (u32 start = 0; start < 128; start += block)
        for (u32 r = 0; r < rows; r++)
            for (u32 c = 0; c < columns; c++)
                copy(result + start + (c * rows + r) * bytes, both + start + (r * columns + c) * bytes,
                     bytes);
    copy(d, result + (modes[mode].high ? 64 : 0), 64);
    return 1;
}

/* 512 bits of lanes of `bits` into lanes of half the size: the low bits, or limited when saturation is on. */
void v_pack(u8 *d, const u8 *a, u32 bits, u32 is_signed, u32 saturation) {
    u8 result[32] = {0};
    u32 half = bits / 2;
    i64 high = is_signed ? (1ll << (half - 1)) - 1 : (1ll << half) - 1;
    i64 low = is_signed ? (saturation == 3 ? -high : -high - 1) : 0;
    for (u32 i = 0; i < 512 / bits; i++) {
        i64 value = lane(a, i, bits, is_signed);
        if (saturation) value = value > high ? high : value < low ? low : value;
        if (half == 4)
            result[i / 2] |= (u8)((value & 15) << (i & 1) * 4);
        else
            result[i] = (u8)value;
    }
    copy(d, result, 32);
}

/* 256 bits of lanes of `bits` into lanes of twice the size. */
void v_unpack(u8 *d, const u8 *a, u32 bits, u32 is_signed) {
    u8 from[32];
    copy(from, a, 32);
    for (u32 i = 0; i < 256 / bits; i++) {
        if (bits == 4) {
            u32 nibble = from[i / 2] >> (i & 1) * 4 & 15;
            d[i] = (u8)(is_signed && nibble & 8 ? nibble | 0xF0 : nibble);
        } else {
            ((u16 *)d)[i] = (u16)(is_signed ? (i16)(i8)from[i] : from[i]);
        }
    }
}
