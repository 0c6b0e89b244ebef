/* Orders of lanes: integers by their sign; floats as signed integers made of sign and magnitude, so that every pattern has its place. */
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
} // namespace npu
