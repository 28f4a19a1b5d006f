/* SPDX-License-Identifier: Apache-2.0
 * message.c - see docs/architecture.md, "Messages: c2h, h2c, registers". */
#include <string.h>
#include "model.h"

void hfm_message_reset(struct c2h *c2h, struct h2c *h2c)
{
	c2h->hello_pending = c2h->reply_full = c2h->valid = false;
	c2h->source = C2H_NONE;
	h2c->state = H2C_HDR0;
	h2c->tready = false;
}

void hfm_message_header(uint8_t *octets, unsigned type, unsigned flags, unsigned length, uint32_t id, uint64_t stamp)
{
	MESSAGE_PUT(octets, HEADER, type, type);
	MESSAGE_PUT(octets, HEADER, flags, flags);
	MESSAGE_PUT(octets, HEADER, length, length);
	MESSAGE_PUT(octets, HEADER, id, id);
	MESSAGE_PUT(octets, HEADER, stamp, stamp);
}

void hfm_message_hello(struct hf_model *m, uint64_t time_ns)
{
	uint8_t *octets = m->c2h.hello;

	hfm_message_header(octets, HF_MSG_HELLO, 0, HELLO_OCTETS, HF_NO_ID, time_ns);
	MESSAGE_PUT(octets, HELLO, version, HF_ABI_VERSION);
	MESSAGE_PUT(octets, HELLO, epoch, m->epoch);
	MESSAGE_PUT(octets, HELLO, slots, m->table.slots);
	MESSAGE_PUT(octets, HELLO, credits, m->params.cmd_depth);
	MESSAGE_PUT(octets, HELLO, listeners, m->params.listeners);
	MESSAGE_PUT(octets, HELLO, max_frame, m->params.max_frame);
	MESSAGE_PUT(octets, HELLO, ways, m->params.ways);
	MESSAGE_PUT(octets, HELLO, data_w, 64);
	m->c2h.hello_pending = true;
}

static enum c2h_source choose(const struct hf_model *m)
{
	if (m->c2h.hello_pending)
		return C2H_HELLO;
	if (m->c2h.reply_full)
		return C2H_REG_REPLY;
	if (m->events.ring.count > 0)
		return C2H_EVENT;
	return m->frames.host_valid ? C2H_FRAME : C2H_NONE;
}

/* Load the next beat of a message of `beats` beats; returns whether it is the last one. */
static bool load(struct c2h *c, const uint8_t *octets, unsigned beats)
{
	c->valid = true;
	c->data = get_le64(octets + 8 * c->beat++);
	c->last = c->beat == beats;
	return c->last;
}

/* Load a beat of the host FIFO's output register, if it holds one; returns whether it is a message's last. */
static bool load_frame(struct c2h *c, const struct rx_frame_fifo *f)
{
	c->valid = f->host_valid;
	c->data = f->host_out.data;
	c->last = f->host_valid && f->host_out.last;
	return c->last;
}

void hfm_c2h_step(struct hf_model *m, bool tready)
{
	struct c2h *c = &m->c2h;
	bool taken = false; /* from the host FIFO */
	bool done = false;

	if (!c->valid || tready) {
		if (c->source == C2H_NONE) {
			c->source = choose(m);
			c->beat = 0;
		}
		switch (c->source) {
		case C2H_NONE:
			c->valid = false;
			break;
		case C2H_HELLO:
			done = load(c, c->hello, HELLO_OCTETS / 8);
			c->hello_pending = !done;
			break;
		case C2H_REG_REPLY:
			done = load(c, c->reply, REG_REPLY_OCTETS / 8);
			c->reply_full = !done;
			break;
		case C2H_EVENT: {
			const struct event_record *record = &m->events.records[ring_head(&m->events.ring)];

			done = load(c, record->octets, record->beats);
			if (done)
				ring_pop(&m->events.ring);
			break;
		}
		case C2H_FRAME:
			done = load_frame(c, &m->frames);
			taken = c->valid;
			break;
		}
		if (done)
			c->source = C2H_NONE;
	}
	hfm_rx_frame_fifo_fetch(&m->frames, taken);
}

bool hfm_h2c_tready(const struct hf_model *m)
{
	const struct tx_checksum *t = &m->host_frames;

	switch (m->h2c.state) {
	case H2C_HDR0:
		return m->ready;
	case H2C_FRAME:
		return t->count < m->params.tx_beats && t->queued + t->committed < m->params.tx_descs;
	case H2C_HDR1:
	case H2C_BODY:
	case H2C_VALUE:
	case H2C_SKIP:
		return true;
	default:
		return false;
	}
}

static unsigned frame_octets(const struct h2c *h)
{
	return h->length - HF_MSG_HEADER_BYTES;
}

/* OK if the length field is possible for the type. */
static enum hf_status judge_length(const struct h2c *h, unsigned max_frame)
{
	bool good = false;

	switch (h->type) {
	case HF_MSG_COMMAND:
		good = h->length == HF_MSG_HEADER_BYTES || h->length == COMMAND_OCTETS;
		break;
	case HF_MSG_REG_READ:
	case HF_MSG_REG_WRITE:
		good = h->length == 24;
		break;
	case HF_MSG_FRAME:
		good = h->length >= 30 && h->length <= HF_MSG_HEADER_BYTES + max_frame;
		break;
	default:
		return HF_STATUS_BAD_TYPE;
	}
	return good ? HF_STATUS_OK : HF_STATUS_BAD_LENGTH;
}

/* A COMMAND of that length: OK if the code is known and goes with it. */
static enum hf_status judge_command(const struct h2c *h)
{
	unsigned length;

	switch (h->flags) {
	case HF_COMMAND_RELEASE:
	case HF_COMMAND_ABORT:
	case HF_COMMAND_DUMP:
		length = HF_MSG_HEADER_BYTES;
		break;
	case HF_COMMAND_CONNECT:
	case HF_COMMAND_CLOSE:
	case HF_COMMAND_ADOPT:
		length = COMMAND_OCTETS;
		break;
	default:
		return HF_STATUS_BAD_COMMAND;
	}
	return h->length == length ? HF_STATUS_OK : HF_STATUS_BAD_LENGTH;
}

/* HDR1: the whole header is here. */
static enum hf_status judge(const struct h2c *h, bool tlast, unsigned max_frame)
{
	enum hf_status status = judge_length(h, max_frame);
	unsigned start = h->id & 0xffff, offset = h->id >> 16;

	if (status != HF_STATUS_OK)
		return status;
	if (tlast != (h->length == HF_MSG_HEADER_BYTES))
		return HF_STATUS_BAD_LENGTH;
	if (h->type == HF_MSG_COMMAND)
		return judge_command(h);
	if (h->type == HF_MSG_FRAME && h->flags & HF_FRAME_CSUM_INSERT &&
		(start % 2 != 0 || offset % 2 != 0 || start + offset + 2 > frame_octets(h)))
		return HF_STATUS_BAD_CSUM;
	return HF_STATUS_OK;
}

/* The message is bad; where its last beat has gone by it is answered, else that is awaited. */
static void bad(struct h2c *h, enum hf_status status, bool tlast)
{
	h->status = status;
	h->state = tlast ? H2C_BAD : H2C_SKIP;
}

static void take_header(struct h2c *h, uint64_t data, bool tlast)
{
	h->type = (uint8_t)data;
	h->flags = (uint8_t)(data >> 8);
	h->length = (uint16_t)(data >> 16);
	h->id = (uint32_t)(data >> 32);
	h->cookie = 0;
	if (tlast)
		bad(h, HF_STATUS_BAD_LENGTH, true);
	else
		h->state = H2C_HDR1;
}

static void take_cookie(struct h2c *h, uint64_t data, bool tlast, unsigned max_frame)
{
	enum hf_status status;

	h->cookie = data;
	status = judge(h, tlast, max_frame);
	if (status != HF_STATUS_OK) {
		bad(h, status, tlast);
	} else if (h->type == HF_MSG_COMMAND) {
		h->state = tlast ? H2C_CMD : H2C_BODY;
		h->beat = 0;
	} else if (h->type == HF_MSG_FRAME) {
		h->state = H2C_FRAME;
		h->beat = 0;
	} else {
		h->state = H2C_VALUE;
	}
}

static void take_body_beat(struct h2c *h, uint64_t data, bool tlast)
{
	put_beat(h->octets + HF_MSG_HEADER_BYTES + 8 * (size_t)h->beat, data);
	h->beat++;
	if (tlast != (h->beat == (COMMAND_OCTETS - HF_MSG_HEADER_BYTES) / 8))
		bad(h, HF_STATUS_BAD_LENGTH, tlast);
	else if (tlast)
		h->state = H2C_CMD;
}

static void take_frame_beat(struct hf_model *m, uint64_t data, bool tlast)
{
	struct h2c *h = &m->h2c;
	bool expected = h->beat + 1 == beats_of(frame_octets(h));

	if (tlast != expected) {
		hfm_tx_checksum_take_back(&m->host_frames, h->beat);
		bad(h, HF_STATUS_BAD_LENGTH, tlast);
		return;
	}
	hfm_tx_checksum_write(&m->host_frames, h->beat, data);
	h->beat++;
	if (!tlast)
		return;
	hfm_tx_checksum_commit(&m->host_frames, m->cycle, frame_octets(h), h->flags & HF_FRAME_CSUM_INSERT,
		h->id & 0xffff, h->id >> 16);
	m->counters[HF_CNT_H2C_MESSAGES]++;
	h->state = H2C_HDR0;
}

static void take_beat(struct hf_model *m, uint64_t data, bool tlast)
{
	struct h2c *h = &m->h2c;

	switch (h->state) {
	case H2C_HDR0:
		take_header(h, data, tlast);
		break;
	case H2C_HDR1:
		take_cookie(h, data, tlast, m->params.max_frame);
		break;
	case H2C_BODY:
		take_body_beat(h, data, tlast);
		break;
	case H2C_VALUE:
		h->value = (uint32_t)data;
		if (tlast)
			h->state = H2C_REG;
		else
			bad(h, HF_STATUS_BAD_LENGTH, false);
		break;
	case H2C_FRAME:
		take_frame_beat(m, data, tlast);
		break;
	case H2C_SKIP:
		if (tlast)
			h->state = H2C_BAD;
		break;
	default:
		assert(!"tready was 0");
	}
}

static void access_register(struct hf_model *m)
{
	struct h2c *h = &m->h2c;
	uint8_t *octets = m->c2h.reply;
	uint32_t value = 0;
	enum hf_status status;

	if (h->type == HF_MSG_REG_READ)
		status = hfm_regs_read(m, h->id, &value);
	else
		status = hfm_regs_write(m, h->id, h->value);
	hfm_message_header(octets, HF_MSG_REG_REPLY, status, REG_REPLY_OCTETS, h->id, h->cookie);
	MESSAGE_PUT(octets, REG_REPLY, value, value);
	MESSAGE_PUT(octets, REG_REPLY, pad, 0);
	m->c2h.reply_full = true;
	m->counters[HF_CNT_H2C_MESSAGES]++;
	h->state = H2C_HDR0;
}

static void push_command(struct hf_model *m, bool malformed)
{
	struct h2c *h = &m->h2c;
	struct command c = {
		.malformed = malformed,
		.status = h->status,
		.type = h->type,
		.command = h->flags,
		.id = h->id,
		.cookie = h->cookie,
		.has_body = !malformed && h->length == COMMAND_OCTETS,
	};

	if (c.has_body)
		memcpy(c.octets, h->octets, sizeof(c.octets));
	hfm_engine_push_command(m, &c);
	m->counters[malformed ? HF_CNT_H2C_BAD : HF_CNT_H2C_MESSAGES]++;
	h->state = H2C_HDR0;
}

void hfm_h2c_step(struct hf_model *m, const struct hf_in *in)
{
	struct h2c *h = &m->h2c;

	if (h->state == H2C_REG) {
		if (!m->seen.reply_full && hfm_regs_open(m))
			access_register(m);
	} else if (h->state == H2C_CMD || h->state == H2C_BAD) {
		if (m->seen.commands < m->params.cmd_depth)
			push_command(m, h->state == H2C_BAD);
	} else if (in->s_axis_h2c_tvalid && h->tready) {
		take_beat(m, in->s_axis_h2c_tdata, in->s_axis_h2c_tlast);
	}
}
