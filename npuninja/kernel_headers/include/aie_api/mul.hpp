/* Products into accumulators: mul, mac and their kin. */
#pragma once

#include <aie_api/arithmetic.hpp>

namespace aie {
namespace npu_detail {
/** An operand read as signed or not, as a value of run time says. */
template <class X> struct of_sign {
    X value;
    bool sign;
};
template <class X> inline constexpr bool has_sign = false;
template <class X> inline constexpr bool has_sign<of_sign<X>> = true;

/** An operand whose conjugate is meant: taken of the wide lanes, where the least number has a negative. */
template <class X> struct conjugated {
    X value;
    NPU_INLINE operator X() const {
        if constexpr (Vector<X>)
            return conj(value);
        else
            return X(value.real, -value.imag);
    }
};
template <class X> inline constexpr bool is_conjugated = false;
template <class X> inline constexpr bool is_conjugated<conjugated<X>> = true;

template <class X> struct plain { using type = X; };
template <class X> struct plain<conjugated<X>> { using type = typename plain<X>::type; };
template <class X> struct plain<negated<X>> { using type = typename plain<X>::type; };
template <class X> struct plain<of_sign<X>> { using type = typename plain<X>::type; };
/** The operand without op_neg and op_sign around it. */
template <class X> using plain_t = typename plain<__remove_cvref(X)>::type;
template <class X> inline constexpr bool negates = false;
template <class X> inline constexpr bool negates<negated<X>> = !negates<X>;
template <class X> inline constexpr bool negates<of_sign<X>> = negates<X>;
template <class X> inline constexpr bool negates<conjugated<X>> = negates<X>;

template <class X> struct operand_type { using type = scalar_t<X>; };
template <class X>
    requires Vector<X>
struct operand_type<X> {
    using type = typename X::value_type;
};
/** The element of an operand. A plain number whose other operand is a vector counts as the vector's element. */
template <class X, class Other> struct factor_type {
    using type = typename operand_type<plain_t<X>>::type;
};
template <class X, class Other>
    requires(std::is_arithmetic_v<plain_t<X>> && Vector<plain_t<Other>>)
struct factor_type<X, Other> {
    using own = typename operand_type<plain_t<X>>::type;
    using other = typename plain_t<Other>::value_type;
    using type = std::conditional_t<npu::element<other>::is_float && !(std::is_same_v<own, float> && std::is_same_v<other, float>),
                                    std::conditional_t<is_bf16<other>, bfloat16, float>,
                                    std::conditional_t<(sizeof(own) > 4), int, own>>;
};

template <class Lane, class T, unsigned N, class X> NPU_INLINE auto factor_row(const X &x) {
    if constexpr (is_negated<X>)
        return factor_row<Lane, T, N>(x.value);
    else if constexpr (is_conjugated<X>) {
        const auto row = factor_row<Lane, T, N>(x.value);
        constexpr unsigned n = sizeof(row) / sizeof(Lane);
        return npu::pick<n>(row, -row, [](unsigned i) constexpr { return i % 2 ? i + n : i; });
    }
    else if constexpr (has_sign<X>) {
        using L = typename npu::element<T>::lane;
        const auto row = [&] {
            if constexpr (Vector<decltype(x.value)>)
                return x.value.npu_row;
            else
                return broadcast<T, N>(x.value).npu_row;
        }();
        return x.sign ? npu::convert<Lane>(npu::bits_as<npu::integer<L, true>>(row))
                      : npu::convert<Lane>(npu::bits_as<npu::integer<L, false>>(row));
    } else if constexpr (Vector<X>)
        return to_lanes<Lane, T>(x.npu_row);
    else if constexpr (npu::element<T>::is_complex)
        return to_lanes<Lane, T>(broadcast<T, N>(x).npu_row);
    else
        return npu::splat<Lane, N>(Lane(scalar<T>(x)));
}

/** c + a·b (HasC) or a·b of rows of one lane type; the product with the other sign when Negative. */
template <bool HasC, bool Negative, bool Emulated, class F> NPU_INLINE F fused(F c, F a, F b) {
    using L = __remove_cvref(decltype(a[0]));
    if constexpr (!std::is_same_v<L, float>) {
        const F p = a * b;
        if constexpr (HasC)
            return Negative ? c - p : c + p;
        else
            return Negative ? -p : p;
    } else if constexpr (Emulated)
        return npu::emulated_multiply_add<HasC, Negative>(c, a, b);
    else if constexpr (HasC)
        return npu::multiply_add(c, Negative ? -a : a, b);
    else
        return npu::multiply(Negative ? -a : a, b);
}

template <class Tag, bool HasC, bool Negative, class TA, class TB, unsigned N, class A, class B>
NPU_INLINE auto product(const accum<Tag, N> &c, const A &a, const B &b) {
    using Lane = npu::accumulator_lane<Tag>;
    constexpr bool emulated = std::is_same_v<TA, float> || std::is_same_v<TB, float> || std::is_same_v<TA, cfloat> ||
                              std::is_same_v<TB, cfloat>;
    constexpr bool negative = Negative != (negates<A> != negates<B>);
    static_assert(Tag::is_float == (npu::element<TA>::is_float || npu::element<TB>::is_float),
                  "aie::mul: floats multiply into accfloat, integers into the others");
    if constexpr (Vector<A> && Vector<B>)
        static_assert(A::size() == B::size(), "aie::mul: the vectors differ in size");
    const auto x = factor_row<Lane, TA, N>(a);
    const auto y = factor_row<Lane, TB, N>(b);
    constexpr bool ca = npu::element<TA>::is_complex, cb = npu::element<TB>::is_complex;
    if constexpr (!ca && !cb)
        return accum<Tag, N>::of_row(fused<HasC, negative, emulated>(c.npu_row, x, y));
    else if constexpr (ca && !cb)
        return accum<Tag, N>::of_row(fused<HasC, negative, emulated>(c.npu_row, x, npu::zip<1>(y, y)));
    else if constexpr (!ca && cb)
        return accum<Tag, N>::of_row(fused<HasC, negative, emulated>(c.npu_row, npu::zip<1>(x, x), y));
    else {
        const auto ar = npu::every_other<1, false>(x), ai = npu::every_other<1, true>(x);
        const auto br = npu::every_other<1, false>(y), bi = npu::every_other<1, true>(y);
        auto re = npu::every_other<1, false>(c.npu_row), im = npu::every_other<1, true>(c.npu_row);
        if constexpr (Tag::is_float && !emulated && __AIE_ARCH__ == 20) { // both products of a part are one step
            using F = decltype(re);
            const F s = negative ? -ar : ar, t = negative ? -ai : ai, minus = -t;
            const F a_re[2] = {s, minus}, b_re[2] = {br, bi}, a_im[2] = {s, t}, b_im[2] = {bi, br};
            return accum<Tag, N>::of_row(npu::zip<1>(npu::multiply_add_many(re, a_re, b_re), npu::multiply_add_many(im, a_im, b_im)));
        }
        re = fused<true, !negative, emulated>(fused<HasC, negative, emulated>(re, ar, br), ai, bi);
        im = fused<true, negative, emulated>(fused<HasC, negative, emulated>(im, ar, bi), ai, br);
        return accum<Tag, N>::of_row(npu::zip<1>(re, im));
    }
}

template <class A, class B> struct factors {
    using VA = plain_t<A>;
    using VB = plain_t<B>;
    using TA = typename factor_type<A, B>::type;
    using TB = typename factor_type<B, A>::type;
    static constexpr unsigned n = [] {
        if constexpr (Vector<VA>)
            return VA::size();
        else
            return VB::size();
    }();
};
} // namespace npu_detail

template <class X> concept Factor = Vector<npu_detail::plain_t<X>> || Elem<npu_detail::plain_t<X>>;
template <class A, class B> concept FactorPair =
    Factor<A> && Factor<B> && (Vector<npu_detail::plain_t<A>> || Vector<npu_detail::plain_t<B>>);

/* Wrappers that say how an operand is taken. */
template <class X> NPU_INLINE auto op_none(const X &x) { return x; }
template <class X> NPU_INLINE auto op_add(const X &x) { return x; }
template <class X>
    requires Factor<X>
NPU_INLINE npu_detail::negated<X> op_neg(const X &x) {
    return {x};
}
template <class Tag, unsigned N> NPU_INLINE auto op_neg(const accum<Tag, N> &x) { return neg(x); }
template <class X> NPU_INLINE auto op_sub(const X &x) { return op_neg(x); }
template <class T, unsigned N> NPU_INLINE auto op_abs(const vector<T, N> &x) { return abs(x); }
template <class T, unsigned N> NPU_INLINE auto op_conj(const vector<T, N> &x) {
    if constexpr (npu::element<T>::is_complex)
        return npu_detail::conjugated<vector<T, N>>{x};
    else
        return x;
}
template <class X>
    requires Elem<X>
NPU_INLINE auto op_conj(const X &x) {
    using T = npu_detail::scalar_t<X>;
    if constexpr (npu::element<T>::is_complex)
        return npu_detail::conjugated<T>{x};
    else
        return T(x);
}
template <class A, class B> NPU_INLINE auto op_max(const A &a, const B &b) { return aie::max(a, b); }
template <class A, class B> NPU_INLINE auto op_min(const A &a, const B &b) { return aie::min(a, b); }
template <class Tag, unsigned N> NPU_INLINE auto op_zero(const accum<Tag, N> &x, bool zero = true) {
    return zero ? accum<Tag, N>() : x;
}
template <class X> NPU_INLINE npu_detail::of_sign<X> op_sign(const X &x, bool sign) { return {x, sign}; }

#define NPU_PRODUCT(name, ...)                                                                                                    \
    template <class Tag = accauto, class A, class B>                                                                              \
        requires FactorPair<A, B>                                                                                                 \
    NPU_INLINE auto name(const A &a, const B &b) {                                                                                \
        using F = npu_detail::factors<A, B>;                                                                                      \
        using R = npu_product_tag<Tag, typename F::TA, typename F::TB>;                                                           \
        return npu_detail::product<R, false, __VA_ARGS__, typename F::TA, typename F::TB, F::n>(accum<R, F::n>(), a, b);          \
    }
NPU_PRODUCT(mul, false)
NPU_PRODUCT(negmul, true)
#undef NPU_PRODUCT
#define NPU_PRODUCT(name, ...)                                                                                                    \
    template <class C, class A, class B>                                                                                          \
        requires(Accum<C> && FactorPair<A, B>)                                                                                               \
    NPU_INLINE auto name(const C &c, const A &a, const B &b) {                                                                    \
        using F = npu_detail::factors<A, B>;                                                                                      \
        using Tag = typename C::value_type;                                                                                       \
        return npu_detail::product<Tag, true, __VA_ARGS__, typename F::TA, typename F::TB, F::n>(c, a, b);                        \
    }
NPU_PRODUCT(mac, false)
NPU_PRODUCT(msc, true)
#undef NPU_PRODUCT

template <class Tag = accauto, class T, unsigned N> NPU_INLINE auto mul_square(const vector<T, N> &v) { return mul<Tag>(v, v); }
template <class C, class T, unsigned N> NPU_INLINE auto mac_square(const C &c, const vector<T, N> &v) { return mac(c, v, v); }
template <class C, class T, unsigned N> NPU_INLINE auto msc_square(const C &c, const vector<T, N> &v) { return msc(c, v, v); }
/** |z|² of complex elements, x² of real ones. */
template <class TR = int32, class T, unsigned N> NPU_INLINE auto abs_square(const vector<T, N> &v, int shift = 0) {
    if constexpr (npu::element<T>::is_complex) {
        using C = typename T::component;
        using L = std::conditional_t<npu::element<T>::is_float, float, npu::i64>;
        const auto row = npu_detail::to_lanes<L, T>(v.npu_row);
        const auto re = npu::every_other<1, false>(row), im = npu::every_other<1, true>(row);
        using R = std::conditional_t<npu::element<T>::is_float, accfloat, acc64>;
        constexpr bool emulated = std::is_same_v<C, float>;
        return accum<R, N>::of_row(npu_detail::fused<true, false, emulated>(npu_detail::fused<false, false, emulated>(re, re, re), im, im))
            .template to_vector<std::conditional_t<npu::element<T>::is_float, C, TR>>(shift);
    } else
        return mul(v, v);
}

namespace npu_detail {
/** acc plus coeff[start]·first + …; on AIE2 bfloat16 terms come in pairs, two products a step. */
template <class Tag, unsigned N, class VC> NPU_INLINE accum<Tag, N> accumulate_terms(const accum<Tag, N> &acc, const VC &, unsigned) {
    return acc;
}
template <class Tag, unsigned N, class VC, class V, class... Rest>
NPU_INLINE accum<Tag, N> accumulate_terms(const accum<Tag, N> &acc, const VC &coeff, unsigned start, const V &first,
                                          const Rest &...rest) {
    return accumulate_terms(mac(acc, coeff.get(start), first), coeff, start + 1, rest...);
}
template <class Tag, unsigned N, class VC, class V, class... Rest>
    requires(__AIE_ARCH__ == 20 && is_bf16<typename VC::value_type> && is_bf16<typename V::value_type>)
NPU_INLINE accum<Tag, N> accumulate_terms(const accum<Tag, N> &acc, const VC &coeff, unsigned start, const V &first, const V &second,
                                          const Rest &...rest) {
    using F = npu::lanes<float, N>;
    const F a[2] = {npu::bf16_rows_to_float(first.npu_row), npu::bf16_rows_to_float(second.npu_row)};
    const F b[2] = {npu::splat<float, N>(float(coeff.get(start))), npu::splat<float, N>(float(coeff.get(start + 1)))};
    return accumulate_terms(accum<Tag, N>::of_row(npu::multiply_add_many(acc.npu_row, a, b)), coeff, start + 2, rest...);
}
} // namespace npu_detail
/** acc + Σ coeff[start + i]·v_i; the vectors one by one or in an array. */
template <unsigned Lanes, class Tag, class TC, unsigned NC, class... V>
    requires(Vector<V> && ...)
NPU_INLINE accum<Tag, Lanes> accumulate(const accum<Tag, Lanes> &acc, const vector<TC, NC> &coeff, unsigned start, const V &...v) {
    return npu_detail::accumulate_terms(acc, coeff, start, v...);
}
template <unsigned Lanes, class Tag, class TC, unsigned NC, class V, size_t Count>
NPU_INLINE accum<Tag, Lanes> accumulate(const accum<Tag, Lanes> &acc, const vector<TC, NC> &coeff, unsigned start,
                                        const std::array<V, Count> &v) {
    return std::apply([&](const auto &...x) { return npu_detail::accumulate_terms(acc, coeff, start, x...); }, v);
}
template <unsigned Lanes, class Tag = accauto, class TC, unsigned NC, class First, class... V>
    requires(Vector<First> && (Vector<V> && ...))
NPU_INLINE auto accumulate(const vector<TC, NC> &coeff, unsigned start, const First &first, const V &...v) {
    using R = npu_product_tag<Tag, TC, typename First::value_type>;
    return npu_detail::accumulate_terms(accum<R, Lanes>(), coeff, start, first, v...);
}
template <unsigned Lanes, class Tag = accauto, class TC, unsigned NC, class V, size_t Count>
NPU_INLINE auto accumulate(const vector<TC, NC> &coeff, unsigned start, const std::array<V, Count> &v) {
    using R = npu_product_tag<Tag, TC, typename V::value_type>;
    return std::apply([&](const auto &...x) { return npu_detail::accumulate_terms(accum<R, Lanes>(), coeff, start, x...); }, v);
}
/** An older form, whose first coefficient is a constant. */
template <unsigned Lanes, unsigned Start = 0, class Tag = accauto, class TC, unsigned NC, class First, class... V>
    requires(Vector<First> && (Vector<V> && ...))
NPU_INLINE auto accumulate(const vector<TC, NC> &coeff, const First &first, const V &...v) {
    return accumulate<Lanes, Tag>(coeff, Start, first, v...);
}
} // namespace aie
