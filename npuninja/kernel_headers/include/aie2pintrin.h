/* The compiler's own intrinsics, which are there before the first line anyway (npu/core.h). */
#pragma once
