/* Orders of lanes: integers by their sign; floats as signed integers made of sign and magnitude, so that every pattern has its place and
 * -0 is less than +0. Of a bfloat16 that is no number the hardware says neither less nor greater or equal (public captures of an NPU1);
 * float32, which it has no comparison for, goes by the patterns. */
#pragma once

#include <npu/elements.h>

namespace npu {
/** Lanes of an element T as integers of the same order. */
template <class T, class V> NPU_INLINE auto ordered(V v) {
    if constexpr (element<T>::is_float) {
        using S = integer<typename element<T>::lane, true>;
        const auto bits = bits_as<S>(v);
        constexpr unsigned n = sizeof(V) / sizeof(S);
        constexpr S magnitude = S(integer<S, false>(~integer<S, false>(0)) >> 1);
        return bits ^ ((bits >> splat<S, n>(sizeof(S) * 8 - 1)) & splat<S, n>(magnitude));
    } else
        return v;
}

/** Lanes of `found` whose lower and upper side are numbers, where that counts: of bfloat16. */
template <class T, class M, class I> NPU_INLINE auto in_order(M found, I lower, I upper) {
    if constexpr (element<T>::is_float && sizeof(typename element<T>::lane) == 2) {
        constexpr unsigned n = sizeof(I) / 2;
        const auto infinite = splat<i16, n>(0x7f80);
        return found & (M)(upper <= infinite) & (M)(lower >= ~infinite);
    } else
        return found;
}
/** Lanes where x < y. */
template <class T, class V> NPU_INLINE auto less(V x, V y) {
    const auto a = ordered<T>(x), b = ordered<T>(y);
    return in_order<T>(a < b, a, b);
}
/** Lanes where x <= y. */
template <class T, class V> NPU_INLINE auto less_or_equal(V x, V y) {
    const auto a = ordered<T>(x), b = ordered<T>(y);
    return in_order<T>(a <= b, a, b);
}
/** x or y, the larger: x where they are not in order. */
template <class T, class V> NPU_INLINE auto larger(V x, V y) { return choose(less<T>(x, y), y, x); }
/** The smaller, likewise. */
template <class T, class V> NPU_INLINE auto smaller(V x, V y) { return choose(less_or_equal<T>(y, x), y, x); }
} // namespace npu
