/* In place of the kernel headers' model of vectors, which needs registers that only emulated cores have. Many scalar kernels
 * include the AIE API and use nothing of it: those compile. What is used of it is not here, so that it is an error at its
 * place, which names the providers that have it (stages/_compile_aie2.py). */
#pragma once

#ifndef __cplusplus
#error "the AIE API is C++, and this file is compiled as C"
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <tuple>
#include <type_traits>

namespace aie {}
