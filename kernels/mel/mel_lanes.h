/* LANES 32-bit integers that are computed together: a plain integer for one lane, else a vector of GCC or Clang. */
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

/* Pair i of each lane's element; the lanes' elements are `step` apart. */
static inline lanes gather(const sample_pair *const *elements, int32_t step, int32_t i) {
    (void)step;
    return elements[0][i];
}

#else

typedef int32_t lanes __attribute__((vector_size(4 * LANES)));
typedef uint32_t unsigned_lanes __attribute__((vector_size(4 * LANES)));

static inline int32_t get(lanes a, int32_t lane) { return a[lane]; }
static inline void set(lanes *a, int32_t lane, int32_t value) { (*a)[lane] = value; }
static inline lanes splat(int32_t value) { return (lanes){} + value; }
static inline lanes mask(lanes condition) { return condition; }

static inline lanes gather(const sample_pair *const *elements, int32_t step, int32_t i) {
    lanes a = {};
    for (int32_t lane = 0; lane < LANES; lane++)
        a[lane] = elements[lane * step][i];
    return a;
}

#endif

/* a where the mask has ones, else b. */
static inline lanes select(lanes ones, lanes a, lanes b) { return (a & ones) | (b & ~ones); }

/* Of a value that is not 0. */
static inline int32_t leading_zeros(uint32_t value) { return __builtin_clz(value); }

#endif
