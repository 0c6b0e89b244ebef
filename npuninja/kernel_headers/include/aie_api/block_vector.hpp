/* aie::block_vector: block floats, and streams of them. */
#pragma once

#include <aie_api/mmul.hpp>
#include <npu/block_floats.h>

namespace aie {
template <class T> concept BlockType = npu_detail::is_block_float<T>;
template <class T> inline constexpr unsigned npu_block_size = std::is_same_v<T, bfp16ebs8> ? 8 : 16;

template <class T, unsigned N> class block_vector {
  public:
    using row_type = npu::block_row<npu_block_size<T>, N>;
    using value_type = T;
    using native_type = row_type;
    row_type npu_blocks;

    static constexpr unsigned size() { return N; }
    static constexpr unsigned bits() { return row_type::bytes * 8; }
    static constexpr unsigned memory_bits() { return bits(); }
    static constexpr unsigned block_size() { return npu_block_size<T>; }

    block_vector() = default;
    NPU_INLINE block_vector(const row_type &row) : npu_blocks(row) {}
    NPU_INLINE operator row_type() const { return npu_blocks; }
    NPU_INLINE row_type to_native() const { return npu_blocks; }
    NPU_INLINE npu::lanes<float, N> npu_to_float_row() const { return npu_blocks.floats(); }
    NPU_INLINE static block_vector npu_from_float_row(npu::lanes<float, N> row) { return row_type::from_floats(row); }
    template <unsigned M> NPU_INLINE block_vector<T, M> extract(unsigned i) const {
        block_vector<T, M> part;
        constexpr unsigned words = block_vector<T, M>::row_type::bytes / 8;
        for (unsigned w = 0; w < words; w++)
            part.npu_blocks.words[w] = npu_blocks.words[i * words + w];
        return part;
    }
    template <unsigned M> NPU_INLINE block_vector &insert(unsigned i, const block_vector<T, M> &part) {
        constexpr unsigned words = block_vector<T, M>::row_type::bytes / 8;
        for (unsigned w = 0; w < words; w++)
            npu_blocks.words[i * words + w] = part.npu_blocks.words[w];
        return *this;
    }
};

template <class T, unsigned N> class block_vector_input_buffer_stream {
    const T *p_;
    static constexpr int step = int(block_vector<T, N>::row_type::bytes);

  public:
    NPU_INLINE explicit block_vector_input_buffer_stream(const T *p) : p_(p) {}
    NPU_INLINE block_vector<T, N> pop() {
        block_vector<T, N> v(*(const typename block_vector<T, N>::row_type *)p_);
        p_ += step;
        return v;
    }
    NPU_INLINE void seek(int n) { p_ += n * step; }
    NPU_INLINE block_vector<T, N> pop_seek(int n) {
        const auto v = pop();
        seek(n);
        return v;
    }
    template <class V> NPU_INLINE block_vector_input_buffer_stream &operator>>(V &v) {
        v = pop();
        return *this;
    }
};
template <class T, unsigned N> class block_vector_output_buffer_stream {
    T *p_;
    static constexpr int step = int(block_vector<T, N>::row_type::bytes);

  public:
    NPU_INLINE explicit block_vector_output_buffer_stream(T *p) : p_(p) {}
    NPU_INLINE void push(const block_vector<T, N> &v) {
        *(typename block_vector<T, N>::row_type *)p_ = v.npu_blocks;
        p_ += step;
    }
    NPU_INLINE void seek(int n) { p_ += n * step; }
    NPU_INLINE block_vector_output_buffer_stream &operator<<(const block_vector<T, N> &v) {
        push(v);
        return *this;
    }
};

template <unsigned N, BlockType T> NPU_INLINE block_vector<T, N> load_v(const T *p) {
    return block_vector<T, N>(*(const typename block_vector<T, N>::row_type *)p);
}
template <BlockType T, unsigned N> NPU_INLINE T *store_v(T *p, const block_vector<T, N> &v) {
    *(typename block_vector<T, N>::row_type *)p = v.npu_blocks;
    return p;
}

/** C += A·B with B stored transposed, as the block type's rows run along the summed index. */
template <unsigned M, unsigned K, unsigned N, class TA, class TB, class Tag>
    requires(BlockType<TA> && BlockType<TB> && M == 8 && K == 8 && (N == 8 || N == 16))
class mmul<M, K, N, TA, TB, Tag> {
  public:
    static constexpr unsigned size_A = M * K, size_B = K * N, size_C = M * N;
    using accum_type = accum<accfloat, size_C>;
    accum_type data;
    NPU_INLINE mmul() = default;
    NPU_INLINE mmul(const accum_type &c) : data(c) {}
    template <class T> NPU_INLINE mmul(const vector<T, size_C> &c) : data(c) {}
    NPU_INLINE operator accum_type() const { return data; }
    NPU_INLINE accum_type to_accum() const { return data; }
    template <class T> NPU_INLINE auto to_vector(int shift = 0) const { return data.template to_vector<T>(shift); }
    NPU_INLINE void mul(const block_vector<TA, size_A> &a, const block_vector<TB, size_B> &b) {
        data = accum_type();
        mac(a, b);
    }
    NPU_INLINE void mac(const block_vector<TA, size_A> &a, const block_vector<TB, size_B> &b) {
        static_assert(N == 8 && std::is_same_v<TA, bfp16ebs8> && std::is_same_v<TB, bfp16ebs8>,
                      "aie::mmul: of block floats 8x8x8 of bfp16ebs8 is there (docs/kernels.md)");
        data.npu_row = npu::block_product<false>(a.npu_blocks, b.npu_blocks, data.npu_row);
    }
};
} // namespace aie
