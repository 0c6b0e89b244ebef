/* Whisper's log-mel spectrum of LANES frames at once, in 32-bit integers. README.md tells what it computes and why so.
 *
 * The includer defines LANES (1 or 4) and includes the tables of 80 or 128 bands before. With one lane this
 * is plain C; with four, every value of the arithmetic is a vector of one value for each frame (the vector extension of
 * GCC and Clang). Each lane computes exactly what one lane alone would.
 */
#include <stdint.h>

#include "mel_lanes.h"

enum {
    POINTS = 200,     /* of the complex DFT: even samples are its real parts, odd ones its imaginary parts */
    INNER = 25,       /* 200 = 8 * 25 */
    ELEMENTS = 5,     /* of the stream in a frame of 400 samples */
    HOP = 2,          /* elements from one frame to the next */
    ELEMENT = 40,     /* points of an element */
    STREAM_ELEMENTS = ELEMENTS + HOP * (LANES - 1) /* of LANES frames */
};

/* Unsigned constants with 16 fractional bits. */
enum {
    SQRT_HALF = 46341,      /* cos 45 */
    SQRT5_4 = 36636,        /* sqrt(5) / 4 = (cos 72 - cos 144) / 2 */
    SIN72 = 62328,
    SIN144 = 38521
};

typedef struct {
    lanes re, im;
} complex_lanes;

/* In the core's data memory, not on its stack. */
static complex_lanes points[POINTS]; /* samples, later the spectrum */
static complex_lanes work[POINTS];

/* a * w / 2^16 for 0 <= w < 2^16, in 32-bit products: a core has no wider ones. */
static inline lanes scaled(lanes a, int32_t w) {
    return (a >> 16) * w + (lanes)(((unsigned_lanes)(a & 0xffff) * (uint32_t)w) >> 16);
}

static inline complex_lanes complex_scaled(complex_lanes a, int32_t w) {
    return (complex_lanes){scaled(a.re, w), scaled(a.im, w)};
}

static inline complex_lanes add(complex_lanes a, complex_lanes b) {
    return (complex_lanes){a.re + b.re, a.im + b.im};
}

static inline complex_lanes subtract(complex_lanes a, complex_lanes b) {
    return (complex_lanes){a.re - b.re, a.im - b.im};
}

static inline complex_lanes add_times_j(complex_lanes a, complex_lanes b) {
    return (complex_lanes){a.re - b.im, a.im + b.re};
}

static inline complex_lanes subtract_times_j(complex_lanes a, complex_lanes b) {
    return (complex_lanes){a.re + b.im, a.im - b.re};
}

/* a times the twiddle factor (c, s), each with 16 fractional bits and a sign, |a| < 2^30. The two lowest bits of `a` do
 * not count, so that the sums of two products fit. */
static inline complex_lanes rotated(complex_lanes a, const int32_t *factor) {
    int32_t c = factor[0], s = factor[1];
    lanes re_high = a.re >> 16, re_low = a.re >> 2 & 0x3fff;
    lanes im_high = a.im >> 16, im_low = a.im >> 2 & 0x3fff;
    return (complex_lanes){
        re_high * c - im_high * s + ((re_low * c - im_low * s) >> 14),
        re_high * s + im_high * c + ((re_low * s + im_low * c) >> 14),
    };
}

/* Takes the samples from the stream's elements, one frame in each lane, applies the window, and scales each frame so that
 * its largest value has 21 bits and a sign. Returns for each lane how many bits it was scaled up by. */
static inline lanes windowed(const sample_pair *const *elements) {
    lanes magnitude = splat(0);
    int32_t n = 0;
    for (int32_t e = 0; e < ELEMENTS; e++)
        for (int32_t i = 0; i < ELEMENT; i += 4) {
            lanes pairs[4];
            gather(elements + e, HOP, i, pairs);
            for (int32_t j = 0; j < 4; j++, n++) {
                lanes even = pairs[j] << 16 >> 16, odd = pairs[j] >> 16;
                complex_lanes x = {even * (int32_t)hann[2 * n], odd * (int32_t)hann[2 * n + 1]};
                magnitude |= (x.re ^ x.re >> 31) | (x.im ^ x.im >> 31);
                points[n] = x;
            }
        }
    lanes shift = splat(0), factor = splat(0);
    for (int32_t lane = 0; lane < LANES; lane++) {
        int32_t bits = leading_zeros((uint32_t)get(magnitude, lane) | 1) - 1; /* 0 to 30 */
        set(&shift, lane, bits);
        set(&factor, lane, 1 << bits);
    }
    for (n = 0; n < POINTS; n++) {
        points[n].re = points[n].re * factor >> 10; /* not rounded: that is a constant, which bin 0 alone has */
        points[n].im = points[n].im * factor >> 10;
    }
    return shift;
}

/* DFT of the 8 points at 25 i + 8 column (modulo 200), a column of the prime factor algorithm. */
static inline void dft8(int32_t column) {
    complex_lanes x[8];
    int32_t n = 8 * column;
    for (int32_t i = 0; i < 8; i++) {
        x[i] = points[n];
        n += INNER;
        if (n >= POINTS)
            n -= POINTS;
    }
    complex_lanes a0 = add(x[0], x[4]), a1 = subtract(x[0], x[4]), a2 = add(x[2], x[6]), a3 = subtract(x[2], x[6]);
    complex_lanes a4 = add(x[1], x[5]), a5 = subtract(x[1], x[5]), a6 = add(x[3], x[7]), a7 = subtract(x[3], x[7]);
    complex_lanes b0 = add(a0, a2), b2 = subtract(a0, a2), b4 = add(a4, a6), b6 = subtract(a4, a6);
    complex_lanes c1 = subtract_times_j(a1, a3), c3 = add_times_j(a1, a3);
    complex_lanes d1 = complex_scaled(subtract_times_j(a5, a7), SQRT_HALF);
    complex_lanes d3 = complex_scaled(add_times_j(a5, a7), SQRT_HALF);
    complex_lanes e1 = {d1.re + d1.im, d1.im - d1.re};  /* times 1 - j */
    complex_lanes e3 = {d3.im - d3.re, -d3.re - d3.im}; /* times -1 - j */
    complex_lanes *y = work + column;
    y[0] = add(b0, b4);
    y[4 * INNER] = subtract(b0, b4);
    y[2 * INNER] = subtract_times_j(b2, b6);
    y[6 * INNER] = add_times_j(b2, b6);
    y[1 * INNER] = add(c1, e1);
    y[5 * INNER] = subtract(c1, e1);
    y[3 * INNER] = add(c3, e3);
    y[7 * INNER] = subtract(c3, e3);
}

/* DFT of the 5 points x[0], x[step], …, in place. */
static inline void dft5(complex_lanes *x, int32_t step) {
    complex_lanes x0 = x[0], x1 = x[step], x2 = x[2 * step], x3 = x[3 * step], x4 = x[4 * step];
    complex_lanes t1 = add(x1, x4), t2 = add(x2, x3), t3 = subtract(x1, x4), t4 = subtract(x2, x3);
    complex_lanes sum = add(t1, t2), difference = complex_scaled(subtract(t1, t2), SQRT5_4);
    complex_lanes middle = {x0.re - (sum.re >> 2), x0.im - (sum.im >> 2)};
    complex_lanes a = add(middle, difference), b = subtract(middle, difference);
    complex_lanes p = add(complex_scaled(t3, SIN72), complex_scaled(t4, SIN144));
    complex_lanes q = subtract(complex_scaled(t3, SIN144), complex_scaled(t4, SIN72));
    x[0] = add(x0, sum);
    x[step] = subtract_times_j(a, p);
    x[2 * step] = subtract_times_j(b, q);
    x[3 * step] = add_times_j(b, q);
    x[4 * step] = add_times_j(a, p);
}

/* DFT of 25 points in place; point j + 5 m of the result is at 5 j + m. */
static inline void dft25(complex_lanes *x) {
    for (int32_t c = 0; c < 5; c++)
        dft5(x + c, 5);
    const int32_t *factor = twiddles25;
    for (int32_t c = 1; c < 5; c++)
        for (int32_t j = 1; j < 5; j++, factor += 2)
            x[5 * j + c] = rotated(x[5 * j + c], factor);
    for (int32_t j = 0; j < 5; j++)
        dft5(x + 5 * j, 1);
}

/* The DFT of 400 real samples from that of 200 complex ones: `points` 1 to 199, times 2. */
static inline void split(void) {
    for (int32_t k = 1; k <= POINTS / 2; k++) {
        complex_lanes a = work[places[k]], b = work[places[POINTS - k]];
        complex_lanes even = {a.re + b.re, a.im - b.im};
        complex_lanes odd = rotated((complex_lanes){a.im + b.im, b.re - a.re}, twiddles400 + 2 * (k - 1));
        complex_lanes low = add(even, odd), high = {even.re - odd.re, odd.im - even.im};
        points[POINTS - k] = high;
        points[k] = low;
    }
}

/* log2 of a filter's sum of power, high * 2^14 + low, in 1/1536 octave and with `exponent` added; rounded to outputs. */
static inline lanes output(lanes high, lanes low, lanes exponent) {
    lanes large = mask(high >= 1 << 16); /* else both fit into one word */
    lanes value = select(large, high + (low >> 14), (high << 14) + low);
    lanes logarithm = splat(0);
    for (int32_t lane = 0; lane < LANES; lane++) {
        uint32_t word = (uint32_t)get(value, lane);
        int32_t zeros = leading_zeros(word | 1);
        set(&logarithm, lane, logarithms[word << zeros << 1 >> 25] - zeros * 1536);
    }
    lanes level = (logarithm + exponent + (large & (14 * 1536)) + (31 * 1536 + 128)) >> 8;
    level = select(mask(level < 0) | mask(value == 0), splat(0), level);
    return select(mask(level > 255), splat(255), level) - 128;
}

/* Power, filters, logarithm. A bin whose parts do not fit into 16 bits is big: its power is taken in a unit that is 2^14
 * times larger, and each filter sums up both kinds. (All of a frame's bins together are below 2^29 of that unit.) */
static inline void bands(lanes shift, int8_t *out) {
    lanes exponent = (6 - shift) * (2 * 1536);
    /* Of the bins between the last two corners: what rises belongs to the band that has its top after them, the rest
     * falls and belongs to the band before. */
    lanes risen = splat(0), risen_big = splat(0);
    int32_t k = 1;
    for (int32_t band = -1; band < BANDS; band++) {
        lanes sum = risen, sum_big = risen_big;
        risen = risen_big = splat(0);
        for (; k < edges[band + 1]; k++) {
            lanes re = points[k].re >> 6, im = points[k].im >> 6;
            lanes small = mask((((re + (1 << 15)) | (im + (1 << 15))) >> 16) == 0);
            re = select(small, re, (re + 256) >> 9);
            im = select(small, im, (im + 256) >> 9);
            unsigned_lanes squares = (unsigned_lanes)re * (unsigned_lanes)re + (unsigned_lanes)im * (unsigned_lanes)im;
            lanes power = select(small, (lanes)(squares >> 4), (lanes)squares);
            lanes rising = scaled(power, rises[k - 1]);
            sum += power - rising;
            sum_big += (power - rising) & ~small;
            risen += rising;
            risen_big += rising & ~small;
        }
        if (band >= 0) {
            lanes q = output(sum_big, sum - sum_big, exponent + offsets[band]);
            for (int32_t lane = 0; lane < LANES; lane++)
                out[lane * BANDS + band] = (int8_t)get(q, lane);
        }
    }
}

/* LANES frames from the STREAM_ELEMENTS elements they cover. */
static inline void log_mel(const sample_pair *const *elements, int8_t *out) {
    lanes shift = windowed(elements);
    for (int32_t column = 0; column < INNER; column++)
        dft8(column);
    for (int32_t row = 0; row < 8; row++)
        dft25(work + INNER * row);
    split();
    bands(shift, out);
}
