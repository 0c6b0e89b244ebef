/* Included before the first line of every kernel, as the compiler of an NPU does: scalar types, loop hints, events. */
#ifndef NPU_CORE_H
#define NPU_CORE_H

#include <npu/letters_aside.h>

#include <npu/macros.h>
#include <npu/scalars.h>
#ifdef __cplusplus
#if defined(__AIE_ARCH__) && __clang_major__ >= 17
#include <npu/intrinsics.h>
#include <npu/streams.h>
#if __AIE_ARCH__ >= 21
#include <npu/block_floats.h>
#endif
#endif
#else
#include <npu/native_c.h>
#include <npu/stream_imports.h>
#endif

#include <npu/letters_back.h>

#endif
