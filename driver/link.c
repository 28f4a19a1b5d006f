/* SPDX-License-Identifier: Apache-2.0
 * link.c - docs/usb.md, host's end. Numbers of packets are modulo 256, as uint8_t is. */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "message.h"

enum {
	PAYLOAD_MIN = HF_MSG_HEADER_BYTES,
	PAYLOAD_MAX = 16384,
	CRC_BYTES = 4,
	PACKET_MAX = HF_LINK_HEADER_BYTES + PAYLOAD_MAX + CRC_BYTES,
	PAD_BYTES = PAYLOAD_MAX + CRC_BYTES, /* ends any packet whose rest was lost */
	QUEUE = 64,			     /* messages kept for link_recv(); the window closes as it fills */
	ACK_EVERY = 4,			     /* unacknowledged packets, at the latest */
	ACK_US = 1000,			     /* and how long one may wait */
	NAK_US = 2000,			     /* between two NAKs about one loss */
	TORN_US = 5000,			     /* a packet stops in its middle for so long: the rest is lost */
	OPEN_US = 100000,		     /* between the first two OPENs; twice as long each time, */
	OPEN_MAX_US = 1600000,		     /* up to this: a card that takes long to answer is waited for */
	CLOSES = 3,			     /* sent before the card is taken for closed */
	RTT_MAX_US = 500000		     /* no round trip is taken for longer */
};

static const uint8_t letters[2] = { 0x48, 0x46 };

#define LINK_GET(p, field)    message_get((p) + HF_LINK_AT_##field, HF_LINK_SIZE_##field)
#define LINK_PUT(p, field, v) message_put((p) + HF_LINK_AT_##field, HF_LINK_SIZE_##field, v)

/* A message of ours until it is acknowledged. */
struct slot {
	uint8_t *bytes;
	size_t len, cap;
	unsigned sent; /* times */
	int64_t sent_at;
};

/* A message of the card until it is taken. */
struct arrived {
	struct arrived *next;
	size_t len;
	uint8_t bytes[];
};

struct link {
	enum link_state state;
	int64_t ask_us;
	struct link_stats stats;

	/* Sending. tx[tx_base % 8] is the oldest; tx_next of tx_count have gone out since the last going back, tx_high
	 * of them at any time. */
	struct slot tx[HF_LINK_WINDOW];
	uint8_t tx_base;
	unsigned tx_count, tx_next, tx_high;
	unsigned peer_window;
	int64_t rtt_us, rtt_min_us;
	int64_t progress_at; /* the oldest was first sent, or the one before it acknowledged, or we asked */
	bool ask_due, asked;
	unsigned asks;	     /* without an answer */
	unsigned wrong_acks; /* in a row */

	/* Receiving. */
	uint8_t rx_expect;
	struct arrived *first, **last;
	unsigned queued;
	unsigned unacked; /* packets taken since our last packet */
	int64_t ack_at;	  /* when they are acknowledged at the latest */
	bool ack_due, nak_due;
	int64_t nak_at;	      /* no NAK before; 0 = at any time */
	unsigned told_window; /* what the card believes */
	bool reopening; /* the window was (nearly) shut and is open again, and the card has not said that it knows */
	int64_t heard_at;

	/* Opening and closing. */
	unsigned opens, answers, closes;
	int64_t open_us;  /* from the next OPEN to the one after it */
	int64_t again_at; /* OPEN or CLOSE once more; or, answered, the end of waiting for another answer */
	bool hand_due;	  /* OPEN or CLOSE is to be sent */

	/* Bytes of a packet that has begun. */
	uint8_t held[PACKET_MAX];
	size_t held_len;
	int64_t held_at;
	/* A packet that is partly out, and zeros before it. */
	uint8_t out[PACKET_MAX];
	size_t out_len, out_at, pad;
};

/* Polynomial 0x1021, initial value 0xffff. */
static uint16_t crc16(const uint8_t *p, size_t n)
{
	uint16_t crc = 0xffff;

	while (n--) {
		crc = (uint16_t)(crc >> 8 | crc << 8);
		crc ^= *p++;
		crc ^= (crc & 0xff) >> 4;
		crc = (uint16_t)(crc ^ crc << 12);
		crc = (uint16_t)(crc ^ (crc & 0xff) << 5);
	}
	return crc;
}

struct link *link_new(int64_t ask_us)
{
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->ask_us = ask_us;
	l->last = &l->first;
	return l;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	while (l->first) {
		struct arrived *next = l->first->next;

		free(l->first);
		l->first = next;
	}
	for (unsigned i = 0; i < HF_LINK_WINDOW; i++)
		free(l->tx[i].bytes);
	free(l);
}

enum link_state link_state(const struct link *l)
{
	return l->state;
}

const struct link_stats *link_stats(const struct link *l)
{
	return &l->stats;
}

static unsigned window(const struct link *l)
{
	unsigned room = l->queued < QUEUE ? QUEUE - l->queued : 0;

	return room < HF_LINK_WINDOW ? room : HF_LINK_WINDOW;
}

/* Nothing sent, nothing taken. */
static void begin_numbers(struct link *l)
{
	l->tx_base = 0;
	l->tx_count = l->tx_next = l->tx_high = 0;
	l->peer_window = 0;
	l->ask_due = l->asked = false;
	l->asks = l->wrong_acks = 0;
	l->rx_expect = 0;
	l->unacked = 0;
	l->ack_due = l->nak_due = l->reopening = false;
	l->nak_at = 0;
}

static void begin_open(struct link *l, int64_t now)
{
	begin_numbers(l);
	l->state = LINK_OPENING;
	l->opens = l->answers = 0;
	l->hand_due = true;
	l->heard_at = now;
}

void link_open(struct link *l, int64_t now)
{
	l->rtt_us = l->rtt_min_us = 0;
	l->open_us = OPEN_US > l->ask_us ? OPEN_US : l->ask_us;
	l->held_len = l->out_len = l->out_at = l->pad = 0;
	begin_open(l, now);
}

void link_close(struct link *l, int64_t now)
{
	if (l->state == LINK_CLOSED || l->state == LINK_LOST)
		return;
	begin_numbers(l);
	l->state = LINK_CLOSING;
	l->closes = 0;
	l->hand_due = true;
	l->again_at = now;
}

/* The card does not know of this link any more: begin anew, and its HELLO tells those above. */
static void reopen(struct link *l, int64_t now)
{
	l->stats.reopened++;
	begin_open(l, now);
}

/* Messages ------------------------------------------------------------------------------------------------ */

static bool ended(const struct link *l)
{
	return l->state != LINK_OPENED && l->state != LINK_OPENING;
}

bool link_room(const struct link *l)
{
	return l->state == LINK_OPENED && l->tx_count < HF_LINK_WINDOW;
}

int link_send(struct link *l, const void *msg, size_t len)
{
	struct slot *s;

	if (ended(l))
		return -ENODEV;
	if (len < PAYLOAD_MIN || len > PAYLOAD_MAX || GET((const uint8_t *)msg, HEADER, length) != len)
		return -EMSGSIZE;
	if (!link_room(l))
		return -EAGAIN;
	s = &l->tx[(uint8_t)(l->tx_base + l->tx_count) % HF_LINK_WINDOW];
	if (s->cap < len) {
		uint8_t *bytes = realloc(s->bytes, len);

		if (!bytes)
			return -EAGAIN;
		s->bytes = bytes;
		s->cap = len;
	}
	memcpy(s->bytes, msg, len);
	s->len = len;
	s->sent = 0;
	l->tx_count++;
	return 0;
}

bool link_idle(const struct link *l)
{
	return !l->tx_count;
}

bool link_has_message(const struct link *l)
{
	return l->first != NULL;
}

ssize_t link_recv(struct link *l, void *msg, size_t cap)
{
	struct arrived *a = l->first;
	ssize_t n;

	/* While the link is being opened, a second answer may still make what came after the first one void. */
	if (!a || (l->state == LINK_OPENING && l->answers))
		return ended(l) ? -ENODEV : -EAGAIN;
	n = a->len > cap ? -EMSGSIZE : (ssize_t)a->len;
	if (n >= 0)
		memcpy(msg, a->bytes, a->len);
	l->first = a->next;
	if (!l->first)
		l->last = &l->first;
	l->queued--;
	free(a);
	/* Tell of a window that has opened. With ASK, since a card that has no window and nothing under way stays still
	 * if that packet is lost. */
	if (l->state == LINK_OPENED && (!l->told_window || window(l) >= l->told_window + HF_LINK_WINDOW / 2)) {
		l->reopening = true;
		l->ask_due = true;
	}
	return n;
}

/* What came from the card --------------------------------------------------------------------------------- */

static void damaged(struct link *l, int64_t now)
{
	if (l->state == LINK_OPENED && now >= l->nak_at)
		l->nak_due = true;
}

static void forget_arrived(struct link *l, struct arrived **from)
{
	while (*from) {
		struct arrived *next = (*from)->next;

		free(*from);
		*from = next;
		l->queued--;
	}
	l->last = from;
}

static void on_data(struct link *l, uint8_t seq, const uint8_t *msg, size_t len, int64_t now)
{
	struct arrived *a;

	if (seq != l->rx_expect) {
		l->stats.unexpected++;
		if ((uint8_t)(l->rx_expect - seq) <= 128)
			l->ack_due = true; /* taken before: its sender missed our ack */
		else
			damaged(l, now);
		return;
	}
	if (!window(l))
		return; /* more than we said we take: it will come again */
	if (GET(msg, HEADER, length) != len) {
		l->stats.malformed++;
	} else {
		a = malloc(sizeof(*a) + len);
		if (!a)
			return;
		a->next = NULL;
		a->len = len;
		memcpy(a->bytes, msg, len);
		*l->last = a;
		l->last = &a->next;
		l->queued++;
		l->stats.messages_in++;
	}
	l->rx_expect++;
	l->nak_at = 0;
	l->nak_due = false;
	if (!l->unacked++)
		l->ack_at = now + ACK_US;
	if (l->unacked >= ACK_EVERY)
		l->ack_due = true;
}

static void go_back(struct link *l)
{
	l->tx_next = 0;
}

static void on_ack(struct link *l, uint8_t ack, unsigned window_said, int64_t now)
{
	unsigned n = (uint8_t)(ack - l->tx_base);

	if (n > l->tx_high) {
		/* A doubled old packet; or else the card counts otherwise, and only beginning anew helps. */
		l->stats.bad_acks++;
		if (++l->wrong_acks >= HF_LINK_WINDOW)
			reopen(l, now);
		return;
	}
	l->wrong_acks = 0;
	l->peer_window = window_said < HF_LINK_WINDOW ? window_said : HF_LINK_WINDOW;
	if (!n)
		return;
	for (unsigned i = 0; i < n; i++) {
		struct slot *s = &l->tx[(uint8_t)(l->tx_base + i) % HF_LINK_WINDOW];
		int64_t rtt = now - s->sent_at;

		if (s->sent != 1 || l->asked) /* which of them is acknowledged cannot be told, or an ack was lost */
			continue;
		l->rtt_us = rtt > l->rtt_us ? rtt : l->rtt_us - (l->rtt_us - rtt) / 8;
		if (l->rtt_us > RTT_MAX_US)
			l->rtt_us = RTT_MAX_US;
		if (!l->rtt_min_us || rtt < l->rtt_min_us)
			l->rtt_min_us = rtt;
	}
	l->tx_base = ack;
	l->tx_count -= n;
	l->tx_high -= n;
	l->tx_next = l->tx_next > n ? l->tx_next - n : 0;
	l->stats.messages_out += n;
	l->progress_at = now;
}

static void on_nak(struct link *l, int64_t now)
{
	const struct slot *s = &l->tx[l->tx_base % HF_LINK_WINDOW];

	l->stats.naks_in++;
	/* A NAK cannot be about what went out less than a round trip ago. If it is all the same, asking finds out. */
	if (l->tx_high && now - s->sent_at >= l->rtt_min_us / 2)
		go_back(l);
}

static void on_open(struct link *l, unsigned window_said, int64_t now)
{
	if (l->state == LINK_OPENED) {
		/* It began anew, or the packet is a doubled one: an OPEN of ours leaves no doubt. */
		reopen(l, now);
		return;
	}
	if (l->state != LINK_OPENING || l->answers >= l->opens)
		return;
	if (l->answers)
		forget_arrived(l, &l->first);
	begin_numbers(l);
	l->peer_window = window_said < HF_LINK_WINDOW ? window_said : HF_LINK_WINDOW;
	l->told_window = HF_LINK_WINDOW;
	l->answers++;
	l->hand_due = false;
	/* If an OPEN of ours is not answered it was lost, or its answer was, or it is still on its way and the card
	 * begins anew when it comes: wait that long before anything of ours goes out. */
	if (l->answers == l->opens) {
		l->state = LINK_OPENED;
		l->ack_due = l->unacked > 0;
		l->progress_at = now;
	}
}

static void on_packet(struct link *l, const uint8_t *p, const uint8_t *payload, size_t len, int64_t now)
{
	unsigned flags = (unsigned)LINK_GET(p, flags), window_said = (unsigned)LINK_GET(p, window);

	l->stats.packets_in++;
	if (l->state == LINK_CLOSED || l->state == LINK_LOST)
		return;
	l->heard_at = now;
	if (flags & HF_LINK_CLOSE) {
		if (l->state == LINK_CLOSING && l->closes)
			l->state = LINK_CLOSED;
		else if (l->state == LINK_OPENED)
			reopen(l, now);
		return;
	}
	if (flags & HF_LINK_OPEN) {
		on_open(l, window_said, now);
		return;
	}
	if (l->state == LINK_OPENING && l->answers) {
		if (flags & HF_LINK_DATA)
			on_data(l, (uint8_t)LINK_GET(p, seq), payload, len, now);
		return;
	}
	if (l->state != LINK_OPENED)
		return;
	on_ack(l, (uint8_t)LINK_GET(p, ack), window_said, now);
	if (l->state != LINK_OPENED)
		return;
	if (l->asked) {
		l->asked = l->reopening = false;
		l->asks = 0;
		l->progress_at = now;
		go_back(l);
	}
	if (flags & HF_LINK_NAK)
		on_nak(l, now);
	if (flags & HF_LINK_ASK)
		l->ack_due = true;
	if (flags & HF_LINK_DATA)
		on_data(l, (uint8_t)LINK_GET(p, seq), payload, len, now);
}

/* Take what of p[0..n) can be judged. Returns how many bytes that is; the rest is the beginning of a packet. */
static size_t parse(struct link *l, const uint8_t *p, size_t n, int64_t now)
{
	size_t at = 0;

	while (at < n) {
		const uint8_t *h = memchr(p + at, letters[0], n - at);
		size_t len, left;

		if (!h) {
			l->stats.skipped_bytes += n - at;
			return n;
		}
		l->stats.skipped_bytes += (size_t)(h - p) - at;
		at = (size_t)(h - p);
		left = n - at;
		if (left >= 2 && h[1] != letters[1]) {
			at++;
			l->stats.skipped_bytes++;
			continue;
		}
		if (left < HF_LINK_HEADER_BYTES)
			return at;
		if (LINK_GET(h, check) != crc16(h, HF_LINK_AT_check)) {
			l->stats.bad_headers++;
			l->stats.skipped_bytes++;
			at++;
			damaged(l, now);
			continue;
		}
		len = LINK_GET(h, length);
		if (!(LINK_GET(h, flags) & HF_LINK_DATA) ? len != 0 : len < PAYLOAD_MIN || len > PAYLOAD_MAX) {
			l->stats.bad_headers++;
			at += HF_LINK_HEADER_BYTES;
			damaged(l, now);
			continue;
		}
		if (!len) {
			at += HF_LINK_HEADER_BYTES;
			on_packet(l, h, NULL, 0, now);
			continue;
		}
		if (left < HF_LINK_HEADER_BYTES + len + CRC_BYTES)
			return at;
		at += HF_LINK_HEADER_BYTES + len + CRC_BYTES;
		if (message_get(h + HF_LINK_HEADER_BYTES + len, CRC_BYTES) !=
			crc32(0, h + HF_LINK_HEADER_BYTES, (uInt)len)) {
			l->stats.bad_payloads++;
			damaged(l, now);
			continue;
		}
		on_packet(l, h, h + HF_LINK_HEADER_BYTES, len, now);
	}
	return at;
}

void link_input(struct link *l, const uint8_t *bytes, size_t n, int64_t now)
{
	if (n)
		l->held_at = now;
	while (n) {
		size_t take, used;

		if (!l->held_len) {
			used = parse(l, bytes, n, now);
			l->held_len = n - used;
			/* A packet fits, and what is left over is less than one. */
			memcpy(l->held, bytes + used, l->held_len);
			return;
		}
		take = n < sizeof(l->held) - l->held_len ? n : sizeof(l->held) - l->held_len;
		memcpy(l->held + l->held_len, bytes, take);
		l->held_len += take;
		bytes += take;
		n -= take;
		used = parse(l, l->held, l->held_len, now);
		l->held_len -= used;
		memmove(l->held, l->held + used, l->held_len);
	}
}

/* What goes to the card --------------------------------------------------------------------------------- */

static size_t header(struct link *l, uint8_t *p, unsigned flags, uint8_t seq, size_t len)
{
	bool hand = flags & (HF_LINK_OPEN | HF_LINK_CLOSE);

	memcpy(p, letters, sizeof(letters));
	LINK_PUT(p, flags, flags);
	LINK_PUT(p, seq, seq);
	LINK_PUT(p, ack, hand ? 0 : l->rx_expect);
	LINK_PUT(p, window, hand ? HF_LINK_WINDOW : window(l));
	LINK_PUT(p, length, len);
	LINK_PUT(p, check, crc16(p, HF_LINK_AT_check));
	l->told_window = hand ? HF_LINK_WINDOW : window(l);
	l->unacked = 0;
	l->ack_due = false;
	l->stats.packets_out++;
	return HF_LINK_HEADER_BYTES;
}

/* How long an answer may take. */
static int64_t ask_after(const struct link *l)
{
	return 2 * l->rtt_us > l->ask_us ? 2 * l->rtt_us : l->ask_us;
}

static size_t hand_packet(struct link *l, uint8_t *p, int64_t now)
{
	bool open = l->state == LINK_OPENING;

	l->hand_due = false;
	if (open) {
		l->opens++;
		l->again_at = now + l->open_us;
		l->open_us = 2 * l->open_us < OPEN_MAX_US ? 2 * l->open_us : OPEN_MAX_US;
	} else {
		l->closes++;
		l->again_at = now + ask_after(l);
	}
	return header(l, p, open ? HF_LINK_OPEN : HF_LINK_CLOSE, 0, 0);
}

static size_t control_packet(struct link *l, uint8_t *p, int64_t now)
{
	unsigned flags = 0;

	if (l->nak_due) {
		flags |= HF_LINK_NAK;
		l->nak_due = false;
		l->nak_at = now + NAK_US;
		l->stats.naks_out++;
	}
	if (l->ask_due) {
		flags |= HF_LINK_ASK;
		l->ask_due = false;
		l->asked = true;
		l->asks++;
		l->progress_at = now;
		l->stats.asks_out++;
	}
	return header(l, p, flags, (uint8_t)(l->tx_base + l->tx_next), 0);
}

static size_t data_packet(struct link *l, uint8_t *p, int64_t now)
{
	uint8_t seq = (uint8_t)(l->tx_base + l->tx_next);
	struct slot *s = &l->tx[seq % HF_LINK_WINDOW];
	size_t n = header(l, p, HF_LINK_DATA, seq, s->len);

	memcpy(p + n, s->bytes, s->len);
	message_put(p + n + s->len, CRC_BYTES, crc32(0, s->bytes, (uInt)s->len));
	if (!l->tx_high)
		l->progress_at = now;
	if (s->sent++)
		l->stats.resent++;
	s->sent_at = now;
	l->tx_next++;
	if (l->tx_high < l->tx_next)
		l->tx_high = l->tx_next;
	return n + s->len + CRC_BYTES;
}

/* The next packet into p, PACKET_MAX bytes; 0 = none. */
static size_t next_packet(struct link *l, uint8_t *p, int64_t now)
{
	if (l->state == LINK_OPENING || l->state == LINK_CLOSING)
		return l->hand_due ? hand_packet(l, p, now) : 0;
	if (l->state != LINK_OPENED)
		return 0;
	if (l->nak_due || l->ask_due)
		return control_packet(l, p, now);
	if (l->tx_next < l->tx_count && l->tx_next < l->peer_window)
		return data_packet(l, p, now);
	return l->ack_due ? control_packet(l, p, now) : 0;
}

/* A card that waits for the rest of a packet, of which bytes were lost, takes what comes for that rest. So zeros go
 * before what it must not miss, once it seems not to have understood. */
static bool needs_pad(const struct link *l)
{
	switch (l->state) {
	case LINK_OPENING:
		return l->hand_due && l->opens == 1;
	case LINK_CLOSING:
		return l->hand_due && l->closes == 1;
	case LINK_OPENED:
		return l->ask_due && l->asks == 2;
	default:
		return false;
	}
}

size_t link_output(struct link *l, uint8_t *bytes, size_t cap, int64_t now)
{
	size_t n = 0;

	while (n < cap) {
		size_t some;

		if (l->pad || l->out_at < l->out_len) {
			some = l->pad ? l->pad : l->out_len - l->out_at;
			if (some > cap - n)
				some = cap - n;
			if (l->pad) {
				memset(bytes + n, 0, some);
				l->pad -= some;
			} else {
				memcpy(bytes + n, l->out + l->out_at, some);
				l->out_at += some;
			}
			n += some;
			continue;
		}
		if (needs_pad(l))
			l->pad = PAD_BYTES;
		if (!l->pad && cap - n >= PACKET_MAX) {
			some = next_packet(l, bytes + n, now);
			if (!some)
				break;
			n += some;
			continue;
		}
		l->out_at = 0;
		l->out_len = next_packet(l, l->out, now);
		if (!l->out_len)
			break;
	}
	return n;
}

/* Time ---------------------------------------------------------------------------------------------------- */

/* There is something that the card must be asked about if it says nothing. */
static bool waits(const struct link *l)
{
	return l->state == LINK_OPENED && (l->tx_count || l->reopening);
}

int64_t link_due(const struct link *l)
{
	int64_t due = INT64_MAX;

#define AT(condition, time)                      \
	do {                                     \
		if ((condition) && (time) < due) \
			due = (time);            \
	} while (0)
	AT(l->held_len, l->held_at + (l->ask_us / 2 > TORN_US ? l->ask_us / 2 : TORN_US));
	AT((l->state == LINK_OPENING || l->state == LINK_CLOSING) && !l->hand_due, l->again_at);
	AT(l->state == LINK_OPENING, l->heard_at + LINK_LOST_US);
	AT(l->state == LINK_OPENED && l->unacked && !l->ack_due, l->ack_at);
	AT(waits(l) && !l->ask_due, l->progress_at + ask_after(l));
	AT(waits(l) && l->asks, l->heard_at + LINK_LOST_US);
#undef AT
	return due;
}

static void tick_hand(struct link *l, int64_t now)
{
	if (l->hand_due || now < l->again_at)
		return;
	if (l->state == LINK_OPENING && l->answers) {
		/* No other answer came. */
		l->state = LINK_OPENED;
		l->ack_due = l->unacked > 0;
		l->progress_at = now;
	} else if (l->state == LINK_CLOSING && l->closes >= CLOSES) {
		l->state = LINK_CLOSED;
	} else {
		l->hand_due = true;
	}
}

/* A packet whose rest does not come costs its first byte, as one whose check is wrong; another may be behind it. */
static void tick_torn(struct link *l, int64_t now)
{
	int64_t patience = l->ask_us / 2 > TORN_US ? l->ask_us / 2 : TORN_US;

	while (l->held_len && now >= l->held_at + patience) {
		size_t used;

		l->stats.torn++;
		l->stats.skipped_bytes++;
		damaged(l, now);
		used = 1 + parse(l, l->held + 1, l->held_len - 1, now);
		l->held_len -= used;
		memmove(l->held, l->held + used, l->held_len);
	}
}

void link_tick(struct link *l, int64_t now)
{
	tick_torn(l, now);
	if (l->state == LINK_OPENING || l->state == LINK_CLOSING)
		tick_hand(l, now);
	if (l->state == LINK_OPENING && now >= l->heard_at + LINK_LOST_US)
		l->state = LINK_LOST;
	if (l->state != LINK_OPENED)
		return;
	if (l->unacked && now >= l->ack_at)
		l->ack_due = true;
	if (!waits(l))
		return;
	if (l->asks && now >= l->heard_at + LINK_LOST_US)
		l->state = LINK_LOST;
	else if (now >= l->progress_at + ask_after(l))
		l->ask_due = true;
}
