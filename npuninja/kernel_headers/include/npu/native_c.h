/* Vector types of the compiler in C: those whose elements C has. */
#ifndef NPU_NATIVE_C_H
#define NPU_NATIVE_C_H

#include <stdint.h>

typedef int8_t v16int8 __attribute__((vector_size(16 * sizeof(int8_t)), aligned(4)));
typedef int8_t v32int8 __attribute__((vector_size(32 * sizeof(int8_t)), aligned(4)));
typedef int8_t v64int8 __attribute__((vector_size(64 * sizeof(int8_t)), aligned(4)));
typedef int8_t v128int8 __attribute__((vector_size(128 * sizeof(int8_t)), aligned(4)));
typedef uint8_t v16uint8 __attribute__((vector_size(16 * sizeof(uint8_t)), aligned(4)));
typedef uint8_t v32uint8 __attribute__((vector_size(32 * sizeof(uint8_t)), aligned(4)));
typedef uint8_t v64uint8 __attribute__((vector_size(64 * sizeof(uint8_t)), aligned(4)));
typedef uint8_t v128uint8 __attribute__((vector_size(128 * sizeof(uint8_t)), aligned(4)));
typedef int16_t v8int16 __attribute__((vector_size(8 * sizeof(int16_t)), aligned(4)));
typedef int16_t v16int16 __attribute__((vector_size(16 * sizeof(int16_t)), aligned(4)));
typedef int16_t v32int16 __attribute__((vector_size(32 * sizeof(int16_t)), aligned(4)));
typedef int16_t v64int16 __attribute__((vector_size(64 * sizeof(int16_t)), aligned(4)));
typedef uint16_t v8uint16 __attribute__((vector_size(8 * sizeof(uint16_t)), aligned(4)));
typedef uint16_t v16uint16 __attribute__((vector_size(16 * sizeof(uint16_t)), aligned(4)));
typedef uint16_t v32uint16 __attribute__((vector_size(32 * sizeof(uint16_t)), aligned(4)));
typedef uint16_t v64uint16 __attribute__((vector_size(64 * sizeof(uint16_t)), aligned(4)));
typedef int32_t v4int32 __attribute__((vector_size(4 * sizeof(int32_t)), aligned(4)));
typedef int32_t v8int32 __attribute__((vector_size(8 * sizeof(int32_t)), aligned(4)));
typedef int32_t v16int32 __attribute__((vector_size(16 * sizeof(int32_t)), aligned(4)));
typedef int32_t v32int32 __attribute__((vector_size(32 * sizeof(int32_t)), aligned(4)));
typedef uint32_t v4uint32 __attribute__((vector_size(4 * sizeof(uint32_t)), aligned(4)));
typedef uint32_t v8uint32 __attribute__((vector_size(8 * sizeof(uint32_t)), aligned(4)));
typedef uint32_t v16uint32 __attribute__((vector_size(16 * sizeof(uint32_t)), aligned(4)));
typedef uint32_t v32uint32 __attribute__((vector_size(32 * sizeof(uint32_t)), aligned(4)));
typedef float v4float __attribute__((vector_size(4 * sizeof(float)), aligned(4)));
typedef float v8float __attribute__((vector_size(8 * sizeof(float)), aligned(4)));
typedef float v16float __attribute__((vector_size(16 * sizeof(float)), aligned(4)));
typedef float v32float __attribute__((vector_size(32 * sizeof(float)), aligned(4)));

#endif
