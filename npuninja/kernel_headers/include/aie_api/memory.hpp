/* Loads, stores, and values that fill a register. */
#pragma once

#include <aie_api/accum.hpp>
#include <array>

namespace aie {
template <unsigned N, aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE auto load_v(const T *p) {
    using E = type_for<T>;
    return vector<E, N>::of_row(npu::load_aligned<npu::row_for<E, N>>(p));
}
template <aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE auto load_v(const T *p) {
    return load_v<native_vector_length_v<T>>(p);
}
template <aie_dm_resource = aie_dm_resource::none, class P, class T, unsigned N>
NPU_INLINE P *store_v(P *p, const vector<T, N> &v) {
    static_assert(!std::is_const_v<P>, "aie::store_v: what the pointer points to is const");
    static_assert(std::is_same_v<type_for<P>, T>, "aie::store_v: the pointer's type is not the element's");
    npu::store_aligned(p, v.npu_row);
    return p;
}
template <aie_dm_resource = aie_dm_resource::none, class P, class Native>
    requires(!Vector<Native> && sizeof(Native) >= 16)
NPU_INLINE P *store_v(P *p, Native v) {
    npu::store_aligned(p, v);
    return p;
}
template <unsigned N, aie_dm_resource = aie_dm_resource::none, class T>
NPU_INLINE auto load_unaligned_v(const T *p, unsigned = 1) {
    using E = type_for<T>;
    return vector<E, N>::of_row(npu::load<npu::row_for<E, N>>(p));
}
template <aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE auto load_unaligned_v(const T *p, unsigned = 1) {
    return load_unaligned_v<native_vector_length_v<T>>(p);
}
template <aie_dm_resource = aie_dm_resource::none, class P, class T, unsigned N>
NPU_INLINE P *store_unaligned_v(P *p, const vector<T, N> &v, unsigned = 1) {
    static_assert(std::is_same_v<type_for<P>, T>, "aie::store_unaligned_v: the pointer's type is not the element's");
    npu::store(p, v.npu_row);
    return p;
}
/** From the address rounded down to `bytes`, or to n elements. */
template <unsigned N, aie_dm_resource = aie_dm_resource::none, class T>
NPU_INLINE auto load_floor_bytes_v(const T *p, size_t bytes = vector<type_for<T>, N>::bytes()) {
    return load_unaligned_v<N>((const T *)(uintptr_t(p) & ~uintptr_t(bytes - 1)));
}
template <unsigned N, aie_dm_resource = aie_dm_resource::none, class T> NPU_INLINE auto load_floor_v(const T *p, unsigned n = N) {
    return load_floor_bytes_v<N>(p, n * sizeof(T));
}
template <aie_dm_resource = aie_dm_resource::none, class T, class E, unsigned N>
NPU_INLINE T *store_floor_bytes_v(T *p, const vector<E, N> &v, size_t bytes = vector<E, N>::bytes()) {
    store_unaligned_v((T *)(uintptr_t(p) & ~uintptr_t(bytes - 1)), v);
    return p;
}
template <aie_dm_resource = aie_dm_resource::none, class T, class E, unsigned N>
NPU_INLINE T *store_floor_v(T *p, const vector<E, N> &v, unsigned n = N) {
    return store_floor_bytes_v(p, v, n * sizeof(T));
}

namespace npu_detail {
/** What a scalar operand is worth as an element E: a lane gives its value, a number is converted. */
template <class E, class S> NPU_INLINE E scalar(const S &s) {
    if constexpr (is_elem_ref_v<S>)
        return scalar<E>(s.get());
    else if constexpr (npu::element<E>::is_complex && !std::is_same_v<E, S>)
        return E(typename E::component(s));
    else
        return E(s);
}
template <class S> struct scalar_type { using type = type_for<S>; };
template <class V> struct scalar_type<vector_elem_ref<V>> { using type = typename V::value_type; };
template <class V> struct scalar_type<vector_elem_const_ref<V>> { using type = typename V::value_type; };
/** The element type of a scalar operand. */
template <class S> using scalar_t = typename scalar_type<__remove_cvref(S)>::type;
} // namespace npu_detail

template <class T, unsigned N = 0, class S> NPU_INLINE auto broadcast(const S &x) {
    using E = type_for<T>;
    constexpr unsigned n = N == 0 ? native_vector_length_v<E> : N;
    using R = vector<E, n>;
    const E value = npu_detail::scalar<E>(x);
    if constexpr (npu::element<E>::bits == 4)
        return R::of_row(npu::splat<npu::u8, n / 2>(npu::u8((value.npu_bits & 15) * 17)));
    else
        return R::of_words(npu::splat<typename npu::element<E>::word, n>(npu::element<E>::to_word(value)));
}
/** Of the value's own type; no type is given. */
template <class... None, class S>
    requires(sizeof...(None) == 0 && Elem<S>)
NPU_INLINE auto broadcast(const S &x) {
    return broadcast<npu_detail::scalar_t<S>>(x);
}
/** A vector of zeros, or an accumulator when T is a tag. */
template <class T, unsigned N = 0> NPU_INLINE auto zeros() {
    if constexpr (requires { T::is_float; })
        return accum<T, (N == 0 ? (T::is_complex ? 8 : 16) : N)>();
    else
        return vector<type_for<T>, (N == 0 ? native_vector_length_v<T> : N)>();
}

template <class T, unsigned N, class... V> NPU_INLINE auto concat(const vector<T, N> &first, const V &...rest) {
    if constexpr (sizeof...(rest) == 0)
        return first;
    else {
        vector<T, N *(1 + sizeof...(rest))> result;
        unsigned i = 0;
        result.insert(i++, first);
        (void(result.insert(i++, vector<T, N>(rest))), ...);
        return result;
    }
}
template <class Tag, unsigned N, class... A> NPU_INLINE auto concat(const accum<Tag, N> &first, const A &...rest) {
    if constexpr (sizeof...(rest) == 0)
        return first;
    else {
        accum<Tag, N *(1 + sizeof...(rest))> result;
        unsigned i = 0;
        result.insert(i++, first);
        (void(result.insert(i++, accum<Tag, N>(rest))), ...);
        return result;
    }
}
template <class V, class... Rest>
    requires(requires { typename V::value_type; } && sizeof...(Rest) == 0)
NPU_INLINE V concat(const std::tuple<V> &parts) {
    return std::get<0>(parts);
}
template <class... V>
    requires(sizeof...(V) > 1)
NPU_INLINE auto concat(const std::tuple<V...> &parts) {
    return std::apply([](const auto &...v) { return aie::concat(v...); }, parts);
}
template <class V> NPU_INLINE auto concat(const std::pair<V, V> &parts) { return aie::concat(parts.first, parts.second); }
template <class V, size_t N> NPU_INLINE auto concat(const std::array<V, N> &parts) {
    return std::apply([](const auto &...v) { return aie::concat(v...); }, parts);
}

template <class U, class T, unsigned N>
    requires(!requires { U::is_float; })
NPU_INLINE auto vector_cast(const vector<T, N> &v) { return v.template cast_to<U>(); }
template <class U, class V>
    requires(requires { U::is_float; } && !is_accum_v<V>)
NPU_INLINE auto vector_cast(const V &v) {
    return accum<U, sizeof(v.npu_row) / sizeof(npu::accumulator_lane<U>)>::of_row(
        (npu::accumulator_row<U, sizeof(v.npu_row) / sizeof(npu::accumulator_lane<U>)>)v.npu_row);
}
template <class U, class Tag, unsigned N> NPU_INLINE auto vector_cast(const accum<Tag, N> &a) {
    if constexpr (requires { U::is_float; })
        return a.template cast_to<U>();
    else {
        using R = vector<type_for<U>, sizeof(a.npu_row) * 8 / npu::element<type_for<U>>::bits>;
        return R::of_row((typename R::row_type)a.npu_row);
    }
}
template <class T, unsigned N> NPU_INLINE auto unpack(const vector<T, N> &v) { return v.unpack(); }
template <class U, class T, unsigned N> NPU_INLINE auto unpack(const vector<T, N> &v) { return v.template unpack<U>(); }
template <class T, unsigned N> NPU_INLINE auto pack(const vector<T, N> &v) { return v.pack(); }
template <class U, class T, unsigned N> NPU_INLINE auto pack(const vector<T, N> &v) { return v.template pack<U>(); }

NPU_INLINE void set_rounding(rounding_mode mode) { npu::control().rounding = mode; }
NPU_INLINE rounding_mode get_rounding() { return npu::control().rounding; }
NPU_INLINE rounding_mode swap_rounding(rounding_mode mode) {
    const rounding_mode old = npu::control().rounding;
    npu::control().rounding = mode;
    return old;
}
NPU_INLINE void set_saturation(saturation_mode mode) { npu::control().saturation = mode; }
NPU_INLINE saturation_mode get_saturation() { return npu::control().saturation; }
NPU_INLINE saturation_mode swap_saturation(saturation_mode mode) {
    const saturation_mode old = npu::control().saturation;
    npu::control().saturation = mode;
    return old;
}
/** Sets the modes, and what they were at the end of a block. */
class rounding_guard {
    rounding_mode old_;

  public:
    explicit rounding_guard(rounding_mode mode) : old_(swap_rounding(mode)) {}
    ~rounding_guard() { set_rounding(old_); }
    rounding_guard(const rounding_guard &) = delete;
};
class saturation_guard {
    saturation_mode old_;

  public:
    explicit saturation_guard(saturation_mode mode) : old_(swap_saturation(mode)) {}
    ~saturation_guard() { set_saturation(old_); }
    saturation_guard(const saturation_guard &) = delete;
};
} // namespace aie
