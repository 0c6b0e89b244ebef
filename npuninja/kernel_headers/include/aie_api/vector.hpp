/* aie::vector: N elements in a register. */
#pragma once

#if __clang_major__ < 17
#error "the AIE API needs clang 17 or newer for emulated cores; the ziglang wheel has one"
#endif
#ifndef __AIE_ARCH__
#error "the AIE API differs between AIE2 and AIE2P: compile with --architecture aie2 or aie2p"
#endif

#include <npu/native.h>
#include <npu/rounding.h>
#include <tuple>

namespace aie {
using npu::rounding_mode;
using npu::saturation_mode;

/** What a vector in memory is aligned to. */
inline constexpr unsigned vector_decl_align = __AIE_ARCH__ >= 21 ? 64 : 32;
inline constexpr unsigned vector_ldst_align_v_default = vector_decl_align;
/** How far accumulators are shifted at most. */
inline constexpr int max_shift = 59, min_shift = -4;

using ::accauto;
enum class aie_dm_resource { none, a, b, c, d, ab, ac, ad, bc, bd, cd, stack };

template <class T> using type_for = typename npu::canonical<__remove_cv(T)>::type;
template <class T> concept ElemBaseType = npu::is_element<type_for<T>>;
/** Elements of a vector of 512 bits. */
template <class T> inline constexpr unsigned native_vector_length_v = 512 / npu::element<type_for<T>>::bits;

template <class T, unsigned N = native_vector_length_v<T>> class vector;
template <class Tag, unsigned N> class accum;

/** A lane of a vector that can be assigned to, and stands for its value elsewhere. */
template <class V> class vector_elem_ref {
    V &parent_;
    unsigned index_;

  public:
    using value_type = typename V::value_type;
    NPU_INLINE vector_elem_ref(V &parent, unsigned index) : parent_(parent), index_(index) {}
    vector_elem_ref(const vector_elem_ref &) = default;
    NPU_INLINE value_type get() const { return parent_.get(index_); }
    NPU_INLINE operator value_type() const { return get(); }
    /** A bfloat16 is a number to the compiler of an NPU, which becomes a float without being asked. */
    NPU_INLINE operator float() const
        requires(std::is_same_v<value_type, bfloat16>)
    {
        return float(get());
    }
    NPU_INLINE const vector_elem_ref &operator=(value_type x) const {
        parent_.set(x, index_);
        return *this;
    }
    NPU_INLINE const vector_elem_ref &operator=(const vector_elem_ref &other) const { return *this = other.get(); }
    template <class U> NPU_INLINE const vector_elem_ref &operator+=(U x) const { return *this = value_type(get() + x); }
    template <class U> NPU_INLINE const vector_elem_ref &operator-=(U x) const { return *this = value_type(get() - x); }
    template <class U> NPU_INLINE const vector_elem_ref &operator*=(U x) const { return *this = value_type(get() * x); }
};
template <class V> class vector_elem_const_ref {
    const V &parent_;
    unsigned index_;

  public:
    using value_type = typename V::value_type;
    NPU_INLINE vector_elem_const_ref(const V &parent, unsigned index) : parent_(parent), index_(index) {}
    NPU_INLINE value_type get() const { return parent_.get(index_); }
    NPU_INLINE operator value_type() const { return get(); }
    /** A bfloat16 is a number to the compiler of an NPU, which becomes a float without being asked. */
    NPU_INLINE operator float() const
        requires(std::is_same_v<value_type, bfloat16>)
    {
        return float(get());
    }
};

namespace npu_detail {
template <class T, bool Wider> struct other_width { using type = void; };
template <> struct other_width<int8, true> { using type = int16; };
template <> struct other_width<uint8, true> { using type = uint16; };
template <> struct other_width<int16, true> { using type = int; };
template <> struct other_width<uint16, true> { using type = unsigned; };
template <> struct other_width<int4, true> { using type = int8; };
template <> struct other_width<uint4, true> { using type = uint8; };
template <> struct other_width<int16, false> { using type = int8; };
template <> struct other_width<uint16, false> { using type = uint8; };
template <> struct other_width<int, false> { using type = int16; };
template <> struct other_width<unsigned, false> { using type = uint16; };
template <> struct other_width<int8, false> { using type = int4; };
template <> struct other_width<uint8, false> { using type = uint4; };
} // namespace npu_detail

template <class T, unsigned N> class vector {
    static_assert(npu::is_element<T>, "aie::vector: no such element type");
    static_assert(N * npu::element<T>::bits >= 32 && (N & (N - 1)) == 0, "aie::vector: no vector of this size");

  public:
    using value_type = T;
    using lane_type = typename npu::element<T>::lane;
    using row_type = npu::row_for<T, N>;
    using word_row = npu::words_for<T, N>;
    using native_type = npu::native<T, N>;
    using storage_t = native_type;
    row_type npu_row;

    static constexpr unsigned size() { return N; }
    static constexpr unsigned bits() { return N * npu::element<T>::bits; }
    static constexpr unsigned bytes() { return bits() / 8; }
    static constexpr unsigned type_bits() { return npu::element<T>::bits; }
    static constexpr bool is_signed() { return npu::element<T>::is_signed; }
    static constexpr bool is_complex() { return npu::element<T>::is_complex; }
    static constexpr bool is_real() { return !is_complex(); }
    static constexpr bool is_integral() { return !npu::element<T>::is_float; }
    static constexpr bool is_floating_point() { return npu::element<T>::is_float; }

    NPU_INLINE vector() : npu_row{} {}
    NPU_INLINE vector(const native_type &v) : npu_row(npu::row_of_native<T, N>(v)) {}
    /** The row itself, where it is no native type. */
    NPU_INLINE static vector of_row(row_type row) {
        vector v;
        v.npu_row = row;
        return v;
    }
    NPU_INLINE static vector of_words(word_row words) { return of_row((row_type)words); }
    template <class... Values>
        requires(sizeof...(Values) < N && (std::is_convertible_v<Values, T> && ...))
    NPU_INLINE explicit vector(T first, Values... values) : npu_row{} {
        unsigned i = 0;
        set(first, i++);
        (set(T(values), i++), ...);
    }
    NPU_INLINE native_type to_native() const {
        if constexpr (std::is_arithmetic_v<T>)
            return npu_row;
        else
            return native_type(npu_row);
    }
    NPU_INLINE operator native_type() const { return to_native(); }
    NPU_INLINE word_row words() const { return (word_row)npu_row; }

    NPU_INLINE T get(unsigned i) const {
        if constexpr (type_bits() == 4)
            return T(int(npu::lane(npu_row, i / 2) >> (i % 2 * 4)));
        else
            return npu::element<T>::of_word(npu::lane(words(), i));
    }
    NPU_INLINE void set(T x, unsigned i) {
        if constexpr (type_bits() == 4) {
            const unsigned old = npu::lane(npu_row, i / 2), shift = i % 2 * 4;
            npu_row = npu::with_lane(npu_row, i / 2, npu::u8((old & ~(15u << shift)) | (unsigned(x.npu_bits & 15) << shift)));
        } else
            npu_row = (row_type)npu::with_lane(words(), i, npu::element<T>::to_word(x));
    }
    NPU_INLINE vector_elem_ref<vector> operator[](unsigned i) { return {*this, i}; }
    NPU_INLINE vector_elem_const_ref<vector> operator[](unsigned i) const { return {*this, i}; }
    NPU_INLINE vector_elem_ref<vector> elem_ref(unsigned i) { return {*this, i}; }
    NPU_INLINE vector_elem_const_ref<vector> elem_ref(unsigned i) const { return {*this, i}; }
    NPU_INLINE vector_elem_const_ref<vector> elem_const_ref(unsigned i) const { return {*this, i}; }
    /** All one lane up; x becomes lane 0. */
    NPU_INLINE vector &push(T x) {
        npu_row = (row_type)npu::pick<N>(words(), npu::splat<typename npu::element<T>::word, N>(npu::element<T>::to_word(x)),
                                         [](unsigned i) constexpr { return i == 0 ? N : i - 1; });
        return *this;
    }

    template <unsigned M> NPU_INLINE vector<T, M> extract(unsigned i) const {
        static_assert(M <= N, "aie::vector::extract: the part is larger than the vector");
        return vector<T, M>::of_row(npu::part_at<npu::lanes_in<T, M>>(npu_row, i));
    }
    template <unsigned M> NPU_INLINE vector &insert(unsigned i, const vector<T, M> &v) {
        static_assert(M <= N, "aie::vector::insert: the part is larger than the vector");
        npu_row = npu::with_part(npu_row, i, v.npu_row);
        return *this;
    }
    template <unsigned M>
        requires(!std::is_same_v<npu::native<T, M>, vector<T, M>>)
    NPU_INLINE vector &insert(unsigned i, const npu::native<T, M> &v) {
        return insert(i, vector<T, M>(v));
    }
    template <class Native>
        requires(requires { sizeof(Native) < sizeof(row_type); } && !requires { typename Native::value_type; })
    NPU_INLINE vector &insert(unsigned i, const Native &v) {
        constexpr unsigned m = sizeof(Native) * 8 / npu::element<T>::bits;
        return insert(i, vector<T, m>(v));
    }
    template <unsigned M> NPU_INLINE vector<T, M> grow(unsigned i = 0) const {
        static_assert(M >= N, "aie::vector::grow: the result is smaller than the vector");
        if (__builtin_constant_p(i) && i == 0)
            return vector<T, M>::of_row(npu::widen<npu::lanes_in<T, M>>(npu_row));
        vector<T, M> result;
        return result.insert(i, *this);
    }
    template <unsigned M> NPU_INLINE vector<T, M> grow_replicate() const {
        constexpr unsigned n = npu::lanes_in<T, N>;
        return vector<T, M>::of_row(npu::pick<npu::lanes_in<T, M>>(npu_row, [](unsigned i) constexpr { return i % n; }));
    }
    template <unsigned M> NPU_INLINE vector<T, M> grow_extract(unsigned i) const {
        if constexpr (M > N)
            return grow<M>();
        else
            return extract<M>(i);
    }
    template <unsigned M> NPU_INLINE auto split() const {
        return [&]<unsigned... I>(npu::indices<I...>) { return std::make_tuple(extract<M>(I)...); }(npu::count_to<N / M>{});
    }
    template <class... Parts> NPU_INLINE vector &upd_all(const Parts &...parts) {
        unsigned i = 0;
        (void(insert(i++, parts)), ...);
        return *this;
    }

    /** The same bits as elements U. */
    template <class U> NPU_INLINE auto cast_to() const {
        using E = type_for<U>;
        using R = vector<E, N * npu::element<T>::bits / npu::element<E>::bits>;
        return R::of_row((typename R::row_type)npu_row);
    }

    /** The same values as elements U, where both are floats. */
    template <class U> NPU_INLINE auto npu_as() const {
        if constexpr (std::is_same_v<U, T>)
            return *this;
        else
            return vector<U, N>::of_row(npu::bf16_rows_to_float(npu_row));
    }

    /** Twice as wide, each element by its own sign. */
    template <class U = typename npu_detail::other_width<T, true>::type> NPU_INLINE auto unpack() const {
        if constexpr (type_bits() == 4)
            return vector<U, N>::of_row(
                npu::convert<typename npu::element<U>::lane>(npu::nibbles_to_bytes<is_signed()>(npu_row)));
        else
            return vector<U, N>::of_row(npu::convert<typename npu::element<U>::lane>(npu_row));
    }
    template <class U = typename npu_detail::other_width<T, true>::type> NPU_INLINE auto unpack_sign(bool sign) const {
        if constexpr (type_bits() == 4)
            return sign ? cast_to<int4>().template unpack<int8>().template cast_to<U>()
                        : cast_to<uint4>().template unpack<uint8>().template cast_to<U>();
        else {
            using L = npu::integer<lane_type, true>;
            using M = npu::integer<lane_type, false>;
            using D = typename npu::element<U>::lane;
            return vector<U, N>::of_row(sign ? npu::convert<D>(npu::bits_as<L>(npu_row)) : npu::convert<D>(npu::bits_as<M>(npu_row)));
        }
    }
    /** Half as wide: the low bits, or limited when saturation is on. */
    template <class U = typename npu_detail::other_width<T, false>::type> NPU_INLINE auto pack() const {
        return pack_sign<U>(npu::element<U>::is_signed);
    }
    template <class U = typename npu_detail::other_width<T, false>::type> NPU_INLINE auto pack_sign(bool sign) const {
        using W = npu::integer_of<2 * sizeof(lane_type), true>::type;
        const auto wide = npu::convert<W>(npu_row);
        if constexpr (npu::element<U>::bits == 4) {
            auto v = npu::convert<npu::i16>(npu_row);
            if (npu::control().saturation != saturation_mode::none) {
                const int low = sign ? (npu::control().saturation == saturation_mode::symmetric ? -7 : -8) : 0;
                v = npu::lower(npu::higher(v, npu::splat<npu::i16, N>(npu::i16(low))), npu::splat<npu::i16, N>(sign ? 7 : 15));
            }
            return vector<U, N>::of_row(npu::bytes_to_nibbles(npu::convert<npu::u8>(v)));
        } else {
            using D = typename npu::element<U>::lane;
            if (sign)
                return vector<U, N>::of_row((npu::row_for<U, N>)npu::limited<npu::integer<D, true>>(wide));
            return vector<U, N>::of_row((npu::row_for<U, N>)npu::limited<npu::integer<D, false>>(wide));
        }
    }

    template <aie_dm_resource = aie_dm_resource::none, class P> NPU_INLINE void load(const P *p) { npu_row = npu::load_aligned<row_type>(p); }
    template <aie_dm_resource = aie_dm_resource::none, class P> NPU_INLINE void store(P *p) const { npu::store_aligned(p, npu_row); }
    template <aie_dm_resource = aie_dm_resource::none, class P> NPU_INLINE void load_unaligned(const P *p, unsigned = 1) {
        npu_row = npu::load<row_type>(p);
    }
    template <aie_dm_resource = aie_dm_resource::none, class P> NPU_INLINE void store_unaligned(P *p, unsigned = 1) const {
        npu::store(p, npu_row);
    }
};
template <class T, unsigned N> vector(npu_native::vector<T, N>) -> vector<T, N>;

template <class> inline constexpr bool is_vector_v = false;
template <class T, unsigned N> inline constexpr bool is_vector_v<vector<T, N>> = true;
template <class V> concept Vector = is_vector_v<__remove_cvref(V)>;
template <class> inline constexpr bool is_accum_v = false;
template <class Tag, unsigned N> inline constexpr bool is_accum_v<accum<Tag, N>> = true;
template <class A> concept Accum = is_accum_v<__remove_cvref(A)>;
template <class> inline constexpr bool is_elem_ref_v = false;
template <class V> inline constexpr bool is_elem_ref_v<vector_elem_ref<V>> = true;
template <class V> inline constexpr bool is_elem_ref_v<vector_elem_const_ref<V>> = true;
/** A number, or a lane that stands for one. */
template <class S> concept Elem = is_elem_ref_v<__remove_cvref(S)> || npu::is_element<type_for<__remove_cvref(S)>> ||
                                  std::is_arithmetic_v<__remove_cvref(S)>;
} // namespace aie
