/* What is left of <stdlib.h> without a heap or a process. */
#ifndef NPUNINJA_STDLIB_H
#define NPUNINJA_STDLIB_H

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX 0x7fffffff

#ifdef __cplusplus
extern "C" {
#endif

static inline int abs(int x) { return x < 0 ? -x : x; }
static inline long labs(long x) { return x < 0 ? -x : x; }
static inline long long llabs(long long x) { return x < 0 ? -x : x; }
__attribute__((noreturn)) static inline void abort(void) { __builtin_trap(); }
__attribute__((noreturn)) static inline void exit(int status) {
    (void)status;
    __builtin_trap();
}

#ifdef __cplusplus
}
#endif

#endif
