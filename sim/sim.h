/* SPDX-License-Identifier: Apache-2.0
 * sim.h - a clock, queues and pin drivers around one engine: frames and messages instead of beats.
 * The board process, replay, the lock-step runner and all tests stand on it. */
#ifndef HANDFAST_SIM_H
#define HANDFAST_SIM_H

#include <stddef.h>
#include "engine.h"

#define SIM_FRAME_MAX 16384		  /* bytes of the longest frame or message sim carries */
#define SIM_BEAT_MAX  (8 * HF_DATA_WORDS) /* bytes of the widest beat */

/* What the simulator reports, as it happens; any pointer may be NULL. `cycle` counts clocks since sim_open. */
struct sim_events {
	/* A frame left on the wire side; cycle and time_ns are those of its first beat on the pins. */
	void (*tx)(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns);
	/* A message left towards the host; len is its length field, checked against the beats. */
	void (*c2h)(void *ctx, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns);
	/* An outlet gave the core a whole message (what sim_h2c() queued is not reported); len is what came, padding included. */
	void (*h2c)(void *ctx, const uint8_t *msg, size_t len);
	/* trc_valid was 1 in this cycle. */
	void (*trace)(void *ctx, const struct hf_out *out, uint64_t cycle, uint64_t time_ns);
	/* The last beat of a frame given to sim_rx() is on the pins in this cycle; stamp is time_ns at its first beat. */
	void (*rx_done)(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t stamp);
	/* Every clock: what the input pins hold in it. */
	void (*clock)(void *ctx, const struct hf_in *in, uint64_t cycle);
};

/* Random gaps, each a chance in 256 per cycle; 0 = never. With `garbage` everything the engine must not look at (idle
 * data pins, bytes beyond tkeep or a message's end, tuser before the last beat) is random instead of 0. */
struct sim_noise {
	uint8_t rx_bubble, tx_stall, c2h_stall, h2c_bubble;
	bool garbage;
};

/* What stands between the core's pins and the outside instead of the simulator's own queues: a PCIe endpoint, a USB
 * FIFO, a MAC. Called once in every clock, after the simulator has set its inputs: `out` is what the core shows in this
 * clock, and what `clock` writes to `in` replaces what the core is shown in it. As the core's outputs depend on its
 * registers alone, both are of the same clock. Returns true while something moves in the outlet, for sim_settle(). An outlet
 * that drives s_axis_rx or s_axis_h2c leaves nothing for the simulator to do there: sim_rx() or sim_h2c() are not for
 * use then. What leaves the core is reported by struct sim_events all the same. An outlet may set rst.
 * sim_reg_read() and sim_reg_write() share the AXI-Lite pins with it: an outlet that has an access under way, from its first
 * valid to the response taken, sets `axil_busy` of struct sim; while `axil_wanted` is set it begins none and leaves the pins alone. */
struct sim_outlet {
	bool (*clock)(void *ctx, const struct hf_out *out, struct hf_in *in);
	void *ctx;
};
enum { SIM_OUTLETS = 2 }; /* the host's, the wire's */

struct sim {
	struct engine *engine;
	const struct hf_params *params;
	unsigned beat;	   /* bytes of a beat, 8 or 64 */
	struct hf_in in;   /* pins in the coming cycle; time_ns and tick_1ms are the simulator's */
	struct hf_out out; /* pins after the last one */
	struct sim_events on;
	void *ctx;
	struct sim_noise noise;
	uint64_t cycle;	  /* clocks since sim_open */
	uint64_t time_ps; /* the pin time_ns is base_ns + time_ps / 1000 */
	uint64_t base_ns;
	uint64_t period_ps; /* added per clock; after sim_open 6400, at 512 bits 3103 */
	uint64_t ms_done;   /* ticks given so far; a tick is given in each clock while time_ps / 10^9 > ms_done */
	bool tick_by_hand;  /* no ticks but those of sim_tick() */
	unsigned rx_gap;    /* idle cycles before each frame's first beat */
	struct sim_outlet outlet[SIM_OUTLETS];
	uint64_t ms_at_reset;	     /* ms_done when rst was last 1: the core's `ms` counts from there */
	bool axil_busy, axil_wanted; /* struct sim_outlet */
	bool hold_tx, hold_c2h;	     /* that output's tready stays 0 while set */
	uint64_t faults; /* broken promises on the output pins: AXI-Stream and AXI-Lite rules, a gap inside a TX frame,
	                      * a length field that is not what came, bytes that should be 0 */
	char fault[120]; /* the first of them, "cycle 12: m_axis_tx: gap inside a frame", "" while there is none */
	void *priv;	 /* queues, frame assembly */
};

/* Cycle c is the clock that the (c+1)-th sim_step() runs: `out` shows its outputs before that call, and what they show is
 * reported from inside the call. The pins s_axil_* and rst in `in` are the caller's; sim drives all others. */

/* Open an engine, hold rst for 4 clocks, do not wait for ready. NULL when memory is short. */
struct sim *sim_open(enum engine_kind kind, enum engine_size size, uint64_t seed);
void sim_close(struct sim *s);

/* Queue a frame for the wire input; the bytes are copied. len 1..SIM_FRAME_MAX, as on the wire without FCS (nothing is padded).
 * Returns 0 or -EMSGSIZE, -ENOMEM. */
int sim_rx(struct sim *s, const void *frame, size_t len, bool bad_fcs);
/* Queue a message for h2c, padded to beats; len 1..SIM_FRAME_MAX need not agree with its length field (tests lie on purpose). */
int sim_h2c(struct sim *s, const void *msg, size_t len);
/* Frames and messages not yet wholly on the pins. */
size_t sim_rx_pending(const struct sim *s);
size_t sim_h2c_pending(const struct sim *s);

void sim_step(struct sim *s);
void sim_run(struct sim *s, uint64_t cycles);
/* Run until queues are empty and no valid pin moved for `quiet` clocks, at most `max` clocks. Returns clocks run. */
uint64_t sim_settle(struct sim *s, uint64_t quiet, uint64_t max);
/* One clock with tick_1ms = 1 (tick_by_hand); `ms` of them back to back, each followed by `clocks_between` plain clocks. */
void sim_tick(struct sim *s, unsigned ms, unsigned clocks_between);
/* Hold rst for n clocks; drops what is queued. */
void sim_reset(struct sim *s, unsigned n);

/* Register access by AXI-Lite pins; runs the clock. Returns the bus response (0 OKAY, 2 SLVERR), or -ETIMEDOUT after 1000 clocks. */
int sim_reg_write(struct sim *s, uint32_t offset, uint32_t value);
int sim_reg_read(struct sim *s, uint32_t offset, uint32_t *value);
/* SNAPSHOT and read: counter `index` of regs/counter.def. */
int sim_counter(struct sim *s, unsigned index, uint64_t *value);

#endif
