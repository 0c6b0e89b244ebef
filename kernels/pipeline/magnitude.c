#include <stdint.h>

/* Stage 2: out = |in|. -32768 stays -32768, as in NumPy. */
void magnitude(const int16_t *restrict in, int16_t *restrict out, int32_t count) {
    for (int32_t i = 0; i < count; i++)
        out[i] = (int16_t)(in[i] < 0 ? -in[i] : in[i]);
}
