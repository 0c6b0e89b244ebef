// Every class of the vector unit's arithmetic, applied to arrays, for comparison with the NumPy model.
#include <aie_api/aie.hpp>
#include <lut_based_ops.h>

static void modes(int rounding, int saturation) {
    aie::set_rounding(aie::rounding_mode(rounding));
    aie::set_saturation(aie::saturation_mode(saturation));
}

extern "C" {
void float_to_bf16(const float *in, bfloat16 *out, int n, int rounding) {
    modes(rounding, 0);
    for (int i = 0; i < n; i += 16) {
        aie::accum<accfloat, 16> a(aie::load_v<16>(in + i));
        aie::store_v(out + i, a.to_vector<bfloat16>());
    }
}
void scalar_to_bf16(const float *in, bfloat16 *out, int n, int rounding) {
    modes(rounding, 0);
    for (int i = 0; i < n; i++)
        out[i] = bfloat16(in[i]);
}
void bf16_to_float(const bfloat16 *in, float *out, int n) {
    for (int i = 0; i < n; i += 16) {
        aie::accum<accfloat, 16> a(aie::load_v<16>(in + i));
        aie::store_v(out + i, a.to_vector<float>());
    }
}
#define SRS(name, Tag, In, Out)                                                                                        \
    void name(const In *in, Out *out, int n, int shift, int rounding, int saturation) {                                \
        modes(rounding, saturation);                                                                                   \
        for (int i = 0; i < n; i += 16) {                                                                              \
            auto v = *(const v16##Tag *)(in + i);                                                                      \
            aie::accum<Tag, 16> a(v);                                                                                  \
            aie::store_v(out + i, a.to_vector<Out>(shift));                                                            \
        }                                                                                                              \
    }
SRS(srs32_int8, acc32, int32, int8)
SRS(srs32_uint8, acc32, int32, uint8)
SRS(srs32_int16, acc32, int32, int16)
SRS(srs32_uint16, acc32, int32, uint16)
SRS(srs32_int32, acc32, int32, int32)
SRS(srs64_int16, acc64, int64, int16)
SRS(srs64_int32, acc64, int64, int32)
SRS(srs64_uint32, acc64, int64, uint32)
void ups32(const int16 *in, int32 *out, int n, int shift, int saturation) {
    modes(0, saturation);
    for (int i = 0; i < n; i += 16) {
        aie::accum<acc32, 16> a(aie::load_v<16>(in + i), shift);
        aie::store_v(out + i, (v16int32)(v16acc32)a);
    }
}
void pack16(const int16 *in, int8 *out, int n, int saturation) {
    modes(0, saturation);
    for (int i = 0; i < n; i += 32)
        aie::store_v(out + i, aie::load_v<32>(in + i).pack());
}
void add_floats(const float *a, const float *b, float *out, int n) {
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::add(aie::load_v<16>(a + i), aie::load_v<16>(b + i)));
}
void sub_bf16(const bfloat16 *a, const bfloat16 *b, bfloat16 *out, int n, int rounding) {
    modes(rounding, 0);
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::sub(aie::load_v<16>(a + i), aie::load_v<16>(b + i)));
}
void mul_bf16(const bfloat16 *a, const bfloat16 *b, float *out, int n) {
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::mul(aie::load_v<16>(a + i), aie::load_v<16>(b + i)).to_vector<float>());
}
void mac_bf16(const bfloat16 *a, const bfloat16 *b, const float *c, float *out, int n) {
    for (int i = 0; i < n; i += 16) {
        aie::accum<accfloat, 16> acc(aie::load_v<16>(c + i));
        aie::store_v(out + i, aie::mac(acc, aie::load_v<16>(a + i), aie::load_v<16>(b + i)).to_vector<float>());
    }
}
void msc_bf16(const bfloat16 *a, const bfloat16 *b, const float *c, float *out, int n) {
    for (int i = 0; i < n; i += 16) {
        aie::accum<accfloat, 16> acc(aie::load_v<16>(c + i));
        aie::store_v(out + i, aie::msc(acc, aie::load_v<16>(a + i), aie::load_v<16>(b + i)).to_vector<float>());
    }
}
void mac_pairs(const bfloat16 *a, const bfloat16 *b, const float *c, float *out, int n) {
    for (int i = 0; i < n; i += 16) {
        v16accfloat acc = (v16accfloat)(v16float)aie::load_v<16>(c + i);
        acc = mac_elem_16_2(aie::load_v<32>(a + 2 * i), aie::load_v<32>(b + 2 * i), acc);
        aie::store_v(out + i, aie::vector<float, 16>((v16float)acc));
    }
}
void mul_floats(const float *a, const float *b, float *out, int n) {
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::mul(aie::load_v<16>(a + i), aie::load_v<16>(b + i)).to_vector<float>());
}
void msc_floats(const float *a, const float *b, const float *c, float *out, int n) {
    for (int i = 0; i < n; i += 16) {
        aie::accum<accfloat, 16> acc(aie::load_v<16>(c + i));
        aie::store_v(out + i, aie::msc(acc, aie::load_v<16>(a + i), aie::load_v<16>(b + i)).to_vector<float>());
    }
}
#define MMUL(name, M, K, N, A, B, C, Tag)                                                                              \
    void name(const A *a, const B *b, const C *c, C *out, int n) {                                                     \
        for (int i = 0; i < n; i++) {                                                                                  \
            aie::mmul<M, K, N, A, B, Tag> m(aie::load_v<M * N>(c + i * M * N));                                        \
            m.mac(aie::load_v<M * K>(a + i * M * K), aie::load_v<K * N>(b + i * K * N));                               \
            aie::store_v(out + i * M * N, m.template to_vector<C>());                                                  \
        }                                                                                                              \
    }
MMUL(mmul_bf16_4x8x4, 4, 8, 4, bfloat16, bfloat16, float, accauto)
MMUL(mmul_bf16_8x8x8, 8, 8, 8, bfloat16, bfloat16, float, accauto)
MMUL(mmul_int8_4x8x8, 4, 8, 8, int8, int8, int32, accauto)
MMUL(mmul_uint8_8x8x8, 8, 8, 8, uint8, int8, int32, accauto)
MMUL(mmul_int16_2x4x8, 2, 4, 8, int16, int16, int32, accauto)
MMUL(mmul_int16_4x4x8, 4, 4, 8, int16, int16, int32, acc64)
MMUL(mmul_uint16_8x1x8, 8, 1, 8, uint16, int16, int32, accauto)
MMUL(mmul_int32_4x1x8, 4, 1, 8, int32, int16, int32, accauto)
MMUL(mmul_float_4x1x8, 4, 1, 8, float, float, float, accauto)
#define REDUCE(n) void reduce_add_##n(const bfloat16 *in, bfloat16 *out) { modes(0, 0); *out = aie::reduce_add(aie::load_v<n>(in)); }
REDUCE(8)
REDUCE(16)
REDUCE(32)
REDUCE(64)
void reduce_add_floats(const float *in, float *out) { *out = aie::reduce_add(aie::load_v<16>(in)); }
void reduce_add_int8(const int8 *in, int8 *out, int saturation) {
    modes(0, saturation);
    *out = aie::reduce_add(aie::load_v<64>(in));
}
void inverse_bf16(const bfloat16 *in, bfloat16 *out, int n, int rounding) {
    modes(rounding, 0);
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::inv(aie::load_v<16>(in + i)));
}
void inverse_root_bf16(const bfloat16 *in, bfloat16 *out, int n, int rounding) {
    modes(rounding, 0);
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::invsqrt(aie::load_v<16>(in + i)));
}
void bf16_to_int(const bfloat16 *in, int32 *out, int n, int shift) {
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::to_fixed<int32>(aie::load_v<16>(in + i), shift));
}
void float_to_int16(const float *in, int16 *out, int n, int shift) {
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::to_fixed<int16>(aie::load_v<16>(in + i), shift));
}
void int_to_float(const int32 *in, float *out, int n, int shift) {
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::to_float<float>(aie::load_v<16>(in + i), shift));
}
void exp_by_table(const bfloat16 *in, float *out, int n, int rounding) {
    modes(rounding, 0);
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::vector<float, 16>((v16float)getExpBf16(aie::load_v<16>(in + i))));
}
void tanh_by_table(const bfloat16 *in, bfloat16 *out, int n, int rounding) {
    modes(rounding, 0);
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::vector<bfloat16, 16>(getTanhBf16(aie::load_v<16>(in + i))));
}
void inverse_by_table(const float *in, bfloat16 *out, int n) {
    for (int i = 0; i < n; i++)
        out[i] = getInvBf16(in[i]);
}
void max_bf16(const bfloat16 *a, const bfloat16 *b, bfloat16 *out, int n) {
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::max(aie::load_v<16>(a + i), aie::load_v<16>(b + i)));
}
void min_bf16(const bfloat16 *a, const bfloat16 *b, bfloat16 *out, int n) {
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::min(aie::load_v<16>(a + i), aie::load_v<16>(b + i)));
}
#define COMPARE(name)                                                                                                             \
    void name##_bf16(const bfloat16 *a, const bfloat16 *b, uint32 *out, int n) {                                                  \
        for (int i = 0; i < n; i += 32)                                                                                           \
            *out++ = aie::name(aie::load_v<32>(a + i), aie::load_v<32>(b + i)).to_uint32();                                       \
    }
COMPARE(lt) COMPARE(le) COMPARE(gt) COMPARE(ge)
#if __AIE_ARCH__ >= 21
void exp2_bf16(const float *in, bfloat16 *out, int n) {
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::exp2<bfloat16>(aie::load_v<16>(in + i)));
}
void tanh_bf16(const float *in, bfloat16 *out, int n) {
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::tanh<bfloat16>(aie::load_v<16>(in + i)));
}
#endif
}
