/* Narrowing accumulators: shift, round by mode, limit by mode ("srs"); and the way back ("ups"). */
#pragma once

#include <npu/float_to_bf16.h>
#include <npu/lanes.h>

namespace npu {
/** What is added to the part that a right shift drops, so that its carry is the rounding: `always`, `if_negative`, `if_odd` in
 * units of the lowest bit, where `half` and `all` stand for half and the whole of the dropped part less one. */
template <class L> struct shift_bias {
    L always, if_negative, if_odd;
};
template <class L> NPU_INLINE shift_bias<L> bias_of(rounding_mode mode, unsigned shift) {
    const L half = L(1) << (shift - 1), all = (half << 1) - 1;
    switch (mode) {
    case rounding_mode::floor:
        return {0, 0, 0};
    case rounding_mode::ceil:
        return {all, 0, 0};
    case rounding_mode::symmetric_floor:
        return {0, all, 0};
    case rounding_mode::symmetric_ceil:
        return {all, L(0) - all, 0};
    case rounding_mode::negative_inf:
        return {half - 1, 0, 0};
    case rounding_mode::positive_inf:
        return {half, 0, 0};
    case rounding_mode::symmetric_zero:
        return {half - 1, 1, 0};
    case rounding_mode::symmetric_inf:
        return {half, L(0) - 1, 0};
    case rounding_mode::conv_odd:
        return {half, 0, L(0) - 1};
    default: // conv_even
        return {half - 1, 0, 1};
    }
}

/** The bias of the mode that is set, at `registers::bias`: not inlined, since a kernel narrows in many places. */
template <class L> __attribute__((noinline)) inline void find_bias(unsigned shift) {
    *(shift_bias<L> *)registers::bias = bias_of<L>(control().rounding, shift);
}

/** Signed lanes shifted right by 1 to (width - 1) bits and rounded by the mode. */
template <class V> NPU_INLINE V shift_rounded(V v, unsigned shift) {
    using S = __remove_cvref(decltype(v[0]));
    using U = integer<S, false>;
    constexpr unsigned n = sizeof(V) / sizeof(S);
    const V whole = v >> splat<S, n>(S(shift));
    if (control().rounding == rounding_mode::floor)
        return whole;
    find_bias<U>(shift);
    const shift_bias<U> &bias = *(shift_bias<U> *)registers::bias;
    const auto negative = bits_as<U>(v >> splat<S, n>(S(sizeof(S) * 8 - 1)));
    const auto odd = bits_as<U>(V{} - (whole & splat<S, n>(1)));
    auto dropped = bits_as<U>(v) & splat<U, n>((U(1) << shift) - 1);
    dropped += splat<U, n>(bias.always) + (negative & splat<U, n>(bias.if_negative)) + (odd & splat<U, n>(bias.if_odd));
    return whole + bits_as<S>(dropped >> splat<U, n>(U(shift)));
}

/** The lanes of an integer row as lanes of D, limited by the saturation mode, or the low bits when there is none. V has signed lanes
 * that are at least as wide. */
template <class D, class V> NPU_INLINE auto limited(V v) {
    using S = __remove_cvref(decltype(v[0]));
    constexpr unsigned n = sizeof(V) / sizeof(S);
    constexpr bool is_signed = D(-1) < D(0);
    if constexpr (sizeof(D) < sizeof(S) || !is_signed) {
        const saturation_mode mode = control().saturation;
        if (mode != saturation_mode::none) {
            constexpr S top = sizeof(D) < sizeof(S) || is_signed ? S(integer<D, false>(~integer<D, false>(0)) >> is_signed) : S(0);
            constexpr bool has_top = sizeof(D) < sizeof(S);
            const S low = !is_signed ? S(0) : mode == saturation_mode::symmetric ? S(-top) : S(-top - 1);
            v = higher(v, splat<S, n>(low));
            if constexpr (has_top)
                v = lower(v, splat<S, n>(top));
        }
    } else if (control().saturation == saturation_mode::symmetric) {
        constexpr S least = S(integer<S, false>(1) << (sizeof(S) * 8 - 1));
        v = higher(v, splat<S, n>(S(least + 1)));
    }
    return convert<D>(v);
}

template <class D, class V> NPU_INLINE auto srs(V v, int shift);
/** n lanes of 32 bits at `index_a` as lanes of D after them, for a shift that 32 bits have no room for. */
template <class D> __attribute__((noinline)) inline void srs_of_wide_shift(unsigned n, int shift) {
    for (unsigned i = 0; i < n; i += 4)
        store((D *)(registers::index_a + 1024) + i, srs<D>(convert<i64>(load<lanes<i32, 4>>((i32 *)registers::index_a + i)), shift));
}

/** An accumulator's lanes (signed, 32 or 64 bit) as lanes of the integer D. A negative shift shifts left. */
template <class D, class V> NPU_INLINE auto srs(V v, int shift) {
    using S = __remove_cvref(decltype(v[0]));
    constexpr unsigned n = sizeof(V) / sizeof(S);
    if (shift == 0)
        return limited<D>(v);
    if constexpr (sizeof(S) == 4) {
        if (shift < 0 || shift > 31) {
            store((void *)registers::index_a, v);
            srs_of_wide_shift<D>(n, shift);
            return load<lanes<D, n>>((void *)(registers::index_a + 1024));
        }
    } else {
        if (shift < 0)
            return limited<D>(v << splat<S, n>(S(-shift & 63)));
        if (shift > 63)
            shift = 63;
    }
    return limited<D>(shift_rounded(v, unsigned(shift)));
}

/** Lanes as lanes of an accumulator (A: i32 or i64): extended by their own sign, shifted left, and limited to the accumulator only
 * when saturation is on. */
template <class A, class V> NPU_INLINE auto ups(V v, int shift) {
    constexpr unsigned n = sizeof(V) / sizeof(v[0]);
    auto wide = convert<A>(v);
    if (shift == 0)
        return wide;
    if (shift < 0)
        return wide >> splat<A, n>(A(-shift & int(sizeof(A) * 8 - 1)));
    auto shifted = wide << splat<A, n>(A(shift & int(sizeof(A) * 8 - 1)));
    if (control().saturation != saturation_mode::none) {
        auto back = shifted >> splat<A, n>(A(shift & int(sizeof(A) * 8 - 1)));
        constexpr A top = A(integer<A, false>(~integer<A, false>(0)) >> 1);
        const A least = control().saturation == saturation_mode::symmetric ? A(-top) : A(-top - 1);
        auto limit = choose(wide < 0, splat<A, n>(least), splat<A, n>(top));
        shifted = choose((back == wide) & (shifted >= splat<A, n>(least)), shifted, limit);
    }
    return shifted;
}

/** Signed shift of lanes without rounding, left for negative amounts. */
template <class V> NPU_INLINE V shifted_down(V v, int shift) {
    using S = __remove_cvref(decltype(v[0]));
    constexpr unsigned n = sizeof(V) / sizeof(S);
    constexpr int width = sizeof(S) * 8;
    if (shift < 0)
        return -shift >= width ? V{} : v << splat<S, n>(S(-shift));
    return v >> splat<S, n>(S(shift >= width ? width - 1 : shift));
}

/** float32 lanes as bfloat16 (u16 lanes), with what the rounding adds to their bits; infinities stay, a NaN stays one. */
template <class W> NPU_INLINE auto float_bits_to_bf16(W bits, W added) {
    constexpr unsigned n = sizeof(W) / 4;
    const W nan = bits | (W)((bits & 0x7f0000) == 0) & 0x10000;
    const W kept = (W)choose((bits & 0x7fffffff) > 0x7f800000, nan, bits + added);
    return convert<u16>(kept >> 16);
}
template <class W> NPU_INLINE W sign_masks(W bits) { return (W)((lanes<i32, sizeof(W) / 4>)bits >> 31); }

/** n floats at index_a, a multiple of 8, as bfloat16 at the same place, by the mode that is set: not inlined, since a kernel narrows in
 * many places. */
__attribute__((noinline)) inline void narrow_floats_in_page(unsigned n) {
    using W = lanes<u32, 8>;
    char *from = (char *)registers::index_a, *to = from;
    char *const end = from + n * 4;
    const rounding_mode mode = control().rounding;
    if (mode == rounding_mode::floor) {
        for (; from != end; from += sizeof(W), to += sizeof(W) / 2) {
            const W bits = load<W>(from);
            store(to, float_bits_to_bf16(bits, sign_masks(bits) & 0xffff));
        }
    } else if (mode == rounding_mode::conv_even) {
        for (; from != end; from += sizeof(W), to += sizeof(W) / 2) {
            const W bits = load<W>(from);
            store(to, float_bits_to_bf16(bits, 0x7fff + (bits >> 16 & 1)));
        }
    } else {
        const magnitude_bias bias = bf16_bias(mode);
        for (; from != end; from += sizeof(W), to += sizeof(W) / 2) {
            const W bits = load<W>(from);
            store(to, float_bits_to_bf16(bits, bias.always + (sign_masks(bits) & bias.if_negative) +
                                                   (sign_masks(bits << 15) & bias.if_odd)));
        }
    }
}

/** float32 lanes as bfloat16 (u16 lanes), by the rounding mode; infinities stay, a NaN stays one. */
template <class V> NPU_INLINE auto float_rows_to_bf16(V v) {
    constexpr unsigned n = sizeof(V) / 4;
    static_assert(sizeof(V) <= 2048, "the page has room for rows of 512 lanes");
    store((void *)registers::index_a, widen<(n < 8 ? 8 : n)>(v));
    narrow_floats_in_page(n < 8 ? 8 : n);
    return load<lanes<u16, n>>((const void *)registers::index_a);
}

/** float32 lanes that hold bfloat16 values, as such. */
template <class V> NPU_INLINE auto float_rows_to_bf16_exact(V v) {
    return convert<u16>((lanes<u32, sizeof(V) / 4>)v >> 16);
}

/** bfloat16 lanes (u16) as float32; exact. */
template <class V> NPU_INLINE auto bf16_rows_to_float(V v) {
    constexpr unsigned n = sizeof(V) / 2;
    return (lanes<float, n>)(convert<u32>(v) << 16);
}
} // namespace npu
