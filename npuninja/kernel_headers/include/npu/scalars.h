/* Scalar types of an AIE: short names of integers, bfloat16, complex numbers, tags of accumulators. */
#ifndef NPU_SCALARS_H
#define NPU_SCALARS_H

#include <stddef.h>
#include <stdint.h>

typedef int8_t int8;
typedef int16_t int16;
typedef int32_t int32;
typedef int64_t int64;
typedef uint8_t uint8;
typedef uint16_t uint16;
typedef uint32_t uint32;
typedef uint64_t uint64;

/* Older compilers lack what the classes are made of; plain C++ kernels do without them. */
#if defined(__cplusplus) && __clang_major__ >= 17
#include <limits>
#include <npu/float_to_bf16.h>

/** A float's upper half. Arithmetic is done in float and converted once, as the compiler of an NPU does: a value that is known when
 * compiling to the nearest (ties to even), any other by the rounding mode that is set. */
struct bfloat16 {
    uint16_t npu_bits;

    bfloat16() = default;
    constexpr bfloat16(float x) : npu_bits(npu::bf16_of(x)) {}
    template <class A>
        requires(std::is_arithmetic_v<A> && !std::is_same_v<A, float>)
    constexpr bfloat16(A x) : bfloat16(float(x)) {}
    /** From a lane of a vector, which could become a float as well. */
    template <class R>
        requires(requires(const R &r) { r.get(); } && std::is_same_v<typename R::value_type, bfloat16>)
    constexpr bfloat16(const R &lane) : bfloat16(lane.get()) {}
    constexpr operator float() const { return __builtin_bit_cast(float, uint32_t(npu_bits) << 16); }
    constexpr bfloat16 operator-() const { return of_bits(npu_bits ^ 0x8000); }
    constexpr bfloat16 operator+() const { return *this; }
    static constexpr bfloat16 of_bits(unsigned bits) {
        bfloat16 x{};
        x.npu_bits = uint16_t(bits);
        return x;
    }
    bfloat16 &operator++() { return *this = bfloat16(float(*this) + 1.0f); }
    bfloat16 &operator--() { return *this = bfloat16(float(*this) - 1.0f); }
};

/* To the compiler of an NPU bfloat16 is a name of this type. */
#define __bf16 bfloat16

/** The operands of a conditional expression as the compiler of an NPU sees them (npuninja/stages/_conditionals.py). */
constexpr float npu_number(const bfloat16 &x) { return float(x); }
template <class T> constexpr T &&npu_number(T &&x)
    requires(!std::is_same_v<std::remove_cvref_t<T>, bfloat16>)
{
    return static_cast<T &&>(x);
}

#define NPU_BF16_OPERATOR(op)                                                                                                     \
    template <class A, class B>                                                                                                   \
        requires(std::is_same_v<A, bfloat16> && std::is_same_v<B, bfloat16>)                                                      \
    constexpr bfloat16 operator op(A a, B b) {                                                                                    \
        return bfloat16(float(a) op float(b));                                                                                    \
    }                                                                                                                             \
    template <class B> constexpr bfloat16 &operator op##=(bfloat16 &a, const B &b) {                                              \
        return a = bfloat16(float(a) op float(b));                                                                                \
    }
NPU_BF16_OPERATOR(+)
NPU_BF16_OPERATOR(-)
NPU_BF16_OPERATOR(*)
NPU_BF16_OPERATOR(/)
#undef NPU_BF16_OPERATOR

namespace std {
template <> struct numeric_limits<bfloat16> {
    static constexpr bool is_specialized = true, is_integer = false, is_exact = false, is_signed = true;
    static constexpr bool has_infinity = true, has_quiet_NaN = true, is_iec559 = false, is_bounded = true;
    static constexpr int radix = 2, digits = 8, digits10 = 2, min_exponent = -125, max_exponent = 128;
    static constexpr bfloat16 min() noexcept { return bfloat16::of_bits(0x0080); }
    static constexpr bfloat16 max() noexcept { return bfloat16::of_bits(0x7f7f); }
    static constexpr bfloat16 lowest() noexcept { return bfloat16::of_bits(0xff7f); }
    static constexpr bfloat16 epsilon() noexcept { return bfloat16::of_bits(0x3c00); }
    static constexpr bfloat16 denorm_min() noexcept { return bfloat16::of_bits(0x0001); }
    static constexpr bfloat16 infinity() noexcept { return bfloat16::of_bits(0x7f80); }
    static constexpr bfloat16 quiet_NaN() noexcept { return bfloat16::of_bits(0x7fc0); }
};
} // namespace std

/* In a namespace of their own: what lies in `npu` must not be found by way of a vector's element. */
namespace npu_native {
/** A complex number of two T. */
template <class T> struct complex {
    using component = T;
    T real, imag;
    complex() = default;
    constexpr complex(T r) : real(r), imag(T(0)) {}
    constexpr complex(T r, T i) : real(r), imag(i) {}
    template <class U> constexpr explicit complex(const complex<U> &z) : real(T(z.real)), imag(T(z.imag)) {}
    constexpr complex operator-() const { return {T(-real), T(-imag)}; }
    friend constexpr complex operator+(complex a, complex b) { return {T(a.real + b.real), T(a.imag + b.imag)}; }
    friend constexpr complex operator-(complex a, complex b) { return {T(a.real - b.real), T(a.imag - b.imag)}; }
    friend constexpr complex operator*(complex a, complex b) {
        return {T(a.real * b.real - a.imag * b.imag), T(a.real * b.imag + a.imag * b.real)};
    }
    constexpr complex &operator+=(complex b) { return *this = *this + b; }
    constexpr complex &operator-=(complex b) { return *this = *this - b; }
    friend constexpr bool operator==(complex a, complex b) { return a.real == b.real && a.imag == b.imag; }
};

/** Two 4-bit numbers in a byte, the low one first. A pointer to it steps bytes. */
template <bool Signed> struct nibble {
    uint8_t npu_bits;
    nibble() = default;
    constexpr nibble(int x) : npu_bits(uint8_t(x & 15)) {}
    constexpr operator int() const { return Signed ? int(npu_bits << 28) >> 28 : npu_bits & 15; }
};

/** An accumulator's tag: lanes of at least Bits bits. */
template <unsigned Bits, bool Complex, bool Float> struct accumulator_tag {
    static constexpr unsigned bits = Bits;
    static constexpr bool is_complex = Complex, is_float = Float;
};
} // namespace npu_native
namespace npu {
using npu_native::accumulator_tag;
using npu_native::complex;
using npu_native::nibble;
} // namespace npu

using cint16 = npu::complex<int16>;
using cint32 = npu::complex<int32>;
using cfloat = npu::complex<float>;
using cbfloat16 = npu::complex<bfloat16>;
using cint16_t = cint16;
using cint32_t = cint32;
using int4 = npu::nibble<true>;
using uint4 = npu::nibble<false>;
using int4_t = int4;
using uint4_t = uint4;

struct acc32 : npu::accumulator_tag<32, false, false> {};
struct acc40 : npu::accumulator_tag<40, false, false> {};
struct acc48 : npu::accumulator_tag<48, false, false> {};
struct acc56 : npu::accumulator_tag<56, false, false> {};
struct acc64 : npu::accumulator_tag<64, false, false> {};
struct acc72 : npu::accumulator_tag<72, false, false> {};
struct acc80 : npu::accumulator_tag<80, false, false> {};
struct accfloat : npu::accumulator_tag<32, false, true> {};
struct cacc32 : npu::accumulator_tag<32, true, false> {};
struct cacc40 : npu::accumulator_tag<40, true, false> {};
struct cacc48 : npu::accumulator_tag<48, true, false> {};
struct cacc56 : npu::accumulator_tag<56, true, false> {};
struct cacc64 : npu::accumulator_tag<64, true, false> {};
struct cacc72 : npu::accumulator_tag<72, true, false> {};
struct cacc80 : npu::accumulator_tag<80, true, false> {};
struct caccfloat : npu::accumulator_tag<32, true, true> {};
/** The accumulator that suits the operands. */
struct accauto {};

#if __AIE_ARCH__ >= 21
/** 8 (16) values with one exponent take 9 (17) bytes. As a type it is one byte for Peano (llvm-aie #1232), and the whole
    block for chess: NPUNINJA_CHESS is defined for kernels that are made for it. */
#ifdef NPUNINJA_CHESS
#define NPU_BLOCK_BYTES(bytes) bytes
#else
#define NPU_BLOCK_BYTES(bytes) 1
#endif
struct bfp16ebs8 {
    uint8_t npu_bytes[NPU_BLOCK_BYTES(9)];
};
struct bfp16ebs16 {
    uint8_t npu_bytes[NPU_BLOCK_BYTES(17)];
};
#undef NPU_BLOCK_BYTES
#endif
#endif

#endif
