/* A quarter of a matrix product, 32×64 · 64×32 of a depth of 256, on four cores in a column: sums go from core to core by the cascade,
 * so that no core has to keep them in memory. Blocks lie as in gemm.cc. */
#include <aie_api/aie.hpp>

namespace {
constexpr unsigned rows = 32, depth = 64, columns = 32, r = 4, s = 4, t = 8;
using Block = aie::mmul<r, s, t, int16, int16>;

/** First: sums begin here. Last: they are stored instead of passed on. */
template <bool First, bool Last> void quarter(const int16 *restrict a, int32 *restrict c) {
    const int16 *restrict b = a + rows * depth; // A and B come together
    constexpr unsigned across = columns / t, deep = depth / s;
    event0();
    for (unsigned i = 0; i < rows / r; i++)
        for (unsigned j = 0; j < across; j++) {
            Block sum;
            if constexpr (!First)
                sum = Block(aie::accum<acc32, Block::size_C>(get_scd_v32acc32()));
            for (unsigned k = 0; k < deep; k++)
                sum.mac(aie::load_v<Block::size_A>(a + (i * deep + k) * Block::size_A),
                        aie::load_v<Block::size_B>(b + (k * across + j) * Block::size_B));
            if constexpr (Last)
                aie::store_v(c + (i * across + j) * Block::size_C, sum.to_vector<int32>());
            else
                put_mcd(v32acc32(sum.to_accum()));
        }
    event1();
}
} // namespace

extern "C" {
void gemm_first(const int16 *ab) { quarter<true, false>(ab, nullptr); }
void gemm_middle(const int16 *ab) { quarter<false, false>(ab, nullptr); }
void gemm_last(const int16 *ab, int32 *c) { quarter<false, true>(ab, c); }
}
