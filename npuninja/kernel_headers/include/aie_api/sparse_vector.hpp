/* aie::sparse_vector: elements of which at most two in four are not zero, as they come out of a buffer of masks and bytes; B of a
 * product of matrices.
 *
 * In memory a group of 512 bits is a mask of 64 bits, one for each byte, and the bytes whose bit is set; the next mask begins at a
 * multiple of 4 bytes. The elements are B's columns, one after the other. */
#pragma once

#include <aie_api/vector.hpp>

namespace aie {
template <class T, unsigned N> class sparse_vector {
    static_assert(N * npu::element<T>::bits % 512 == 0, "aie::sparse_vector: whole groups of 512 bits");

  public:
    using value_type = T;
    /** With zeros in their places, column by column. */
    vector<T, N> npu_columns;
    static constexpr unsigned size() { return N; }
    static constexpr unsigned bits() { return N * npu::element<T>::bits; }
    static constexpr unsigned type_bits() { return npu::element<T>::bits; }
};
template <class> inline constexpr bool is_sparse_vector_v = false;
template <class T, unsigned N> inline constexpr bool is_sparse_vector_v<sparse_vector<T, N>> = true;
template <class S> concept SparseVector = is_sparse_vector_v<__remove_cvref(S)>;

namespace npu_detail {
/** Groups of masks and bytes to the register page; returns what is after them. */
__attribute__((noinline)) inline const npu::u8 *decompress(const npu::u8 *from, unsigned groups) {
    npu::u8 *to = (npu::u8 *)npu::registers::work;
    for (unsigned g = 0; g < groups; g++) {
        npu::u64 mask;
        __builtin_memcpy(&mask, from, 8);
        from += 8;
        for (unsigned i = 0; i < 64; i++)
            *to++ = mask >> i & 1 ? *from++ : 0;
        from = (const npu::u8 *)((uintptr_t(from) + 3) & ~uintptr_t(3));
    }
    return from;
}
/** Columns of K elements as rows of N; 4-bit elements as bytes. */
template <unsigned K, unsigned N, class W> __attribute__((noinline)) void columns_to_rows() {
    const W *from = (const W *)npu::registers::work;
    W *to = (W *)(npu::registers::work + 4096);
    for (unsigned k = 0; k < K; k++)
        for (unsigned n = 0; n < N; n++)
            to[k * N + n] = from[n * K + k];
}
template <unsigned K, unsigned N, class T> NPU_INLINE auto rows_of(const sparse_vector<T, K * N> &b) {
    const auto columns = [&] {
        if constexpr (npu::element<T>::bits == 4)
            return b.npu_columns.unpack();
        else
            return b.npu_columns;
    }();
    using V = __remove_cvref(decltype(columns));
    npu::store((void *)npu::registers::work, columns.npu_row);
    columns_to_rows<K, N, typename npu::element<typename V::value_type>::word>();
    return V::of_row(npu::load<typename V::row_type>((const void *)(npu::registers::work + 4096)));
}
/** Products that take a sparse B, by the bits of the elements: the API's table. */
constexpr bool is_sparse_product(unsigned a, unsigned b, bool is_float, unsigned m, unsigned k, unsigned n) {
    if (is_float)
        return __AIE_ARCH__ == 20 && m == 4 && k == 16 && (n == 4 || n == 8);
    if (a == 8 && b == 4)
        return __AIE_ARCH__ == 20 && m == 4 && k == 32 && n == 8;
    if (a == 8 && b == 8)
        return k == 16 && ((n == 8 && (m == 4 || m == 8)) || (__AIE_ARCH__ == 20 && m == 4 && n == 16));
    if (a == 16 && b == 8)
        return k == 16 && n == 8 && (m == 2 || m == 4);
    return a == 16 && b == 16 && k == 8 && ((n == 8 && (m == 2 || m == 4)) || (__AIE_ARCH__ == 20 && m == 2 && n == 16));
}
} // namespace npu_detail

template <class T, unsigned N, aie_dm_resource = aie_dm_resource::none> class sparse_vector_input_buffer_stream {
    const npu::u8 *p_;

  public:
    NPU_INLINE explicit sparse_vector_input_buffer_stream(const T *p) : p_((const npu::u8 *)p) {}
    NPU_INLINE auto pop() {
        using E = type_for<T>;
        using V = vector<E, N>;
        p_ = npu_detail::decompress(p_, V::bits() / 512);
        return sparse_vector<E, N>{V::of_row(npu::load<typename V::row_type>((const void *)npu::registers::work))};
    }
    template <class S> NPU_INLINE sparse_vector_input_buffer_stream &operator>>(S &v) {
        v = pop();
        return *this;
    }
};
} // namespace aie
