/* Functions by table that MLIR-AIE's runtime library has: exp and tanh of 16 bfloat16 values, the inverse of a float. The tables follow
 * from formulas; an object with them is not needed, and does no harm. */
#pragma once

#include <aie_api/aie.hpp>

namespace npu {
/** Nearest bfloat16 of a positive double. */
constexpr u16 constant_bf16(double x) {
    const float f = float(x);
    return nearest_bf16(__builtin_bit_cast(unsigned, f));
}
constexpr double constant_exp(double x) {
    double sum = 1, term = 1;
    for (int i = 1; i < 16; i++) {
        term *= x / i;
        sum += term;
    }
    return sum;
}
struct exp_tables {
    u16 whole[256], fraction[256];
};
constexpr exp_tables make_exp_tables() {
    exp_tables t{};
    constexpr double e = 2.71828182845904523536;
    double up = 1, down = 1;
    for (int k = 0; k < 128; k++) {
        t.whole[k] = k > 88 ? 0x7ef9 : constant_bf16(up);
        up *= e;
    }
    for (int k = 1; k <= 128; k++) {
        down /= e;
        t.whole[256 - k] = constant_bf16(down);
    }
    for (int k = 0; k < 256; k++)
        t.fraction[k] = constant_bf16(constant_exp(k / 256.0));
    return t;
}
inline constexpr exp_tables exp_table = make_exp_tables();

struct inverse_table {
    u8 mantissa[128];
};
constexpr inverse_table make_inverse_table() {
    inverse_table t{};
    for (int m = 0; m < 128; m++)
        t.mantissa[m] = u8(constant_bf16(1.0 / (1.0 + m / 128.0)) & 127);
    return t;
}
inline constexpr inverse_table inverse_mantissas = make_inverse_table();

/* tanh(x) for x in [k/4, (k+1)/4): slopes and offsets of k = -16 to -1. */
inline constexpr float tanh_slopes[16] = {0.0f,        0.00283813f, 0.00509644f, 0.00750732f, 0.01269531f, 0.02124023f,
                                          0.03540039f, 0.05639648f, 0.09179688f, 0.14550781f, 0.22949219f, 0.34765625f,
                                          0.50390625f, 0.69140625f, 0.8671875f,  1.0f};
inline constexpr float tanh_offsets[16] = {-1.0f,         -0.98828125f,  -0.98046875f,  -0.97265625f, -0.95703125f, -0.93359375f,
                                           -0.8984375f,   -0.8515625f,   -0.78125f,     -0.6875f,     -0.5625f,     -0.41601562f,
                                           -0.25976562f,  -0.11962891f,  -0.03076172f,  0.0f};
struct tanh_tables {
    float slope[32], offset[32];
};
constexpr tanh_tables make_tanh_tables() {
    tanh_tables t{};
    for (int k = 0; k < 16; k++) {
        const u32 slope = u32(nearest_bf16(__builtin_bit_cast(unsigned, tanh_slopes[k]))) << 16;
        const u32 offset = u32(nearest_bf16(__builtin_bit_cast(unsigned, tanh_offsets[k]))) << 16;
        t.slope[k] = t.slope[31 - k] = __builtin_bit_cast(float, slope);
        t.offset[k] = __builtin_bit_cast(float, offset);
        t.offset[31 - k] = -t.offset[k];
    }
    return t;
}
inline constexpr tanh_tables tanh_table = make_tanh_tables();

template <class Word> NPU_INLINE auto look_up16(const Word *table, lanes<i32, 16> index) {
    i32 *at = (i32 *)registers::index_a;
    Word *out = (Word *)registers::work;
    store(at, index);
    for (unsigned i = 0; i < 16; i++)
        out[i] = table[at[i]];
    return load<lanes<Word, 16>>(out);
}
} // namespace npu

/* Templates, so that a kernel may define a function of the same name, as the library's header allows. */

/** exp of 16 values as the product of two table entries: of the whole part and of the 8 bits after the point. */
template <class = void> inline v16accfloat getExpBf16(v16bfloat16 x) {
    using namespace npu;
    const lanes<i32, 16> fixed = bf16_to_integers(x.npu_row, 8) & 0xffff;
    // The look-up's index is shifted to two bits more than it needs, by the mode that is set.
    const lanes<i32, 16> whole = (shift_rounded(fixed, 6) & 1023) >> 2;
    const auto i = bf16_rows_to_float(look_up16(exp_table.whole, whole));
    const auto f = bf16_rows_to_float(look_up16(exp_table.fraction, fixed & 255));
    return v16accfloat(multiply(i, f));
}

template <class = void> inline bfloat16 getInvBf16(float x) {
    const unsigned bits = __builtin_bit_cast(unsigned, x) + 0x8000;
    const unsigned mantissa = bits >> 16 & 127, exponent = bits >> 23 & 255;
    return bfloat16::of_bits(((253 - exponent + (mantissa == 0)) << 7) + npu::inverse_mantissas.mantissa[mantissa]);
}

template <class = void> inline v16bfloat16 getTanhBf16(v16bfloat16 v) {
    using namespace npu;
    const auto x = bf16_rows_to_float(v.npu_row);
    const auto k = lower(higher(floats_to_integers(x, 2) + 16, splat<i32, 16>(0)), splat<i32, 16>(31));
    const auto slope = look_up16(tanh_table.slope, k), offset = look_up16(tanh_table.offset, k);
    return v16bfloat16(float_rows_to_bf16(multiply_add(offset, slope, x)));
}
