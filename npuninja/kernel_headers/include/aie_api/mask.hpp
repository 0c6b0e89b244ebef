/* aie::mask: a bit for each lane. Kept as bytes of 0 and -1, which selecting needs; bits are made when they are asked for. */
#pragma once

#include <aie_api/memory.hpp>
#include <bit>

namespace aie {
template <unsigned N> class mask {
  public:
    using row_type = npu::lanes<npu::i8, N>;
    row_type npu_row;

  private:
    /** Bits 64·I … of the mask. */
    template <unsigned I> NPU_INLINE uint64_t word() const {
        if constexpr (N < 16)
            return __builtin_wasm_bitmask_i8x16(npu::widen<16>(npu_row));
        else {
            uint64_t bits = 0;
            constexpr unsigned count = (N - I * 64 < 64 ? N - I * 64 : 64) / 16;
            [&]<unsigned... P>(npu::indices<P...>) {
                ((bits |= uint64_t(__builtin_wasm_bitmask_i8x16(npu::part<16, I * 64 + P * 16>(npu_row))) << (P * 16)), ...);
            }(npu::count_to<count>{});
            return bits;
        }
    }
    NPU_INLINE static npu::lanes<npu::i8, 8> spread(uint32_t byte) {
        const auto row = npu::splat<npu::u8, 8>(npu::u8(byte)) & npu::lanes<npu::u8, 8>{1, 2, 4, 8, 16, 32, 64, 128};
        return (npu::lanes<npu::i8, 8>)(row != 0);
    }

  public:
    static constexpr unsigned size() { return N; }
    NPU_INLINE mask() : npu_row{} {}
    NPU_INLINE explicit mask(bool all) : npu_row(all ? ~row_type{} : row_type{}) {}
    template <class W>
        requires(std::is_integral_v<W> && !std::is_same_v<W, bool>)
    NPU_INLINE explicit mask(W bits) : mask(npu_of_words(uint64_t(std::make_unsigned_t<W>(bits)))) {}
    /** An older form of `from_uint32`. */
    template <class... W>
        requires(sizeof...(W) > 0 && (std::is_integral_v<W> && ...))
    NPU_INLINE explicit mask(unsigned first, W... words) : mask(from_uint32(first, words...)) {}
    NPU_INLINE static mask of_row(row_type row) {
        mask m;
        m.npu_row = row;
        return m;
    }
    NPU_INLINE static mask npu_of_words(uint64_t low, uint64_t high = 0) {
        mask m;
        if constexpr (N < 8)
            m.npu_row = npu::part<N, 0>(spread(uint32_t(low)));
        else
            [&]<unsigned... P>(npu::indices<P...>) {
                ((m.npu_row = npu::with_part(m.npu_row, P, spread(uint32_t((P < 8 ? low >> (P % 8 * 8) : high >> (P % 8 * 8)))))), ...);
            }(npu::count_to<N / 8>{});
        return m;
    }
    template <unsigned M, class... Rest> NPU_INLINE static mask from_masks(const mask<M> &first, const Rest &...rest) {
        mask all;
        unsigned i = 0;
        all.insert(i++, first);
        (all.insert(i++, rest), ...);
        return all;
    }
    template <class... W> NPU_INLINE static constexpr mask from_uint32(W... words) {
        const uint64_t list[8] = {uint32_t(words)...};
        return npu_of_words(list[0] | list[1] << 32, list[2] | list[3] << 32);
    }
    template <class... W> NPU_INLINE static constexpr mask from_uint64(W... words) {
        const uint64_t list[4] = {uint64_t(words)...};
        return npu_of_words(list[0], list[1]);
    }
    NPU_INLINE uint64_t to_uint64(unsigned i = 0) const {
        if constexpr (N > 64)
            return i ? word<1>() : word<0>();
        else
            return word<0>();
    }
    NPU_INLINE uint32_t to_uint32(unsigned i = 0) const { return uint32_t(to_uint64(i / 2) >> (i % 2 * 32)); }

    NPU_INLINE bool test(unsigned i) const { return npu::lane(npu_row, i) != 0; }
    NPU_INLINE bool operator[](unsigned i) const { return test(i); }
    NPU_INLINE void set(unsigned i) { npu_row = npu::with_lane(npu_row, i, npu::i8(-1)); }
    NPU_INLINE void set() { npu_row = ~row_type{}; }
    NPU_INLINE void clear(unsigned i) { npu_row = npu::with_lane(npu_row, i, npu::i8(0)); }
    NPU_INLINE void clear() { npu_row = row_type{}; }
    NPU_INLINE bool empty() const { return !npu::any(npu_row); }
    NPU_INLINE bool full() const { return !npu::any(~npu_row); }
    NPU_INLINE unsigned count() const {
        unsigned n = unsigned(__builtin_popcountll(to_uint64(0)));
        if constexpr (N > 64)
            n += unsigned(__builtin_popcountll(to_uint64(1)));
        return n;
    }
    /** Zeros above the highest bit that is set. */
    NPU_INLINE unsigned clz() const {
        if constexpr (N > 64) {
            const uint64_t high = to_uint64(1);
            if (high)
                return unsigned(std::countl_zero(high));
            return 64 + unsigned(std::countl_zero(to_uint64(0)));
        } else
            return unsigned(std::countl_zero(to_uint64(0))) - (64 - N);
    }
    template <unsigned M> NPU_INLINE mask<M> extract(unsigned i) const { return mask<M>::of_row(npu::part_at<M>(npu_row, i)); }
    template <unsigned M> NPU_INLINE mask &insert(unsigned i, const mask<M> &part) {
        npu_row = npu::with_part(npu_row, i, part.npu_row);
        return *this;
    }
    template <unsigned M> NPU_INLINE mask<M> get_submask(unsigned i) const { return extract<M>(i); }
    template <unsigned M> NPU_INLINE mask<M> grow(unsigned i = 0) const {
        mask<M> result;
        return result.insert(i, *this);
    }

    friend NPU_INLINE mask operator&(const mask &a, const mask &b) { return of_row(a.npu_row & b.npu_row); }
    friend NPU_INLINE mask operator|(const mask &a, const mask &b) { return of_row(a.npu_row | b.npu_row); }
    friend NPU_INLINE mask operator^(const mask &a, const mask &b) { return of_row(a.npu_row ^ b.npu_row); }
    NPU_INLINE mask operator~() const { return of_row(~npu_row); }
    NPU_INLINE mask &operator&=(const mask &b) { return *this = *this & b; }
    NPU_INLINE mask &operator|=(const mask &b) { return *this = *this | b; }
    NPU_INLINE mask &operator<<=(unsigned n) { return *this = *this << n; }
    NPU_INLINE mask &operator>>=(unsigned n) { return *this = *this >> n; }
    NPU_INLINE mask &operator^=(const mask &b) { return *this = *this ^ b; }
    NPU_INLINE mask operator<<(unsigned n) const {
        const uint64_t low = to_uint64(0), high = N > 64 ? to_uint64(1) : 0;
        if (n >= N)
            return mask();
        if (n >= 64)
            return npu_of_words(0, low << (n - 64));
        return npu_of_words(low << n, n ? high << n | low >> (64 - n) : high);
    }
    NPU_INLINE mask operator>>(unsigned n) const {
        const uint64_t low = to_uint64(0), high = N > 64 ? to_uint64(1) : 0;
        if (n >= N)
            return mask();
        if (n >= 64)
            return npu_of_words(high >> (n - 64), 0);
        return npu_of_words(n ? low >> n | (N > 64 ? high << (64 - n) : 0) : low, high >> n);
    }
    friend NPU_INLINE bool operator==(const mask &a, const mask &b) { return !npu::any(a.npu_row ^ b.npu_row); }
};

template <unsigned N> NPU_INLINE auto concat(const mask<N> &a, const mask<N> &b) {
    return mask<2 * N>::of_row(npu::join(a.npu_row, b.npu_row));
}
} // namespace aie
