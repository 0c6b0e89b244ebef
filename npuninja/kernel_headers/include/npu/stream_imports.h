/* What the emulator serves to code that waits in its middle: streams, cascades and locks (docs/architecture.md, "Wasm core ABI"). */
#ifndef NPU_STREAM_IMPORTS_H
#define NPU_STREAM_IMPORTS_H

#ifdef __cplusplus
extern "C" {
#endif
int npu_get_stream(int port);                              /* waits for a word */
long long npu_get_stream_last(int port);                   /* the same; bit 32: it is its packet's last */
int npu_stream_ready(int port);                            /* whether a word is there */
void npu_put_stream(int port, int word, int last);         /* waits for room */
int npu_try_put_stream(int port, int word, int last);      /* whether there was room */
void npu_get_cascade(void *bytes64);                       /* waits for a transfer */
void npu_put_cascade(const void *bytes64);                 /* waits for room */
void npu_acquire(unsigned lock, int value, int exact);     /* waits for a lock, numbered as the core sees it */
void npu_release(unsigned lock, int value);
void npu_write_register(unsigned offset, int value);       /* of the core's own tile; waits for its processor bus */
int npu_read_register(unsigned offset);
#ifdef __cplusplus
}
#endif

#define NPU_INTRINSIC static inline __attribute__((overloadable, always_inline))
NPU_INTRINSIC void acquire_equal(unsigned lock, unsigned value) { npu_acquire(lock, (int)value, 1); }
NPU_INTRINSIC void acquire_greater_equal(unsigned lock, unsigned value) { npu_acquire(lock, (int)value, 0); }
NPU_INTRINSIC void release(unsigned lock, int value) { npu_release(lock, value); }
NPU_INTRINSIC void acquire_equal(unsigned lock, unsigned value, int condition) {
    if (condition)
        npu_acquire(lock, (int)value, 1);
}
NPU_INTRINSIC void acquire_greater_equal(unsigned lock, unsigned value, unsigned condition) {
    if (condition)
        npu_acquire(lock, (int)value, 0);
}
NPU_INTRINSIC void release(unsigned lock, int value, int condition) {
    if (condition)
        npu_release(lock, value);
}
NPU_INTRINSIC void acquire_equal(const void *guarded, unsigned lock, unsigned value) {
    (void)guarded;
    npu_acquire(lock, (int)value, 1);
}
NPU_INTRINSIC void acquire_greater_equal(const void *guarded, unsigned lock, unsigned value) {
    (void)guarded;
    npu_acquire(lock, (int)value, 0);
}
NPU_INTRINSIC void release(void *guarded, unsigned lock, int value) {
    (void)guarded;
    npu_release(lock, value);
}

/* Registers of the core's own tile, by offsets in it. The third parameter is where they lie in the core's own addresses. */
NPU_INTRINSIC void write_tm(unsigned value, unsigned offset) { npu_write_register(offset, (int)value); }
NPU_INTRINSIC void write_tm(unsigned value, unsigned offset, unsigned begin) { npu_write_register(offset, (int)value), (void)begin; }
NPU_INTRINSIC unsigned read_tm(unsigned offset) { return (unsigned)npu_read_register(offset); }
NPU_INTRINSIC unsigned read_tm(unsigned offset, unsigned begin) { return (void)begin, (unsigned)npu_read_register(offset); }
/* Nothing is moved across calls of the emulator's functions anyway. */
#define __builtin_aiev2_sched_barrier() ((void)0)
#define __builtin_aie2p_sched_barrier() ((void)0)

/* Where the emulator keeps the core's column << 16 | row (npu/control.h). */
#define NPU_CORE_NUMBER (*(volatile unsigned *)0x3fff0)

/* A packet's first word: odd parity, source column and row, type, stream id. */
static inline int npu_packet_header(unsigned id, unsigned type) {
    const unsigned place = NPU_CORE_NUMBER;
    const unsigned header = (place >> 16 & 127) << 21 | (place & 31) << 16 | (type & 7) << 12 | (id & 31);
    return (int)(header | (unsigned)!__builtin_parity(header) << 31);
}
/* The first word after it in a packet to a tile's control port: address, words less one, operation, id of the answer. */
static inline int npu_control_header(unsigned address, unsigned words, unsigned operation, unsigned answer) {
    const unsigned header = (answer & 127) << 24 | (operation & 3) << 22 | ((words - 1) & 3) << 20 | (address & 0xfffff);
    return (int)(header | (unsigned)!__builtin_parity(header) << 31);
}
NPU_INTRINSIC void put_ms_packet_header(int last, unsigned id, unsigned type) { npu_put_stream(0, npu_packet_header(id, type), last); }
NPU_INTRINSIC void put_ms_packet_header(unsigned id, unsigned type) { npu_put_stream(0, npu_packet_header(id, type), 0); }
NPU_INTRINSIC void put_ms_ctrl_packet_header(int last, unsigned address, unsigned words, unsigned operation, unsigned answer) {
    npu_put_stream(0, npu_control_header(address, words, operation, answer), last);
}
NPU_INTRINSIC void put_ms_ctrl_packet_header(unsigned address, unsigned words, unsigned operation, unsigned answer) {
    npu_put_stream(0, npu_control_header(address, words, operation, answer), 0);
}

#ifndef __cplusplus
NPU_INTRINSIC int get_ss(void) { return npu_get_stream(0); }
NPU_INTRINSIC void put_ms(int word) { npu_put_stream(0, word, 0); }
NPU_INTRINSIC void put_ms(int word, int last) { npu_put_stream(0, word, last); }
#endif
#endif
