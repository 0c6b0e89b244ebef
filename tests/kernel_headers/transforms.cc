// Fourier transforms, complex bfloat16 and other names that few kernels use (test_transforms.py).
#include <aie_api/aie.hpp>

#define STAGES_OF(name, In, Out)                                                                                                    \
    void r2_##name(const In *x, const cint16 *tw, Out *out, int n, int inverse, int shift) {                                        \
        aie::fft_dit_r2_stage<16>(x, tw, n, 14, shift, inverse, out);                                                               \
    }                                                                                                                               \
    void r4_##name(const In *x, const cint16 *tw, Out *out, int n, int inverse, int shift) {                                        \
        aie::fft_dit_r4_stage<4>(x, tw + n / 16, tw, tw + 2 * (n / 16), n, 14, shift, inverse, out);                                \
    }
extern "C" {
STAGES_OF(c16_c16, cint16, cint16)
STAGES_OF(c16_c32, cint16, cint32)
STAGES_OF(c32_c32, cint32, cint32)
void r4_by_class(const cint16 *x, const cint16 *tw, cint16 *out, int n, int inverse, int shift) {
    using FFT = aie::fft_dit<4, 4, cint16>;
    FFT fft;
    auto stage = fft.begin_stage(x, tw + n / 16, tw, tw + 2 * (n / 16));
    auto at = aie::begin_vector<FFT::out_vector_size>(out);
    const int blocks = FFT::block_size(unsigned(n));
    for (int i = 0; i < blocks; i++, ++at) {
        const auto results = fft.dit(*stage++, 14, unsigned(shift), inverse);
        for (int q = 0; q < 4; q++)
            at[q * blocks] = results[q];
    }
}
void spectrum(const cint16 *x, const cint16 *tw, cint16 *out) { // 64 points; the tables of all stages one after the other
    alignas(64) static cint16 other[64];
    aie::fft_dit_r4_stage<16>(x, tw, tw + 1, tw + 2, 64, 14, 14, false, out);
    aie::fft_dit_r4_stage<4>(out, tw + 3, tw + 7, tw + 11, 64, 14, 15, false, other);
    aie::fft_dit_r2_stage<2>(other, tw + 15, 64, 14, 15, false, out);
    aie::fft_dit_r2_stage<1>(out, tw + 31, 64, 14, 14, false, other);
    for (int i = 0; i < 64; i++)
        out[i] = other[i];
}
void by_pattern(const int *a, int *out) {
    auto it = aie::cbegin_pattern<3>(a, 3, -1, 2);
    for (int i = 0; i < 12; i++)
        out[i] = *it++;
}
void in_step(const int16 *a, const int16 *b, int16 *out) {
    auto [x, y] = aie::cbegin_vectors<32>(a, b);
    auto z = aie::begin_vector<32>(out);
    for (int i = 0; i < 4; i++) {
        const aie::vector<int16, 32> left = *x++, right = *y++;
        *z++ = aie::sub(left, right);
    }
}
void at_the_vector_below(const int16 *a, int16 *out) { aie::store_floor_v(out + 9, aie::load_floor_v<16>(a + 21)); }
int larger_and_smaller(int a, int b) { return aie::max(a, b) * 1000 + aie::min(aie::add(a, 1), aie::sub(b, 1)); }
void nibbles_to_floats(const uint4 *a, float *out) { aie::store_v(out, aie::to_float(aie::load_v<32>(a), 1)); }
void repeated(const bfloat16 *a, bfloat16 *out) { *(v32bfloat16 *)out = broadcast_to_v32bfloat16(*(const v4bfloat16 *)a); }

#define SPARSE_PRODUCT(name, M, K, N, A, B, C)                                                                                      \
    void name(const A *a, const B *b, C *c) {                                                                                       \
        aie::sparse_vector_input_buffer_stream<B, K * N> columns(b);                                                                \
        aie::mmul<M, K, N, A, B> m;                                                                                                 \
        aie::sparse_vector<B, K * N> first;                                                                                         \
        columns >> first;                                                                                                           \
        m.mul(aie::load_v<M * K>(a), first);                                                                                        \
        m.mac(aie::load_v<M * K>(a), columns.pop());                                                                                \
        aie::store_v(c, m.template to_vector<C>());                                                                                 \
    }
SPARSE_PRODUCT(sparse_i8_i8, 4, 16, 8, int8, int8, int32)
SPARSE_PRODUCT(sparse_i16_i8, 2, 16, 8, int16, int8, int32)
SPARSE_PRODUCT(sparse_i16_i16, 4, 8, 8, int16, int16, int32)

#if __AIE_ARCH__ == 20
SPARSE_PRODUCT(sparse_i8_i4, 4, 32, 8, int8, int4, int32)
SPARSE_PRODUCT(sparse_bf16_bf16, 4, 16, 4, bfloat16, bfloat16, float)
#define RADIX_3_AND_5(name, In)                                                                                                     \
    void r3_##name(const In *x, const cint16 *tw, cint32 *out, int n, int inverse, int shift) {                                     \
        aie::fft_dit_r3_stage<8>(x, tw, tw + n / 24, n, 14, shift, inverse, out);                                                   \
    }                                                                                                                               \
    void r5_##name(const In *x, const cint16 *tw, cint32 *out, int n, int inverse, int shift) {                                     \
        aie::fft_dit_r5_stage<8>(x, tw, tw + n / 40, tw + 2 * (n / 40), tw + 3 * (n / 40), n, 14, shift, inverse, out);             \
    }
RADIX_3_AND_5(c16_c32, cint16)
RADIX_3_AND_5(c32_c32, cint32)
void r2_floats(const cbfloat16 *x, const cbfloat16 *tw, cbfloat16 *out, int n, int inverse) {
    aie::fft_dit_r2_stage<8>(x, tw, n, inverse, out);
}
void r4_floats(const cbfloat16 *x, const cbfloat16 *tw, cbfloat16 *out, int n, int inverse) {
    aie::fft_dit_r4_stage<1>(x, tw + n / 4, tw, tw + 2 * (n / 4), n, inverse, out);
}
#define COMPLEX_PRODUCT(name, A, B)                                                                                                 \
    void name(const A *a, const B *b, const cfloat *start, cfloat *out) {                                                           \
        aie::mmul<2, 8, 2, A, B> m(aie::load_v<4>(start));                                                                          \
        m.mac(aie::load_v<16>(a), aie::load_v<16>(b));                                                                              \
        aie::store_v(out, m.template to_vector<cfloat>());                                                                          \
    }
COMPLEX_PRODUCT(complex_complex, cbfloat16, cbfloat16)
COMPLEX_PRODUCT(complex_real, cbfloat16, bfloat16)
COMPLEX_PRODUCT(real_complex, bfloat16, cbfloat16)
void complex_mac(const cbfloat16 *a, const cbfloat16 *b, const cfloat *start, cfloat *out) {
    aie::accum<caccfloat, 8> acc(aie::load_v<8>(start));
    aie::store_v(out, aie::mac(acc, aie::load_v<8>(a), aie::load_v<8>(b)).to_vector<cfloat>());
}
#endif
}
