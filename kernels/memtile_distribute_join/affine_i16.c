#include <stdint.h>

/* out = in * scale + offset, modulo 2^16. */
void affine_i16(const int16_t *restrict in, int16_t *restrict out, int32_t scale, int32_t offset, int32_t count) {
    for (int32_t i = 0; i < count; i++)
        out[i] = (int16_t)((uint32_t)in[i] * (uint32_t)scale + (uint32_t)offset);
}
