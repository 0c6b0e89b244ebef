// Kernels as people write them: loops over vectors of the API, each a small job of its own.
#include <aie_api/aie.hpp>
#include <lut_based_ops.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <type_traits>

template <typename T, int N>
__attribute__((noinline)) void pass(const T *restrict in, T *restrict out, const int32_t height, const int32_t width) {
    event0();
    v64uint8 *restrict outPtr = (v64uint8 *)out;
    v64uint8 *restrict inPtr = (v64uint8 *)in;
    for (int j = 0; j < (height * width); j += N) chess_prepare_for_pipelining chess_loop_range(1, ) { *outPtr++ = *inPtr++; }
    event1();
}
template <typename T, typename U, int V> void vector_add(const T *a, const T *b, U *c, int n) {
    const T *__restrict pA = a;
    const T *__restrict pB = b;
    U *__restrict pC = c;
    for (int i = 0; i < n / V; i++) {
        aie::vector<T, V> A0 = aie::load_v<V>(pA);
        pA += V;
        aie::vector<T, V> B0 = aie::load_v<V>(pB);
        pB += V;
        aie::store_v(pC, aie::add(A0, B0));
        pC += V;
    }
}
template <typename T, typename Acc, int V> void scale(const T *a, T *c, T factor, int shift, int n) {
    aie::set_saturation(aie::saturation_mode::saturate);
    aie::set_rounding(aie::rounding_mode::positive_inf);
    for (int i = 0; i < n; i += V) {
        aie::vector<T, V> x = aie::load_v<V>(a + i);
        aie::accum<Acc, V> y = aie::mul<Acc>(x, factor);
        aie::store_v(c + i, y.template to_vector<T>(shift));
    }
    aie::set_saturation(aie::saturation_mode::none);
    aie::set_rounding(aie::rounding_mode::floor);
}
template <typename T, int M, int K, int N, int r, int s, int t, typename TO> void matmul(const T *a, const T *b, TO *c) {
    using MMUL = aie::mmul<r, s, t, T, T, accauto>;
    for (unsigned z = 0; z < M / r; z++)
        for (unsigned j = 0; j < N / t; j++) {
            MMUL C(aie::zeros<typename MMUL::accum_tag, MMUL::size_C>());
            for (unsigned i = 0; i < K / s; i++)
                C.mac(aie::load_v<MMUL::size_A>(a + (z * (K / s) + i) * MMUL::size_A),
                      aie::load_v<MMUL::size_B>(b + (i * (N / t) + j) * MMUL::size_B));
            aie::store_v(c + (z * (N / t) + j) * MMUL::size_C, C.template to_vector<TO>());
        }
}
template <unsigned N> static aie::vector<bfloat16, N> exponential(aie::vector<bfloat16, N> x) {
    aie::vector<bfloat16, N> y;
    for (unsigned i = 0; i < N / 16; i++)
        y.insert(i, aie::vector<bfloat16, 16>(to_v16bfloat16(getExpBf16(x.template extract<16>(i)))));
    return y;
}

extern "C" {
void copy_bytes(const uint8_t *a, const uint8_t *b, uint8_t *out) { pass<uint8_t, 64>(a, out, 4, 64); }
void add_int16(const int16 *a, const int16 *b, int16 *out) { vector_add<int16, int16, 32>(a, b, out, 256); }
void add_int32(const int32 *a, const int32 *b, int32 *out) { vector_add<int32, int32, 16>(a, b, out, 256); }
void sub_uint8(const uint8 *a, const uint8 *b, uint8 *out) {
    for (int i = 0; i < 256; i += 64)
        aie::store_v(out + i, aie::sub(aie::load_v<64>(a + i), aie::load_v<64>(b + i)));
}
void add_bf16(const bfloat16 *a, const bfloat16 *b, bfloat16 *out) {
    aie::set_rounding(aie::rounding_mode::conv_even);
    vector_add<bfloat16, bfloat16, 16>(a, b, out, 256);
    aie::set_rounding(aie::rounding_mode::floor);
}
void mul_bf16(const bfloat16 *a, const bfloat16 *b, bfloat16 *out) {
    aie::set_rounding(aie::rounding_mode::conv_even);
    for (int i = 0; i < 256; i += 32) {
        aie::accum<accfloat, 32> p = aie::mul(aie::load_v<32>(a + i), aie::load_v<32>(b + i));
        aie::store_v(out + i, p.to_vector<bfloat16>());
    }
    aie::set_rounding(aie::rounding_mode::floor);
}
void scale_int16(const int16 *a, const int16 *b, int16 *out) { scale<int16, acc32, 32>(a, out, 37, 5, 256); }
void scale_int32(const int32 *a, const int32 *b, int32 *out) { scale<int32, acc64, 16>(a, out, 12345, 10, 256); }
void relu_bf16(const bfloat16 *a, const bfloat16 *b, bfloat16 *out) {
    v32bfloat16 zeroes = broadcast_zero_bfloat16();
    const v32bfloat16 *in = (const v32bfloat16 *)a;
    for (int i = 0; i < 256; i += 32, in++)
        *(v32bfloat16 *)(out + i) = max(*in, zeroes);
}
void saxpy(const float *a, const float *b, float *out) {
    const aie::vector<float, 16> k = aie::broadcast<float, 16>(2.0f);
    for (int i = 0; i < 256; i += 16) {
        aie::accum<accfloat, 16> acc(aie::load_v<16>(b + i));
        aie::store_v(out + i, aie::mac(acc, aie::load_v<16>(a + i), k).to_vector<float>());
    }
}
void clamp_int16(const int16 *a, const int16 *b, int16 *out) {
    for (int i = 0; i < 256; i += 32)
        aie::store_v(out + i, aie::max(aie::min(aie::load_v<32>(a + i), int16(1000)), int16(-1000)));
}
void absolute_difference(const uint8 *a, const uint8 *b, uint8 *out) {
    auto ita = aie::begin_vector<64>(a);
    auto itb = aie::cbegin_vector<64>(b);
    auto ito = aie::begin_restrict_vector<64>(out);
    for (int i = 0; i < 4; i++) {
        aie::vector<uint8, 64> x = *ita++, y = *itb++;
        *ito++ = aie::sub(aie::max(x, y), aie::min(x, y));
    }
}
void bit_operations(const uint8 *a, const uint8 *b, uint8 *out) {
    for (int i = 0; i < 256; i += 64) {
        auto x = aie::load_v<64>(a + i), y = aie::load_v<64>(b + i);
        aie::store_v(out + i, aie::bit_xor(aie::bit_and(x, y), aie::bit_not(aie::bit_or(x, y))));
    }
}
void threshold_binary(const uint8 *a, const uint8 *b, uint8 *out) {
    aie::vector<uint8, 64> thresh = aie::broadcast<uint8, 64>(100), top = aie::broadcast<uint8, 64>(200);
    for (int i = 0; i < 256; i += 64) {
        aie::vector<uint8, 64> x = aie::load_v<64>(a + i);
        aie::mask<64> m = aie::lt(thresh, x);
        aie::store_v(out + i, aie::select(uint8(0), top, m));
    }
}
void count_above(const int16 *a, const int16 *b, int32 *out) {
    int n = 0;
    for (int i = 0; i < 256; i += 32)
        n += int(aie::gt(aie::load_v<32>(a + i), int16(10)).count());
    out[0] = n;
}
void interleave(const int16 *a, const int16 *b, int16 *out) {
    for (int i = 0; i < 128; i += 32) {
        auto [low, high] = aie::interleave_zip(aie::load_v<32>(a + i), aie::load_v<32>(b + i), 1);
        aie::store_v(out + 2 * i, low);
        aie::store_v(out + 2 * i + 32, high);
    }
}
void split_even_odd(const int16 *a, const int16 *b, int16 *out) {
    for (int i = 0; i < 256; i += 32) {
        auto v = aie::load_v<32>(a + i);
        aie::store_v(out + i / 2, aie::filter_even(v));
        aie::store_v(out + 128 + i / 2, aie::filter_odd(v));
    }
}
void transpose_tiles(const int8 *a, const int8 *b, int8 *out) {
    for (int i = 0; i < 256; i += 64)
        aie::store_v(out + i, aie::transpose(aie::load_v<64>(a + i), 8, 8));
}
void transpose_by_mode(const int8 *a, const int8 *b, int8 *out) {
    for (int i = 0; i < 256; i += 64) {
        v64int8 v = aie::load_v<64>(a + i);
        *(v64int8 *)(out + i) = shuffle(v, T8_8x8);
    }
}
void reverse_lanes(const int32 *a, const int32 *b, int32 *out) {
    for (int i = 0; i < 256; i += 16)
        aie::store_v(out + i, aie::reverse(aie::load_v<16>(a + i)));
}
void running_difference(const int32 *a, const int32 *b, int32 *out) {
    aie::vector<int32, 16> before = aie::zeros<int32, 16>();
    for (int i = 0; i < 256; i += 16) {
        aie::vector<int32, 16> x = aie::load_v<16>(a + i);
        aie::store_v(out + i, aie::sub(x, aie::shuffle_up_fill(x, before, 1)));
        before = x;
    }
}
void sum_int32(const int32 *a, const int32 *b, int32 *out) {
    v16int32 sum = broadcast_to_v16int32(0);
    for (int i = 0; i < 16; i++)
        sum = add(sum, ((const v16int32 *)a)[i]);
    v16int32 first = shift_bytes(sum, sum, 32U);
    sum = add(sum, first);
    sum = add(sum, shift_bytes(sum, sum, 16U));
    sum = add(sum, shift_bytes(sum, sum, 8U));
    sum = add(sum, shift_bytes(sum, sum, 4U));
    out[0] = extract_elem(sum, 0U);
}
void largest(const int32 *a, const int32 *b, int32 *out) {
    aie::vector<int32, 16> best = aie::broadcast<int32, 16>(INT32_MIN);
    for (int i = 0; i < 256; i += 16)
        best = aie::max(best, aie::load_v<16>(a + i));
    out[0] = aie::reduce_max(best);
    out[1] = aie::reduce_min(best);
}
void dot_product(const int16 *a, const int16 *b, int32 *out) {
    aie::accum<acc64, 16> acc = aie::zeros<acc64, 16>();
    for (int i = 0; i < 256; i += 16)
        acc = aie::mac(acc, aie::load_v<16>(a + i), aie::load_v<16>(b + i));
    out[0] = aie::reduce_add(acc.to_vector<int32>());
}
void argmax_bf16(const bfloat16 *a, const bfloat16 *b, int32 *out) {
    bfloat16 best = std::numeric_limits<bfloat16>::lowest();
    int where = 0;
    for (int i = 0; i < 256; i++)
        if (a[i] > best) {
            best = a[i];
            where = i;
        }
    out[0] = where;
}
void mean_and_variance(const float *a, const float *b, float *out) {
    aie::accum<accfloat, 16> sum = aie::zeros<accfloat, 16>(), squares = aie::zeros<accfloat, 16>();
    for (int i = 0; i < 256; i += 16) {
        auto v = aie::load_v<16>(a + i);
        sum = aie::add(sum, v);
        squares = aie::mac_square(squares, v);
    }
    float mean = aie::reduce_add(sum.to_vector<float>()) / 256;
    out[0] = mean;
    out[1] = aie::reduce_add(squares.to_vector<float>()) / 256 - mean * mean;
}
void matmul_int8(const int8 *a, const int8 *b, int32 *out) { matmul<int8, 16, 16, 16, 4, 8, 8, int32>(a, b, out); }
void matmul_int16(const int16 *a, const int16 *b, int32 *out) { matmul<int16, 16, 16, 16, 4, 4, 8, int32>(a, b, out); }
void matmul_bf16(const bfloat16 *a, const bfloat16 *b, float *out) { matmul<bfloat16, 16, 16, 16, 4, 8, 8, float>(a, b, out); }
void matrix_vector(const int16 *a, const int16 *b, int32 *out) {
    aie::accum<acc32, 16> acc = aie::zeros<acc32, 16>();
    for (int k = 0; k < 16; k++)
        acc = aie::mac(acc, aie::load_v<16>(a + 16 * k), b[k]);
    aie::store_v(out, acc.to_vector<int32>());
}
void accumulate_rows(const int16 *a, const int16 *b, int32 *out) {
    aie::vector<int16, 16> c = aie::load_v<16>(b);
    auto acc = aie::accumulate<16>(c, 2, aie::load_v<16>(a), aie::load_v<16>(a + 16), aie::load_v<16>(a + 32));
    aie::store_v(out, acc.to_vector<int32>());
}
void convolution_rows(const uint8 *a, const uint8 *b, uint8 *out) {
    using ops = aie::sliding_mul_xy_ops<32, 8, 1, 1, int8, uint8, acc32>;
    alignas(32) static const int8 k[32] = {1, 2, 3, 4, 3, 2, 1, 0};
    aie::vector<int8, 32> kernel = aie::load_v<32>(k);
    for (int i = 0; i + 64 <= 256; i += 32) {
        auto acc = ops::mul(kernel, 0, aie::load_unaligned_v<64>(a + i), 0);
        aie::store_v(out + i, acc.to_vector<uint8>(4));
    }
}
void rgba_to_gray(const uint8 *a, const uint8 *b, uint8 *out) {
    for (int i = 0; i < 256; i += 128) {
        auto v = aie::load_v<128>(a + i);
        auto even = aie::filter_even(v), odd = aie::filter_odd(v);
        auto r = aie::filter_even(even), g = aie::filter_even(odd), bl = aie::filter_odd(even);
        aie::accum<acc32, 32> acc = aie::mul(r, uint8(66));
        acc = aie::mac(acc, g, uint8(129));
        acc = aie::mac(acc, bl, uint8(25));
        aie::store_v(out + i / 4, acc.to_vector<uint8>(8));
    }
}
void gray_to_rgba(const uint8 *a, const uint8 *b, uint8 *out) {
    aie::vector<uint8, 32> alpha = aie::broadcast<uint8, 32>(255);
    for (int i = 0; i < 64; i += 32) {
        aie::vector<uint8, 32> y = aie::load_v<32>(a + i);
        auto [p, q] = aie::interleave_zip(y, y, 1);
        auto [r, s] = aie::interleave_zip(y, alpha, 1);
        auto [t, u] = aie::interleave_zip(p, r, 2);
        auto [v, w] = aie::interleave_zip(q, s, 2);
        aie::store_v(out + 4 * i, aie::concat(t, u, v, w));
    }
}
void blend(const uint8 *a, const uint8 *b, uint8 *out) {
    for (int i = 0; i < 256; i += 32) {
        aie::accum<acc32, 32> acc(aie::broadcast<uint8, 32>(10), 8);
        acc = aie::mac(acc, aie::load_v<32>(a + i), int16(128));
        acc = aie::mac(acc, aie::load_v<32>(b + i), int16(64));
        aie::set_saturation(aie::saturation_mode::saturate);
        aie::store_v(out + i, acc.to_vector<uint8>(8));
        aie::set_saturation(aie::saturation_mode::none);
    }
}
void table_look_up(const uint8 *a, const uint8 *b, uint16 *out) {
    alignas(aie::vector_decl_align) static uint16 table[512];
    for (int i = 0; i < 256; i++)
        table[i / 8 * 16 + i % 8] = table[i / 8 * 16 + 8 + i % 8] = uint16(i * i);
    aie::lut<4, uint16, uint16> l(256, table, table);
    aie::parallel_lookup<uint8, aie::lut<4, uint16, uint16>, aie::lut_oor_policy::truncate> look(l);
    for (int i = 0; i < 256; i += 16)
        aie::store_v(out + i, look.fetch(aie::load_v<16>(a + i)));
}
void softmax(const bfloat16 *a, const bfloat16 *b, bfloat16 *out) {
    aie::accum<accfloat, 16> total = aie::zeros<accfloat, 16>();
    for (int i = 0; i < 64; i += 16) {
        aie::vector<bfloat16, 16> e = exponential(aie::vector<bfloat16, 16>(aie::load_v<16>(a + i)));
        total = add(total, e);
        aie::store_v(out + i, e);
    }
    bfloat16 inverse = (bfloat16)aie::inv(aie::reduce_add(total.to_vector<float>()));
    for (int i = 0; i < 64; i += 16)
        aie::store_v(out + i, aie::mul(aie::load_v<16>(out + i), inverse).to_vector<bfloat16>());
}
void layer_norm(const bfloat16 *a, const bfloat16 *b, bfloat16 *out) {
    aie::accum<accfloat, 16> sum = aie::zeros<accfloat, 16>(), squares = aie::zeros<accfloat, 16>();
    for (int i = 0; i < 256; i += 16) {
        auto v = aie::load_v<16>(a + i);
        sum = aie::add(sum, v);
        squares = aie::mac(squares, v, v);
    }
    float mean = aie::reduce_add(sum.to_vector<float>()) * (1.0f / 256);
    float variance = aie::reduce_add(squares.to_vector<float>()) * (1.0f / 256) - mean * mean;
    float scale = aie::invsqrt(variance + 1e-5f);
    aie::vector<bfloat16, 16> m = aie::broadcast<bfloat16, 16>(mean), s = aie::broadcast<bfloat16, 16>(scale);
    for (int i = 0; i < 256; i += 16)
        aie::store_v(out + i, aie::mul(aie::sub(aie::load_v<16>(a + i), m), s).to_vector<bfloat16>());
}
void rms_norm(const bfloat16 *a, const bfloat16 *b, bfloat16 *out) {
    float squares = 0;
    for (int i = 0; i < 256; i += 16) {
        auto v = aie::load_v<16>(a + i);
        squares += aie::reduce_add(aie::mul(v, v).to_vector<float>());
    }
    bfloat16 scale = aie::invsqrt(squares / 256 + 1e-5f);
    for (int i = 0; i < 256; i += 16)
        aie::store_v(out + i, aie::mul(aie::load_v<16>(a + i), scale).to_vector<bfloat16>());
}
void gelu(const bfloat16 *a, const bfloat16 *b, bfloat16 *out) {
    const bfloat16 k0 = 0.5f, k1 = 0.7978845608f, k2 = 0.044715f;
    auto half = aie::broadcast<bfloat16, 16>(k0), one = aie::broadcast<bfloat16, 16>(1.0f);
    for (int i = 0; i < 256; i += 16) {
        aie::vector<bfloat16, 16> x = aie::load_v<16>(a + i);
        aie::vector<bfloat16, 16> x2 = aie::mul(x, x);
        aie::vector<bfloat16, 16> x3 = aie::mul(x, x2);
        aie::vector<bfloat16, 16> inner = aie::mul(aie::add(x, aie::mul(x3, k2).to_vector<bfloat16>()), k1);
        aie::vector<bfloat16, 16> t = getTanhBf16(inner);
        aie::vector<bfloat16, 16> r = aie::mul(aie::add(t, one), aie::mul(x, half).to_vector<bfloat16>());
        aie::store_v(out + i, r);
    }
}
void silu(const bfloat16 *a, const bfloat16 *b, bfloat16 *out) {
    for (int i = 0; i < 256; i += 16) {
        aie::vector<bfloat16, 16> x = aie::load_v<16>(a + i);
        aie::vector<bfloat16, 16> half = aie::mul(x, aie::broadcast<bfloat16, 16>(0.5f));
        aie::vector<bfloat16, 16> t = getTanhBf16(half);
        aie::vector<bfloat16, 16> sigmoid =
            aie::mul(aie::add(t, aie::broadcast<bfloat16, 16>(1.0f)), aie::broadcast<bfloat16, 16>(0.5f));
        aie::store_v(out + i, aie::mul(x, sigmoid).to_vector<bfloat16>());
    }
}
void rope(const bfloat16 *a, const bfloat16 *b, bfloat16 *out) {
    for (int v = 0; v < 256; v += 32) {
        aie::vector<bfloat16, 32> x = aie::load_v<32>(a + v), cache = aie::load_v<32>(b + v);
        aie::vector<bfloat16, 16> xe = aie::filter_even(x, 1), xo = aie::filter_odd(x, 1);
        aie::vector<bfloat16, 16> c = aie::filter_even(cache, 1), s = aie::filter_odd(cache, 1);
        aie::vector<bfloat16, 16> ec = aie::mul(xe, c), es = aie::mul(xe, s), oc = aie::mul(xo, c), os = aie::mul(xo, s);
        aie::vector<bfloat16, 16> even = aie::sub(ec, os), odd = aie::add(es, oc);
        auto [low, high] = aie::interleave_zip(even, odd, 1);
        aie::store_v(out + v, aie::concat(low, high));
    }
}
void quantize(const float *a, const float *b, int8 *out) {
    for (int i = 0; i < 256; i += 16)
        aie::store_v(out + i, aie::to_fixed<int8>(aie::load_v<16>(a + i), 4));
}
void dequantize(const int8 *a, const int8 *b, float *out) {
    for (int i = 0; i < 256; i += 16)
        aie::store_v(out + i, aie::to_float<float>(aie::load_v<16>(a + i), 4));
}
void scalar_bf16(const bfloat16 *restrict a, const bfloat16 *restrict b, bfloat16 *restrict out) {
    for (int i = 0; i < 256; i++)
        out[i] = (bfloat16)((float)a[i] * 0.5f + (float)b[i]);
}
void widen_and_pack(const int8 *a, const int8 *b, int8 *out) {
    aie::set_saturation(aie::saturation_mode::saturate);
    for (int i = 0; i < 256; i += 32) {
        aie::vector<int16, 32> x = aie::load_v<32>(a + i).unpack(), y = aie::load_v<32>(b + i).unpack();
        aie::store_v(out + i, aie::add(x, y).pack());
    }
    aie::set_saturation(aie::saturation_mode::none);
}
void window_of_elements(const int32 *a, const int32 *b, int32 *out) {
    aie::vector<int32, 16> v = aie::load_v<16>(a);
    for (int i = 0; i < 16; i++)
        v[i] = v[i] + i;
    for (int i = 0; i < 4; i++)
        aie::store_v(out + 4 * i, v.extract<4>(3 - i));
}
}
