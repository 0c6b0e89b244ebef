/* One tile of a matrix product, 32×64 · 64×32, on the AIE API. Operands and result are made of small row-major blocks, one after the
 * other, in the order of the blocks' rows: the DMA cuts matrices into them. Two by two blocks of the result are worked on at a time,
 * so that each block of A and B that is read serves twice. */
#include <aie_api/aie.hpp>

namespace {
constexpr unsigned rows = 32, depth = 64, columns = 32;

template <class T, class TO, unsigned r, unsigned s, unsigned t> void tile(const T *restrict a, const T *restrict b, TO *restrict c) {
    using Block = aie::mmul<r, s, t, T, T>;
    constexpr unsigned across = columns / t, deep = depth / s;
    event0();
    for (unsigned i = 0; i < rows / r; i += 2)
        for (unsigned j = 0; j < across; j += 2) {
            Block c00, c01, c10, c11;
            for (unsigned k = 0; k < deep; k++) {
                const auto a0 = aie::load_v<Block::size_A>(a + (i * deep + k) * Block::size_A);
                const auto a1 = aie::load_v<Block::size_A>(a + ((i + 1) * deep + k) * Block::size_A);
                const auto b0 = aie::load_v<Block::size_B>(b + (k * across + j) * Block::size_B);
                const auto b1 = aie::load_v<Block::size_B>(b + (k * across + j + 1) * Block::size_B);
                c00.mac(a0, b0);
                c01.mac(a0, b1);
                c10.mac(a1, b0);
                c11.mac(a1, b1);
            }
            aie::store_v(c + (i * across + j) * Block::size_C, c00.template to_vector<TO>());
            aie::store_v(c + (i * across + j + 1) * Block::size_C, c01.template to_vector<TO>());
            aie::store_v(c + ((i + 1) * across + j) * Block::size_C, c10.template to_vector<TO>());
            aie::store_v(c + ((i + 1) * across + j + 1) * Block::size_C, c11.template to_vector<TO>());
        }
    event1();
}
} // namespace

extern "C" {
void gemm_int8(const int8 *a, const int8 *b, int32 *c) { tile<int8, int32, 8, 8, 8>(a, b, c); }
void gemm_int16(const int16 *a, const int16 *b, int32 *c) { tile<int16, int32, 4, 4, 8>(a, b, c); }
void gemm_bf16(const bfloat16 *a, const bfloat16 *b, float *c) { tile<bfloat16, float, 8, 8, 8>(a, b, c); }
}
