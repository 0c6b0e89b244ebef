/* aie::accum: N lanes of an accumulator; and how vectors get in and out of it. */
#pragma once

#include <aie_api/vector.hpp>
#include <npu/float_steps.h>

namespace aie {
namespace npu_detail {
/** Rows of any real element as rows of an accumulator's lane type. */
template <class Lane, class T, class V> NPU_INLINE auto to_lanes(V row) {
    if constexpr (std::is_same_v<T, bfloat16> || std::is_same_v<T, npu::complex<bfloat16>>)
        return npu::bf16_rows_to_float(row);
    else if constexpr (npu::element<T>::bits == 4)
        return npu::convert<Lane>(npu::nibbles_to_bytes<npu::element<T>::is_signed>(row));
    else
        return npu::convert<Lane>(row);
}
template <class T> inline constexpr bool is_bf16 = std::is_same_v<T, bfloat16> || std::is_same_v<T, cbfloat16>;
#if __AIE_ARCH__ >= 21
template <class T> inline constexpr bool is_block_float = std::is_same_v<T, bfp16ebs8> || std::is_same_v<T, bfp16ebs16>;
#else
template <class T> inline constexpr bool is_block_float = false;
#endif
} // namespace npu_detail
template <class T, unsigned N> class block_vector;

template <class Tag, unsigned N> class accum {
  public:
    using value_type = Tag;
    using tag = Tag;
    using lane_type = npu::accumulator_lane<Tag>;
    using row_type = npu::accumulator_row<Tag, N>;
    using native_type = npu_native::accumulator<Tag, N>;
    using storage_t = native_type;
    row_type npu_row;

    static constexpr unsigned size() { return N; }
    static constexpr unsigned value_bits() { return Tag::bits; }
    static constexpr unsigned memory_bits() { return sizeof(lane_type) * 8; }
    static constexpr unsigned bits() { return sizeof(row_type) * 8; }
    static constexpr unsigned accum_bits() { return Tag::bits; }
    static constexpr bool is_complex() { return Tag::is_complex; }
    static constexpr bool is_real() { return !Tag::is_complex; }
    static constexpr bool is_floating_point() { return Tag::is_float; }
    static constexpr bool is_integral() { return !Tag::is_float; }

    NPU_INLINE accum() : npu_row{} {}
    NPU_INLINE static accum of_row(row_type row) {
        accum a;
        a.npu_row = row;
        return a;
    }
    NPU_INLINE accum(const native_type &v) : npu_row(v.npu_row) {}
    template <class Other>
        requires(std::is_same_v<npu::accumulator_row<Other, N>, row_type> && Other::is_complex == Tag::is_complex)
    NPU_INLINE accum(const npu_native::accumulator<Other, N> &v) : npu_row(v.npu_row) {}
    /** From a tag of the same lanes. */
    template <class Other>
        requires(!std::is_same_v<Other, Tag> && std::is_same_v<npu::accumulator_row<Other, N>, row_type>)
    NPU_INLINE accum(const accum<Other, N> &other) : npu_row(other.npu_row) {}
    template <class T> NPU_INLINE explicit accum(const vector<T, N> &v) : npu_row{} { from_vector(v); }
    template <class T> NPU_INLINE explicit accum(const vector<T, N> &v, int shift) : npu_row{} { from_vector(v, shift); }
    template <class B>
        requires(requires(const B &b) { b.npu_to_float_row(); })
    NPU_INLINE explicit accum(const B &block) : npu_row(block.npu_to_float_row()) {}
    /** A row of floats keeps its bits in an accumulator of integers. */
    template <class T> NPU_INLINE accum &operator=(const vector<T, N> &v) {
        if constexpr (npu::element<T>::is_float && !Tag::is_float) {
            static_assert(sizeof(lane_type) == 4, "aie::accum: floats do not fit this accumulator");
            if constexpr (npu_detail::is_bf16<T>)
                npu_row = (row_type)npu::bf16_rows_to_float(v.npu_row);
            else
                npu_row = (row_type)v.npu_row;
        } else
            from_vector(v);
        return *this;
    }
    NPU_INLINE native_type to_native() const { return native_type(npu_row); }
    NPU_INLINE operator native_type() const { return to_native(); }
    NPU_INLINE operator vector<float, N>() const
        requires(Tag::is_float && !Tag::is_complex)
    {
        return to_vector<float>();
    }
    NPU_INLINE operator vector<bfloat16, N>() const
        requires(Tag::is_float && !Tag::is_complex)
    {
        return to_vector<bfloat16>();
    }
    NPU_INLINE operator vector<cfloat, N>() const
        requires(Tag::is_float && Tag::is_complex)
    {
        return to_vector<cfloat>();
    }

    /* Most kernels shift neither on the way in nor out: a compiler need not read what shifting takes. */
    template <class T> NPU_INLINE void from_vector(const vector<T, N> &v) {
        if constexpr (!Tag::is_float && !Tag::is_complex && !npu::element<T>::is_float && !npu::element<T>::is_complex)
            npu_row = npu_detail::to_lanes<lane_type, T>(v.npu_row);
        else
            from_vector(v, 0);
    }
    template <class T> NPU_INLINE void from_vector(const vector<T, N> &v, int shift) {
        static_assert(npu::element<T>::is_float == Tag::is_float, "aie::accum: floats go into accfloat, integers into the others");
        if constexpr (npu::element<T>::is_complex == Tag::is_complex) {
            if constexpr (Tag::is_float)
                npu_row = npu_detail::to_lanes<float, T>(v.npu_row);
            else if constexpr (npu::element<T>::bits == 4)
                npu_row = npu::ups<lane_type>(npu::nibbles_to_bytes<npu::element<T>::is_signed>(v.npu_row), shift);
            else
                npu_row = npu::ups<lane_type>(v.npu_row, shift);
        } else {
            const auto real = accum<std::conditional_t<Tag::is_float, accfloat, std::conditional_t<(Tag::bits > 32), acc64, acc32>>, N>(
                v, shift);
            npu_row = npu::zip<1>(real.npu_row, decltype(real.npu_row){});
        }
    }
    template <class T> NPU_INLINE void from_vector_sign(const vector<T, N> &v, bool sign, int shift = 0) {
        using L = typename npu::element<T>::lane;
        npu_row = sign ? npu::ups<lane_type>(npu::bits_as<npu::integer<L, true>>(v.npu_row), shift)
                       : npu::ups<lane_type>(npu::bits_as<npu::integer<L, false>>(v.npu_row), shift);
    }

    /** Narrowed to elements T: shifted, rounded and limited by the modes. Without T: the float or integer as wide as the lanes. */
    template <class T> NPU_INLINE auto to_vector() const { return npu_narrowed<T, false>(0); }
    template <class T> NPU_INLINE auto to_vector(int shift) const { return npu_narrowed<T, true>(shift); }
    template <class T, bool Shifts> NPU_INLINE auto npu_narrowed(int shift) const {
        if constexpr (npu_detail::is_block_float<T>)
            return block_vector<T, N>::npu_from_float_row(npu_row);
        else {
            using E = type_for<T>;
            static_assert(npu::element<E>::is_complex == Tag::is_complex, "aie::accum::to_vector: real and complex differ");
            using R = vector<E, N>;
            if constexpr (Tag::is_float) {
                static_assert(npu::element<E>::is_float, "aie::accum::to_vector: accfloat gives float or bfloat16 (see aie::to_fixed)");
                if constexpr (npu_detail::is_bf16<E>)
                    return R::of_row(npu::float_rows_to_bf16(npu_row));
                else
                    return R::of_row(npu_row);
            } else if constexpr (npu::element<E>::is_float) {
                static_assert(sizeof(lane_type) == 4, "aie::accum::to_vector: floats come from accumulators of 32 bits");
                if constexpr (npu_detail::is_bf16<E>)
                    return R::of_row(npu::float_rows_to_bf16((npu::lanes<float, sizeof(row_type) / 4>)npu_row));
                else
                    return R::of_row((typename R::row_type)npu_row);
            } else if constexpr (npu::element<E>::bits == 4) {
                return accum(*this).template to_vector<std::conditional_t<npu::element<E>::is_signed, int8, uint8>>(shift).template pack<E>();
            } else if constexpr (Shifts)
                return R::of_row(npu::srs<typename npu::element<E>::lane>(npu_row, shift));
            else
                return R::of_row(npu::limited<typename npu::element<E>::lane>(npu_row));
        }
    }
    NPU_INLINE auto to_vector(int shift = 0) const
        requires(Tag::is_float)
    {
        return to_vector<std::conditional_t<Tag::is_complex, cfloat, float>>(shift);
    }
    template <class T> NPU_INLINE vector<T, N> to_vector_sign(bool sign, int shift = 0) const {
        using L = typename npu::element<T>::lane;
        using R = vector<T, N>;
        return sign ? R::of_row((typename R::row_type)npu::srs<npu::integer<L, true>>(npu_row, shift))
                    : R::of_row((typename R::row_type)npu::srs<npu::integer<L, false>>(npu_row, shift));
    }

    template <unsigned M> NPU_INLINE accum<Tag, M> extract(unsigned i) const {
        return accum<Tag, M>::of_row(npu::part_at<M *(is_complex() ? 2 : 1)>(npu_row, i));
    }
    template <unsigned M> NPU_INLINE accum &insert(unsigned i, const accum<Tag, M> &part) {
        npu_row = npu::with_part(npu_row, i, part.npu_row);
        return *this;
    }
    template <unsigned M> NPU_INLINE accum<Tag, M> grow(unsigned i = 0) const {
        accum<Tag, M> result;
        return result.insert(i, *this);
    }
    template <unsigned M> NPU_INLINE accum<Tag, M> grow_replicate() const {
        constexpr unsigned n = N * (is_complex() ? 2 : 1);
        return accum<Tag, M>::of_row(npu::pick<M * n / N>(npu_row, [](unsigned i) constexpr { return i % n; }));
    }
    template <unsigned M> NPU_INLINE accum<Tag, M> grow_extract(unsigned i) const {
        if constexpr (M > N)
            return grow<M>();
        else
            return extract<M>(i);
    }
    template <class Other> NPU_INLINE auto cast_to() const {
        constexpr unsigned m = sizeof(row_type) / sizeof(npu::accumulator_row<Other, 1>);
        return accum<Other, m>::of_row((npu::accumulator_row<Other, m>)npu_row);
    }
};

namespace npu_detail {
template <class T> struct tag_of_element { using type = acc32; };
template <> struct tag_of_element<int> { using type = acc64; };
template <> struct tag_of_element<unsigned> { using type = acc64; };
template <> struct tag_of_element<float> { using type = accfloat; };
template <> struct tag_of_element<bfloat16> { using type = accfloat; };
template <> struct tag_of_element<cint16> { using type = cacc64; };
template <> struct tag_of_element<cint32> { using type = cacc64; };
template <> struct tag_of_element<cfloat> { using type = caccfloat; };
template <> struct tag_of_element<cbfloat16> { using type = caccfloat; };

/** The accumulator of a product of two elements when nothing else is asked for. */
template <class A, class B> struct tag_of_product {
    static constexpr unsigned a = npu::element<A>::bits / (npu::element<A>::is_complex ? 2 : 1);
    static constexpr unsigned b = npu::element<B>::bits / (npu::element<B>::is_complex ? 2 : 1);
    static constexpr bool is_complex = npu::element<A>::is_complex || npu::element<B>::is_complex;
    static constexpr bool is_float = npu::element<A>::is_float || npu::element<B>::is_float;
    using integer = std::conditional_t<(a + b <= 32), acc32, std::conditional_t<(a + b <= 48), acc48, acc64>>;
    using complex_integer = std::conditional_t<(a + b <= 48), cacc48, cacc64>;
    using type = std::conditional_t<is_float, std::conditional_t<is_complex, caccfloat, accfloat>,
                                    std::conditional_t<is_complex, complex_integer, integer>>;
};
/** A tag of another kind than the product's says how wide the accumulator is, nothing else: mmul<4, 8, 8, int8, int8, accfloat> has
 * integers of 32 bits. */
template <class Tag, class A, class B> struct tag_or_default {
    using usual = typename tag_of_product<A, B>::type;
    using widest = std::conditional_t<usual::is_complex, cacc64, acc64>;
    using narrow = std::conditional_t<usual::is_complex, usual, acc32>;
    using by_width = std::conditional_t<usual::is_float, usual, std::conditional_t<(Tag::bits > 32), widest, narrow>>;
    using type = std::conditional_t<(Tag::is_float == usual::is_float && Tag::is_complex == usual::is_complex), Tag, by_width>;
};
template <class A, class B> struct tag_or_default<accauto, A, B> { using type = typename tag_of_product<A, B>::type; };
} // namespace npu_detail
template <class T> using accum_tag_for_type = typename npu_detail::tag_of_element<T>::type;
template <class Tag, class A, class B> using npu_product_tag = typename npu_detail::tag_or_default<Tag, A, B>::type;

template <class Tag, class T, unsigned N> NPU_INLINE accum<Tag, N> from_vector(const vector<T, N> &v, int shift = 0) {
    return accum<Tag, N>(v, shift);
}
template <class T, class Tag, unsigned N> NPU_INLINE auto to_vector(const accum<Tag, N> &a, int shift = 0) {
    return a.template to_vector<T>(shift);
}

template <class Tag, unsigned N> accum(npu_native::accumulator<Tag, N>) -> accum<Tag, N>;
template <class T, unsigned N> accum(const vector<T, N> &, int) -> accum<accum_tag_for_type<T>, N>;
} // namespace aie
