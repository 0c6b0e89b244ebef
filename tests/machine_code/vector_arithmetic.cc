// The vector unit's conversions and products by the kernel headers, for comparison with the machine's instructions.
#include <aie_api/aie.hpp>

static void modes(int rounding, int saturation) {
    aie::set_rounding(aie::rounding_mode(rounding));
    aie::set_saturation(aie::saturation_mode(saturation));
}

extern "C" {
void to_bf16(const float *in, bfloat16 *out, int n, int rounding) {
    modes(rounding, 0);
    for (int i = 0; i < n; i += 16) {
        aie::accum<accfloat, 16> a(aie::load_v<16>(in + i));
        aie::store_v(out + i, a.to_vector<bfloat16>());
    }
}
void to_float(const bfloat16 *in, float *out, int n) {
    for (int i = 0; i < n; i += 16) {
        aie::accum<accfloat, 16> a(aie::load_v<16>(in + i));
        aie::store_v(out + i, a.to_vector<float>());
    }
}
#define SRS(name, Tag, In, Out, lanes)                                                                                 \
    void name(const In *in, Out *out, int n, int shift, int rounding, int saturation) {                                \
        modes(rounding, saturation);                                                                                   \
        for (int i = 0; i < n; i += lanes) {                                                                           \
            auto v = *(const v##lanes##Tag *)(in + i);                                                                 \
            aie::accum<Tag, lanes> a(v);                                                                               \
            aie::store_v(out + i, a.to_vector<Out>(shift));                                                            \
        }                                                                                                              \
    }
SRS(srs32_int16, acc32, int32, int16, 16)
SRS(srs32_uint16, acc32, int32, uint16, 16)
SRS(srs64_int32, acc64, int64, int32, 16)
SRS(srs64_uint32, acc64, int64, uint32, 16)
void ups32(const int16 *in, int32 *out, int n, int shift, int saturation) {
    modes(0, saturation);
    for (int i = 0; i < n; i += 16) {
        aie::accum<acc32, 16> a(aie::load_v<16>(in + i), shift);
        aie::store_v(out + i, (v16int32)(v16acc32)a);
    }
}
void mac_pairs(const bfloat16 *a, const bfloat16 *b, const float *c, float *out, int n) {
    for (int i = 0; i < n; i += 16) {
        v16accfloat acc = (v16accfloat)(v16float)aie::load_v<16>(c + i);
        acc = mac_elem_16_2(aie::load_v<32>(a + 2 * i), aie::load_v<32>(b + 2 * i), acc);
        aie::store_v(out + i, aie::vector<float, 16>((v16float)acc));
    }
}
void mac_4x8x4(const bfloat16 *a, const bfloat16 *b, const float *c, float *out, int n) {
    for (int i = 0; i < n; i += 16) {
        v16accfloat acc = (v16accfloat)(v16float)aie::load_v<16>(c + i);
        acc = mac_4x8_8x4(aie::load_v<32>(a + 2 * i), aie::load_v<32>(b + 2 * i), acc);
        aie::store_v(out + i, aie::vector<float, 16>((v16float)acc));
    }
}
void add_floats(const float *a, const float *b, float *out, int n) {
    for (int i = 0; i < n; i += 16)
        aie::store_v(out + i, aie::add(aie::load_v<16>(a + i), aie::load_v<16>(b + i)));
}
void convolved(const uint8 *a, const int8 *b, int32 *out) {
    v32acc32 acc = mul_conv_32x8(aie::load_v<64>(a), aie::load_v<64>(b));
    aie::store_v(out, aie::vector<int32, 32>(aie::accum<acc32, 32>(acc).to_vector<int32>()));
}
void shuffled(const int8 *a, const int8 *b, int8 *out, int mode) {
    aie::store_v(out, aie::vector<int8, 64>(shuffle(aie::load_v<64>(a), aie::load_v<64>(b), mode)));
}
}
