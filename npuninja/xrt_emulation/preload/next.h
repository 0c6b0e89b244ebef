/* The functions of the C library that this library's own take the place of. */
#ifndef NPUNINJA_NEXT_H
#define NPUNINJA_NEXT_H

#include <dlfcn.h>

/* Declares `real` inside a function: the next definition of `name` after this library, looked up once.
 * Two threads that do so at the same time store the same value. */
#define NEXT(real, name, result, ...)                                    \
    typedef result (*real##_type)(__VA_ARGS__);                          \
    static real##_type real##_found;                                     \
    real##_type real = __atomic_load_n(&real##_found, __ATOMIC_ACQUIRE); \
    if (!real) {                                                         \
        real = (real##_type)dlsym(RTLD_NEXT, name);                      \
        __atomic_store_n(&real##_found, real, __ATOMIC_RELEASE);         \
    }

#define HOOK __attribute__((visibility("default")))

#endif
