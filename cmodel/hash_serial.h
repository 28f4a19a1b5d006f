/* SPDX-License-Identifier: Apache-2.0
 * hash_serial.h - the one hash unit of a core with HASH_SERIAL: jobs that wait, and the one it is at. */
#ifndef HANDFAST_CMODEL_HASH_SERIAL_H
#define HANDFAST_CMODEL_HASH_SERIAL_H

#include <stdbool.h>
#include <stdint.h>
#include "ring.h"
#include "syn_cookie.h"
#include "tuple_hash.h"

#define HASH_NOT_YET UINT64_MAX /* the cycle of a result that is not even begun */

/* What there is to hash, and where the result goes: `result` with `done`, or `mac`. */
struct hash_job {
	uint64_t visible; /* the first cycle in which it may be taken */
	struct tuple tuple;
	struct tuple_hash_result *result;
	struct syn_cookie_mac *mac;
	uint64_t *ready_cycle; /* of a command: the first in which it may be T0; else NULL */
};

struct hash_serial {
	struct hash_job *jobs, *calls; /* of segments, 2 * SEG_DEPTH; of commands, CMD_DEPTH */
	struct ring job_ring, call_ring;
	struct hash_job now;
	bool at_work;
	bool was_call;	     /* the job taken last was a command's */
	uint64_t taken, end; /* cycles of that job: the unit is free in `end` */
};

struct hf_model;

void hfm_hash_serial_reset(struct hash_serial *h);
/* Requests of this cycle. */
void hfm_hash_serial_segment(struct hf_model *m, const struct tuple *t, struct tuple_hash_result *result);
void hfm_hash_serial_mac(struct hf_model *m, const struct tuple *t, struct syn_cookie_mac *mac);
void hfm_hash_serial_command(
	struct hf_model *m, const struct tuple *t, struct tuple_hash_result *result, uint64_t *ready_cycle);
void hfm_hash_serial_step(struct hf_model *m);

#endif
