/* LANES 32-bit integers that are computed together: a plain integer for one lane, a vector of GCC or Clang for four. */
#ifndef MEL_LANES_H
#define MEL_LANES_H
#include <stdint.h>

/* Two samples in a word, the earlier one in its lower half. Buffers begin at words. */
typedef int32_t sample_pair __attribute__((may_alias));

#if LANES == 1

typedef int32_t lanes;
typedef uint32_t unsigned_lanes;

static inline int32_t get(lanes a, int32_t lane) { (void)lane; return a; }
static inline void set(lanes *a, int32_t lane, int32_t value) { (void)lane; *a = value; }
static inline lanes splat(int32_t value) { return value; }
static inline lanes mask(int condition) { return -condition; }

/* Pairs i to i + 3 of each lane's element; the lanes' elements are `step` apart. */
static inline void gather(const sample_pair *const *elements, int32_t step, int32_t i, lanes pairs[4]) {
    (void)step;
    for (int32_t j = 0; j < 4; j++)
        pairs[j] = elements[0][i + j];
}

#elif LANES == 4

typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint32_t unsigned_lanes __attribute__((vector_size(16)));

static inline int32_t get(lanes a, int32_t lane) { return a[lane]; }
static inline void set(lanes *a, int32_t lane, int32_t value) { (*a)[lane] = value; }
static inline lanes splat(int32_t value) { return (lanes){} + value; }
static inline lanes mask(lanes condition) { return condition; }

/* Four pairs of one element, which begin at a word. */
typedef int32_t four_pairs __attribute__((vector_size(16), aligned(4), may_alias));

static inline void gather(const sample_pair *const *elements, int32_t step, int32_t i, lanes pairs[4]) {
    lanes a = *(const four_pairs *)(elements[0] + i), b = *(const four_pairs *)(elements[step] + i);
    lanes c = *(const four_pairs *)(elements[2 * step] + i), d = *(const four_pairs *)(elements[3 * step] + i);
    lanes ab01 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab23 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    lanes cd01 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd23 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    pairs[0] = __builtin_shufflevector(ab01, cd01, 0, 1, 4, 5);
    pairs[1] = __builtin_shufflevector(ab01, cd01, 2, 3, 6, 7);
    pairs[2] = __builtin_shufflevector(ab23, cd23, 0, 1, 4, 5);
    pairs[3] = __builtin_shufflevector(ab23, cd23, 2, 3, 6, 7);
}

#else
#error "LANES is 1 or 4"
#endif

/* a where the mask has ones, else b. */
static inline lanes select(lanes ones, lanes a, lanes b) { return (a & ones) | (b & ~ones); }

/* Of a value that is not 0. */
static inline int32_t leading_zeros(uint32_t value) { return __builtin_clz(value); }

#endif
