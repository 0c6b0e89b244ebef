#include "scale.h"

void gain(const signed char *in, signed char *out, int factor)
{
    for (int i = 0; i < ELEMENTS; ++i)
        out[i] = (signed char)(in[i] * factor);
}
