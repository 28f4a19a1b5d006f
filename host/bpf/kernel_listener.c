/* SPDX-License-Identifier: Apache-2.0
 * kernel_listener.c - offers: from an EVENT to the listener's accept queue. */
#include "kernel_listener.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../handoff.h"
#include "attach.h"
#include "driver/message.h"
#include "listening.h"
#include "pending.h"

#define OFFERS_MAX  65536
#define GIVE_UP_MS  60000
#define RING_BYTES  (1u << 20)
#define SYSCTLS_MS  1000 /* how old what we know of the sysctls may be */
#define MSS_MIN4    536	 /* net/core/filter.c, bpf_sk_assign_tcp_reqsk() */
#define MSS_MIN6    1220
#define OPTION_WS   1u /* bits of the options octet of an EVENT */
#define OPTION_TS   2u
#define OPTION_SACK 4u
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

struct kernel_listener {
	struct kernel_listener_options options;
	struct attached *attached;
	struct pending_set *pending;
	uint64_t netns_cookie;
	int64_t sysctls_ms; /* when they were read */
	bool sysctls_known, syncookies;
	unsigned tcp_options;
	uint32_t first_decided, last_decided; /* a queue of slots */
	bool delivering;
};

static const struct {
	int error;
	const char *word, *sentence;
} reasons[] = {
#define REASON(name, error, word, sentence) { -(error), word, sentence },
#include "reason.def"
#undef REASON
};

const char *kernel_listener_word(enum kernel_listener_reason why)
{
	return (unsigned)why < KERNEL_LISTENER_REASONS ? reasons[why].word : "";
}

const char *kernel_listener_sentence(enum kernel_listener_reason why)
{
	return (unsigned)why < KERNEL_LISTENER_REASONS ? reasons[why].sentence : "";
}

int kernel_listener_errno(enum kernel_listener_reason why)
{
	return (unsigned)why < KERNEL_LISTENER_REASONS ? reasons[why].error : -EINVAL;
}

/* Sysctls ----------------------------------------------------------------------------------------------------- */

/* The `index`th number of a sysctl of this thread's network namespace. */
static long sysctl_number(const char *name, unsigned index, long otherwise)
{
	char path[64], text[128];
	char *at = text;
	long value = otherwise;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = fopen(path, "re");
	if (!f)
		return otherwise;
	if (fgets(text, sizeof(text), f)) {
		for (unsigned i = 0; i <= index; i++)
			value = strtol(at, &at, 10);
	}
	fclose(f);
	return value;
}

unsigned kernel_listener_tcp_options(void)
{
	return (sysctl_number("tcp_window_scaling", 0, 1) ? OPTION_WS : 0) |
	       (sysctl_number("tcp_timestamps", 0, 1) ? OPTION_TS : 0) |
	       (sysctl_number("tcp_sack", 0, 1) ? OPTION_SACK : 0);
}

static bool syncookies_on(void)
{
	return sysctl_number("tcp_syncookies", 0, 0) != 0;
}

static void read_sysctls(struct kernel_listener *kl, int64_t now_ms)
{
	if (kl->sysctls_known && now_ms - kl->sysctls_ms < SYSCTLS_MS)
		return;
	kl->syncookies = syncookies_on();
	kl->tcp_options = kernel_listener_tcp_options();
	kl->sysctls_ms = now_ms;
	kl->sysctls_known = true;
}

/* What the kernel would say -EINVAL to. */
static enum kernel_listener_reason objection(
	bool syncookies, unsigned allowed, unsigned options, unsigned mss, bool ip6)
{
	if (!syncookies)
		return KERNEL_LISTENER_SYNCOOKIES_OFF;
	if (mss < (ip6 ? MSS_MIN6 : MSS_MIN4))
		return KERNEL_LISTENER_MSS_TOO_SMALL;
	if (options & ~allowed & OPTION_WS)
		return KERNEL_LISTENER_WSCALE_OFF;
	if (options & ~allowed & OPTION_SACK)
		return KERNEL_LISTENER_SACK_OFF;
	if (options & ~allowed & OPTION_TS)
		return KERNEL_LISTENER_TIMESTAMPS_OFF;
	return KERNEL_LISTENER_NONE;
}

static int fail(enum kernel_listener_reason *why, enum kernel_listener_reason reason)
{
	*why = reason;
	return kernel_listener_errno(reason);
}

/* Open and close ---------------------------------------------------------------------------------------------- */

int kernel_listener_probe(enum kernel_listener_reason *why, char *text, size_t size)
{
	struct attached *a = NULL;
	int rc;

	*why = KERNEL_LISTENER_NONE;
	rc = attached_open(0, 1, RING_BYTES, NULL, &a, why, text, size);
	attached_close(a, false);
	if (rc)
		return rc;
	return syncookies_on() ? 0 : fail(why, KERNEL_LISTENER_SYNCOOKIES_OFF);
}

/* The cookie of the network namespace in which this thread makes sockets. */
static int netns_cookie(uint64_t *cookie)
{
	socklen_t length = sizeof(*cookie);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &length))
		rc = -errno;
	close(fd);
	return rc;
}

/* A netdev's index means something in its network namespace only. */
static const char *pin_folder(const struct kernel_listener *kl, char *path, size_t size)
{
	if (!kl->options.pins || !*kl->options.pins)
		return NULL;
	mkdir(kl->options.pins, 0700); /* if it fails, so does what follows */
	snprintf(path, size, "%s/net-%llx", kl->options.pins, (unsigned long long)kl->netns_cookie);
	return path;
}

int kernel_listener_open(
	const struct kernel_listener_options *options, struct kernel_listener **out, enum kernel_listener_reason *why)
{
	struct kernel_listener *kl;
	char pins[PATH_MAX] = "";
	int rc;

	*why = KERNEL_LISTENER_NONE;
	if (options->ifindex <= 0)
		return fail(why, KERNEL_LISTENER_NO_NETDEV);
	kl = calloc(1, sizeof(*kl));
	if (!kl)
		return -ENOMEM;
	kl->options = *options;
	if (!kl->options.offers_max)
		kl->options.offers_max = OFFERS_MAX;
	if (!kl->options.give_up_ms)
		kl->options.give_up_ms = GIVE_UP_MS;
	kl->first_decided = kl->last_decided = PENDING_NONE;
	kl->pending = pending_new(kl->options.offers_max, kl->options.give_up_ms);
	if (!kl->pending)
		rc = -ENOMEM;
	else if (netns_cookie(&kl->netns_cookie))
		rc = fail(why, KERNEL_LISTENER_SYSTEM);
	else
		rc = attached_open(options->ifindex, kl->options.offers_max, RING_BYTES,
			pin_folder(kl, pins, sizeof(pins)), &kl->attached, why, NULL, 0);
	if (!rc && !syncookies_on())
		rc = fail(why, KERNEL_LISTENER_SYNCOOKIES_OFF);
	if (rc) {
		kernel_listener_close(kl, false);
		return rc;
	}
	*out = kl;
	return 0;
}

int kernel_listener_pinned(const struct kernel_listener *kl)
{
	return attached_pinned(kl->attached);
}

void kernel_listener_close(struct kernel_listener *kl, bool keep)
{
	if (!kl)
		return;
	attached_close(kl->attached, keep);
	pending_free(kl->pending);
	free(kl);
}

/* Listeners --------------------------------------------------------------------------------------------------- */

struct examination {
	const union address *local;
	uint32_t rmem, min_rcv_wnd;
	bool exact; /* the any-address was asked for */
	unsigned found;
	enum kernel_listener_reason why;
};

static void examine(void *ctx, const struct listening *l)
{
	struct examination *e = ctx;

	if (!listening_takes(l, e->local) || (e->exact && !address_is_any(&l->local)))
		return;
	e->found++;
	if (l->mptcp)
		e->why = KERNEL_LISTENER_MPTCP;
	/* Half of the buffer is window: TCP_DEFAULT_SCALING_RATIO of include/net/tcp.h. */
	else if (!e->why && (l->rcvbuf < e->rmem || l->rcvbuf / 2 < e->min_rcv_wnd))
		e->why = KERNEL_LISTENER_SMALL_RCVBUF;
}

int kernel_listener_serves(
	struct kernel_listener *kl, const struct sockaddr *local, socklen_t length, enum kernel_listener_reason *why)
{
	union address address;
	struct examination e = {
		.local = &address,
		.rmem = (uint32_t)sysctl_number("tcp_rmem", 1, 0),
		.min_rcv_wnd = kl->options.min_rcv_wnd,
	};

	*why = KERNEL_LISTENER_NONE;
	if (!syncookies_on())
		return fail(why, KERNEL_LISTENER_SYNCOOKIES_OFF);
	if (address_read(local, length, &address))
		return fail(why, KERNEL_LISTENER_NO_LISTENER);
	e.exact = address_is_any(&address);
	if (listening_each(address_port(&address), examine, &e))
		return fail(why, KERNEL_LISTENER_SYSTEM);
	return fail(why, e.found ? e.why : KERNEL_LISTENER_NO_LISTENER);
}

/* The fate of an offer ---------------------------------------------------------------------------------------- */

/* Its entry is gone from the map; tell its owner in the next deliver(). */
static void decide(struct kernel_listener *kl, uint32_t slot, enum kernel_listener_reason why, uint64_t cookie)
{
	struct pending *p = pending_at(kl->pending, slot);

	p->decided = true;
	p->why = why;
	p->cookie = cookie;
	p->next_decided = PENDING_NONE;
	if (kl->last_decided == PENDING_NONE)
		kl->first_decided = slot;
	else
		pending_at(kl->pending, kl->last_decided)->next_decided = slot;
	kl->last_decided = slot;
}

static void on_confirmed(void *ctx, const struct offer_confirmed *record)
{
	struct kernel_listener *kl = ctx;
	uint32_t slot = pending_find(kl->pending, record->serial);

	if (slot != PENDING_NONE && !pending_at(kl->pending, slot)->decided)
		decide(kl, slot, KERNEL_LISTENER_NONE, record->cookie);
}

/* Take the entry off the map and decide; but if the kernel was quicker and has confirmed it, so it is. */
static void withdraw(struct kernel_listener *kl, uint32_t slot, enum kernel_listener_reason why, uint64_t cookie)
{
	attached_remove(kl->attached, &pending_at(kl->pending, slot)->key);
	attached_read(kl->attached, on_confirmed, kl);
	if (!pending_at(kl->pending, slot)->decided)
		decide(kl, slot, why, cookie);
}

/* Tell the owners. What they do may decide more; then the outermost call goes on. */
static void deliver(struct kernel_listener *kl)
{
	if (kl->delivering)
		return;
	kl->delivering = true;
	while (kl->first_decided != PENDING_NONE) {
		uint32_t slot = kl->first_decided;
		struct pending p = *pending_at(kl->pending, slot);

		kl->first_decided = p.next_decided;
		if (kl->first_decided == PENDING_NONE)
			kl->last_decided = PENDING_NONE;
		pending_remove(kl->pending, slot);
		kl->options.done(kl->options.ctx, p.tag, p.why, p.cookie, p.tries);
	}
	kl->delivering = false;
}

/* bpf_sk_assign_tcp_reqsk() said no. */
static enum kernel_listener_reason refusal(const struct pending *p, int error)
{
	enum kernel_listener_reason why;
	union address local;
	struct examination e = { .local = &local };

	if (error == -ENETUNREACH)
		return KERNEL_LISTENER_OTHER_NAMESPACE;
	address_from_mapped(p->key.local_addr, ntohs(p->key.local_port), &local);
	why = objection(true, kernel_listener_tcp_options(), p->options & 0xff, p->options >> 16, address_is6(&local));
	if (why)
		return why;
	listening_each(address_port(&local), examine, &e);
	return e.why == KERNEL_LISTENER_MPTCP ? e.why : KERNEL_LISTENER_REFUSED;
}

/* Inject the ACK once and see what became of it. */
static void try_once(struct kernel_listener *kl, uint32_t slot, int64_t now_ms)
{
	struct pending *p = pending_at(kl->pending, slot);
	struct offer offer;

	if (!p->tries || kl->syncookies) {
		uint8_t frame[HANDOFF_ACK_BYTES];

		memcpy(frame, p->frame, p->length);
		kl->options.inject(kl->options.ctx, frame, p->length);
	}
	p = pending_at(kl->pending, slot);
	pending_tried(kl->pending, slot, now_ms);
	attached_read(kl->attached, on_confirmed, kl);
	if (p->decided)
		return;
	if (attached_get(kl->attached, &p->key, &offer) || offer.serial != p->serial) {
		/* The map is ours alone: this does not happen. */
		withdraw(kl, slot, KERNEL_LISTENER_SYSTEM, 0);
		return;
	}
	switch (offer.state) {
	case OFFER_NO_LISTENER:
		withdraw(kl, slot, KERNEL_LISTENER_NO_LISTENER, 0);
		break;
	case OFFER_EXISTS:
		withdraw(kl, slot, KERNEL_LISTENER_EXISTS, 0);
		break;
	case OFFER_TAKEN:
		withdraw(kl, slot, KERNEL_LISTENER_NONE, offer.cookie);
		break;
	case OFFER_PEER_RESET:
		withdraw(kl, slot, KERNEL_LISTENER_PEER_RESET, 0);
		break;
	case OFFER_REFUSED:
		/* No memory now, perhaps later. */
		if (offer.error != -ENOMEM)
			withdraw(kl, slot, refusal(p, offer.error), 0);
		break;
	default:
		break;
	}
}

/* Offers ------------------------------------------------------------------------------------------------------ */

static void fill_offer(const struct kernel_listener *kl, const struct connection *c, const uint8_t *event,
	uint64_t serial, struct offer *offer)
{
	*offer = (struct offer){
		.serial = serial,
		.netns_cookie = kl->netns_cookie,
		/* What the board has sent and received so far is its SYN-ACK and the SYN. */
		.snd_nxt = c->snd_una,
		.rcv_nxt = c->rcv_nxt,
		.attributes = {
			.mss = (uint16_t)c->mss,
			.ecn_ok = (GET(event, EVENT, listener) & 128) != 0,
			.wscale_ok = c->ws_ok,
			.sack_ok = c->sack_ok,
			.tstamp_ok = c->ts_ok,
		},
	};
	if (c->ws_ok) {
		offer->attributes.snd_wscale = (uint8_t)c->snd_wscale;
		offer->attributes.rcv_wscale = (uint8_t)c->rcv_wscale;
	}
	if (c->ts_ok) {
		offer->attributes.rcv_tsval = c->ts_recent;
		/* The kernel would go on from the echo of the SYN-ACK's TSval; but a later SYN-ACK may have said more. */
		offer->attributes.rcv_tsecr = c->tsval;
	}
}

int kernel_listener_offer(struct kernel_listener *kl, const uint8_t *event, uint64_t tag, int64_t now_ms,
	enum kernel_listener_reason *why)
{
	struct connection c;
	struct offer offer;
	struct pending *p;
	uint32_t slot;
	int rc;

	*why = KERNEL_LISTENER_NONE;
	if (GET(event, HEADER, type) != HF_MSG_EVENT || handoff_parse(event, &c) || c.active)
		return fail(why, KERNEL_LISTENER_NOT_PASSIVE);
	if (c.vlan.tags > 1)
		return fail(why, KERNEL_LISTENER_DOUBLE_VLAN);
	read_sysctls(kl, now_ms);
	*why = objection(
		kl->syncookies, kl->tcp_options, (unsigned)GET(event, EVENT, options), c.mss, address_is6(&c.local));
	if (*why)
		return kernel_listener_errno(*why);
	slot = pending_add(kl->pending, now_ms);
	if (slot == PENDING_NONE)
		return fail(why, KERNEL_LISTENER_FULL);
	p = pending_at(kl->pending, slot);
	p->tag = tag;
	p->options = (uint32_t)(GET(event, EVENT, options) | c.mss << 16);
	address_to_mapped(&c.remote, p->key.remote_addr);
	address_to_mapped(&c.local, p->key.local_addr);
	p->key.remote_port = htons(address_port(&c.remote));
	p->key.local_port = htons(address_port(&c.local));
	p->length = handoff_replay(&c, kl->options.mac, p->frame);
	fill_offer(kl, &c, event, p->serial, &offer);
	rc = attached_put(kl->attached, &p->key, &offer);
	if (rc) {
		pending_remove(kl->pending, slot);
		return fail(why, rc == -EEXIST	? KERNEL_LISTENER_PENDING
				 : rc == -E2BIG ? KERNEL_LISTENER_FULL
						: KERNEL_LISTENER_SYSTEM);
	}
	try_once(kl, slot, now_ms);
	deliver(kl);
	return 0;
}

unsigned kernel_listener_withdraw(struct kernel_listener *kl, uint16_t local_port)
{
	unsigned count = 0;

	for (uint32_t slot = 0; slot < pending_slots(kl->pending); slot++) {
		const struct pending *p = pending_at(kl->pending, slot);

		if (!p || p->decided || (local_port && p->key.local_port != htons(local_port)))
			continue;
		withdraw(kl, slot, KERNEL_LISTENER_WITHDRAWN, 0);
		count += pending_at(kl->pending, slot)->why == KERNEL_LISTENER_WITHDRAWN;
	}
	deliver(kl);
	return count;
}

int kernel_listener_fd(const struct kernel_listener *kl)
{
	return attached_fd(kl->attached);
}

int kernel_listener_step(struct kernel_listener *kl, int64_t now_ms)
{
	uint32_t slot;

	attached_read(kl->attached, on_confirmed, kl);
	deliver(kl);
	if (pending_count(kl->pending))
		read_sysctls(kl, now_ms);
	/* Ends: what was due is gone, or due later. */
	while ((slot = pending_due(kl->pending, now_ms)) != PENDING_NONE) {
		if (pending_over(kl->pending, slot, now_ms))
			withdraw(kl, slot,
				kl->syncookies ? KERNEL_LISTENER_NOT_ACCEPTED : KERNEL_LISTENER_SYNCOOKIES_OFF, 0);
		else
			try_once(kl, slot, now_ms);
		deliver(kl);
	}
	return pending_wait_ms(kl->pending, now_ms);
}

unsigned kernel_listener_pending(const struct kernel_listener *kl)
{
	return pending_count(kl->pending);
}
