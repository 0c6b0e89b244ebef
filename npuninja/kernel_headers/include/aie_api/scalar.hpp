/* The API's functions of numbers instead of vectors. They are scalar instructions or library calls of a core. */
#pragma once

#include <aie_api/reduce.hpp>

namespace aie {
namespace npu_detail {
template <class A, class B> using common_scalar =
    std::conditional_t<std::is_same_v<scalar_t<A>, scalar_t<B>>, scalar_t<A>, decltype(npu_number(scalar_t<A>()) + npu_number(scalar_t<B>()))>;
} // namespace npu_detail
/** A float or bfloat16, or a lane that stands for one. */
template <class S> concept FloatElem = Elem<S> && npu::element<npu_detail::scalar_t<S>>::is_float && !npu::element<npu_detail::scalar_t<S>>::is_complex;
template <class S> concept ComplexElem = Elem<S> && npu::element<npu_detail::scalar_t<S>>::is_complex;

#define NPU_OF_NUMBERS(name, condition, ...)                                                                                      \
    template <class A, class B>                                                                                                   \
        requires(condition<A> && condition<B>)                                                                                    \
    NPU_INLINE auto name(const A &a, const B &b) {                                                                                \
        using T = npu_detail::common_scalar<A, B>;                                                                                \
        const T x = T(npu_detail::scalar_t<A>(a)), y = T(npu_detail::scalar_t<B>(b));                                             \
        return __VA_ARGS__;                                                                                                       \
    }
NPU_OF_NUMBERS(min, Elem, T(y < x ? y : x))
NPU_OF_NUMBERS(max, Elem, T(x < y ? y : x))
NPU_OF_NUMBERS(add, Elem, T(x + y))
NPU_OF_NUMBERS(sub, Elem, T(x - y))
NPU_OF_NUMBERS(mul, FloatElem, T(x * y))
NPU_OF_NUMBERS(lt, FloatElem, x < y)
NPU_OF_NUMBERS(le, FloatElem, x <= y)
NPU_OF_NUMBERS(gt, FloatElem, x > y)
NPU_OF_NUMBERS(ge, FloatElem, x >= y)
NPU_OF_NUMBERS(eq, FloatElem, x == y)
NPU_OF_NUMBERS(neq, FloatElem, x != y)
#undef NPU_OF_NUMBERS
template <class C, class A, class B>
    requires(FloatElem<C> && FloatElem<A> && FloatElem<B>)
NPU_INLINE auto mac(const C &c, const A &a, const B &b) {
    return npu_detail::scalar_t<C>(npu_detail::scalar_t<C>(c) + aie::mul(a, b));
}
template <class C, class A, class B>
    requires(FloatElem<C> && FloatElem<A> && FloatElem<B>)
NPU_INLINE auto msc(const C &c, const A &a, const B &b) {
    return npu_detail::scalar_t<C>(npu_detail::scalar_t<C>(c) - aie::mul(a, b));
}

template <class S>
    requires Elem<S>
NPU_INLINE auto neg(const S &s) {
    using T = npu_detail::scalar_t<S>;
    const T x = s;
    if constexpr (npu::element<T>::is_signed)
        return T(-x);
    else
        return x;
}
template <class S>
    requires(Elem<S> && !ComplexElem<S>)
NPU_INLINE auto abs(const S &s) {
    using T = npu_detail::scalar_t<S>;
    const T x = s;
    if constexpr (std::is_same_v<T, bfloat16>)
        return bfloat16::of_bits(x.npu_bits & 0x7fff);
    else if constexpr (std::is_same_v<T, float>)
        return __builtin_fabsf(x);
    else
        return x < T(0) ? T(-x) : x;
}
template <class S>
    requires Elem<S>
NPU_INLINE npu_detail::scalar_t<S> conj(const S &s) {
    return aie::op_conj(s);
}
template <class S>
    requires ComplexElem<S>
NPU_INLINE auto real(const S &s) {
    return npu_detail::scalar_t<S>(s).real;
}
template <class S>
    requires ComplexElem<S>
NPU_INLINE auto imag(const S &s) {
    return npu_detail::scalar_t<S>(s).imag;
}
template <class S>
    requires ComplexElem<S>
NPU_INLINE auto abs_square(const S &s) {
    const npu_detail::scalar_t<S> z = s;
    using C = typename npu_detail::scalar_t<S>::component;
    return C(z.real * z.real + z.imag * z.imag);
}
template <class T, unsigned N>
    requires(npu::element<T>::is_complex)
NPU_INLINE auto real(const vector<T, N> &v) {
    return vector<typename T::component, N>::of_row(npu::every_other<1, false>(v.npu_row));
}
template <class T, unsigned N>
    requires(npu::element<T>::is_complex)
NPU_INLINE auto imag(const vector<T, N> &v) {
    return vector<typename T::component, N>::of_row(npu::every_other<1, true>(v.npu_row));
}
} // namespace aie
