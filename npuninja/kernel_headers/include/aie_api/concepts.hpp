/* The API's concepts and traits that its functions here do not need themselves: for kernels that are templates themselves. */
#pragma once

#include <aie_api/lut.hpp>
#include <aie_api/mmul.hpp>
#include <aie_api/scalar.hpp>
#include <utility>

namespace aie {
namespace npu_detail {
template <class T> inline constexpr bool is_mask = false;
template <unsigned N> inline constexpr bool is_mask<mask<N>> = true;
template <class T> inline constexpr bool is_mmul = false;
template <unsigned M, unsigned K, unsigned N, class TypeA, class TypeB, class Tag>
inline constexpr bool is_mmul<mmul<M, K, N, TypeA, TypeB, Tag>> = true;
template <class T> inline constexpr bool is_lut = false;
template <unsigned P, class TO, class TS> inline constexpr bool is_lut<lut<P, TO, TS>> = true;
template <class T> inline constexpr bool is_sparse = false;
template <class T, unsigned N> inline constexpr bool is_sparse<sparse_vector<T, N>> = true;
template <class T> inline constexpr bool is_block = false;
template <class T, unsigned N> inline constexpr bool is_block<block_vector<T, N>> = true;
template <class T> inline constexpr bool is_accumulator_tag = std::is_same_v<T, accauto>;
template <class T>
    requires requires { typename npu::accumulator_row<T, 8>; T::bits; }
inline constexpr bool is_accumulator_tag<T> = true;
/** What a number, a lane of a vector or a wrapped one of these is made of. */
template <class T> struct operand_base {
    using type = type_for<T>;
};
template <class T>
    requires requires { typename T::value_type; }
struct operand_base<T> {
    using type = typename T::value_type;
};
} // namespace npu_detail

template <class T> concept Mask = npu_detail::is_mask<__remove_cvref(T)>;
template <class T> concept Mmul = npu_detail::is_mmul<__remove_cvref(T)>;
template <class T> concept RealElem = Elem<T> && !ComplexElem<T>;
template <class T> concept ComplexVector = Vector<T> && npu::element<typename std::remove_cvref_t<T>::value_type>::is_complex;
template <class T> concept RealVector = Vector<T> && !ComplexVector<T>;
template <class T> concept ArithmeticType = Elem<T> || Vector<T> || Accum<T>;
template <class T> concept VectorOrOp = Vector<T>;
template <class T> concept AccumOrOp = Accum<T>;
template <class T> concept ElemOrOp = Elem<T>;
template <class T> concept MmulOrOp = Mmul<T>;
template <class T> concept SparseVectorOrOp = npu_detail::is_sparse<__remove_cvref(T)>;
template <class T> concept BlockVector = npu_detail::is_block<__remove_cvref(T)>;
template <class T> concept BlockVectorOp = BlockVector<T>;
template <class T> concept ParallelLUT = npu_detail::is_lut<__remove_cvref(T)>;
template <class T> concept DecoratedElemBaseType = ElemBaseType<T>;
template <class T> concept ElemBaseOrBlockType = ElemBaseType<T> || npu_detail::is_block_float<T>;
template <class T> concept AccumElemBaseType = npu_detail::is_accumulator_tag<T>;
template <class T> concept TupleLike = requires(T t) {
    typename std::tuple_size<std::decay_t<T>>;
    typename std::tuple_element<0, std::decay_t<T>>;
    { std::get<0>(t) };
};
/* Integers, both real or both complex, of which one is narrower. */
template <class To, class From> concept PackableFrom =
    ElemBaseType<To> && ElemBaseType<From> && !npu::element<type_for<To>>::is_float && !npu::element<type_for<From>>::is_float &&
    npu::element<type_for<To>>::is_complex == npu::element<type_for<From>>::is_complex &&
    (npu::element<type_for<To>>::bits < npu::element<type_for<From>>::bits);
template <class To, class From> concept UnpackableFrom = PackableFrom<From, To>;

template <class T> struct is_elem {
    static constexpr bool value = Elem<T>;
};
template <class T> struct is_lut {
    static constexpr bool value() { return npu_detail::is_lut<T>; }
};
template <class T> inline constexpr bool is_lut_v = npu_detail::is_lut<T>;
template <class T> inline constexpr bool is_mmul_v = npu_detail::is_mmul<__remove_cvref(T)>;
template <class T> inline constexpr bool is_mmul_or_op_v = is_mmul_v<T>;
template <class A, class B> struct is_same_vector {
    static constexpr bool value = false;
};
template <class T, unsigned N> struct is_same_vector<vector<T, N>, vector<T, N>> {
    static constexpr bool value = true;
};
template <class A, class B> inline constexpr bool is_same_vector_v = is_same_vector<__remove_cvref(A), __remove_cvref(B)>::value;
template <class A, class B> inline constexpr bool is_same_accum_v = Accum<A> && std::is_same_v<__remove_cvref(A), __remove_cvref(B)>;
template <class T> struct operand_base_type {
    using type = typename npu_detail::operand_base<__remove_cvref(T)>::type;
};
template <class T> using operand_base_type_t = typename operand_base_type<T>::type;
/** What vectors and accumulators are aligned to in memory. */
template <class T, unsigned N> inline constexpr unsigned vector_ldst_align_v = vector_decl_align;

/** Products of matrices as functions of their vectors. */
template <unsigned M, unsigned K, unsigned N, class Tag = accauto, Vector A, Vector B> NPU_INLINE auto mmul_fn(const A &a, const B &b) {
    mmul<M, K, N, typename A::value_type, typename B::value_type, Tag> product;
    product.mul(a, b);
    return product;
}
template <unsigned M, unsigned K, unsigned N, Accum C, Vector A, Vector B> NPU_INLINE auto mmac_fn(const C &c, const A &a, const B &b) {
    mmul<M, K, N, typename A::value_type, typename B::value_type, typename C::value_type> sum(c);
    sum.mac(a, b);
    return sum;
}
template <unsigned M, unsigned K, unsigned N, Mmul C, Vector A, Vector B> NPU_INLINE auto mmac_fn(C &c, const A &a, const B &b) {
    c.mac(a, b);
    return c;
}
} // namespace aie
