/* The multiply intrinsics: mul_, mac_, msc_, negmul_ and then a shape, and their _conf forms. */
#pragma once

#include <npu/blocks.h>
#include <npu/native.h>

namespace npu {
template <class V> struct content;
template <class V> using factor_element = typename content<__remove_cvref(V)>::element_type;

/** A row as lanes that are multiplied, by a sign of run time when there is one (-1: the element's own). */
template <class Lane, class T, class R> NPU_INLINE auto factor_lanes(R row, int sign) {
    if constexpr (std::is_same_v<T, bfloat16>)
        return bf16_rows_to_float(row);
    else if constexpr (std::is_same_v<T, float>)
        return row;
    else if constexpr (element<T>::bits == 4)
        return convert<Lane>(nibbles_to_bytes<element<T>::is_signed>(row));
    else {
        using L = typename element<T>::lane;
        if (sign < 0)
            return convert<Lane>(row);
        return sign ? convert<Lane>(bits_as<integer<L, true>>(row)) : convert<Lane>(bits_as<integer<L, false>>(row));
    }
}

/** Accumulator of a shape: floats, else as many bits as a register of 1024 bits has for each lane. */
template <class TA, class TB, unsigned Lanes> struct product_tag {
    static constexpr bool is_float = element<TA>::is_float || element<TB>::is_float;
    static constexpr unsigned bits = element<TA>::bits + element<TB>::bits;
    using type = std::conditional_t<is_float, accfloat, std::conditional_t<(bits <= 32 && Lanes >= 32), acc32, acc64>>;
};

/** Lane i: the sum over p < Points of the products of elements i + p·Lanes; added to c (Minus: taken from it). */
template <unsigned Lanes, unsigned Points, bool Minus, class Row, class A, class B>
NPU_INLINE Row elementwise(Row c, bool has_c, const A &a, int sign_a, const B &b, int sign_b) {
    using TA = factor_element<A>;
    using TB = factor_element<B>;
    using Lane = __remove_cvref(decltype(c[0]));
    const auto row_a = [&] { if constexpr (is_row<A>) return a; else return a.npu_row; }();
    const auto row_b = [&] { if constexpr (is_row<B>) return b; else return b.npu_row; }();
    const auto x = factor_lanes<Lane, TA>(row_a, sign_a), y = factor_lanes<Lane, TB>(row_b, sign_b);
    static_assert(sizeof(x) == sizeof(Lane) * Lanes * Points && sizeof(y) == sizeof(x), "the vectors do not have the intrinsic's size");
    if constexpr (std::is_same_v<Lane, float>) {
        if constexpr (std::is_same_v<TA, float> || std::is_same_v<TB, float>)
            return has_c ? emulated_multiply_add<true, Minus>(c, x, y) : emulated_multiply_add<false, Minus>(c, x, y);
        else if constexpr (Points == 1)
            return has_c ? multiply_add(c, Minus ? -x : x, y) : multiply(Minus ? -x : x, y);
        else {
            const auto s = Minus ? -x : x;
            const Row p[2] = {part<Lanes, 0>(s), part<Lanes, Lanes>(s)}, q[2] = {part<Lanes, 0>(y), part<Lanes, Lanes>(y)};
            return multiply_add_many(c, p, q);
        }
    } else {
        auto products = x * y;
        Row sum = part<Lanes, 0>(products);
        if constexpr (Points == 2)
            sum += part<Lanes, Lanes>(products);
        return Minus ? c - sum : c + sum;
    }
}

/** c ± A·B of row-major matrices. */
template <unsigned M, unsigned K, unsigned N, bool Minus, class Row, class A, class B>
NPU_INLINE Row matrix_product(Row c, const A &a, int sign_a, const B &b, int sign_b) {
    using TA = factor_element<A>;
    using TB = factor_element<B>;
    using Lane = __remove_cvref(decltype(c[0]));
    const auto row_a = [&] { if constexpr (is_row<A>) return a; else return a.npu_row; }();
    const auto row_b = [&] { if constexpr (is_row<B>) return b; else return b.npu_row; }();
    if constexpr (std::is_same_v<Lane, float>) {
        store((void *)registers::block_a, Minus ? row_a ^ 0x8000 : row_a);
        store((void *)registers::block_b, row_b);
        store((void *)registers::block_c, c);
        if constexpr (__AIE_ARCH__ >= 21)
            multiply_bf16_singly<M, K, N>();
        else
            multiply_bf16<M, K, N>();
        return load<Row>((void *)registers::block_c);
    } else {
        const auto x = factor_lanes<i32, TA>(row_a, sign_a);
        const auto y = factor_lanes<i32, TB>(row_b, sign_b);
        store((void *)registers::work, x);
        store((void *)(registers::work + 4096), y);
        store((void *)registers::block_c, Row{});
        multiply_words<M, K, N, Lane>();
        const Row sum = load<Row>((void *)registers::block_c);
        return Minus ? c - sum : c + sum;
    }
}
/** The accumulator of a _conf form: zeroed, shifted or negated as its flags say. */
template <class Row> NPU_INLINE Row configured(Row c, int zero_acc, int shift16, int sub_acc) {
    if (zero_acc)
        return Row{};
    using L = __remove_cvref(decltype(c[0]));
    if constexpr (!std::is_same_v<L, float>)
        if (shift16)
            c = c << splat<L, sizeof(Row) / sizeof(L)>(16);
    return sub_acc ? -c : c;
}
} // namespace npu

#define NPU_FAMILY(shape, lanes_n, step)                                                                                          \
    template <class A, class B> NPU_INLINE auto mul_##shape(const A &a, const B &b) { return npu_mul_##shape<false>(a, -1, b, -1); } \
    template <class A, class B> NPU_INLINE auto mul_##shape(const A &a, int sa, const B &b, int sb) {                             \
        return npu_mul_##shape<false>(a, sa, b, sb);                                                                              \
    }                                                                                                                             \
    template <class A, class B> NPU_INLINE auto negmul_##shape(const A &a, const B &b) { return npu_mul_##shape<true>(a, -1, b, -1); } \
    template <class A, class B> NPU_INLINE auto negmul_##shape(const A &a, int sa, const B &b, int sb) {                          \
        return npu_mul_##shape<true>(a, sa, b, sb);                                                                               \
    }                                                                                                                             \
    template <class A, class B, class C> NPU_INLINE auto mac_##shape(const A &a, const B &b, const C &c) {                        \
        return npu_mac_##shape<false>(a, -1, b, -1, c);                                                                           \
    }                                                                                                                             \
    template <class A, class B, class C> NPU_INLINE auto mac_##shape(const A &a, int sa, const B &b, int sb, const C &c) {        \
        return npu_mac_##shape<false>(a, sa, b, sb, c);                                                                           \
    }                                                                                                                             \
    template <class A, class B, class C> NPU_INLINE auto msc_##shape(const A &a, const B &b, const C &c) {                        \
        return npu_mac_##shape<true>(a, -1, b, -1, c);                                                                            \
    }                                                                                                                             \
    template <class A, class B, class C> NPU_INLINE auto msc_##shape(const A &a, int sa, const B &b, int sb, const C &c) {        \
        return npu_mac_##shape<true>(a, sa, b, sb, c);                                                                            \
    }                                                                                                                             \
    template <class A, class B, class C, class D>                                                                                 \
    NPU_INLINE auto addmac_##shape(const A &a, const B &b, const C &c, const D &d) {                                              \
        return mac_##shape(a, b, add(c, d));                                                                                      \
    }                                                                                                                             \
    template <class A, class B, class C, class D>                                                                                 \
    NPU_INLINE auto addmsc_##shape(const A &a, const B &b, const C &c, const D &d) {                                              \
        return msc_##shape(a, b, add(c, d));                                                                                      \
    }                                                                                                                             \
    template <class A, class B> NPU_INLINE auto mul_##shape##_conf(const A &a, const B &b, int sub_mul) {                         \
        return sub_mul ? negmul_##shape(a, b) : mul_##shape(a, b);                                                                \
    }                                                                                                                             \
    template <class A, class B> NPU_INLINE auto mul_##shape##_conf(const A &a, int sa, const B &b, int sb, int sub_mul) {         \
        return sub_mul ? negmul_##shape(a, sa, b, sb) : mul_##shape(a, sa, b, sb);                                                \
    }                                                                                                                             \
    template <class A, class B, class C>                                                                                          \
        requires(requires(const C &c) { c.npu_row; })                                                                             \
    NPU_INLINE auto mac_##shape##_conf(const A &a, const B &b, const C &c, int zero_acc, int shift16, int sub_mul, int sub_acc) { \
        C start = c;                                                                                                              \
        start.npu_row = npu::configured(c.npu_row, zero_acc, shift16, sub_acc);                                                   \
        return sub_mul ? msc_##shape(a, b, start) : mac_##shape(a, b, start);                                                     \
    }                                                                                                                             \
    template <class A, class B, class C>                                                                                          \
        requires(requires(const C &c) { c.npu_row; })                                                                             \
    NPU_INLINE auto mac_##shape##_conf(const A &a, const B &b, const C &c, int zero_acc, int sub_mul, int sub_acc) {              \
        return mac_##shape##_conf(a, b, c, zero_acc, 0, sub_mul, sub_acc);                                                        \
    }                                                                                                                             \
    template <class A, class B, class C>                                                                                          \
        requires(requires(const C &c) { c.npu_row; })                                                                             \
    NPU_INLINE auto mac_##shape##_conf(const A &a, int sa, const B &b, int sb, const C &c, int zero_acc, int shift16, int sub_mul, \
                                       int sub_acc) {                                                                             \
        C start = c;                                                                                                              \
        start.npu_row = npu::configured(c.npu_row, zero_acc, shift16, sub_acc);                                                   \
        return sub_mul ? msc_##shape(a, sa, b, sb, start) : mac_##shape(a, sa, b, sb, start);                                     \
    }

#define NPU_ELEMENTWISE(shape, lanes_n, points)                                                                                   \
    template <bool Minus, class A, class B> NPU_INLINE auto npu_mul_##shape(const A &a, int sa, const B &b, int sb) {             \
        using Tag = typename npu::product_tag<npu::factor_element<A>, npu::factor_element<B>, lanes_n>::type;                     \
        using R = npu_native::accumulator<Tag, lanes_n>;                                                                          \
        return R(npu::elementwise<lanes_n, points, Minus>(typename R::row{}, false, a, sa, b, sb));                               \
    }                                                                                                                             \
    template <bool Minus, class A, class B, class C>                                                                              \
    NPU_INLINE auto npu_mac_##shape(const A &a, int sa, const B &b, int sb, const C &c) {                                         \
        using R = npu_native::accumulator<typename npu::content<C>::element_type, lanes_n>;                                       \
        return R(npu::elementwise<lanes_n, points, Minus>(c.npu_row, true, a, sa, b, sb));                                        \
    }                                                                                                                             \
    NPU_FAMILY(shape, lanes_n, points)
NPU_ELEMENTWISE(elem_8, 8, 1)
NPU_ELEMENTWISE(elem_16, 16, 1)
NPU_ELEMENTWISE(elem_32, 32, 1)
NPU_ELEMENTWISE(elem_64, 64, 1)
NPU_ELEMENTWISE(elem_8_2, 8, 2)
NPU_ELEMENTWISE(elem_16_2, 16, 2)
NPU_ELEMENTWISE(elem_32_2, 32, 2)
NPU_ELEMENTWISE(elem_16_accuracy_safe, 16, 1)
#undef NPU_ELEMENTWISE
/* What mac_elem_16_conf of floats is made of takes its flags without a name of its own. */
#define NPU_OF_ACCURACY(accuracy)                                                                                                 \
    template <class A, class B, class C>                                                                                          \
    NPU_INLINE auto mac_elem_16_accuracy_##accuracy(const A &a, const B &b, const C &c, int zero_acc, int sub_mul, int sub_acc) { \
        return mac_elem_16_conf(a, b, c, zero_acc, sub_mul, sub_acc);                                                             \
    }
NPU_OF_ACCURACY(safe)
NPU_OF_ACCURACY(fast)
NPU_OF_ACCURACY(low)
#undef NPU_OF_ACCURACY

/* Two vectors for each factor. */
template <class A, class B>
    requires(requires(A a, B b) { npu::join(a, a), npu::join(b, b); })
NPU_INLINE auto mul_elem_16_2(const A &a0, const A &a1, const B &b0, const B &b1) {
    return mul_elem_16_2(npu::join(a0, a1), npu::join(b0, b1));
}
template <class A, class B, class C>
    requires(requires(A a, B b) { npu::join(a, a), npu::join(b, b); })
NPU_INLINE auto mac_elem_16_2(const A &a0, const A &a1, const B &b0, const B &b1, const C &c) {
    return mac_elem_16_2(npu::join(a0, a1), npu::join(b0, b1), c);
}

namespace npu {
/** Lane i: the sum over k < Points of data[i + k] · coeff[k]. */
template <unsigned Lanes, unsigned Points, class Row, class A, class B> NPU_INLINE Row convolved(Row c, const A &data, const B &coeff) {
    using Lane = __remove_cvref(decltype(c[0]));
    const auto row_a = [&] { if constexpr (is_row<A>) return data; else return data.npu_row; }();
    const auto row_b = [&] { if constexpr (is_row<B>) return coeff; else return coeff.npu_row; }();
    constexpr unsigned n = sizeof(row_a) / sizeof(row_a[0]);
    [&]<unsigned... K>(indices<K...>) {
        ((c += convert<Lane>(pick<Lanes>(row_a, [](unsigned i) constexpr { return (i + K) % n; })) * splat<Lane, Lanes>(Lane(row_b[K]))), ...);
    }(count_to<Points>{});
    return c;
}
} // namespace npu
#define NPU_CONVOLUTION(shape, lanes_n, points, Tag)                                                                              \
    template <class A, class B> NPU_INLINE auto mul_##shape(const A &a, const B &b) {                                             \
        using R = npu_native::accumulator<Tag, lanes_n>;                                                                          \
        return R(npu::convolved<lanes_n, points>(typename R::row{}, a, b));                                                       \
    }                                                                                                                             \
    template <class A, class B, class C> NPU_INLINE auto mac_##shape(const A &a, const B &b, const C &c) {                        \
        using R = npu_native::accumulator<Tag, lanes_n>;                                                                          \
        return R(npu::convolved<lanes_n, points>(c.npu_row, a, b));                                                               \
    }
NPU_CONVOLUTION(conv_32x8, 32, 8, acc32)
NPU_CONVOLUTION(conv_16x4, 16, 4, acc64)
#undef NPU_CONVOLUTION

#define NPU_MATRIX(shape, m, k, n)                                                                                                \
    template <bool Minus, class A, class B> NPU_INLINE auto npu_mul_##shape(const A &a, int sa, const B &b, int sb) {             \
        using Tag = typename npu::product_tag<npu::factor_element<A>, npu::factor_element<B>, m * n>::type;                       \
        using R = npu_native::accumulator<Tag, m * n>;                                                                            \
        return R(npu::matrix_product<m, k, n, Minus>(typename R::row{}, a, sa, b, sb));                                           \
    }                                                                                                                             \
    template <bool Minus, class A, class B, class C>                                                                              \
    NPU_INLINE auto npu_mac_##shape(const A &a, int sa, const B &b, int sb, const C &c) {                                         \
        using R = npu_native::accumulator<typename npu::content<C>::element_type, m * n>;                                         \
        return R(npu::matrix_product<m, k, n, Minus>(c.npu_row, a, sa, b, sb));                                                   \
    }                                                                                                                             \
    NPU_FAMILY(shape, m *n, 1)
NPU_MATRIX(4x8_8x8, 4, 8, 8)
NPU_MATRIX(4x16_16x8, 4, 16, 8)
NPU_MATRIX(4x4_4x8, 4, 4, 8)
NPU_MATRIX(4x2_2x8, 4, 2, 8)
NPU_MATRIX(4x8_8x4, 4, 8, 4)
NPU_MATRIX(4x4_4x4, 4, 4, 4)
NPU_MATRIX(2x8_8x8, 2, 8, 8)
NPU_MATRIX(2x4_4x8, 2, 4, 8)
NPU_MATRIX(8x8_8x8, 8, 8, 8)
NPU_MATRIX(8x2_2x8, 8, 2, 8)
NPU_MATRIX(8x1_1x8, 8, 1, 8)
NPU_MATRIX(4x16_16x16, 4, 16, 16)
#undef NPU_MATRIX
