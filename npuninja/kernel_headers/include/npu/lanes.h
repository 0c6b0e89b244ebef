/* Rows of lanes: clang vectors of any length, and the few operations on them that clang has no operator for.
 *
 * Lengths are powers of two. An operation on a row of n lanes is one operation of the compiler's intermediate code, however many
 * wasm instructions it becomes: that keeps compiling fast. Nothing here may take the address of a row, since the wasm stack is the
 * tile's memory and an NPU keeps rows in registers; a run-time index goes by way of the register page (npu/control.h). */
#pragma once

#include <npu/control.h>
#include <stdint.h>
#include <utility>

#define NPU_INLINE __attribute__((always_inline)) inline

namespace npu {
using u8 = unsigned char;
using i8 = signed char;
using u16 = unsigned short;
using i16 = short;
using u32 = unsigned int;
using i32 = int;
using u64 = unsigned long long;
using i64 = long long;

template <class L, unsigned N> struct lanes_of { typedef L type __attribute__((vector_size(N * sizeof(L)), aligned(4))); };
/** N lanes of the arithmetic type L. */
template <class L, unsigned N> using lanes = typename lanes_of<L, N>::type;

template <unsigned Bytes, bool Signed> struct integer_of;
template <> struct integer_of<1, true> { using type = i8; };
template <> struct integer_of<2, true> { using type = i16; };
template <> struct integer_of<4, true> { using type = i32; };
template <> struct integer_of<8, true> { using type = i64; };
template <> struct integer_of<1, false> { using type = u8; };
template <> struct integer_of<2, false> { using type = u16; };
template <> struct integer_of<4, false> { using type = u32; };
template <> struct integer_of<8, false> { using type = u64; };
/** The integer type as wide as L. */
template <class L, bool Signed = true> using integer = typename integer_of<sizeof(L), Signed>::type;

/** The numbers 0 to N - 1 as a pack. */
template <unsigned... I> struct indices {};
template <class T, T... I> struct indices_from { using type = indices<unsigned(I)...>; };
template <unsigned N> using count_to = typename __make_integer_seq<indices_from, unsigned, N>::type;

template <class To, class L, unsigned N> struct row; // only to deduce

template <class V> struct row_traits;
template <class V> inline constexpr unsigned lane_count = sizeof(V) / sizeof(*(V *)nullptr)[0];

/* Everything here ends in one of these two: they take values, since what a lambda captures by reference is memory to begin with, which
 * the compiler then has to get rid of, thousands of times in a kernel. */
template <class V, unsigned... I> NPU_INLINE auto first_lane_in_all(V one, indices<I...>) {
    return __builtin_shufflevector(one, one, (I * 0)...);
}
template <class F, class V, unsigned... I> NPU_INLINE auto picked(V a, V b, indices<I...>) {
    return __builtin_shufflevector(a, b, int(F{}(I))...);
}

/** All lanes x. */
template <class L, unsigned N> NPU_INLINE lanes<L, N> splat(L x) { return first_lane_in_all(lanes<L, 1>{x}, count_to<N>{}); }

/** Lane i of the result is lane F(i) of the 2n lanes of a and b. F is a constexpr function object. */
template <unsigned M, class V, class F> NPU_INLINE auto pick(V a, V b, F) { return picked<F>(a, b, count_to<M>{}); }
template <unsigned M, class V, class F> NPU_INLINE auto pick(V a, F f) { return pick<M>(a, a, f); }

/** M lanes from lane Start on. */
template <unsigned M, unsigned Start, class V> NPU_INLINE auto part(V v) {
    return pick<M>(v, [](unsigned i) constexpr { return i + Start; });
}

/** b after a. */
template <class V> NPU_INLINE auto join(V a, V b) {
    constexpr unsigned n = sizeof(V) / sizeof(a[0]);
    return pick<2 * n>(a, b, [](unsigned i) constexpr { return i; });
}

/** The lanes, then others, whose content is zero. */
template <unsigned M, class V> NPU_INLINE auto widen(V v) {
    constexpr unsigned n = sizeof(V) / sizeof(v[0]);
    if constexpr (M == n)
        return v;
    else
        return pick<M>(v, V{}, [](unsigned i) constexpr { return i < n ? i : n; });
}

template <class To, class V> NPU_INLINE auto convert(V v) {
    return __builtin_convertvector(v, lanes<To, sizeof(V) / sizeof(v[0])>);
}

/** The same bits as lanes of another type. */
template <class To, class V> NPU_INLINE auto bits_as(V v) { return (lanes<To, sizeof(V) / sizeof(To)>)v; }

template <class V> NPU_INLINE V choose(decltype(V{} < V{}) where, V yes, V no) { return where ? yes : no; }
template <class V> NPU_INLINE V lower(V a, V b) { return a < b ? a : b; }
template <class V> NPU_INLINE V higher(V a, V b) { return a > b ? a : b; }

/** Whether any bit of a row is set. */
template <class V> NPU_INLINE bool any(V v) {
    if constexpr (sizeof(V) > 16) {
        constexpr unsigned n = sizeof(V) / sizeof(v[0]);
        return any(part<n / 2, 0>(v) | part<n / 2, n / 2>(v));
    } else if constexpr (sizeof(V) == 16)
        return __builtin_wasm_any_true_v128(bits_as<i8>(v));
    else
        return any(widen<16 / sizeof(v[0])>(v));
}

/** Lane i, modulo the number of lanes. */
template <class V> NPU_INLINE auto lane(V v, unsigned i) {
    constexpr unsigned n = sizeof(V) / sizeof(v[0]);
    using L = __remove_cvref(decltype(v[0]));
    if (__builtin_constant_p(i))
        return L(v[i % n]);
    V *place = (V *)registers::index_a;
    *place = v;
    return ((volatile L *)place)[i % n];
}

/** v with lane i, modulo the number of lanes, replaced. */
template <class V, class L> NPU_INLINE V with_lane(V v, unsigned i, L x) {
    constexpr unsigned n = sizeof(V) / sizeof(v[0]);
    if (__builtin_constant_p(i)) {
        v[i % n] = x;
        return v;
    }
    V *place = (V *)registers::index_a;
    *place = v;
    ((L *)place)[i % n] = x;
    return *place;
}

/** M lanes from part i (of M lanes each) on, modulo. */
template <unsigned M, class V> NPU_INLINE auto part_at(V v, unsigned i) {
    constexpr unsigned n = sizeof(V) / sizeof(v[0]);
    using L = __remove_cvref(decltype(v[0]));
    if constexpr (M == n)
        return v;
    else {
        if (__builtin_constant_p(i)) {
            // One shuffle for each possible part; all but one fall away.
            lanes<L, M> found = part<M, 0>(v);
            [&]<unsigned... P>(indices<P...>) {
                ((i % (n / M) == P ? void(found = part<M, P * M>(v)) : void()), ...);
            }(count_to<n / M>{});
            return found;
        }
        V *place = (V *)registers::index_a;
        *place = v;
        return ((lanes<L, M> *)place)[i % (n / M)];
    }
}

/** v with part I, of as many lanes as x has, replaced. */
template <unsigned I, class V, class P> NPU_INLINE V with_known_part(V v, P x) {
    constexpr unsigned n = sizeof(V) / sizeof(v[0]), m = sizeof(P) / sizeof(x[0]);
    return pick<n>(v, widen<n>(x), [](unsigned j) constexpr { return j / m == I ? n + j % m : j; });
}

/** v with part i (of M lanes) replaced. */
template <class V, class P> NPU_INLINE V with_part(V v, unsigned i, P x) {
    constexpr unsigned n = sizeof(V) / sizeof(v[0]), m = sizeof(P) / sizeof(x[0]);
    if constexpr (m == n)
        return x;
    else {
        if (__builtin_constant_p(i)) {
            V result = v;
            [&]<unsigned... K>(indices<K...>) {
                ((i % (n / m) == K ? void(result = with_known_part<K>(v, x)) : void()), ...);
            }(count_to<n / m>{});
            return result;
        }
        V *place = (V *)registers::index_a;
        *place = v;
        ((P *)place)[i % (n / m)] = x;
        return *place;
    }
}

/** Chunks of Step lanes of a and b in turn; the 2n lanes of the result. */
template <unsigned Step, class V> NPU_INLINE auto zip(V a, V b) {
    constexpr unsigned n = sizeof(V) / sizeof(a[0]);
    return pick<2 * n>(a, b, [](unsigned i) constexpr {
        return i / Step % 2 * n + i / Step / 2 * Step + i % Step;
    });
}

/** The even (Odd: odd) chunks of Step lanes of a row. */
template <unsigned Step, bool Odd, class V> NPU_INLINE auto every_other(V v) {
    constexpr unsigned n = sizeof(V) / sizeof(v[0]);
    return pick<n / 2>(v, [](unsigned i) constexpr { return i / Step * 2 * Step + i % Step + (Odd ? Step : 0); });
}

/** A row-major matrix of Rows rows of chunks of Step lanes, as its transpose: the two halves are zipped log2(Rows) times, so that
 * each step needs two source registers only. */
template <unsigned Rows, unsigned Step = 1, class V> NPU_INLINE V transposed(V v) {
    constexpr unsigned n = sizeof(V) / sizeof(v[0]);
    if constexpr (Rows <= 1 || Rows * Step >= n)
        return v;
    else
        return transposed<Rows / 2, Step>(zip<Step>(part<n / 2, 0>(v), part<n / 2, n / 2>(v)));
}

/** A row at any address: a deduced type has lost the alignment that `lanes` says, and the compiler would believe in the row's own. */
template <class V> struct __attribute__((packed, may_alias)) anywhere {
    V row;
};
template <class V> NPU_INLINE V load(const void *p) { return ((const anywhere<V> *)p)->row; }
template <class V> NPU_INLINE void store(void *p, V v) { ((anywhere<V> *)p)->row = v; }

/** A row where the interface wants an aligned one. A module cannot promise more than 16 bytes, of wider rows too: checked runs look
 * at that, unchecked ones go to the address as it is. */
template <class V> struct __attribute__((packed, aligned(sizeof(V) < 16 ? sizeof(V) : 16), may_alias)) in_place {
    V row;
};
template <class V> NPU_INLINE V load_aligned(const void *p) { return ((const in_place<V> *)p)->row; }
template <class V> NPU_INLINE void store_aligned(void *p, V v) { ((in_place<V> *)p)->row = v; }
} // namespace npu
