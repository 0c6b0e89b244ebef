/* The functions of <math.h> that a core has. Those which are one instruction are inline; the others are served by the
 * emulator (see MATH_IMPORTS in _wasm_flags.py). Results of the latter may differ from another C library in the last bit. */
#ifndef NPUNINJA_MATH_H
#define NPUNINJA_MATH_H

#ifdef __cplusplus
extern "C" {
#endif

#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define HUGE_VALF __builtin_inff()
#define HUGE_VAL __builtin_inf()
#define M_E 2.71828182845904523536
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_SQRT1_2 0.70710678118654752440
#define M_SQRT2 1.41421356237309504880

#ifndef __cplusplus
#define isnan(x) __builtin_isnan(x)
#define isinf(x) __builtin_isinf(x)
#define isfinite(x) __builtin_isfinite(x)
#define signbit(x) __builtin_signbit(x)
#else
extern "C++" {
inline bool isnan(double x) { return __builtin_isnan(x); }
inline bool isinf(double x) { return __builtin_isinf(x); }
inline bool isfinite(double x) { return __builtin_isfinite(x); }
inline bool signbit(double x) { return __builtin_signbit(x); }
}
#endif

static inline float ceilf(float x) { return __builtin_ceilf(x); }
static inline double ceil(double x) { return __builtin_ceil(x); }
static inline float fabsf(float x) { return __builtin_fabsf(x); }
static inline double fabs(double x) { return __builtin_fabs(x); }
static inline float floorf(float x) { return __builtin_floorf(x); }
static inline double floor(double x) { return __builtin_floor(x); }
static inline float nearbyintf(float x) { return __builtin_nearbyintf(x); }
static inline double nearbyint(double x) { return __builtin_nearbyint(x); }
static inline float rintf(float x) { return __builtin_rintf(x); }
static inline double rint(double x) { return __builtin_rint(x); }
static inline float sqrtf(float x) { return __builtin_sqrtf(x); }
static inline double sqrt(double x) { return __builtin_sqrt(x); }
static inline float truncf(float x) { return __builtin_truncf(x); }
static inline double trunc(double x) { return __builtin_trunc(x); }
static inline float copysignf(float x, float sign) { return __builtin_copysignf(x, sign); }
static inline double copysign(double x, double sign) { return __builtin_copysign(x, sign); }

/* Half away from zero. The difference to the truncated value is exact, which x + 0.5 is not. */
static inline float roundf(float x) {
    float whole = truncf(x);
    return fabsf(x - whole) >= 0.5f ? whole + copysignf(1.0f, x) : copysignf(whole, x);
}
static inline double round(double x) {
    double whole = trunc(x);
    return fabs(x - whole) >= 0.5 ? whole + copysign(1.0, x) : copysign(whole, x);
}

/* The other operand when one is not a number. */
static inline float fminf(float x, float y) { return x != x ? y : y < x ? y : x; }
static inline double fmin(double x, double y) { return x != x ? y : y < x ? y : x; }
static inline float fmaxf(float x, float y) { return x != x ? y : y > x ? y : x; }
static inline double fmax(double x, double y) { return x != x ? y : y > x ? y : x; }

float acosf(float);
double acos(double);
float asinf(float);
double asin(double);
float atanf(float);
double atan(double);
float cbrtf(float);
double cbrt(double);
float cosf(float);
double cos(double);
float coshf(float);
double cosh(double);
float erff(float);
double erf(double);
float expf(float);
double exp(double);
float exp2f(float);
double exp2(double);
float expm1f(float);
double expm1(double);
float logf(float);
double log(double);
float log10f(float);
double log10(double);
float log1pf(float);
double log1p(double);
float log2f(float);
double log2(double);
float sinf(float);
double sin(double);
float sinhf(float);
double sinh(double);
float tanf(float);
double tan(double);
float tanhf(float);
double tanh(double);
float atan2f(float, float);
double atan2(double, double);
float fmodf(float, float);
double fmod(double, double);
float powf(float, float);
double pow(double, double);

#ifdef __cplusplus
}
#endif

#endif
