/* Small matrices: C += A·B for row-major blocks in the register page. None of it is inlined, so that a kernel with many accumulators
 * compiles fast and its accumulators stay in values. Operands are at registers::block_a, block_b and block_c. */
#pragma once

#include <npu/elements.h>
#include <npu/float_steps.h>

namespace npu {
template <class T> NPU_INLINE T *block(unsigned place) { return (T *)place; }

/** Elements of up to 16 bits into accumulators of 32: pairs along K by the instruction that multiplies and adds pairs. */
template <unsigned M, unsigned K, unsigned N, class A, class B> __attribute__((noinline)) void multiply_pairs() {
    using row = lanes<i16, 8>;
    constexpr unsigned pairs = (K + 1) / 2, n = N < 4 ? 4 : N, groups = n / 4;
    i16 *a = block<i16>(registers::work);
    if constexpr (sizeof(A) == 1)
        store(a, convert<i16>(load<lanes<A, M * K>>(block<A>(registers::block_a))));
    else
        a = block<i16>(registers::block_a);
    // Not a local array: that would lie on the stack, which is the tile's memory.
    row *b = block<row>(registers::work + 2048);
    for (unsigned p = 0; p < pairs; p++) {
        const B *from = block<B>(registers::block_b) + 2 * p * N;
        const auto first = convert<i16>(load<lanes<B, N>>(from));
        auto second = decltype(first){};
        if (2 * p + 1 < K)
            second = convert<i16>(load<lanes<B, N>>(from + N));
        const auto both = widen<2 * n>(zip<1>(first, second));
        store(b + p * groups, both);
    }
    i32 *c = block<i32>(registers::block_c);
#pragma clang loop unroll(disable)
    for (unsigned i = 0; i < M; i++) {
        lanes<i32, 4> sums[groups];
        for (unsigned g = 0; g < groups; g++)
            sums[g] = N < 4 ? widen<4>(load<lanes<i32, N>>(c + i * N)) : load<lanes<i32, 4>>(c + i * N + g * 4);
#pragma clang loop unroll(full)
        for (unsigned p = 0; p < pairs; p++) {
            const i32 pair = K % 2 == 0 ? *(const i32 *)(a + i * K + 2 * p)
                                        : i32(u16(a[i * K + 2 * p])) | (2 * p + 1 < K ? i32(a[i * K + 2 * p + 1]) << 16 : 0);
            const row both = bits_as<i16>(splat<i32, 4>(pair));
#pragma clang loop unroll(full)
            for (unsigned g = 0; g < groups; g++)
                sums[g] += __builtin_wasm_dot_s_i32x4_i16x8(both, b[p * groups + g]);
        }
        for (unsigned g = 0; g < groups; g++) {
            if constexpr (N < 4)
                store(c + i * N, part<N, 0>(sums[g]));
            else
                store(c + i * N + g * 4, sums[g]);
        }
    }
}

/** The same for the smallest blocks, on rows: what a call would cost is more than the work. K is even, N a multiple of 4. */
template <unsigned M, unsigned K, unsigned N, class RA, class RB, class RC> NPU_INLINE RC pairs_of_rows(RA a, RB b, RC c) {
    const auto x = convert<i16>(a);
    const auto y = convert<i16>(b);
    // Each pair of rows of B, element by element in turn.
    const auto zipped = pick<K * N>(y, [](unsigned i) constexpr {
        const unsigned pair = i / (2 * N), column = i % (2 * N) / 2;
        return (2 * pair + i % 2) * N + column;
    });
    return [&]<unsigned... R>(indices<R...>) {
        RC sum = c;
        (
            [&] {
                constexpr unsigned row = R / (N / 4), group = R % (N / 4);
                auto total = part<4, row * N + group * 4>(sum);
                [&]<unsigned... P>(indices<P...>) {
                    ((total += __builtin_wasm_dot_s_i32x4_i16x8(
                          pick<8>(x, [](unsigned i) constexpr { return row * K + 2 * P + i % 2; }),
                          part<8, P * 2 * N + group * 8>(zipped))),
                     ...);
                }(count_to<K / 2>{});
                sum = with_known_part<R>(sum, total);
            }(),
            ...);
        return sum;
    }(count_to<M * N / 4>{});
}

/** Any elements into accumulators of C lanes, k by k. */
template <unsigned M, unsigned K, unsigned N, class A, class B, class C> __attribute__((noinline)) void multiply_rows() {
    const A *a = block<A>(registers::block_a);
    C *c = block<C>(registers::block_c);
    for (unsigned i = 0; i < M; i++) {
        auto sum = load<lanes<C, N>>(c + i * N);
        for (unsigned k = 0; k < K; k++)
            sum += splat<C, N>(C(a[i * K + k])) * convert<C>(load<lanes<B, N>>(block<B>(registers::block_b) + k * N));
        store(c + i * N, sum);
    }
}

/** Complex integers: elements are pairs of lanes A (B), or B real; accumulators are pairs of 64 bits. */
template <unsigned M, unsigned K, unsigned N, class A, class B, bool RealB> __attribute__((noinline)) void multiply_complex() {
    const A *a = block<A>(registers::block_a);
    i64 *c = block<i64>(registers::block_c);
    for (unsigned i = 0; i < M; i++) {
        auto sum = load<lanes<i64, 2 * N>>(c + 2 * i * N);
        for (unsigned k = 0; k < K; k++) {
            const i64 re = a[2 * (i * K + k)], im = a[2 * (i * K + k) + 1];
            const auto both = zip<1>(splat<i64, N>(re), splat<i64, N>(im));
            if constexpr (RealB) {
                const auto y = convert<i64>(load<lanes<B, N>>(block<B>(registers::block_b) + k * N));
                sum += both * zip<1>(y, y);
            } else {
                const auto y = convert<i64>(load<lanes<B, 2 * N>>(block<B>(registers::block_b) + 2 * k * N));
                const auto real = every_other<1, false>(y), imaginary = every_other<1, true>(y);
                sum += both * zip<1>(real, real) + zip<1>(splat<i64, N>(-im), splat<i64, N>(re)) * zip<1>(imaginary, imaginary);
            }
        }
        store(c + 2 * i * N, sum);
    }
}

/** Operands that are words already, A at `work`, B 4 KiB after it. */
template <unsigned M, unsigned K, unsigned N, class C> __attribute__((noinline)) void multiply_words() {
    const i32 *a = block<i32>(registers::work), *b = block<i32>(registers::work + 4096);
    C *c = block<C>(registers::block_c);
    for (unsigned i = 0; i < M; i++) {
        auto sum = load<lanes<C, N>>(c + i * N);
        for (unsigned k = 0; k < K; k++)
            sum += splat<C, N>(C(a[i * K + k])) * convert<C>(load<lanes<i32, N>>(b + k * N));
        store(c + i * N, sum);
    }
}

/** bfloat16, K products in as many steps, k by k: what AIE2P does, and AIE2 where K is 1. */
template <unsigned M, unsigned K, unsigned N> __attribute__((noinline)) void multiply_bf16_singly() {
    const u16 *a = block<u16>(registers::block_a);
    float *c = block<float>(registers::block_c);
    for (unsigned i = 0; i < M; i++) {
        auto sum = load<lanes<float, N>>(c + i * N);
        for (unsigned k = 0; k < K; k++) {
            const float x = __builtin_bit_cast(float, u32(a[i * K + k]) << 16);
            sum = multiply_add(sum, splat<float, N>(x), bf16_rows_to_float(load<lanes<u16, N>>(block<u16>(registers::block_b) + k * N)));
        }
        store(c + i * N, sum);
    }
}

/** float32 by parts of bfloat16, k by k. */
template <unsigned M, unsigned K, unsigned N> __attribute__((noinline)) void multiply_floats() {
    const float *a = block<float>(registers::block_a);
    float *c = block<float>(registers::block_c);
    for (unsigned i = 0; i < M; i++) {
        auto sum = load<lanes<float, N>>(c + i * N);
        for (unsigned k = 0; k < K; k++) {
            const auto y = load<lanes<float, N>>(block<float>(registers::block_b) + k * N);
            sum = emulated_multiply_add<true, false>(sum, splat<float, N>(a[i * K + k]), y);
        }
        store(c + i * N, sum);
    }
}

/** bfloat16, all K products of a lane in one step. The exponents of two rows are found at once, in lanes of 16 bits: row i in the
 * even ones, row i + 1 in the odd ones. */
template <unsigned M, unsigned K, unsigned N> __attribute__((noinline)) void multiply_bf16() {
    using F = lanes<float, 4>;
    using I = lanes<i32, 4>;
    using E = lanes<i16, 8>;
    static_assert(M % 2 == 0, "rows come in pairs");
    constexpr unsigned groups = N / 4;
    float *c = block<float>(registers::block_c);
    const auto a_all = load<lanes<u16, M * K>>(block<u16>(registers::block_a));
    const auto b_all = load<lanes<u16, K * N>>(block<u16>(registers::block_b));
    float *a = block<float>(registers::work);
    i32 *ae = block<i32>(registers::work + 2048); // of rows i and i + 1, for each k
    store(a, bf16_rows_to_float(a_all));
    const auto a_exponents = factor_exponents_bf16(a_all) - i16(127);
    store(ae, pick<M * K>(a_exponents, [](unsigned i) constexpr { return (i / (2 * K) * 2 + i % 2) * K + i % (2 * K) / 2; }));
    F *b = block<F>(registers::work + 4096);
    u16 *single = block<u16>(registers::work + 6144);
    E *be = block<E>(registers::work + 7168);
    store(b, bf16_rows_to_float(b_all));
    store(single, factor_exponents_bf16(b_all));
    for (unsigned at = 0; at < K * groups; at++) {
        const auto e = convert<u32>(load<lanes<u16, 4>>(single + at * 4));
        be[at] = bits_as<i16>(e | e << 16);
    }
#pragma clang loop unroll(disable)
    for (unsigned i = 0; i < M; i += 2) {
#pragma clang loop unroll(full)
        for (unsigned g = 0; g < groups; g++) {
            E both{};
#ifndef NPU_FLOAT_FAST
            both = bits_as<i16>(splat<i32, 4>(ae[i / 2 * K])) + be[g];
#pragma clang loop unroll(full)
            for (unsigned k = 1; k < K; k++)
                both = higher(both, bits_as<i16>(splat<i32, 4>(ae[i / 2 * K + k])) + be[k * groups + g]);
#endif
#pragma clang loop unroll(full)
            for (unsigned r = 0; r < 2; r++) {
                const float *row = a + (i + r) * K;
                float *out = c + (i + r) * N + g * 4;
                const F old = load<F>(out);
#ifdef NPU_FLOAT_FAST
                F fast = old;
                for (unsigned k = 0; k < K; k++)
                    fast += splat<float, 4>(row[k]) * b[k * groups + g];
                store(out, fast);
                continue;
#endif
                I e = r ? bits_as<i32>(both) >> 16 : (bits_as<i32>(both) << 16) >> 16;
                e = higher(e, factor_exponents(old));
                if (__builtin_expect(any((I)(e > 253) | ((I)(e < 30) & (I)(e > -1000))), 0)) {
                    F x[K], y[K];
                    for (unsigned k = 0; k < K; k++)
                        x[k] = splat<float, 4>(row[k]), y[k] = b[k * groups + g];
                    const F accumulators[1] = {old};
                    store(out, rare_step(accumulators, x, y));
                    continue;
                }
                e = higher(e, splat<i32, 4>(30));
                const F up = (F)((277 - e) << 23), down = (F)((e - 23) << 23);
                I sum = truncated(__builtin_elementwise_roundeven(old * up));
#pragma clang loop unroll(full)
                for (unsigned k = 0; k < K; k++)
                    sum += truncated(__builtin_elementwise_roundeven(splat<float, 4>(row[k]) * b[k * groups + g] * up));
                store(out, convert<float>(sum) * down);
            }
        }
    }
}

/** Complex bfloat16, all products of a lane in one step: 2·K where both operands are complex, K where one is real. */
template <unsigned M, unsigned K, unsigned N, bool RealA, bool RealB> __attribute__((noinline)) void multiply_complex_bf16() {
    using F = lanes<float, 2 * N>;
    constexpr unsigned terms = RealA || RealB ? K : 2 * K;
    const auto number = [](u16 bits) { return __builtin_bit_cast(float, u32(bits) << 16); };
    const u16 *a = block<u16>(registers::block_a), *b = block<u16>(registers::block_b);
    float *c = block<float>(registers::block_c);
    F x[terms], y[terms];
#pragma clang loop unroll(disable)
    for (unsigned i = 0; i < M; i++) {
#pragma clang loop unroll(full)
        for (unsigned k = 0; k < K; k++) {
            const unsigned at = i * K + k;
            const auto row = [&] {
                if constexpr (RealB) {
                    const auto real = bf16_rows_to_float(load<lanes<u16, N>>(b + k * N));
                    return zip<1>(real, real);
                } else
                    return bf16_rows_to_float(load<lanes<u16, 2 * N>>(b + 2 * k * N));
            }();
            if constexpr (RealA)
                x[k] = splat<float, 2 * N>(number(a[at])), y[k] = row;
            else if constexpr (RealB)
                x[k] = zip<1>(splat<float, N>(number(a[2 * at])), splat<float, N>(number(a[2 * at + 1]))), y[k] = row;
            else {
                const float im = number(a[2 * at + 1]);
                x[k] = splat<float, 2 * N>(number(a[2 * at])), y[k] = row;
                x[K + k] = zip<1>(splat<float, N>(-im), splat<float, N>(im));
                y[K + k] = pick<2 * N>(row, [](unsigned j) constexpr { return j ^ 1; });
            }
        }
        store(c + 2 * i * N, multiply_add_many(load<F>(c + 2 * i * N), x, y));
    }
}
} // namespace npu
