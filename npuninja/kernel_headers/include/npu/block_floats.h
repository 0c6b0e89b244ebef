/* Block floats of AIE2P: 8 (16) values with one exponent. In memory an exponent byte, then the mantissas; a value is
 * mantissa · 2^(exponent - 127 - 6). */
#pragma once

#include <npu/blocks.h>
#include <npu/elements.h>

namespace npu {
/** N values in blocks of Block, as they lie in memory. */
template <unsigned Block, unsigned N> struct __attribute__((packed)) block_row {
    static constexpr unsigned bytes = N / Block * (Block + 1);
    static constexpr unsigned padded = bytes <= 128 ? 128 : bytes <= 256 ? 256 : 512;
    using bytes_row = lanes<u8, padded>;
    using word = integer_of<bytes % 8 == 0 ? 8 : 4, false>::type; // 64 values in blocks of 16 are 68 bytes
    static constexpr unsigned words_n = bytes / sizeof(word);
    word words[words_n];

    NPU_INLINE bytes_row row() const {
        return [&]<unsigned... I>(indices<I...>) {
            return (bytes_row)lanes<word, padded / sizeof(word)>{words[I]...};
        }(count_to<words_n>{});
    }
    NPU_INLINE static block_row of_row(bytes_row row) {
        block_row result;
        const auto all = (lanes<word, padded / sizeof(word)>)row;
        [&]<unsigned... I>(indices<I...>) { ((result.words[I] = all[I]), ...); }(count_to<words_n>{});
        return result;
    }
    NPU_INLINE lanes<i8, N> mantissas() const {
        return (lanes<i8, N>)pick<N>(row(), [](unsigned i) constexpr { return i / Block * (Block + 1) + 1 + i % Block; });
    }
    NPU_INLINE lanes<u8, N> exponents() const {
        return pick<N>(row(), [](unsigned i) constexpr { return i / Block * (Block + 1); });
    }
    NPU_INLINE lanes<float, N> floats() const {
        // The scale in two steps: 2^(exponent - 133) may be no normal number by itself.
        const auto e = convert<u32>(exponents());
        const auto scale = (lanes<float, N>)(higher(e, splat<u32, N>(1)) << 23);
        return convert<float>(mantissas()) * scale * splat<float, N>(0x1p-6f);
    }
    /** The largest exponent of a block counts for all of it; mantissas are shifted by their distance and rounded by the mode. */
    NPU_INLINE static block_row from_floats(lanes<float, N> v) {
        float *in = (float *)registers::work;
        u8 *out = (u8 *)(registers::work + 4096);
        store(in, v);
        convert_blocks(in, out);
        return of_row(load<bytes_row>(out));
    }
    __attribute__((noinline)) static void convert_blocks(const float *in, u8 *out) {
        for (unsigned b = 0; b < N / Block; b++) {
            u32 top = 0;
            for (unsigned i = 0; i < Block; i++) {
                const u32 e = __builtin_bit_cast(u32, in[b * Block + i]) >> 23 & 255;
                top = e > top ? e : top;
            }
            *out++ = u8(top);
            for (unsigned i = 0; i < Block; i++) {
                const u32 bits = __builtin_bit_cast(u32, in[b * Block + i]), e = bits >> 23 & 255;
                i32 mantissa = i32((bits & 0x7fffff) | (e ? 0x800000 : 0));
                if (bits >> 31)
                    mantissa = -mantissa;
                const u32 shift = 17 + top - (e ? e : top ? 1 : 0);
                const lanes<i64, 2> wide = {mantissa, 0};
                const i64 rounded = shift > 50 ? (mantissa < 0 && control().rounding == rounding_mode::floor ? -1 : 0)
                                               : shift_rounded(wide, shift)[0];
                *out++ = u8(rounded > 127 ? 127 : rounded);
            }
        }
    }
};
} // namespace npu

using v32bfp16ebs8 = npu::block_row<8, 32>;
using v64bfp16ebs8 = npu::block_row<8, 64>;
using v128bfp16ebs8 = npu::block_row<8, 128>;
using v64bfp16ebs16 = npu::block_row<16, 64>;
using v128bfp16ebs16 = npu::block_row<16, 128>;
#define NPU_BLOCK_ROWS(half, whole)                                                                                               \
    NPU_INLINE half undef_##half() { return half::of_row({}); }                                                                   \
    NPU_INLINE whole undef_##whole() { return whole::of_row({}); }                                                                \
    NPU_INLINE half extract_##half(const whole &v, int i) { return ((const half *)&v)[i & 1]; }                                   \
    NPU_INLINE whole insert(whole v, int i, const half &part) {                                                                   \
        ((half *)&v)[i & 1] = part;                                                                                               \
        return v;                                                                                                                 \
    }                                                                                                                             \
    NPU_INLINE whole set_##whole(int i, const half &part) { return insert(undef_##whole(), i, part); }                            \
    NPU_INLINE whole concat(const half &a, const half &b) { return insert(set_##whole(0, a), 1, b); }
NPU_BLOCK_ROWS(v64bfp16ebs8, v128bfp16ebs8)
NPU_BLOCK_ROWS(v64bfp16ebs16, v128bfp16ebs16)
#undef NPU_BLOCK_ROWS

namespace npu {
/** The factors of block_product as a multiplication wants them. A function by itself: kernels have hundreds of products. */
template <bool Minus> __attribute__((noinline)) void block_factors(const block_row<8, 64> &a, const block_row<8, 64> &b) {
    const auto x = float_rows_to_bf16_exact(Minus ? -a.floats() : a.floats());
    const auto y = transposed<8>(float_rows_to_bf16_exact(b.floats()));
    store((void *)registers::block_a, x);
    store((void *)registers::block_b, y);
}
/** c + A·Bᵀ of 8×8 blocks, both with the summed index along a row: exact products, one step for each lane. */
template <bool Minus, class C> NPU_INLINE C block_product(const block_row<8, 64> &a, const block_row<8, 64> &b, C c) {
    block_factors<Minus>(a, b);
    store((void *)registers::block_c, c);
    multiply_bf16<8, 8, 8>();
    return load<C>((void *)registers::block_c);
}

/** bfloat16 matrices of the register page as block floats, rows of A and columns of B being blocks: less exact, and what an NPU of this
 * generation does faster. */
template <unsigned M> __attribute__((noinline)) void multiply_bf16_in_blocks() {
    const auto a = bf16_rows_to_float(load<lanes<u16, M * 8>>((void *)registers::block_a));
    const auto b = bf16_rows_to_float(transposed<8>(load<lanes<u16, 64>>((void *)registers::block_b)));
    store((void *)registers::block_a, float_rows_to_bf16_exact(block_row<8, M * 8>::from_floats(a).floats()));
    store((void *)registers::block_b, transposed<8>(float_rows_to_bf16_exact(block_row<8, 64>::from_floats(b).floats())));
    multiply_bf16<M, 8, 8>();
}
} // namespace npu
template <class A> NPU_INLINE v64bfp16ebs8 to_v64bfp16ebs8(const A &acc) { return v64bfp16ebs8::from_floats(acc.npu_row); }
template <class A> NPU_INLINE v64bfp16ebs16 to_v64bfp16ebs16(const A &acc) { return v64bfp16ebs16::from_floats(acc.npu_row); }
template <class C> NPU_INLINE C mac_8x8_8x8T(const v64bfp16ebs8 &a, const v64bfp16ebs8 &b, C c) {
    c.npu_row = npu::block_product<false>(a, b, c.npu_row);
    return c;
}
template <class C> NPU_INLINE C msc_8x8_8x8T(const v64bfp16ebs8 &a, const v64bfp16ebs8 &b, C c) {
    c.npu_row = npu::block_product<true>(a, b, c.npu_row);
    return c;
}
NPU_INLINE v64accfloat mul_8x8_8x8T(const v64bfp16ebs8 &a, const v64bfp16ebs8 &b) {
    return v64accfloat(npu::block_product<false>(a, b, npu::lanes<float, 64>{}));
}
NPU_INLINE v64accfloat negmul_8x8_8x8T(const v64bfp16ebs8 &a, const v64bfp16ebs8 &b) {
    return v64accfloat(npu::block_product<true>(a, b, npu::lanes<float, 64>{}));
}
template <class C>
NPU_INLINE C mac_8x8_8x8T_conf(const v64bfp16ebs8 &a, const v64bfp16ebs8 &b, C c, int zero_acc, int sub_mul, int sub_acc) {
    if (zero_acc)
        c.npu_row = decltype(c.npu_row){};
    if (sub_acc)
        c.npu_row = -c.npu_row;
    return sub_mul ? msc_8x8_8x8T(a, b, c) : mac_8x8_8x8T(a, b, c);
}
