/* Streams and cascades of a core, served by the emulator as imports of the module "env" (docs/architecture.md, "Wasm core ABI").
 *
 * Words go through the array's stream port 0 of the core; a cascade transfer is 512 bits, which lie at the address given. */
#ifndef NPU_STREAMS_H
#define NPU_STREAMS_H

#include <npu/intrinsics.h>

extern "C" {
int npu_get_stream(int port);                         // waits for a word
int npu_stream_ready(int port);                       // whether a word is there
void npu_put_stream(int port, int word, int last);    // waits for room
void npu_get_cascade(void *bytes64);                  // waits for a transfer
void npu_put_cascade(const void *bytes64);            // waits for room
}

template <int = 0> NPU_INLINE int get_ss() { return npu_get_stream(0); }
template <int = 0> NPU_INLINE int get_ss(int &last) {
    last = 0;
    return npu_get_stream(0);
}
template <int = 0> NPU_INLINE int get_ss_nb(bool &success) {
    success = npu_stream_ready(0) != 0;
    return success ? npu_get_stream(0) : 0;
}
template <int = 0> NPU_INLINE int get_ss_int() { return npu_get_stream(0); }
template <class T> NPU_INLINE void put_ms(T word) {
    static_assert(sizeof(T) <= 4, "put_ms: a word at a time");
    npu_put_stream(0, int(word), 0);
}
template <class T> NPU_INLINE void put_ms(T word, int last) { npu_put_stream(0, int(word), last); }

namespace npu {
template <class R> NPU_INLINE R get_cascade() {
    char *place = (char *)registers::work;
    for (unsigned at = 0; at < sizeof(R); at += 64)
        npu_get_cascade(place + at);
    return native_from<R>(load<decltype(row_in(R{}))>(place));
}
template <class V> NPU_INLINE void put_cascade(const V &v) {
    char *place = (char *)registers::work;
    store(place, row_in(v));
    for (unsigned at = 0; at < sizeof(row_in(v)); at += 64)
        npu_put_cascade(place + at);
}
} // namespace npu
/** To the next core; 1024 bits in two transfers, the low half first. */
template <npu::AnyRow V> NPU_INLINE void put_mcd(const V &v) { npu::put_cascade(v); }
template <npu::AnyRow V> NPU_INLINE void put_mcd(const V &v, int enable) {
    if (enable)
        npu::put_cascade(v);
}
#define NPU_CASCADE(type)                                                                                                         \
    template <class R = type> NPU_INLINE R get_scd_##type() { return npu::get_cascade<R>(); }                                     \
    template <class R = type> NPU_INLINE R get_scd_##type(int enable) { return enable ? npu::get_cascade<R>() : npu::zero_of<R>(); }
NPU_CASCADE(v64int8)
NPU_CASCADE(v32int32)
NPU_CASCADE(v64int16)
NPU_CASCADE(v32float)
NPU_CASCADE(v128int8)
NPU_CASCADE(v64uint8)
NPU_CASCADE(v32int16)
NPU_CASCADE(v32uint16)
NPU_CASCADE(v16int32)
NPU_CASCADE(v16uint32)
NPU_CASCADE(v16float)
NPU_CASCADE(v32bfloat16)
NPU_CASCADE(v16acc32)
NPU_CASCADE(v32acc32)
NPU_CASCADE(v8acc64)
NPU_CASCADE(v16acc64)
NPU_CASCADE(v16accfloat)
NPU_CASCADE(v32accfloat)
#undef NPU_CASCADE
#endif
