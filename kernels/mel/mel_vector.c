/* Four frames at once of Whisper's log-mel spectrum, 80 bands, from eleven elements of 80 samples. */
#define LANES 4
#include "mel80_tables.h"
#include "mel_kernel.h"

void mel_vector(const sample_pair *a, const sample_pair *b, const sample_pair *c, const sample_pair *d, const sample_pair *e,
                const sample_pair *f, const sample_pair *g, const sample_pair *h, const sample_pair *i, const sample_pair *j,
                const sample_pair *k, int8_t *out) {
    const sample_pair *elements[STREAM_ELEMENTS] = {a, b, c, d, e, f, g, h, i, j, k};
    log_mel(elements, out);
}
