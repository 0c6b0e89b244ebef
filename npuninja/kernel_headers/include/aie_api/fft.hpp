/* Stages of decimation-in-time Fourier transforms. A stage of radix R and vectorization V takes n values in groups of R·V, where group g
 * has the twiddles tw[g], and gives n/R values of each of the R outputs in a row. With w_r the twiddle of rate r, x_r the r-th V values
 * of a group and z = exp(-2πi/R): output q is the sum of z^(q·r)·w_r·x_r, and all twiddles are conjugated for the inverse.
 *
 * Integers: twiddles are fractions of 2^shift_tw, sums are exact in 64 bits and narrowed once by `shift`. Radices 3 and 5 narrow the
 * products w_r·x_r to 32 bits first, and have z as a fraction of 2^shift_tw cut from 15 bits. bfloat16: two values and their twiddles
 * are one step of the float unit. */
#pragma once

#include <aie_api/mul.hpp>
#include <array>

namespace aie {
namespace npu_detail {
template <class T> inline constexpr bool is_fft_integer = std::is_same_v<T, cint16> || std::is_same_v<T, cint32>;
/** What the API's table of transforms has. */
template <unsigned Radix, class In, class Out, class Tw>
inline constexpr bool is_fft = std::is_same_v<Tw, cint16> && is_fft_integer<In> && is_fft_integer<Out>
                                   ? Radix == 2 || Radix == 4 || (__AIE_ARCH__ == 20 && (Radix == 3 || Radix == 5))
                                   : __AIE_ARCH__ == 20 && std::is_same_v<In, cbfloat16> && std::is_same_v<Out, cbfloat16> &&
                                         std::is_same_v<Tw, cbfloat16> && (Radix == 2 || Radix == 4);

/** Eight complex numbers, real and imaginary parts in a row each. */
template <class Lane> struct complex_rows {
    using row = npu::lanes<Lane, 8>;
    row re, im;
};
using integer_rows = complex_rows<npu::i64>;
using float_rows = complex_rows<float>;
NPU_INLINE integer_rows operator+(integer_rows a, integer_rows b) { return {a.re + b.re, a.im + b.im}; }
NPU_INLINE integer_rows operator-(integer_rows a, integer_rows b) { return {a.re - b.re, a.im - b.im}; }
NPU_INLINE integer_rows operator*(integer_rows a, integer_rows b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
template <class Lane> NPU_INLINE complex_rows<Lane> conjugate(complex_rows<Lane> a, bool really) {
    return {a.re, really ? -a.im : a.im};
}
/** i·a. */
template <class Lane> NPU_INLINE complex_rows<Lane> quarter_turn(complex_rows<Lane> a) { return {-a.im, a.re}; }

template <class T> NPU_INLINE auto fft_lane(T x) {
    if constexpr (std::is_same_v<T, bfloat16>)
        return float(x);
    else
        return npu::i64(x);
}
/** Eight numbers from any places. */
template <class T, class Place> NPU_INLINE auto gathered(const T *from, Place place) {
    using Lane = decltype(fft_lane(from->real));
    complex_rows<Lane> rows;
    [&]<unsigned... I>(npu::indices<I...>) {
        ((rows.re[I] = fft_lane(from[place(I)].real), rows.im[I] = fft_lane(from[place(I)].imag)), ...);
    }(npu::count_to<8>{});
    return rows;
}
template <class Out, class Lane> NPU_INLINE vector<Out, 8> narrowed(complex_rows<Lane> rows, int shift) {
    using Tag = std::conditional_t<std::is_same_v<Lane, float>, caccfloat, cacc64>;
    return accum<Tag, 8>::of_row(npu::zip<1>(rows.re, rows.im)).template to_vector<Out>(shift);
}

/** a + Σ b_k·w_k, or a - Σ …: one step of the float unit. */
template <bool Minus, unsigned K> NPU_INLINE float_rows float_stage(float_rows a, const float_rows (&b)[K], const float_rows (&w)[K]) {
    using F = float_rows::row;
    F x[2 * K], y[2 * K], u[2 * K], v[2 * K];
    for (unsigned k = 0; k < K; k++) {
        const F re = Minus ? -b[k].re : b[k].re, im = Minus ? -b[k].im : b[k].im;
        x[2 * k] = re, y[2 * k] = w[k].re, x[2 * k + 1] = -im, y[2 * k + 1] = w[k].im;
        u[2 * k] = re, v[2 * k] = w[k].im, u[2 * k + 1] = im, v[2 * k + 1] = w[k].re;
    }
    return {npu::multiply_add_many(a.re, x, y), npu::multiply_add_many(a.im, u, v)};
}

/** Eight values of each output, from x_r and w_r. */
template <unsigned Radix> struct fft_outputs {
    integer_rows of[Radix];
};
NPU_INLINE fft_outputs<2> butterfly(const integer_rows (&x)[2], const integer_rows (&w)[1], unsigned shift_tw, bool) {
    const integer_rows a = {x[0].re << shift_tw, x[0].im << shift_tw}, b = x[1] * w[0];
    return {{a + b, a - b}};
}
NPU_INLINE fft_outputs<4> butterfly(const integer_rows (&x)[4], const integer_rows (&w)[3], unsigned shift_tw, bool inverse) {
    const integer_rows a = {x[0].re << shift_tw, x[0].im << shift_tw};
    const integer_rows p1 = x[1] * w[0], p2 = x[2] * w[1], p3 = x[3] * w[2];
    const integer_rows turned = quarter_turn(inverse ? p1 - p3 : p3 - p1); // -i·(p1 - p3) forwards
    return {{a + p2 + p1 + p3, a - p2 + turned, a + p2 - (p1 + p3), a - p2 - turned}};
}
/** x·w as 32-bit integers, by `shift` and the modes. */
NPU_INLINE integer_rows narrowed_product(integer_rows x, integer_rows w, int shift) {
    const integer_rows p = x * w;
    return {npu::convert<npu::i64>(npu::srs<npu::i32>(p.re, shift)), npu::convert<npu::i64>(npu::srs<npu::i32>(p.im, shift))};
}
NPU_INLINE integer_rows constant_rows(int re, int im) { return {npu::splat<npu::i64, 8>(re), npu::splat<npu::i64, 8>(im)}; }
NPU_INLINE fft_outputs<3> butterfly(const integer_rows (&x)[3], const integer_rows (&w)[2], unsigned shift_tw, bool inverse) {
    const integer_rows a = {x[0].re << shift_tw, x[0].im << shift_tw};
    const integer_rows q = constant_rows(1 << (shift_tw - 1), 28378 >> (15 - shift_tw)); // (1 + √3·i)/2
    const integer_rows p = conjugate(q, inverse), r = conjugate(q, !inverse);
    const integer_rows d = narrowed_product(x[1], w[0], int(shift_tw)), e = narrowed_product(x[2], w[1], int(shift_tw));
    return {{a + x[1] * w[0] + x[2] * w[1], a - d * p - e * r, a - d * r - e * p}};
}
NPU_INLINE fft_outputs<5> butterfly(const integer_rows (&x)[5], const integer_rows (&w)[4], unsigned shift_tw, bool inverse) {
    const integer_rows a = {x[0].re << shift_tw, x[0].im << shift_tw};
    const unsigned cut = 15 - shift_tw;
    const integer_rows q1 = constant_rows(-10126 >> cut, 31164 >> cut), q2 = constant_rows(26510 >> cut, 19261 >> cut); // -z, -z²
    const integer_rows p1 = conjugate(q1, inverse), r1 = conjugate(q1, !inverse);
    const integer_rows p2 = conjugate(q2, inverse), r2 = conjugate(q2, !inverse);
    integer_rows d[4], sum = a;
    for (unsigned k = 0; k < 4; k++) {
        d[k] = narrowed_product(x[k + 1], w[k], int(shift_tw));
        sum = sum + x[k + 1] * w[k];
    }
    return {{sum, a - d[0] * p1 - d[1] * p2 - d[2] * r2 - d[3] * r1, a - d[0] * p2 - d[1] * r1 - d[2] * p1 - d[3] * r2,
             a - d[0] * r2 - d[1] * p1 - d[2] * r1 - d[3] * p2, a - d[0] * r1 - d[1] * r2 - d[2] * p2 - d[3] * p1}};
}

/** Values `first` to `first + 7` of each output. */
template <unsigned V, unsigned Radix, class Out, class In, class Tw>
NPU_INLINE std::array<vector<Out, 8>, Radix> fft_eight(const In *x, const Tw *const *tables, unsigned first, unsigned shift_tw,
                                                       unsigned shift, bool inverse) {
    static_assert(is_fft<Radix, In, Out, Tw>, "aie::fft_dit: the API has no such transform for these elements on this generation");
    static_assert(V >= 8 || Radix == 2 || Radix == 4, "aie::fft_dit: radices 3 and 5 have vectorizations of 8 and more");
    using Lane = decltype(fft_lane(x->real));
    complex_rows<Lane> values[Radix], twiddles[Radix - 1];
    for (unsigned r = 0; r < Radix; r++) {
        values[r] = gathered(x, [&](unsigned i) { return (first + i) / V * Radix * V + r * V + (first + i) % V; });
        if (r > 0)
            twiddles[r - 1] = conjugate(gathered(tables[r - 1], [&](unsigned i) { return (first + i) / V; }), inverse);
    }
    if constexpr (!std::is_same_v<Lane, float>) {
        const auto results = butterfly(values, twiddles, shift_tw, inverse);
        std::array<vector<Out, 8>, Radix> out;
        for (unsigned q = 0; q < Radix; q++)
            out[q] = narrowed<Out>(results.of[q], int(shift));
        return out;
    } else if constexpr (Radix == 2) {
        const float_rows b[1] = {values[1]}, w[1] = {twiddles[0]};
        return {narrowed<Out>(float_stage<false>(values[0], b, w), 0), narrowed<Out>(float_stage<true>(values[0], b, w), 0)};
    } else {
        const float_rows c[1] = {values[2]}, w2[1] = {twiddles[1]};
        const float_rows g = float_stage<false>(values[0], c, w2), h = float_stage<true>(values[0], c, w2);
        const float_rows b[2] = {values[1], values[3]}, w[2] = {twiddles[0], twiddles[2]};
        // The twiddles turned by a quarter, against each other.
        const float_rows one = quarter_turn(twiddles[0]), three = quarter_turn(twiddles[2]);
        const float_rows turned[2] = {inverse ? one : float_rows{-one.re, -one.im}, inverse ? float_rows{-three.re, -three.im} : three};
        return {narrowed<Out>(float_stage<false>(g, b, w), 0), narrowed<Out>(float_stage<false>(h, b, turned), 0),
                narrowed<Out>(float_stage<true>(g, b, w), 0), narrowed<Out>(float_stage<true>(h, b, turned), 0)};
    }
}
template <unsigned V, unsigned Radix, class In, class Out, class Tw>
__attribute__((noinline)) void fft_stage(const In *x, const Tw *const *tables, unsigned n, unsigned shift_tw, unsigned shift, bool inverse,
                                         Out *out) {
    const unsigned length = n / Radix;
    for (unsigned first = 0; first < length; first += 8) {
        const auto results = fft_eight<V, Radix, Out>(x, tables, first, shift_tw, shift, inverse);
        for (unsigned q = 0; q < Radix; q++)
            results[q].store(out + q * length + first);
    }
}
} // namespace npu_detail

/* The order of the twiddle tables is the API's: for radix 4 the one of rate 2 comes first. Floats have no shifts. */
template <unsigned V, class In, class Out, class Tw>
NPU_INLINE void fft_dit_r2_stage(const In *x, const Tw *tw, unsigned n, unsigned shift_tw, unsigned shift, bool inv, Out *out) {
    const Tw *tables[] = {tw};
    npu_detail::fft_stage<V, 2>(x, tables, n, shift_tw, shift, inv, out);
}
template <unsigned V, class In, class Out, class Tw>
NPU_INLINE void fft_dit_r3_stage(const In *x, const Tw *tw0, const Tw *tw1, unsigned n, unsigned shift_tw, unsigned shift, bool inv, Out *out) {
    const Tw *tables[] = {tw0, tw1};
    npu_detail::fft_stage<V, 3>(x, tables, n, shift_tw, shift, inv, out);
}
template <unsigned V, class In, class Out, class Tw>
NPU_INLINE void fft_dit_r4_stage(const In *x, const Tw *tw0, const Tw *tw1, const Tw *tw2, unsigned n, unsigned shift_tw, unsigned shift,
                                 bool inv, Out *out) {
    const Tw *tables[] = {tw1, tw0, tw2};
    npu_detail::fft_stage<V, 4>(x, tables, n, shift_tw, shift, inv, out);
}
template <unsigned V, class In, class Out, class Tw>
NPU_INLINE void fft_dit_r5_stage(const In *x, const Tw *tw0, const Tw *tw1, const Tw *tw2, const Tw *tw3, unsigned n, unsigned shift_tw,
                                 unsigned shift, bool inv, Out *out) {
    const Tw *tables[] = {tw0, tw1, tw2, tw3};
    npu_detail::fft_stage<V, 5>(x, tables, n, shift_tw, shift, inv, out);
}
template <unsigned V>
NPU_INLINE void fft_dit_r2_stage(const cbfloat16 *x, const cbfloat16 *tw, unsigned n, bool inv, cbfloat16 *out) {
    fft_dit_r2_stage<V>(x, tw, n, 0, 0, inv, out);
}
template <unsigned V>
NPU_INLINE void fft_dit_r4_stage(const cbfloat16 *x, const cbfloat16 *tw0, const cbfloat16 *tw1, const cbfloat16 *tw2, unsigned n, bool inv,
                                 cbfloat16 *out) {
    fft_dit_r4_stage<V>(x, tw0, tw1, tw2, n, 0, 0, inv, out);
}

/** A stage vector by vector, which the API's own guide calls deprecated: what an iterator of it points to gives as many vectors as the
 * radix says, the next of each output. */
template <unsigned V, unsigned Radix, class In, class Out = In, class Tw = std::conditional_t<npu_detail::is_bf16<In>, cbfloat16, cint16>>
class fft_dit {
    unsigned shift_tw_ = 0, shift_ = 0;
    bool inverse_ = false;

  public:
    using input_type = In;
    using output_type = Out;
    using twiddle_type = Tw;
    static constexpr unsigned out_vector_size =
        __AIE_ARCH__ >= 21 && !(std::is_same_v<In, cint32> && Radix == 4 && V == 1) ? 16 : 8;
    static constexpr unsigned radix = Radix, num_out_vector = Radix, min_point_size = out_vector_size * Radix;
    using output_data = std::array<vector<Out, out_vector_size>, Radix>;
    static constexpr int block_size(unsigned n) { return int(n / min_point_size); }
    struct input_data {
        const In *x;
        const Tw *tables[Radix - 1];
        unsigned first;
    };
    class stage_iterator {
        input_data at_;

      public:
        using value_type = input_data;
        using reference = input_data;
        using difference_type = ptrdiff_t;
        NPU_INLINE explicit stage_iterator(const input_data &at) : at_(at) {}
        NPU_INLINE input_data operator*() const { return at_; }
        NPU_INLINE stage_iterator &operator++() {
            at_.first += out_vector_size;
            return *this;
        }
        NPU_INLINE stage_iterator operator++(int) {
            const stage_iterator old = *this;
            ++*this;
            return old;
        }
    };
    fft_dit() = default;
    NPU_INLINE fft_dit(unsigned shift_tw, unsigned shift, bool inv) : shift_tw_(shift_tw), shift_(shift), inverse_(inv) {}
    template <class... Tables>
        requires(sizeof...(Tables) == Radix - 1)
    NPU_INLINE stage_iterator begin_stage(const In *x, const Tables *...tables) const {
        input_data at{x, {tables...}, 0};
        if constexpr (Radix == 4) {
            const Tw *const second = at.tables[0];
            at.tables[0] = at.tables[1], at.tables[1] = second;
        }
        return stage_iterator(at);
    }
    NPU_INLINE output_data dit(const input_data &data, unsigned shift_tw, unsigned shift, bool inv) const {
        output_data out;
        for (unsigned part = 0; part < out_vector_size / 8; part++) {
            const auto eight = npu_detail::fft_eight<V, Radix, Out>(data.x, data.tables, data.first + part * 8, shift_tw, shift, inv);
            for (unsigned q = 0; q < Radix; q++)
                out[q].insert(part, eight[q]);
        }
        return out;
    }
    NPU_INLINE output_data dit(const input_data &data) const { return dit(data, shift_tw_, shift_, inverse_); }
};
} // namespace aie
