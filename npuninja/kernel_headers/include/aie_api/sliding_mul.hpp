/* Sliding products: out[l] = Σ_p coeff[cstart + p·CoeffStep] · data[dstart + l·DataStepY + p·DataStepX], indices modulo the sizes. */
#pragma once

#include <aie_api/mul.hpp>

namespace aie {
/** How the second half of the coefficients follows from the first. */
enum class npu_symmetry { none, even, odd };

template <unsigned Lanes, unsigned Points, int CoeffStep, int DataStepX, int DataStepY, class TC, class TD, class Tag,
          npu_symmetry Symmetry = npu_symmetry::none>
struct npu_sliding_mul {
    using coeff_type = type_for<TC>;
    using data_type = type_for<TD>;
    using tag = npu_product_tag<Tag, coeff_type, data_type>;
    using accum_type = accum<tag, Lanes>;
    static constexpr unsigned lanes = Lanes, points = Points;
    static constexpr unsigned num_lanes = Lanes;
    static constexpr unsigned columns_per_mul = Points;

    template <bool HasC, bool Negative, class C, class D>
    NPU_INLINE static accum_type run(accum_type acc, const C &coeff, unsigned cstart, const D &data, unsigned dstart) {
        constexpr unsigned nd = D::size(), nc = C::size();
        using Word = typename npu::element<data_type>::word;
        // Twice in a row, so that a window that wraps is one load.
        Word *place = (Word *)npu::registers::work;
        npu::store(place, data.words());
        npu::store(place + nd, data.words());
        for (unsigned p = 0; p < Points; p++) {
            const unsigned q = Symmetry != npu_symmetry::none && p >= (Points + 1) / 2 ? Points - 1 - p : p;
            const auto c = coeff.get((cstart + unsigned(int(q) * CoeffStep)) % nc);
            const auto window = npu::load<npu::lanes<Word, nd>>(place + (dstart + unsigned(int(p) * DataStepX)) % nd);
            const auto x = vector<data_type, Lanes>::of_words(
                npu::pick<Lanes>(window, [](unsigned l) constexpr { return (l * unsigned(DataStepY)) % nd; }));
            const bool minus = Negative != (Symmetry == npu_symmetry::odd && q != p);
            acc = minus ? msc(acc, x, c) : mac(acc, x, c);
        }
        return acc;
    }
    template <class C, class D>
    NPU_INLINE static accum_type mul(const C &coeff, unsigned cstart, const D &data, unsigned dstart) {
        return run<false, false>(accum_type(), coeff, cstart, data, dstart);
    }
    template <class C, class D>
    NPU_INLINE static accum_type negmul(const C &coeff, unsigned cstart, const D &data, unsigned dstart) {
        return run<false, true>(accum_type(), coeff, cstart, data, dstart);
    }
    template <class A, class C, class D>
    NPU_INLINE static accum_type mac(const A &acc, const C &coeff, unsigned cstart, const D &data, unsigned dstart) {
        return run<true, false>(accum_type(acc), coeff, cstart, data, dstart);
    }
    template <class A, class C, class D>
    NPU_INLINE static accum_type msc(const A &acc, const C &coeff, unsigned cstart, const D &data, unsigned dstart) {
        return run<true, true>(accum_type(acc), coeff, cstart, data, dstart);
    }

  private:
    template <class A, class X, class C> NPU_INLINE static accum_type mac(const A &acc, const X &x, const C &c) {
        return aie::mac(acc, c, x); // in this order, which floats show
    }
    template <class A, class X, class C> NPU_INLINE static accum_type msc(const A &acc, const X &x, const C &c) {
        return aie::msc(acc, c, x);
    }
};

template <unsigned Lanes, unsigned Points, int CoeffStep, int DataStepX, int DataStepY, class TC, class TD, class Tag = accauto>
using sliding_mul_ops = npu_sliding_mul<Lanes, Points, CoeffStep, DataStepX, DataStepY, TC, TD, Tag>;
template <unsigned Lanes, unsigned Points, int CoeffStep, int DataStepX, class TC, class TD, class Tag = accauto>
using sliding_mul_x_ops = npu_sliding_mul<Lanes, Points, CoeffStep, DataStepX, 1, TC, TD, Tag>;
template <unsigned Lanes, unsigned Points, int CoeffStep, int DataStepY, class TC, class TD, class Tag = accauto>
using sliding_mul_y_ops = npu_sliding_mul<Lanes, Points, CoeffStep, 1, DataStepY, TC, TD, Tag>;
template <unsigned Lanes, unsigned Points, int CoeffStep, int DataStepXY, class TC, class TD, class Tag = accauto>
using sliding_mul_xy_ops = npu_sliding_mul<Lanes, Points, CoeffStep, DataStepXY, DataStepXY, TC, TD, Tag>;
template <unsigned Lanes, unsigned Points, int CoeffStep, int DataStepX, int DataStepY, class TC, class TD, class Tag = accauto>
using sliding_mul_sym_ops = npu_sliding_mul<Lanes, Points, CoeffStep, DataStepX, DataStepY, TC, TD, Tag, npu_symmetry::even>;
template <unsigned Lanes, unsigned Points, int CoeffStep, int DataStepXY, class TC, class TD, class Tag = accauto>
using sliding_mul_sym_xy_ops = npu_sliding_mul<Lanes, Points, CoeffStep, DataStepXY, DataStepXY, TC, TD, Tag, npu_symmetry::even>;
template <unsigned Lanes, unsigned Points, int CoeffStep, int DataStepX, int DataStepY, class TC, class TD, class Tag = accauto>
using sliding_mul_antisym_ops = npu_sliding_mul<Lanes, Points, CoeffStep, DataStepX, DataStepY, TC, TD, Tag, npu_symmetry::odd>;

#define NPU_SLIDING(name, ops)                                                                                                    \
    template <unsigned Lanes, unsigned Points, int CoeffStep = 1, int DataStepX = 1, int DataStepY = DataStepX, class Tag = accauto, class TC, \
              unsigned NC, class TD, unsigned ND>                                                                                 \
    NPU_INLINE auto sliding_mul##name(const vector<TC, NC> &c, unsigned cstart, const vector<TD, ND> &d, unsigned dstart) {       \
        return ops<Lanes, Points, CoeffStep, DataStepX, DataStepY, TC, TD, Tag>::mul(c, cstart, d, dstart);                       \
    }                                                                                                                             \
    template <unsigned Lanes, unsigned Points, int CoeffStep = 1, int DataStepX = 1, int DataStepY = DataStepX, class Tag, class TC, \
              unsigned NC, class TD, unsigned ND>                                                                                 \
    NPU_INLINE auto sliding_mac##name(const accum<Tag, Lanes> &acc, const vector<TC, NC> &c, unsigned cstart,                     \
                                      const vector<TD, ND> &d, unsigned dstart) {                                                 \
        return ops<Lanes, Points, CoeffStep, DataStepX, DataStepY, TC, TD, Tag>::mac(acc, c, cstart, d, dstart);                  \
    }
NPU_SLIDING(, sliding_mul_ops)
NPU_SLIDING(_sym, sliding_mul_sym_ops)
NPU_SLIDING(_antisym, sliding_mul_antisym_ops)
#undef NPU_SLIDING

/** Sliding products of channels that lie side by side: out[l] = Σ_p coeff[(cstart + p)·C + l mod C] · data[(dstart + p)·C + l], indices
 * modulo the sizes. */
template <unsigned Outputs, unsigned Channels, unsigned Points, int CoeffStep, int DataStepX, int DataStepY, class TC, class TD,
          class Tag = accauto>
struct sliding_mul_ch_ops {
    using coeff_type = type_for<TC>;
    using data_type = type_for<TD>;
    static_assert(CoeffStep == 1 && DataStepX == 1 && DataStepY == 1, "aie::sliding_mul_ch_ops: the API has steps of 1 only");
    static_assert(sizeof(coeff_type) == sizeof(data_type) && !npu::element<coeff_type>::is_float &&
                      ((sizeof(coeff_type) == 1 && (Channels == 8 || (Channels == 4 && __AIE_ARCH__ == 20))) ||
                       (sizeof(coeff_type) == 2 && Channels == 8 && __AIE_ARCH__ >= 21)),
                  "aie::sliding_mul_ch_ops: the API has 8 bits in 4 (AIE2) or 8 channels, on AIE2P 16 bits in 8");
    using tag = std::conditional_t<!std::is_same_v<Tag, accauto>, Tag, std::conditional_t<sizeof(coeff_type) == 1, acc32, acc64>>;
    static constexpr unsigned Lanes = Outputs * Channels, lanes = Lanes, points = Points;
    using accum_type = accum<tag, Lanes>;

    template <class C, class D>
    NPU_INLINE static accum_type mul(const C &coeff, unsigned cstart, const D &data, unsigned dstart) {
        return run<false>(accum_type(), coeff, cstart, data, dstart);
    }
    template <class C, class D>
    NPU_INLINE static accum_type negmul(const C &coeff, unsigned cstart, const D &data, unsigned dstart) {
        return run<true>(accum_type(), coeff, cstart, data, dstart);
    }
    template <class A, class C, class D>
    NPU_INLINE static accum_type mac(const A &acc, const C &coeff, unsigned cstart, const D &data, unsigned dstart) {
        return run<false>(accum_type(acc), coeff, cstart, data, dstart);
    }

  private:
    template <bool Negative, class C, class D>
    NPU_INLINE static accum_type run(accum_type acc, const C &coeff, unsigned cstart, const D &data, unsigned dstart) {
        constexpr unsigned nc = C::size(), nd = D::size();
        auto *coeffs = (coeff_type *)npu::registers::work;
        auto *samples = (data_type *)(npu::registers::work + 4096);
        npu::store(coeffs, coeff.npu_row);
        for (unsigned i = 0; i < nd + Lanes; i += nd) // as often as a window that wraps needs
            npu::store(samples + i, data.npu_row);
        for (unsigned p = 0; p < Points; p++) {
            const auto c = load_unaligned_v<Channels>(coeffs + (cstart + p) * Channels % nc).template grow_replicate<Lanes>();
            const auto x = load_unaligned_v<Lanes>(samples + (dstart + p) * Channels % nd);
            acc = Negative ? aie::msc(acc, x, c) : aie::mac(acc, x, c);
        }
        return acc;
    }
};
template <unsigned Outputs, unsigned Channels, unsigned Points, int CoeffStep, int DataStepX, class TC, class TD, class Tag = accauto>
using sliding_mul_ch_x_ops = sliding_mul_ch_ops<Outputs, Channels, Points, CoeffStep, DataStepX, 1, TC, TD, Tag>;
template <unsigned Outputs, unsigned Channels, unsigned Points, int CoeffStep, int DataStepY, class TC, class TD, class Tag = accauto>
using sliding_mul_ch_y_ops = sliding_mul_ch_ops<Outputs, Channels, Points, CoeffStep, 1, DataStepY, TC, TD, Tag>;
template <unsigned Outputs, unsigned Channels, unsigned Points, int CoeffStep, int DataStepXY, class TC, class TD, class Tag = accauto>
using sliding_mul_ch_xy_ops = sliding_mul_ch_ops<Outputs, Channels, Points, CoeffStep, DataStepXY, DataStepXY, TC, TD, Tag>;
template <unsigned Outputs, unsigned Channels, unsigned Points, int CoeffStep = 1, int DataStepX = 1, int DataStepY = DataStepX,
          class Tag = accauto, class TC, unsigned NC, class TD, unsigned ND>
NPU_INLINE auto sliding_mul_ch(const vector<TC, NC> &c, unsigned cstart, const vector<TD, ND> &d, unsigned dstart) {
    return sliding_mul_ch_ops<Outputs, Channels, Points, CoeffStep, DataStepX, DataStepY, TC, TD, Tag>::mul(c, cstart, d, dstart);
}
template <unsigned Outputs, unsigned Channels, unsigned Points, int CoeffStep = 1, int DataStepX = 1, int DataStepY = DataStepX, class Tag,
          class TC, unsigned NC, class TD, unsigned ND>
NPU_INLINE auto sliding_mac_ch(const accum<Tag, Outputs * Channels> &acc, const vector<TC, NC> &c, unsigned cstart,
                               const vector<TD, ND> &d, unsigned dstart) {
    return sliding_mul_ch_ops<Outputs, Channels, Points, CoeffStep, DataStepX, DataStepY, TC, TD, Tag>::mac(acc, c, cstart, d, dstart);
}
} // namespace aie
