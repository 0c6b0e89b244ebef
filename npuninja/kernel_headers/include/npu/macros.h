/* Words that AIE compilers know beyond C and C++: loop hints, trace events, memory banks. They change nothing here. */
#ifndef NPU_MACROS_H
#define NPU_MACROS_H

#ifdef __cplusplus
#define restrict __restrict
#endif

/* With this, the kernels' own aie_kernel_utils.h says its hints as pragmas. A loop that it wants unrolled must be: an array
   of accumulators then is in registers, here and on a core, and takes no stack. Hints that only an NPU's compiler knows
   are made by way of __STRINGIFY, and become a pragma that no compiler knows. */
#define __AIECC__ 1
#define __STRINGIFY(words) "npuninja hint"

/* Hints of Xilinx's older compiler, which kernels keep in their loops. */
#define chess_prepare_for_pipelining
#define chess_no_prepare_for_pipelining
#define chess_prepare_for_postpipelining
#define chess_loop_range(...)
#define chess_loop_count(...)
#define chess_min_loop_count(...)
#define chess_max_loop_count(...)
#define chess_flatten_loop
#define chess_unroll_loop(...)
#define chess_unroll_loop_preamble
#define chess_keep_sw_loop
#define chess_no_hw_loop
#define chess_storage(...)
#define chess_protect_access
#define chess_separator(...)
#define chess_separator_scheduler(...)
#define chess_alloc_init_at_bank(...)
#define chess_peel_pipelined_loop(...)
#define chess_pipeline_adjust_preamble(...)
#define chess_allocate(...)
#define chess_alignof(x) 0
#define chess_modulo_scheduling_budget_ratio(...)
#define chess_assert(...)
#define chess_dont_care(...) {}
#define chess_dont_warn_range
#define chess_error(...)
#define chess_warning(...)
#define chess_report(...)
#define chess_output
#define chess_copy(x) (x)
#define chess_const(x) (x)
#define chess_manifest(x) (__builtin_constant_p(x) && (x))
#define clobbers(...)
#define property(...)
#define __aie_copy(x) (x)
#define __aie_dm_resource_a
#define __aie_dm_resource_b
#define __aie_dm_resource_c
#define __aie_dm_resource_d
#define __aie_dm_resource_ab
#define __aie_dm_resource_ac
#define __aie_dm_resource_ad
#define __aie_dm_resource_bc
#define __aie_dm_resource_bd
#define __aie_dm_resource_cd
#define __aie_dm_resource_stack
#define __aie_inline __attribute__((always_inline))
#define __aie_noinline __attribute__((noinline))
#define __aie_register_keep(x) (x)
#define __aie_register(x)

/* Two pragmas that only Peano knows are without a guard in some kernels. clang expands macros in a loop pragma, and these two say what is
 * true here anyway. */
#define min_iteration_count(n) pipeline(disable)
#define max_iteration_count(n) distribute(disable)

/* Marks in a hardware trace. */
#ifdef __cplusplus
extern "C" {
#endif
#ifdef __wasm__
void npu_event(int number); /* the emulator's */
static inline void event0(void) { npu_event(0); }
static inline void event1(void) { npu_event(1); }
#else
static inline void event0(void) {}
static inline void event1(void) {}
#endif
static inline void event_warning(void) {}
static inline void event_error(void) {}
static inline void event2(void) {}
static inline void event3(void) {}
#ifdef __cplusplus
}
#endif

#endif
