/* How elements of AIE types lie in lanes: the lane type that arithmetic is done on, and the word that moves as a whole. */
#pragma once

#include <npu/lanes.h>
#include <npu/scalars.h>

namespace npu {
/** Of one element type: `lane` is what a row is made of, `per_lane` how many elements a lane has (int4: 2), `lanes_per` how many
 * lanes an element has (complex: 2), `word` an unsigned integer as wide as an element. */
template <class T> struct element {
    using lane = T;
    using word = integer<T, false>;
    static constexpr unsigned bits = sizeof(T) * 8, per_lane = 1, lanes_per = 1;
    static constexpr bool is_float = std::is_floating_point_v<T>, is_complex = false;
    static constexpr bool is_signed = T(-1) < T(0);
    static constexpr word to_word(T x) { return __builtin_bit_cast(word, x); }
    static constexpr T of_word(word x) { return __builtin_bit_cast(T, x); }
};
template <> struct element<bfloat16> {
    using lane = u16;
    using word = u16;
    static constexpr unsigned bits = 16, per_lane = 1, lanes_per = 1;
    static constexpr bool is_float = true, is_complex = false, is_signed = true;
    static constexpr word to_word(bfloat16 x) { return x.npu_bits; }
    static constexpr bfloat16 of_word(word x) { return bfloat16::of_bits(x); }
};
template <class T> struct element<complex<T>> {
    using lane = typename element<T>::lane;
    using word = typename integer_of<2 * sizeof(T), false>::type;
    static constexpr unsigned bits = sizeof(T) * 16, per_lane = 1, lanes_per = 2;
    static constexpr bool is_float = element<T>::is_float, is_complex = true, is_signed = true;
    static constexpr word to_word(complex<T> x) { return __builtin_bit_cast(word, x); }
    static constexpr complex<T> of_word(word x) { return __builtin_bit_cast(complex<T>, x); }
};
template <bool Signed> struct element<nibble<Signed>> {
    using lane = u8;
    using word = u8;
    static constexpr unsigned bits = 4, per_lane = 2, lanes_per = 1;
    static constexpr bool is_float = false, is_complex = false, is_signed = Signed;
};

/** int8, not char or a long of the same size: one type for each size and sign, so that a template is made once. */
template <class T> struct canonical { using type = T; };
template <> struct canonical<long> { using type = int; };
template <> struct canonical<unsigned long> { using type = unsigned; };
template <> struct canonical<char> { using type = i8; };

/** Elements that a vector may have. */
template <class T> inline constexpr bool is_element = false;
template <> inline constexpr bool is_element<i8> = true;
template <> inline constexpr bool is_element<u8> = true;
template <> inline constexpr bool is_element<i16> = true;
template <> inline constexpr bool is_element<u16> = true;
template <> inline constexpr bool is_element<i32> = true;
template <> inline constexpr bool is_element<u32> = true;
template <> inline constexpr bool is_element<i64> = true;
template <> inline constexpr bool is_element<u64> = true;
template <> inline constexpr bool is_element<float> = true;
template <> inline constexpr bool is_element<bfloat16> = true;
template <class T> inline constexpr bool is_element<complex<T>> = true;
template <bool Signed> inline constexpr bool is_element<nibble<Signed>> = true;

template <class T, unsigned N>
inline constexpr unsigned lanes_in = N *element<T>::lanes_per / element<T>::per_lane;
/** The row that holds N elements T. */
template <class T, unsigned N> using row_for = lanes<typename element<T>::lane, lanes_in<T, N>>;
/** The same bits with a word for each element. */
template <class T, unsigned N> using words_for = lanes<typename element<T>::word, N>;

/** Lane type of an accumulator's tag. */
template <class Tag>
using accumulator_lane = std::conditional_t<Tag::is_float, float, std::conditional_t<(Tag::bits <= 32), i32, i64>>;
template <class Tag, unsigned N>
using accumulator_row = lanes<accumulator_lane<Tag>, N *(Tag::is_complex ? 2 : 1)>;

/** Lanes of 4 bits as bytes, and back. */
template <bool Signed, class V> NPU_INLINE auto nibbles_to_bytes(V v) {
    constexpr unsigned n = sizeof(V);
    if constexpr (Signed) {
        const auto s = bits_as<i8>(v);
        return zip<1>((lanes<i8, n>)((s << 4) >> 4), (lanes<i8, n>)(s >> 4));
    } else
        return zip<1>((lanes<u8, n>)(v & 15), (lanes<u8, n>)(v >> 4));
}
template <class V> NPU_INLINE auto bytes_to_nibbles(V v) {
    constexpr unsigned n = sizeof(V);
    const auto b = bits_as<u8>(v);
    const auto low = every_other<1, false>(b), high = every_other<1, true>(b);
    return (lanes<u8, n / 2>)((low & 15) | (high << 4));
}
} // namespace npu
