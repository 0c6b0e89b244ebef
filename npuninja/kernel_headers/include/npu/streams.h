/* Streams and cascades of a core. A word goes through the core's one stream port; a cascade transfer is 512 bits. */
#ifndef NPU_STREAMS_H
#define NPU_STREAMS_H

#include <npu/intrinsics.h>
#include <npu/stream_imports.h>

using v4int8 = npu::lanes<int8, 4>;
using v4uint8 = npu::lanes<uint8, 4>;
using v2int16 = npu::lanes<int16, 2>;
using v2uint16 = npu::lanes<uint16, 2>;

/* --- Words in. */
namespace npu {
template <class R> NPU_INLINE R stream_word(int word) { return __builtin_bit_cast(R, word); }
template <class R> NPU_INLINE R get_word(bool &last) {
    const long long got = npu_get_stream_last(0);
    last = got >> 32 & 1;
    return stream_word<R>(int(got));
}
/** A vector, word by word. */
template <class R> NPU_INLINE R get_words(bool &last) {
    using Row = decltype(row_in(R{}));
    int *place = (int *)registers::work;
    for (unsigned i = 0; i < sizeof(Row) / 4; i++)
        place[i] = get_word<int>(last);
    return native_from<R>(load<Row>(place));
}
template <class V> NPU_INLINE void put_words(const V &v, int last) {
    const auto row = row_in(v);
    int *place = (int *)registers::work;
    store(place, row);
    for (unsigned i = 0; i < sizeof(row) / 4; i++)
        npu_put_stream(0, place[i], i + 1 == sizeof(row) / 4 ? last : 0);
}
template <class T> concept StreamWord = sizeof(T) <= 4 && !AnyRow<T>;
} // namespace npu

/* Templates, so that a kernel that reads no stream needs none of the imports. */
#define NPU_STREAM_READS(type, suffix)                                                                                            \
    template <class R = type> NPU_INLINE R get_ss##suffix() { return npu::stream_word<R>(npu_get_stream(0)); }                    \
    template <class R = type> NPU_INLINE R get_ss##suffix(bool &last) { return npu::get_word<R>(last); }                          \
    template <class R = type> NPU_INLINE R get_ss##suffix(int &last) {                                                            \
        bool is_last;                                                                                                             \
        const R word = npu::get_word<R>(is_last);                                                                                 \
        last = is_last;                                                                                                           \
        return word;                                                                                                              \
    }                                                                                                                             \
    template <class R = type> NPU_INLINE R get_ss_nb##suffix(bool &success, bool &last) {                                         \
        success = npu_stream_ready(0) != 0;                                                                                       \
        last = false;                                                                                                             \
        return success ? npu::get_word<R>(last) : R{};                                                                            \
    }                                                                                                                             \
    template <class R = type> NPU_INLINE R get_ss_nb##suffix(bool &success) {                                                     \
        bool last;                                                                                                                \
        return get_ss_nb##suffix<R>(success, last);                                                                               \
    }
NPU_STREAM_READS(int, )
NPU_STREAM_READS(int, _int)
NPU_STREAM_READS(unsigned, _uint)
NPU_STREAM_READS(float, _float)
NPU_STREAM_READS(v4int8, _v4int8)
NPU_STREAM_READS(v4uint8, _v4uint8)
NPU_STREAM_READS(v2int16, _v2int16)
NPU_STREAM_READS(v2uint16, _v2uint16)
#undef NPU_STREAM_READS
#define NPU_STREAM_VECTORS(type)                                                                                                  \
    template <class R = type> NPU_INLINE R get_ss_##type() {                                                                      \
        bool last;                                                                                                                \
        return npu::get_words<R>(last);                                                                                           \
    }                                                                                                                             \
    template <class R = type> NPU_INLINE R get_ss_##type(bool &last) { return npu::get_words<R>(last); }
NPU_STREAM_VECTORS(v4int32)
NPU_STREAM_VECTORS(v4uint32)
NPU_STREAM_VECTORS(v4float)
NPU_STREAM_VECTORS(v8int16)
NPU_STREAM_VECTORS(v8uint16)
NPU_STREAM_VECTORS(v16int8)
NPU_STREAM_VECTORS(v16uint8)
NPU_STREAM_VECTORS(v8int32)
NPU_STREAM_VECTORS(v8uint32)
NPU_STREAM_VECTORS(v8float)
NPU_STREAM_VECTORS(v16int16)
NPU_STREAM_VECTORS(v16uint16)
NPU_STREAM_VECTORS(v32int8)
NPU_STREAM_VECTORS(v32uint8)
NPU_STREAM_VECTORS(v16int32)
NPU_STREAM_VECTORS(v16uint32)
NPU_STREAM_VECTORS(v16float)
NPU_STREAM_VECTORS(v32int16)
NPU_STREAM_VECTORS(v32uint16)
NPU_STREAM_VECTORS(v64int8)
NPU_STREAM_VECTORS(v64uint8)
#undef NPU_STREAM_VECTORS

/* --- Words out. */
template <npu::StreamWord T> NPU_INLINE void put_ms(T word, int last) {
    if constexpr (sizeof(T) == 4 && !std::is_integral_v<T>)
        npu_put_stream(0, __builtin_bit_cast(int, word), last);
    else
        npu_put_stream(0, int(word), last);
}
template <npu::StreamWord T> NPU_INLINE void put_ms(T word) { put_ms(word, 0); }
template <npu::StreamWord T> NPU_INLINE void put_ms(T word, int, int last) { put_ms(word, last); }
template <npu::StreamWord T> NPU_INLINE void put_ms_nb(T word, int last, bool &success) {
    success = npu_try_put_stream(0, int(word), last) != 0;
}
template <npu::StreamWord T> NPU_INLINE void put_ms_nb(T word, bool &success) { put_ms_nb(word, 0, success); }
template <npu::AnyRow V> NPU_INLINE void put_ms(const V &v) { npu::put_words(v, 0); }
template <npu::AnyRow V> NPU_INLINE void put_ms(const V &v, int last) { npu::put_words(v, last); }
template <npu::AnyRow V> NPU_INLINE void put_ms(const V &v, int, int last) { npu::put_words(v, last); }
template <class = void> NPU_INLINE void put_ms_nb_packet_header(int last, unsigned id, unsigned type, bool &success) {
    success = npu_try_put_stream(0, npu_packet_header(id, type), last) != 0;
}
template <class = void> NPU_INLINE void put_ms_nb_packet_header(unsigned id, unsigned type, bool &success) {
    put_ms_nb_packet_header(0, id, type, success);
}

/* --- Cascades. */
namespace npu {
template <class R> NPU_INLINE R get_cascade() {
    char *place = (char *)registers::work;
    for (unsigned at = 0; at < sizeof(R); at += 64)
        npu_get_cascade(place + at);
    return native_from<R>(load<decltype(row_in(R{}))>(place));
}
/** One transfer as a half of a register of two; the other half is zero. */
template <class R, unsigned Half> NPU_INLINE R get_half_cascade() {
    using Row = decltype(row_in(R{}));
    char *place = (char *)registers::work;
    store(place, Row{});
    npu_get_cascade(place + 64 * Half);
    return native_from<R>(load<Row>(place));
}
template <class V> NPU_INLINE void put_cascade(const V &v) {
    const auto row = row_in(v);
    static_assert(sizeof(row) % 64 == 0, "put_mcd: a cascade takes 512 bits a transfer");
    char *place = (char *)registers::work;
    store(place, row);
    for (unsigned at = 0; at < sizeof(row); at += 64)
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
NPU_CASCADE(v64uint8)
NPU_CASCADE(v128int8)
NPU_CASCADE(v128uint8)
NPU_CASCADE(v32int16)
NPU_CASCADE(v32uint16)
NPU_CASCADE(v64int16)
NPU_CASCADE(v64uint16)
NPU_CASCADE(v16int32)
NPU_CASCADE(v16uint32)
NPU_CASCADE(v32int32)
NPU_CASCADE(v32uint32)
NPU_CASCADE(v128int4)
NPU_CASCADE(v128uint4)
NPU_CASCADE(v256int4)
NPU_CASCADE(v256uint4)
NPU_CASCADE(v16float)
NPU_CASCADE(v32float)
NPU_CASCADE(v32bfloat16)
NPU_CASCADE(v64bfloat16)
NPU_CASCADE(v16acc32)
NPU_CASCADE(v32acc32)
NPU_CASCADE(v64acc32)
NPU_CASCADE(v8acc64)
NPU_CASCADE(v16acc64)
NPU_CASCADE(v32acc64)
NPU_CASCADE(v16accfloat)
NPU_CASCADE(v32accfloat)
NPU_CASCADE(v64accfloat)
#undef NPU_CASCADE
#define NPU_HALF_CASCADE(type)                                                                                                    \
    template <class R = type> NPU_INLINE R get_scd_##type##_lo(int enable = 1) {                                                  \
        return enable ? npu::get_half_cascade<R, 0>() : npu::zero_of<R>();                                                        \
    }                                                                                                                             \
    template <class R = type> NPU_INLINE R get_scd_##type##_hi(int enable = 1) {                                                  \
        return enable ? npu::get_half_cascade<R, 1>() : npu::zero_of<R>();                                                        \
    }
NPU_HALF_CASCADE(v32acc32)
NPU_HALF_CASCADE(v16acc64)
#undef NPU_HALF_CASCADE
#endif
