// Every shape of control flow around a call that may wait.
typedef int v4 __attribute__((vector_size(16)));
extern int npu_get_stream(int port);
extern long long npu_get_stream_last(int port);
extern void npu_put_stream(int port, int word, int last);
extern void npu_get_cascade(void *bytes64);
extern void npu_put_cascade(const void *bytes64);
__attribute__((noinline)) static int leaf(int a, float f) { return npu_get_stream(0) * a + (int)f; }
__attribute__((noinline)) static int recursive(int n) {
    if (n <= 0) return npu_get_stream(0);
    int a = recursive(n - 1), b = n & 1 ? recursive(n - 2) : n;
    return a * 3 + b;
}
__attribute__((noinline)) static double mixed(v4 v, double d, long long l) {
    double sum = d;
    for (int i = 0; i < 3; i++) {
        v4 w = v * (v4){1, 2, 3, 4} + (v4){i, i, i, i};
        int x = npu_get_stream(0);
        if (x & 1) {
            switch (x & 6) {
            case 0: sum += leaf(x, 1.5f); break;
            case 2: continue;
            case 4: v = w; // falls through
            default: sum -= (double)(l * npu_get_stream(0)); if (x > 1000) goto out;
            }
        } else if (x > 7) {
            sum += leaf(leaf(2, 3.f), (float)x) + w[0] + w[3];
        }
        v += w;
    }
out:
    return sum + v[0] + v[1] * 2 + v[2] * 3 + v[3] * 5;
}
typedef int (*handler)(int, float);
__attribute__((noinline)) static int other(int a, float f) { return a - (int)f; }
static const handler handlers[] = {leaf, other, leaf};
__attribute__((noinline)) static int indirect(int n) {
    int s = 0;
    for (int i = 0; i < n; i++) s = s * 7 + handlers[(unsigned)(i + n) % 3](i, 2.0f * (float)i);
    return s;
}
__attribute__((noinline)) static void onward(int n) {
    int a[16];
    for (int i = 0; i < n; i++) {
        npu_get_cascade(a);
        for (int k = 0; k < 16; k++) a[k] += k * i;
        npu_put_cascade(a);
    }
}
long long core_0_2(void) {
    int s = 0;
    for (int round = 0; round < 4; round++) {
        s = s * 31 + recursive(round + 1);
        npu_put_stream(0, s, 0);
        s += (int)mixed((v4){s, 1, 2, round}, 0.5 * round, 1000003LL * round);
        npu_put_stream(0, s, 0);
        s ^= indirect(round + 2);
        npu_put_stream(0, s, round == 3);
        do {
            long long both = npu_get_stream_last(0);
            s += (int)both;
            if (both >> 32) break;
        } while (s & 3);
        onward(2);
    }
    npu_put_stream(0, s, 1);
    return -1;
}
