/* aie::tile: the core a kernel runs on. */
#pragma once

#include <aie_api/memory.hpp>

namespace aie {
struct tile_id {
    int16 col, row;
};
class tile {
  public:
    NPU_INLINE tile_id global_id() const { return {int16(npu::control().core >> 16), int16(npu::control().core & 0xffff)}; }
    static NPU_INLINE tile current() { return {}; }
    NPU_INLINE void set_rounding(rounding_mode mode) const { aie::set_rounding(mode); }
    NPU_INLINE rounding_mode get_rounding() const { return aie::get_rounding(); }
    NPU_INLINE void set_saturation(saturation_mode mode) const { aie::set_saturation(mode); }
    NPU_INLINE saturation_mode get_saturation() const { return aie::get_saturation(); }
    /** A counter that goes up; emulated cores have no clock. */
    NPU_INLINE uint64_t cycles() const { return ++npu::control().cycles; }
};
} // namespace aie
