/* Lanes in another order: filters, interleaving, shifts, transposes. */
#pragma once

#include <aie_api/mul.hpp>

namespace aie {
namespace npu_detail {
/** Calls f with the power of two `step`, up to Limit, as a constant, so that a shuffle can be made of it. */
template <unsigned Limit, class F> NPU_INLINE auto with_step(unsigned step, F f) {
    if constexpr (Limit <= 1)
        return f(std::integral_constant<unsigned, 1>{});
    else
        return step == Limit ? f(std::integral_constant<unsigned, Limit>{}) : with_step<Limit / 2>(step, f);
}
} // namespace npu_detail

/** Every other chunk of `step` lanes, the first one included. */
template <class T, unsigned N> NPU_INLINE vector<T, N / 2> filter_even(const vector<T, N> &v, unsigned step = 1) {
    return npu_detail::with_step<N / 2>(step, [&](auto s) {
        return vector<T, N / 2>::of_words(npu::every_other<decltype(s)::value, false>(v.words()));
    });
}
template <class T, unsigned N> NPU_INLINE vector<T, N / 2> filter_odd(const vector<T, N> &v, unsigned step = 1) {
    return npu_detail::with_step<N / 2>(step, [&](auto s) {
        return vector<T, N / 2>::of_words(npu::every_other<decltype(s)::value, true>(v.words()));
    });
}
/** Which chunks a filter keeps, made before a loop. */
template <class T, unsigned N> class filter_mode {
    constexpr filter_mode(unsigned step, bool odd) : npu_step(step), npu_odd(odd) {}

  public:
    unsigned npu_step;
    bool npu_odd;
    static constexpr filter_mode even(unsigned step) { return {step, false}; }
    static constexpr filter_mode odd(unsigned step) { return {step, true}; }
};
template <class T, unsigned N> NPU_INLINE vector<T, N / 2> filter(const vector<T, N> &v, const filter_mode<T, N> &mode) {
    return mode.npu_odd ? filter_odd(v, mode.npu_step) : filter_even(v, mode.npu_step);
}

/** Chunks of a and b in turn: the first and the second half of that. */
template <class T, unsigned N>
NPU_INLINE std::pair<vector<T, N>, vector<T, N>> interleave_zip(const vector<T, N> &a, const vector<T, N> &b, unsigned step = 1) {
    return npu_detail::with_step<N>(step, [&](auto s) {
        const auto both = npu::zip<decltype(s)::value>(a.words(), b.words());
        return std::pair<vector<T, N>, vector<T, N>>(vector<T, N>::of_words(npu::part<N, 0>(both)),
                                                     vector<T, N>::of_words(npu::part<N, N>(both)));
    });
}
/** The even and the odd chunks of a‖b. */
template <class T, unsigned N>
NPU_INLINE std::pair<vector<T, N>, vector<T, N>> interleave_unzip(const vector<T, N> &a, const vector<T, N> &b, unsigned step = 1) {
    const auto both = concat(a, b);
    return {filter_even(both, step), filter_odd(both, step)};
}
/** The length of chunks, made before a loop. */
template <class T, unsigned N> struct interleave_zip_mode {
    unsigned npu_step;
    explicit constexpr interleave_zip_mode(unsigned step) : npu_step(step) {}
};
template <class T, unsigned N> struct interleave_unzip_mode {
    unsigned npu_step;
    explicit constexpr interleave_unzip_mode(unsigned step) : npu_step(step) {}
};
template <class T, unsigned N>
NPU_INLINE auto interleave_zip(const vector<T, N> &a, const vector<T, N> &b, const interleave_zip_mode<T, N> &mode) {
    return interleave_zip(a, b, mode.npu_step);
}
template <class T, unsigned N>
NPU_INLINE auto interleave_unzip(const vector<T, N> &a, const vector<T, N> &b, const interleave_unzip_mode<T, N> &mode) {
    return interleave_unzip(a, b, mode.npu_step);
}
template <class T, unsigned N>
NPU_INLINE std::pair<vector<T, N>, vector<T, N>> interleave_butterfly(const vector<T, N> &a, const vector<T, N> &b, unsigned step = 1) {
    return {concat(filter_even(a, step), filter_even(b, step)), concat(filter_odd(a, step), filter_odd(b, step))};
}

namespace npu_detail {
/** Lanes n … n + N - 1 of a‖b for a number of run time. */
template <class W> NPU_INLINE W window(W a, W b, unsigned n) {
    constexpr unsigned count = sizeof(W) / sizeof(a[0]);
    using L = __remove_cvref(decltype(a[0]));
    // A shuffle for each number is much to compile: of more lanes the way by memory is taken, which costs a running kernel little.
    if constexpr (count <= 32) {
        if (__builtin_constant_p(n)) {
            W found = a;
            [&]<unsigned... K>(npu::indices<K...>) {
                ((n == K ? void(found = npu::pick<count>(a, b, [](unsigned i) constexpr { return i + K; })) : void()), ...);
            }(npu::count_to<count + 1>{});
            return found;
        }
    }
    W *place = (W *)npu::registers::index_a;
    place[0] = a;
    place[1] = b;
    return npu::load<W>((L *)place + n % (count + 1));
}
} // namespace npu_detail

/** out[i + n] = v[i]; the freed lanes are the last n of `fill`. */
template <class T, unsigned N> NPU_INLINE vector<T, N> shuffle_up_fill(const vector<T, N> &v, const vector<T, N> &fill, unsigned n) {
    return vector<T, N>::of_words(npu_detail::window(fill.words(), v.words(), N - n));
}
/** out[i] = v[i + n]; the freed lanes are the first n of `fill`. */
template <class T, unsigned N> NPU_INLINE vector<T, N> shuffle_down_fill(const vector<T, N> &v, const vector<T, N> &fill, unsigned n) {
    return vector<T, N>::of_words(npu_detail::window(v.words(), fill.words(), n));
}
template <class T, unsigned N> NPU_INLINE vector<T, N> shuffle_up(const vector<T, N> &v, unsigned n) {
    return shuffle_up_fill(v, vector<T, N>(), n);
}
template <class T, unsigned N> NPU_INLINE vector<T, N> shuffle_down(const vector<T, N> &v, unsigned n) {
    return shuffle_down_fill(v, vector<T, N>(), n);
}
template <class T, unsigned N> NPU_INLINE vector<T, N> shuffle_up_rotate(const vector<T, N> &v, unsigned n) {
    return shuffle_up_fill(v, v, n % N);
}
template <class T, unsigned N> NPU_INLINE vector<T, N> shuffle_down_rotate(const vector<T, N> &v, unsigned n) {
    return shuffle_down_fill(v, v, n % N);
}
template <class T, unsigned N> NPU_INLINE vector<T, N> shuffle_up_replicate(const vector<T, N> &v, unsigned n) {
    return shuffle_up_fill(v, broadcast<T, N>(v.get(0)), n);
}
template <class T, unsigned N> NPU_INLINE vector<T, N> shuffle_down_replicate(const vector<T, N> &v, unsigned n) {
    return shuffle_down_fill(v, broadcast<T, N>(v.get(N - 1)), n);
}

template <class T, unsigned N> NPU_INLINE vector<T, N> reverse(const vector<T, N> &v) {
    return vector<T, N>::of_words(npu::pick<N>(v.words(), [](unsigned i) constexpr { return N - 1 - i; }));
}
/** A row-major matrix of rows × columns, transposed. */
template <class T, unsigned N> NPU_INLINE vector<T, N> transpose(const vector<T, N> &v, unsigned rows, unsigned) {
    if constexpr (npu::element<T>::bits == 4) {
        const auto wide = v.unpack();
        return vector<T, N>::of_row(npu::bytes_to_nibbles(transpose(wide, rows, N / rows).npu_row));
    } else
        return npu_detail::with_step<N>(rows,
                                        [&](auto r) { return vector<T, N>::of_words(npu::transposed<decltype(r)::value>(v.words())); });
}
} // namespace aie

/* What kernels reach for below the API's surface. */
namespace aie::detail {
template <class T, unsigned N> struct transpose {
    static NPU_INLINE vector<T, N> run(const vector<T, N> &v, unsigned rows, unsigned columns) { return aie::transpose(v, rows, columns); }
};
template <class T, unsigned N> struct broadcast {
    static NPU_INLINE vector<T, N> run(const T &x) { return aie::broadcast<T, N>(x); }
};
template <class T, unsigned N> struct zeros {
    static NPU_INLINE vector<T, N> run() { return vector<T, N>(); }
};
} // namespace aie::detail
