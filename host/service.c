/* SPDX-License-Identifier: Apache-2.0
 * service.c - the library's own thread: everything that moves between board and kernel. */
#include "library.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver/clock.h"
#include "sample.h"
#include "watch.h"

#define FRAMES_PER_TURN	  64   /* from the TAP before the board gets its turn */
#define RETRY_MS	  250  /* until a board that was reset and could not be set up is tried again */
#define GOODBYE_MS	  500  /* for the board to take the last frames and commands at hf_close() */
#define STALE_MS	  3000 /* how late the RST of a destroyed socket may come: the kernel asks ARP three times */
#define DOUBT_MS	  1000 /* how late a socket in TIME-WAIT may say what it expects */
#define NEW_SOCKET_OCTETS (1u << 24) /* a new socket's RST is less than this beyond its first SND.NXT */
#define CHECKSUM_TCP	  16	     /* octets from the TCP header to its checksum field */
#define ROTATE_MS	  600000     /* a new cookie key; longer than any cookie lives */
#define CTRL_ENABLE	  (1u << HF_CTRL_ENABLE_LOW)
#define PATIENCE_MS	  2000	     /* for the registers of a board that is taken over */
#define HELD_BYTES	  (4u << 20) /* of frames that wait until it is known whose they are */
#define MSS_MIN		  8u	     /* where the MTU is too small for IPv6 and nobody will ask */

/* Commands and ownership -------------------------------------------------------------------------------------- */

void service_command(struct hf_device *dev, enum hf_command_code code, uint32_t id)
{
	if (device_command(dev->board, code, id))
		count(dev, COUNT_commands_failed);
}

/* Ask for the next slot. */
static void dump_next(struct hf_device *dev)
{
	struct dump *d = dev->dump;

	if (d->next < d->slots && !device_dump(dev->board, d->next, d->next))
		d->next++;
}

static void end_dump(struct hf_device *dev, int result)
{
	struct dump *d = dev->dump;

	dev->dump = NULL;
	if (d)
		d->done(d->ctx, d, result);
}

int service_dump(struct hf_device *dev, void *arg)
{
	unsigned credits = device_board(dev->board)->credits;

	if (dev->dump)
		return -EBUSY;
	dev->dump = arg;
	dev->dump->next = 0;
	dev->dump->left = dev->dump->slots;
	/* Half of the credits stay for those who wait for a connection. */
	for (unsigned i = 0; i < (credits + 1) / 2; i++)
		dump_next(dev);
	return 0;
}

/* A slot of the dump is answered, by an event or by STALE: no entry. */
static void dump_completed(struct hf_device *dev)
{
	if (!dev->dump)
		return;
	dump_next(dev);
	if (!--dev->dump->left)
		end_dump(dev, 0);
}

static void on_dumped(struct hf_device *dev, const uint8_t *msg)
{
	uint32_t slot = (uint32_t)GET(msg, HEADER, id) & 0xffff;

	if (dev->dump && slot < dev->dump->slots)
		memcpy(dev->dump->entry[slot], msg, DEVICE_MESSAGE_BYTES);
}

static void on_completion(void *ctx, unsigned code, uint32_t id, int status, uint64_t tag)
{
	struct hf_device *dev = ctx;

	if (code == HF_COMMAND_CONNECT)
		connect_completed(dev, tag, id, status);
	if (code == HF_COMMAND_CLOSE)
		closing_completed(dev, tag, status);
	if (code == HF_COMMAND_DUMP) {
		dump_completed(dev);
		if (status == HF_STATUS_STALE)
			return; /* an empty slot */
	}
	if (status == HF_STATUS_OK) {
		count(dev, COUNT_commands_done);
	} else if (status == HF_STATUS_STALE) {
		count(dev, COUNT_commands_stale);
	} else {
		count(dev, COUNT_commands_failed);
		error_set(dev, "command %u for connection 0x%08x failed, status %d", code, (unsigned)id, status);
	}
}

/* The kernel destroyed a socket: is it one of ours? */
static void on_destroyed(void *ctx, uint64_t cookie, bool connected)
{
	struct hf_device *dev = ctx;
	uint32_t id = owned_remove(dev->owned, cookie);

	if (id == HF_NO_ID) {
		/* One of ours has no peer any more when it was closed by a RST. */
		if (!connected && dev->hooks.unconnected_destroyed)
			dev->hooks.unconnected_destroyed(dev->hooks.ctx);
		return;
	}
	count(dev, COUNT_destroyed);
	service_command(dev, HF_COMMAND_RELEASE, id);
}

void service_own(struct hf_device *dev, uint32_t id, uint64_t cookie)
{
	if (id == HF_NO_ID)
		return;
	if (!cookie || owned_add(dev->owned, id, cookie)) {
		/* Nobody would ever release it. */
		service_command(dev, HF_COMMAND_RELEASE, id);
		return;
	}
	/* A host-owned entry is only a cache, and a SYN evicts nothing: with an eighth of the table held, a new handshake finds all
	 * four ways of its set taken about once in 500 times; with half of it, once in 7. */
	while (owned_count(dev->owned) > (device_board(dev->board)->slots + 7) / 8) {
		count(dev, COUNT_released_early);
		service_command(dev, HF_COMMAND_RELEASE, owned_oldest(dev->owned));
	}
}

static void own(struct hf_device *dev, uint32_t id, int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
		cookie = 0;
	service_own(dev, id, cookie);
}

/* Frames ------------------------------------------------------------------------------------------------------ */

static void count_out(struct hf_device *dev, int rc, unsigned frames)
{
	atomic_fetch_add_explicit(
		&dev->count[rc ? COUNT_tap_out_dropped : COUNT_tap_out], frames, memory_order_relaxed);
}

static void merge_end(struct hf_device *dev, struct merge *m)
{
	if (!m->frame)
		return;
	count_out(dev, dev->tap.fd < 0 ? -ENODEV : tap_write_merged(&dev->tap, m), m->parts);
	m->frame = NULL;
}

/* All of them: before anything else goes up, and before the memory of their frames goes. */
static void merges_end(struct hf_device *dev)
{
	for (unsigned i = 0; i < dev->merges; i++)
		merge_end(dev, &dev->merge[i]);
	dev->merges = 0;
}

/* Does it go up together with others of its connection? The order of a connection's segments stays; what is no TCP may overtake. */
static bool merged(struct hf_device *dev, const uint8_t *frame, size_t len, bool intact)
{
	struct frame_tcp t;
	struct merge *m = dev->merge;

	if (!frame_read_tcp(frame, len, &t))
		return false;
	while (m < dev->merge + dev->merges && (!m->frame || !address_equal(&m->tcp.source, &t.source) ||
						       !address_equal(&m->tcp.destination, &t.destination)))
		m++;
	if (m == dev->merge + dev->merges) {
		if (dev->merges == MERGES_MAX)
			merges_end(dev);
		m = &dev->merge[dev->merges];
		if (!intact || !merge_begin(m, frame, &t))
			return false;
		dev->merges++;
		return true;
	}
	if (intact && merge_add(m, frame, &t))
		return true;
	merge_end(dev, m);
	return intact && merge_begin(m, frame, &t);
}

void service_drop_held(struct hf_device *dev)
{
	while (dev->held) {
		struct held *next = dev->held->next;

		free(dev->held);
		dev->held = next;
	}
	dev->held_end = &dev->held;
	dev->held_bytes = 0;
}

/* Frames, that their senders send again, only as far as memory is granted; events all that an honest board has: it tells of the begin and the end
 * of a connection, for each entry of its table. */
static void hold(struct hf_device *dev, const uint8_t *msg, size_t len, bool frame)
{
	size_t events = frame ? 0 : (size_t)2 * dev->kept->board.slots * DEVICE_MESSAGE_BYTES;
	struct held *h = dev->held_bytes > HELD_BYTES + events ? NULL : malloc(sizeof(*h) + len);

	if (!h) {
		count(dev, frame ? COUNT_tap_out_dropped : COUNT_bad_events);
		return;
	}
	h->next = NULL;
	h->len = len;
	memcpy(h->msg, msg, len);
	*dev->held_end = h;
	dev->held_end = &h->next;
	dev->held_bytes += len;
}

static void on_frame(void *ctx, const uint8_t *msg, size_t len)
{
	const uint8_t *frame = msg + HF_MSG_HEADER_BYTES;
	struct hf_device *dev = ctx;
	bool intact = GET(msg, HEADER, flags) & HF_FRAME_CSUM_OK;

	if (dev->leaving)
		return; /* its sender sends it again; of a connection that the next process hands over it must not come before that */
	if (dev->holding) {
		hold(dev, msg, len, true);
		return;
	}
	len -= HF_MSG_HEADER_BYTES;
	if (dev->hooks.frame)
		dev->hooks.frame(dev->hooks.ctx, frame, len, true, GET(msg, HEADER, stamp));
	if (closing_drops(dev, frame, len))
		return;
	if (merged(dev, frame, len, intact))
		return;
	count_out(dev, dev->tap.fd < 0 ? -ENODEV : tap_write(&dev->tap, frame, len, intact), 1);
}

static void on_batch(void *ctx)
{
	struct hf_device *dev = ctx;

	merges_end(dev);
	if (!dev->pushed)
		return;
	dev->pushed = false;
	pthread_mutex_lock(&dev->lock);
	for (unsigned i = 0; i < LISTENERS_MAX; i++) {
		if (dev->listener[i] && dev->listener[i]->fresh)
			listener_ready(dev->listener[i]);
	}
	pthread_mutex_unlock(&dev->lock);
}

/* Is this the RST with which a destroyed socket says goodbye on a 4-tuple that has a new socket? */
static bool is_stale_reset(struct hf_device *dev, const uint8_t *frame, size_t len)
{
	struct frame_tcp t;

	if (!dev->stale_until_ms || clock_ms() > dev->stale_until_ms) {
		dev->stale_until_ms = 0;
		return false;
	}
	if (!frame_read_tcp(frame, len, &t) || !(t.flags & HF_RST))
		return false;
	for (unsigned i = 0; i < STALE_REMEMBERED; i++) {
		const struct stale *s = &dev->stale[i];

		/* Less than that beyond its first SND.NXT, it is the new socket's own. */
		if (address_equal(&t.source, &s->local) && address_equal(&t.destination, &s->remote) &&
			t.seq - s->snd_nxt >= NEW_SOCKET_OCTETS)
			return true;
	}
	return false;
}

static void count_sent(struct hf_device *dev, int rc)
{
	count(dev, rc ? COUNT_tap_in_dropped : COUNT_tap_in);
}

/* The next piece of the kernel's large segment. */
static void send_piece(struct hf_device *dev)
{
	uint8_t *place = device_frame_place(dev->board);
	size_t start;
	int len = place ? gso_next(&dev->gso, place, device_board(dev->board)->max_frame, &start) : -ENOMEM;

	dev->cutting = len > 0;
	if (len > 0)
		count_sent(dev, device_frame_put(dev->board, (size_t)len, (unsigned)start, CHECKSUM_TCP));
	else if (len < 0)
		count(dev, COUNT_tap_in_dropped);
}

static void on_connection(struct hf_device *dev, const struct connection *c, const uint8_t *msg);

/* Is it the ACK of a socket in TIME-WAIT that says what was the last it got, and does the connection that is in doubt come after that
 * (RFC 6191)? Then it takes the 4-tuple. */
static bool settles_doubt(struct hf_device *dev, const uint8_t *frame, size_t len)
{
	struct frame_tcp t;

	if (!dev->doubt_until_ms || clock_ms() > dev->doubt_until_ms) {
		dev->doubt_until_ms = 0;
		return false;
	}
	if (!frame_read_tcp(frame, len, &t) || t.flags != HF_ACK || t.payload != t.end)
		return false;
	for (unsigned i = 0; i < DOUBTS_MAX; i++) {
		struct doubt *d = &dev->doubt[i];
		bool newer = (int32_t)(d->c.rcv_nxt - 1 - t.ack) > 0 ||
			     (d->c.ts_ok && t.ts && (int32_t)(d->c.ts_recent - t.tsecr) > 0);
		struct doubt now;

		if (!address_equal(&t.source, &d->c.local) || !address_equal(&t.destination, &d->c.remote))
			continue;
		now = *d;
		memset(d, 0, sizeof(*d));
		if (!newer || !watch_time_wait(&now.c.local, &now.c.remote))
			return false;
		on_connection(dev, &now.c, now.msg);
		on_batch(dev);
		return true;
	}
	return false;
}

/* One frame of the kernel's, whole or the first of its pieces. */
static void send_frame(struct hf_device *dev, size_t len, const struct tap_offload *left)
{
	if (settles_doubt(dev, dev->frame, len)) {
		return;
	} else if (is_stale_reset(dev, dev->frame, len)) {
		count(dev, COUNT_stale_resets);
	} else if (closing_takes(dev, dev->frame, len)) {
		return;
	} else if (left->segment) {
		dev->cutting = !gso_begin(&dev->gso, dev->frame, len, left->size);
		if (!dev->cutting)
			count(dev, COUNT_tap_in_dropped);
	} else if (left->checksum && left->offset == CHECKSUM_TCP) {
		count_sent(dev, device_frame_checksum(dev->board, dev->frame, len, left->start, left->offset));
	} else if (left->checksum && frame_finish_checksum(dev->frame, len, left->start, left->offset)) {
		/* UDP's, where a sum of 0 means none, is not for the board. */
		count(dev, COUNT_tap_in_dropped);
	} else {
		count_sent(dev, device_frame(dev->board, dev->frame, len));
	}
}

/* Frames from the kernel to the board while it has room. */
static void tap_to_board(struct hf_device *dev)
{
	for (unsigned i = 0; i < FRAMES_PER_TURN && dev->tap.fd >= 0 && device_frame_room(dev->board); i++) {
		struct tap_offload left;
		ssize_t len;

		if (dev->cutting) {
			send_piece(dev);
			continue;
		}
		len = tap_read(&dev->tap, dev->frame, sizeof(dev->frame), &left);
		if (len == 0)
			return;
		if (len < 0) {
			/* Somebody deleted the netdev; polling it further would spin. */
			error_set(dev, "the TAP netdev %s is gone: %s", dev->tap.name, strerror((int)-len));
			tap_close(&dev->tap);
			return;
		}
		if (dev->hooks.frame)
			dev->hooks.frame(dev->hooks.ctx, dev->frame, (size_t)len, false, 0);
		send_frame(dev, (size_t)len, &left);
	}
}

/* Connections ------------------------------------------------------------------------------------------------- */

/* A peer has opened a 4-tuple anew that the kernel still holds. The new handshake has proved the peer, so that the
 * old socket goes. The RST it sends on its way out must not reach the new connection; it may come late, when ARP
 * has to be asked first. */
int service_destroy_stale(struct hf_device *dev, const struct connection *c)
{
	int rc;

	dev->stale[dev->stale_next++ % STALE_REMEMBERED] = (struct stale){ c->local, c->remote, c->snd_nxt };
	dev->stale_until_ms = clock_ms() + STALE_MS;
	rc = watch_destroy(&c->local, &c->remote);
	if (!rc)
		count(dev, COUNT_stale_destroyed);
	return rc;
}

static int replace_stale(struct hf_device *dev, const struct connection *c, const char **step)
{
	int rc;

	*step = "destroy the stale socket of the same 4-tuple";
	rc = service_destroy_stale(dev, c);
	return rc ? rc : handoff_socket(c, -1, step);
}

/* The ACK that completed the handshake, to the kernel. */
static void replay(struct hf_device *dev, const struct connection *c)
{
	uint8_t ack[HANDOFF_ACK_BYTES];

	if (tap_write(&dev->tap, ack, handoff_replay(c, dev->tap.mac, ack), true))
		count(dev, COUNT_tap_out_dropped);
}

/* End a connection that gets no socket: the peer is told. One without an entry the board cannot abort, but a kernel
 * that has no socket for its ACK answers that with a RST. */
static void refuse(struct hf_device *dev, const struct connection *c)
{
	if (c->id == HF_NO_ID)
		replay(dev, c);
	else
		service_command(dev, HF_COMMAND_ABORT, c->id);
}

void service_doubt(struct hf_device *dev, const struct connection *c, const uint8_t *msg)
{
	struct doubt *d = &dev->doubt[dev->doubt_next++ % DOUBTS_MAX];

	count(dev, COUNT_cookie_duplicates);
	if (c->id != HF_NO_ID)
		service_command(dev, HF_COMMAND_RELEASE, c->id);
	d->c = *c;
	d->c.cookie = false;
	d->c.id = HF_NO_ID;
	memcpy(d->msg, msg, sizeof(d->msg));
	PUT(d->msg, HEADER, flags, 0);
	PUT(d->msg, HEADER, id, HF_NO_ID);
	dev->doubt_until_ms = clock_ms() + DOUBT_MS;
	/* The ACK once more, or a guess: neither may end a live connection. The socket itself sorts it out. */
	replay(dev, c);
}

int service_make_socket(struct hf_device *dev, const struct connection *c, int fd)
{
	char peer[ADDRESS_TEXT_BYTES];
	const char *step;

	/* With timestamps, connect() takes a 4-tuple in TIME-WAIT without looking at the numbers. */
	if (c->cookie && watch_time_wait(&c->local, &c->remote))
		return -EEXIST;
	fd = handoff_socket(c, fd, &step);
	if (fd == -EEXIST && c->cookie)
		return fd;
	if (fd == -EEXIST && !c->active)
		fd = replace_stale(dev, c, &step);
	if (fd < 0) {
		count(dev, COUNT_handoff_failed);
		error_set(dev, "handoff of the connection with %s failed: %s: %s", address_text(&c->remote, peer), step,
			strerror(-fd));
		refuse(dev, c);
		return fd;
	}
	count(dev, COUNT_handoffs);
	own(dev, c->id, fd);
	/* Frames of this connection come after this event in the same stream, so that they were held until now. */
	replay(dev, c);
	return fd;
}

/* May this connection become a socket? Sets the way of its listener. */
static bool admit(struct hf_device *dev, const struct connection *c, enum way *way)
{
	struct hf_listener *l;
	bool full;

	pthread_mutex_lock(&dev->lock);
	l = listener_find(dev, c);
	if (l && l->deaf)
		l = NULL;
	full = l && l->way == WAY_REPAIR && l->count >= l->backlog;
	if (l) {
		*way = l->way;
		l->established++;
		l->overflow += full;
	}
	pthread_mutex_unlock(&dev->lock);
	if (!l)
		count(dev, COUNT_no_listener);
	else if (full)
		count(dev, COUNT_accept_overflow);
	return l && !full && (!dev->hooks.admit || dev->hooks.admit(dev->hooks.ctx, c));
}

/* What the board tells of connections that never became, or no longer are, the host's. */
static bool on_other_event(struct hf_device *dev, const uint8_t *msg)
{
	switch (GET(msg, EVENT, code)) {
	case HF_EVENT_REFUSED:
	case HF_EVENT_UNREACHABLE:
	case HF_EVENT_TIMED_OUT:
		connect_failed(dev, (uint32_t)GET(msg, HEADER, id), (unsigned)GET(msg, EVENT, code));
		return true;
	case HF_EVENT_CLOSED:
	case HF_EVENT_RESET:
	case HF_EVENT_ABORTED:
	case HF_EVENT_RETRYING:
		return true;
	case HF_EVENT_DUMP:
		on_dumped(dev, msg);
		return true;
	case HF_EVENT_SAMPLE:
		if (sample_parse(msg, &(struct sample){ 0 }))
			count(dev, COUNT_bad_events);
		return true;
	case HF_EVENT_ESTABLISHED:
		return false;
	default:
		/* Of a board that knows more than this library. */
		count(dev, COUNT_unknown_events);
		return true;
	}
}

static void count_failed(struct hf_device *dev, const struct connection *c)
{
	struct hf_listener *l;

	pthread_mutex_lock(&dev->lock);
	l = listener_find(dev, c);
	if (l)
		l->failed++;
	pthread_mutex_unlock(&dev->lock);
}

void service_offered(struct hf_device *dev, const struct connection *c, int result, uint64_t cookie)
{
	char peer[ADDRESS_TEXT_BYTES];

	kept_handed(dev->kept, c->id);

	if (dev->hooks.handed)
		dev->hooks.handed(dev->hooks.ctx, c, WAY_KERNEL, result);
	if (!result) {
		count(dev, COUNT_handoffs);
		service_own(dev, c->id, cookie);
		return;
	}
	count_failed(dev, c);
	count(dev, COUNT_handoff_failed);
	error_set(dev, "the connection with %s was not given to the kernel's listener: %s",
		address_text(&c->remote, peer), strerror(-result));
	if (result != -ECONNRESET)
		refuse(dev, c);
	else if (c->id != HF_NO_ID)
		service_command(dev, HF_COMMAND_RELEASE, c->id);
}

/* The kernel's own listener takes it. */
static void offer(struct hf_device *dev, const struct connection *c, const uint8_t *msg)
{
	int rc = dev->hooks.offer ? dev->hooks.offer(dev->hooks.ctx, c, msg) : -EOPNOTSUPP;

	if (rc)
		service_offered(dev, c, rc, 0);
}

/* A socket for a connection of a listener of WAY_REPAIR. */
static void make_and_queue(struct hf_device *dev, const struct connection *c, const uint8_t *msg)
{
	int fd = service_make_socket(dev, c, -1);
	struct hf_listener *l;

	if (fd == -EEXIST && c->cookie)
		service_doubt(dev, c, msg);
	if (dev->hooks.handed)
		dev->hooks.handed(dev->hooks.ctx, c, WAY_REPAIR, fd);
	if (fd < 0) {
		count_failed(dev, c);
		return;
	}
	kept_handed(dev->kept, c->id); /* before anybody has it: until then it goes when we do */
	pthread_mutex_lock(&dev->lock);
	l = listener_find(dev, c); /* it may have been closed meanwhile; only this thread fills its queue */
	if (l)
		listener_push(l, fd, &c->local, &c->remote);
	pthread_mutex_unlock(&dev->lock);
	dev->pushed |= l != NULL;
	if (!l) {
		count(dev, COUNT_no_listener);
		listener_reset_socket(fd);
	}
}

/* A connection that the board has given to the host, by the message that says so. */
static void on_connection(struct hf_device *dev, const struct connection *c, const uint8_t *msg)
{
	enum way way = WAY_REPAIR;

	if (c->active) {
		if (!connect_established(dev, c))
			service_command(dev, HF_COMMAND_ABORT, c->id);
	} else if (!admit(dev, c, &way)) {
		refuse(dev, c);
	} else if (way == WAY_KERNEL) {
		offer(dev, c, msg); /* service_offered() says when it is over */
		return;
	} else {
		make_and_queue(dev, c, msg);
	}
	kept_handed(dev->kept, c->id);
}

static void on_event(void *ctx, const uint8_t *msg, size_t len)
{
	struct hf_device *dev = ctx;
	struct connection c;

	/* There are no listeners any more: the next process finds the connection by DUMP. */
	if (dev->leaving && GET(msg, EVENT, code) == HF_EVENT_ESTABLISHED)
		return;
	merges_end(dev); /* what came before it: of an earlier connection with this 4-tuple, perhaps */
	if (dev->holding && GET(msg, EVENT, code) == HF_EVENT_SAMPLE)
		return; /* asked for by the process before */
	if (dev->holding && GET(msg, EVENT, code) != HF_EVENT_DUMP) {
		uint32_t id = (uint32_t)GET(msg, HEADER, id);

		if (GET(msg, EVENT, code) == HF_EVENT_ESTABLISHED && (id & 0xffff) < dev->kept->board.slots)
			dev->held_id[id & 0xffff] = id;
		hold(dev, msg, len, false);
		return;
	}
	if (dev->hooks.event)
		dev->hooks.event(dev->hooks.ctx, msg);
	if (on_other_event(dev, msg))
		return;
	if (handoff_parse(msg, &c)) {
		count(dev, COUNT_bad_events);
		error_set(dev, "the board told of a connection that cannot be");
		return;
	}
	on_connection(dev, &c, msg);
}

static void on_reset(void *ctx)
{
	struct hf_device *dev = ctx;

	count(dev, COUNT_board_resets);
	pthread_mutex_lock(&dev->lock);
	connect_end_all(dev, -ECONNRESET);
	closing_end_all(dev, -ECONNRESET);
	pthread_mutex_unlock(&dev->lock);
	dev->holding = false;
	service_drop_held(dev);
	end_dump(dev, -ECONNRESET);
	dev->reset_seen = true;
	dev->next_heartbeat_ms = 0; /* set it up again at once */
}

const struct device_events service_events = { on_frame, on_event, on_completion, on_reset, on_batch };

/* Setting up the board ---------------------------------------------------------------------------------------- */

/* What goes into the four registers of an IPv6 address, the least significant first. */
static uint32_t word_of_address6(const struct in6_addr *a, unsigned word)
{
	const uint8_t *at = a->s6_addr + 12 - 4 * word;

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int stage_address(struct hf_device *dev, const union address *local)
{
	static const uint32_t at[4] = { HF_REG_LISTEN_ADDR, HF_REG_LISTEN_ADDR1, HF_REG_LISTEN_ADDR2,
		HF_REG_LISTEN_ADDR3 };
	int rc = 0;

	if (!address_is6(local))
		return device_reg_write(dev->board, HF_REG_LISTEN_ADDR, ntohl(local->in.sin_addr.s_addr));
	for (unsigned i = 0; i < 4 && !rc; i++)
		rc = device_reg_write(dev->board, at[i], word_of_address6(&local->in6.sin6_addr, i));
	return rc;
}

int service_commit_listener(struct hf_device *dev, unsigned index, const union address *local, enum mode mode)
{
	int rc = 0;

	if (dev->leaving)
		return 0;
	if (dev->kept && index < KEPT_LISTENERS)
		dev->kept->listener[index] = local && mode != MODE_OFF ? *local : (union address){ 0 };
	if (local) {
		rc = stage_address(dev, local);
		if (!rc)
			rc = device_reg_write(dev->board, HF_REG_LISTEN_PORT, address_port(local));
		if (!rc)
			rc = device_reg_write(dev->board, HF_REG_LISTEN_BACKLOG, dev->half_open);
		if (!rc)
			rc = device_reg_write(dev->board, HF_REG_LISTEN_OPTS,
				dev->options | (address_is6(local) ? 1u << HF_LISTEN_OPTS_IP6_LOW : 0));
	}
	if (rc)
		return rc;
	return device_reg_write(dev->board, HF_REG_LISTEN_COMMIT,
		index << HF_LISTEN_COMMIT_INDEX_LOW | (unsigned)mode << HF_LISTEN_COMMIT_MODE_LOW);
}

/* Random keys into `count` registers that lie side by side, four to a key. */
static int load_keys(struct hf_device *dev, uint32_t offset, unsigned count)
{
	uint32_t key[8];
	int rc = 0;

	if (getrandom(key, 4 * count, 0) != 4 * count)
		return -EIO;
	for (unsigned i = 0; i < count && !rc; i++)
		rc = device_reg_write(dev->board, offset + 4 * i, key[i]);
	explicit_bzero(key, sizeof(key));
	return rc;
}

/* That of a fleet: each board takes the others' cookies. */
static int load_fixed_key(struct hf_device *dev, uint32_t offset)
{
	int rc = 0;

	for (unsigned i = 0; i < 4 && !rc; i++)
		rc = device_reg_write(dev->board, offset + 4 * i, (uint32_t)message_get(dev->cookie_key + i * 4, 4));
	return rc;
}

static int load_cookie_key(struct hf_device *dev)
{
	int rc = load_fixed_key(dev, HF_REG_KEY_COOKIE_A0);

	return rc ? rc : load_fixed_key(dev, HF_REG_KEY_COOKIE_B0);
}

/* New cookies get a new key; those under way keep the old one until the next time. */
static int change_cookie_key(struct hf_device *dev)
{
	uint32_t cookie, at;
	int rc = device_reg_read(dev->board, HF_REG_COOKIE, &cookie);

	if (rc)
		return rc;
	cookie ^= 1u << HF_COOKIE_KEY_LOW;
	at = cookie >> HF_COOKIE_KEY_LOW & 1 ? HF_REG_KEY_COOKIE_B0 : HF_REG_KEY_COOKIE_A0;
	rc = dev->cookie_key_fixed ? load_fixed_key(dev, at) : load_keys(dev, at, 4);
	return rc ? rc : device_reg_write(dev->board, HF_REG_COOKIE, cookie);
}

static int rotate_cookie_key(struct hf_device *dev)
{
	return dev->cookie_key_fixed ? -EOPNOTSUPP : change_cookie_key(dev);
}

int service_rotate(struct hf_device *dev, void *ignored)
{
	(void)ignored;
	return rotate_cookie_key(dev);
}

static int load_listeners(struct hf_device *dev)
{
	int rc = 0;

	for (unsigned i = 0; i < device_board(dev->board)->listeners && !rc; i++) {
		union address local;
		enum mode mode = MODE_OFF;
		bool used;

		pthread_mutex_lock(&dev->lock);
		used = dev->listener[i] != NULL;
		if (used) {
			local = dev->listener[i]->local;
			mode = dev->listener[i]->mode;
		}
		pthread_mutex_unlock(&dev->lock);
		rc = service_commit_listener(dev, i, used ? &local : NULL, mode);
	}
	return rc;
}

int service_set_options(struct hf_device *dev, void *options)
{
	unsigned wanted = *(const unsigned *)options;

	if (wanted == dev->options)
		return 0;
	dev->options = wanted;
	return load_listeners(dev);
}

struct setting {
	uint32_t offset, value;
};

#define SETTINGS (6 + TAP_ADDRESSES_MAX4 + 4 * TAP_ADDRESSES_MAX6)

/* What every board is told but keys and listeners. Addresses are those that any-address listeners answer for; 0 = unused. */
static void settings_of(const struct hf_device *dev, struct setting out[SETTINGS])
{
	static const uint32_t at4[TAP_ADDRESSES_MAX4] = { HF_REG_LOCAL_ADDR0, HF_REG_LOCAL_ADDR1, HF_REG_LOCAL_ADDR2,
		HF_REG_LOCAL_ADDR3 };
	static const uint32_t at6[TAP_ADDRESSES_MAX6][4] = {
		{ HF_REG_LOCAL6_A0, HF_REG_LOCAL6_A1, HF_REG_LOCAL6_A2, HF_REG_LOCAL6_A3 },
		{ HF_REG_LOCAL6_B0, HF_REG_LOCAL6_B1, HF_REG_LOCAL6_B2, HF_REG_LOCAL6_B3 },
	};
	const uint8_t *mac = dev->tap.mac;
	const struct setting fixed[] = {
		{ HF_REG_MAC_LO, (uint32_t)message_get(mac, 4) },
		{ HF_REG_MAC_HI, (uint32_t)message_get(mac + 4, 2) },
		{ HF_REG_MSS, dev->mtu - HEADERS4 },
		{ HF_REG_MSS6, dev->mtu < HEADERS6 + MSS_MIN ? MSS_MIN : dev->mtu - HEADERS6 },
		{ HF_REG_RCV_WND, dev->rcv_wnd },
		{ HF_REG_WSCALE, dev->wscale },
	};
	unsigned n = sizeof(fixed) / sizeof(fixed[0]), n4 = n, n6 = n + TAP_ADDRESSES_MAX4;

	memcpy(out, fixed, sizeof(fixed));
	for (unsigned i = 0; i < TAP_ADDRESSES_MAX4; i++)
		out[n4 + i] = (struct setting){ at4[i], 0 };
	for (unsigned i = 0; i < 4 * TAP_ADDRESSES_MAX6; i++)
		out[n6 + i] = (struct setting){ at6[i / 4][i % 4], 0 };
	for (unsigned i = 0; i < dev->addresses.count; i++) {
		const union address *a = &dev->addresses.of[i].address;

		if (!address_is6(a))
			out[n4++].value = ntohl(a->in.sin_addr.s_addr);
		for (unsigned word = 0; address_is6(a) && word < 4; word++)
			out[n6++].value = word_of_address6(&a->in6.sin6_addr, word);
	}
}

int service_matches(struct hf_device *dev)
{
	struct setting wanted[SETTINGS];
	uint32_t value;
	int rc = device_reg_read_within(dev->board, HF_REG_CTRL, &value, PATIENCE_MS);

	if (!rc && value != CTRL_ENABLE)
		rc = -ESTALE;
	settings_of(dev, wanted);
	for (unsigned i = 0; i < SETTINGS && !rc; i++) {
		rc = device_reg_read_within(dev->board, wanted[i].offset, &value, PATIENCE_MS);
		if (!rc && value != wanted[i].value)
			rc = -ESTALE;
	}
	return rc;
}

/* Heartbeats from now on. */
static int start_heart(struct hf_device *dev)
{
	uint32_t heartbeat_ms;
	int rc = device_reg_read_within(dev->board, HF_REG_HEARTBEAT_MS, &heartbeat_ms, PATIENCE_MS);

	if (!rc)
		rc = device_reg_write(dev->board, HF_REG_HEARTBEAT, 0);
	if (rc)
		return rc;
	/* Four times in the time after which the board gives us up; 0 = it never does. */
	dev->heartbeat_ms = heartbeat_ms ? (heartbeat_ms + 3) / 4 : 1000;
	dev->next_heartbeat_ms = clock_ms() + dev->heartbeat_ms;
	dev->next_rotation_ms = clock_ms() + ROTATE_MS;
	return 0;
}

int service_configure(struct hf_device *dev)
{
	struct setting settings[SETTINGS];
	int rc;

	dev->reset_seen = false;
	settings_of(dev, settings);
	/* Off first: keys cannot be written while the engine runs. */
	rc = device_reg_write(dev->board, HF_REG_CTRL, 0);
	if (!rc)
		rc = load_keys(dev, HF_REG_KEY_INDEX0, 8); /* of index and ISN */
	if (!rc)
		rc = dev->cookie_key_fixed ? load_cookie_key(dev) : load_keys(dev, HF_REG_KEY_COOKIE_A0, 8); /* both */
	if (dev->kept)
		dev->kept->key_fixed = dev->cookie_key_fixed;
	for (unsigned i = 0; i < SETTINGS && !rc; i++)
		rc = device_reg_write(dev->board, settings[i].offset, settings[i].value);
	if (!rc)
		rc = source_rules_load(dev);
	if (!rc)
		rc = load_listeners(dev);
	if (!rc)
		rc = start_heart(dev);
	if (!rc)
		rc = device_reg_write(dev->board, HF_REG_CTRL, CTRL_ENABLE);
	if (!rc && dev->hooks.configured)
		dev->hooks.configured(dev->hooks.ctx);
	return rc;
}

/* Taking over ------------------------------------------------------------------------------------------------- */

/* Keys of index and ISN cannot be read, and stay: half-open connections go on. A fleet's key may have changed in its file; the
 * one in use cannot be written. Source rules are the owner's, who gives them anew. */
int service_take_over(struct hf_device *dev)
{
	int rc = start_heart(dev);

	if (!rc)
		rc = source_rules_take_over(dev);
	for (unsigned i = 0; i < 2 && !rc && dev->cookie_key_fixed; i++)
		rc = change_cookie_key(dev);
	if (!rc && !dev->cookie_key_fixed && dev->kept->key_fixed)
		rc = change_cookie_key(dev);
	dev->kept->key_fixed = dev->cookie_key_fixed;
	return rc;
}

struct resuming {
	struct dump dump;
	struct hf_device *dev;
};

/* What the board knows and nobody here is told of any more: is the connection in an entry with the kernel, was it, or has the process before
 * ended before it could be handed over? */
static void resume_entry(struct hf_device *dev, uint8_t *msg, unsigned *found, unsigned *handed, unsigned *released)
{
	uint32_t id = (uint32_t)GET(msg, HEADER, id);
	unsigned state = (unsigned)GET(msg, EVENT, state);
	struct connection c;
	uint64_t cookie;

	/* An active open, whose caller is gone. */
	if (state == HF_STATE_SYN_SENT) {
		service_command(dev, HF_COMMAND_ABORT, id);
		return;
	}
	if (state != HF_STATE_ESTABLISHED || dev->held_id[id & 0xffff] == id)
		return;
	PUT(msg, EVENT, code, HF_EVENT_ESTABLISHED);
	/* As with a cookie: should the kernel have a socket all the same, it stays. */
	PUT(msg, HEADER, flags, HF_EVENT_COOKIE);
	if (handoff_parse(msg, &c)) {
		count(dev, COUNT_bad_events);
		return;
	}
	if (!watch_find(&c.local, &c.remote, &cookie)) {
		service_own(dev, id, cookie);
		kept_handed(dev->kept, id);
		++*found;
	} else if (dev->kept->handed[id & 0xffff] == id) {
		/* Its socket was closed while nobody looked. */
		service_command(dev, HF_COMMAND_RELEASE, id);
		++*released;
	} else {
		on_connection(dev, &c, msg);
		++*handed;
	}
}

/* Messages go on. */
static void end_holding(struct hf_device *dev, struct dump *d)
{
	unsigned found = 0, handed = 0, released = 0, waited = 0;
	struct held *h;

	if (!dev->holding)
		return;
	dev->holding = false;
	for (uint32_t i = 0; d && i < d->slots; i++) {
		if (GET(d->entry[i], EVENT, code))
			resume_entry(dev, d->entry[i], &found, &handed, &released);
	}
	while ((h = dev->held) != NULL) {
		dev->held = h->next;
		if (!dev->held)
			dev->held_end = &dev->held;
		(GET(h->msg, HEADER, type) == HF_MSG_FRAME ? on_frame : on_event)(dev, h->msg, h->len);
		merges_end(dev);
		free(h);
		waited++;
	}
	dev->held_bytes = 0;
	on_batch(dev);
	if (dev->hooks.resumed)
		dev->hooks.resumed(dev->hooks.ctx, found, handed, released, waited);
}

static void resume_dumped(void *ctx, struct dump *d, int result)
{
	struct resuming *r = ctx;

	if (result == -ENODEV || result == -ECONNRESET) { /* there is no such board any more */
		r->dev->holding = false;
		service_drop_held(r->dev);
	}
	end_holding(r->dev, result ? NULL : d);
	free(d->entry);
	free(r);
}

int service_resume(struct hf_device *dev, void *ignored)
{
	struct resuming *r;
	uint32_t entries;
	int rc = 0;

	(void)ignored;
	if (!dev->holding)
		return 0;
	/* What the config does not name any more. */
	for (unsigned i = 0; i < device_board(dev->board)->listeners && i < KEPT_LISTENERS && !rc; i++) {
		bool used;

		pthread_mutex_lock(&dev->lock);
		used = dev->listener[i] != NULL;
		pthread_mutex_unlock(&dev->lock);
		if (!used && dev->kept->listener[i].sa.sa_family != AF_UNSPEC)
			rc = service_commit_listener(dev, i, NULL, MODE_OFF);
	}
	if (!rc)
		rc = device_reg_read(dev->board, HF_REG_ENTRIES, &entries);
	if (rc)
		return rc; /* the board is lost, or was reset: then nothing is held any more */
	r = entries ? calloc(1, sizeof(*r)) : NULL;
	if (r)
		r->dump.entry = calloc(device_board(dev->board)->slots, sizeof(r->dump.entry[0]));
	if (!r || !r->dump.entry) {
		free(r);
		end_holding(dev, NULL);
		return entries ? -ENOMEM : 0;
	}
	r->dev = dev;
	r->dump.slots = device_board(dev->board)->slots;
	r->dump.done = resume_dumped;
	r->dump.ctx = r;
	rc = service_dump(dev, &r->dump);
	if (rc)
		resume_dumped(r, &r->dump, rc);
	return rc;
}

int service_leave(struct hf_device *dev, void *ignored)
{
	uint32_t from_ms;

	(void)ignored;
	/* Nobody reads until the next process does. */
	if (atomic_load(&dev->source_rules.room))
		device_sample(dev->board, 0, &from_ms);
	dev->leaving = true;
	return 0;
}

/* A board that was reset has forgotten everything; the sockets that exist live on without its help. */
static void set_up_again(struct hf_device *dev)
{
	owned_clear(dev->owned);
	if (service_configure(dev)) {
		error_set(dev, "the board was reset and could not be set up again: %s", device_fault(dev->board));
		dev->reset_seen = true;
		dev->next_heartbeat_ms = clock_ms() + RETRY_MS;
	}
}

/* The thread -------------------------------------------------------------------------------------------------- */

int service_run(struct hf_device *dev, int (*run)(struct hf_device *dev, void *arg), void *arg)
{
	struct job job = { .run = run, .arg = arg }, **end;

	pthread_mutex_lock(&dev->lock);
	if (dev->lost) {
		pthread_mutex_unlock(&dev->lock);
		return dev->lost;
	}
	for (end = &dev->jobs; *end; end = &(*end)->next)
		;
	*end = &job;
	eventfd_write(dev->kick, 1);
	/* Ends: each register access of a job has its timeout, and a service thread that ends gives all jobs back. */
	while (!job.done)
		pthread_cond_wait(&dev->job_done, &dev->lock);
	pthread_mutex_unlock(&dev->lock);
	return job.result;
}

/* Take the first job out and end it; with the lock held. */
static void end_job(struct hf_device *dev, int result)
{
	struct job *job = dev->jobs;

	dev->jobs = job->next;
	job->result = result;
	job->done = true;
	pthread_cond_broadcast(&dev->job_done);
}

/* Returns whether the thread shall go on. */
static bool run_jobs(struct hf_device *dev)
{
	eventfd_t ignored;
	bool stop;

	pthread_mutex_lock(&dev->lock);
	eventfd_read(dev->kick, &ignored);
	while (dev->jobs) {
		struct job *job = dev->jobs;
		int result;

		pthread_mutex_unlock(&dev->lock);
		result = job->run(dev, job->arg);
		pthread_mutex_lock(&dev->lock);
		end_job(dev, result);
	}
	stop = dev->stop;
	pthread_mutex_unlock(&dev->lock);
	return !stop;
}

static void beat(struct hf_device *dev)
{
	int64_t now = clock_ms();

	if (now < dev->next_heartbeat_ms)
		return;
	dev->next_heartbeat_ms = now + dev->heartbeat_ms;
	if (dev->reset_seen) {
		set_up_again(dev);
		return;
	}
	device_reg_post(dev->board, HF_REG_HEARTBEAT, 0);
	if (now < dev->next_rotation_ms || dev->cookie_key_fixed)
		return;
	dev->next_rotation_ms = now + ROTATE_MS;
	if (rotate_cookie_key(dev))
		error_set(dev, "the key of SYN cookies could not be changed: %s", device_fault(dev->board));
}

static void wait_for_work(struct hf_device *dev)
{
	struct pollfd fds[] = {
		{ device_fd(dev->board), POLLIN | (device_wants_out(dev->board) ? POLLOUT : 0), 0 },
		{ device_frame_room(dev->board) ? dev->tap.fd : -1, POLLIN, 0 },
		{ dev->watch, POLLIN, 0 },
		{ dev->kick, POLLIN, 0 },
		{ dev->extra_fd, POLLIN, 0 },
	};
	int64_t left = dev->next_heartbeat_ms - clock_ms();
	int64_t turn = dev->hooks.turn ? dev->hooks.turn(dev->hooks.ctx) : -1;

	if (turn >= 0 && turn < left)
		left = turn;
	if (left > 0 && !(dev->cutting && device_frame_room(dev->board)))
		poll(fds, sizeof(fds) / sizeof(fds[0]), (int)left);
}

static void read_watch(struct hf_device *dev)
{
	while (dev->watch >= 0 && watch_read(dev->watch, on_destroyed, dev) == -ENOBUFS)
		count(dev, COUNT_watch_overruns);
}

/* The board leaves with nothing that would make it answer for us; what it has not taken by then is lost. One that the next process
 * goes on with only takes what there is for it. */
static void say_goodbye(struct hf_device *dev)
{
	int64_t deadline = clock_ms() + GOODBYE_MS;
	uint32_t id;

	if (!dev->leaving && device_reg_write(dev->board, HF_REG_CTRL, 0))
		return;
	read_watch(dev);
	while (!dev->leaving && (id = owned_oldest(dev->owned)) != HF_NO_ID)
		service_command(dev, HF_COMMAND_RELEASE, id);
	do {
		tap_to_board(dev);
		if (device_pump(dev->board, 10) < 0)
			return;
	} while ((device_commands_pending(dev->board) || device_wants_out(dev->board)) && clock_ms() < deadline);
}

void *service_thread(void *arg)
{
	struct hf_device *dev = arg;
	int rc;

	for (;;) {
		device_cork(dev->board);
		/* First: a peer may open a 4-tuple anew as soon as its old socket is gone. */
		read_watch(dev);
		rc = device_pump(dev->board, 0);
		if (rc < 0)
			break;
		tap_to_board(dev);
		if (!run_jobs(dev))
			break;
		beat(dev);
		rc = device_uncork(dev->board);
		if (rc < 0)
			break;
		wait_for_work(dev);
	}
	if (rc >= 0)
		say_goodbye(dev);
	else
		error_set(dev, "%s", device_fault(dev->board));
	end_dump(dev, -ENODEV);
	pthread_mutex_lock(&dev->lock);
	dev->lost = rc < 0 ? rc : -ENODEV;
	if (rc < 0)
		dev->leaving = false; /* there is nothing to leave */
	while (dev->jobs)
		end_job(dev, dev->lost);
	connect_end_all(dev, dev->lost);
	closing_end_all(dev, dev->lost);
	for (unsigned i = 0; i < LISTENERS_MAX; i++) {
		if (dev->listener[i])
			listener_lost(dev->listener[i]);
	}
	pthread_mutex_unlock(&dev->lock);
	if (rc < 0 && dev->hooks.lost)
		dev->hooks.lost(dev->hooks.ctx, rc);
	return NULL;
}
