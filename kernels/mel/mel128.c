/* One frame of large-v3's log-mel spectrum, 128 bands, from five elements of 80 samples. */
#define LANES 1
#include "mel128_tables.h"
#include "mel_kernel.h"

void mel128(const sample_pair *a, const sample_pair *b, const sample_pair *c, const sample_pair *d, const sample_pair *e, int8_t *out) {
    const sample_pair *elements[STREAM_ELEMENTS] = {a, b, c, d, e};
    log_mel(elements, out);
}
