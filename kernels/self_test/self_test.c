#include <stdint.h>

/* Writes 0, 1, … 79, whatever comes in. A run that gives anything else never ran this code. */
void self_test(const int8_t *restrict in, int8_t *restrict out) {
    (void)in;
    for (int8_t i = 0; i < 80; i++)
        out[i] = i;
}
