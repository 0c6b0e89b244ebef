// Kernels as somebody writes them from the API's reference: each uses one corner of it (test_reference_kernels.py has what they compute).
#include <aie_api/aie.hpp>
#include <aie_api/utils.hpp>

extern "C" {
void cmul16(const cint16 *a, const cint16 *b, cint16 *o) { 
  for (int i = 0; i < 64; i += 8) {
    aie::vector<cint16, 8> x = aie::load_v<8>(a + i), y = aie::load_v<8>(b + i);
    auto acc = aie::mul(x, y);
    aie::store_v(o + i, acc.to_vector<cint16>(15));
  }
}
void cmac_conj(const cint16 *a, const cint16 *b, cint32 *o) {
  for (int i = 0; i < 64; i += 8) {
    auto x = aie::load_v<8>(a + i), y = aie::load_v<8>(b + i);
    aie::accum<cacc64, 8> acc = aie::mul(x, y);
    acc = aie::mac(acc, x, aie::op_conj(y));
    aie::store_v(o + i, acc.to_vector<cint32>(0));
  }
}
void abs_square(const cint16 *a, int32 *o) {
  for (int i = 0; i < 64; i += 8) {
    auto acc = aie::abs_square(aie::load_v<8>(a + i));
    aie::store_v(o + i, acc);
  }
}
void real_by_complex(const int16 *a, const cint16 *b, cint32 *o) {
  for (int i = 0; i < 64; i += 8) {
    auto acc = aie::mul(aie::load_v<8>(a + i), aie::load_v<8>(b + i));
    aie::store_v(o + i, acc.to_vector<cint32>(0));
  }
}
void cmmul(const cint16 *a, const cint16 *b, cint32 *o) {
  aie::mmul<1, 4, 8, cint16, cint16> m;
  m.mul(aie::load_v<4>(a), aie::load_v<32>(b));
  m.mac(aie::load_v<4>(a + 4), aie::load_v<32>(b + 32));
  aie::store_v(o, m.to_vector<cint32>(0));
}
void sliding_sym(const int16 *c, const int16 *d, int32 *o) {
  auto coeff = aie::load_v<16>(c); auto data = aie::load_v<32>(d);
  auto acc = aie::sliding_mul_sym<8, 8>(coeff, 0, data, 0);
  aie::store_v(o, acc.to_vector<int32>(0));
}
void sliding_antisym(const int16 *c, const int16 *d, int32 *o) {
  auto coeff = aie::load_v<16>(c); auto data = aie::load_v<32>(d);
  auto acc = aie::sliding_mul_antisym<8, 8>(coeff, 0, data, 2);
  aie::store_v(o, acc.to_vector<int32>(0));
}
void sliding_float(const float *c, const float *d, float *o) {
  auto coeff = aie::load_v<8>(c); auto data = aie::load_v<32>(d);
  auto acc = aie::sliding_mul<8, 4>(coeff, 0u, data, 0u);
  aie::store_v(o, acc.to_vector<float>());
}
void interleave_butterfly(const int16 *a, const int16 *b, int16 *o) {
  auto [x, y] = aie::interleave_zip(aie::load_v<32>(a), aie::load_v<32>(b), 4);
  auto [p, q] = aie::interleave_unzip(x, y, 2);
  aie::store_v(o, p); aie::store_v(o + 32, q);
}
void masks(const int32 *a, const int32 *b, uint32 *o) {
  auto x = aie::load_v<16>(a), y = aie::load_v<16>(b);
  aie::mask<16> lt = aie::lt(x, y), eq = aie::eq(x, 0), both = lt & ~eq;
  o[0] = lt.to_uint32(); o[1] = eq.count(); o[2] = both.to_uint32(); o[3] = (lt | eq).to_uint32();
  o[4] = (lt ^ eq).to_uint32(); o[5] = lt.empty(); o[6] = (lt << 3).to_uint32(); o[7] = (lt >> 2).to_uint32();
  o[8] = lt.clz(); o[9] = lt.test(3); lt.set(3); lt.clear(4); o[10] = lt.to_uint32(); lt.clear(0); o[11] = lt.to_uint32();
  auto m64 = aie::mask<64>::from_uint64(0x123456789abcdef0ull); o[12] = m64.count(); o[13] = m64.to_uint32(1); o[14] = (uint32)(m64.to_uint64() >> 4);
  o[15] = aie::mask<16>(true).to_uint32() + aie::mask<32>::from_uint32(7u).count();
}
void select_scalar(const int16 *a, int16 *o) {
  auto x = aie::load_v<32>(a);
  auto m = aie::gt(x, (int16)0);
  aie::store_v(o, aie::select((int16)-1, (int16)1, m));
  aie::store_v(o + 32, aie::select(x, (int16)7, m));
}
void shuffles(const uint8 *a, const uint8 *b, uint8 *o) {
  auto x = aie::load_v<64>(a), y = aie::load_v<64>(b);
  aie::store_v(o, aie::shuffle_up(x, 5)); aie::store_v(o + 64, aie::shuffle_down_fill(x, y, 3));
  aie::store_v(o + 128, aie::shuffle_up_rotate(x, 7)); aie::store_v(o + 192, aie::shuffle_down_replicate(x, 9));
  aie::store_v(o + 256, aie::reverse(x)); aie::store_v(o + 320, aie::transpose(x, 4, 16));
}
void bits(const uint16 *a, const uint16 *b, uint16 *o) {
  auto x = aie::load_v<32>(a), y = aie::load_v<32>(b);
  aie::store_v(o, aie::bit_and(x, y)); aie::store_v(o + 32, aie::bit_or(x, (uint16)0x0f0f));
  aie::store_v(o + 64, aie::bit_xor((uint16)0xffff, x)); aie::store_v(o + 96, aie::bit_not(y));
  aie::store_v(o + 128, aie::upshift(x, 3)); aie::store_v(o + 160, aie::logical_downshift(x, 5));
}
void shifts_by_mode(const int16 *a, const uint8 *b, int16 *o) {
  aie::set_rounding(aie::rounding_mode::conv_even); aie::set_saturation(aie::saturation_mode::saturate);
  auto x = aie::load_v<32>(a); auto y = aie::load_v<32>(b);
  aie::store_v(o, aie::downshift(x, 4)); aie::store_v(o + 32, aie::downshift(x, 15));
  aie::store_v(o + 64, aie::upshift(x, 3)); aie::store_v(o + 96, aie::upshift(x, 40));
  aie::store_v(o + 128, aie::downshift(y, 3).unpack().cast_to<int16>()); aie::store_v(o + 160, aie::upshift(y, 2).unpack().cast_to<int16>());
  aie::store_v(o + 192, aie::downshift(x.pack<int8>().pack<int4>(), 1).unpack().unpack());
  aie::set_saturation(aie::saturation_mode::none); aie::store_v(o + 224, aie::upshift(x, 3));
  aie::set_rounding(aie::rounding_mode::floor);
}
void downshift(const int16 *a, int16 *o) { aie::store_v(o, aie::downshift(aie::load_v<32>(a), 4)); }
void reduce(const int16 *a, const int32 *b, int32 *o) {
  auto x = aie::load_v<32>(a); auto y = aie::load_v<16>(b);
  o[0] = aie::reduce_add(x); o[1] = aie::reduce_max(x); o[2] = aie::reduce_min(x);
  o[3] = aie::reduce_add(y); o[4] = aie::reduce_max(y); o[5] = aie::reduce_min(y);
  auto s = aie::reduce_add_v(y, y, y, y); o[6] = s[0]; o[7] = s[3];
}
void saturating(const int8 *a, const int8 *b, int8 *o) {
  auto x = aie::load_v<64>(a), y = aie::load_v<64>(b);
  aie::set_saturation(aie::saturation_mode::saturate);
  aie::store_v(o, aie::saturating_add(x, y)); aie::store_v(o + 64, aie::saturating_sub(x, y));
  aie::set_saturation(aie::saturation_mode::none);
}
void pack_unpack(const int8 *a, const int16 *b, int16 *o, int8 *p) {
  aie::vector<int16, 32> w = aie::unpack(aie::load_v<32>(a)); aie::store_v(o, w);
  aie::vector<int8, 32> n = aie::pack(aie::load_v<32>(b)); aie::store_v(p, n);
}
void extract_insert(const int32 *a, int32 *o) {
  auto v = aie::load_v<32>(a);
  aie::vector<int32, 8> e = v.extract<8>(2);
  v.insert(0, e); v[5] = 99; v.set(42, 6); v.push(7);
  aie::store_v(o, v);
  auto g = e.grow<16>(1); aie::vector<int32, 16> r = e.grow_replicate<16>();
  aie::store_v(o + 32, r);
  o[48] = g[8]; o[49] = v.get(3);
  auto parts = r.split<4>(); o[50] = std::get<1>(parts)[2];
}
void cast(const int32 *a, int16 *o) {
  auto v = aie::load_v<16>(a);
  aie::store_v(o, v.cast_to<int16>()); aie::store_v(o + 32, aie::vector_cast<int16>(aie::neg(v)));
}
void accum_ops(const int32 *a, const int32 *b, int32 *o) {
  aie::accum<acc64, 16> acc; acc.from_vector(aie::load_v<16>(a), 4);
  acc = aie::add(acc, aie::load_v<16>(b)); acc = aie::sub(acc, 5); acc = aie::negmul(aie::load_v<16>(b), 2);
  acc = aie::msc(acc, aie::load_v<16>(a), aie::load_v<16>(b));
  auto lo = acc.extract<8>(0), hi = acc.extract<8>(1);
  aie::store_v(o, aie::concat(hi, lo).to_vector<int32>(1));
}
void iterators(const int16 *a, int16 *o) {
  auto it = aie::cbegin_vector<16>(a); auto out = aie::begin_vector<16>(o); auto end = it + 4;
  for (; it != end; ++it, ++out) *out = aie::add(*it, (int16)3);
}
void unaligned(const int16 *a, int16 *o) {
  aie::vector<int16, 16> v = aie::load_unaligned_v<16>(a + 3); aie::store_unaligned_v(o + 1, v);
  auto it = aie::begin_unaligned_vector<16>(o + 20); *it = aie::load_unaligned_v<16>(a + 5, 1);
}
void circular(const int32 *a, int32 *o) {
  auto it = aie::cbegin_vector_circular<8, 32>(a);
  for (int i = 0; i < 6; i++) { aie::store_v(o + 8 * i, *it); ++it; }
}
void square(const int16 *a, int32 *o) {
  auto v = aie::load_v<16>(a);
  auto acc = aie::mul_square(v); acc = aie::mac_square(acc, v); acc = aie::msc_square(acc, aie::vector<int16, 16>(aie::broadcast<int16, 16>(3)));
  aie::store_v(o, acc.to_vector<int32>(1));
}
void accumulate(const int16 *c, const int16 *a, int32 *o) {
  auto coeff = aie::load_v<16>(c);
  auto v0 = aie::load_v<16>(a), v1 = aie::load_v<16>(a + 16), v2 = aie::load_v<16>(a + 32);
  auto acc = aie::accumulate<16>(coeff, 1, v0, v1, v2); acc = aie::accumulate<16>(acc, coeff, 4, v2);
  aie::store_v(o, acc.to_vector<int32>(0));
}
void minmax_diff(const uint8 *a, const uint8 *b, uint8 *o) {
  auto x = aie::load_v<64>(a), y = aie::load_v<64>(b);
  aie::store_v(o, aie::max(x, y)); aie::store_v(o + 64, aie::min(x, (uint8)100)); aie::store_v(o + 128, aie::maxdiff(x, y));
  aie::store_v(o + 192, aie::clamp(x, (uint8)50, (uint8)200));
}
void tofloat(const int32 *a, const int16 *b, const float *f, float *o, int16 *p) {
  aie::store_v(o, aie::to_float(aie::load_v<16>(a), 4)); aie::store_v(o + 16, aie::to_float<float>(aie::load_v<16>(b)));
  aie::store_v(p, aie::to_fixed<int16>(aie::load_v<16>(f), 5));
}
void operators(const int16 *a, const int16 *b, int32 *o) {
  using namespace aie::operators;
  auto x = aie::load_v<16>(a), y = aie::load_v<16>(b);
  auto acc = x * y; acc = acc + (x * (int16)3); auto d = x - y; d += y; auto n = -d; auto s = (x << 1) | (y & x);
  aie::store_v(o, acc.to_vector<int32>(0)); aie::store_v(o + 16, aie::unpack(n)); aie::store_v(o + 32, aie::unpack(s));
}
void unroll(const int16 *a, int16 *o) {
  aie::unroll_times<4>([&](unsigned i) { aie::store_v(o + 16 * i, aie::add(aie::load_v<16>(a + 16 * i), (int16)i)); });
  aie::unroll_for<unsigned, 0, 4, 1>([&](auto i) { o[i] += 1; });
}
void bf16_ops(const bfloat16 *a, const bfloat16 *b, bfloat16 *o) {
  auto x = aie::load_v<16>(a), y = aie::load_v<16>(b);
  aie::store_v(o, aie::abs(x)); aie::store_v(o + 16, aie::neg(y)); aie::store_v(o + 32, aie::min(x, y)); aie::store_v(o + 48, aie::max(x, (bfloat16)0.5f));
  auto m = aie::lt(x, y); aie::store_v(o + 64, aie::select(x, y, m));
  aie::accum<accfloat, 16> acc = aie::mul(x, y); acc = aie::mac(acc, x, (bfloat16)2.0f); acc = aie::msc(acc, y, y); acc = aie::add(acc, x);
  aie::store_v(o + 80, acc.to_vector<bfloat16>());
}
void float_ops(const float *a, const float *b, float *o) {
  auto x = aie::load_v<16>(a), y = aie::load_v<16>(b);
  aie::store_v(o, aie::add(x, y)); aie::store_v(o + 16, aie::sub(x, 1.0f)); aie::store_v(o + 32, aie::vector<float, 16>(aie::mul(x, y)));
  aie::store_v(o + 48, aie::max(x, y)); aie::store_v(o + 64, aie::abs(y)); aie::store_v(o + 80, aie::inv(x)); aie::store_v(o + 96, aie::invsqrt(aie::abs(x)));
  aie::store_v(o + 112, aie::div(x, y)); o[128] = aie::inv(a[0]); o[129] = aie::sqrt(a[1]); o[130] = aie::reduce_add(x); o[131] = aie::reduce_max(x);
}
void cfloats(const cfloat *a, const cfloat *b, cfloat *o) {
  auto x = aie::load_v<8>(a), y = aie::load_v<8>(b);
  aie::accum<caccfloat, 8> acc = aie::mul(x, y); aie::store_v(o, acc.to_vector<cfloat>());
  aie::store_v(o + 8, aie::add(x, y)); aie::store_v(o + 16, aie::conj(x));
}
void mmul_transposed(const int8 *a, const int8 *b, int8 *o) {
  using MM = aie::mmul<4, 8, 8, int8, int8>;
  MM m(aie::zeros<acc32, MM::size_C>());
  for (int k = 0; k < 2; k++) m.mac(aie::load_v<MM::size_A>(a + k * MM::size_A), aie::transpose(aie::load_v<MM::size_B>(b + k * MM::size_B), 8, 8));
  aie::set_rounding(aie::rounding_mode::conv_even); aie::set_saturation(aie::saturation_mode::saturate);
  aie::store_v(o, m.to_vector<int8>(3));
  aie::set_rounding(aie::rounding_mode::floor); aie::set_saturation(aie::saturation_mode::none);
}
void tensor(const int16 *a, int16 *o) {
  auto desc = aie::make_tensor_descriptor<int16, 16>(aie::tensor_dim(2, 1), aie::tensor_dim(2, 2));
  auto s = aie::make_tensor_buffer_stream(a, desc);
  for (int i = 0; i < 4; i++) { aie::vector<int16, 16> v; s >> v; aie::store_v(o + 16 * i, v); }
}
void mixed_sign(const uint8 *a, const int8 *b, int16 *o) {
  auto acc = aie::mul(aie::load_v<32>(a), aie::load_v<32>(b)); acc = aie::mac(acc, aie::op_sign(aie::load_v<32>(b), true), (int8)2);
  aie::store_v(o, acc.to_vector<int16>(1));
}
void misc(const int32 *a, const int16 *b, int32 *o) {
  constexpr unsigned lanes = aie::native_vector_length_v<int32>;
  static_assert(std::is_same_v<aie::vector<int32, 16>::value_type, int32>);
  auto v = aie::load_v<lanes>(a); o[0] = v.size(); o[1] = aie::equal(v, v); o[2] = aie::not_equal(v, aie::zeros<int32, lanes>());
  auto w = aie::load_v<16>(b); aie::vector<int32, 16> wide = aie::mul(w, (int16)1).to_vector<int32>(0); aie::store_v(o + 16, wide);
  auto [mn, mm] = aie::min_cmp(v, wide); auto r = aie::max_cmp(v, wide); aie::store_v(o + 32, mn); o[3] = mm.to_uint32(); aie::store_v(o + 48, std::get<0>(r));
  o[4] = aie::get_rounding() == aie::rounding_mode::floor; auto old = aie::swap_saturation(aie::saturation_mode::symmetric); o[5] = (int)old; aie::set_saturation(old);
  aie::vector<int32, 8> lo = aie::filter_even(v), hi = aie::filter_odd(v, 2); aie::store_v(o + 64, aie::concat(lo, hi)); aie::store_v(o + 80, aie::concat(lo, hi, lo, hi));
}
}
