/* Mathematical functions for kernels, as imports of the cores: float in, float out, computed in double.
 *
 * Errors are some 1e-15 before the result is rounded to float, so it is the nearest float but for one case in
 * many millions. Series and reductions are the textbook ones (Taylor, argument halving, Payne-Hanek for large
 * angles). The functions on double are the host's (math_functions.py). */
#include "engine.h"

#define EXPORT(name) __attribute__((export_name(name)))
#define INF __builtin_inf()
#define NAN __builtin_nan("")
#define LN2 0x1.62e42fefa39efp-1
#define LN2_HIGH 0x1.62e42feep-1 /* 31 bits: a multiple by an exponent is exact */
#define LN2_LOW 0x1.a39ef35793c76p-33
#define PI 0x1.921fb54442d18p+1
#define HALF_PI 0x1.921fb54442d18p+0

static double from_bits(u64 bits) {
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}
static u64 to_bits(double value) {
    u64 bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}
static int is_nan(double x) { return x != x; }
static double magnitude(double x) { return __builtin_fabs(x); }
static double with_sign(double x, double sign) { return __builtin_copysign(x, sign); }
static double nearest(double x) { return __builtin_rint(x); }

/* 2 to a whole power from -1022 to 1023. */
static double power_of_two(int n) { return from_bits((u64)(n + 1023) << 52); }

/* --- Exponentials. Arguments beyond +-750 overflow or vanish in float anyway. */
static double taylor_exp(double r) {
    double term = 1, sum = 1;
    for (int i = 1; i < 15; i++) sum += term *= r / i;
    return sum;
}

static double exponential(double x) {
    if (is_nan(x)) return x;
    if (x > 200) return INF;
    if (x < -200) return 0;
    double k = nearest(x / LN2);
    return taylor_exp(x - k * LN2_HIGH - k * LN2_LOW) * power_of_two((int)k);
}

static double exponential_minus_one(double x) {
    if (magnitude(x) > 0.35) return exponential(x) - 1;
    double term = x, sum = x;
    if (x == 0) return x; /* with its sign */
    for (int i = 2; i < 16; i++) sum += term *= x / i;
    return sum;
}

/* --- Logarithm: x = m * 2^k, log m = 2 artanh((m - 1) / (m + 1)). */
static double logarithm(double x, double *exponent) {
    u64 bits = to_bits(x);
    int k = (int)(bits >> 52) - 1023; /* a float is a normal double, denormal floats too */
    double m = from_bits((bits & 0xFFFFFFFFFFFFFull) | 1023ull << 52);
    if (m > 0x1.6a09e667f3bcdp+0) { /* square root of 2 */
        m /= 2;
        k++;
    }
    double s = (m - 1) / (m + 1), square = s * s, power = s, sum = 0;
    for (int i = 1; i < 26; i += 2) {
        sum += power / i;
        power *= square;
    }
    *exponent = k;
    return 2 * sum;
}

static double log_scaled(double x, double one_over_ln_base, double log_of_two) {
    double k;
    if (is_nan(x) || x < 0) return NAN;
    if (x == 0) return -INF;
    if (x == INF) return x;
    double mantissa = logarithm(x, &k);
    return k * log_of_two + mantissa * one_over_ln_base;
}

static double natural_log(double x) { return log_scaled(x, 1, LN2); }

static double log_one_plus(double x) {
    if (magnitude(x) > 0x1p-14) return natural_log(1 + x);
    return x * (1 - x * (0.5 - x * (1.0 / 3 - x * (0.25 - x * 0.2))));
}

/* --- Angles. */
static const u32 two_over_pi[] = {0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0,
                                  0xDB629599, 0x3C439041, 0xFE5163AB, 0xDEBBC561};

/* 32 bits from bit number `first` on, the first after the point is 0. */
static u32 two_over_pi_bits(int first) {
    u64 pair = (u64)two_over_pi[first / 32] << 32 | two_over_pi[first / 32 + 1];
    return (u32)(pair >> (32 - first % 32));
}

/* x minus the nearest multiple of pi/2, and that multiple modulo 4. */
static double reduce(double x, int *quadrant) {
    double size = magnitude(x), rest;
    int n;
    if (size < 0x1p25) {
        /* Three parts of pi/2, the first two with 28 bits: products are exact. */
        double k = nearest(size / HALF_PI);
        rest = size - k * 0x1.921fb54p+0 - k * 0x1.10b461p-30 - k * 0x1.a62633145c06ep-58;
        n = (int)k & 3;
    } else {
        /* Payne-Hanek: size = mantissa * 2^exponent; of 2/pi only the 96 bits count that make less than 4
         * quadrants. */
        int exponent = (int)(to_bits(size) >> 52) - 1023 - 23;
        u64 mantissa = (to_bits(size) & 0xFFFFFFFFFFFFFull) >> 29 | 1u << 23;
        u64 low = mantissa * two_over_pi_bits(exponent - 2 + 64);
        u64 middle = mantissa * two_over_pi_bits(exponent - 2 + 32) + (low >> 32);
        u64 high = mantissa * two_over_pi_bits(exponent - 2) + (middle >> 32);
        u64 turns = high << 32 | (middle & 0xFFFFFFFFu); /* in units of 2^-62 quadrants */
        n = (int)((turns + (1ull << 61)) >> 62);
        n &= 3;
        rest = (double)(i64)(turns << 2) * 0x1p-64 * HALF_PI;
    }
    *quadrant = x < 0 ? -n & 3 : n;
    return x < 0 ? -rest : rest;
}

static double taylor_sine(double r) {
    double square = r * r, term = r, sum = r;
    for (int i = 2; i < 20; i += 2) sum += term *= -square / (i * (i + 1));
    return sum;
}

static double taylor_cosine(double r) {
    double square = r * r, term = 1, sum = 1;
    for (int i = 1; i < 20; i += 2) sum += term *= -square / (i * (i + 1));
    return sum;
}

static double sine(double x, int shift) { /* shift 1: cosine */
    int quadrant;
    if (is_nan(x) || magnitude(x) == INF) return NAN;
    if (x == 0) return shift ? 1 : x;
    double r = reduce(x, &quadrant);
    quadrant = (quadrant + shift) & 3;
    double value = quadrant & 1 ? taylor_cosine(r) : taylor_sine(r);
    return quadrant & 2 ? -value : value;
}

static double tangent(double x) {
    int quadrant;
    if (is_nan(x) || magnitude(x) == INF) return NAN;
    if (x == 0) return x;
    double r = reduce(x, &quadrant), s = taylor_sine(r), c = taylor_cosine(r);
    return quadrant & 1 ? -c / s : s / c;
}

static double arc_tangent(double x) {
    double t = magnitude(x), sum = 0;
    if (is_nan(x)) return x;
    int inverse = t > 1;
    if (inverse) t = 1 / t;
    for (int i = 0; i < 2; i++) t = t / (1 + __builtin_sqrt(1 + t * t)); /* half the angle, twice */
    double square = t * t, power = t;
    for (int i = 1; i < 26; i += 2) {
        sum += (i & 2 ? -power : power) / i;
        power *= square;
    }
    return with_sign(inverse ? HALF_PI - 4 * sum : 4 * sum, x);
}

static double arc_tangent_of(double y, double x) {
    if (is_nan(x) || is_nan(y)) return NAN;
    int behind = to_bits(x) >> 63 != 0;
    double size;
    if (y == 0)
        size = behind ? PI : 0;
    else if (x == 0)
        size = HALF_PI;
    else if (magnitude(x) == INF)
        size = magnitude(y) == INF ? (behind ? 3 * PI / 4 : PI / 4) : behind ? PI : 0;
    else {
        size = magnitude(y) == INF ? HALF_PI : arc_tangent(magnitude(y) / magnitude(x));
        if (behind) size = PI - size;
    }
    return with_sign(size, y);
}

/* --- Powers. */
static double power(double x, double y) {
    if (y == 0 || x == 1) return 1;
    if (is_nan(x) || is_nan(y)) return NAN;
    int whole = y == nearest(y), odd = whole && magnitude(y) < 0x1p53 && ((i64)y & 1);
    double size = magnitude(x), sign = odd && to_bits(x) >> 63 ? -1 : 1;
    if (size == 1 && (whole || magnitude(y) == INF)) return magnitude(y) == INF ? 1 : sign;
    if (x < 0 && x != -INF && !whole) return NAN;
    if (magnitude(y) == INF) return (size > 1) == (y > 0) ? INF : 0;
    if (size == 0 || size == INF) return sign * ((size == 0) == (y < 0) ? INF : 0);
    return sign * exponential(y * natural_log(size));
}

static double cube_root(double x) {
    if (x == 0 || is_nan(x) || magnitude(x) == INF) return x;
    double root = exponential(natural_log(magnitude(x)) / 3), square = root * root;
    return with_sign(root - (root * square - magnitude(x)) / (3 * square), x);
}

/* The remainder of x / y with the sign of x, exact: x minus y * 2^k as long as that is possible. */
static double remainder_of(double x, double y) {
    double rest = magnitude(x), divisor = magnitude(y);
    if (is_nan(x) || is_nan(y) || rest == INF || divisor == 0) return NAN;
    if (divisor == INF) return x;
    while (rest >= divisor) {
        int k = (int)(to_bits(rest) >> 52) - (int)(to_bits(divisor) >> 52);
        double step = divisor * power_of_two(k);
        if (step > rest) step /= 2;
        rest -= step;
    }
    return with_sign(rest, x);
}

/* 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (1 3 5 ... (2n+1)): no cancellation; 1 to float from 4 on. */
static double error_function(double x) {
    if (is_nan(x)) return x;
    if (magnitude(x) >= 4) return with_sign(1, x);
    double term = x, sum = x;
    for (int n = 1; n < 100 && magnitude(term) > 1e-18 * magnitude(sum); n++)
        sum += term *= 2 * x * x / (2 * n + 1);
    return 0x1.20dd750429b6dp+0 * exponential(-x * x) * sum;
}

EXPORT("expf") float f_exp(float x) { return (float)exponential(x); }
EXPORT("exp2f") float f_exp2(float x) {
    double k = nearest(x);
    if (!(magnitude(x) < 300)) return x > 0 ? (float)INF : is_nan(x) ? x : 0;
    return (float)(taylor_exp((x - k) * LN2) * power_of_two((int)k));
}
EXPORT("expm1f") float f_expm1(float x) { return (float)exponential_minus_one(x); }
EXPORT("logf") float f_log(float x) { return (float)natural_log(x); }
EXPORT("log2f") float f_log2(float x) { return (float)log_scaled(x, 1 / LN2, 1); }
EXPORT("log10f") float f_log10(float x) {
    return (float)log_scaled(x, 0x1.bcb7b1526e50ep-2, 0x1.34413509f79ffp-2);
}
EXPORT("log1pf") float f_log1p(float x) { return (float)log_one_plus(x); }
EXPORT("sinf") float f_sin(float x) { return (float)sine(x, 0); }
EXPORT("cosf") float f_cos(float x) { return (float)sine(x, 1); }
EXPORT("tanf") float f_tan(float x) { return (float)tangent(x); }
EXPORT("atanf") float f_atan(float x) { return (float)arc_tangent(x); }
EXPORT("asinf") float f_asin(float x) {
    return (float)arc_tangent_of(x, __builtin_sqrt((1.0 - x) * (1.0 + x)));
}
EXPORT("acosf") float f_acos(float x) {
    return (float)arc_tangent_of(__builtin_sqrt((1.0 - x) * (1.0 + x)), x);
}
EXPORT("atan2f") float f_atan2(float y, float x) { return (float)arc_tangent_of(y, x); }
EXPORT("sinhf") float f_sinh(float x) {
    double e = exponential_minus_one(magnitude(x));
    return (float)with_sign(e == INF ? INF : (e + e / (e + 1)) / 2, x);
}
EXPORT("coshf") float f_cosh(float x) {
    double e = exponential(magnitude(x));
    return (float)((e + 1 / e) / 2);
}
EXPORT("tanhf") float f_tanh(float x) {
    double e = exponential_minus_one(2 * magnitude(x));
    return (float)with_sign(e == INF ? 1 : e / (e + 2), x);
}
EXPORT("powf") float f_pow(float x, float y) { return (float)power(x, y); }
EXPORT("cbrtf") float f_cbrt(float x) { return (float)cube_root(x); }
EXPORT("fmodf") float f_fmod(float x, float y) { return (float)remainder_of(x, y); }
EXPORT("erff") float f_erf(float x) { return (float)error_function(x); }
