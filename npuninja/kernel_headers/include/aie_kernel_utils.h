/* The name by which kernels of MLIR-AIE include it where its folder is given, and from the folder above. */
#pragma once
#include "aie_kernels/aie_kernel_utils.h"
