/* Rounding and saturation as a core has them when it starts: scalar code has no way to set them. In place of
 * the kernel headers' file of this name, whose registers only emulated cores have. */
#pragma once

namespace npu {
enum class rounding_mode : unsigned {
    floor = 0,
    ceil = 1,
    symmetric_floor = 2,
    symmetric_ceil = 3,
    negative_inf = 8,
    positive_inf = 9,
    symmetric_zero = 10,
    symmetric_inf = 11,
    conv_even = 12,
    conv_odd = 13,
};
enum class saturation_mode : unsigned { none = 0, saturate = 1, truncate = 1, symmetric = 3 };

struct control_registers {
    rounding_mode rounding;
    saturation_mode saturation;
    unsigned long long cycles;
    unsigned core;
};

inline const control_registers &control() {
    static constexpr control_registers at_start{};
    return at_start;
}
} // namespace npu
