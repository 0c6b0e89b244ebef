/* What the compiler calls to copy and fill memory. Words where both places allow it. */
#undef memcpy
#undef memmove
#undef memset
typedef unsigned char byte;
typedef unsigned word __attribute__((may_alias));
typedef __SIZE_TYPE__ size;
#define PLAIN __attribute__((no_builtin))

PLAIN void *memcpy(void *restrict to, const void *restrict from, size bytes) {
    byte *t = to;
    const byte *f = from;
    if ((((size)t | (size)f) & 3) == 0)
        for (; bytes >= 4; bytes -= 4, t += 4, f += 4)
            *(word *)t = *(const word *)f;
    for (; bytes; bytes--)
        *t++ = *f++;
    return to;
}

PLAIN void *memmove(void *to, const void *from, size bytes) {
    byte *t = to;
    const byte *f = from;
    if (t <= f || t >= f + bytes)
        return memcpy(to, from, bytes);
    while (bytes--)
        t[bytes] = f[bytes];
    return to;
}

PLAIN void *memset(void *to, int value, size bytes) {
    byte *t = to;
    unsigned four = (byte)value * 0x01010101u;
    for (; bytes && ((size)t & 3); bytes--)
        *t++ = (byte)value;
    for (; bytes >= 4; bytes -= 4, t += 4)
        *(word *)t = four;
    for (; bytes; bytes--)
        *t++ = (byte)value;
    return to;
}

PLAIN int memcmp(const void *left, const void *right, size bytes) {
    const byte *l = left, *r = right;
    for (; bytes; bytes--, l++, r++)
        if (*l != *r)
            return *l < *r ? -1 : 1;
    return 0;
}
