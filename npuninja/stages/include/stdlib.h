/* What is left of <stdlib.h> without a heap or a process. */
#ifndef NPUNINJA_STDLIB_H
#define NPUNINJA_STDLIB_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline int abs(int x) { return x < 0 ? -x : x; }
static inline long labs(long x) { return x < 0 ? -x : x; }
static inline long long llabs(long long x) { return x < 0 ? -x : x; }

#ifdef __cplusplus
}
#endif

#endif
