/* The memory functions of the C library, for cores that have none. Copies and fills are instructions there. */
#ifndef NPUNINJA_STRING_H
#define NPUNINJA_STRING_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void *memcpy(void *to, const void *from, size_t bytes) { return __builtin_memcpy(to, from, bytes); }
static inline void *memmove(void *to, const void *from, size_t bytes) { return __builtin_memmove(to, from, bytes); }
static inline void *memset(void *to, int value, size_t bytes) { return __builtin_memset(to, value, bytes); }

static inline int memcmp(const void *a, const void *b, size_t bytes) {
    const unsigned char *p = (const unsigned char *)a, *q = (const unsigned char *)b;
    for (size_t i = 0; i < bytes; i++)
        if (p[i] != q[i])
            return p[i] < q[i] ? -1 : 1;
    return 0;
}

static inline size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

#ifdef __cplusplus
}
#endif

#endif
