// Hints about loops and variables as kernels of MLIR-AIE write them for its several compilers, by the name that its
// installation has. They change how fast a kernel is on a core, and nothing that it computes; here most are empty.
// With the guard of the original, so that a copy beside a kernel and this one do not meet.
#ifndef _AIE_KERNEL_UTILS_
#define _AIE_KERNEL_UTILS_

#define AIE_LOOP_UNROLL(times)
#define AIE_LOOP_UNROLL_FULL _Pragma("clang loop unroll(full)")
#define AIE_LOOP_NO_UNROLL _Pragma("clang loop unroll(disable)")
#define AIE_LOOP_MIN_ITERATION_COUNT(times)
#define AIE_LOOP_MAX_ITERATION_COUNT(times)
#define AIE_LOOP_RANGE(least, ...)
#define AIE_LOOP_FLATTEN
#define AIE_PREPARE_FOR_PIPELINING
#define AIE_NO_PREPARE_FOR_PIPELINING
#define AIE_PREPARE_FOR_POSTPIPELINING
#define AIE_MODULO_SCHEDULING_BUDGET_RATIO(ratio)
#define AIE_TRY_INITIATION_INTERVAL(cycles)
#define AIE_PEEL_PIPELINED_LOOP(times)
#define AIE_KEEP_FREE_FOR_PIPELINING(registers)
#define AIE_KEEP_SW_LOOP
#define AIE_NO_HW_LOOP
#define AIE_ALLOCATE(place)

#endif
