/* Four frames at once of Whisper's log-mel spectrum, 80 bands, from eleven elements of 80 samples. */
#define LANES 4
#include "mel80_tables.h"
#include "mel_kernel.h"

void mel_vector(const int16_t *a, const int16_t *b, const int16_t *c, const int16_t *d, const int16_t *e,
                const int16_t *f, const int16_t *g, const int16_t *h, const int16_t *i, const int16_t *j,
                const int16_t *k, int8_t *out) {
    const int16_t *elements[STREAM_ELEMENTS] = {a, b, c, d, e, f, g, h, i, j, k};
    log_mel(elements, out);
}
