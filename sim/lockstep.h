/* SPDX-License-Identifier: Apache-2.0
 * lockstep.h - one phase of a lock-step run: its clock and watchdog (lockstep.c), random stimulus
 * (lockstep_random.c), what is aimed at one entry (lockstep_entries.c) or at the core's defences (lockstep_flood.c),
 * directed rows (lockstep_rows.c, lockstep_limits.c, lockstep_moments.c), and what of it all was reached
 * (lockstep_cover.c). For main_lockstep.c only. */
#ifndef HANDFAST_SIM_LOCKSTEP_H
#define HANDFAST_SIM_LOCKSTEP_H

#include "../regs/regs.h"
#include "stimulus.h"
#include "traffic.h"

#define LOCKSTEP_WAVES 2000u		    /* cycles written to the FST file: the last ones of the run */
#define MS_PS	       UINT64_C(1000000000) /* picoseconds of a millisecond */
#define PEERS	       4096u
#define PEER_NET       0x0a4d0000u	   /* 10.77/16, the lower half is the peer's index */
#define PEER_NET6      0x20010db800770000u /* upper half of IPv6 peers, the lower one is the index */
#define SLOTS_MAX      1024u
#define LISTENERS_MAX  16u
#define RULES_MAX      16u
#define RECENT	       16u
#define HOST_MARK      0x06 /* octets 0 and 2 of every frame from the host; the MACs of peers have others there */
#define IDS	       64u
#define BUS_OPS	       512u
#define ANSWERS	       64u
#define EPOCH_PS       (UINT64_C(1000) << 36) /* picoseconds of an epoch of SYN cookies */
#define COUNT(a)       (sizeof(a) / sizeof *(a))

static const uint32_t local_addrs[] = { 0x0a010001, 0x0a010002, 0xc0a80105, 0x7f000001 };
/* Upper and lower half; :: never stands for a local address, ::1 seldom. */
static const uint64_t local_addrs6[][2] = { { 0x20010db800010000, 1 }, { 0xfd00000000000001, 0x8000000000000001 },
	{ 0x20010db800010000, 0xffff }, { 0, 1 } };
static const uint16_t local_ports[] = { 80, 443, 8080, 65535, 1 };

struct peer {
	bool ip6, vlan_svlan;
	unsigned vlan_tags;
	uint16_t vlan_outer, vlan_inner;
	hf_u128 local_addr;
	uint16_t port, local_port;
	uint32_t isn, iss; /* theirs, and ours as the SYN-ACK said */
	uint32_t tsval, tsecr;
	bool ts;
	uint8_t options[40]; /* of the SYN, to send it again */
	size_t options_len;
};

/* A SYN-ACK of the engine, to be answered. */
struct answer {
	bool ip6, ts;
	unsigned vlan_tags;
	uint8_t tags[8], peer_mac[6]; /* of its VLAN tags, as they stand in the frame */
	hf_u128 peer_addr, local_addr;
	uint16_t peer_port, local_port;
	uint32_t seq, ack, tsval, tsecr;
};

/* What a run must have met, beyond counters, states and codes: name, least DATA_W at which it can happen, in words. */
#define SITUATIONS(X)                                                                                \
	X(EVERY_SECOND_CYCLE, 64, "three ops, one every second cycle")                               \
	X(HAZARD_SEGMENTS, 64, "two segments of one set, the later one as soon as that has written") \
	X(HAZARD_COMMAND, 64, "a command and a segment of one set, as soon as one has written")      \
	X(HAZARD_TIMEOUT, 64, "a timeout and a segment of one set, as soon as one has written")      \
	X(CHAIN, 512, "a segment chained to another one")                                            \
	X(CHAIN_NEXT, 512, "a segment chained to the op just before it")                             \
	X(CHAIN_SECOND, 512, "a segment chained three cycles behind its leader")                     \
	X(CHAIN_OF_THREE, 512, "three segments chained")                                             \
	X(CHAIN_INSERTED, 512, "a segment chained to one that inserted")                             \
	X(CHAIN_FREED, 512, "a segment chained to one that freed")                                   \
	X(CHAIN_CHANGED, 512, "a segment chained to one that changed its entry")                     \
	X(CHAIN_FOUND, 512, "a segment chained to one that hit and wrote nothing")                   \
	X(CHAIN_MISSED, 512, "a segment chained to one that missed")                                 \
	X(CHAIN_ICMP, 512, "an ICMP error chained, or a segment chained to one")                     \
	X(COOKIE_A, 64, "a cookie of key A accepted")                                                \
	X(COOKIE_B, 64, "a cookie of key B accepted")                                                \
	X(COOKIE_AGE_0, 64, "a cookie of this epoch accepted")                                       \
	X(COOKIE_AGE_1, 64, "a cookie of the epoch before accepted")                                 \
	X(COOKIE_AGE_2, 64, "a cookie two epochs old accepted")                                      \
	X(COOKIE_AGE_3, 64, "a cookie three epochs old accepted")                                    \
	X(COOKIE_TEXT, 64, "a cookie accepted from a segment with text")                             \
	X(COOKIE_TS, 64, "a cookie accepted with timestamps")                                        \
	X(COOKIE_IP6, 64, "a cookie accepted over IPv6")                                             \
	X(COOKIES_ON, 64, "cookies began at COOKIE_HIGH")                                            \
	X(COOKIES_OFF, 64, "cookies ended below COOKIE_LOW")                                         \
	X(RULE_LIMITED_NEXT, 512, "a SYN without a token, two cycles behind one that was answered")  \
	X(SAMPLE_ANSWERED, 64, "a sample of a SYN that was not dropped")                             \
	X(SAMPLE_DENIED, 64, "a sample of a SYN that a rule denied")                                 \
	X(SAMPLE_LIMITED, 64, "a sample of a SYN that a rule limited")                               \
	X(SAMPLE_IP6, 64, "a sample of a SYN of IPv6")                                               \
	X(CACHE_HOST_GONE, 64, "CACHE.COMPLETE cleared because the host is gone")                    \
	X(CACHE_EVICTED, 64, "CACHE.COMPLETE cleared by an eviction")                                \
	X(CACHE_NO_ROOM, 64, "CACHE.COMPLETE cleared by an ADOPT without room")                      \
	X(CACHE_NO_ENTRY, 64, "CACHE.COMPLETE cleared by a cookie without entry")                    \
	X(SNAPSHOT_BUS, 64, "an AXI-Lite access that waited for SNAPSHOT")                           \
	X(SNAPSHOT_MESSAGE, 64, "a register message that waited for SNAPSHOT")                       \
	X(TURN_TO_HOST, 64, "a host frame right behind a reply")                                     \
	X(TURN_TO_REPLY, 64, "a reply right behind a host frame")                                    \
	X(FRAMES_OF_A_BEAT, 512, "received frames of one beat in successive cycles")                 \
	X(MESSAGES_OF_A_BEAT, 512, "messages of one beat to the host in successive cycles")

enum situation {
#define X(name, width, text) SEEN_##name,
	SITUATIONS(X)
#undef X
		SITUATION_COUNT
};

struct bus_op {
	bool write;
	uint8_t strobes;
	uint16_t address;
	uint32_t value;
	uint64_t *result; /* where a read puts its value, or NULL */
};

/* What the stimulus is like for a few thousand cycles. */
struct mood {
	uint64_t until;
	enum mood_kind {
		BALANCED,
		FLOOD,
		HANDSHAKES,
		CLOSING,
		HOSTILE,
		SHORT_FRAMES,
		TO_HOST,
		HOST_BUSY,
		COOKIES,
		BURSTS,
		QUIET,
		MOODS
	} kind;
	unsigned feed; /* percent of the cycles in which a frame may be queued */
	unsigned peers;
	unsigned h2c;	    /* chance in 4096 per cycle of a message from the host */
	unsigned bus;	    /* chance in 4096 per cycle of a random register access */
	unsigned hold;	    /* chance in 65536 per cycle that an output is held for long */
	unsigned wrong;	    /* percent of the segments about an entry that are not what a good peer would send */
	unsigned release;   /* percent of established connections that the host gives back */
	unsigned heartbeat; /* chance in 65536 per cycle */
	unsigned jump;	    /* chance in 4096 per cycle of one to three ticks back to back */
	unsigned epoch;	    /* chance in 65536 per cycle that the epoch of cookies ends */
};

/* Since the last reset, as the pins showed it. */
struct seen {
	uint64_t rx, tx, frames, events, completions, replies, hellos, h2c, established, dumps, cookies;
};

/* An op of the trace, as long as later ones may depend on it. */
struct traced {
	uint64_t cycle;
	unsigned op, slot;
	bool hit, write, chained, answered;
	uint64_t left; /* state that it left, if it wrote */
};

/* Over all phases. */
struct totals {
	uint64_t cycles, frames, mismatches;
	uint64_t traced[HF_STATE_TIME_WAIT + 1][4]; /* state before, OP code */
	uint64_t became[HF_STATE_TIME_WAIT + 1]
		       [HF_STATE_TIME_WAIT + 1]; /* state before and after, of written entries */
	uint64_t events[16], statuses[16];	 /* by EVENT and STATUS code; statuses of commands */
	uint64_t counter[HF_CNT_COUNT];
	uint64_t situation[SITUATION_COUNT];
	struct stimulus record; /* of the first phase, to time each engine alone */
};

/* One phase. */
struct run {
	struct sim *s;
	struct totals *totals;
	const struct hf_params *params;
	uint64_t left; /* cycles this phase may still run */
	bool failed, keep_going;
	char fault[160]; /* what the watchdog found */
	const char *waves;
	uint64_t waves_at; /* cycles left when the file is opened */

	struct rng rng;
	struct mood mood;
	struct frame frame;
	struct peer peers[PEERS];
	struct hf_tcb table[SLOTS_MAX]; /* every entry, from the trace */
	uint8_t state[SLOTS_MAX];	/* of each entry */
	uint16_t recent[RECENT];	/* slots that were written last, a ring */
	unsigned recent_at;
	uint32_t ids[IDS]; /* connections that the host may give back */
	unsigned ids_count;
	struct answer answers[ANSWERS]; /* to the SYN-ACKs seen last, a ring */
	unsigned answers_count;
	uint32_t cookie_reg;	    /* register COOKIE as last written */
	unsigned hold_tx, hold_c2h; /* cycles left */
	unsigned resets;	    /* one in so many cycles, 0 = none */
	uint64_t next_read;
	uint32_t rcv_wnd; /* as last configured, to aim at its edges */
	uint64_t cookie;

	struct bus_op ops[BUS_OPS], write_op, read_op;
	unsigned ops_head, ops_count;
	enum bus_state { BUS_IDLE, BUS_REQUEST, BUS_RESPONSE } writing, reading;

	bool rx_inside;
	struct seen seen;
	/* For lockstep_cover.c. */
	struct traced ops_before[2];	  /* the latest one first */
	uint64_t tx_end, rx_end, c2h_end; /* cycle of the last beat of a frame or message, 0 = none yet */
	bool tx_host;			  /* that frame was the host's */
	unsigned bus_waited;		  /* cycles the register bus has waited */
	uint64_t counter[HF_CNT_COUNT], half_open, entries; /* as last read, low words */
};

/* lockstep.c */

/* Begin phase in `r`, which is zero but for s, params, left and totals. */
void lockstep_begin(struct run *r);
/* Something that must not be: the phase ends and fails. */
void lockstep_fault(struct run *r, const char *what, uint64_t got, uint64_t expected);
/* Run one clock; `random` makes the register bus hesitate. False when the phase is over or something is wrong. */
bool lockstep_clock(struct run *r, bool random);
/* Let everything come to rest: nothing queued, and no stream or op for `quiet` cycles. False as lockstep_clock(). */
bool lockstep_settle(struct run *r, unsigned quiet);
/* Bring everything to rest and balance the books: every frame has had its verdict, every message its answer, every
 * entry is accounted for. */
void lockstep_check(struct run *r);
/* ABORT every entry, or those whose first timeout is 0. */
void lockstep_abort(struct run *r, bool storms);
/* Counters count from reset; before one comes they are added to the totals as far as they were read. */
void lockstep_bank(struct run *r);
/* To be called as reset begins: what was seen and queued before it counts no more. */
void lockstep_forget(struct run *r);
/* Queue a register access beside the traffic; a read may put its value into *result. */
void lockstep_bus(struct run *r, bool write, uint32_t address, uint32_t value, uint8_t strobes, uint64_t *result);
void lockstep_write(struct run *r, uint32_t address, uint32_t value);
void lockstep_read_counters(struct run *r);
/* A register offset, often one that exists. */
uint32_t lockstep_address(struct rng *rng);

/* Let the pending accesses be done, then read a register. False as lockstep_clock(). */
bool lockstep_read(struct run *r, uint32_t address, uint64_t *value);

/* lockstep_cover.c */

/* To be called for every op of the trace, before the copy of the table changes. */
void lockstep_cover_op(struct run *r, const struct hf_out *o);
/* For every message to the host, with the cycle of its first beat. */
void lockstep_cover_message(struct run *r, const uint8_t *msg, uint64_t first);
/* For every frame out, with the cycle of its first beat. */
void lockstep_cover_tx(struct run *r, bool host, uint64_t first);
/* Before every clock, with the pins in that cycle, once the stimulus has set them. */
void lockstep_cover_pins(struct run *r, const struct hf_in *in, const struct hf_out *out);
/* Reset ends what was under way. */
void lockstep_cover_reset(struct run *r);
/* What was reached; returns the number of situations, possible at `width` or below, that never were. */
unsigned lockstep_cover_print(const struct totals *t, unsigned width);

/* lockstep_flood.c */

/* A SYN-ACK of the engine whose headers are sound. */
void lockstep_synack(struct run *r, const uint8_t *frame, size_t l3, size_t tcp);
/* The peer's answer to it, an ACK that is right. */
struct segment lockstep_answer(const struct answer *a, uint32_t tsval);
/* Answer a SYN-ACK seen before, rightly, late, twice, or wrongly. */
void lockstep_send_answer(struct run *r);
/* Many segments of few tuples, so that one op follows another on one entry or one set. */
void lockstep_burst(struct run *r);
/* One of the DEFENCES registers of cookies, limits, rules, samples, cache and shares, at a random value. */
void lockstep_configure_defence(struct run *r, unsigned what);
#define DEFENCES 11u
/* The epoch of cookies ends: now, soon, or some epochs pass at once. */
void lockstep_epoch(struct run *r);
/* Let the pins' time go on by `epochs` epochs, without ticks. */
void lockstep_skip_epochs(struct run *r, unsigned epochs);

/* lockstep_limits.c */

/* lockstep_plain() and a listener of each family. False as lockstep_clock(). */
bool lockstep_prepare(struct run *r);
/* Rows for cookies, cache and buckets. False as lockstep_clock(). */
bool lockstep_limits(struct run *r);
/* Rows for ops of one entry or set, shares, register access behind SNAPSHOT, and every length. False likewise. */
bool lockstep_order(struct run *r);

/* lockstep_moments.c */

/* Rows for what happens in each cycle of one op: register writes; ticks, and what clears CACHE.COMPLETE; commits of rules,
 * writes of SAMPLE. False as lockstep_clock(). */
bool lockstep_moments(struct run *r);
bool lockstep_ticks(struct run *r);
bool lockstep_rules(struct run *r);

/* lockstep_random.c */

/* New habits for a while. */
void lockstep_mood(struct run *r);
/* Every register at a sensible but random value, a few listeners, and the engine on. */
void lockstep_configure(struct run *r);
extern const uint8_t lockstep_our_mac[6];
/* Registers MAC_LO (0) and MAC_HI (1) of the board that peers know. */
uint32_t lockstep_mac(unsigned i);
/* A new port, ISN and options for a peer. */
void lockstep_connection(struct run *r, struct peer *p);
struct segment lockstep_segment(const struct run *r, const struct peer *p, uint16_t flags, uint32_t seq, uint32_t ack);
/* The SYN of a peer, as it was first sent. */
struct segment lockstep_syn(const struct run *r, const struct peer *p);
void lockstep_send(struct run *r, const struct segment *g);
/* Send r->frame. */
void lockstep_send_frame(struct run *r);
void lockstep_message(struct run *r, const uint8_t *msg, size_t len);
/* One random decision about everything, then one clock. */
bool lockstep_random(struct run *r);

/* lockstep_entries.c */

/* An entry worth trying something on, or NULL when the table is empty. */
const struct hf_tcb *lockstep_entry(struct run *r);
/* What the peer of an entry may send next, or an edge of it; often several times. */
void lockstep_attack(struct run *r, const struct hf_tcb *e);
/* An ICMP error about an entry, or all but. */
void lockstep_icmp(struct run *r, const struct hf_tcb *e);
/* A command in `msg`, legal or not; returns its length. */
size_t lockstep_command(struct run *r, uint8_t *msg);
/* CONNECT, CLOSE or ADOPT of the entry `e`; returns its length. */
size_t lockstep_body(struct run *r, uint8_t *msg, uint8_t command, const struct hf_tcb *e, uint32_t now_ms);
/* The addresses of a peer and of the board. */
hf_u128 lockstep_peer_addr(bool ip6, unsigned index);
hf_u128 lockstep_local_addr(bool ip6, unsigned i);
/* MAC, VLAN and addresses of a segment from the peer of an entry. */
struct segment lockstep_from_peer(struct run *r, const struct hf_tcb *e);
/* Octets of text for a segment. */
size_t lockstep_text(struct run *r);

/* lockstep_rows.c */

/* All rows: frames, options, states, timers. False as lockstep_clock(). */
bool lockstep_rows(struct run *r);
/* Known configuration: every option on, no timer in sight, keys of 0. */
void lockstep_plain(struct run *r);
/* `count` ports of a peer whose 4-tuples with the segment's other three parts have one set under keys of 0, and each a
 * tag of its own. False if there are not as many. */
bool lockstep_ports_of_set(const struct run *r, const struct segment *g, uint16_t *ports, unsigned count);

#endif
