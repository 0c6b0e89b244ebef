// Forms of the API that are easy to get wrong: 4-bit elements, signedness at run time, numbers, orders of sums.
#include <aie_api/aie.hpp>
#include <stdint.h>

using bf = __bf16; // what bfloat16 is called by the compiler itself

using products = aie::mmul<4, 8, 8, int8, int8>;
static_assert(aie::Mask<aie::mask<32>> && aie::Mmul<products> && !aie::Mask<products> && aie::MmulOrOp<products &>);
// A tag of another kind than the elements' says how wide the accumulator is.
static_assert(std::is_same_v<aie::mmul<4, 8, 8, int8, int8, accfloat>::accum_tag, acc32>);
static_assert(std::is_same_v<aie::mmul<4, 8, 8, bfloat16, bfloat16, acc32>::accum_tag, accfloat>);
static_assert(std::is_same_v<aie::mmul<4, 4, 8, int16, int16, acc64>::accum_tag, acc64>);
static_assert(std::is_same_v<decltype(aie::mul<accfloat>(aie::vector<int16, 16>(), aie::vector<int16, 16>())), aie::accum<acc32, 16>>);
static_assert(aie::RealVector<aie::vector<int16, 16>> && !aie::RealVector<aie::vector<cint16, 8>> && aie::RealElem<bfloat16>);
static_assert(aie::ComplexVector<const aie::vector<cint16, 8> &> && aie::ComplexElem<cint32> && !aie::RealElem<cint32>);
static_assert(aie::AccumOrOp<aie::accum<acc32, 16>> && aie::VectorOrOp<aie::vector<int8, 32>> && aie::ElemOrOp<int8>);

template <aie::RealVector V> __aie_inline static auto twice(const V &v) { return aie::add(v, v); }
template <aie::ComplexVector V> __aie_noinline static auto twice(const V &v) { return aie::add(v, v); }

template <class V> static auto *put(int8 *p, const V &v) {
    aie::store_v((typename V::value_type *)p, v);
    return p + V::bytes();
}

extern "C" {
void nibbles(const int8 *a, const int8 *b, int8 *out) {
    const aie::vector<int4, 128> x = aie::load_v<128>((const int4 *)a), y = aie::load_v<128>((const int4 *)b);
    out = put(out, aie::add(x, y));
    out = put(out, aie::sub(x, y));
    out = put(out, aie::max(x, y));
    out = put(out, aie::min(x, y));
    out = put(out, aie::neg(x));
    out = put(out, aie::downshift(x, 1));
    out = put(out, aie::reverse(x));
    out = put(out, aie::select(x, y, aie::lt(x, y)));
    const auto [first, second] = aie::interleave_zip(x, y, 1);
    out = put(out, first);
    out = put(out, second);
    out = put(out, aie::concat(aie::filter_even(x), aie::filter_odd(x)));
    out = put(out, aie::bit_xor(x, y));
    out = put(out, aie::shuffle_down_rotate(x, 5));
}

void doubled(const int16 *a, int16 *out) {
    aie::store_v(out, twice(aie::load_v<32>(a)));
    aie::store_v((cint16 *)out + 16, twice(aie::load_v<16>((const cint16 *)a)));
}

void signs(const int16 *a, const int16 *b, int16 *out) {
    const aie::vector<int16, 32> x = aie::load_v<32>(a), y = aie::load_v<32>(b);
    aie::store_v(out, aie::max(x, y, true));
    aie::store_v(out + 32, aie::max(x, y, false));
    aie::store_v(out + 64, aie::min(x, int16(-7), false));
    const auto [low, from_second] = aie::min_cmp(x, y);
    const auto [high, from_other] = aie::max_cmp(x, y);
    aie::store_v(out + 96, aie::select(int16(0), int16(1), from_second));
    aie::store_v(out + 128, aie::select(int16(0), int16(1), from_other));
    out[160] = aie::contains(int16(12345), x), out[161] = aie::contains(a[3], x);
}

void numbers(const float *x, const bfloat16 *b, float *out) {
    const float results[] = {aie::max(x[0], x[1]), aie::mul(x[0], x[1]), aie::mac(x[0], x[1], x[2]), aie::msc(x[0], x[1], x[2]),
                             float(aie::lt(x[0], x[1])), float(aie::neq(x[0], x[0])), aie::abs(x[1]), aie::neg(x[0]),
                             aie::inv(x[2]), aie::invsqrt(x[2]), aie::div(x[1], x[2]), aie::sqrt(x[2]),
                             float(aie::abs(b[0])), float(aie::mul(b[0], b[1])), float(bf(b[0] + b[1]))};
    for (unsigned i = 0; i < 15; i++)
        out[i] = results[i];
}

void quotients(const bfloat16 *a, const bfloat16 *b, bfloat16 *out) {
    aie::set_rounding(aie::rounding_mode::conv_even);
    const aie::vector<bfloat16, 32> x = aie::load_v<32>(a), y = aie::load_v<32>(b);
    aie::store_v(out, aie::div(x, y).to_vector<bfloat16>());
    aie::store_v(out + 32, aie::mul(x, aie::inv(y)).to_vector<bfloat16>());
    aie::store_v(out + 64, aie::div(x, b[5]).to_vector<bfloat16>());
    aie::store_v(out + 96, aie::mul(x, aie::inv(b[5])).to_vector<bfloat16>());
    aie::set_rounding(aie::rounding_mode::floor);
}

void sums(const float *x, float *out) {
    out[0] = aie::reduce_add(aie::load_v<16>(x));
    out[1] = aie::reduce_add(aie::load_v<32>(x));
    out[2] = aie::reduce_add(aie::load_v<64>(x));
    out[3] = aie::reduce_add(aie::load_v<128>(x));
}

void floors(const int16 *x, int16 *out) {
    aie::store_v(out, aie::load_floor_v<16>(x + 21));
    aie::store_v(out + 16, aie::load_floor_v<16>(x + 21, 8));
    aie::store_v(out + 32, aie::load_floor_bytes_v<16>(x + 21, 32));
    aie::store_v(out + 48, aie::load_floor_v<32>(x + 63));
}

void by_bytes(const int16 *x, int16 *out) {
    const auto shape = aie::make_tensor_descriptor_bytes<int16, 16>(aie::tensor_dim(2u, 96), aie::tensor_dim(2u, 32));
    auto stream = aie::make_tensor_buffer_stream(x, shape);
    for (unsigned i = 0; i < 4; i++)
        aie::store_v(out + 16 * i, stream.pop());
}

void accumulated(const int16 *x, int32 *out) {
    const aie::vector<int16, 32> a = aie::load_v<32>(x), b = aie::load_v<32>(x + 32), c = aie::load_v<32>(x + 64);
    const std::array<aie::vector<int16, 32>, 2> all = {b, c};
    aie::store_v(out, aie::accumulate<32>(a, 3, all).to_vector<int32>());
    aie::store_v(out + 32, aie::accumulate<32>(aie::mul(b, c), a, 1, all).to_vector<int32>());
    aie::store_v(out + 64, aie::accumulate<32>(a, b, c).to_vector<int32>());
}

void from_accumulators(const int32 *x, const int32 *y, float *out) {
    const auto product = aie::mul<acc64>(aie::load_v<16>(x), aie::load_v<16>(y));
    aie::store_v(out, aie::to_float(product, 4));
}

void narrowed(const int32 *x, const int32 *table, int16 *out) {
    const v16acc32 narrow = v16acc32(*(const v16int32 *)x);
    const v16acc64 wide = ups_to_v16acc64(*(const v16int32 *)x);
    *(v16int16 *)out = lsrs(narrow, 2);
    *(v16uint16 *)(out + 16) = ulsrs(narrow, 2);
    *(v16int16 *)(out + 32) = ssrs(wide, 3);
    const v16accfloat moved = shift(v16accfloat(*(const v16int32 *)x), v16accfloat(*(const v16int32 *)(x + 16)), 5);
    *(v16int32 *)(out + 48) = v16int32(moved);
    v64int8 first;
    load_lut_int8((const int8 *)table, (const int8 *)table, *(const v16int32 *)(x + 32), first);
    *(v64int8 *)(out + 80) = first;
}

void places(const bfloat16 *x, bfloat16 *out, int at) {
    v16bfloat16 row = *(const v16bfloat16 *)x;
    const v16bfloat16 before = row;
    row[2] = row[5], row[unsigned(at)] = bfloat16(7.0f);
    float next = row[1];
    *(v16bfloat16 *)out = row;
    out[16] = before[2], out[17] = bfloat16(next + 1), out[18] = bfloat16(float(row[0]));
}

void channels(const int8 *c, const int8 *d, int32 *out) {
    using Ops = aie::sliding_mul_ch_ops<8, 8, 3, 1, 1, 1, int8, int8>;
    const aie::vector<int8, 64> coeff = aie::load_v<64>(c);
    const aie::vector<int8, 128> data = aie::load_v<128>(d);
    auto acc = Ops::mul(coeff, 2, data, 9);
    acc = Ops::mac(acc, coeff, 5, data, 12);
    aie::store_v(out, acc.to_vector<int32>());
}

void modes(const int16 *a, const int16 *b, int16 *out, int step) {
    const aie::vector<int16, 16> x = aie::load_v<16>(a), y = aie::load_v<16>(b);
    const auto [p, q] = aie::interleave_zip(x, y, aie::interleave_zip_mode<int16, 16>(step));
    const auto [r, s] = aie::interleave_unzip(p, q, aie::interleave_unzip_mode<int16, 16>(step));
    aie::store_v(out, p);
    aie::store_v(out + 16, aie::concat(r, s));
    aie::store_v(out + 48, aie::filter(x, aie::filter_mode<int16, 16>::odd(step)));
}

void conjugates(const cint16 *a, const cint16 *b, int32 *out) {
    const aie::vector<cint16, 8> x = aie::load_v<8>(a), y = aie::load_v<8>(b);
    aie::store_v((cint32 *)out, aie::mul(x, aie::op_conj(y)).to_vector<cint32>(2));
    aie::store_v((cint32 *)out + 8, aie::mul(aie::op_conj(b[0]), x).to_vector<cint32>(2));
}

void by_iterators(const int16 *in, int16 *out) {
    auto from = aie::begin_vector<32>((int16 *)in);
    auto to = aie::begin_restrict_vector<32>(out);
    auto odd = aie::begin_unaligned_vector<32>((int16 *)in + 3);
    aie::store_v(out + 96, aie::add(*from++, *from)); // a vector in memory is an operand as it stands
    *to++ = aie::mul(*from, int16(3)).to_vector<int16>(1);
    *to++ = from->extract<16>(1).grow_replicate<32>();
    *to = *odd;
}

void restarted(const int8 *a, const int8 *b, int32 *out) {
    aie::mmul<4, 8, 8, int8, int8> m;
    m.mac(aie::load_v<32>(a), aie::load_v<64>(b));
    m.zero = true;
    m.mac(aie::load_v<32>(a), aie::load_v<64>(b + 64));
    m.mac(aie::load_v<32>(a), aie::load_v<64>(b));
    aie::store_v(out, m.to_vector<int32>());
}

void parts(const cint16 *x, int16 *out) {
    const aie::vector<cint16, 16> z = aie::load_v<16>(x);
    aie::store_v(out, aie::real(z));
    aie::store_v(out + 16, aie::imag(z));
    out[32] = aie::imag(x[2]);
}
}
