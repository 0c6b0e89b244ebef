/* Printing of vectors, and loops that are written out. */
#pragma once
#include <npu/letters_aside.h>

#include <aie_api/mask.hpp>
#include <stdio.h>

namespace aie {
template <class T, unsigned N> void print(const vector<T, N> &v, bool new_line = false, const char *prefix = nullptr) {
    if (prefix)
        printf("%s", prefix);
    for (unsigned i = 0; i < N; i++) {
        if constexpr (npu::element<T>::is_complex)
            printf("%g+%gi ", double(float(v.get(i).real)), double(float(v.get(i).imag)));
        else if constexpr (npu::element<T>::is_float)
            printf("%g ", double(float(v.get(i))));
        else
            printf("%d ", int(v.get(i)));
    }
    if (new_line)
        printf("\n");
}
template <unsigned N> void print(const mask<N> &m, bool new_line = false, const char *prefix = nullptr) {
    if (prefix)
        printf("%s", prefix);
    for (unsigned i = 0; i < N; i++)
        printf("%d ", int(m.test(i)));
    if (new_line)
        printf("\n");
}
template <class V> void print_matrix(const V &v, unsigned columns, const char *prefix = nullptr) {
    for (unsigned i = 0; i < V::size(); i++) {
        if (prefix && i % columns == 0)
            printf("%s", prefix);
        printf("%g ", double(float(v.get(i))));
        if (i % columns == columns - 1)
            printf("\n");
    }
}

/* Loops with as many rounds as the type says, written out. */
namespace npu_detail {
template <class T, T Start, T Step, class Fn, unsigned... I> NPU_INLINE void each_round(Fn &&fn, npu::indices<I...>) {
    if constexpr (requires { fn(T(Start)); })
        (fn(std::integral_constant<T, T(Start + T(I) * Step)>{}), ...);
    else
        ((void(I), fn()), ...);
}
template <class T, T Start, T End, T Step> inline constexpr unsigned rounds = unsigned((End - Start + Step - (Step > 0 ? 1 : -1)) / Step);
} // namespace npu_detail
template <class T, T Start, T End, T Step = T(1), class Fn> NPU_INLINE void unroll_for(Fn &&fn) {
    if constexpr (Step > 0 ? Start < End : Start > End)
        npu_detail::each_round<T, Start, Step>(fn, npu::count_to<npu_detail::rounds<T, Start, End, Step>>{});
}
template <unsigned Times, class Fn> NPU_INLINE void unroll_times(Fn &&fn) {
    if constexpr (Times > 0)
        npu_detail::each_round<unsigned, 0, 1>(fn, npu::count_to<Times>{});
}
template <class T, T StartY, T EndY, T StepY, T StartX, T EndX, T StepX, class Fn> NPU_INLINE void unroll_for_2d(Fn &&fn) {
    unroll_for<T, StartY, EndY, StepY>([&](auto y) { unroll_for<T, StartX, EndX, StepX>([&](auto x) { fn(y, x); }); });
}
template <unsigned TimesY, unsigned TimesX, class Fn> NPU_INLINE void unroll_times_2d(Fn &&fn) {
    unroll_for_2d<unsigned, 0, TimesY, 1, 0, TimesX, 1>(fn);
}

/** Rounds of a loop that are taken out of it; they only change how fast an NPU is. */
struct LoopOptions {
    unsigned peel_front = 0, peel_back = 0;
    int preamble_offset = 0;
};
template <unsigned MinIters, LoopOptions Options = LoopOptions{}, class Fn> NPU_INLINE void pipelined_loop(unsigned count, Fn &&fn) {
    static_assert(Options.peel_front + Options.peel_back + 1 < MinIters || MinIters <= 1,
                  "aie::pipelined_loop: more rounds are taken out than the loop has");
    for (unsigned i = 0; i < count; i++)
        fn(i);
}
/** Two loops in step, the second as many rounds behind as the first has taken out more. */
template <unsigned MinIters, LoopOptions First = LoopOptions{}, LoopOptions Second = LoopOptions{}, class Fn1, class Fn2>
NPU_INLINE void pipelined_loops(unsigned count, Fn1 &&fn1, Fn2 &&fn2) {
    constexpr unsigned a = First.peel_front, b = Second.peel_front;
    static_assert(First.peel_front + First.peel_back == Second.peel_front + Second.peel_back,
                  "aie::pipelined_loops: both take out the same number of rounds");
    constexpr unsigned lead1 = a > b ? a - b : 0, lead2 = b > a ? b - a : 0, lead = lead1 + lead2;
    for (unsigned i = 0; i < lead; i++) {
        if (lead1)
            fn1(i);
        else
            fn2(i);
    }
    for (unsigned i = 0; i + lead < count; i++) {
        fn1(i + lead1);
        fn2(i + lead2);
    }
    for (unsigned i = count - lead; i < count; i++) {
        if (lead1)
            fn2(i);
        else
            fn1(i);
    }
}
template <class T, unsigned N> void print_fixed(const vector<T, N> &v, int scale, bool new_line = false, const char *prefix = nullptr) {
    if (prefix)
        printf("%s", prefix);
    for (unsigned i = 0; i < N; i++)
        printf("%g ", double(int(v.get(i))) / double(1ll << scale));
    if (new_line)
        printf("\n");
}
template <class Tag, unsigned N> void print(const accum<Tag, N> &a, bool new_line = false, const char *prefix = nullptr) {
    if (prefix)
        printf("%s", prefix);
    for (unsigned i = 0; i < N; i++)
        printf("%g ", double(a.npu_row[i]));
    if (new_line)
        printf("\n");
}
} // namespace aie

#include <npu/letters_back.h>
