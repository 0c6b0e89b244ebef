/* Paths: what a program sees of the emulated NPU below /sys and /dev lies in a folder of files, and every
 * function that takes a path is led there. It also tells the server which XCLBINs and full ELFs the program
 * opens, because the modules of wasm cores in them do not pass through the driver's interface. */
#define _GNU_SOURCE
#include "device.h"
#include "next.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICE_NODE "/dev/accel/accel0"

static const char *const SHOWN[] = {"/sys/bus/pci/drivers/amdxdna", "/sys/bus/pci/devices/0000:c5:00.1",
                                    "/sys/devices/pci0000:00/0000:c5:00.1", "/dev/accel"};

/* The folder that holds what is shown, or NULL when this process has no emulated NPU. */
static const char *shown_root(void) { return getenv("NPUNINJA_EMU_FILES"); }

/* The path to use instead of `path`: itself, or one in `buffer`. */
static const char *led(const char *path, char buffer[PATH_MAX]) {
    if (!path || path[0] != '/') return path;
    for (size_t i = 0; i < sizeof SHOWN / sizeof *SHOWN; i++) {
        size_t length = strlen(SHOWN[i]);
        if (strncmp(path, SHOWN[i], length) || (path[length] && path[length] != '/')) continue;
        const char *root = shown_root();
        if (!root || strlen(root) + strlen(path) >= PATH_MAX) return path;
        strcpy(buffer, root);
        strcat(buffer, path);
        return buffer;
    }
    return path;
}

/* Takes the folder off a resolved path, in place. */
static void unled(char *path) {
    const char *root = shown_root();
    size_t length = root ? strlen(root) : 0;
    if (length && !strncmp(path, root, length) && path[length] == '/')
        memmove(path, path + length, strlen(path + length) + 1);
}

static int is_device(const char *path) { return path && shown_root() && !strcmp(path, DEVICE_NODE); }

/* Whether a file begins as an XCLBIN does, or as an ELF of control code (OS ABI 0x45). */
static int is_design(const char magic[8]) {
    return !memcmp(magic, "xclbin2", 8) || !memcmp(magic, "\177ELF\1\1\1\105", 8);
}

/* Tells the server of an XCLBIN or a full ELF that was opened for reading. */
static void note_xclbin(int fd) {
    char magic[8];
    int saved = errno;
    if (fd >= 0 && shown_root() && pread(fd, magic, sizeof magic, 0) == sizeof magic && is_design(magic))
        device_note_xclbin(fd);
    errno = saved;
}

/* The mode is there only when a file can be made. */
#define MODE_OF(flags, mode)                                           \
    do {                                                               \
        if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) { \
            va_list rest;                                              \
            va_start(rest, flags);                                     \
            mode = va_arg(rest, unsigned);                             \
            va_end(rest);                                              \
        }                                                              \
    } while (0)

#define OPEN(name)                                            \
    HOOK int name(const char *path, int flags, ...) {         \
        NEXT(real, #name, int, const char *, int, ...)        \
        unsigned mode = 0;                                    \
        MODE_OF(flags, mode);                                 \
        if (is_device(path)) return device_open();            \
        char buffer[PATH_MAX];                                \
        int fd = real(led(path, buffer), flags, mode);        \
        if ((flags & O_ACCMODE) == O_RDONLY) note_xclbin(fd); \
        return fd;                                            \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                              \
    HOOK int name(int folder, const char *path, int flags, ...) { \
        NEXT(real, #name, int, int, const char *, int, ...)       \
        unsigned mode = 0;                                        \
        MODE_OF(flags, mode);                                     \
        if (is_device(path)) return device_open();                \
        char buffer[PATH_MAX];                                    \
        int fd = real(folder, led(path, buffer), flags, mode);    \
        if ((flags & O_ACCMODE) == O_RDONLY) note_xclbin(fd);     \
        return fd;                                                \
    }
OPENAT(openat)
OPENAT(openat64)

/* What a compiler makes of open() when it checks its arguments. */
#define OPEN_2(name)                                          \
    HOOK int name(const char *path, int flags) {              \
        NEXT(real, #name, int, const char *, int)             \
        if (is_device(path)) return device_open();            \
        char buffer[PATH_MAX];                                \
        int fd = real(led(path, buffer), flags);              \
        if ((flags & O_ACCMODE) == O_RDONLY) note_xclbin(fd); \
        return fd;                                            \
    }
OPEN_2(__open_2)
OPEN_2(__open64_2)

#define FOPEN(name)                                            \
    HOOK FILE *name(const char *path, const char *mode) {      \
        NEXT(real, #name, FILE *, const char *, const char *)  \
        char buffer[PATH_MAX];                                 \
        FILE *file = real(led(path, buffer), mode);            \
        if (file && mode[0] == 'r') note_xclbin(fileno(file)); \
        return file;                                           \
    }
FOPEN(fopen)
FOPEN(fopen64)

HOOK DIR *opendir(const char *path) {
    NEXT(real, "opendir", DIR *, const char *)
    char buffer[PATH_MAX];
    return real(led(path, buffer));
}

#define STAT(name, type)                                              \
    HOOK int name(const char *restrict path, type *restrict result) { \
        NEXT(real, #name, int, const char *, type *)                  \
        char buffer[PATH_MAX];                                        \
        return real(led(path, buffer), result);                       \
    }
STAT(stat, struct stat)
STAT(stat64, struct stat64)
STAT(lstat, struct stat)
STAT(lstat64, struct stat64)

#define FSTATAT(name, type)                                                                  \
    HOOK int name(int folder, const char *restrict path, type *restrict result, int flags) { \
        NEXT(real, #name, int, int, const char *, type *, int)                               \
        char buffer[PATH_MAX];                                                               \
        return real(folder, led(path, buffer), result, flags);                               \
    }
FSTATAT(fstatat, struct stat)
FSTATAT(fstatat64, struct stat64)

HOOK int statx(int folder, const char *restrict path, int flags, unsigned mask,
               struct statx *restrict result) {
    NEXT(real, "statx", int, int, const char *, int, unsigned, struct statx *)
    char buffer[PATH_MAX];
    return real(folder, led(path, buffer), flags, mask, result);
}

/* How programs built with a glibc before 2.33 call stat. */
#define XSTAT(name, type)                                        \
    HOOK int name(int version, const char *path, type *result) { \
        NEXT(real, #name, int, int, const char *, type *)        \
        char buffer[PATH_MAX];                                   \
        return real(version, led(path, buffer), result);         \
    }
XSTAT(__xstat, struct stat)
XSTAT(__xstat64, struct stat64)
XSTAT(__lxstat, struct stat)
XSTAT(__lxstat64, struct stat64)

HOOK int access(const char *path, int mode) {
    NEXT(real, "access", int, const char *, int)
    char buffer[PATH_MAX];
    return real(led(path, buffer), mode);
}

HOOK int faccessat(int folder, const char *path, int mode, int flags) {
    NEXT(real, "faccessat", int, int, const char *, int, int)
    char buffer[PATH_MAX];
    return real(folder, led(path, buffer), mode, flags);
}

HOOK ssize_t readlink(const char *restrict path, char *restrict result, size_t bytes) {
    NEXT(real, "readlink", ssize_t, const char *, char *, size_t)
    char buffer[PATH_MAX];
    return real(led(path, buffer), result, bytes);
}

HOOK ssize_t readlinkat(int folder, const char *restrict path, char *restrict result, size_t bytes) {
    NEXT(real, "readlinkat", ssize_t, int, const char *, char *, size_t)
    char buffer[PATH_MAX];
    return real(folder, led(path, buffer), result, bytes);
}

HOOK char *realpath(const char *restrict path, char *restrict result) {
    NEXT(real, "realpath", char *, const char *, char *)
    char buffer[PATH_MAX];
    const char *used = led(path, buffer);
    char *resolved = real(used, result);
    if (resolved && used != path) unled(resolved);
    return resolved;
}

HOOK char *__realpath_chk(const char *path, char *result, size_t bytes) {
    NEXT(real, "__realpath_chk", char *, const char *, char *, size_t)
    char buffer[PATH_MAX];
    const char *used = led(path, buffer);
    char *resolved = real(used, result, bytes);
    if (resolved && used != path) unled(resolved);
    return resolved;
}
