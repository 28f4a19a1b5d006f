/* SPDX-License-Identifier: Apache-2.0
 * closing.c - hf_close_socket: the state of an idle connection out of the kernel, into the board. */
#include "closing.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver/clock.h"
#include "library.h"
#include "neighbour.h"

enum {
	STATE_ESTABLISHED = 1,
	STATE_CLOSE_WAIT = 8
}; /* as TCP_ESTABLISHED ... of netinet/tcp.h, which linux/tcp.h excludes */

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14; before it nothing can be compared */
#endif

#define DECIDE_MS     2000 /* a command is answered or given up within 1500 */
#define PROBE_MS      200  /* for the kernel's ACK, which comes at once */
#define MSS_TIMESTAMP 12   /* what timestamps take off the kernel's send MSS */

struct closing {
	struct closing *next; /* lock */
	uint64_t tag;	      /* of its CLOSE; 0 = the kernel's ACK is awaited */
	int fd, ifindex;
	union address local, remote;
	uint8_t mac[6];
	struct vlan vlan;
	struct tcp_info info;
	struct tcp_repair_window window;
	uint32_t snd_nxt, rcv_nxt, board_ms;
	bool ts;
	int result; /* lock */
	bool done;  /* lock */
};

/* The socket ---------------------------------------------------------------------------------------------------------------- */

static int queue_seq(int fd, int queue, uint32_t *seq)
{
	socklen_t len = sizeof(*seq);
	int none = TCP_NO_QUEUE;

	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) ||
		getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, seq, &len) ||
		setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &none, sizeof(none)))
		return -errno;
	return 0;
}

static int set_repair(int fd, int how)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &how, sizeof(how)) ? -errno : 0;
}

/* Nothing unread, unsent, unacknowledged; a state the board can take over. */
static int check_idle(struct closing *c)
{
	socklen_t len = sizeof(c->info);
	int unread, unsent;

	memset(&c->info, 0, sizeof(c->info));
	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &c->info, &len) || ioctl(c->fd, SIOCINQ, &unread) ||
		ioctl(c->fd, SIOCOUTQ, &unsent))
		return -errno;
	if (c->info.tcpi_state != STATE_ESTABLISHED && c->info.tcpi_state != STATE_CLOSE_WAIT)
		return -ENOTCONN;
	return unread > 0 ? -EBUSY : unsent > 0 ? -EINPROGRESS : 0;
}

static int freeze(struct closing *c)
{
	socklen_t len = sizeof(c->window);
	int rc = set_repair(c->fd, TCP_REPAIR_ON);

	if (rc)
		return rc;
	rc = queue_seq(c->fd, TCP_SEND_QUEUE, &c->snd_nxt);
	if (!rc)
		rc = queue_seq(c->fd, TCP_RECV_QUEUE, &c->rcv_nxt);
	if (!rc && getsockopt(c->fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &c->window, &len))
		rc = -errno;
	/* Something may have come since we looked. */
	if (!rc)
		rc = check_idle(c);
	if (rc)
		set_repair(c->fd, TCP_REPAIR_OFF_NO_WP);
	return rc;
}

/* In the service thread ----------------------------------------------------------------------------------------------------- */

static void end(struct hf_device *dev, struct closing *c, int result)
{
	pthread_mutex_lock(&dev->lock);
	if (!c->done) {
		c->result = result;
		c->done = true;
		pthread_cond_broadcast(&dev->attempt_done);
	}
	pthread_mutex_unlock(&dev->lock);
	if (result)
		set_repair(c->fd, TCP_REPAIR_OFF_NO_WP);
}

void closing_end_all(struct hf_device *dev, int result)
{
	for (struct closing *c = dev->closings; c; c = c->next) {
		if (c->done)
			continue;
		set_repair(c->fd, TCP_REPAIR_OFF_NO_WP);
		c->result = result;
		c->done = true;
		pthread_cond_broadcast(&dev->attempt_done);
	}
}

/* tsval, ts_recent: of the kernel's last segment, when there are timestamps. */
static int send_close(struct hf_device *dev, struct closing *c, uint32_t tsval, uint32_t ts_recent)
{
	uint8_t msg[DEVICE_MESSAGE_BYTES] = { 0 };
	unsigned ws = c->info.tcpi_options & TCPI_OPT_WSCALE ? 1 : 0,
		 sack = c->info.tcpi_options & TCPI_OPT_SACK ? 4 : 0;
	uint32_t rto_ms = c->info.tcpi_rto / 1000;

	address_to_mapped(&c->remote, msg + HF_AT_EVENT_remote_addr);
	address_to_mapped(&c->local, msg + HF_AT_EVENT_local_addr);
	PUT(msg, EVENT, remote_port, address_port(&c->remote));
	PUT(msg, EVENT, local_port, address_port(&c->local));
	memcpy(msg + HF_AT_EVENT_remote_mac, c->mac, 6);
	PUT(msg, EVENT, state, c->info.tcpi_state == STATE_ESTABLISHED ? HF_STATE_ESTABLISHED : HF_STATE_CLOSE_WAIT);
	PUT(msg, EVENT, options,
		ws | (c->ts ? 2 : 0) | sack | c->vlan.tags << 5 | (c->vlan.service_outer ? 1u << 7 : 0));
	PUT(msg, EVENT, vlan, c->vlan.outer);
	PUT(msg, EVENT, vlan_inner, c->vlan.inner);
	PUT(msg, EVENT, mss, c->info.tcpi_snd_mss + (c->ts ? MSS_TIMESTAMP : 0));
	PUT(msg, EVENT, snd_wscale, ws ? c->info.tcpi_snd_wscale : 0);
	PUT(msg, EVENT, rcv_wscale, ws ? c->info.tcpi_rcv_wscale : 0);
	/* Where the numbers began nobody knows any more, and closing needs it for nothing. */
	PUT(msg, EVENT, iss, c->snd_nxt - 1);
	PUT(msg, EVENT, irs, c->rcv_nxt - 1);
	PUT(msg, EVENT, snd_una, c->snd_nxt);
	PUT(msg, EVENT, snd_nxt, c->snd_nxt);
	PUT(msg, EVENT, rcv_nxt, c->rcv_nxt);
	PUT(msg, EVENT, snd_wnd, c->window.snd_wnd);
	PUT(msg, EVENT, rcv_wnd, c->window.rcv_wnd);
	PUT(msg, EVENT, snd_wl1, c->window.snd_wl1);
	PUT(msg, EVENT, snd_wl2, c->snd_nxt);
	PUT(msg, EVENT, ts_recent, ts_recent);
	/* The board's clock has gone on since, so that its TSval is never below the kernel's last. */
	PUT(msg, EVENT, ts_offset, c->ts ? tsval - c->board_ms : 0);
	PUT(msg, EVENT, rto_ms, rto_ms > 65535 ? 65535 : rto_ms);
	c->tag = ++dev->last_tag;
	return device_hand_back(dev->board, msg, c->tag);
}

/* A job. */
static int start(struct hf_device *dev, void *arg)
{
	struct closing *c = arg;
	uint8_t frame[FRAME_SEGMENT_MAX];
	struct frame_tcp probe;
	int rc = device_reg_read(dev->board, HF_REG_MS, &c->board_ms);

	if (!rc)
		rc = freeze(c);
	if (rc)
		return rc;
	c->ts = c->info.tcpi_options & TCPI_OPT_TIMESTAMPS;
	pthread_mutex_lock(&dev->lock);
	c->next = dev->closings;
	dev->closings = c;
	pthread_mutex_unlock(&dev->lock);
	if (!c->ts) {
		rc = send_close(dev, c, 0, 0);
	} else {
		/* Below the window, and without timestamps lest it be judged by them: RFC 9293 3.10.7.4 wants an ACK. */
		probe = (struct frame_tcp){ .source = c->remote,
			.destination = c->local,
			.seq = c->rcv_nxt - 1,
			.ack = c->snd_nxt,
			.flags = HF_ACK };
		rc = dev->tap.fd < 0 ? -ENODEV
				     : tap_write(&dev->tap, frame,
					       frame_build(frame, dev->tap.mac, c->mac, &c->vlan, &probe), true);
	}
	if (rc)
		end(dev, c, rc);
	return 0;
}

static struct closing *find(struct hf_device *dev, const union address *local, const union address *remote)
{
	struct closing *c;

	pthread_mutex_lock(&dev->lock);
	for (c = dev->closings; c; c = c->next) {
		if (!c->done && address_equal(&c->local, local) && address_equal(&c->remote, remote))
			break;
	}
	pthread_mutex_unlock(&dev->lock);
	return c;
}

bool closing_drops(struct hf_device *dev, const uint8_t *frame, size_t len)
{
	struct frame_tcp t;

	return dev->closings && frame_read_tcp(frame, len, &t) && find(dev, &t.destination, &t.source);
}

bool closing_takes(struct hf_device *dev, const uint8_t *frame, size_t len)
{
	struct closing *c;
	struct frame_tcp t;
	int rc;

	if (!dev->closings || !frame_read_tcp(frame, len, &t))
		return false;
	c = find(dev, &t.source, &t.destination);
	if (!c)
		return false;
	if (c->tag || !c->ts || !t.ts || t.payload != t.end || t.flags != HF_ACK)
		return true; /* nothing of a frozen socket's belongs on the wire */
	/* The peer's last data may have come between the look at the queue and the freeze. */
	rc = t.seq != c->snd_nxt || t.ack != c->rcv_nxt ? -EAGAIN : send_close(dev, c, t.tsval, t.tsecr);
	if (rc)
		end(dev, c, rc);
	return true;
}

void closing_completed(struct hf_device *dev, uint64_t tag, int status)
{
	static const int result[] = {
		[HF_STATUS_EXISTS] = -EALREADY, [HF_STATUS_NO_ROOM] = -ENOSPC, [HF_STATUS_BAD_STATE] = -EAGAIN
	};
	struct closing *c;
	uint64_t cookie;
	socklen_t len = sizeof(cookie);

	pthread_mutex_lock(&dev->lock);
	for (c = dev->closings; c && (c->done || c->tag != tag); c = c->next)
		;
	pthread_mutex_unlock(&dev->lock);
	if (!c)
		return;
	if (status == HF_STATUS_OK) {
		/* The entry is the board's again: the end of the socket must not release it. */
		if (!getsockopt(c->fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
			owned_remove(dev->owned, cookie);
		count(dev, COUNT_closes);
		end(dev, c, 0);
		return;
	}
	end(dev, c,
		status > 0 && (size_t)status < sizeof(result) / sizeof(result[0]) && result[status] ? result[status]
												    : -EIO);
}

/* A job: nobody waits any longer. */
static int cancel(struct hf_device *dev, void *arg)
{
	struct closing *c = arg;

	if (!c->done)
		end(dev, c, c->tag ? -EIO : -EAGAIN);
	return 0;
}

/* A job: the socket to ask with belongs into the library's namespace. */
static int open_tools(struct hf_device *dev, void *arg)
{
	struct closing *c = arg;
	uint64_t theirs, ours;
	socklen_t len = sizeof(ours);
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;

	/* A socket of another namespace may well have our addresses, and end somebody else's connection. */
	if (sock < 0)
		return -errno;
	if (!getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &ours, &len) &&
		(getsockopt(c->fd, SOL_SOCKET, SO_NETNS_COOKIE, &theirs, &len) || theirs != ours))
		rc = -EXDEV;
	close(sock);
	if (rc)
		return rc;
	return neighbour_open(dev->tap.name, &c->ifindex);
}

/* In the caller's thread ---------------------------------------------------------------------------------------------------- */

/* How often one process has this socket open. */
static unsigned references_of(const char *pid, const char *socket_name)
{
	char path[320], target[64];
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) != NULL) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (len <= 0)
			continue;
		target[len] = 0;
		n += !strcmp(target, socket_name);
	}
	if (dir)
		closedir(dir);
	return n;
}

/* Descriptors of a socket in all processes that we may look into. */
static unsigned references(int fd)
{
	struct dirent *entry;
	char name[64];
	struct stat st;
	unsigned n = 0;
	DIR *proc;

	if (fstat(fd, &st))
		return 0;
	snprintf(name, sizeof(name), "socket:[%llu]", (unsigned long long)st.st_ino);
	proc = opendir("/proc");
	while (proc && (entry = readdir(proc)) != NULL) {
		if (isdigit((unsigned char)entry->d_name[0]))
			n += references_of(entry->d_name, name);
	}
	if (proc)
		closedir(proc);
	return n;
}

/* A dual-stack socket of IPv4: the wire has the IPv4 address. */
static void unmap(union address *a)
{
	if (address_is6(a) && IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr)) {
		uint8_t octets[16];

		memcpy(octets, &a->in6.sin6_addr, 16);
		address_from_mapped(octets, address_port(a), a);
	}
}

static int read_socket(struct closing *c)
{
	socklen_t len = sizeof(int);
	int protocol;

	if (getsockopt(c->fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len))
		return -errno;
	if (protocol != IPPROTO_TCP)
		return -EOPNOTSUPP;
	len = sizeof(c->local);
	if (getsockname(c->fd, &c->local.sa, &len))
		return -errno;
	len = sizeof(c->remote);
	if (getpeername(c->fd, &c->remote.sa, &len))
		return -errno;
	unmap(&c->local);
	unmap(&c->remote);
	return 0;
}

static void wait_until_done(struct hf_device *dev, const struct closing *c, int timeout_ms)
{
	struct timespec deadline = deadline_after(timeout_ms);
	int rc = 0;

	pthread_mutex_lock(&dev->lock);
	while (!c->done && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&dev->attempt_done, &dev->lock, &deadline);
	pthread_mutex_unlock(&dev->lock);
}

static void forget(struct hf_device *dev, const struct closing *c)
{
	struct closing **at;

	pthread_mutex_lock(&dev->lock);
	for (at = &dev->closings; *at && *at != c; at = &(*at)->next)
		;
	if (*at)
		*at = c->next;
	pthread_mutex_unlock(&dev->lock);
}

static const char *words(int rc)
{
	return rc == -EBUSY	    ? "data are unread"
	       : rc == -EINPROGRESS ? "data are unsent or unacknowledged"
	       : rc == -EUSERS	    ? "the socket is shared: another descriptor of it is open"
	       : rc == -ENOTCONN    ? "the connection is neither in ESTABLISHED nor in CLOSE-WAIT"
	       : rc == -EOPNOTSUPP  ? "no TCP socket"
	       : rc == -ENETUNREACH ? "the peer is not reached through the TAP netdev"
	       : rc == -EAGAIN	    ? "a segment came meanwhile"
	       : rc == -EXDEV	    ? "the socket is of another network namespace"
	       : rc == -ENOSPC	    ? "the board's table has no room"
				    : strerror(-rc);
}

static int run(struct hf_device *dev, struct closing *c, unsigned copies)
{
	int tool, rc = read_socket(c);

	if (!rc)
		rc = check_idle(c);
	if (!rc && references(c->fd) > copies)
		rc = -EUSERS;
	if (rc)
		return rc;
	tool = service_run(dev, open_tools, c);
	if (tool < 0)
		return tool;
	rc = neighbour_find(tool, c->ifindex, &c->remote, clock_ms() + DECIDE_MS, c->mac, &c->vlan);
	close(tool);
	if (!rc)
		rc = service_run(dev, start, c);
	if (rc)
		return rc;
	wait_until_done(dev, c, PROBE_MS);
	/* Still without the kernel's ACK? It answers such segments twice a second at most. */
	if (!c->done && !c->tag)
		service_run(dev, cancel, c);
	wait_until_done(dev, c, DECIDE_MS);
	service_run(dev, cancel, c);
	forget(dev, c);
	return c->result;
}

int closing_run(struct hf_device *dev, int fd, unsigned copies)
{
	struct closing c = { .fd = fd };
	int rc = run(dev, &c, copies);

	if (rc)
		error_set(dev, "close by the board: %s", words(rc));
	return rc;
}
