/* <stdio.h> for a core: text that a kernel prints goes to the emulator, which shows it with the run's report when it is asked to
 * (npuninja run --kernel-output) and drops it otherwise. An NPU prints nowhere. */
#ifndef NPUNINJA_STDIO_H
#define NPUNINJA_STDIO_H

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EOF (-1)
typedef struct npu_file FILE;
#define stdout ((FILE *)1)
#define stderr ((FILE *)2)

/* Served by the emulator: a format and where the values lie, as va_list has them. Values are read at once. */
int npu_print(const char *format, const void *values);

static inline int vprintf(const char *format, va_list values) { return npu_print(format, (const void *)values); }
__attribute__((format(printf, 1, 2))) static inline int printf(const char *format, ...) {
    va_list values;
    va_start(values, format);
    int length = npu_print(format, (const void *)values);
    va_end(values);
    return length;
}
__attribute__((format(printf, 2, 3))) static inline int fprintf(FILE *file, const char *format, ...) {
    (void)file;
    va_list values;
    va_start(values, format);
    int length = npu_print(format, (const void *)values);
    va_end(values);
    return length;
}
static inline int puts(const char *text) {
    const void *values[1] = {text};
    return npu_print("%s\n", values);
}
static inline int putchar(int character) {
    const int values[1] = {character};
    return npu_print("%c", values);
}
static inline int fflush(FILE *file) {
    (void)file;
    return 0;
}

#ifdef __cplusplus
}
#endif

#endif
