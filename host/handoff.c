/* SPDX-License-Identifier: Apache-2.0
 * handoff.c - TCP_REPAIR, in the one order that works. */
#include "handoff.h"

#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver/message.h"

/* RFC 9293 3.1 and RFC 7323: option kinds as TCP_REPAIR_OPTIONS wants them. */
enum { PORT_TRIES = 256, WSCALE_MAX = 14 };
enum { OPT_MSS = 2, OPT_WSCALE = 3, OPT_SACK_PERM = 4, OPT_TIMESTAMP = 8 };

int handoff_parse(const uint8_t *msg, struct connection *c)
{
	struct message_event e = message_event(msg);

	*c = (struct connection){
		.id = e.id,
		.listener = e.listener,
		.active = e.active,
		.cookie = e.cookie,
		.ws_ok = e.ws_ok,
		.ts_ok = e.ts_ok,
		.sack_ok = e.sack_ok,
		.syn_lost = e.syn_lost,
		.mss = e.mss,
		.snd_wscale = e.snd_wscale,
		.rcv_wscale = e.rcv_wscale,
		.snd_nxt = e.snd_nxt,
		.rcv_nxt = e.rcv_nxt,
		.snd_una = e.snd_una,
		.snd_wnd = e.snd_wnd,
		.rcv_wnd = e.rcv_wnd,
		.ts_recent = e.ts_recent,
		.tsval = e.tsval,
		.tsecr = e.tsecr,
	};
	memcpy(c->remote_mac, e.remote_mac, sizeof(c->remote_mac));
	c->vlan = (struct vlan){ .tags = (unsigned)GET(msg, EVENT, options) >> 5 & 3,
		.service_outer = (unsigned)GET(msg, EVENT, options) >> 7 & 1,
		.outer = (uint16_t)GET(msg, EVENT, vlan),
		.inner = (uint16_t)GET(msg, EVENT, vlan_inner) };
	address_from_mapped(e.remote_addr, e.remote_port, &c->remote);
	address_from_mapped(e.local_addr, e.local_port, &c->local);
	if (e.code != HF_EVENT_ESTABLISHED || e.state != HF_STATE_ESTABLISHED ||
		c->local.sa.sa_family != c->remote.sa.sa_family || !e.remote_port || !e.local_port ||
		address_is_any(&c->local) || !address_is_unicast(&c->remote) || c->vlan.tags > FRAME_TAGS_MAX ||
		c->snd_wscale > WSCALE_MAX || c->rcv_wscale > WSCALE_MAX || !c->mss)
		return -EBADMSG;
	return 0;
}

/* The socket ------------------------------------------------------------------------------------------------ */

static int set_int(int fd, int option, int value)
{
	return setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value)) ? -errno : 0;
}

static int set_queue_seq(int fd, int queue, uint32_t seq)
{
	int rc = set_int(fd, TCP_REPAIR_QUEUE, queue);

	return rc ? rc : set_int(fd, TCP_QUEUE_SEQ, (int)seq);
}

/* A socket in repair mode, connected without a packet. */
static int repair_connect(int fd, const struct connection *c, bool bound, const char **step)
{
	int rc;

	*step = "switch the socket to repair mode (needs CAP_NET_ADMIN)";
	rc = set_int(fd, TCP_REPAIR, TCP_REPAIR_ON);
	if (rc)
		return rc;
	*step = "set SND.NXT";
	rc = set_queue_seq(fd, TCP_SEND_QUEUE, c->snd_nxt);
	if (rc)
		return rc;
	*step = "set RCV.NXT";
	rc = set_queue_seq(fd, TCP_RECV_QUEUE, c->rcv_nxt);
	if (rc)
		return rc;
	*step = "bind the local address";
	if (!bound && bind(fd, &c->local.sa, address_size(&c->local)))
		return -errno;
	/* Before connect: later, the send MSS would stay 524 for the whole connection. */
	*step = "set the MSS";
	rc = set_int(fd, TCP_MAXSEG, (int)c->mss);
	if (rc)
		return rc;
	*step = "connect to the peer";
	if (connect(fd, &c->remote.sa, address_size(&c->remote)))
		return errno == EADDRNOTAVAIL ? -EEXIST : -errno;
	return 0;
}

static int repair_options(int fd, const struct connection *c, const char **step)
{
	struct tcp_repair_opt options[4];
	unsigned n = 0;
	int rc;

	*step = "set the negotiated options";
	options[n++] = (struct tcp_repair_opt){ OPT_MSS, c->mss };
	/* Without window scaling too, with both shifts 0: connect() has chosen a shift of the kernel's own, and
	 * nothing else takes it back, so that the peer would see each window divided by it. */
	options[n++] = (struct tcp_repair_opt){ OPT_WSCALE, c->ws_ok ? c->snd_wscale | c->rcv_wscale << 16 : 0 };
	if (c->sack_ok)
		options[n++] = (struct tcp_repair_opt){ OPT_SACK_PERM, 0 };
	if (c->ts_ok)
		options[n++] = (struct tcp_repair_opt){ OPT_TIMESTAMP, 0 };
	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_OPTIONS, options, n * sizeof(options[0])))
		return -errno;
	if (!c->ts_ok)
		return 0;
	/* Even: an odd value would switch the socket to microsecond timestamps. */
	*step = "set the timestamp clock";
	rc = set_int(fd, TCP_TIMESTAMP, (int)((c->tsval + 1) & ~1u));
	return rc;
}

/* After a lost SYN a connection begins with one segment (RFC 5681 3.1). No socket call sets cwnd; a send window of one
 * segment, until the peer's next ACK says how large it is, comes to the same for the first flight. */
static uint32_t first_window(const struct connection *c)
{
	uint32_t segment = c->mss - (c->ts_ok ? 12 : 0), unit = 1u << c->snd_wscale;

	/* Not a little less: the kernel would wait for the rest. */
	segment = (segment + unit - 1) / unit * unit;
	return c->syn_lost && c->snd_wnd > segment ? segment : c->snd_wnd;
}

static int repair_window(int fd, const struct connection *c, const char **step)
{
	struct tcp_repair_window window = {
		.snd_wl1 = c->rcv_nxt,
		.snd_wnd = first_window(c),
		.max_window = c->snd_wnd,
		.rcv_wnd = c->rcv_wnd,
		.rcv_wup = c->rcv_nxt,
	};

	*step = "set the windows";
	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof(window)) ? -errno : 0;
}

/* Leave repair mode without the window probe of TCP_REPAIR_OFF, whose TSecr would be 0. */
static int repair_done(int fd, const char **step)
{
	int one = 1, rc;

	*step = "leave repair mode quietly";
	rc = set_int(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
	if (rc)
		return rc;
	/* After repair mode, which clears it: without it a restarted server of the kernel's gets EADDRINUSE. */
	*step = "set SO_REUSEADDR";
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ? -errno : 0;
}

/* A random port of the kernel's range, 0 if there is no randomness. */
static unsigned ephemeral_port(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned low = 32768, high = 60999; /* the kernel's default */
	uint32_t random;

	if (f) {
		if (fscanf(f, "%u %u", &low, &high) != 2 || low < 1 || high > 65535 || low > high) {
			low = 32768;
			high = 60999;
		}
		fclose(f);
	}
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return 0;
	return low + (unsigned)((uint64_t)random * (high - low + 1) >> 32);
}

int handoff_reserve(union address *local)
{
	bool any = !address_port(local);
	int fd = socket(local->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP), rc = 0;

	if (fd < 0)
		return -errno;
	for (unsigned i = 0; i < (any ? PORT_TRIES : 1u); i++) {
		if (any)
			address_set_port(local, (uint16_t)ephemeral_port());
		rc = bind(fd, &local->sa, address_size(local)) ? -errno : 0;
		if (rc != -EADDRINUSE)
			break;
	}
	if (!rc)
		return fd;
	close(fd);
	if (any)
		address_set_port(local, 0);
	return rc;
}

int handoff_socket(const struct connection *c, int fd, const char **step)
{
	bool bound = fd >= 0;
	int rc;

	*step = "create the socket";
	if (!bound)
		fd = socket(c->local.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	rc = repair_connect(fd, c, bound, step);
	if (!rc)
		rc = repair_options(fd, c, step);
	if (!rc)
		rc = repair_window(fd, c, step);
	if (!rc)
		rc = repair_done(fd, step);
	if (!rc)
		return fd;
	close(fd); /* still in repair mode: nothing is sent */
	return rc;
}

/* The replayed ACK ------------------------------------------------------------------------------------------ */

unsigned handoff_replay(const struct connection *c, const uint8_t *mac, uint8_t *frame)
{
	/* Not the field as it came: that of a SYN-ACK is not scaled, this one is. */
	uint32_t wnd = first_window(c) >> c->snd_wscale;
	struct frame_tcp ack = {
		.source = c->remote,
		.destination = c->local,
		/* SEQ = RCV.NXT, even if the completing segment lay further on: only a segment there sets TS.Recent
		 * (RFC 7323 4.3), and TS.Recent is what a segment at RCV.NXT last said. */
		.seq = c->rcv_nxt,
		.ack = c->snd_una,
		.flags = HF_ACK,
		.wnd = (uint16_t)(wnd > 65535 ? 65535 : wnd),
		.ts = c->ts_ok,
		.tsval = c->ts_recent,
		.tsecr = c->tsecr,
	};

	return (unsigned)frame_build(frame, mac, c->remote_mac, &c->vlan, &ack);
}

/* What the kernel would advertise ----------------------------------------------------------------------------- */

/* The third number of tcp_rmem bounds the receive buffer, and so the shift the kernel would choose. */
static unsigned kernel_wscale(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/tcp_rmem", "re");
	unsigned long max = 6 << 20; /* the kernel's default */
	unsigned shift = 0;

	if (f) {
		if (fscanf(f, "%*u %*u %lu", &max) != 1)
			max = 6 << 20;
		fclose(f);
	}
	while (shift < 14 && max >> shift > 65535)
		shift++;
	return shift;
}

int handoff_limits(
	const union address *local, const union address *peer, unsigned mss, uint32_t *rcv_wnd, unsigned *wscale)
{
	struct connection c = { .local = *local, .remote = *peer, .mss = mss };
	struct tcp_repair_window window;
	socklen_t len = sizeof(window);
	const char *step;
	int fd = socket(local->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP), rc;

	if (fd < 0)
		return -errno;
	address_set_port(&c.local, 0);
	address_set_port(&c.remote, 9);
	rc = repair_connect(fd, &c, false, &step);
	if (!rc && getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, &len))
		rc = -errno;
	close(fd);
	if (rc)
		return rc;
	*rcv_wnd = window.rcv_wnd < 65535 ? window.rcv_wnd : 65535;
	*wscale = kernel_wscale();
	return 0;
}
