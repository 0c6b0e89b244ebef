/* From float to bfloat16, one value: by the rounding mode that is set, or to the nearest for values known when compiling. */
#pragma once

#include <npu/control.h>

namespace npu {
constexpr unsigned short nan_to_bf16(unsigned bits) {
    return (unsigned short)(bits >> 16 | ((bits & 0x7f0000) == 0));
}
constexpr unsigned short nearest_bf16(unsigned bits) {
    return (bits & 0x7fffffff) > 0x7f800000 ? nan_to_bf16(bits) : (unsigned short)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/** What is added to a float's bits before the lower half is dropped, by mode: `always`, and in addition `if_negative` for negative
 * values and `if_odd` when the kept part is odd. Rows of spec table "rounding" for a sign and a magnitude. */
struct magnitude_bias {
    unsigned always, if_negative, if_odd;
};
constexpr magnitude_bias bf16_bias(rounding_mode mode) {
    switch (mode) {
    case rounding_mode::floor:
        return {0, 0xffff, 0};
    case rounding_mode::ceil:
        return {0xffff, 0u - 0xffff, 0};
    case rounding_mode::symmetric_floor:
        return {0, 0, 0};
    case rounding_mode::symmetric_ceil:
        return {0xffff, 0, 0};
    case rounding_mode::negative_inf:
        return {0x7fff, 1, 0};
    case rounding_mode::positive_inf:
        return {0x8000, 0u - 1, 0};
    case rounding_mode::symmetric_zero:
        return {0x7fff, 0, 0};
    case rounding_mode::symmetric_inf:
        return {0x8000, 0, 0};
    case rounding_mode::conv_odd:
        return {0x8000, 0, 0u - 1};
    default: // conv_even
        return {0x7fff, 0, 1};
    }
}

__attribute__((noinline)) inline unsigned short bf16_by_mode(unsigned bits) {
    if ((bits & 0x7fffffff) > 0x7f800000)
        return nan_to_bf16(bits);
    magnitude_bias bias = bf16_bias(control().rounding);
    unsigned add = bias.always + (bits >> 31 ? bias.if_negative : 0) + (bits >> 16 & 1 ? bias.if_odd : 0);
    return (unsigned short)((bits + add) >> 16);
}

__attribute__((always_inline)) constexpr unsigned short bf16_of(float x) {
    unsigned bits = __builtin_bit_cast(unsigned, x);
    if (__builtin_is_constant_evaluated() || __builtin_constant_p(x))
        return nearest_bf16(bits);
    return bf16_by_mode(bits);
}
} // namespace npu
