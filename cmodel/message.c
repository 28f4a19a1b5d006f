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
	MESSAGE_PUT(octets, HELLO, data_w, 8 * m->width);
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

/* Load the next beat of a message of `length` octets; returns whether it is the last one. */
static bool load(struct hf_model *m, const uint8_t *octets, unsigned length)
{
	struct c2h *c = &m->c2h;
	unsigned at = m->width * c->beat++;

	c->valid = true;
	get_beat(c->data, octets + at, m->width);
	c->last = at + m->width >= length;
	return c->last;
}

/* Load a beat of the host FIFO's output register, if it holds one; returns whether it is a message's last. */
static bool load_frame(struct hf_model *m)
{
	struct c2h *c = &m->c2h;
	const struct rx_frame_fifo *f = &m->frames;

	c->valid = f->host_valid;
	c->last = f->host_valid && f->host_last[f->host_out];
	if (c->valid)
		get_beat(c->data, f->host + (size_t)m->width * f->host_out, m->width);
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
			done = load(m, c->hello, HELLO_OCTETS);
			c->hello_pending = !done;
			break;
		case C2H_REG_REPLY:
			done = load(m, c->reply, REG_REPLY_OCTETS);
			c->reply_full = !done;
			break;
		case C2H_EVENT: {
			const struct event_record *record = &m->events.records[ring_head(&m->events.ring)];

			done = load(m, record->octets, record->length);
			if (done)
				ring_pop(&m->events.ring);
			break;
		}
		case C2H_FRAME:
			done = load_frame(m);
			taken = c->valid;
			break;
		}
		if (done)
			c->source = C2H_NONE;
	}
	hfm_rx_frame_fifo_fetch(&m->frames, taken);
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

/* The whole header is here, and perhaps more; `more` says that the message goes on behind these beats. */
static enum hf_status judge_header(const struct h2c *h, bool tlast, bool more, unsigned max_frame)
{
	enum hf_status status = judge_length(h, max_frame);
	unsigned start = h->id & 0xffff, offset = h->id >> 16;

	if (status != HF_STATUS_OK)
		return status;
	if (tlast == more)
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

static void take_header(struct hf_model *m, bool tlast)
{
	struct h2c *h = &m->h2c;

	h->type = (uint8_t)MESSAGE_GET(h->octets, HEADER, type);
	h->flags = (uint8_t)MESSAGE_GET(h->octets, HEADER, flags);
	h->length = (uint16_t)MESSAGE_GET(h->octets, HEADER, length);
	h->id = (uint32_t)MESSAGE_GET(h->octets, HEADER, id);
	h->cookie = 0;
	if (m->wide) {
		h->last = tlast;
		h->state = H2C_JUDGE;
	} else if (tlast) {
		bad(h, HF_STATUS_BAD_LENGTH, true);
	} else {
		h->state = H2C_HDR1;
	}
}

/* A good FRAME: at 512 bits, 48 octets of it came with the header. */
static void begin_frame(struct hf_model *m)
{
	struct h2c *h = &m->h2c;
	unsigned taken = m->width * h->beat;

	memcpy(hfm_tx_checksum_octets(&m->host_frames), h->octets + HF_MSG_HEADER_BYTES, taken - HF_MSG_HEADER_BYTES);
	h->written = 0;
	h->state = h->beat == h->beats ? H2C_FLUSH : H2C_FRAME;
}

/* HDR1, at 512 bits JUDGE. */
static void judge(struct hf_model *m, bool tlast)
{
	struct h2c *h = &m->h2c;
	enum hf_status status;
	bool more;

	h->cookie = MESSAGE_GET(h->octets, HEADER, stamp);
	h->beats = beats_of(h->length, m->width);
	more = h->beats > h->beat;
	status = judge_header(h, tlast, more, m->params.max_frame);
	if (status != HF_STATUS_OK)
		bad(h, status, tlast);
	else if (h->type == HF_MSG_FRAME)
		begin_frame(m);
	else if (h->type == HF_MSG_COMMAND)
		h->state = more ? H2C_BODY : H2C_CMD;
	else
		h->state = more ? H2C_VALUE : H2C_REG;
}

static void take_body_beat(struct h2c *h, bool tlast, enum h2c_state next)
{
	if (tlast != (h->beat == h->beats))
		bad(h, HF_STATUS_BAD_LENGTH, tlast);
	else if (tlast)
		h->state = next;
}

static void commit_frame(struct hf_model *m)
{
	struct h2c *h = &m->h2c;

	hfm_tx_checksum_commit(m, frame_octets(h), h->flags & HF_FRAME_CSUM_INSERT, h->id & 0xffff, h->id >> 16);
	m->counters[HF_CNT_H2C_MESSAGES]++;
	h->state = H2C_HDR0;
}

/* At 512 bits a beat of the message completes a beat of the frame, but its last octets may be left over: FLUSH. */
static void take_frame_beat(struct hf_model *m, const uint64_t *data, bool tlast)
{
	struct h2c *h = &m->h2c;
	struct tx_checksum *t = &m->host_frames;
	unsigned at = m->width * h->beat++ - HF_MSG_HEADER_BYTES;

	if (tlast != (h->beat == h->beats)) {
		hfm_tx_checksum_take_back(t, h->written);
		bad(h, HF_STATUS_BAD_LENGTH, tlast);
		return;
	}
	put_beat(hfm_tx_checksum_octets(t) + at, data, m->width);
	hfm_tx_checksum_write(t);
	h->written++;
	if (!tlast)
		return;
	if (m->width * h->written < frame_octets(h))
		h->state = H2C_FLUSH;
	else
		commit_frame(m);
}

static void flush_frame(struct hf_model *m)
{
	hfm_tx_checksum_write(&m->host_frames);
	commit_frame(m);
}

/* A beat of anything but FRAME's text is kept in h->octets. */
static void keep_beat(struct hf_model *m, const uint64_t *data)
{
	struct h2c *h = &m->h2c;

	put_beat(h->octets + (size_t)m->width * h->beat++, data, m->width);
}

static void take_beat(struct hf_model *m, const uint64_t *data, bool tlast)
{
	struct h2c *h = &m->h2c;

	switch (h->state) {
	case H2C_HDR0:
		h->beat = 0;
		keep_beat(m, data);
		take_header(m, tlast);
		break;
	case H2C_HDR1:
		keep_beat(m, data);
		judge(m, tlast);
		break;
	case H2C_BODY:
		keep_beat(m, data);
		take_body_beat(h, tlast, H2C_CMD);
		break;
	case H2C_VALUE:
		keep_beat(m, data);
		take_body_beat(h, tlast, H2C_REG);
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
		status = hfm_regs_write(m, h->id, (uint32_t)MESSAGE_GET(h->octets, REG_WRITE, value));
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

	switch (h->state) {
	case H2C_REG:
		if (!m->seen.reply_full && hfm_regs_open(m))
			access_register(m);
		break;
	case H2C_CMD:
	case H2C_BAD:
		if (m->seen.commands < m->params.cmd_depth)
			push_command(m, h->state == H2C_BAD);
		break;
	case H2C_JUDGE:
		judge(m, h->last);
		break;
	case H2C_FLUSH:
		if (hfm_tx_checksum_room(m))
			flush_frame(m);
		break;
	default:
		if (in->s_axis_h2c_tvalid && h->tready)
			take_beat(m, in->s_axis_h2c_tdata, in->s_axis_h2c_tlast);
	}
}
