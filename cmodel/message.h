/* SPDX-License-Identifier: Apache-2.0
 * message.h - messages to the host (c2h) and from it (h2c), regs/message.def. */
#ifndef HANDFAST_CMODEL_MESSAGE_H
#define HANDFAST_CMODEL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include "bytes.h"
#include "handfast_model.h"
#include "../regs/regs.h"

#define HELLO_OCTETS	 40u
#define REG_REPLY_OCTETS 24u
#define COMMAND_OCTETS	 128u /* with a body */
#define BEAT_OCTETS_MAX	 (8u * HF_DATA_WORDS)

enum c2h_source { C2H_NONE, C2H_HELLO, C2H_REG_REPLY, C2H_EVENT, C2H_FRAME };

struct c2h {
	bool hello_pending, reply_full;
	uint8_t hello[BEAT_OCTETS_MAX], reply[BEAT_OCTETS_MAX]; /* 0 behind the message */
	enum c2h_source source;					/* whose message is being loaded */
	unsigned beat;						/* its next one */
	bool valid;						/* the output register */
	bool last;
	uint64_t data[HF_DATA_WORDS];
};

/* HDR1 and VALUE are of 64 bits, JUDGE and FLUSH of 512. From JUDGE on no beat is taken. */
enum h2c_state {
	H2C_HDR0,
	H2C_HDR1,
	H2C_BODY,
	H2C_VALUE,
	H2C_FRAME,
	H2C_SKIP,
	H2C_JUDGE,
	H2C_REG,
	H2C_CMD,
	H2C_FLUSH,
	H2C_BAD
};

struct h2c {
	enum h2c_state state;
	bool tready; /* the pin in this cycle */
	bool last;   /* JUDGE: the beat in HDR0 had tlast */
	uint8_t type, flags;
	uint16_t length;
	uint32_t id;
	uint64_t cookie;
	unsigned status;		/* of a bad message */
	unsigned beat, beats;		/* of the message: taken, and that its length says */
	unsigned written;		/* FRAME: beats of the frame written */
	uint8_t octets[COMMAND_OCTETS]; /* the message as far as it is here; of a FRAME the header's beats */
};

struct hf_model;

/* A number into its place in a message: little-endian, offset and size by message.def. */
#define MESSAGE_PUT(octets, msg, field, value) put_le((octets) + HF_AT_##msg##_##field, value, HF_SIZE_##msg##_##field)
/* Read it there. */
#define MESSAGE_GET(octets, msg, field) get_le((octets) + HF_AT_##msg##_##field, HF_SIZE_##msg##_##field)
/* An address or MAC likewise: network order. */
#define MESSAGE_PUT_NET(octets, msg, field, value) \
	put_be((octets) + HF_AT_##msg##_##field, value, HF_SIZE_##msg##_##field)

/* The header that every message begins with. */
void hfm_message_header(uint8_t *octets, unsigned type, unsigned flags, unsigned length, uint32_t id, uint64_t stamp);

void hfm_message_reset(struct c2h *c2h, struct h2c *h2c);
/* The sweep is done, in the cycle with this time: say so. */
void hfm_message_hello(struct hf_model *m, uint64_t time_ns);
void hfm_c2h_step(struct hf_model *m, bool tready);
void hfm_h2c_step(struct hf_model *m, const struct hf_in *in);
/* Whether a clock may change something without a beat from the host. */
static inline bool hfm_h2c_busy(const struct h2c *h)
{
	return h->state >= H2C_JUDGE;
}

#endif
