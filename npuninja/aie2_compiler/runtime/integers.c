/* Division, and shifts of 64 bits by a number that is not known. What a quotient by zero is follows RISC-V:
 * all ones. */
typedef unsigned u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;

/* Quotient in the lower word, rest in the upper; b below 2^31. */
u64 __npuninja_divide(u32 a, u32 b);

u32 __udivsi3(u32 a, u32 b) { return (i32)b < 0 ? a >= b : (u32)__npuninja_divide(a, b); }

u32 __umodsi3(u32 a, u32 b) {
    return (i32)b < 0 ? (a >= b ? a - b : a) : (u32)(__npuninja_divide(a, b) >> 32);
}

i32 __divsi3(i32 a, i32 b) {
    u32 q = __udivsi3(a < 0 ? 0u - a : a, b < 0 ? 0u - b : b);
    return b == 0 ? -1 : (a ^ b) < 0 ? 0u - q : q;
}

i32 __modsi3(i32 a, i32 b) {
    u32 r = __umodsi3(a < 0 ? 0u - a : a, b < 0 ? 0u - b : b);
    return a < 0 ? 0u - r : r;
}

static u64 divide(u64 a, u64 b, u64 *rest) {
    u64 q = 0, r = 0;
    if (!(a >> 32) && !(b >> 32)) {
        *rest = __umodsi3(a, b);
        return b ? __udivsi3(a, b) : ~0ull;
    }
    for (int i = 63; i >= 0; i--) {
        u64 top = r >> 63;
        r = r << 1 | (a >> i & 1);
        if (top || r >= b) {
            r -= b;
            q |= 1ull << i;
        }
    }
    *rest = r;
    return q;
}

u64 __udivdi3(u64 a, u64 b) {
    u64 r;
    return divide(a, b, &r);
}

u64 __umoddi3(u64 a, u64 b) {
    u64 r;
    divide(a, b, &r);
    return r;
}

i64 __divdi3(i64 a, i64 b) {
    u64 q = __udivdi3(a < 0 ? 0ull - a : a, b < 0 ? 0ull - b : b);
    return b == 0 ? -1 : (a ^ b) < 0 ? 0ull - q : q;
}

i64 __moddi3(i64 a, i64 b) {
    u64 r = __umoddi3(a < 0 ? 0ull - a : a, b < 0 ? 0ull - b : b);
    return a < 0 ? 0ull - r : r;
}

/* Written in halves: a shift of 64 bits here would call the function itself. */
typedef union {
    u64 whole;
    struct {
        u32 low, high;
    } half;
} parts;

u64 __ashldi3(u64 a, i32 n) {
    parts p = {a}, r;
    if (n >= 32)
        r.half.low = 0, r.half.high = p.half.low << (n - 32);
    else if (n)
        r.half.low = p.half.low << n, r.half.high = p.half.high << n | p.half.low >> (32 - n);
    else
        return a;
    return r.whole;
}

u64 __lshrdi3(u64 a, i32 n) {
    parts p = {a}, r;
    if (n >= 32)
        r.half.high = 0, r.half.low = p.half.high >> (n - 32);
    else if (n)
        r.half.high = p.half.high >> n, r.half.low = p.half.low >> n | p.half.high << (32 - n);
    else
        return a;
    return r.whole;
}

i64 __ashrdi3(i64 a, i32 n) {
    parts p = {a}, r;
    if (n >= 32)
        r.half.high = (i32)p.half.high >> 31, r.half.low = (i32)p.half.high >> (n - 32);
    else if (n)
        r.half.high = (i32)p.half.high >> n, r.half.low = p.half.low >> n | p.half.high << (32 - n);
    else
        return a;
    return r.whole;
}
