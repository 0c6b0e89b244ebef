/* The vector unit's floating point: products and accumulators of one step are brought to one exponent, each rounded there, then added
 * exactly and rounded once more.
 *
 * E is the largest exponent of a step (that of a product is the sum of its factors', also when its mantissa reaches two or more; zeros
 * do not count). Every term is rounded to a multiple of 2^(E-23), to nearest even; the sum of these is exact; it
 * becomes a float32, to nearest even; less than 2^-126 becomes zero. With -DNPU_FLOAT_FAST plain float32 arithmetic is used instead.
 *
 * All functions work on rows of float32 lanes. Factors are bfloat16 values held as float32. */
#pragma once

#include <npu/rounding.h>

namespace npu {
/** One step of one lane, in integers; for exponents that the fast ways do not cover. a, b: factors; c: accumulators. */
struct exact_step {
    static constexpr int nothing = -100000;
    int top = nothing;
    bool nan = false, infinite_up = false, infinite_down = false;

    static int exponent(float x) {
        int e = int(__builtin_bit_cast(u32, x) >> 23 & 255);
        return (e ? e : 1) - 127;
    }
    static i64 mantissa(float x) {
        u32 bits = __builtin_bit_cast(u32, x);
        i64 m = (bits & 0x7fffff) | (bits >> 23 & 255 ? 0x800000 : 0);
        return bits >> 31 ? -m : m;
    }
    static bool special(float x) { return (__builtin_bit_cast(u32, x) >> 23 & 255) == 255; }

    void see(float value) {
        if (special(value)) {
            nan |= value != value;
            infinite_up |= value > 0;
            infinite_down |= value < 0;
        } else if (value != 0 && exponent(value) > top)
            top = exponent(value);
    }
    void see(float a, float b) {
        if (special(a) || special(b))
            see(a * b);
        else if (a != 0 && b != 0 && exponent(a) + exponent(b) > top)
            top = exponent(a) + exponent(b);
    }
    /** m * 2^e as a multiple of 2^(top-23), to nearest even. */
    i64 aligned(i64 m, int e) const {
        int down = top - 23 - e;
        if (m == 0 || down > 60)
            return 0;
        if (down <= 0)
            return m << -down;
        i64 whole = m >> down, rest = m & ((i64(1) << down) - 1), half = i64(1) << (down - 1);
        return whole + (rest > half || (rest == half && (whole & 1)));
    }
    i64 term(float c) const { return special(c) ? 0 : aligned(mantissa(c), exponent(c) - 23); }
    i64 term(float a, float b) const {
        return special(a) || special(b) ? 0 : aligned(mantissa(a) * mantissa(b), exponent(a) + exponent(b) - 46);
    }
    float result(i64 sum) const {
        if (nan || (infinite_up && infinite_down))
            return __builtin_bit_cast(float, 0x7f800001);
        if (infinite_up || infinite_down)
            return infinite_up ? __builtin_inff() : -__builtin_inff();
        double value = double(float(sum)); // 24 bits, to nearest even
        if (sum == 0)
            return 0.0f;
        value *= __builtin_bit_cast(double, u64(top - 23 + 1023) << 52);
        return __builtin_fabs(value) < 0x1p-126 ? 0.0f : float(value);
    }
};

/** One step of each of `lanes_n` lanes, for the registers' blocks in memory: `accumulators` rows at rare_c, `products` rows at rare_a
 * and rare_b. The result replaces the first accumulator. */
__attribute__((noinline, cold)) inline void exact_steps(unsigned lanes_n, unsigned accumulators, unsigned products) {
    const float *a = (const float *)registers::rare_a, *b = (const float *)registers::rare_b;
    float *c = (float *)registers::rare_c;
    for (unsigned i = 0; i < lanes_n; i++) {
        exact_step step;
        for (unsigned k = 0; k < accumulators; k++)
            step.see(c[k * lanes_n + i]);
        for (unsigned k = 0; k < products; k++)
            step.see(a[k * lanes_n + i], b[k * lanes_n + i]);
        i64 sum = 0;
        for (unsigned k = 0; k < accumulators; k++)
            sum += step.term(c[k * lanes_n + i]);
        for (unsigned k = 0; k < products; k++)
            sum += step.term(a[k * lanes_n + i], b[k * lanes_n + i]);
        c[i] = step.result(sum);
    }
}

template <class F> NPU_INLINE auto exponents(F x) { return (lanes<i32, sizeof(F) / 4>)((bits_as<u32>(x) >> 23) & 255); }
template <class F> NPU_INLINE F flushed(F x) {
    const auto bits = bits_as<u32>(x);
    return (F)(bits & ~bits_as<u32>((bits & 0x7f800000) == 0));
}
/** Less than 2^-126 to zero of the same sign. */
template <class F> NPU_INLINE F flushed_keeping_sign(F x) {
    const auto bits = bits_as<u32>(x);
    return (F)(bits & ~(bits_as<u32>((bits & 0x7f800000) == 0) & 0x7fffffff));
}

/** a·b, rows of bfloat16 values: exact, but denormal results become +0. */
template <class F> NPU_INLINE F multiply(F a, F b) { return flushed(a * b); }

/** c + a·b: a step of one product. */
template <class F> NPU_INLINE F multiply_add(F c, F a, F b) {
#ifdef NPU_FLOAT_FAST
    return c + a * b;
#else
    constexpr unsigned n = sizeof(F) / 4;
    using I = lanes<i32, n>;
    const F p = a * b;
    const I one = splat<i32, n>(1);
    // Only the term with the smaller exponent can lose bits. It is rounded by adding 2^E of its own sign and taking that away again.
    I ep = higher(exponents(a), one) + higher(exponents(b), one) - 127;
    ep = ep & (I)(p != 0);
    const I ec = exponents(c);
    const I e = higher(higher(ep, ec), one);
    // A product is less than 2^(E+2): with 2^E added it must still be finite.
    if (__builtin_expect(any((I)(e > 252)), 0)) {
        store((void *)registers::rare_a, a);
        store((void *)registers::rare_b, b);
        store((void *)registers::rare_c, c);
        exact_steps(n, 1, 1);
        return load<F>((const void *)registers::rare_c);
    }
    const I product_larger = (I)(ep > ec);
    const F small = (F)(((I)c & product_larger) | ((I)p & ~product_larger));
    const F large = (F)(((I)p & product_larger) | ((I)c & ~product_larger));
    const F magic = (F)(e << 23 | ((I)small & splat<i32, n>(int(0x80000000))));
    return flushed(large + ((small + magic) - magic));
#endif
}

/** a + b: a step of two accumulators. */
template <class F> NPU_INLINE F add(F a, F b) {
#ifdef NPU_FLOAT_FAST
    return a + b;
#else
    constexpr unsigned n = sizeof(F) / 4;
    using I = lanes<i32, n>;
    const I ma = (I)a & 0x7fffffff, mb = (I)b & 0x7fffffff;
    const I a_larger = (I)(ma > mb);
    const F small = (F)(((I)b & a_larger) | ((I)a & ~a_larger));
    const F large = (F)(((I)a & a_larger) | ((I)b & ~a_larger));
    // An infinity or a NaN has no power of two above it; adding the small one as it is gives the right thing.
    const I e = (I)large & 0x7f800000, es = (I)small & 0x7f800000;
    const F magic = (F)((e | ((I)small & splat<i32, n>(int(0x80000000)))) & (I)(e != es) & (I)(e != 0x7f800000));
    const F sum = large + ((small + magic) - magic);
    return flushed_keeping_sign(sum + 0.0f);
#endif
}

/** a + b of rows whose lanes are bfloat16 values. Nothing is lost by bringing them to one exponent unless it is 17 binades away. */
template <class F> NPU_INLINE F add_bf16(F a, F b) {
#ifndef NPU_FLOAT_FAST
    constexpr unsigned n = sizeof(F) / 4;
    using I = lanes<i32, n>;
    const I far = __builtin_elementwise_abs(((I)a & 0x7f800000) - ((I)b & 0x7f800000));
    if (__builtin_expect(any((I)(far > (16 << 23))), 0))
        return add(a, b);
#endif
    return flushed_keeping_sign(a + b + 0.0f);
}

/** The exponent of a factor for sums of exponents: a zero's makes every sum too small to count, an infinity's or NaN's too large. */
template <class F> NPU_INLINE auto factor_exponents(F x) {
    constexpr unsigned n = sizeof(F) / 4;
    using I = lanes<i32, n>;
    const I e = exponents(x);
    I result = higher(e, splat<i32, n>(1));
    result -= (I)(x == 0) & 4000;
    result += (I)(e == 255) & 9000;
    return result;
}

/** The same of bfloat16 values as they are stored, in lanes of 16 bits. */
template <class V> NPU_INLINE auto factor_exponents_bf16(V x) {
    constexpr unsigned n = sizeof(V) / 2;
    using E = lanes<i16, n>;
    const E e = (E)((x >> 7) & 255);
    E result = higher(e, splat<i16, n>(1));
    result -= (E)((x & 0x7fff) == 0) & i16(4000);
    result += (E)(e == 255) & i16(9000);
    return result;
}

/** Lanes rounded to integers, for values within int32. */
template <class F> NPU_INLINE auto truncated(F x) {
    constexpr unsigned n = sizeof(F) / 4;
#if __has_builtin(__builtin_wasm_relaxed_trunc_s_i32x4_f32x4)
    if constexpr (n == 4)
        return __builtin_wasm_relaxed_trunc_s_i32x4_f32x4(x);
    else
        return join(truncated(part<n / 2, 0>(x)), truncated(part<n / 2, n / 2>(x)));
#else
    return convert<i32>(x);
#endif
}

/** One step for any exponents: C accumulators and K products, arrays of rows. */
template <unsigned C, unsigned K, class F> NPU_INLINE F rare_step(const F (&c)[C], const F (&a)[K], const F (&b)[K]) {
    for (unsigned k = 0; k < K; k++) {
        store((void *)(registers::rare_a + k * sizeof(F)), a[k]);
        store((void *)(registers::rare_b + k * sizeof(F)), b[k]);
    }
    for (unsigned k = 0; k < C; k++)
        store((void *)(registers::rare_c + k * sizeof(F)), c[k]);
    exact_steps(sizeof(F) / 4, C, K);
    return load<F>((const void *)registers::rare_c);
}

/** One step of C accumulators and K products, arrays of rows. */
template <unsigned C, unsigned K, class F> NPU_INLINE F sum_step(const F (&c)[C], const F (&a)[K], const F (&b)[K]) {
#ifdef NPU_FLOAT_FAST
    F total = c[0];
    for (unsigned k = 1; k < C; k++)
        total = total + c[k];
    for (unsigned k = 0; k < K; k++)
        total = total + a[k] * b[k];
    return total;
#else
    constexpr unsigned n = sizeof(F) / 4;
    using I = lanes<i32, n>;
    I e = factor_exponents(c[0]);
    for (unsigned k = 1; k < C; k++)
        e = higher(e, factor_exponents(c[k]));
    for (unsigned k = 0; k < K; k++)
        e = higher(e, factor_exponents(a[k]) + factor_exponents(b[k]) - 127);
    if (__builtin_expect(any((I)(e > 253) | ((I)(e < 30) & (I)(e > -1000))), 0)) {
        return rare_step(c, a, b);
    }
    e = higher(e, splat<i32, n>(30));
    const F up = (F)((277 - e) << 23), down = (F)((e - 23) << 23);
    I sum = truncated(__builtin_elementwise_roundeven(c[0] * up));
    for (unsigned k = 1; k < C; k++)
        sum += truncated(__builtin_elementwise_roundeven(c[k] * up));
    for (unsigned k = 0; k < K; k++)
        sum += truncated(__builtin_elementwise_roundeven(a[k] * b[k] * up));
    return convert<float>(sum) * down;
#endif
}
template <unsigned K, class F> NPU_INLINE F multiply_add_many(F c, const F (&a)[K], const F (&b)[K]) {
    const F accumulators[1] = {c};
    return sum_step(accumulators, a, b);
}

/** x as a sum of three bfloat16 values, each what the conversion by mode floor leaves of the rest. */
template <class F> struct three_parts {
    F high, middle, low;
};
template <class F> NPU_INLINE F floor_part(F x) {
    constexpr unsigned n = sizeof(F) / 4;
    const auto bits = bits_as<u32>(x);
    const auto negative = bits_as<u32>((lanes<i32, n>)bits >> 31);
    return (F)((bits + (negative & 0xffff)) & 0xffff0000);
}
template <class F> NPU_INLINE three_parts<F> split_float(F x) {
    // The differences are steps: a negative number's part may reach the next exponent, and the number then loses its last bit.
    const F one = splat<float, sizeof(F) / 4>(1.0f), high = floor_part(x), rest = multiply_add(x, -high, one);
    const F middle = floor_part(rest), low = floor_part(multiply_add(rest, -middle, one));
    return {high, middle, low};
}

/** The product of two float32 rows by products of bfloat16 parts, added to c when there is one; `-x·y` when Negative. */
template <bool HasC, bool Negative, class F> NPU_INLINE F emulated_steps(F c, F x, F y) {
#ifdef NPU_FLOAT_FAST
    const F p = Negative ? -x * y : x * y;
    return HasC ? c + p : p;
#else
    three_parts<F> p = split_float(x);
    const three_parts<F> q = split_float(y);
    if constexpr (Negative)
        p = {-p.high, -p.middle, -p.low};
#if defined(AIE2_FP32_EMULATION_ACCURACY_LOW) || defined(AIE_FP32_EMULATION_ACCURACY_LOW)
    F sum = multiply(p.middle, q.high);
    sum = multiply_add(sum, p.high, q.middle);
#else
#if defined(AIE2_FP32_EMULATION_ACCURACY_FAST) || defined(AIE_FP32_EMULATION_ACCURACY_FAST)
    F sum = multiply(p.high, q.low);
#else
    F sum = multiply(p.low, q.low);
    sum = multiply_add(sum, p.low, q.middle);
    sum = multiply_add(sum, p.middle, q.low);
    sum = multiply_add(sum, p.high, q.low);
#endif
    sum = multiply_add(sum, p.middle, q.middle);
    sum = multiply_add(sum, p.low, q.high);
    sum = multiply_add(sum, p.middle, q.high);
    sum = multiply_add(sum, p.high, q.middle);
#endif
    if constexpr (HasC) {
        const F accumulators[2] = {sum, c}, a[1] = {p.high}, b[1] = {q.high};
        return sum_step(accumulators, a, b);
    } else
        return multiply_add(sum, p.high, q.high);
#endif
}
/* The steps are many, so a row of several registers goes by way of the register page to a function that is not inlined, and that does
 * four lanes at a time. */
template <bool HasC, bool Negative> __attribute__((noinline)) void emulated_steps_in_page(unsigned bytes) {
    using F = lanes<float, 4>;
    char *place = (char *)registers::index_a;
#pragma clang loop unroll(disable)
    for (unsigned at = 0; at < bytes; at += sizeof(F)) {
        const F c = load<F>(place + at), x = load<F>(place + bytes + at), y = load<F>(place + 2 * bytes + at);
        store(place + at, emulated_steps<HasC, Negative>(c, x, y));
    }
}
template <bool HasC, bool Negative, class F> NPU_INLINE F emulated_multiply_add(F c, F x, F y) {
    if constexpr (sizeof(F) <= 16)
        return emulated_steps<HasC, Negative>(c, x, y);
    else {
        static_assert(3 * sizeof(F) <= 2048, "the page has room for rows of 128 lanes");
        F *place = (F *)registers::index_a;
        if constexpr (HasC)
            place[0] = c;
        place[1] = x, place[2] = y;
        emulated_steps_in_page<HasC, Negative>(sizeof(F));
        return place[0];
    }
}
} // namespace npu
