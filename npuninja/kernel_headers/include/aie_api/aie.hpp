/* The AIE API for emulated cores: vectors, accumulators, masks and what is done with them.
 *
 * The names and meanings are those of the API's user guide; results are those of the vector unit to the bit where its arithmetic is
 * known (docs/kernels.md). */
#pragma once
#include <npu/letters_aside.h>

#ifndef __cplusplus
#error "the AIE API is C++, and this file is compiled as C"
#include <npu/nothing_more.h>
#endif

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <tuple>
#include <type_traits>

#include <aie_api/accum.hpp>
#include <aie_api/arithmetic.hpp>
#include <aie_api/iterator.hpp>
#include <aie_api/mask.hpp>
#include <aie_api/memory.hpp>
#include <aie_api/concepts.hpp>
#include <aie_api/mmul.hpp>
#include <aie_api/mul.hpp>
#include <aie_api/reduce.hpp>
#include <aie_api/scalar.hpp>
#include <aie_api/nibbles.hpp>
#include <aie_api/shuffle.hpp>
#include <aie_api/elementary.hpp>
#include <aie_api/fft.hpp>
#include <aie_api/lut.hpp>
#include <aie_api/sliding_mul.hpp>
#include <aie_api/span.hpp>
#include <aie_api/tile.hpp>
#include <aie_api/utils.hpp>
#include <aie_api/vector.hpp>
#include <aie_api/operators.hpp>
#if __AIE_ARCH__ >= 21
#include <aie_api/block_vector.hpp>
#endif

#include <npu/letters_back.h>
