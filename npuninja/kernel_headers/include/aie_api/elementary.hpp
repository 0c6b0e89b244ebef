/* Elementary functions, and conversions between fixed and floating point. */
#pragma once

#include <aie_api/reduce.hpp>
#include <npu/float_functions.h>

namespace aie {
namespace npu_detail {
/** f on the row of a vector of floats or bfloat16 values; results of float are narrowed by mode. */
template <class T, unsigned N, class F> NPU_INLINE vector<T, N> on_floats(const vector<T, N> &v, F f) {
    if constexpr (is_bf16<T>)
        return vector<T, N>::of_row(npu::float_rows_to_bf16(f(npu::bf16_rows_to_float(v.npu_row))));
    else
        return vector<T, N>::of_row(f(v.npu_row));
}
template <class S> NPU_INLINE auto number(const S &x) { return scalar_t<S>(x); }
/** What a function of one number of API gives: of integers a float, otherwise the type itself. */
template <class S> using real_t = std::conditional_t<is_bf16<scalar_t<S>>, bfloat16, float>;
} // namespace npu_detail

template <class T, unsigned N> NPU_INLINE vector<T, N> inv(const vector<T, N> &v) {
#if __AIE_ARCH__ == 20
    if constexpr (npu_detail::is_bf16<T>)
        return vector<T, N>::of_row(npu::inverse_bf16(v.npu_row));
    else
        return vector<T, N>::of_row(npu::inverse_float(v.npu_row));
#else
    if constexpr (npu_detail::is_bf16<T>)
        return vector<T, N>::of_row(npu::inverse_bf16(v.npu_row));
    else
        return vector<T, N>::of_row(1.0f / v.npu_row);
#endif
}
template <class T, unsigned N> NPU_INLINE vector<T, N> invsqrt(const vector<T, N> &v) {
    if constexpr (npu_detail::is_bf16<T>)
        return vector<T, N>::of_row(npu::inverse_root_bf16(v.npu_row));
    else
#if __AIE_ARCH__ == 20
        return vector<T, N>::of_row(npu::inverse_root_float(v.npu_row));
#else
        return vector<T, N>::of_row(npu::inverse_root_rounded(v.npu_row));
#endif
}
template <class T, unsigned N> NPU_INLINE vector<T, N> sqrt(const vector<T, N> &v) {
    return npu_detail::on_floats(v, [](auto x) { return __builtin_elementwise_sqrt(x); });
}
/* Of numbers: a bfloat16 runs on lane 0 of a vector, a float in scalar code: the library's on AIE2, instructions on AIE2P. */
template <class S>
    requires(Elem<S> && !npu::element<npu_detail::scalar_t<S>>::is_complex)
NPU_INLINE auto inv(const S &s) {
    using T = npu_detail::scalar_t<S>;
    const T x = s;
    if constexpr (npu_detail::is_bf16<T>)
        return aie::inv(broadcast<T, 16>(x)).get(0);
    else
        return T(T(1) / x);
}
template <class S>
    requires(Elem<S> && npu::element<npu_detail::scalar_t<S>>::is_complex)
NPU_INLINE auto inv(const S &s) {
    const npu_detail::scalar_t<S> z = s;
    const auto d = z.real * z.real + z.imag * z.imag;
    return npu_detail::scalar_t<S>(z.real / d, -z.imag / d);
}
template <class S>
    requires Elem<S>
NPU_INLINE auto invsqrt(const S &s) {
    using T = npu_detail::scalar_t<S>;
    const T x = s;
    if constexpr (npu_detail::is_bf16<T>)
        return aie::invsqrt(broadcast<T, 16>(x)).get(0);
    else if constexpr (__AIE_ARCH__ >= 21 && std::is_same_v<T, float>)
        return npu::inverse_root_rounded(npu::splat<float, 4>(x))[0];
    else
        return T(1.0f / __builtin_sqrtf(float(x)));
}
template <class S>
    requires Elem<S>
NPU_INLINE auto sqrt(const S &s) {
    using T = npu_detail::scalar_t<S>;
    return T(__builtin_sqrtf(float(T(s))));
}

/** a · 1/b, as an accumulator. */
template <class A, class B>
    requires(Vector<A> && (Vector<B> || Elem<B>))
NPU_INLINE auto div(const A &a, const B &b) {
    if constexpr (Vector<B>)
        return aie::mul(a, aie::inv(b));
    else {
        using T = typename A::value_type;
        return aie::mul(a, broadcast<T, A::size()>(aie::inv(npu_detail::scalar<T>(b))));
    }
}
NPU_INLINE float div(float a, float b) { return a / b; }

#if __AIE_ARCH__ >= 21
/** 2 to the power of each lane; the instruction's result is taken to be the nearest bfloat16. */
template <class TR = bfloat16, class T, unsigned N> NPU_INLINE auto exp2(const vector<T, N> &v) {
    return vector<bfloat16, N>::of_row(npu::exp2_bf16(npu_detail::to_lanes<float, T>(v.npu_row))).template npu_as<TR>();
}
template <class TR = bfloat16, class Tag, unsigned N> NPU_INLINE auto exp2(const accum<Tag, N> &a) {
    return aie::exp2<TR>(a.template to_vector<float>());
}
template <class TR = bfloat16, class T, unsigned N> NPU_INLINE auto tanh(const vector<T, N> &v) {
    return vector<bfloat16, N>::of_row(npu::tanh_bf16(npu_detail::to_lanes<float, T>(v.npu_row))).template npu_as<TR>();
}
template <class TR = bfloat16, class Tag, unsigned N> NPU_INLINE auto tanh(const accum<Tag, N> &a) {
    return aie::tanh<TR>(a.template to_vector<float>());
}
#endif

/** v · 2^-shift. */
template <class TR = float, class V>
    requires Vector<V>
NPU_INLINE auto to_float(const V &v, int shift = 0) {
    using T = typename V::value_type;
    if constexpr (npu::element<T>::bits == 4)
        return to_float<TR>(v.unpack(), shift);
    else {
        using C = std::conditional_t<npu::element<T>::is_complex && !npu::element<TR>::is_complex, npu::complex<TR>, TR>;
        const auto row = npu::fixed_to_float<npu::element<T>::is_signed>(v.npu_row, shift);
        if constexpr (npu_detail::is_bf16<TR>)
            return vector<C, V::size()>::of_row(npu::float_rows_to_bf16(row));
        else
            return vector<C, V::size()>::of_row(row);
    }
}
/** The lanes of an accumulator times 2^-shift: by pieces of 16 bits from the top, each added as floats are. */
template <class TR = float, class Tag, unsigned N>
    requires(!Tag::is_float && !Tag::is_complex)
NPU_INLINE vector<float, N> to_float(const accum<Tag, N> &a, int shift = 0) {
    constexpr unsigned bits = accum<Tag, N>::memory_bits();
    const auto piece = [&](unsigned at) {
        const auto row = npu::convert<npu::i32>(a.npu_row >> at);
        return npu::fixed_to_float<true>(npu::convert<npu::i16>(row), shift - int(at));
    };
    auto sum = piece(bits - 16);
    for (unsigned at = bits - 16; at > 0; at -= 16) {
        const auto row = npu::convert<npu::u16>(npu::convert<npu::i32>(a.npu_row >> (at - 16)));
        sum = npu::add(sum, npu::fixed_to_float<false>(row, shift - int(at - 16)));
    }
    return vector<float, N>::of_row(sum);
}
template <class TR = float, class S>
    requires Elem<S>
NPU_INLINE TR to_float(const S &x, int shift = 0) {
    return TR(float(npu_detail::number(x)) * __builtin_bit_cast(float, unsigned(127 - shift) << 23));
}
/** x · 2^shift to the nearest integer, ties to even, limited; bfloat16 to int16 or int32: floor, int16 without a limit. */
template <class TR = int32, class V>
    requires Vector<V>
NPU_INLINE auto to_fixed(const V &v, int shift = 0) {
    using T = typename V::value_type;
    constexpr unsigned N = V::size();
    if constexpr (npu::element<TR>::is_complex)
        return to_fixed<typename TR::component>(v.template cast_to<typename T::component>(), shift).template cast_to<TR>();
    else if constexpr (npu_detail::is_bf16<T> && (std::is_same_v<TR, int16> || std::is_same_v<TR, int32>))
        return vector<TR, N>::of_row(npu::convert<TR>(npu::bf16_to_integers(v.npu_row, shift)));
    else
        return vector<TR, N>::of_row(npu::float_to_fixed<TR>(npu_detail::to_lanes<float, T>(v.npu_row), shift));
}
template <class TR = int32, class S>
    requires(Elem<S> && !npu::element<npu_detail::scalar_t<S>>::is_complex)
NPU_INLINE TR to_fixed(const S &x, int shift = 0) {
    using T = npu_detail::real_t<S>;
    return to_fixed<TR>(broadcast<T, 16>(T(npu_detail::number(x))), shift).get(0);
}
template <class TR = cint32, class S>
    requires(Elem<S> && npu::element<npu_detail::scalar_t<S>>::is_complex)
NPU_INLINE TR to_fixed(const S &x, int shift = 0) {
    const npu_detail::scalar_t<S> z = x;
    using C = typename TR::component;
    return TR(to_fixed<C>(z.real, shift), to_fixed<C>(z.imag, shift));
}
template <class TR = int32, class T, unsigned N> NPU_INLINE vector<TR, N> to_fixed_floor(const vector<T, N> &v, int shift = 0) {
    return vector<TR, N>::of_row(npu::convert<TR>(npu::floats_to_integers(npu_detail::to_lanes<float, T>(v.npu_row), shift)));
}
} // namespace aie
