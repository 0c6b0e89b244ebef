/* The float datapath of AIE2 (aie-api section 6): bfloat16 products and float32 accumulators share one adder
 * that aligns every term to the largest exponent and rounds each to nearest even 23 bits below it. */
#include "core.h"

#define NOT_A_NUMBER 0x7F800001u
#define INFINITE 0x7F800000u

/* A term: sign and magnitude mantissa * 2^exponent, and the exponent that counts for alignment. */
typedef struct {
    i64 mantissa;
    i32 exponent, weight;
    u32 special; /* 1 +inf, 2 -inf, 4 NaN */
} Term;

static Term from_float(u32 bits, int negate) {
    u32 exponent = bits >> 23 & 255, fraction = bits & 0x7FFFFF;
    int negative = (int)(bits >> 31) != negate;
    Term t = {0, -149, -126, 0};
    if (exponent == 255) {
        t.special = fraction ? 4 : negative ? 2 : 1;
        return t;
    }
    t.mantissa = exponent ? (i64)(fraction | 0x800000) : (i64)fraction;
    t.exponent = exponent ? (i32)exponent - 150 : -149;
    t.weight = exponent ? (i32)exponent - 127 : -126;
    if (negative) t.mantissa = -t.mantissa;
    return t;
}

static Term from_product(u16 a, u16 b, int negate) {
    u32 ea = a >> 7 & 255, eb = b >> 7 & 255, fa = a & 0x7F, fb = b & 0x7F;
    int negative = ((a ^ b) >> 15) != negate;
    Term t = {0, 0, 0, 0};
    int zero_a = !ea && !fa, zero_b = !eb && !fb;
    if (ea == 255 || eb == 255) {
        if ((ea == 255 && fa) || (eb == 255 && fb) || zero_a || zero_b)
            t.special = 4;
        else
            t.special = negative ? 2 : 1;
        return t;
    }
    i64 ma = ea ? (i64)(fa | 0x80) : (i64)fa, mb = eb ? (i64)(fb | 0x80) : (i64)fb;
    i32 xa = ea ? (i32)ea - 127 : -126, xb = eb ? (i32)eb - 127 : -126;
    t.mantissa = ma * mb; /* value = mantissa * 2^(xa - 7 + xb - 7) */
    t.exponent = xa + xb - 14;
    t.weight = xa + xb;
    if (negative) t.mantissa = -t.mantissa;
    return t;
}

/* mantissa * 2^shift for shift < 0, to nearest even. */
static i64 shifted(i64 mantissa, i32 shift) {
    if (shift >= 0) return (i64)((u64)mantissa << shift);
    i32 by = -shift;
    u64 magnitude = mantissa < 0 ? (u64)-mantissa : (u64)mantissa;
    u64 kept;
    if (by > 62) {
        kept = 0;
    } else {
        u64 rest = magnitude & ((1ull << by) - 1), half = 1ull << (by - 1);
        kept = magnitude >> by;
        if (rest > half || (rest == half && kept & 1)) kept++;
    }
    return mantissa < 0 ? -(i64)kept : (i64)kept;
}

/* sum * 2^exponent as float32, to nearest even; no denormals come out. */
static u32 to_float(i64 sum, i32 exponent) {
    if (!sum) return 0;
    u32 sign = sum < 0 ? 0x80000000u : 0;
    u64 magnitude = sum < 0 ? (u64)-sum : (u64)sum;
    i32 top = 63 - __builtin_clzll(magnitude);
    if (top > 23) {
        i32 by = top - 23;
        u64 rest = magnitude & ((1ull << by) - 1), half = 1ull << (by - 1);
        magnitude >>= by;
        if (rest > half || (rest == half && magnitude & 1)) magnitude++;
        exponent += by;
        if (magnitude >> 24) {
            magnitude >>= 1;
            exponent++;
        }
    } else {
        magnitude <<= 23 - top;
        exponent -= 23 - top;
    }
    i32 biased = exponent + 150;
    if (biased >= 255) return sign | INFINITE;
    if (biased <= 0) return sign; /* below 2^-126: zero */
    return sign | (u32)biased << 23 | ((u32)magnitude & 0x7FFFFF);
}

static u32 add_terms(const Term *terms, u32 count, int flush_keeps_sign) {
    u32 special = 0;
    i32 largest = -100000;
    for (u32 i = 0; i < count; i++) {
        special |= terms[i].special;
        if (terms[i].mantissa && terms[i].weight > largest) largest = terms[i].weight;
    }
    if (special)
        return special & 4 || special == 3 ? NOT_A_NUMBER : special & 2 ? 0x80000000u | INFINITE : INFINITE;
    if (largest == -100000) return 0;
    i64 sum = 0;
    for (u32 i = 0; i < count; i++)
        if (terms[i].mantissa) sum += shifted(terms[i].mantissa, terms[i].exponent - (largest - 23));
    u32 result = to_float(sum, largest - 23);
    return flush_keeps_sign || result & 0x7FFFFFFF ? result : 0;
}

/* bfloat16: variant 0 is 4x8x4, variant 1 element by element in pairs (i and i + 16). 0: not known. */
int v_mac_f(u8 *d, const u8 *acc1, const u8 *acc2, const u8 *x, const u8 *y, u32 configuration, u32 signs) {
    u32 amode = configuration >> 1 & 3, bmode = configuration >> 3 & 3, variant = configuration >> 5 & 7;
    int zero = (configuration & 1) || (signs & MAC_ZERO);
    int sub = (configuration >> 11 & 1) != ((signs & MAC_SUB_PRODUCT) != 0);
    int sub1 = (configuration >> 12 & 1) != ((signs & MAC_SUB_ACC1) != 0);
    int sub2 = (configuration >> 13 & 1) != ((signs & MAC_SUB_ACC2) != 0);
    const u16 *a = (const u16 *)x, *b = (const u16 *)y;
    u32 result[16];
    if (amode != 2 || bmode != 3 || variant > 1) return 0;
    for (u32 i = 0; i < 16; i++) {
        Term terms[10];
        u32 count = 0;
        if (variant == 0) {
            for (u32 k = 0; k < 8; k++)
                terms[count++] = from_product(a[i / 4 * 8 + k], b[k * 4 + i % 4], sub);
        } else {
            terms[count++] = from_product(a[i], b[i], sub);
            terms[count++] = from_product(a[i + 16], b[i + 16], sub);
        }
        if (!zero) terms[count++] = from_float(((const u32 *)acc1)[i], sub1);
        if (signs & MAC_TWO) terms[count++] = from_float(((const u32 *)acc2)[i], sub2);
        result[i] = add_terms(terms, count, 0);
    }
    copy(d, (const u8 *)result, 64);
    return 1;
}

void v_acc_add_f(u8 *d, const u8 *acc1, const u8 *acc2, u32 configuration, u32 signs) {
    int zero = configuration & 1;
    int sub1 = (configuration >> 12 & 1) != ((signs & MAC_SUB_ACC1) != 0);
    int sub2 = (configuration >> 13 & 1) != ((signs & MAC_SUB_ACC2) != 0);
    u32 result[16];
    for (u32 i = 0; i < 16; i++) {
        Term terms[2];
        u32 count = 0;
        if (!zero) terms[count++] = from_float(((const u32 *)acc1)[i], sub1);
        if (signs & MAC_TWO) terms[count++] = from_float(((const u32 *)acc2)[i], sub2);
        result[i] = add_terms(terms, count, 1);
    }
    copy(d, (const u8 *)result, 64);
}

/* 16 floats to 16 bfloat16 by the rounding mode: sign and magnitude (aie-api section 4, last column). */
void v_to_bf16(u8 *d, const u8 *a, u32 rounding) {
    u16 result[16];
    for (u32 i = 0; i < 16; i++) {
        u32 bits = ((const u32 *)a)[i], rest = bits & 0xFFFF, half = 0x8000;
        u32 kept = bits >> 16, negative = bits >> 31;
        int up = 0;
        if ((bits & 0x7FFFFFFF) > INFINITE) {
            result[i] = (u16)(kept & 0x7F ? kept : kept | 1);
            continue;
        }
        switch (rounding) {
        case 0: up = negative && rest; break;
        case 1: up = !negative && rest; break;
        case 2: up = 0; break;
        case 3: up = rest != 0; break;
        case 8: up = rest > half || (rest == half && negative); break;
        case 9: up = rest > half || (rest == half && !negative); break;
        case 10: up = rest > half; break;
        case 11: up = rest >= half; break;
        case 12: up = rest > half || (rest == half && kept & 1); break;
        case 13: up = rest > half || (rest == half && !(kept & 1)); break;
        default: break;
        }
        result[i] = (u16)(kept + (u32)up);
    }
    copy(d, (const u8 *)result, 32);
}

void v_from_bf16(u8 *d, const u8 *a) {
    u16 from[16];
    copy((u8 *)from, a, 32);
    for (u32 i = 0; i < 16; i++) ((u32 *)d)[i] = (u32)from[i] << 16;
}

/* 16 bfloat16 times 2^shift, floor, limited to int32. */
void v_floor(u8 *d, const u8 *a, i32 shift) {
    u16 from[16];
    copy((u8 *)from, a, 32);
    for (u32 i = 0; i < 16; i++) {
        u32 exponent = from[i] >> 7 & 255, fraction = from[i] & 0x7F, negative = from[i] >> 15;
        i32 result;
        if (exponent == 255) {
            result = fraction ? 0 : negative ? (i32)0x80000000 : 0x7FFFFFFF;
        } else {
            i64 mantissa = exponent ? (i64)(fraction | 0x80) : (i64)fraction;
            i32 by = (exponent ? (i32)exponent : 1) - 134 + shift;
            if (negative) mantissa = -mantissa;
            i64 value;
            if (by >= 0)
                value = by > 40 ? (mantissa > 0 ? 1ll << 40 : mantissa < 0 ? -(1ll << 40) : 0)
                                : (i64)((u64)mantissa << by);
            else
                value = by < -62 ? (mantissa < 0 ? -1 : 0) : mantissa >> -by;
            result = value > 0x7FFFFFFF ? 0x7FFFFFFF : value < -0x80000000ll ? (i32)0x80000000 : (i32)value;
        }
        ((i32 *)d)[i] = result;
    }
}
