/* SPDX-License-Identifier: Apache-2.0
 * tx_checksum.h - host frames, stored whole before they are sent, so that there is no gap and the checksum can
 * be put in; and the player that sends them. */
#ifndef HANDFAST_CMODEL_TX_CHECKSUM_H
#define HANDFAST_CMODEL_TX_CHECKSUM_H

#include <stdbool.h>
#include <stdint.h>

struct host_frame {
	uint8_t *octets; /* room for MAX_FRAME in whole beats, and for one beat more */
	unsigned length, beats;
	uint64_t push_cycle; /* committed: the cycle that pushes it into the frame queue */
};

/* One frame is played, up to TX_DESCS are in the queue or on their way into it, one is written: the frames stand in
 * a circle in this order. */
struct tx_checksum {
	struct host_frame *frames;
	unsigned places;	    /* TX_DESCS + 2 */
	unsigned writing, playing;  /* places in the circle */
	unsigned committing;	    /* place of the oldest frame that is committed and not in the queue yet */
	unsigned committed, queued; /* frames before the queue and in it */
	unsigned count;		    /* tx_count: beats written and not released */

	bool busy; /* the player has a frame; `beat` of it is on offer */
	unsigned beat;
};

struct hf_model;

void hfm_tx_checksum_reset(struct tx_checksum *t);
/* Whether another beat of the host may be written; registers only, so before the arbiter's step or after the clock. */
bool hfm_tx_checksum_room(const struct hf_model *m);
/* Where the octets of the frame being written go. */
uint8_t *hfm_tx_checksum_octets(struct tx_checksum *t);
/* One more beat of it is in the store. */
void hfm_tx_checksum_write(struct tx_checksum *t);
/* The frame of `length` octets is complete, its last beat was written in this cycle. With `insert` its 16-bit field
 * at start + offset becomes the complement of the sum from `start` to the end. */
void hfm_tx_checksum_commit(struct hf_model *m, unsigned length, bool insert, unsigned start, unsigned offset);
/* Take back the beats written of a frame that will not be committed. */
void hfm_tx_checksum_take_back(struct tx_checksum *t, unsigned beats);
/* The frame queue and the player; after the arbiter's step, whose last beat makes room for the next frame. */
void hfm_tx_checksum_step(struct hf_model *m);
/* The arbiter took the last beat. */
void hfm_tx_checksum_played(struct tx_checksum *t);

#endif
