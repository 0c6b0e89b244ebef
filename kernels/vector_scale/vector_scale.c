#include <stdint.h>

/* out = in * factor, modulo 2^32, on `count` words. */
void vector_scale(const int32_t *restrict in, int32_t *restrict out, int32_t factor, int32_t count) {
    for (int32_t i = 0; i < count; i++)
        out[i] = (int32_t)((uint32_t)in[i] * (uint32_t)factor);
}
