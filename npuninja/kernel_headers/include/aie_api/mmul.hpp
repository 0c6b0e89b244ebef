/* aie::mmul: C += A·B for small matrices in registers. */
#pragma once

#include <aie_api/mul.hpp>
#include <aie_api/sparse_vector.hpp>
#include <npu/blocks.h>

namespace aie {
namespace npu_detail {
struct shape {
    unsigned m, k, n;
};
/** Kinds of pairs of elements that the table of shapes has a row for. */
enum class pair_kind { i8_i8, i16_i8, i8_i16, i16_i16, i32_i16, i16_i32, i32_i32, bf16_bf16, float_float, i8_i4, c16_i16, c16_c16, c32_c16, c32_c32, cbf16_cbf16, cbf16_bf16, bf16_cbf16, none };
template <class A, class B> constexpr pair_kind kind_of_pair() {
    if constexpr (is_bf16<A> && is_bf16<B>)
        return npu::element<A>::is_complex ? (npu::element<B>::is_complex ? pair_kind::cbf16_cbf16 : pair_kind::cbf16_bf16)
               : npu::element<B>::is_complex ? pair_kind::bf16_cbf16
                                             : pair_kind::bf16_bf16;
    else if constexpr (std::is_same_v<A, float> && std::is_same_v<B, float>)
        return pair_kind::float_float;
    else if constexpr (npu::element<A>::is_float || npu::element<B>::is_float)
        return pair_kind::none;
    else if constexpr (npu::element<A>::is_complex) {
        constexpr unsigned a = npu::element<A>::bits, b = npu::element<B>::bits;
        if constexpr (!npu::element<B>::is_complex)
            return a == 32 && b == 16 ? pair_kind::c16_i16 : pair_kind::none;
        else
            return a == 32 && b == 32   ? pair_kind::c16_c16
                   : a == 64 && b == 32 ? pair_kind::c32_c16
                   : a == 64 && b == 64 ? pair_kind::c32_c32
                                        : pair_kind::none;
    } else if constexpr (npu::element<B>::is_complex)
        return pair_kind::none;
    else {
        constexpr unsigned a = npu::element<A>::bits, b = npu::element<B>::bits;
        return a == 8 && b == 8     ? pair_kind::i8_i8
               : a == 16 && b == 8  ? pair_kind::i16_i8
               : a == 8 && b == 16  ? pair_kind::i8_i16
               : a == 16 && b == 16 ? pair_kind::i16_i16
               : a == 32 && b == 16 ? pair_kind::i32_i16
               : a == 16 && b == 32 ? pair_kind::i16_i32
               : a == 32 && b == 32 ? pair_kind::i32_i32
               : a == 8 && b == 4   ? pair_kind::i8_i4
                                    : pair_kind::none;
    }
}
struct kind_of_shape {
    pair_kind kind;
    shape size;
};
/* The shapes of the API's user guide. */
inline constexpr kind_of_shape offered_shapes[] = {
#define NPU_SHAPE(kind, m, k, n) {pair_kind::kind, {m, k, n}},
#if __AIE_ARCH__ == 20
#include <npu/mmul_shapes_aie2.inc>
#else
#include <npu/mmul_shapes_aie2p.inc>
#endif
#undef NPU_SHAPE
};
constexpr bool is_offered(pair_kind kind, shape wanted) {
    for (const kind_of_shape &s : offered_shapes)
        if (s.kind == kind && s.size.m == wanted.m && s.size.k == wanted.k && s.size.n == wanted.n)
            return true;
    return false;
}
} // namespace npu_detail

template <unsigned M, unsigned K, unsigned N, class TypeA, class TypeB = TypeA, class Tag = accauto> class mmul {
    using TA = type_for<TypeA>;
    using TB = type_for<TypeB>;

  public:
    using accum_tag = npu_product_tag<Tag, TA, TB>;
    static constexpr unsigned M_ = M;
    static constexpr unsigned size_A = M * K, size_B = K * N, size_C = M * N;
    static constexpr unsigned size_M = M, size_K = K, size_N = N;
    using accum_type = accum<accum_tag, size_C>;
    using mul_op_type_A = vector<TA, size_A>;
    using mul_op_type_B = vector<TB, size_B>;
    using vector_A_type = vector<TA, size_A>;
    using vector_B_type = vector<TB, size_B>;
    static constexpr unsigned accum_bits() { return accum_tag::bits; }
    /** Assigned true: the next product starts from zero. It lies at the object's address and takes no room. */
    struct npu_zero_switch {
        NPU_INLINE void operator=(bool to_zero) {
            if (to_zero)
                ((mmul *)this)->data = accum_type();
        }
    };
    [[no_unique_address]] npu_zero_switch zero;
    accum_type data;

    NPU_INLINE mmul() = default;
    template <class Other>
        requires(std::is_constructible_v<accum_type, accum<Other, size_C>>)
    NPU_INLINE mmul(const accum<Other, size_C> &c) : data(c) {}
    template <class T> NPU_INLINE mmul(const vector<T, size_C> &c) : data(c) {}
    template <class T> NPU_INLINE mmul(const vector<T, size_C> &c, int shift) : data(c, shift) {}
    template <class Other> NPU_INLINE mmul &operator=(const accum<Other, size_C> &c) {
        data = accum_type(c);
        return *this;
    }
    NPU_INLINE operator accum_type() const { return data; }
    NPU_INLINE accum_type to_accum() const { return data; }
    template <class T> NPU_INLINE auto to_vector() const { return data.template to_vector<T>(); }
    template <class T> NPU_INLINE auto to_vector(int shift) const { return data.template to_vector<T>(shift); }
    template <class T> NPU_INLINE auto to_vector_sign(bool sign, int shift = 0) const {
        return data.template to_vector_sign<T>(sign, shift);
    }

    template <class A, class B> NPU_INLINE void mul(const A &a, const B &b) {
        data = accum_type();
        mac(a, b);
    }
    template <class A, class B> NPU_INLINE void mac(const A &a, const B &b) {
        if constexpr (SparseVector<B>) {
            static_assert(npu_detail::is_sparse_product(npu::element<TA>::bits, npu::element<TB>::bits, npu_detail::is_bf16<TA>, M, K, N),
                          "aie::mmul: the API has no such shape with a sparse B for these elements (docs/kernels.md)");
            const vector<TA, size_A> rows = a;
            if constexpr (npu::element<TB>::bits == 4)
                run<TA, std::conditional_t<npu::element<TB>::is_signed, int8, uint8>>(rows.npu_row, npu_detail::rows_of<K, N>(b).npu_row);
            else
                run<TA, TB>(rows.npu_row, npu_detail::rows_of<K, N>(b).npu_row);
        } else if constexpr (npu_detail::has_sign<A> || npu_detail::has_sign<B>)
            mac_by_sign(a, b);
        else {
            static_assert(std::is_constructible_v<vector<TA, size_A>, const A &>, "aie::mmul: A is not a vector of this shape's M·K elements");
            static_assert(std::is_constructible_v<vector<TB, size_B>, const B &>, "aie::mmul: B is not a vector of this shape's K·N elements");
            mac_rows(vector<TA, size_A>(a), vector<TB, size_B>(b));
        }
    }

  private:
    /** Signs that are known at run time only: each case is a product of its own. */
    template <class A, class B> NPU_INLINE void mac_by_sign(const A &a, const B &b) {
        if constexpr (npu_detail::has_sign<A>) {
            using S = npu::integer<TA, true>;
            using U = npu::integer<TA, false>;
            if (a.sign) {
                mmul<M, K, N, S, TB, accum_tag> p(data);
                p.mac(a.value.template cast_to<S>(), b);
                data = p.data;
            } else {
                mmul<M, K, N, U, TB, accum_tag> p(data);
                p.mac(a.value.template cast_to<U>(), b);
                data = p.data;
            }
        } else {
            using S = npu::integer<TB, true>;
            using U = npu::integer<TB, false>;
            if (b.sign) {
                mmul<M, K, N, TA, S, accum_tag> p(data);
                p.mac(a, b.value.template cast_to<S>());
                data = p.data;
            } else {
                mmul<M, K, N, TA, U, accum_tag> p(data);
                p.mac(a, b.value.template cast_to<U>());
                data = p.data;
            }
        }
    }
    NPU_INLINE void mac_rows(const vector<TA, size_A> &a, const vector<TB, size_B> &b) {
        if constexpr (npu::element<TA>::bits == 4 || npu::element<TB>::bits == 4) {
            using W = std::conditional_t<npu::element<TB>::is_signed, int8, uint8>;
            run<TA, W>(a.npu_row, b.template unpack<W>().npu_row);
        } else
            run<TA, TB>(a.npu_row, b.npu_row);
    }
    template <class EA, class EB, class RA, class RB> NPU_INLINE void run(RA a, RB b) {
        using C = typename accum_type::lane_type;
        constexpr auto fits = [](auto x) {
            if constexpr (std::is_arithmetic_v<decltype(x)>)
                return sizeof(x) == 1 || (sizeof(x) == 2 && decltype(x)(-1) < decltype(x)(0));
            else
                return false;
        };
        if constexpr (!npu::element<EA>::is_float && !npu::element<EA>::is_complex && sizeof(C) == 4 && fits(EA()) && fits(EB()) && M * K * N <= 64 && K % 2 == 0 &&
                      N % 4 == 0) {
            data.npu_row = npu::pairs_of_rows<M, K, N>(a, b, data.npu_row);
            return;
        }
        npu::store((void *)npu::registers::block_a, a);
        npu::store((void *)npu::registers::block_b, b);
        npu::store((void *)npu::registers::block_c, data.npu_row);
        if constexpr (npu_detail::is_bf16<EA> && accum_tag::is_complex)
            npu::multiply_complex_bf16<M, K, N, !npu::element<EA>::is_complex, !npu::element<EB>::is_complex>();
        else if constexpr (npu_detail::is_bf16<EA>) {
            // AIE2 adds eight (or all 16) products of a lane in one step; AIE2P works element by element.
#if __AIE_ARCH__ >= 21 && AIE_API_EMULATE_BFLOAT16_MMUL_WITH_BFP16
            if constexpr (K == 8 && N == 8) {
                npu::multiply_bf16_in_blocks<M>();
            } else
#endif
            if constexpr (__AIE_ARCH__ >= 21 || K == 1)
                npu::multiply_bf16_singly<M, K, N>();
            else
                npu::multiply_bf16<M, K, N>();
        } else if constexpr (npu::element<EA>::is_complex)
            npu::multiply_complex<M, K, N, typename npu::element<EA>::lane, typename npu::element<EB>::lane, !npu::element<EB>::is_complex>();
        else if constexpr (std::is_same_v<EA, float>)
            npu::multiply_floats<M, K, N>();
        else if constexpr (sizeof(C) == 4 && fits(EA()) && fits(EB()))
            npu::multiply_pairs<M, K, N, EA, EB>();
        else
            npu::multiply_rows<M, K, N, EA, EB, C>();
        data.npu_row = npu::load<typename accum_type::row_type>((const void *)npu::registers::block_c);
    }

  private: // last: the compiler takes no member after it, and one error is enough
    static_assert(npu_detail::is_offered(npu_detail::kind_of_pair<TA, TB>(), {M, K, N}),
                  "aie::mmul: the API has no such shape for these elements (docs/kernels.md lists them)");
};
} // namespace aie
