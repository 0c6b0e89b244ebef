/* Integer accumulators: in and out with shift, rounding and saturation, and sums of products.
 * aie-api sections 4 and 5, aie2-isa section 7. */
#include "core.h"

static i64 acc_lane(const u8 *acc, u32 i, u32 bits) {
    return bits == 32 ? (i64)((const i32 *)acc)[i] : ((const i64 *)acc)[i];
}

static void set_acc(u8 *acc, u32 i, u32 bits, i64 value) {
    if (bits == 32)
        ((i32 *)acc)[i] = (i32)value;
    else
        ((i64 *)acc)[i] = value;
}

static i64 vector_lane(const u8 *v, u32 i, u32 bits, u32 is_signed) {
    switch (bits) {
    case 4: {
        u32 nibble = v[i / 2] >> (i & 1) * 4 & 15;
        return is_signed && nibble & 8 ? (i64)nibble - 16 : (i64)nibble;
    }
    case 8: return is_signed ? (i64)((const i8 *)v)[i] : (i64)v[i];
    case 16: return is_signed ? (i64)((const i16 *)v)[i] : (i64)((const u16 *)v)[i];
    default: return is_signed ? (i64)((const i32 *)v)[i] : (i64)((const u32 *)v)[i];
    }
}

void v_ups(u8 *d, const u8 *a, u32 lane_bits, u32 acc_bits, u32 lanes, u32 is_signed, i32 shift,
           u32 saturation) {
    u8 from[64];
    copy(from, a, lanes * lane_bits / 8);
    /* 32 bits shifted by at most 31 fit into 64, so only accumulators of 32 bits can be too small. */
    i64 high = (1ll << 31) - 1, low = saturation == 3 ? -high : -high - 1;
    for (u32 i = 0; i < lanes; i++) {
        i64 value = vector_lane(from, i, lane_bits, is_signed);
        value = shift >= 0 ? (i64)((u64)value << shift) : value >> -shift;
        if (saturation && acc_bits == 32) value = value > high ? high : value < low ? low : value;
        set_acc(d, i, acc_bits, value);
    }
}

/* Whether what a right shift dropped rounds the result up by one. `rest` and `half` are scaled alike. */
static int rounds_up(u32 rounding, int negative, u64 rest, u64 half, int odd) {
    switch (rounding) {
    case 0: return 0;
    case 1: return rest != 0;
    case 2: return rest != 0 && negative;
    case 3: return rest != 0 && !negative;
    case 8: return rest > half;
    case 9: return rest >= half;
    case 10: return rest > half || (rest == half && negative);
    case 11: return rest > half || (rest == half && !negative);
    case 12: return rest > half || (rest == half && odd);
    case 13: return rest > half || (rest == half && !odd);
    default: return 0;
    }
}

void v_srs(u8 *d, const u8 *a, u32 lane_bits, u32 acc_bits, u32 lanes, u32 is_signed, i32 shift, u32 rounding,
           u32 saturation) {
    u8 result[64];
    i64 high = is_signed ? (1ll << (lane_bits - 1)) - 1 : (1ll << lane_bits) - 1;
    i64 low = is_signed ? (saturation == 3 ? -high : -high - 1) : 0;
    for (u32 i = 0; i < lanes; i++) {
        i64 from = acc_lane(a, i, acc_bits), value = from;
        if (shift > 0) {
            i64 kept = from >> shift;
            u64 rest = (u64)from & ((1ull << shift) - 1);
            value = kept;
            if (rounds_up(rounding, from < 0, rest, 1ull << (shift - 1), kept & 1)) value++;
        } else if (shift < 0) {
            i64 moved = (i64)((u64)from << -shift);
            int fits = moved >> -shift == from;
            value = fits || !saturation ? moved : from < 0 ? low : high;
        }
        if (saturation) value = value > high ? high : value < low ? low : value;
        switch (lane_bits) {
        case 8: result[i] = (u8)value; break;
        case 16: ((u16 *)result)[i] = (u16)value; break;
        default: ((u32 *)result)[i] = (u32)value;
        }
    }
    copy(d, result, lanes * lane_bits / 8);
}

/* Shapes of products by (amode, bmode, variant): tiles in row-major order. `inner` 0: element by element. */
#define CONVOLUTION 0 /* in place of rows: lane i is the sum of x[i + k] * y[k] */
typedef struct {
    u8 amode, bmode, variant, x_bits, y_bits, rows, inner, columns;
} Shape;
static const Shape shapes[] = {
    {0, 0, 0, 8, 4, 4, 16, 8},  {0, 1, 0, 8, 8, 4, 8, 8},    {0, 2, 0, 16, 8, 4, 4, 8},
    {0, 3, 0, 16, 16, 4, 2, 8}, {1, 0, 0, 32, 16, 4, 2, 4},  {1, 2, 0, 16, 8, 2, 8, 8},
    {1, 2, 1, 16, 8, 4, 8, 4},  {1, 3, 0, 16, 16, 2, 4, 8},  {1, 3, 1, 16, 16, 4, 4, 4},
    {0, 1, 1, 8, 8, 32, 0, 2},  {0, 3, 1, 16, 16, 32, 0, 1}, {0, 1, 4, 8, 8, CONVOLUTION, 8, 32},
};

/* 0 when the configuration's shape is not known. */
int v_mac(u8 *d, const u8 *acc1, const u8 *acc2, const u8 *x, const u8 *y, u32 configuration, u32 signs) {
    u32 amode = configuration >> 1 & 3, bmode = configuration >> 3 & 3, variant = configuration >> 5 & 7;
    u32 x_signed = configuration >> 9 & 1, y_signed = configuration >> 8 & 1;
    int zero = (configuration & 1) || (signs & MAC_ZERO);
    int sub = (configuration >> 11 & 1) != ((signs & MAC_SUB_PRODUCT) != 0);
    int sub1 = (configuration >> 12 & 1) != ((signs & MAC_SUB_ACC1) != 0);
    int sub2 = (configuration >> 13 & 1) != ((signs & MAC_SUB_ACC2) != 0);
    u32 bits = amode == 1 ? 64 : 32;
    u8 result[128];
    for (u32 s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const Shape *shape = &shapes[s];
        if (shape->amode != amode || shape->bmode != bmode || shape->variant != variant) continue;
        u32 lanes = 1024 / bits;
        for (u32 i = 0; i < lanes; i++) {
            i64 sum = 0;
            if (shape->inner == 0) {
                for (u32 k = 0; k < shape->columns; k++)
                    sum += vector_lane(x, i + k * lanes, shape->x_bits, x_signed) *
                           vector_lane(y, i + k * lanes, shape->y_bits, y_signed);
            } else if (shape->rows == CONVOLUTION) {
                for (u32 k = 0; k < shape->inner; k++)
                    sum += vector_lane(x, i + k, shape->x_bits, x_signed) *
                           vector_lane(y, k, shape->y_bits, y_signed);
            } else {
                u32 row = i / shape->columns, column = i % shape->columns;
                for (u32 k = 0; k < shape->inner; k++)
                    sum += vector_lane(x, row * shape->inner + k, shape->x_bits, x_signed) *
                           vector_lane(y, k * shape->columns + column, shape->y_bits, y_signed);
            }
            i64 total = sub ? -sum : sum;
            if (!zero) {
                i64 first = acc_lane(acc1, i, bits);
                if (configuration >> 10 & 1) first = (i64)((u64)first << 16);
                total = (i64)((u64)total + (u64)(sub1 ? -first : first));
            }
            if (signs & MAC_TWO) {
                i64 second = acc_lane(acc2, i, bits);
                total = (i64)((u64)total + (u64)(sub2 ? -second : second));
            }
            set_acc(result, i, bits, total);
        }
        copy(d, result, 128);
        return 1;
    }
    return 0;
}

/* Sums of accumulators: bits [2:1] of the configuration give the lanes. */
void v_acc_add(u8 *d, const u8 *acc1, const u8 *acc2, u32 configuration, u32 signs) {
    u32 bits = (configuration >> 1 & 3) == 1 ? 64 : 32;
    int zero = configuration & 1;
    int sub1 = (configuration >> 12 & 1) != ((signs & MAC_SUB_ACC1) != 0);
    int sub2 = (configuration >> 13 & 1) != ((signs & MAC_SUB_ACC2) != 0);
    u8 result[128];
    for (u32 i = 0; i < 1024 / bits; i++) {
        u64 first = zero ? 0 : (u64)acc_lane(acc1, i, bits);
        if (configuration >> 10 & 1) first <<= 16;
        u64 total = sub1 ? 0 - first : first;
        if (signs & MAC_TWO) {
            u64 second = (u64)acc_lane(acc2, i, bits);
            total += sub2 ? 0 - second : second;
        }
        set_acc(result, i, bits, (i64)total);
    }
    copy(d, result, 128);
}
