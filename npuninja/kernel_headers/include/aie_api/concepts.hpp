/* The API's concepts beside those that its functions here need: for kernels that are templates themselves. */
#pragma once

#include <aie_api/mmul.hpp>
#include <aie_api/scalar.hpp>

namespace aie {
namespace npu_detail {
template <class T> inline constexpr bool is_mask = false;
template <unsigned N> inline constexpr bool is_mask<mask<N>> = true;
template <class T> inline constexpr bool is_mmul = false;
template <unsigned M, unsigned K, unsigned N, class TypeA, class TypeB, class Tag>
inline constexpr bool is_mmul<mmul<M, K, N, TypeA, TypeB, Tag>> = true;
} // namespace npu_detail

template <class T> concept Mask = npu_detail::is_mask<__remove_cvref(T)>;
template <class T> concept Mmul = npu_detail::is_mmul<__remove_cvref(T)>;
template <class T> concept RealElem = Elem<T> && !ComplexElem<T>;
template <class T> concept ComplexVector = Vector<T> && npu::element<typename std::remove_cvref_t<T>::value_type>::is_complex;
template <class T> concept RealVector = Vector<T> && !ComplexVector<T>;
template <class T> concept ArithmeticType = std::is_arithmetic_v<T>;
template <class T> concept VectorOrOp = Vector<T>;
template <class T> concept AccumOrOp = Accum<T>;
template <class T> concept ElemOrOp = Elem<T>;
template <class T> concept MmulOrOp = Mmul<T>;
} // namespace aie
