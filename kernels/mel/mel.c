/* One frame of Whisper's log-mel spectrum, 80 bands, from five elements of 80 samples. */
#define LANES 1
#include "mel80_tables.h"
#include "mel_kernel.h"

void mel(const int16_t *a, const int16_t *b, const int16_t *c, const int16_t *d, const int16_t *e, int8_t *out) {
    const int16_t *elements[STREAM_ELEMENTS] = {a, b, c, d, e};
    log_mel(elements, out);
}
