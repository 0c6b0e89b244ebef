/* Intrinsics of the compiler that kernels use in addition to the API, on native vectors and accumulators.
 *
 * An operand may be a native vector, a native accumulator, or the API's vector or accumulator of the same kind; results are native. */
#pragma once

#include <npu/compare.h>
#include <npu/float_functions.h>
#include <npu/native.h>
#include <npu/products.h>

namespace npu {
/** What a vector-like type holds: its element (a tag for accumulators) and how many. */
template <class V> struct content {};
template <class V>
    requires(is_row<V> && sizeof(V) >= 8)
struct content<V> {
    using element_type = __remove_cvref(decltype(V{}[0]));
    static constexpr unsigned n = sizeof(V) / sizeof(element_type);
    static constexpr bool is_accumulator = false, is_native = true;
    using native_type = V;
};
template <class T, unsigned N> struct content<npu_native::vector<T, N>> {
    using element_type = T;
    static constexpr unsigned n = N;
    static constexpr bool is_accumulator = false, is_native = true;
    using native_type = npu_native::vector<T, N>;
};
template <class Tag, unsigned N> struct content<npu_native::accumulator<Tag, N>> {
    using element_type = Tag;
    static constexpr unsigned n = N;
    static constexpr bool is_accumulator = true, is_native = true;
    using native_type = npu_native::accumulator<Tag, N>;
};
/* The API's classes say what they are themselves. */
template <class V>
    requires(requires { typename V::native_type; typename V::value_type; V::npu_row; })
struct content<V> : content<typename V::native_type> {
    static constexpr bool is_native = false;
};
template <class V> using element_of = typename content<__remove_cvref(V)>::element_type;
template <class V> using native_for = typename content<__remove_cvref(V)>::native_type;
template <class V> inline constexpr unsigned elements_of = content<__remove_cvref(V)>::n;
template <class V> concept AnyRow = requires { typename content<__remove_cvref(V)>::element_type; };
template <class V> concept AnyAccumulator = AnyRow<V> && content<__remove_cvref(V)>::is_accumulator;
template <class V> concept AnyVector = AnyRow<V> && !content<__remove_cvref(V)>::is_accumulator;
/** A type of the compiler itself. Functions that the API has too are for these only. */
template <class V> concept Native = AnyRow<V> && content<__remove_cvref(V)>::is_native;

template <class V> NPU_INLINE auto row_in(const V &v) {
    if constexpr (is_row<V>)
        return v;
    else
        return v.npu_row;
}
template <class N, class R> NPU_INLINE N native_from(R row) {
    if constexpr (is_row<N>)
        return (N)row;
    else
        return N((typename N::row)row);
}
/** The words of a row, one for each element. */
template <class V> NPU_INLINE auto words_in(const V &v) {
    using T = element_of<V>;
    if constexpr (content<V>::is_accumulator)
        return row_in(v);
    else
        return (words_for<T, elements_of<V>>)row_in(v);
}
/** Native vector of M elements of V's kind. */
template <class V, unsigned M> struct resized {
    using type = native<element_of<V>, M>;
};
template <AnyAccumulator V, unsigned M> struct resized<V, M> {
    using type = npu_native::accumulator<element_of<V>, M>;
};
template <class V, unsigned M> using resized_t = typename resized<V, M>::type;
template <class V> using mask_word = std::conditional_t<(elements_of<V> > 32), unsigned long long, unsigned>;

/** Bits of a row of 0 and -1. */
template <class R> NPU_INLINE unsigned long long bits_of(R where) {
    constexpr unsigned n = sizeof(R) / sizeof(where[0]);
    const auto bytes = convert<i8>(where);
    if constexpr (n <= 16)
        return __builtin_wasm_bitmask_i8x16(widen<16>(bytes));
    else
        return [&]<unsigned... P>(indices<P...>) {
            return ((u64(__builtin_wasm_bitmask_i8x16(part<16, P * 16>(bytes))) << (P * 16)) | ...);
        }(count_to<n / 16>{});
}
/** A row of 0 and -1 of n lanes L from bits. */
template <class L, unsigned N> NPU_INLINE auto row_of_bits(u64 bits) {
    lanes<i8, N> all{};
    const auto one = lanes<u8, 8>{1, 2, 4, 8, 16, 32, 64, 128};
    if constexpr (N < 8)
        all = part<N, 0>((lanes<i8, 8>)((splat<u8, 8>(u8(bits)) & one) != 0));
    else
        [&]<unsigned... P>(indices<P...>) {
            ((all = with_part(all, P, (lanes<i8, 8>)((splat<u8, 8>(u8(bits >> (P * 8))) & one) != 0))), ...);
        }(count_to<N / 8>{});
    return convert<L>(all);
}
} // namespace npu

/* Making and taking apart. The functions are templates on their result, so that only those which a kernel uses cost time. */
namespace npu {
template <class R> NPU_INLINE R zero_of() { return native_from<R>(decltype(row_in(R{})){}); }
template <class R, class T> NPU_INLINE R filled_with(T x) {
    if constexpr (content<R>::is_accumulator)
        return native_from<R>(splat<accumulator_lane<element_of<R>>, elements_of<R>>(accumulator_lane<element_of<R>>(x)));
    else {
        using E = element_of<R>;
        if constexpr (is_row<T> || requires { x.npu_row; } || std::is_same_v<T, unsigned long long>) { // several elements, again and again
            const auto few = [&] {
                if constexpr (std::is_same_v<T, unsigned long long>)
                    return bits_as<u8>(lanes<u64, 1>{x});
                else
                    return bits_as<u8>(row_in(x));
            }();
            constexpr unsigned bytes = sizeof(decltype(row_in(R{})));
            return native_from<R>((decltype(row_in(R{})))pick<bytes>(few, [](unsigned i) constexpr { return i % sizeof(few); }));
        } else
            return native_from<R>(splat<typename element<E>::word, elements_of<R>>(element<E>::to_word(E(x))));
    }
}
template <class R, class V> NPU_INLINE R part_of(const V &v, int i) {
    using Row = decltype(row_in(R{}));
    using L = __remove_cvref(decltype(Row{}[0]));
    const auto row = bits_as<L>(row_in(v));
    return native_from<R>(part_at<sizeof(Row) / sizeof(L)>(row, unsigned(i)));
}
template <class R, class P> NPU_INLINE R with_part_set(int i, const P &part) {
    using Row = decltype(row_in(R{}));
    using L = __remove_cvref(decltype(Row{}[0]));
    return native_from<R>(with_part(Row{}, unsigned(i), bits_as<L>(row_in(part))));
}
} // namespace npu
#define NPU_MAKE(type)                                                                                                            \
    template <class R = type> NPU_INLINE R undef_##type() { return npu::zero_of<R>(); }                                           \
    template <class R = type> NPU_INLINE R broadcast_zero_to_##type() { return npu::zero_of<R>(); }                               \
    template <class R = type, class T> NPU_INLINE R broadcast_to_##type(T x) { return npu::filled_with<R>(x); }                   \
    template <class R = type> NPU_INLINE R broadcast_one_to_##type() { return npu::filled_with<R>(1); }                           \
    template <class R = type, npu::AnyRow V> NPU_INLINE R extract_##type(const V &v, int i) { return npu::part_of<R>(v, i); }     \
    template <class R = type, npu::AnyRow V> NPU_INLINE R set_##type(int i, const V &v) { return npu::with_part_set<R>(i, v); }
NPU_MAKE(v16int8)
NPU_MAKE(v32int8)
NPU_MAKE(v64int8)
NPU_MAKE(v128int8)
NPU_MAKE(v16uint8)
NPU_MAKE(v32uint8)
NPU_MAKE(v64uint8)
NPU_MAKE(v128uint8)
NPU_MAKE(v8int16)
NPU_MAKE(v16int16)
NPU_MAKE(v32int16)
NPU_MAKE(v64int16)
NPU_MAKE(v8uint16)
NPU_MAKE(v16uint16)
NPU_MAKE(v32uint16)
NPU_MAKE(v64uint16)
NPU_MAKE(v4int32)
NPU_MAKE(v8int32)
NPU_MAKE(v16int32)
NPU_MAKE(v32int32)
NPU_MAKE(v4uint32)
NPU_MAKE(v8uint32)
NPU_MAKE(v16uint32)
NPU_MAKE(v32uint32)
NPU_MAKE(v4float)
NPU_MAKE(v8float)
NPU_MAKE(v16float)
NPU_MAKE(v32float)
NPU_MAKE(v4int16)
NPU_MAKE(v4bfloat16)
NPU_MAKE(v8bfloat16)
NPU_MAKE(v16bfloat16)
NPU_MAKE(v32bfloat16)
NPU_MAKE(v64bfloat16)
NPU_MAKE(v8acc32)
NPU_MAKE(v16acc32)
NPU_MAKE(v32acc32)
NPU_MAKE(v64acc32)
NPU_MAKE(v4acc64)
NPU_MAKE(v8acc64)
NPU_MAKE(v16acc64)
NPU_MAKE(v32acc64)
NPU_MAKE(v8accfloat)
NPU_MAKE(v16accfloat)
NPU_MAKE(v32accfloat)
NPU_MAKE(v64accfloat)
#undef NPU_MAKE
/* Without a size: the register of 512 bits. */
#define NPU_SHORT(name, type)                                                                                                     \
    template <class R = type, class T> NPU_INLINE R broadcast_##name(T x) { return npu::filled_with<R>(x); }                      \
    template <class R = type> NPU_INLINE R broadcast_zero_##name() { return npu::zero_of<R>(); }                                  \
    template <class R = type> NPU_INLINE R broadcast_one_##name() { return npu::filled_with<R>(1); }
NPU_SHORT(int8, v64int8)
NPU_SHORT(uint8, v64uint8)
NPU_SHORT(int16, v32int16)
NPU_SHORT(uint16, v32uint16)
NPU_SHORT(int32, v16int32)
NPU_SHORT(uint32, v16uint32)
NPU_SHORT(float, v16float)
NPU_SHORT(bfloat16, v32bfloat16)
NPU_SHORT(s8, v64int8)
NPU_SHORT(u8, v64uint8)
NPU_SHORT(s16, v32int16)
NPU_SHORT(u16, v32uint16)
NPU_SHORT(s32, v16int32)
NPU_SHORT(u32, v16uint32)
#undef NPU_SHORT

template <npu::Native V, class... Rest> NPU_INLINE auto concat(const V &first, const Rest &...rest) {
    using R = npu::resized_t<V, npu::elements_of<V> *(1 + sizeof...(rest))>;
    if constexpr (sizeof...(rest) == 1)
        return npu::native_from<R>(npu::join(npu::row_in(first), npu::row_in(rest)...));
    else {
        using Row = decltype(npu::row_in(R{}));
        Row row{};
        unsigned i = 0;
        row = npu::with_part(row, i++, npu::row_in(first));
        ((row = npu::with_part(row, i++, npu::row_in(rest))), ...);
        return npu::native_from<R>(row);
    }
}
/** v with part i replaced; or with element i, when x is a number. */
template <npu::AnyRow V, class X> NPU_INLINE auto insert(const V &v, int i, const X &x) {
    using N = npu::native_for<V>;
    if constexpr (npu::AnyRow<X>)
        return npu::native_from<N>(npu::with_part(npu::row_in(v), unsigned(i), npu::row_in(x)));
    else {
        using T = npu::element_of<V>;
        return npu::native_from<N>(npu::with_lane(npu::words_in(v), unsigned(i), npu::element<T>::to_word(T(x))));
    }
}
template <npu::AnyRow V, class X> NPU_INLINE auto upd_elem(const V &v, int i, const X &x) { return insert(v, i, x); }
template <npu::AnyRow V, npu::AnyRow X> NPU_INLINE auto upd_w(const V &v, int i, const X &x) { return insert(v, i, x); }
template <npu::AnyVector V> NPU_INLINE auto ext_elem(const V &v, int i) {
    using T = npu::element_of<V>;
    return npu::element<T>::of_word(npu::lane(npu::words_in(v), unsigned(i)));
}
template <npu::AnyVector V> NPU_INLINE int ext_elem(const V &v, int i, int sign) {
    using W = typename npu::element<npu::element_of<V>>::word;
    const W word = npu::lane(npu::words_in(v), unsigned(i));
    return sign ? int(npu::integer<W, true>(word)) : int(word);
}
template <npu::AnyVector V> NPU_INLINE auto extract_elem(const V &v, int i) { return ext_elem(v, i); }
template <npu::AnyVector V> NPU_INLINE auto extract_elem(const V &v, int i, int sign) { return ext_elem(v, i, sign); }
template <npu::AnyVector V> NPU_INLINE auto ext_w(const V &v, int i) {
    constexpr unsigned n = 256 / npu::element<npu::element_of<V>>::bits;
    return npu::native_from<npu::resized_t<V, n>>(npu::part_at<npu::lanes_in<npu::element_of<V>, n>>(npu::row_in(v), unsigned(i)));
}
template <npu::AnyVector V> NPU_INLINE auto ext_lo(const V &v) {
    constexpr unsigned n = npu::elements_of<V> / 2;
    return npu::native_from<npu::resized_t<V, n>>(npu::part_at<npu::lanes_in<npu::element_of<V>, n>>(npu::row_in(v), 0u));
}
template <npu::AnyVector V> NPU_INLINE auto ext_hi(const V &v) {
    constexpr unsigned n = npu::elements_of<V> / 2;
    return npu::native_from<npu::resized_t<V, n>>(npu::part_at<npu::lanes_in<npu::element_of<V>, n>>(npu::row_in(v), 1u));
}
template <npu::AnyVector V> NPU_INLINE auto broadcast_elem(const V &v, int i) {
    using W = typename npu::element<npu::element_of<V>>::word;
    return npu::native_from<npu::native_for<V>>(npu::splat<W, npu::elements_of<V>>(npu::lane(npu::words_in(v), unsigned(i))));
}

/** Bytes n … n + size - 1 of a‖b. */
template <npu::AnyRow V, npu::AnyRow W> NPU_INLINE auto shift_bytes(const V &a, const W &b, int n) {
    using R = npu::lanes<npu::u8, sizeof(npu::row_in(a))>;
    R *place = (R *)npu::registers::index_a;
    place[0] = (R)npu::row_in(a);
    place[1] = (R)npu::row_in(b);
    return npu::native_from<npu::native_for<V>>(npu::load<R>((npu::u8 *)place + (unsigned(n) <= sizeof(R) ? unsigned(n) : sizeof(R))));
}
template <npu::AnyVector V, npu::AnyVector W> NPU_INLINE auto shift(const V &a, const W &b, int n) {
    return shift_bytes(a, b, n * int(npu::element<npu::element_of<V>>::bits / 8));
}
template <npu::AnyAccumulator V, npu::AnyAccumulator W> NPU_INLINE auto shift(const V &a, const W &b, int n) {
    return shift_bytes(a, b, n * int(sizeof(npu::row_in(a)) / npu::elements_of<V>));
}

/* Shuffle modes. */
#define NPU_MODE(number, name, ...) name = number, shuffle_##name = number,
enum npu_shuffle_mode : unsigned {
#include <npu/shuffle_modes.inc>
    DINTLV_lo_8o16 = T8_64x2_lo,
    DINTLV_hi_8o16 = T8_64x2_hi,
    DINTLV_lo_16o32 = T16_32x2_lo,
    DINTLV_hi_16o32 = T16_32x2_hi,
    DINTLV_lo_32o64 = T32_16x2_lo,
    DINTLV_hi_32o64 = T32_16x2_hi,
    DINTLV_lo_64o128 = T64_8x2_lo,
    DINTLV_hi_64o128 = T64_8x2_hi,
    DINTLV_lo_128o256 = T128_4x2_lo,
    DINTLV_hi_128o256 = T128_4x2_hi,
    DINTLV_lo_256o512 = T256_2x2_lo,
    DINTLV_hi_256o512 = T256_2x2_hi,
    INTLV_lo_256o512 = T256_2x2_lo,
    INTLV_hi_256o512 = T256_2x2_hi,
    INTLV_lo_128o256 = T128_2x4_lo,
    INTLV_hi_128o256 = T128_2x4_hi,
    INTLV_lo_64o128 = T64_2x8_lo,
    INTLV_hi_64o128 = T64_2x8_hi,
    INTLV_lo_32o64 = T32_2x16_lo,
    INTLV_hi_32o64 = T32_2x16_hi,
    INTLV_lo_16o32 = T16_2x32_lo,
    INTLV_hi_16o32 = T16_2x32_hi,
    INTLV_lo_8o16 = T8_2x64_lo,
    INTLV_hi_8o16 = T8_2x64_hi,
    BYPASS_lo = T512_1x2_lo,
    BYPASS_hi = T512_1x2_hi,
};
#undef NPU_MODE

namespace npu {
/** a‖b as blocks of Rows × Columns elements, each transposed; the lower or the upper 512 bits. */
template <unsigned Bits, unsigned Rows, unsigned Columns, bool High> NPU_INLINE lanes<u8, 64> shuffled(lanes<u8, 64> a, lanes<u8, 64> b) {
    constexpr unsigned step = Bits / 8;
    if constexpr (Rows == 0) { // neighbours of 16 bits change places
        return pick<64>(a, [](unsigned i) constexpr { return i ^ 2; });
    } else if constexpr (Rows * Columns * step == 128)
        return part<64, High ? 64 : 0>(transposed<Rows, step>(join(a, b)));
    else {
        constexpr unsigned block = Rows * Columns * step;
        return pick<64>(High ? b : a, [](unsigned i) constexpr {
            const unsigned at = i % block / step, row = at % Rows, column = at / Rows;
            return i / block * block + (row * Columns + column) * step + i % step;
        });
    }
}
template <int = 0> __attribute__((noinline)) void shuffle_by_mode(unsigned mode) {
    const auto a = load<lanes<u8, 64>>((void *)registers::block_a), b = load<lanes<u8, 64>>((void *)registers::block_b);
    lanes<u8, 64> out = a;
    switch (mode) {
#define NPU_MODE(number, name, bits, rows, columns, high)                                                                         \
    case number:                                                                                                                  \
        out = shuffled<bits, rows, columns, high>(a, b);                                                                          \
        break;
#include <npu/shuffle_modes.inc>
#undef NPU_MODE
    default:
        __builtin_trap();
    }
    store((void *)registers::block_a, out);
}
} // namespace npu
template <npu::AnyVector V, npu::AnyVector W> NPU_INLINE auto shuffle(const V &a, const W &b, unsigned mode) {
    using R = npu::lanes<npu::u8, 64>;
    using N = npu::native_for<V>;
    const R x = (R)npu::row_in(a), y = (R)npu::row_in(b);
    if (__builtin_constant_p(mode)) {
        R out = x;
        switch (mode) {
#define NPU_MODE(number, name, bits, rows, columns, high)                                                                         \
    case number:                                                                                                                  \
        out = npu::shuffled<bits, rows, columns, high>(x, y);                                                                     \
        break;
#include <npu/shuffle_modes.inc>
#undef NPU_MODE
        }
        return npu::native_from<N>(out);
    }
    npu::store((void *)npu::registers::block_a, x);
    npu::store((void *)npu::registers::block_b, y);
    npu::shuffle_by_mode<>(mode);
    return npu::native_from<N>(npu::load<R>((void *)npu::registers::block_a));
}
template <npu::AnyVector V> NPU_INLINE auto shuffle(const V &a, unsigned mode) { return shuffle(a, a, mode); }

/* Arithmetic and comparison. */
namespace npu {
template <class V, class W> concept NativePair =
    AnyRow<V> && AnyRow<W> && (Native<V> || Native<W>) && sizeof(native_for<V>) == sizeof(native_for<W>);
template <class V> NPU_INLINE auto sum_of(const V &a, const V &b) {
    using T = element_of<V>;
    const auto x = row_in(a), y = row_in(b);
    if constexpr (content<V>::is_accumulator) {
        if constexpr (T::is_float)
            return native_from<V>(add(x, y));
        else
            return native_from<V>(x + y);
    } else if constexpr (std::is_same_v<T, bfloat16>)
        return native_from<V>(float_rows_to_bf16(add_bf16(bf16_rows_to_float(x), bf16_rows_to_float(y))));
    else if constexpr (std::is_same_v<T, float>)
        return native_from<V>(add(x, y));
    else
        return native_from<V>(x + y);
}
template <class V> NPU_INLINE V negative_of(const V &a) {
    using T = element_of<V>;
    const auto x = row_in(a);
    if constexpr (std::is_same_v<T, bfloat16>)
        return native_from<V>(x ^ 0x8000);
    else
        return native_from<V>(-x);
}
template <class V, class W> using pair_type = std::conditional_t<Native<V>, native_for<V>, native_for<W>>;
} // namespace npu
template <class V, class W>
    requires npu::NativePair<V, W>
NPU_INLINE auto add(const V &a, const W &b) {
    using N = npu::pair_type<V, W>;
    return npu::sum_of<N>(N(a), N(b));
}
template <class V, class W>
    requires npu::NativePair<V, W>
NPU_INLINE auto sub(const V &a, const W &b) {
    using N = npu::pair_type<V, W>;
    return npu::sum_of<N>(N(a), npu::negative_of(N(b)));
}
template <npu::Native V> NPU_INLINE V neg(const V &a) { return npu::negative_of(a); }
template <npu::Native V> NPU_INLINE V abs(const V &a) {
    using T = npu::element_of<V>;
    const auto x = npu::row_in(a);
    if constexpr (std::is_same_v<T, bfloat16>)
        return npu::native_from<V>(x & 0x7fff);
    else if constexpr (std::is_same_v<T, float>)
        return npu::native_from<V>((npu::lanes<int, npu::elements_of<V>>)x & 0x7fffffff);
    else
        return npu::native_from<V>(npu::choose(x < 0, -x, x));
}
#define NPU_BITS(name, op)                                                                                                        \
    template <class V, class W>                                                                                                   \
        requires(npu::AnyVector<V> && npu::AnyVector<W>)                                                                          \
    NPU_INLINE auto name(const V &a, const W &b) {                                                                                \
        using N = npu::native_for<V>;                                                                                             \
        using B = npu::lanes<npu::u8, sizeof(N)>;                                                                                 \
        return npu::native_from<N>((B)npu::row_in(a) op (B)npu::row_in(b));                                                       \
    }
NPU_BITS(band, &)
NPU_BITS(bor, |)
NPU_BITS(bxor, ^)
#undef NPU_BITS
template <npu::AnyVector V> NPU_INLINE auto bneg(const V &a) {
    using N = npu::native_for<V>;
    return npu::native_from<N>(~(npu::lanes<npu::u8, sizeof(N)>)npu::row_in(a));
}
#define NPU_COMPARE(name, expression)                                                                                             \
    template <class V, class W>                                                                                                   \
        requires npu::NativePair<V, W>                                                                                            \
    NPU_INLINE npu::mask_word<V> name(const V &a, const W &b) {                                                                   \
        using N = npu::pair_type<V, W>;                                                                                           \
        using T = npu::element_of<N>;                                                                                             \
        const auto x = npu::row_in(N(a)), y = npu::row_in(N(b));                                                                  \
        return npu::mask_word<V>(npu::bits_of(expression));                                                                       \
    }                                                                                                                             \
    template <npu::Native V> NPU_INLINE npu::mask_word<V> name##z(const V &a) { return name(a, npu::native_from<V>(decltype(npu::row_in(a)){})); }
NPU_COMPARE(lt, npu::less<T>(x, y))
NPU_COMPARE(le, npu::less_or_equal<T>(x, y))
NPU_COMPARE(gt, npu::less<T>(y, x))
NPU_COMPARE(ge, npu::less_or_equal<T>(y, x))
NPU_COMPARE(eq, npu::ordered<T>(x) == npu::ordered<T>(y))
NPU_COMPARE(ne, npu::ordered<T>(x) != npu::ordered<T>(y))
#undef NPU_COMPARE
template <class V, class W>
    requires npu::NativePair<V, W>
NPU_INLINE auto min(const V &a, const W &b) {
    using N = npu::pair_type<V, W>;
    const auto x = npu::row_in(N(a)), y = npu::row_in(N(b));
    using T = npu::element_of<N>;
    return npu::native_from<N>(npu::smaller<T>(x, y));
}
template <class V, class W>
    requires npu::NativePair<V, W>
NPU_INLINE auto max(const V &a, const W &b) {
    using N = npu::pair_type<V, W>;
    const auto x = npu::row_in(N(a)), y = npu::row_in(N(b));
    using T = npu::element_of<N>;
    return npu::native_from<N>(npu::larger<T>(x, y));
}
template <class V, class W, class M>
    requires npu::NativePair<V, W>
NPU_INLINE auto max_lt(const V &a, const W &b, M &cmp) {
    cmp = M(lt(a, b));
    return max(a, b);
}
template <class V, class W, class M>
    requires npu::NativePair<V, W>
NPU_INLINE auto min_ge(const V &a, const W &b, M &cmp) {
    cmp = M(ge(a, b));
    return min(a, b);
}
template <class V, class W, class M>
    requires npu::NativePair<V, W>
NPU_INLINE auto sub_lt(const V &a, const W &b, M &cmp) {
    cmp = M(lt(a, b));
    return sub(a, b);
}
template <class V, class W, class M>
    requires npu::NativePair<V, W>
NPU_INLINE auto sub_ge(const V &a, const W &b, M &cmp) {
    cmp = M(ge(a, b));
    return sub(a, b);
}
template <npu::Native V, class M> NPU_INLINE auto abs_gtz(const V &a, M &cmp) {
    cmp = M(gtz(a));
    return abs(a);
}
/** b where the bit is 1. */
template <class V, class W>
    requires npu::NativePair<V, W>
NPU_INLINE auto sel(const V &a, const W &b, unsigned long long bits) {
    using N = npu::pair_type<V, W>;
    const auto x = npu::words_in(N(a)), y = npu::words_in(N(b));
    using L = npu::integer<__remove_cvref(decltype(x[0])), true>;
    using B = npu::lanes<L, npu::elements_of<N>>;
    const B where = npu::row_of_bits<L, npu::elements_of<N>>(bits);
    return npu::native_from<N>(((B)y & where) | ((B)x & ~where));
}
template <class V, class W>
    requires npu::NativePair<V, W>
NPU_INLINE auto maxdiff(const V &a, const W &b) {
    return sel(npu::native_from<npu::native_for<V>>(decltype(npu::row_in(a)){}), sub(a, b), gt(a, b));
}

/* Between vectors and accumulators. */
namespace npu {
template <class R, class A> NPU_INLINE R narrowed_to(const A &a, int shift) {
    using T = element_of<R>;
    if constexpr (std::is_same_v<T, float>)
        return native_from<R>((lanes<float, elements_of<R>>)row_in(a));
    else if constexpr (std::is_same_v<T, bfloat16>)
        return native_from<R>(float_rows_to_bf16((lanes<float, elements_of<R>>)row_in(a)));
    else
        return native_from<R>(srs<T>(row_in(a), shift));
}
template <class R, class A> NPU_INLINE R narrowed_to(const A &a, int shift, int sign) {
    using T = element_of<R>;
    return sign ? native_from<R>(srs<integer<T, true>>(row_in(a), shift)) : native_from<R>(srs<integer<T, false>>(row_in(a), shift));
}
template <class R, class V> NPU_INLINE R widened_to(const V &v, int shift) {
    using Lane = accumulator_lane<element_of<R>>;
    static_assert(elements_of<V> == elements_of<R>, "ups: the vector has another size");
    if constexpr (std::is_same_v<element_of<V>, bfloat16>)
        return native_from<R>(bf16_rows_to_float(row_in(v)));
    else if constexpr (std::is_same_v<element_of<V>, float>)
        return native_from<R>(row_in(v));
    else
        return native_from<R>(ups<Lane>(row_in(v), shift));
}
} // namespace npu
#define NPU_SRS(type)                                                                                                             \
    template <class R = type, npu::AnyAccumulator A> NPU_INLINE R srs_to_##type(const A &a, int shift = 0) {                      \
        return npu::narrowed_to<R>(a, shift);                                                                                     \
    }                                                                                                                             \
    template <class R = type, npu::AnyAccumulator A> NPU_INLINE R srs_to_##type(const A &a, int shift, int sign) {                \
        return npu::narrowed_to<R>(a, shift, sign);                                                                               \
    }                                                                                                                             \
    template <class R = type, npu::AnyAccumulator A> NPU_INLINE R to_##type(const A &a, int shift = 0) {                          \
        return npu::narrowed_to<R>(a, shift);                                                                                     \
    }
NPU_SRS(v32int8)
NPU_SRS(v64int8)
NPU_SRS(v32uint8)
NPU_SRS(v64uint8)
NPU_SRS(v16int16)
NPU_SRS(v32int16)
NPU_SRS(v16uint16)
NPU_SRS(v32uint16)
NPU_SRS(v8int32)
NPU_SRS(v16int32)
NPU_SRS(v32int32)
NPU_SRS(v8uint32)
NPU_SRS(v16uint32)
NPU_SRS(v32uint32)
NPU_SRS(v8float)
NPU_SRS(v16float)
NPU_SRS(v32float)
#undef NPU_SRS
/** To int16; of 64-bit lanes to int32 too. */
template <npu::AnyAccumulator A> NPU_INLINE auto srs(const A &a, int shift) {
    return npu::native_from<npu::native<int16, npu::elements_of<A>>>(npu::srs<int16>(npu::row_in(a), shift));
}
/* To half an accumulator's lane (lsrs) and to a quarter (ssrs); ulsrs and ussrs give unsigned elements. */
namespace npu {
template <class A> inline constexpr bool has_wide_lanes = sizeof(row_in(A{})) == 8 * elements_of<A>;
template <class R, class Signed, class Unsigned, class A> NPU_INLINE auto narrowed(const A &a, int shift, int sign) {
    using N = native<R, elements_of<A>>;
    return sign ? native_from<N>((N)srs<Signed>(row_in(a), shift)) : native_from<N>((N)srs<Unsigned>(row_in(a), shift));
}
} // namespace npu
#define NPU_NARROWED(name, result, wide, wide_unsigned, narrow, narrow_unsigned, by_default)                                      \
    template <npu::AnyAccumulator A> NPU_INLINE auto name(const A &a, int shift, int sign = by_default) {                         \
        if constexpr (npu::has_wide_lanes<A>)                                                                                     \
            return npu::narrowed<result##wide, wide, wide_unsigned>(a, shift, sign);                                              \
        else                                                                                                                      \
            return npu::narrowed<result##narrow, narrow, narrow_unsigned>(a, shift, sign);                                        \
    }
NPU_NARROWED(lsrs, , int32, uint32, int16, uint16, 1)
NPU_NARROWED(ssrs, , int16, uint16, int8, uint8, 1)
NPU_NARROWED(ulsrs, u, int32, uint32, int16, uint16, 0)
NPU_NARROWED(ussrs, u, int16, uint16, int8, uint8, 0)
#undef NPU_NARROWED
template <npu::AnyAccumulator A> NPU_INLINE auto bsrs(const A &a, int shift) {
    return npu::native_from<npu::native<int8, npu::elements_of<A>>>(npu::srs<int8>(npu::row_in(a), shift));
}
template <npu::AnyAccumulator A> NPU_INLINE auto ubsrs(const A &a, int shift) {
    return npu::native_from<npu::native<uint8, npu::elements_of<A>>>(npu::srs<uint8>(npu::row_in(a), shift));
}
#define NPU_UPS(type)                                                                                                             \
    template <class R = type, npu::AnyVector V> NPU_INLINE R ups_to_##type(const V &v, int shift = 0) {                           \
        return npu::widened_to<R>(v, shift);                                                                                      \
    }
NPU_UPS(v16acc32)
NPU_UPS(v32acc32)
NPU_UPS(v64acc32)
NPU_UPS(v8acc64)
NPU_UPS(v16acc64)
NPU_UPS(v32acc64)
NPU_UPS(v8accfloat)
NPU_UPS(v16accfloat)
NPU_UPS(v32accfloat)
NPU_UPS(v64accfloat)
#undef NPU_UPS
template <npu::AnyVector V>
    requires(npu::element<npu::element_of<V>>::is_float)
NPU_INLINE auto ups(const V &v) {
    return npu::widened_to<npu_native::accumulator<accfloat, npu::elements_of<V>>>(v, 0);
}
template <npu::AnyVector V> NPU_INLINE auto ups(const V &v, int shift) {
    using Tag = std::conditional_t<(sizeof(npu::row_in(v)) / npu::elements_of<V> <= 2), acc32, acc64>;
    return npu_native::accumulator<Tag, npu::elements_of<V>>(npu::ups<npu::accumulator_lane<Tag>>(npu::row_in(v), shift));
}
template <npu::AnyVector V> NPU_INLINE auto sups(const V &v, int shift) {
    return npu_native::accumulator<acc32, npu::elements_of<V>>(npu::ups<npu::i32>(npu::row_in(v), shift));
}
template <npu::AnyVector V> NPU_INLINE auto lups(const V &v, int shift) {
    return npu_native::accumulator<acc64, npu::elements_of<V>>(npu::ups<npu::i64>(npu::row_in(v), shift));
}
#define NPU_FLOATS(n)                                                                                                             \
    template <class R = v##n##bfloat16, npu::AnyRow A> NPU_INLINE R to_v##n##bfloat16(const A &a) {                               \
        static_assert(npu::elements_of<A> == n, "to_v" #n "bfloat16: the accumulator has another size");                          \
        return npu::narrowed_to<R>(a, 0);                                                                                         \
    }                                                                                                                             \
    template <class R = v##n##accfloat, npu::AnyVector V> NPU_INLINE R to_v##n##accfloat(const V &v) {                            \
        return npu::widened_to<R>(v, 0);                                                                                          \
    }
NPU_FLOATS(8)
NPU_FLOATS(16)
NPU_FLOATS(32)
NPU_FLOATS(64)
#undef NPU_FLOATS
/** floor(x · 2^shift), limited to int32. */
template <npu::AnyVector V> NPU_INLINE auto bfloat16_to_int(const V &v, int shift) {
    return npu::bf16_to_integers(npu::row_in(v), shift);
}
template <npu::Native V> NPU_INLINE auto pack(const V &v) {
    using T = npu::element_of<V>;
    using D = std::conditional_t<npu::element<T>::is_signed, int8, uint8>;
    return npu::native_from<npu::native<D, npu::elements_of<V>>>(npu::limited<D>(npu::convert<int>(npu::row_in(v))));
}
template <npu::Native V> NPU_INLINE auto unpack(const V &v) {
    using T = npu::element_of<V>;
    if constexpr (npu::element<T>::bits == 4) {
        using D = std::conditional_t<npu::element<T>::is_signed, int8, uint8>;
        return npu::native_from<npu::native<D, npu::elements_of<V>>>(npu::nibbles_to_bytes<npu::element<T>::is_signed>(npu::row_in(v)));
    } else {
        using D = std::conditional_t<npu::element<T>::is_signed, int16, uint16>;
        return npu::native_from<npu::native<D, npu::elements_of<V>>>(npu::convert<D>(npu::row_in(v)));
    }
}

/* Modes. */
NPU_INLINE void set_rnd(unsigned mode) { npu::control().rounding = npu::rounding_mode(mode); }
NPU_INLINE unsigned get_rnd() { return unsigned(npu::control().rounding); }
NPU_INLINE void set_satmode(unsigned mode) { npu::control().saturation = npu::saturation_mode(mode); }
NPU_INLINE unsigned get_satmode() { return unsigned(npu::control().saturation); }
NPU_INLINE void set_sat() { npu::control().saturation = npu::saturation_mode::saturate; }
NPU_INLINE void clr_sat() { npu::control().saturation = npu::saturation_mode::none; }
NPU_INLINE void set_symsat() { npu::control().saturation = npu::saturation_mode::symmetric; }
NPU_INLINE void set_fpmulmac_mask(unsigned) {}
NPU_INLINE void set_fp2int_mask(unsigned) {}
NPU_INLINE void set_fp2bf_mask(unsigned) {}
enum { rnd_floor = 0, rnd_ceil = 1, rnd_sym_floor = 2, rnd_sym_ceil = 3, rnd_neg_inf = 8, rnd_pos_inf = 9, rnd_sym_zero = 10, rnd_sym_inf = 11, rnd_conv_even = 12, rnd_conv_odd = 13 };
NPU_INLINE unsigned get_coreid() { return npu::control().core; }
NPU_INLINE unsigned long long get_cycles() { return ++npu::control().cycles; }

/* Tables in which every 16 bytes come twice: 16 entries by a byte index that counts both copies. An entry comes in the low bits of 64. */
namespace npu {
template <unsigned Bytes, class V> NPU_INLINE void load_entries(const void *table, lanes<i32, 16> index, V &low, V &high) {
    using Word = typename integer_of<Bytes, false>::type;
    i32 *at = (i32 *)registers::index_a;
    u64 *out = (u64 *)registers::work;
    store(at, index);
    for (unsigned i = 0; i < 16; i++) {
        const unsigned byte = unsigned(at[i]) / (2 * Bytes) * Bytes;
        out[i] = load<Word>((const char *)table + byte / 16 * 32 + byte % 16);
    }
    low = native_from<V>(load<lanes<u64, 8>>(out));
    high = native_from<V>(load<lanes<u64, 8>>(out + 8));
}
} // namespace npu
#define NPU_LOAD_LUT(name, bytes)                                                                                                 \
    template <class P, class Q, npu::AnyRow I, class V> NPU_INLINE void load_lut_2x_##name(const P *ab, const Q *, const I &index, V &low, V &high) { \
        npu::load_entries<bytes>(ab, (npu::lanes<npu::i32, 16>)npu::row_in(index), low, high);                                    \
    }                                                                                                                             \
    /* The first eight of them. */                                                                                                \
    template <class P, class Q, npu::AnyRow I, class V> NPU_INLINE void load_lut_##name(const P *ab, const Q *cd, const I &index, V &out) { \
        V high;                                                                                                                   \
        load_lut_2x_##name(ab, cd, index, out, high);                                                                             \
    }
NPU_LOAD_LUT(int8, 2)
NPU_LOAD_LUT(int16, 4)
NPU_LOAD_LUT(int32, 8)
NPU_LOAD_LUT(float, 8)
#undef NPU_LOAD_LUT

/* Pointers with counters. */
template <class T> NPU_INLINE T *byte_incr(T *p, int bytes) { return (T *)((char *)p + bytes); }
template <class T> NPU_INLINE T *add_1d_byte(T *p, int bytes) { return (T *)((char *)p + bytes); }
template <class T> NPU_INLINE T *add_1d_ptr(T *p, int n) { return p + n; }
using addr_t = int;
template <class T> NPU_INLINE T *add_2d_byte(T *p, int after_row, int last, int &count, int within) {
    if (count == last) {
        count = 0;
        return byte_incr(p, after_row);
    }
    count++;
    return byte_incr(p, within);
}
template <class T> NPU_INLINE T *add_3d_byte(T *p, int after_plane, int last1, int &count1, int within, int last2, int &count2, int after_row) {
    if (count1 < last1) {
        count1++;
        return byte_incr(p, within);
    }
    count1 = 0;
    if (count2 < last2) {
        count2++;
        return byte_incr(p, after_row);
    }
    count2 = 0;
    return byte_incr(p, after_plane);
}
template <class T> NPU_INLINE T *add_2d_ptr(T *p, int after_row, int last, int &count, int within) {
    return add_2d_byte(p, after_row * int(sizeof(T)), last, count, within * int(sizeof(T)));
}
