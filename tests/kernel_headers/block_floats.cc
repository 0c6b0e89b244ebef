// Matrices of block floats on the API (test_block_floats.py).
#define AIE_API_EMULATE_BFLOAT16_MMUL_WITH_BFP16 1
#include <aie_api/aie.hpp>

extern "C" {
void product_8x8x16(const bfp16ebs8 *a, const bfp16ebs8 *b, float *c) {
    aie::block_vector_input_buffer_stream<bfp16ebs8, 64> left(a);
    aie::block_vector_input_buffer_stream<bfp16ebs8, 128> right(b);
    aie::mmul<8, 8, 16, bfp16ebs8, bfp16ebs8> m(aie::zeros<accfloat, 128>());
    m.mac(left.pop(), right.pop());
    aie::store_v(c, m.to_vector<float>());
}
void product_of_bfloat16(const bfloat16 *a, const bfloat16 *b, float *c) {
    aie::mmul<8, 8, 8, bfloat16, bfp16ebs8> m;
    m.mul(aie::load_v<64>(a), aie::accum<accfloat, 64>(aie::load_v<64>(b)).to_vector<bfp16ebs8>());
    aie::store_v(c, m.to_vector<float>());
}
void transposed_operand(const bfp16ebs8 *a, const bfp16ebs8 *b, float *c) {
    aie::block_vector_input_buffer_stream<bfp16ebs8, 64> left(a), right(b);
    aie::mmul<8, 8, 8, bfp16ebs8> m;
    const auto x = left.pop(), y = right.pop();
    m.mul(x, aie::op_transpose(y));
    m.mac(x, aie::op_transpose(y));
    aie::store_v(c, m.to_vector<float>());
}
void emulated_4x8x8(const bfloat16 *a, const bfloat16 *b, float *c) {
    aie::mmul<4, 8, 8, bfloat16> m;
    m.mul(aie::load_v<32>(a), aie::load_v<64>(b));
    aie::store_v(c, m.to_vector<float>());
}
void emulated_8x8x8(const bfloat16 *a, const bfloat16 *b, float *c) {
    aie::mmul<8, 8, 8, bfloat16> m;
    m.mul(aie::load_v<64>(a), aie::load_v<64>(b));
    aie::store_v(c, m.to_vector<float>());
}
void blocks_of_16(const float *a, uint8 *bytes, int half) {
    const v64bfp16ebs16 row = to_v64bfp16ebs16(v64accfloat(aie::accum<accfloat, 64>(aie::load_v<64>(a))));
    static_assert(sizeof(row) == 68 && sizeof(v128bfp16ebs16) == 136);
    const v128bfp16ebs16 both = insert(undef_v128bfp16ebs16(), half, row);
    *(v64bfp16ebs16 *)bytes = extract_v64bfp16ebs16(both, half);
}
}
