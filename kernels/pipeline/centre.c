#include <stdint.h>

/* Stage 1: out = in - level. */
void centre(const int16_t *restrict in, int16_t *restrict out, int32_t level, int32_t count) {
    for (int32_t i = 0; i < count; i++)
        out[i] = (int16_t)(in[i] - level);
}
