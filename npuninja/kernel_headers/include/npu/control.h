/* Registers of a core that kernels set and that outlive them: rounding and saturation. And places for registers that an index of
 * run time picks from.
 *
 * An emulated core has a page of registers at 0x30000 (docs/architecture.md, "Wasm core ABI"): the core function's state lies at its
 * start, this at its end. So none of it takes data memory of the tile, as on an NPU, and all objects of a core share it. */
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
    unsigned core; // column << 16 | row, which the emulator fills in
};

struct registers {
    static constexpr unsigned rare_a = 0x38000; // operands of steps with unusual exponents, 4 KiB each
    static constexpr unsigned rare_b = 0x39000;
    static constexpr unsigned rare_c = 0x3a000;
    static constexpr unsigned work = 0x3c000;    // 8 KiB that a function which is not inlined uses while it runs
    static constexpr unsigned block_a = 0x3e000; // operands and result of such a function, 1 KiB each
    static constexpr unsigned block_b = 0x3e400;
    static constexpr unsigned block_c = 0x3e800;
    static constexpr unsigned index_a = 0x3f000; // 2 KiB: a row whose lane is wanted
    static constexpr unsigned bias = 0x3ffb0; // what a rounding mode adds: three numbers
    static constexpr unsigned control = 0x3ffe0;
};

inline control_registers &control() { return *(control_registers *)registers::control; }
} // namespace npu
