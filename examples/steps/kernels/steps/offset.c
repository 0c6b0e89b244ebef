/* The other step: `amount` is added to every value, saturated to 16 bits. */
#include <stdint.h>

void offset(const int16_t *in, int16_t *out, int32_t amount) {
    for (int i = 0; i < 256; i++) {
        int32_t value = in[i] + amount;
        out[i] = (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
    }
}
