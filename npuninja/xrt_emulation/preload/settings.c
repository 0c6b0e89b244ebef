/* XRT's settings: the one that this library needs otherwise than a program's xrt.ini says.
 *
 * The NPU does not see what is in the processor's caches (pdev_kmq::is_cache_coherent() of the shim is
 * false), so a buffer's `sync` flushes them, which nobody can see; unless Debug.force_driver_sync is set,
 * which makes the shim ask the driver to do it (DRM_IOCTL_AMDXDNA_SYNC_BO). The emulated driver then knows
 * what the NPU may see, and what it may not. */
#define _GNU_SOURCE
#include "next.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* bool xrt_core::config::detail::get_bool_value(const char *, bool) */
#define GET_BOOL_VALUE _ZN8xrt_core6config6detail14get_bool_valueEPKcb

HOOK bool GET_BOOL_VALUE(const char *key, bool otherwise);

bool GET_BOOL_VALUE(const char *key, bool otherwise) {
    if (key && !strcmp(key, "Debug.force_driver_sync") && getenv("NPUNINJA_EMU_SYNC")) return true;
    /* XRT may have been loaded for one module of the program only, where RTLD_NEXT does not look. */
    void *xrt = dlopen("libxrt_coreutil.so.2", RTLD_LAZY | RTLD_NOLOAD);
    static const char name[] = "_ZN8xrt_core6config6detail14get_bool_valueEPKcb";
    bool (*real)(const char *, bool) = xrt ? (bool (*)(const char *, bool))dlsym(xrt, name) : NULL;
    bool value = real && real != GET_BOOL_VALUE ? real(key, otherwise) : otherwise;
    if (xrt) dlclose(xrt);
    return value;
}
