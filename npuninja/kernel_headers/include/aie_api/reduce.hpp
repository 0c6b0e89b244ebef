/* Sums, products and extremes across lanes. */
#pragma once

#include <aie_api/shuffle.hpp>

namespace aie {
namespace npu_detail {
template <class T, unsigned N, class F> NPU_INLINE T halved(const vector<T, N> &v, F f) {
    if constexpr (N * npu::element<T>::bits <= 32 || N == 1)
        return [&] {
            T r = v.get(0);
            for (unsigned i = 1; i < N; i++)
                r = f(r, v.get(i));
            return r;
        }();
    else
        return halved(f(v.template extract<N / 2>(0), v.template extract<N / 2>(1)), f);
}
/** Lane i and lane i + n/2, then n/4, …, each an addition of accumulators. At least four lanes are kept, the rest is not used. */
template <unsigned N, class F> NPU_INLINE float halved_sum(F v) {
    constexpr unsigned n = sizeof(F) / 4;
    if constexpr (N == 1)
        return v[0];
    else if constexpr (n > 4)
        return halved_sum<N / 2>(npu::add(npu::part<n / 2, 0>(v), npu::part<n / 2, n / 2>(v)));
    else
        return halved_sum<N / 2>(npu::add(v, npu::pick<4>(v, [](unsigned i) constexpr { return (i + N / 2) % 4; })));
}
/** Parts First to Last - 1 of `Width` lanes, added one after another. */
template <unsigned Width, unsigned First, unsigned Last, class F> NPU_INLINE auto parts_added(F v) {
    if constexpr (Last - First == 1)
        return npu::part<Width, First * Width>(v);
    else
        return npu::add(parts_added<Width, First, Last - 1>(v), npu::part<Width, (Last - 1) * Width>(v));
}
/** The sum of all lanes. More than two registers: on AIE2 the registers of each half in turn, then the halves; on AIE2P all in turn. */
template <unsigned N, class F> NPU_INLINE float register_sum(F v) {
    constexpr unsigned width = __AIE_ARCH__ >= 21 ? 32 : 16, count = N / width;
    if constexpr (count <= 2)
        return halved_sum<N>(v);
    else if constexpr (__AIE_ARCH__ >= 21)
        return halved_sum<width>(parts_added<width, 0, count>(v));
    else
        return halved_sum<width>(npu::add(parts_added<width, 0, count / 2>(v), parts_added<width, count / 2, count>(v)));
}
/** Sums of groups of 8 consecutive elements, a step each; further 32 elements are a next step. Lanes 0 to 3. */
template <unsigned N, unsigned First, class V> NPU_INLINE npu::lanes<float, 4> group_sums(V row, npu::lanes<float, 4> c) {
    using F4 = npu::lanes<float, 4>;
    constexpr unsigned n = sizeof(V) / 4;
    F4 a[8], b[8];
    [&]<unsigned... K>(npu::indices<K...>) {
        ((a[K] = npu::pick<4>(row, V{}, [](unsigned i) constexpr { return First + i * 8 + K < N ? First + i * 8 + K : n; }),
          b[K] = npu::splat<float, 4>(1.0f)),
         ...);
    }(npu::count_to<8>{});
    const F4 sum = npu::multiply_add_many(c, a, b);
    if constexpr (First + 32 < N)
        return group_sums<N, First + 32>(row, sum);
    else
        return sum;
}
} // namespace npu_detail

template <class T, unsigned N> NPU_INLINE T reduce_add(const vector<T, N> &v) {
    using namespace npu_detail;
    if constexpr (std::is_same_v<T, float>)
        return register_sum<N>(v.npu_row);
    else if constexpr (is_bf16<T> && __AIE_ARCH__ >= 21) {
        return bfloat16::of_bits(npu::float_rows_to_bf16(npu::splat<float, 4>(register_sum<N>(npu::bf16_rows_to_float(v.npu_row))))[0]);
    } else if constexpr (std::is_same_v<T, bfloat16>) {
        const auto r = group_sums<N, 0>(npu::bf16_rows_to_float(v.npu_row), npu::lanes<float, 4>{});
        return bfloat16::of_bits(npu::float_rows_to_bf16(npu::splat<float, 4>(halved_sum<(N >= 32 ? 4 : N / 8)>(r)))[0]);
    } else if constexpr (npu::element<T>::is_complex) {
        constexpr unsigned n = 2 * N;
        auto row = v.npu_row;
        using C = typename T::component;
        typename vector<T, N>::row_type sum = row;
        for (unsigned step = N; step > 1; step /= 2)
            sum = npu_detail::sum<C>(sum, npu_detail::window(sum, sum, step));
        (void)n;
        return vector<T, N>::of_row(sum).get(0);
    } else if constexpr (sizeof(T) <= 2) {
        // Folded in its own width to 16 (8) elements; their exact sum leaves by way of an accumulator.
        constexpr unsigned last = 16 / sizeof(T);
        if constexpr (N > last)
            return reduce_add(vector<T, N / 2>::of_row(npu::part<N / 2, 0>(v.npu_row) + npu::part<N / 2, N / 2>(v.npu_row)));
        else {
            const auto wide = npu::convert<int>(v.npu_row);
            return T(npu::limited<T>(npu::lanes<int, 1>{__builtin_reduce_add(wide)})[0]);
        }
    } else
        return T(__builtin_reduce_add(v.npu_row));
}
template <class T, unsigned N> NPU_INLINE T reduce_max(const vector<T, N> &v) {
    if constexpr (npu::element<T>::is_float)
        return npu_detail::halved(v, [](const auto &a, const auto &b) {
            if constexpr (Vector<decltype(a)>)
                return aie::max(a, b);
            else
                return float(a) > float(b) ? a : b;
        });
    else
        return T(__builtin_reduce_max(v.npu_row));
}
template <class T, unsigned N> NPU_INLINE T reduce_min(const vector<T, N> &v) {
    if constexpr (npu::element<T>::is_float)
        return npu_detail::halved(v, [](const auto &a, const auto &b) {
            if constexpr (Vector<decltype(a)>)
                return aie::min(a, b);
            else
                return float(a) < float(b) ? a : b;
        });
    else
        return T(__builtin_reduce_min(v.npu_row));
}
template <class T, unsigned N> NPU_INLINE T reduce_mul(const vector<T, N> &v) {
    return npu_detail::halved(v, [](const auto &a, const auto &b) {
        if constexpr (Vector<decltype(a)>)
            return aie::mul(a, b).template to_vector<T>();
        else
            return T(a * b);
    });
}
/** The sum of each input in one lane. */
template <class T, unsigned N, class... V> NPU_INLINE auto reduce_add_v(const vector<T, N> &first, const V &...rest) {
    constexpr unsigned count = 1 + sizeof...(rest);
    constexpr unsigned least = 128 / npu::element<T>::bits;
    vector<T, (N > least ? N : least)> result;
    unsigned i = 0;
    result.set(reduce_add(first), i++);
    (result.set(reduce_add(rest), i++), ...);
    static_assert(count <= (N > least ? N : least), "aie::reduce_add_v: too many vectors");
    return result;
}
/* Older names. */
template <class T, unsigned N> NPU_INLINE T add_reduce(const vector<T, N> &v) { return reduce_add(v); }
template <class T, unsigned N> NPU_INLINE T max_reduce(const vector<T, N> &v) { return reduce_max(v); }
template <class T, unsigned N> NPU_INLINE T min_reduce(const vector<T, N> &v) { return reduce_min(v); }
template <class T, unsigned N> NPU_INLINE T mul_reduce(const vector<T, N> &v) { return reduce_mul(v); }
template <class T, unsigned N, class... V> NPU_INLINE auto add_reduce_v(const vector<T, N> &first, const V &...rest) {
    return reduce_add_v(first, rest...);
}
} // namespace aie
