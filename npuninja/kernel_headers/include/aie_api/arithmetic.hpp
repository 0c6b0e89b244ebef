/* add, sub, neg, abs; min, max, comparisons, select; bits and shifts. */
#pragma once

#include <aie_api/mask.hpp>
#include <npu/compare.h>

namespace aie {
namespace npu_detail {
/** The vector among two operands, of which one may be a scalar. */
template <class A, class B> struct vector_of_two { using type = __remove_cvref(A); };
template <class A, class B>
    requires(!Vector<A>)
struct vector_of_two<A, B> {
    using type = __remove_cvref(B);
};
template <class A, class B> using vector_of = typename vector_of_two<A, B>::type;
/* Deduced results are found where they are asked for, so that the compiler can name the kernel's line in an error. */
template <class V, class X> NPU_INLINE auto as_vector(const X &x) {
    if constexpr (Vector<X>) {
        static_assert(X::size() == V::size(), "the vectors differ in size");
        static_assert(std::is_same_v<typename X::value_type, typename V::value_type>, "the vectors differ in their elements");
        return x;
    } else
        return broadcast<typename V::value_type, V::size()>(x);
}
/** An operand wrapped in op_neg. */
template <class X> struct negated {
    X value;
};
template <class X> inline constexpr bool is_negated = false;
template <class X> inline constexpr bool is_negated<negated<X>> = true;

/** The sum of two rows of elements T. */
template <class T, class V> NPU_INLINE V sum(V a, V b) {
    if constexpr (is_bf16<T>)
        return npu::float_rows_to_bf16(npu::add_bf16(npu::bf16_rows_to_float(a), npu::bf16_rows_to_float(b)));
    else if constexpr (npu::element<T>::is_float)
        return npu::add(a, b);
    else
        return a + b;
}
template <class T, class V> NPU_INLINE V negative(V a) {
    if constexpr (is_bf16<T>)
        return a ^ 0x8000;
    else
        return -a;
}
} // namespace npu_detail

/** Two operands of which at least one is a vector, the other a vector or a scalar. */
template <class A, class B> concept VectorPair = (Vector<A> && (Vector<B> || Elem<B>)) || (Elem<A> && Vector<B>);

template <class A, class B>
    requires VectorPair<A, B>
NPU_INLINE auto add(const A &a, const B &b) {
    using V = npu_detail::vector_of<A, B>;
    return V::of_row(
        npu_detail::sum<typename V::value_type>(npu_detail::as_vector<V>(a).npu_row, npu_detail::as_vector<V>(b).npu_row));
}
template <class A, class B>
    requires VectorPair<A, B>
NPU_INLINE auto sub(const A &a, const B &b) {
    using V = npu_detail::vector_of<A, B>;
    using T = typename V::value_type;
    const auto x = npu_detail::as_vector<V>(a).npu_row, y = npu_detail::as_vector<V>(b).npu_row;
    if constexpr (npu::element<T>::is_float)
        return V::of_row(npu_detail::sum<T>(x, npu_detail::negative<T>(y)));
    else
        return V::of_row(x - y);
}
template <class Tag, unsigned N> NPU_INLINE accum<Tag, N> add(const accum<Tag, N> &a, const accum<Tag, N> &b) {
    if constexpr (Tag::is_float)
        return accum<Tag, N>::of_row(npu::add(a.npu_row, b.npu_row));
    else
        return accum<Tag, N>::of_row(a.npu_row + b.npu_row);
}
template <class Tag, unsigned N> NPU_INLINE accum<Tag, N> neg(const accum<Tag, N> &a) { return accum<Tag, N>::of_row(-a.npu_row); }
template <class Tag, unsigned N> NPU_INLINE accum<Tag, N> sub(const accum<Tag, N> &a, const accum<Tag, N> &b) {
    return add(a, neg(b));
}
namespace npu_detail {
template <class A, class X> NPU_INLINE A as_accum(const X &x) {
    if constexpr (is_accum_v<X>)
        return A(x);
    else if constexpr (Vector<X>)
        return A(x);
    else
        return A(broadcast<scalar_t<X>, A::size()>(x));
}
} // namespace npu_detail
template <class Tag, unsigned N, class B>
    requires(Vector<B> || Elem<B> || (is_accum_v<B> && !std::is_same_v<B, accum<Tag, N>>))
NPU_INLINE accum<Tag, N> add(const accum<Tag, N> &a, const B &b) {
    return add(a, npu_detail::as_accum<accum<Tag, N>>(b));
}
template <class Tag, unsigned N, class B>
    requires(Vector<B> || Elem<B>)
NPU_INLINE accum<Tag, N> add(const B &b, const accum<Tag, N> &a) {
    return add(npu_detail::as_accum<accum<Tag, N>>(b), a);
}
template <class Tag, unsigned N, class B>
    requires(Vector<B> || Elem<B> || (is_accum_v<B> && !std::is_same_v<B, accum<Tag, N>>))
NPU_INLINE accum<Tag, N> sub(const accum<Tag, N> &a, const B &b) {
    return sub(a, npu_detail::as_accum<accum<Tag, N>>(b));
}
template <class Tag, unsigned N, class B>
    requires(Vector<B> || Elem<B>)
NPU_INLINE accum<Tag, N> sub(const B &b, const accum<Tag, N> &a) {
    return sub(npu_detail::as_accum<accum<Tag, N>>(b), a);
}
/** Two vectors into an accumulator. */
template <class Tag, class T, unsigned N> NPU_INLINE accum<Tag, N> add(const vector<T, N> &a, const vector<T, N> &b) {
    return add(accum<Tag, N>(a), accum<Tag, N>(b));
}

template <class T, unsigned N> NPU_INLINE vector<T, N> neg(const vector<T, N> &v) {
    if constexpr (!npu::element<T>::is_signed)
        return v;
    else
        return vector<T, N>::of_row(npu_detail::negative<T>(v.npu_row));
}
template <class T, unsigned N> NPU_INLINE vector<T, N> abs(const vector<T, N> &v) {
    if constexpr (npu_detail::is_bf16<T>)
        return vector<T, N>::of_row(v.npu_row & 0x7fff);
    else if constexpr (std::is_same_v<T, float>)
        return vector<T, N>::of_row((npu::lanes<float, N>)((npu::lanes<npu::i32, N>)v.npu_row & 0x7fffffff));
    else if constexpr (npu::element<T>::is_signed)
        return vector<T, N>::of_row(npu::choose(v.npu_row < 0, -v.npu_row, v.npu_row));
    else
        return v;
}
template <class T, unsigned N> NPU_INLINE vector<T, N> conj(const vector<T, N> &v) {
    if constexpr (npu::element<T>::is_complex) {
        using C = typename T::component;
        const auto negative = npu_detail::negative<C>(v.npu_row);
        constexpr unsigned n = 2 * N;
        return vector<T, N>::of_row(npu::pick<n>(v.npu_row, negative, [](unsigned i) constexpr { return i % 2 ? i + n : i; }));
    } else
        return v;
}
template <class A, class B>
    requires VectorPair<A, B>
NPU_INLINE auto saturating_add(const A &a, const B &b) {
    using V = npu_detail::vector_of<A, B>;
    using L = typename V::lane_type;
    using W = typename npu::integer_of<2 * sizeof(L), true>::type;
    return V::of_row(npu::limited<L>(npu::convert<W>(npu_detail::as_vector<V>(a).npu_row) +
                                     npu::convert<W>(npu_detail::as_vector<V>(b).npu_row)));
}
template <class A, class B>
    requires VectorPair<A, B>
NPU_INLINE auto saturating_sub(const A &a, const B &b) {
    using V = npu_detail::vector_of<A, B>;
    using L = typename V::lane_type;
    using W = typename npu::integer_of<2 * sizeof(L), true>::type;
    return V::of_row(npu::limited<L>(npu::convert<W>(npu_detail::as_vector<V>(a).npu_row) -
                                     npu::convert<W>(npu_detail::as_vector<V>(b).npu_row)));
}

#define NPU_COMPARISON(name, op, expression)                                                                                      \
    template <class A, class B>                                                                                                   \
        requires VectorPair<A, B>                                                                                                 \
    NPU_INLINE auto name(const A &a, const B &b) {                                                                                \
        using V = npu_detail::vector_of<A, B>;                                                                                    \
        using T = typename V::value_type;                                                                                         \
        const auto x = npu_detail::as_vector<V>(a), y = npu_detail::as_vector<V>(b);                                              \
        if constexpr (npu::element<T>::is_complex)                                                                                \
            return mask<V::size()>::of_row(npu::convert<npu::i8>(x.words() op y.words()));                                        \
        else                                                                                                                      \
            return mask<V::size()>::of_row(npu::convert<npu::i8>(expression));                                                    \
    }
NPU_COMPARISON(lt, <, npu::less<T>(x.npu_row, y.npu_row))
NPU_COMPARISON(le, <=, npu::less_or_equal<T>(x.npu_row, y.npu_row))
NPU_COMPARISON(gt, >, npu::less<T>(y.npu_row, x.npu_row))
NPU_COMPARISON(ge, >=, npu::less_or_equal<T>(y.npu_row, x.npu_row))
NPU_COMPARISON(eq, ==, npu::ordered<T>(x.npu_row) == npu::ordered<T>(y.npu_row))
NPU_COMPARISON(neq, !=, npu::ordered<T>(x.npu_row) != npu::ordered<T>(y.npu_row))
#undef NPU_COMPARISON
template <class A, class B>
    requires VectorPair<A, B>
NPU_INLINE bool equal(const A &a, const B &b) {
    return eq(a, b).full();
}
template <class A, class B>
    requires VectorPair<A, B>
NPU_INLINE bool not_equal(const A &a, const B &b) {
    return !equal(a, b);
}

namespace npu_detail {
template <class V, unsigned N> NPU_INLINE V select_words(V a, V b, const mask<N> &m) {
    using S = npu::integer<__remove_cvref(decltype(a[0])), true>;
    const auto where = (V)npu::convert<S>(m.npu_row);
    return (b & where) | (a & ~where);
}
} // namespace npu_detail
/** Lane by lane: of b where the mask's bit is 1, else of a. */
template <class A, class B, unsigned N>
    requires(VectorPair<A, B>)
NPU_INLINE auto select(const A &a, const B &b, const mask<N> &m) {
    using V = npu_detail::vector_of<A, B>;
    static_assert(V::size() == N, "aie::select: the mask has another size");
    return V::of_words(npu_detail::select_words(npu_detail::as_vector<V>(a).words(), npu_detail::as_vector<V>(b).words(), m));
}
template <class A, class B, unsigned N>
    requires(Elem<A> && Elem<B>)
NPU_INLINE auto select(const A &a, const B &b, const mask<N> &m) {
    using V = vector<npu_detail::scalar_t<A>, N>;
    return V::of_words(npu_detail::select_words(npu_detail::as_vector<V>(a).words(), npu_detail::as_vector<V>(b).words(), m));
}
template <class Tag, unsigned N> NPU_INLINE accum<Tag, N> select(const accum<Tag, N> &a, const accum<Tag, N> &b, const mask<N> &m) {
    using W = npu::lanes<npu::integer<typename accum<Tag, N>::lane_type, false>, N>;
    return accum<Tag, N>::of_row((typename accum<Tag, N>::row_type)npu_detail::select_words((W)a.npu_row, (W)b.npu_row, m));
}

template <class A, class B>
    requires VectorPair<A, B>
NPU_INLINE auto min(const A &a, const B &b) {
    using V = npu_detail::vector_of<A, B>;
    using T = typename V::value_type;
    const auto x = npu_detail::as_vector<V>(a).npu_row, y = npu_detail::as_vector<V>(b).npu_row;
    if constexpr (npu::element<T>::is_float)
        return V::of_row(npu::smaller<T>(x, y));
    else
        return V::of_row(npu::lower(x, y));
}
template <class A, class B>
    requires VectorPair<A, B>
NPU_INLINE auto max(const A &a, const B &b) {
    using V = npu_detail::vector_of<A, B>;
    using T = typename V::value_type;
    const auto x = npu_detail::as_vector<V>(a).npu_row, y = npu_detail::as_vector<V>(b).npu_row;
    if constexpr (npu::element<T>::is_float)
        return V::of_row(npu::larger<T>(x, y));
    else
        return V::of_row(npu::higher(x, y));
}
template <class A, class B>
    requires VectorPair<A, B>
NPU_INLINE auto maxdiff(const A &a, const B &b) {
    using V = npu_detail::vector_of<A, B>;
    const V x = npu_detail::as_vector<V>(a), y = npu_detail::as_vector<V>(b);
    return select(V(), sub(x, y), gt(x, y));
}
template <class V, class L, class H>
    requires Vector<V>
NPU_INLINE auto clamp(const V &v, const L &low, const H &high) {
    return aie::min(aie::max(v, low), high);
}
/** The smaller (larger) lanes, and where the second (first) operand's is at least as small (smaller). */
template <class A, class B>
    requires VectorPair<A, B>
NPU_INLINE auto min_cmp(const A &a, const B &b) {
    return std::make_tuple(aie::min(a, b), ge(a, b));
}
template <class A, class B>
    requires VectorPair<A, B>
NPU_INLINE auto max_cmp(const A &a, const B &b) {
    return std::make_tuple(aie::max(a, b), lt(a, b));
}
/** Integers of one width, signed or not as a value of run time says. */
#define NPU_OF_SIGN(name)                                                                                                         \
    template <class A, class B>                                                                                                   \
        requires VectorPair<A, B>                                                                                                 \
    NPU_INLINE auto name(const A &a, const B &b, bool sign) {                                                                     \
        using V = npu_detail::vector_of<A, B>;                                                                                    \
        if constexpr (V::is_floating_point())                                                                                     \
            return aie::name(a, b);                                                                                               \
        else {                                                                                                                    \
            using S = typename npu_detail::integer_of_sign<typename V::value_type, true>::type;                                   \
            using U = typename npu_detail::integer_of_sign<typename V::value_type, false>::type;                                  \
            const V x = npu_detail::as_vector<V>(a), y = npu_detail::as_vector<V>(b);                                             \
            if (sign)                                                                                                             \
                return aie::name(x.template cast_to<S>(), y.template cast_to<S>()).template cast_to<typename V::value_type>();    \
            return aie::name(x.template cast_to<U>(), y.template cast_to<U>()).template cast_to<typename V::value_type>();        \
        }                                                                                                                         \
    }
namespace npu_detail {
template <class T, bool Signed> struct integer_of_sign { using type = npu::integer<T, Signed>; };
template <bool Was, bool Signed> struct integer_of_sign<npu::nibble<Was>, Signed> { using type = npu::nibble<Signed>; };
} // namespace npu_detail
NPU_OF_SIGN(min)
NPU_OF_SIGN(max)
NPU_OF_SIGN(maxdiff)
#undef NPU_OF_SIGN
/** Whether a lane has the value x. */
template <class S, class V>
    requires(Elem<S> && Vector<V>)
NPU_INLINE bool contains(const S &x, const V &v) {
    return !eq(x, v).empty();
}

#define NPU_BITWISE(name, op)                                                                                                     \
    template <class A, class B>                                                                                                   \
        requires VectorPair<A, B>                                                                                                 \
    NPU_INLINE auto name(const A &a, const B &b) {                                                                                \
        using V = npu_detail::vector_of<A, B>;                                                                                    \
        return V::of_words(npu_detail::as_vector<V>(a).words() op npu_detail::as_vector<V>(b).words());                           \
    }
NPU_BITWISE(bit_and, &)
NPU_BITWISE(bit_or, |)
NPU_BITWISE(bit_xor, ^)
#undef NPU_BITWISE
template <class T, unsigned N> NPU_INLINE vector<T, N> bit_not(const vector<T, N> &v) { return vector<T, N>::of_words(~v.words()); }

namespace npu_detail {
/** The lane of an accumulator that shifts of a row pass through: the API has no other shift. */
template <class V> using lane_to_shift = std::conditional_t<sizeof(V{}[0]) == 4, npu::i64, npu::i32>;
} // namespace npu_detail

/** By way of an accumulator, so limited by the saturation mode; without one the upper bits are lost. */
template <class T, unsigned N> NPU_INLINE vector<T, N> upshift(const vector<T, N> &v, int shift) {
    using V = __remove_cvref(decltype(v.npu_row));
    using L = __remove_cvref(decltype(v.npu_row[0]));
    using A = npu_detail::lane_to_shift<V>;
    constexpr int most = sizeof(A) * 8 - 1;
    return vector<T, N>::of_row(npu::limited<L>(npu::ups<A>(v.npu_row, shift > most ? most : shift)));
}
/** By way of an accumulator, so rounded by the rounding mode: towards minus infinity after a reset. */
template <class T, unsigned N> NPU_INLINE vector<T, N> downshift(const vector<T, N> &v, int shift) {
    using V = __remove_cvref(decltype(v.npu_row));
    using L = __remove_cvref(decltype(v.npu_row[0]));
    return vector<T, N>::of_row(npu::srs<L>(npu::convert<npu_detail::lane_to_shift<V>>(v.npu_row), shift));
}
template <class T, unsigned N> NPU_INLINE vector<T, N> logical_downshift(const vector<T, N> &v, unsigned shift) {
    constexpr unsigned width = npu::element<T>::bits;
    const auto bits = v.words();
    using W = typename npu::element<T>::word;
    return vector<T, N>::of_words(shift >= width ? decltype(bits){} : bits >> npu::splat<W, N>(W(shift)));
}
} // namespace aie
