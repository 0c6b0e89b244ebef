// Kernels for bench/kernels.py: each does its work n times.
#include <aie_api/aie.hpp>

template <class T, class TO, unsigned M, unsigned K, unsigned N, unsigned r, unsigned s, unsigned t>
static void matrix(const T *__restrict a, const T *__restrict b, TO *__restrict c) {
    using MMUL = aie::mmul<r, s, t, T, T, accauto>;
    constexpr unsigned rows = M / r, depth = K / s, columns = N / t;
    for (unsigned z = 0; z < rows; z += 2)
        for (unsigned j = 0; j < columns; j += 2) {
            MMUL c00, c01, c10, c11;
            for (unsigned i = 0; i < depth; i++) {
                auto a0 = aie::load_v<MMUL::size_A>(a + (z * depth + i) * MMUL::size_A);
                auto a1 = aie::load_v<MMUL::size_A>(a + ((z + 1) * depth + i) * MMUL::size_A);
                auto b0 = aie::load_v<MMUL::size_B>(b + (i * columns + j) * MMUL::size_B);
                auto b1 = aie::load_v<MMUL::size_B>(b + (i * columns + j + 1) * MMUL::size_B);
                c00.mac(a0, b0);
                c01.mac(a0, b1);
                c10.mac(a1, b0);
                c11.mac(a1, b1);
            }
            aie::store_v(c + (z * columns + j) * MMUL::size_C, c00.template to_vector<TO>());
            aie::store_v(c + (z * columns + j + 1) * MMUL::size_C, c01.template to_vector<TO>());
            aie::store_v(c + ((z + 1) * columns + j) * MMUL::size_C, c10.template to_vector<TO>());
            aie::store_v(c + ((z + 1) * columns + j + 1) * MMUL::size_C, c11.template to_vector<TO>());
        }
}
#define MATRIX(name, T, TO, r, s, t)                                                                                   \
    void name(const T *a, const T *b, TO *c, int n) {                                                                  \
        for (int i = 0; i < n; i++)                                                                                    \
            matrix<T, TO, 64, 64, 64, r, s, t>(a, b, c);                                                               \
    }
#define ELEMENTS(name, T, lanes, ...)                                                                                  \
    void name(const T *a, const T *b, T *c, int n) {                                                                   \
        for (int k = 0; k < n; k++)                                                                                    \
            for (int i = 0; i < int(4096 / (sizeof(T) == 4 ? 2 : 1)); i += lanes)                                      \
                aie::store_v(c + i, __VA_ARGS__);                                                                      \
    }

extern "C" {
#if __AIE_ARCH__ == 20
MATRIX(matrix_int16, int16, int32, 4, 4, 4)
MATRIX(matrix_bf16_4x8x4, bfloat16, float, 4, 8, 4)
#endif
MATRIX(matrix_int8, int8, int32, 4, 8, 8)
MATRIX(matrix_bf16_8x8x8, bfloat16, float, 8, 8, 8)
ELEMENTS(product_bf16, bfloat16, 16, aie::mul(aie::load_v<16>(a + i), aie::load_v<16>(b + i)).to_vector<bfloat16>())
ELEMENTS(sum_bf16, bfloat16, 16, aie::add(aie::load_v<16>(a + i), aie::load_v<16>(b + i)))
ELEMENTS(relu_bf16, bfloat16, 16, aie::max(aie::load_v<16>(a + i), aie::zeros<bfloat16, 16>()))
ELEMENTS(scale_int16, int16, 32, aie::mul(aie::load_v<32>(a + i), b[0]).to_vector<int16>(3))
ELEMENTS(scale_int32, int32, 32, aie::mul(aie::load_v<32>(a + i), b[0]).to_vector<int32>(0))

/* The multiplication by a twiddle factor that is most of kernels/mel: as it is there, and by accumulators of 64 bits. */
typedef int32_t four __attribute__((vector_size(16), aligned(4), may_alias));
void rotation_four_lanes(const int32_t *a, const int32_t *b, int32_t *out, int rounds) {
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < 2048; i += 4) {
            const int c = b[i & 63], s = b[i & 63 | 1];
            const four re = *(const four *)(a + i), im = *(const four *)(a + 2048 + i);
            const four re_high = re >> 16, re_low = re >> 2 & 0x3fff, im_high = im >> 16, im_low = im >> 2 & 0x3fff;
            *(four *)(out + i) = re_high * c - im_high * s + ((re_low * c - im_low * s) >> 14);
            *(four *)(out + 2048 + i) = re_high * s + im_high * c + ((re_low * s + im_low * c) >> 14);
        }
}
void rotation_api(const int32_t *a, const int32_t *b, int32_t *out, int rounds) {
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < 2048; i += 16) {
            const int32_t c = b[i & 63], s = b[i & 63 | 1];
            const auto re = aie::load_v<16>(a + i), im = aie::load_v<16>(a + 2048 + i);
            aie::accum<acc64, 16> x = aie::mul(re, c), y = aie::mul(re, s);
            aie::store_v(out + i, aie::msc(x, im, s).to_vector<int32>(16));
            aie::store_v(out + 2048 + i, aie::mac(y, im, c).to_vector<int32>(16));
        }
}
}
