/* Vectors of 4-bit elements, two in a byte: worked on as bytes. What is computed leaves by `pack`, so the saturation mode limits it. */
#pragma once

#include <aie_api/reduce.hpp>

namespace aie {
template <class V> concept Nibbles = Vector<V> && std::remove_cvref_t<V>::type_bits() == 4;
template <class A, class B> concept NibblePair = VectorPair<A, B> && Nibbles<npu_detail::vector_of<A, B>>;

namespace npu_detail {
template <class V, class X> NPU_INLINE auto nibbles_as_bytes(const X &x) { return as_vector<V>(x).unpack(); }
/** f of the bits of each element as a byte; no value changes, so nothing is limited. */
template <class T, unsigned N, class F> NPU_INLINE auto nibbles_moved(const vector<T, N> &v, F f) {
    const auto bytes = f(v.template cast_to<uint4>().unpack());
    return vector<T, bytes.size()>::of_row(npu::bytes_to_nibbles(bytes.npu_row));
}
template <class T, unsigned N, class F> NPU_INLINE auto nibbles_moved(const vector<T, N> &a, const vector<T, N> &b, F f) {
    const auto bytes = f(a.template cast_to<uint4>().unpack(), b.template cast_to<uint4>().unpack());
    using R = vector<T, N>;
    return std::pair<R, R>(R::of_row(npu::bytes_to_nibbles(bytes.first.npu_row)), R::of_row(npu::bytes_to_nibbles(bytes.second.npu_row)));
}
} // namespace npu_detail

#define NPU_OF_NIBBLES(name, ...)                                                                                                 \
    template <class A, class B>                                                                                                   \
        requires NibblePair<A, B>                                                                                                 \
    NPU_INLINE auto name(const A &a, const B &b) {                                                                                \
        using V = npu_detail::vector_of<A, B>;                                                                                    \
        return aie::name(npu_detail::nibbles_as_bytes<V>(a), npu_detail::nibbles_as_bytes<V>(b)) __VA_ARGS__;                     \
    }
#define NPU_PACKED .template pack<typename V::value_type>()
NPU_OF_NIBBLES(add, NPU_PACKED)
NPU_OF_NIBBLES(sub, NPU_PACKED)
NPU_OF_NIBBLES(min, NPU_PACKED)
NPU_OF_NIBBLES(max, NPU_PACKED)
NPU_OF_NIBBLES(maxdiff, NPU_PACKED)
NPU_OF_NIBBLES(lt, )
NPU_OF_NIBBLES(le, )
NPU_OF_NIBBLES(gt, )
NPU_OF_NIBBLES(ge, )
NPU_OF_NIBBLES(eq, )
NPU_OF_NIBBLES(neq, )
#undef NPU_PACKED
#undef NPU_OF_NIBBLES
template <class A, class B>
    requires NibblePair<A, B>
NPU_INLINE bool equal(const A &a, const B &b) {
    return eq(a, b).full();
}
template <class A, class B>
    requires NibblePair<A, B>
NPU_INLINE bool not_equal(const A &a, const B &b) {
    return !eq(a, b).full();
}
template <class V, class L, class H>
    requires Nibbles<V>
NPU_INLINE auto clamp(const V &v, const L &low, const H &high) {
    return aie::min(aie::max(v, low), high);
}

#define NPU_OF_NIBBLES(name, op)                                                                                                  \
    template <class A, class B>                                                                                                   \
        requires NibblePair<A, B>                                                                                                 \
    NPU_INLINE auto name(const A &a, const B &b) {                                                                                \
        using V = npu_detail::vector_of<A, B>;                                                                                    \
        return V::of_row(npu_detail::as_vector<V>(a).npu_row op npu_detail::as_vector<V>(b).npu_row);                             \
    }
NPU_OF_NIBBLES(bit_and, &)
NPU_OF_NIBBLES(bit_or, |)
NPU_OF_NIBBLES(bit_xor, ^)
#undef NPU_OF_NIBBLES
#define NPU_NIBBLES template <class T, unsigned N> requires(npu::element<T>::bits == 4)
NPU_NIBBLES NPU_INLINE vector<T, N> bit_not(const vector<T, N> &v) { return vector<T, N>::of_row(~v.npu_row); }
NPU_NIBBLES NPU_INLINE vector<T, N> neg(const vector<T, N> &v) { return aie::neg(v.unpack()).template pack<T>(); }
NPU_NIBBLES NPU_INLINE vector<T, N> abs(const vector<T, N> &v) { return aie::abs(v.unpack()).template pack<T>(); }
NPU_NIBBLES NPU_INLINE vector<T, N> upshift(const vector<T, N> &v, int shift) {
    return aie::upshift(v.unpack(), shift).template pack<T>();
}
NPU_NIBBLES NPU_INLINE vector<T, N> downshift(const vector<T, N> &v, int shift) {
    return aie::downshift(v.unpack(), shift).template pack<T>();
}
NPU_NIBBLES NPU_INLINE vector<T, N> logical_downshift(const vector<T, N> &v, unsigned shift) {
    return npu_detail::nibbles_moved(v, [&](const auto &x) { return aie::logical_downshift(x, shift); });
}
NPU_NIBBLES NPU_INLINE T reduce_add(const vector<T, N> &v) { return T(int(aie::reduce_add(v.unpack()))); }
NPU_NIBBLES NPU_INLINE T reduce_max(const vector<T, N> &v) { return T(int(aie::reduce_max(v.unpack()))); }
NPU_NIBBLES NPU_INLINE T reduce_min(const vector<T, N> &v) { return T(int(aie::reduce_min(v.unpack()))); }

template <class A, class B, unsigned N>
    requires NibblePair<A, B>
NPU_INLINE auto select(const A &a, const B &b, const mask<N> &m) {
    using V = npu_detail::vector_of<A, B>;
    const auto x = npu_detail::as_vector<V>(a).template cast_to<uint4>().unpack();
    const auto y = npu_detail::as_vector<V>(b).template cast_to<uint4>().unpack();
    return V::of_row(npu::bytes_to_nibbles(aie::select(x, y, m).npu_row));
}
#define NPU_MOVED(name)                                                                                                           \
    NPU_NIBBLES NPU_INLINE auto name(const vector<T, N> &v, unsigned n = 1) {                                                     \
        return npu_detail::nibbles_moved(v, [&](const auto &x) { return aie::name(x, n); });                                      \
    }
NPU_MOVED(filter_even)
NPU_MOVED(filter_odd)
NPU_MOVED(shuffle_up)
NPU_MOVED(shuffle_up_rotate)
NPU_MOVED(shuffle_up_replicate)
NPU_MOVED(shuffle_down)
NPU_MOVED(shuffle_down_rotate)
NPU_MOVED(shuffle_down_replicate)
#undef NPU_MOVED
NPU_NIBBLES NPU_INLINE vector<T, N> reverse(const vector<T, N> &v) {
    return npu_detail::nibbles_moved(v, [](const auto &x) { return aie::reverse(x); });
}
NPU_NIBBLES NPU_INLINE auto interleave_zip(const vector<T, N> &a, const vector<T, N> &b, unsigned step = 1) {
    return npu_detail::nibbles_moved(a, b, [&](const auto &x, const auto &y) { return aie::interleave_zip(x, y, step); });
}
NPU_NIBBLES NPU_INLINE auto interleave_unzip(const vector<T, N> &a, const vector<T, N> &b, unsigned step = 1) {
    return npu_detail::nibbles_moved(a, b, [&](const auto &x, const auto &y) { return aie::interleave_unzip(x, y, step); });
}
#undef NPU_NIBBLES
} // namespace aie
