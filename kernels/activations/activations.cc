/* Softmax, layer normalisation and gelu of rows of bfloat16, on the AIE API; for npu1 by tables, for npu2 by its instructions. */
#include <aie_api/aie.hpp>
#include <lut_based_ops.h>

namespace {
using Row = aie::vector<bfloat16, 16>;

Row exponential(const Row &x) {
#if __AIE_ARCH__ >= 21
    // 2^(x / ln 2)
    return aie::exp2<bfloat16>(aie::mul(x, bfloat16(1.4453125f)).to_vector<float>());
#else
    return aie::vector<bfloat16, 16>(to_v16bfloat16(getExpBf16(x)));
#endif
}
Row hyperbolic_tangent(const Row &x) {
#if __AIE_ARCH__ >= 21
    return aie::tanh<bfloat16>(aie::accum<accfloat, 16>(x).to_vector<float>());
#else
    return getTanhBf16(x);
#endif
}
} // namespace

extern "C" {
/* exp(x - max) over its sum; n is a multiple of 16. */
void softmax(const bfloat16 *restrict in, bfloat16 *restrict out, int32 n) {
    event0();
    // The table of exp is looked up by the mode, and only floor takes the entry that is meant.
    aie::set_rounding(aie::rounding_mode::floor);
    Row largest = aie::load_v<16>(in);
    for (int32 i = 16; i < n; i += 16)
        largest = aie::max(largest, aie::load_v<16>(in + i));
    const Row top = aie::broadcast<bfloat16, 16>(aie::reduce_max(largest));
    aie::accum<accfloat, 16> total = aie::zeros<accfloat, 16>();
    for (int32 i = 0; i < n; i += 16) {
        const Row e = exponential(aie::sub(aie::load_v<16>(in + i), top));
        total = aie::add(total, e);
        aie::store_v(out + i, e);
    }
    aie::set_rounding(aie::rounding_mode::conv_even);
    const bfloat16 scale = bfloat16(aie::inv(aie::reduce_add(total.to_vector<float>())));
    for (int32 i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::mul(aie::load_v<16>(out + i), scale).to_vector<bfloat16>());
    event1();
}

/* (x - mean) / sqrt(variance + epsilon); n is a multiple of 16. */
void layer_norm(const bfloat16 *restrict in, bfloat16 *restrict out, int32 n) {
    event0();
    aie::set_rounding(aie::rounding_mode::conv_even);
    aie::accum<accfloat, 16> sum = aie::zeros<accfloat, 16>(), squares = aie::zeros<accfloat, 16>();
    for (int32 i = 0; i < n; i += 16) {
        const Row x = aie::load_v<16>(in + i);
        sum = aie::add(sum, x);
        squares = aie::mac(squares, x, x);
    }
    const float share = 1.0f / float(n);
    const float mean = aie::reduce_add(sum.to_vector<float>()) * share;
    const float variance = aie::reduce_add(squares.to_vector<float>()) * share - mean * mean;
    const Row shift = aie::broadcast<bfloat16, 16>(mean);
    const Row scale = aie::broadcast<bfloat16, 16>(aie::invsqrt(variance + 1e-5f));
    for (int32 i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::mul(aie::sub(aie::load_v<16>(in + i), shift), scale).to_vector<bfloat16>());
    event1();
}

/* x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))); n is a multiple of 16. */
void gelu(const bfloat16 *restrict in, bfloat16 *restrict out, int32 n) {
    event0();
    aie::set_rounding(aie::rounding_mode::conv_even);
    const Row one = aie::broadcast<bfloat16, 16>(1.0f);
    for (int32 i = 0; i < n; i += 16) {
        const Row x = aie::load_v<16>(in + i);
        const Row x2 = aie::mul(x, x), x3 = aie::mul(x, x2), small = aie::mul(x3, bfloat16(0.044715f));
        const Row inner = aie::mul(aie::add(x, small), bfloat16(0.7978845608f));
        const Row half = aie::mul(x, bfloat16(0.5f));
        aie::store_v(out + i, aie::mul(half, aie::add(hyperbolic_tangent(inner), one)).to_vector<bfloat16>());
    }
    event1();
}
}
