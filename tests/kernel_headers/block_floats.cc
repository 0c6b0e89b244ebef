// Matrices of block floats on the API (test_block_floats.py).
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
}
