// Views of arrays: spans, tiles, circular iterators, tensors of more than three dimensions; and functions of one line.
#include <aie_api/aie.hpp>

static_assert(aie::PackableFrom<int8, int16> && !aie::PackableFrom<int16, int8> && aie::UnpackableFrom<int32, uint8>);
static_assert(!aie::PackableFrom<int8, bfloat16> && !aie::PackableFrom<int8, cint16> && aie::AccumElemBaseType<acc64>);
static_assert(aie::TupleLike<std::pair<int, int>> && !aie::TupleLike<int> && !aie::AccumElemBaseType<int>);
static_assert(aie::ParallelLUT<aie::lut<4, int16>> && aie::is_lut_v<aie::lut<4, int16>> && !aie::ParallelLUT<int>);
static_assert(std::is_same_v<aie::operand_base_type_t<aie::vector<int16, 16> &>, int16>);
static_assert(aie::is_same_vector_v<aie::vector<int8, 32> &, aie::vector<int8, 32>> && aie::ElemBaseOrBlockType<int8>);
static_assert(aie::span_2d<int16, 4, 8>::is_static() && aie::span_2d<int16>::rank_dynamic() == 2 && sizeof(aie::span<int, 8>) == sizeof(int *));

extern "C" {
void spans(int16 *x, int32 *out) {
    const aie::span_3d<int16, 4, 8, 16> cube(x);
    const aie::restrict_span_2d<int16> plane(x, 32, 16);
    const aie::span<int16, 512> row(x);
    int sum = 0;
    for (int16 v : row)
        sum += v;
    *out++ = cube(3, 5, 7), *out++ = plane(29, 7), *out++ = sum;
    *out++ = int(cube.size()), *out++ = int(plane.size()), *out++ = int(cube.extent(1)), *out++ = int(plane.extent(0));
    auto round = row.begin_circular();
    round += 511;
    *out++ = *round++, *out++ = *round;
    const aie::tiled_span_2d<int16, aie::extents<4, 8>, 16, 32> tiles(x); // 4 by 4 tiles of 32 elements
    *out++ = tiles.tiles(2, 3), *out++ = int(tiles.extent(1));
    auto down = tiles.begin_vector_dim<0>(1, 2);
    const auto first = *down++;
    *out++ = first.get(0), *out++ = (*down).get(31);
    auto right = tiles.begin_vector_dim<1>(1, 2);
    *out++ = (*++right).get(1);
    auto step = tiles.begin_dim<1>(0, 1);
    *out++ = *(step + 2), *out++ = step[1];
    const aie::tiled_span_2d<int16, aie::extents<4, 8>> open(x, 16, 32);
    *out++ = open.tiles(3, 1);
}

void circles(int16 *x, int32 *out) {
    auto known = aie::begin_vector_circular<16, 64>(x);
    auto given = aie::begin_vector_random_circular<16>(x, 48);
    aie::vector_circular_iterator<int16, 16> named(x, 48);
    aie::const_random_circular_iterator<int16, 10> single(x);
    for (int i = 0; i < 5; i++)
        ++known, ++given, ++named;
    *out++ = (*known).get(3), *out++ = (*given).get(3), *out++ = (*named).get(4), *out++ = single[13], *out++ = given[-1].get(0);
    aie::circular_index<3> at;
    aie::circular_index other(4u);
    for (int i = 0; i < 5; i++)
        at++, ++other;
    *out++ = at, *out++ = other;
    *out++ = int(aie::end(x, 9) - aie::begin(x, 9));
}

void deep(const int16 *x, int16 *out) {
    using aie::tensor_dim;
    const auto shape = aie::make_tensor_descriptor<int16, 16>(tensor_dim(2u, 12), tensor_dim(2u, 1), tensor_dim(3u, 4), tensor_dim(2u, 2));
    auto stream = aie::make_tensor_buffer_stream(x, shape);
    for (int i = 0; i < 12; i++) {
        auto inside = stream.pop();
        for (int j = 0; j < 2; j++, out += 16)
            aie::store_v(out, inside.pop());
    }
    // Counters of the address unit: twice 2 on, then 5 on; and once more around.
    auto counted = aie::make_tensor_buffer_stream(x, aie::make_tensor_descriptor_from_native<int16, 16>(aie::dim_3d(2u, 2, 1u, 5, -9)));
    for (int i = 0; i < 7; i++, out += 16)
        aie::store_v(out, counted.pop());
    auto bytes = aie::make_tensor_buffer_stream(x, aie::make_tensor_descriptor_from_native_bytes<int16, 16>(64));
    for (int i = 0; i < 2; i++, out += 16)
        aie::store_v(out, bytes.pop());
}

void short_forms(const int8 *a, const int8 *b, int32 *out) {
    const aie::vector<int8, 64> coeff = aie::load_v<64>(a);
    const aie::vector<int8, 128> data = aie::load_v<128>(b);
    const auto acc = aie::sliding_mul_ch<8, 8, 3>(coeff, 2, data, 9);
    aie::store_v(out, aie::sliding_mac_ch<8, 8, 3>(acc, coeff, 5, data, 12).to_vector<int32>());
    const aie::vector<int8, 32> x = aie::load_v<32>(a);
    const aie::vector<int8, 64> y = aie::load_v<64>(b);
    auto product = aie::mmul_fn<4, 8, 8>(x, y);
    product = aie::mmac_fn<4, 8, 8>(product, x, y);
    aie::store_v(out + 64, product.to_vector<int32>());
    aie::store_v(out + 96, aie::mmac_fn<4, 8, 8>(product.to_accum(), x, y).to_vector<int32>());
}
}
