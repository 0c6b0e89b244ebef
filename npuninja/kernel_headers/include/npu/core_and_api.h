/* What most C++ kernels begin with, in one file, so that a compiler can read it once (npuninja/stages/_precompiled.py). */
#include <npu/core.h>

#include <aie_api/aie.hpp>
