/* What a checked run learns: what touches which memory, and what orders it. Every kind of actor calls these
 * (DMA channels and the sequence here, cores through their modules); each does nothing unless a check wants
 * it.
 *
 * Order is happened-before: each actor has a vector clock, which a release, a sent word, a started task and a
 * token carry to the actor that acquires, receives, runs or waits. Two accesses of which one writes, and
 * which no such chain orders, are a race, whatever the order in this run was. */
#ifndef NPUNINJA_CHECKS_H
#define NPUNINJA_CHECKS_H

#include "engine.h"

#define CHECK_RACES 1
#define CHECK_MEMORY 2
extern u32 checks;

void number_words(void);    /* the device is known */
void checks_reset(void);    /* a configuration was loaded: everything before it is over */
void checks_begin(void);    /* a run of the sequence begins */

/* Locks: units of a semaphore are handed on in the order they were released. An acquire of an exact
 * value takes none, and knows of all that were given or taken before. */
void check_lock_change(u32 actor, u32 lock, i32 change);
void check_lock_exact(u32 actor, u32 lock);
void check_lock_set(u32 lock, u32 value);

/* Streams: words from one actor to another; `waits`: they lie in a FIFO until `check_received`. Each word
 * brings what its sender had done when it sent it, and no more. Cascades have transfers. */
void check_sent(u32 from, u32 to, u32 words, int waits);
void check_received(u32 actor, u32 words);
void check_stream_lost(u32 actor);
void check_cascade_sent(u32 from, u32 to_tile);
void check_cascade_received(u32 tile);

/* Tasks and tokens of a channel. */
void check_pushed(u32 channel, u32 slot);
void check_started(u32 channel, u32 slot);
void check_token(u32 channel);
void check_token_taken(u32 channel);
void check_tokens_lost(u32 channel);
void check_polled(u32 channel);

/* Accesses of words at an address of the engine's memory; `step` words apart. */
void check_words(u32 actor, u32 address, u32 step, u32 words, int writes, u32 site);
/* What was never written is no data: `bytes` from `address` on hold some now. */
void check_filled(u32 address, u32 bytes);
/* Words that nothing has written stay so when a channel copies them: those that move now are such. */
extern u32 bare_words;
/* Which of these words are; and how many from an address on are alike, with `bare_words` set for them. */
void check_bare(u32 address, u32 step, u32 words, u8 *bare);
u32 check_bare_run(u32 address, u32 words);

/* Buffer descriptors: read when a channel loads one, written by the sequence. */
void check_bd_loaded(u32 channel, u32 number);
void check_bd_written(u32 tile, u32 number);
/* A shim channel's transfer: its whole pattern in host memory. */
void check_transfer_begins(u32 channel, const Bd *bd, u32 number);
void check_transfer_reads(u32 channel); /* words, before they are sent */
void check_transfer_ends(u32 channel);

#endif
