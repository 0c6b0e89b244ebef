#include <stdint.h>

/* Stage 3: out = in, but at most `limit`. */
void clip(const int16_t *restrict in, int16_t *restrict out, int32_t limit, int32_t count) {
    for (int32_t i = 0; i < count; i++)
        out[i] = in[i] > limit ? (int16_t)limit : in[i];
}
