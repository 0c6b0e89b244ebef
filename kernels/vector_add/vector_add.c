#include <stdint.h>

enum { WORDS = 1024 }; /* of one element, as in mlir/vector_add.mlir */

/* out = a + b, modulo 2^32. */
void vector_add(const int32_t *restrict a, const int32_t *restrict b, int32_t *restrict out) {
    for (int32_t i = 0; i < WORDS; i++)
        out[i] = (int32_t)((uint32_t)a[i] + (uint32_t)b[i]);
}
