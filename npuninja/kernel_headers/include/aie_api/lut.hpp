/* Look-up tables: aie::lut, parallel_lookup, linear_approx. */
#pragma once

#include <aie_api/elementary.hpp>

namespace aie {
enum class lut_oor_policy { saturate, truncate };

/** n entries in memory. With four parallel accesses every 16 bytes of the table come twice in a row, and `cd` holds the same as `ab`. */
template <unsigned ParallelAccesses, class OffsetType, class SlopeType = OffsetType> struct lut {
    unsigned LUT_elems_;
    const void *LUT_ab_;
    const void *LUT_cd_;
    NPU_INLINE lut(unsigned n, const void *ab, const void *cd = nullptr) : LUT_elems_(n), LUT_ab_(ab), LUT_cd_(cd) {}
};

namespace npu_detail {
/** Where entry i of `bytes` bytes lies in a table. */
template <unsigned Parallel> NPU_INLINE unsigned table_byte(unsigned i, unsigned bytes) {
    const unsigned at = i * bytes;
    return Parallel == 1 ? at : at / 16 * 32 + at % 16;
}
/** Entries of a table by N indices, each of `Bytes` bytes as Word. */
template <class Word, unsigned Parallel, unsigned Bytes, class Index>
NPU_INLINE auto gather(const void *table, Index index, unsigned offset = 0) {
    constexpr unsigned N = sizeof(Index) / 4;
    npu::i32 *at = (npu::i32 *)npu::registers::index_a;
    Word *out = (Word *)npu::registers::work;
    npu::store(at, index);
    for (unsigned i = 0; i < N; i++)
        out[i] = *(const Word *)((const char *)table + table_byte<Parallel>(unsigned(at[i]), Bytes) + offset);
    return npu::load<npu::lanes<Word, N>>(out);
}
} // namespace npu_detail

template <class T, class Lut, lut_oor_policy Policy = lut_oor_policy::saturate> class parallel_lookup;
template <class T, unsigned P, class TO, class TS, lut_oor_policy Policy> class parallel_lookup<T, lut<P, TO, TS>, Policy> {
    lut<P, TO, TS> table_;
    int shift_, bias_;
    /* The shift stops short of the index by as many bits as an entry's place in the doubled table has; they are dropped. */
    static constexpr unsigned entry_bytes = sizeof(TO) < 2 ? 2 : sizeof(TO);
    static constexpr int kept_bits = entry_bytes == 2 ? 2 : entry_bytes == 4 ? 3 : 4;

  public:
    NPU_INLINE parallel_lookup(const lut<P, TO, TS> &table, unsigned step_bits = 0, unsigned bias = 0)
        : table_(table), shift_(int(step_bits) - kept_bits), bias_(int(bias)) {}
    template <class V, unsigned N = V::size()> NPU_INLINE auto fetch(const V &v) {
        constexpr unsigned n = V::size();
        auto index = npu::srs<npu::i32>(npu::convert<npu::i64>(v.npu_row), shift_) >> kept_bits;
        const int count = int(table_.LUT_elems_);
        index += npu::splat<npu::i32, n>(bias_);
        if constexpr (Policy == lut_oor_policy::truncate)
            index &= npu::splat<npu::i32, n>(count - 1);
        else
            index = npu::lower(npu::higher(index, npu::splat<npu::i32, n>(0)), npu::splat<npu::i32, n>(count - 1));
        using Word = typename npu::element<TO>::word;
        const auto words = npu_detail::gather<Word, P, entry_bytes>(table_.LUT_ab_, index);
        return vector<TO, n>::of_words(words).template extract<N>(0);
    }
    template <unsigned N, class V> NPU_INLINE auto fetch(const V &v) { return fetch<V, N>(v); }
};

/** slope · x + offset, with a slope and an offset for each range of x. */
template <class T, class Lut> class linear_approx;
template <class T, unsigned P, class TO, class TS> class linear_approx<T, lut<P, TO, TS>> {
    lut<P, TO, TS> table_;
    int step_bits_, bias_, shift_;

    template <unsigned N> NPU_INLINE auto limited(npu::lanes<npu::i32, N> index) const {
        const int last = int(table_.LUT_elems_) - 1;
        return npu::lower(npu::higher(index, npu::splat<npu::i32, N>(0)), npu::splat<npu::i32, N>(last));
    }

  public:
    NPU_INLINE linear_approx(const lut<P, TO, TS> &table, int step_bits, int bias = 0, int shift_offset = 0)
        : table_(table), step_bits_(step_bits), bias_(bias), shift_(shift_offset) {}
    template <unsigned N> NPU_INLINE auto compute(const vector<T, N> &v) {
        using namespace npu_detail;
        if constexpr (is_bf16<T> || std::is_same_v<T, float>) {
            using F = npu::lanes<float, N>;
            const F x = to_lanes<float, T>(v.npu_row);
            const auto index = limited<N>(npu::floats_to_integers(x, -step_bits_) + npu::splat<npu::i32, N>(bias_));
            // Two words an entry: the slope as the upper half of the first, the offset a float (or a bfloat16 likewise).
            const auto slope = gather<npu::u32, P, 8>(table_.LUT_ab_, index);
            const F offset = (F)gather<npu::u32, P, 8>(table_.LUT_ab_, index, 4);
            if constexpr (std::is_same_v<TS, float> && !is_bf16<T>)
                return accum<accfloat, N>::of_row(npu::emulated_multiply_add<true, false>(offset, (F)slope, x));
            else
                return accum<accfloat, N>::of_row(npu::multiply_add(offset, (F)(slope & 0xffff0000), x));
        } else {
            using Tag = std::conditional_t<(sizeof(T) == 1), acc32, acc64>;
            using L = npu::accumulator_lane<Tag>;
            const auto wide = npu::convert<npu::i32>(v.npu_row);
            const auto rest = wide & npu::splat<npu::i32, N>((1 << step_bits_) - 1);
            const auto index = limited<N>((wide >> npu::splat<npu::i32, N>(step_bits_)) + npu::splat<npu::i32, N>(bias_));
            const auto slope = gather<TO, P, 2 * sizeof(TO)>(table_.LUT_ab_, index);
            const auto offset = gather<TO, P, 2 * sizeof(TO)>(table_.LUT_ab_, index, sizeof(TO));
            return accum<Tag, N>::of_row(npu::ups<L>(offset, shift_) + npu::convert<L>(slope) * npu::convert<L>(rest));
        }
    }
};
} // namespace aie
