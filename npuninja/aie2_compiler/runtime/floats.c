/* float in integers: IEEE 754 single precision, to nearest even, with subnormal numbers. A result that is no
 * number is 0x7FC00000. A number in work is sign, exponent e and fraction f with f's leading one at bit 31:
 * f * 2^(e-31). */
typedef unsigned u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;
#define NO_NUMBER 0x7FC00000u
#define INFINITE 0x7F800000u
#define SIGN 0x80000000u

static inline u32 bits_of(float a) {
    u32 b;
    __builtin_memcpy(&b, &a, 4);
    return b;
}

static inline float float_of(u32 b) {
    float a;
    __builtin_memcpy(&a, &b, 4);
    return a;
}

static inline int is_no_number(u32 a) { return (a & ~SIGN) > INFINITE; }

/* The nearest float to ± f * 2^(e-31), f with bit 31 set or 0; what was cut off f before is in its lowest
 * bit. */
static __attribute__((noinline)) u32 rounded(u32 sign, i32 e, u32 f) {
    if (!f)
        return sign;
    i32 biased = e + 127;
    if (biased <= 0) { /* subnormal: shift to the right, keep what falls out in the lowest bit */
        u32 by = 1 - biased;
        if (by > 31)
            return sign;
        f = f >> by | ((f & ((1u << by) - 1)) != 0);
        biased = 0;
    }
    u32 kept = f >> 8, rest = f & 0xFF;
    kept += rest > 0x80 || (rest == 0x80 && (kept & 1));
    if (biased == 0)
        return sign | kept;
    if (kept >> 24)
        biased++, kept = 0x800000;
    return biased >= 255 ? sign | INFINITE : sign | (u32)biased << 23 | (kept & 0x7FFFFF);
}

/* Fraction with its leading one at bit 31 (0 for zero), and the exponent. */
static inline u32 fraction_of(u32 a, i32 *e) {
    i32 biased = a >> 23 & 255;
    u32 f = a << 8;
    if (biased) {
        *e = biased - 127;
        return f | SIGN;
    }
    if (!f)
        return 0;
    int zeros = __builtin_clz(f);
    *e = -126 - zeros;
    return f << zeros;
}

float __addsf3(float x, float y) {
    u32 a = bits_of(x), b = bits_of(y);
    if (is_no_number(a) || is_no_number(b))
        return float_of(NO_NUMBER);
    if ((a & ~SIGN) < (b & ~SIGN)) {
        u32 t = a;
        a = b, b = t;
    }
    if ((a & ~SIGN) == INFINITE)
        return float_of((b & ~SIGN) == INFINITE && a != b ? NO_NUMBER : a);
    i32 ea = 0, eb = 0;
    u32 fa = fraction_of(a, &ea), fb = fraction_of(b, &eb);
    if (!fb)
        return float_of(fa ? a : a & b);
    u32 by = ea - eb;
    /* Two bits of room: one for the carry; what falls out stays in the lowest bit. */
    u64 wa = (u64)fa << 30, wb = (u64)fb << 30;
    wb = by > 61 ? 1 : by ? wb >> by | ((wb & ((1ull << by) - 1)) != 0) : wb;
    u64 sum = (a ^ b) & SIGN ? wa - wb : wa + wb;
    if (!sum)
        return float_of(0);
    int zeros = (u32)(sum >> 32) ? __builtin_clz((u32)(sum >> 32)) : 32 + __builtin_clz((u32)sum);
    sum <<= zeros;
    return float_of(rounded(a & SIGN, ea + 2 - zeros, (u32)(sum >> 32) | ((u32)sum != 0)));
}

float __subsf3(float x, float y) { return __addsf3(x, float_of(bits_of(y) ^ SIGN)); }

float __mulsf3(float x, float y) {
    u32 a = bits_of(x), b = bits_of(y), sign = (a ^ b) & SIGN;
    if (is_no_number(a) || is_no_number(b))
        return float_of(NO_NUMBER);
    if ((a & ~SIGN) == INFINITE || (b & ~SIGN) == INFINITE)
        return float_of((a & ~SIGN) == 0 || (b & ~SIGN) == 0 ? NO_NUMBER : sign | INFINITE);
    i32 ea = 0, eb = 0;
    u32 fa = fraction_of(a, &ea), fb = fraction_of(b, &eb);
    if (!fa || !fb)
        return float_of(sign);
    u64 product = (u64)fa * fb;
    i32 e = ea + eb + 1;
    if (!(product >> 63))
        product <<= 1, e--;
    return float_of(rounded(sign, e, (u32)(product >> 32) | ((u32)product != 0)));
}

float __divsf3(float x, float y) {
    u32 a = bits_of(x), b = bits_of(y), sign = (a ^ b) & SIGN;
    if (is_no_number(a) || is_no_number(b))
        return float_of(NO_NUMBER);
    int infinite_a = (a & ~SIGN) == INFINITE, infinite_b = (b & ~SIGN) == INFINITE;
    if (infinite_a || !(b & ~SIGN))
        return float_of((infinite_a && infinite_b) || !((a | b) & ~SIGN) ? NO_NUMBER : sign | INFINITE);
    if (infinite_b || !(a & ~SIGN))
        return float_of(sign);
    i32 ea = 0, eb = 0;
    u32 fa = fraction_of(a, &ea), fb = fraction_of(b, &eb), q = 0;
    i32 e = ea - eb;
    u64 r = fa;
    if (fa < fb)
        r <<= 1, e--;
    for (int i = 0; i < 32; i++) {
        q <<= 1;
        if (r >= fb)
            r -= fb, q |= 1;
        r <<= 1;
    }
    return float_of(rounded(sign, e, q | (r != 0)));
}

/* -1, 0, 1, or `unordered`. */
static inline i32 compared(float x, float y, i32 unordered) {
    i32 a = bits_of(x), b = bits_of(y);
    if (is_no_number(a) || is_no_number(b))
        return unordered;
    if (!((a | b) & ~SIGN))
        return 0;
    if ((a & b) < 0)
        return a == b ? 0 : a > b ? -1 : 1;
    return a == b ? 0 : a < b ? -1 : 1;
}

i32 __eqsf2(float x, float y) { return compared(x, y, 1); }
i32 __nesf2(float x, float y) { return compared(x, y, 1); }
i32 __ltsf2(float x, float y) { return compared(x, y, 1); }
i32 __lesf2(float x, float y) { return compared(x, y, 1); }
i32 __gtsf2(float x, float y) { return compared(x, y, -1); }
i32 __gesf2(float x, float y) { return compared(x, y, -1); }
i32 __unordsf2(float x, float y) { return is_no_number(bits_of(x)) || is_no_number(bits_of(y)); }

float __floatunsisf(u32 a) {
    if (!a)
        return 0;
    int zeros = __builtin_clz(a);
    return float_of(rounded(0, 31 - zeros, a << zeros));
}

float __floatsisf(i32 a) {
    float f = __floatunsisf(a < 0 ? 0u - a : a);
    return float_of(bits_of(f) | (a & SIGN));
}

float __floatundisf(u64 a) {
    u32 high = a >> 32;
    if (!high)
        return __floatunsisf(a);
    int zeros = __builtin_clz(high);
    a <<= zeros;
    return float_of(rounded(0, 63 - zeros, (u32)(a >> 32) | ((u32)a != 0)));
}

float __floatdisf(i64 a) {
    float f = __floatundisf(a < 0 ? 0ull - a : a);
    return float_of(bits_of(f) | (a < 0 ? SIGN : 0));
}

/* Towards zero; beyond the range the nearest integer, 0 for what is no number, as emulated cores have it. */
u32 __fixunssfsi(float x) {
    u32 a = bits_of(x);
    i32 e = 0;
    if (is_no_number(a) || (a & SIGN))
        return 0;
    if ((i32)(a >> 23) - 127 >= 32)
        return ~0u;
    u32 f = fraction_of(a, &e);
    return !f || e < 0 ? 0 : f >> (31 - e);
}

i32 __fixsfsi(float x) {
    u32 a = bits_of(x), size = __fixunssfsi(float_of(a & ~SIGN));
    if (is_no_number(a))
        return 0;
    return a & SIGN ? (size > SIGN ? (i32)SIGN : (i32)(0u - size)) : (size >= SIGN ? 0x7FFFFFFF : (i32)size);
}

u64 __fixunssfdi(float x) {
    u32 a = bits_of(x);
    i32 e = 0;
    if (is_no_number(a) || (a & SIGN))
        return 0;
    if ((i32)(a >> 23) - 127 >= 64)
        return ~0ull;
    u32 f = fraction_of(a, &e);
    return !f || e < 0 ? 0 : e >= 31 ? (u64)f << (e - 31) : f >> (31 - e);
}

i64 __fixsfdi(float x) {
    u32 a = bits_of(x);
    u64 size = __fixunssfdi(float_of(a & ~SIGN)), top = 1ull << 63;
    if (is_no_number(a))
        return 0;
    return a & SIGN ? (size > top ? (i64)top : (i64)(0ull - size))
                    : (size >= top ? (i64)(top - 1) : (i64)size);
}

/* bfloat16 is the upper half of a float. */
u32 __truncsfbf2(float x) {
    u32 a = bits_of(x);
    if (is_no_number(a))
        return a >> 16 | 0x40;
    return (a + 0x7FFF + (a >> 16 & 1)) >> 16;
}

float __extendbfsf2(u32 a) { return float_of(a << 16); }
