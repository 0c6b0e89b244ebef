/* What goes between this library and the server: one request and one reply at a time on a socket of type
 * SEQPACKET. npuninja/xrt_emulation/wire.py is the other side and has the same numbers. */
#ifndef NPUNINJA_WIRE_H
#define NPUNINJA_WIRE_H

#include <stdint.h>

#define WIRE_VERSION 2u
/* Bytes of a whole message; a longer one is refused by the sender. */
#define WIRE_MAX 65536u

/* A request is this header, the ioctl's structure, and what the structure points to. */
struct wire_request {
    uint32_t operation; /* an ioctl's number, or one of WIRE_… */
    uint32_t structure_bytes;
    uint32_t pointed_bytes;
};

/* A reply is this header, the structure as the driver leaves it, and what is to be written where it points
 * to. */
struct wire_reply {
    int32_t error; /* 0, or an errno */
    uint32_t structure_bytes;
    uint32_t pointed_bytes;
};

/* The reply carries a descriptor: the memory of all buffers of the NPU. */
#define WIRE_OPEN 0x1000u
struct wire_open {
    uint32_t version, pad;
    uint64_t words;     /* where those of this file's contexts begin in the memory */
    uint64_t timelines; /* where the numbers of timelines begin */
};
/* The request carries the descriptor of an XCLBIN that the program has opened. */
#define WIRE_XCLBIN 0x1001u

/* These words: for each context (index: its handle) the number of the last command that has ended. */
#define WIRE_CONTEXTS 1024u
/* The handle of a timeline is WIRE_CONTEXTS and its place among these numbers; smaller ones are those of
 * contexts. */
#define WIRE_TIMELINES 8192u

#endif
