/* Functions of rows of floats: inverse and its root as AIE2 computes them, conversions from and to integers, and AIE2P's exp2 and tanh,
 * whose bits no public source has: correctly rounded here. */
#pragma once

#include <math.h>
#include <npu/float_steps.h>

namespace npu {
/** f of each lane, by way of memory outside the tile. */
template <class F> NPU_INLINE auto each(F v, auto f) {
    constexpr unsigned n = sizeof(F) / 4;
    float *place = (float *)registers::index_a;
    store(place, v);
    for (unsigned i = 0; i < n; i++)
        place[i] = f(place[i]);
    return load<F>(place);
}

template <class V> NPU_INLINE auto narrowed(V x) { return bf16_rows_to_float(float_rows_to_bf16(x)); }

/** 1/x of bfloat16 lanes: a first guess from the bits, two corrections. */
template <class V> NPU_INLINE V inverse_bf16(V v) {
    constexpr unsigned n = sizeof(V) / 2;
    const auto x = bf16_rows_to_float(v);
    const auto guess = bf16_rows_to_float((lanes<u16, n>)(splat<u16, n>(0x7eb5) - v));
    const auto k1 = splat<float, n>(__builtin_bit_cast(float, unsigned(nearest_bf16(__builtin_bit_cast(unsigned, 1.9395974f))) << 16));
    auto t = narrowed(add(multiply(-x, guess), splat<float, n>(1.436142f)));
    t = narrowed(multiply(t, guess));
    const auto y = narrowed(multiply(-t, k1));
    const auto r = narrowed(multiply_add(splat<float, n>(2.0f), y, x));
    return float_rows_to_bf16(multiply(-y, r));
}
/** 1/x of float lanes, in the same way. */
template <class F> NPU_INLINE F inverse_float(F x) {
    constexpr unsigned n = sizeof(F) / 4;
    const F guess = (F)(splat<i32, n>(0x7eb53567) - (lanes<i32, n>)x);
    F t = add(emulated_multiply_add<false, true>(F{}, x, guess), splat<float, n>(1.436142f));
    t = emulated_multiply_add<false, false>(F{}, t, guess);
    const F y = emulated_multiply_add<false, true>(F{}, t, splat<float, n>(1.9395974f));
    const F r = emulated_multiply_add<true, false>(splat<float, n>(2.0f), y, x);
    return emulated_multiply_add<false, true>(F{}, y, r);
}
inline constexpr float root_c2 = 0.703952253f, root_c3 = 2.38924456f;
/** The bits of a first guess at 1/√x; the shift rounds by mode. */
template <class F> NPU_INLINE auto root_guess(F x) {
    constexpr unsigned n = sizeof(F) / 4;
    return (F)(splat<i32, n>(0x5f1ffff9) - shift_rounded((lanes<i32, n>)x, 1));
}
template <class V> NPU_INLINE V inverse_root_bf16(V v) {
    constexpr unsigned n = sizeof(V) / 2;
    const auto x = bf16_rows_to_float(v);
    const auto c2 = splat<float, n>(__builtin_bit_cast(float, unsigned(nearest_bf16(__builtin_bit_cast(unsigned, root_c2))) << 16));
    const auto x2 = narrowed(multiply(x, c2));
    const auto y = narrowed(root_guess(x));
    const auto yy = narrowed(multiply(y, y));
    const auto rest = narrowed(multiply_add(splat<float, n>(root_c2 * root_c3), -x2, yy));
    return float_rows_to_bf16(multiply(y, rest));
}
template <class F> NPU_INLINE F inverse_root_float(F x) {
    constexpr unsigned n = sizeof(F) / 4;
    const F x2 = emulated_multiply_add<false, false>(F{}, x, splat<float, n>(root_c2));
    const F y = root_guess(x);
    const F yy = emulated_multiply_add<false, false>(F{}, y, y);
    const F rest = emulated_multiply_add<true, true>(splat<float, n>(root_c2 * root_c3), x2, yy);
    return emulated_multiply_add<false, false>(F{}, y, rest);
}
/** 1/√x to the nearest float. */
template <class F> NPU_INLINE F inverse_root_rounded(F x) {
    const auto wide = 1.0 / __builtin_elementwise_sqrt(convert<double>(x));
    return convert<float>(wide);
}

/** Integer lanes (8 to 32 bits) times 2^-shift. 32 bits: upper and lower half, added once as accumulators. */
template <bool Signed, class V> NPU_INLINE auto fixed_to_float(V v, int shift) {
    using L = __remove_cvref(decltype(v[0]));
    constexpr unsigned n = sizeof(V) / sizeof(L);
    const float scale = __builtin_bit_cast(float, unsigned(127 - shift) << 23);
    if constexpr (sizeof(L) < 4)
        return convert<float>(v) * splat<float, n>(scale);
    else {
        const auto high = convert<float>(v >> 16) * splat<float, n>(scale * 65536.0f);
        const auto low = convert<float>(v & 0xffff) * splat<float, n>(scale);
        return add(low, high);
    }
}
/** floor(x · 2^shift), limited to int32. */
template <class F> NPU_INLINE auto floats_to_integers(F x, int shift) {
    constexpr unsigned n = sizeof(F) / 4;
    const auto scaled = convert<double>(x) * splat<double, n>(__builtin_bit_cast(double, u64(1023 + shift) << 52));
    const auto low = splat<double, n>(-2147483648.0), high = splat<double, n>(2147483647.0);
    auto whole = __builtin_elementwise_floor(scaled);
    whole = whole < low ? low : whole;
    whole = whole > high ? high : whole;
    return convert<i32>(whole);
}
template <class V> NPU_INLINE auto bf16_to_integers(V v, int shift) { return floats_to_integers(bf16_rows_to_float(v), shift); }
/** x · 2^shift to the nearest integer, ties to even, limited to D. */
template <class D, class F> NPU_INLINE auto float_to_fixed(F x, int shift) {
    constexpr unsigned n = sizeof(F) / 4;
    constexpr bool is_signed = D(-1) < D(0);
    const auto scaled = convert<double>(x) * splat<double, n>(__builtin_bit_cast(double, u64(1023 + shift) << 52));
    constexpr double top = is_signed ? double((u64(1) << (sizeof(D) * 8 - 1)) - 1) : double((u64(1) << (sizeof(D) * 8)) - 1);
    constexpr double least = is_signed ? -double(u64(1) << (sizeof(D) * 8 - 1)) : 0.0;
    auto whole = __builtin_elementwise_roundeven(scaled);
    whole = whole < splat<double, n>(least) ? splat<double, n>(least) : whole;
    whole = whole > splat<double, n>(top) ? splat<double, n>(top) : whole;
    return convert<D>(convert<i64>(whole));
}

/** A double to the nearest bfloat16. The step over float32 rounds to odd, so that no value is rounded twice. */
NPU_INLINE u16 double_to_bf16(double x) {
    if (x != x)
        return 0x7fc0;
    float f = float(x);
    u32 bits = __builtin_bit_cast(u32, f);
    if (double(f) != x && !(bits & 1) && (bits & 0x7fffffff) < 0x7f800000) {
        const bool larger = __builtin_fabs(double(f)) > __builtin_fabs(x);
        bits += larger ? u32(-1) : 1; // even, and not exact: its odd neighbour on the other side of x
    }
    return nearest_bf16(bits);
}
/** 2^x in double, to some 1e-15. */
inline double exp2_double(double x) {
    if (x != x)
        return x;
    if (x > 1100)
        x = 1100;
    if (x < -1200)
        x = -1200;
    const double whole = __builtin_nearbyint(x), t = (x - whole) * 0.693147180559945309417;
    double sum = 1, term = 1;
    for (int i = 1; i < 18; i++) {
        term *= t / i;
        sum += term;
    }
    const int e = int(whole), half = e / 2;
    return sum * __builtin_bit_cast(double, u64(1023 + half) << 52) * __builtin_bit_cast(double, u64(1023 + (e - half)) << 52);
}
inline double tanh_double(double x) {
    const double magnitude = __builtin_fabs(x);
    if (!(magnitude < 20))
        return x != x ? x : __builtin_copysign(1.0, x);
    if (x == 0)
        return x;
    if (magnitude < 1e-3) // the difference below would lose digits
        return x - x * x * x / 3 + 2 * x * x * x * x * x / 15;
    const double e = exp2_double(-2.88539008177792681472 * magnitude);
    return __builtin_copysign((1 - e) / (1 + e), x);
}
__attribute__((noinline)) inline void exp2_in_place(float *x, u16 *out, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        const u16 y = double_to_bf16(exp2_double(double(x[i])));
        out[i] = (y & 0x7f80) == 0 ? 0 : y;
    }
}
__attribute__((noinline)) inline void tanh_in_place(float *x, u16 *out, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        out[i] = double_to_bf16(tanh_double(double(x[i])));
}
template <class F> NPU_INLINE auto exp2_bf16(F v) {
    constexpr unsigned n = sizeof(F) / 4;
    store((void *)registers::block_a, v);
    exp2_in_place((float *)registers::block_a, (u16 *)registers::block_b, n);
    return load<lanes<u16, n>>((void *)registers::block_b);
}
template <class F> NPU_INLINE auto tanh_bf16(F v) {
    constexpr unsigned n = sizeof(F) / 4;
    store((void *)registers::block_a, v);
    tanh_in_place((float *)registers::block_a, (u16 *)registers::block_b, n);
    return load<lanes<u16, n>>((void *)registers::block_b);
}
} // namespace npu
