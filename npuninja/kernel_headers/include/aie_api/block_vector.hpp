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
        using part_row = typename block_vector<T, M>::row_type;
        return block_vector<T, M>(((const part_row *)&npu_blocks)[i]);
    }
    template <unsigned M> NPU_INLINE block_vector &insert(unsigned i, const block_vector<T, M> &part) {
        ((typename block_vector<T, M>::row_type *)&npu_blocks)[i] = part.npu_blocks;
        return *this;
    }
};

template <class T, unsigned N> class block_vector_input_buffer_stream {
    const uint8_t *p_;
    static constexpr int step = int(block_vector<T, N>::row_type::bytes);

  public:
    NPU_INLINE explicit block_vector_input_buffer_stream(const T *p) : p_((const uint8_t *)p) {}
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
    uint8_t *p_;
    static constexpr int step = int(block_vector<T, N>::row_type::bytes);

  public:
    NPU_INLINE explicit block_vector_output_buffer_stream(T *p) : p_((uint8_t *)p) {}
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

namespace npu_detail {
/** B as it is stored, with the summed index along its rows. */
template <class V> struct stored_transposed {
    V value;
};
} // namespace npu_detail
template <BlockType T, unsigned N> NPU_INLINE npu_detail::stored_transposed<block_vector<T, N>> op_transpose(const block_vector<T, N> &v) {
    return {v};
}

/* Names of these before they were called block vectors. */
template <class T, unsigned N> using bfp_vector = block_vector<T, N>;
template <class T, unsigned N> using bfp_vector_input_buffer_stream = block_vector_input_buffer_stream<T, N>;
template <class T, unsigned N> using bfp_vector_output_buffer_stream = block_vector_output_buffer_stream<T, N>;
template <class T, unsigned N> using block_vector_restrict_input_buffer_stream = block_vector_input_buffer_stream<T, N>;
template <class T, unsigned N> using block_vector_restrict_output_buffer_stream = block_vector_output_buffer_stream<T, N>;
template <class T, unsigned N> using bfp_vector_restrict_input_buffer_stream = block_vector_input_buffer_stream<T, N>;
template <class T, unsigned N> using bfp_vector_restrict_output_buffer_stream = block_vector_output_buffer_stream<T, N>;

/** C += A·B with B stored transposed, as the block type's rows run along the summed index. A may be bfloat16, which becomes blocks. */
template <unsigned M, unsigned K, unsigned N, class TA, class TB, class Tag>
    requires(BlockType<TB> && (BlockType<TA> || std::is_same_v<TA, bfloat16>))
class mmul<M, K, N, TA, TB, Tag> {
    static_assert(M == 8 && K == 8 && (N == 8 || (N == 16 && BlockType<TA>)) && std::is_same_v<TB, bfp16ebs8> && !std::is_same_v<TA, bfp16ebs16>,
                  "aie::mmul: the API has no such shape for these elements (docs/kernels.md lists them)");

  public:
    static constexpr unsigned size_A = M * K, size_B = K * N, size_C = M * N;
    static constexpr unsigned size_M = M, size_K = K, size_N = N;
    using vector_A_type = std::conditional_t<BlockType<TA>, block_vector<TB, size_A>, vector<bfloat16, size_A>>;
    using vector_B_type = block_vector<TB, size_B>;
    using accum_type = accum<accfloat, size_C>;
    accum_type data;
    NPU_INLINE mmul() = default;
    NPU_INLINE mmul(const accum_type &c) : data(c) {}
    template <class T> NPU_INLINE mmul(const vector<T, size_C> &c) : data(c) {}
    NPU_INLINE mmul &operator=(const accum_type &c) {
        data = c;
        return *this;
    }
    NPU_INLINE operator accum_type() const { return data; }
    NPU_INLINE accum_type to_accum() const { return data; }
    template <class T> NPU_INLINE auto to_vector(int shift = 0) const { return data.template to_vector<T>(shift); }
    NPU_INLINE void mul(const vector_A_type &a, const vector_B_type &b) {
        data = accum_type();
        mac(a, b);
    }
    NPU_INLINE void mul(const vector_A_type &a, const npu_detail::stored_transposed<vector_B_type> &b) { mul(a, b.value); }
    NPU_INLINE void mac(const vector_A_type &a, const npu_detail::stored_transposed<vector_B_type> &b) { mac(a, b.value); }
    NPU_INLINE void mac(const vector_A_type &a, const vector_B_type &b) {
        if constexpr (!BlockType<TA>)
            mac_blocks(block_vector<TB, size_A>::npu_from_float_row(npu::bf16_rows_to_float(a.npu_row)), b);
        else
            mac_blocks(a, b);
    }

  private:
    NPU_INLINE void mac_blocks(const block_vector<TB, size_A> &a, const vector_B_type &b) {
        if constexpr (N == 8)
            data.npu_row = npu::block_product<false>(a.npu_blocks, b.npu_blocks, data.npu_row);
        else { // columns 0 to 7 and 8 to 15 of each row
            const auto left = npu::block_product<false>(a.npu_blocks, b.template extract<64>(0).npu_blocks, npu::every_other<8, false>(data.npu_row));
            const auto right = npu::block_product<false>(a.npu_blocks, b.template extract<64>(1).npu_blocks, npu::every_other<8, true>(data.npu_row));
            data.npu_row = npu::zip<8>(left, right);
        }
    }
};
} // namespace aie
