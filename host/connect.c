/* SPDX-License-Identifier: Apache-2.0
 * connect.c - hf_connect. The caller's thread finds the next hop; the service thread gives the CONNECT to the board and
 * makes the socket when the handshake is complete. */
#include "library.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "driver/clock.h"
#include "neighbour.h"

#define TIMEOUT_MAX_MS	((1 << HF_CONNECT_MS_MS_BITS) - 1)
#define TIMEOUT_MORE_MS 2000 /* after the board should have given up */
#define EXISTS_TRIES	16   /* random ports that the board knows already */
#define OPTIONS_ALL	7u   /* window scale, timestamps, SACK */

/* In the service thread ------------------------------------------------------------------------------------------- */

static void end_attempt(struct hf_device *dev, struct attempt *a, int result)
{
	a->result = result;
	a->done = true;
	pthread_cond_broadcast(&dev->attempt_done);
}

void connect_end_all(struct hf_device *dev, int result)
{
	for (struct attempt *a = dev->attempts; a; a = a->next) {
		if (!a->done)
			end_attempt(dev, a, result);
	}
}

/* The attempt that goes on under this tag or id, or NULL. */
static struct attempt *find_attempt(struct hf_device *dev, uint64_t tag, uint32_t id)
{
	struct attempt *a;

	pthread_mutex_lock(&dev->lock);
	for (a = dev->attempts; a; a = a->next) {
		if (!a->done && (tag ? a->tag == tag : a->id == id && id != HF_NO_ID))
			break;
	}
	pthread_mutex_unlock(&dev->lock);
	return a;
}

static void finish(struct hf_device *dev, struct attempt *a, int result)
{
	pthread_mutex_lock(&dev->lock);
	end_attempt(dev, a, result);
	pthread_mutex_unlock(&dev->lock);
}

/* Take a port and give the CONNECT to the board. */
static int send_connect(struct hf_device *dev, struct attempt *a)
{
	uint8_t msg[DEVICE_MESSAGE_BYTES] = { 0 };

	if (a->any_port)
		address_set_port(&a->local, 0);
	a->fd = handoff_reserve(&a->local);
	if (a->fd < 0)
		return a->fd;
	address_to_mapped(&a->remote, msg + HF_AT_EVENT_remote_addr);
	address_to_mapped(&a->local, msg + HF_AT_EVENT_local_addr);
	PUT(msg, EVENT, remote_port, address_port(&a->remote));
	PUT(msg, EVENT, local_port, address_port(&a->local));
	memcpy(msg + HF_AT_EVENT_remote_mac, a->mac, 6);
	PUT(msg, EVENT, options, OPTIONS_ALL | a->vlan.tags << 5 | (a->vlan.service_outer ? 1u << 7 : 0));
	PUT(msg, EVENT, vlan, a->vlan.outer);
	PUT(msg, EVENT, vlan_inner, a->vlan.inner);
	PUT(msg, EVENT, now_ms, a->give_up_ms);
	a->tag = ++dev->last_tag;
	return device_connect(dev->board, msg, a->tag);
}

void connect_completed(struct hf_device *dev, uint64_t tag, uint32_t id, int status)
{
	static const int result[] = {
		[HF_STATUS_BAD_PARAM] = -EINVAL, [HF_STATUS_EXISTS] = -EADDRINUSE, [HF_STATUS_NO_ROOM] = -ENOSPC
	};
	struct attempt *a = find_attempt(dev, tag, 0);
	int rc;

	if (!a) {
		if (status == HF_STATUS_OK)
			service_command(dev, HF_COMMAND_ABORT, id); /* its caller did not wait */
		return;
	}
	if (status == HF_STATUS_OK) {
		a->id = id;
		return;
	}
	rc = status > 0 && (unsigned)status < sizeof(result) / sizeof(result[0]) && result[status] ? result[status]
												   : -EIO;
	if (status == HF_STATUS_EXISTS && a->any_port && a->tries++ < EXISTS_TRIES) {
		close(a->fd);
		rc = send_connect(dev, a);
		if (!rc)
			return;
	}
	finish(dev, a, rc);
}

bool connect_established(struct hf_device *dev, const struct connection *c)
{
	struct attempt *a = find_attempt(dev, 0, c->id);

	if (!a)
		return false;
	a->fd = service_make_socket(dev, c, a->fd);
	finish(dev, a, a->fd);
	return true;
}

bool connect_failed(struct hf_device *dev, uint32_t id, unsigned event)
{
	struct attempt *a = find_attempt(dev, 0, id);

	if (!a)
		return false;
	finish(dev, a,
		event == HF_EVENT_REFUSED	? -ECONNREFUSED
		: event == HF_EVENT_UNREACHABLE ? -EHOSTUNREACH
						: -ETIMEDOUT);
	return true;
}

/* A job: the sockets with which the caller's thread asks about the next hop belong into the library's namespace. */
static int open_tools(struct hf_device *dev, void *arg)
{
	struct attempt *a = arg;

	for (unsigned i = 0; address_is_any(&a->local) && i < dev->addresses.count; i++) {
		union address own = dev->addresses.of[i].address;

		address_set_port(&own, address_port(&a->local));
		if (own.sa.sa_family == a->local.sa.sa_family)
			a->local = own;
	}
	if (address_is_any(&a->local))
		return -EAFNOSUPPORT;
	return neighbour_open(dev->tap.name, &a->ifindex);
}

/* A job. */
static int start(struct hf_device *dev, void *arg)
{
	struct attempt *a = arg;
	int rc = send_connect(dev, a);

	if (rc)
		return rc;
	pthread_mutex_lock(&dev->lock);
	a->next = dev->attempts;
	dev->attempts = a;
	pthread_mutex_unlock(&dev->lock);
	return 0;
}

/* A job: nobody waits any longer. */
static int cancel(struct hf_device *dev, void *arg)
{
	struct attempt *a = arg;

	if (a->done)
		return 0;
	if (a->id != HF_NO_ID)
		service_command(dev, HF_COMMAND_ABORT, a->id);
	finish(dev, a, -ETIMEDOUT);
	return 0;
}

/* In the caller's thread ------------------------------------------------------------------------------------------ */

static bool wait_until_done(struct hf_device *dev, const struct attempt *a, int timeout_ms)
{
	struct timespec deadline = deadline_after(timeout_ms);
	bool late = false;

	pthread_mutex_lock(&dev->lock);
	while (!a->done && !late)
		late = pthread_cond_timedwait(&dev->attempt_done, &dev->lock, &deadline) == ETIMEDOUT;
	late = !a->done;
	pthread_mutex_unlock(&dev->lock);
	return !late;
}

static void forget_attempt(struct hf_device *dev, const struct attempt *a)
{
	struct attempt **at;

	pthread_mutex_lock(&dev->lock);
	for (at = &dev->attempts; *at && *at != a; at = &(*at)->next)
		;
	if (*at)
		*at = a->next;
	pthread_mutex_unlock(&dev->lock);
}

static int check_arguments(const struct sockaddr *local, const struct sockaddr *remote, socklen_t length,
	int timeout_ms, struct attempt *a)
{
	int rc;

	if (timeout_ms == 0 || timeout_ms > TIMEOUT_MAX_MS)
		return -EINVAL;
	rc = address_read(remote, length, &a->remote);
	if (rc)
		return rc;
	a->local.sa.sa_family = a->remote.sa.sa_family;
	if (local)
		rc = address_read(local, length, &a->local);
	if (rc)
		return rc;
	if (a->local.sa.sa_family != a->remote.sa.sa_family)
		return -EAFNOSUPPORT;
	a->any_port = !address_port(&a->local);
	return !address_is_unicast(&a->remote) || !address_port(&a->remote) ? -EINVAL : 0;
}

/* Everything after the arguments. */
static int open_connection(struct hf_device *dev, struct attempt *a, int timeout_ms)
{
	int64_t deadline = clock_ms() + (timeout_ms > 0 ? timeout_ms : TIMEOUT_MAX_MS);
	int64_t left;
	int tool = service_run(dev, open_tools, a), rc;

	if (tool < 0)
		return tool;
	rc = neighbour_find(tool, a->ifindex, &a->remote, deadline, a->mac, &a->vlan);
	close(tool);
	if (rc) {
		error_set(dev, "%s: %s",
			rc == -ENETUNREACH    ? "no route through the TAP netdev to the peer"
			: rc == -EHOSTUNREACH ? "the next hop does not answer ARP or NDP"
					      : "find the next hop",
			strerror(-rc));
		return rc;
	}
	left = deadline - clock_ms();
	if (left <= 0)
		return -ETIMEDOUT;
	if (timeout_ms > 0)
		a->give_up_ms = (unsigned)left;
	rc = service_run(dev, start, a);
	if (rc)
		return rc;
	if (!wait_until_done(
		    dev, a, left > TIMEOUT_MAX_MS - TIMEOUT_MORE_MS ? TIMEOUT_MAX_MS : (int)left + TIMEOUT_MORE_MS))
		service_run(dev, cancel, a);
	forget_attempt(dev, a);
	return a->result;
}

int hf_connect(struct hf_device *dev, const struct sockaddr *local, const struct sockaddr *remote, socklen_t length,
	int timeout_ms)
{
	struct attempt a = { .id = HF_NO_ID, .fd = -1 };
	int rc = check_arguments(local, remote, length, timeout_ms, &a);

	if (rc) {
		error_set(dev, "hf_connect: %s", strerror(-rc));
		return rc;
	}
	if (dev->client) {
		char why[ERROR_BYTES] = "";

		if (!local)
			a.local.sa.sa_family = AF_UNSPEC;
		rc = client_connect(dev->client, &a.local, &a.remote, timeout_ms, why);
		if (rc < 0)
			error_set(dev, "%s", why);
		return rc;
	}
	rc = open_connection(dev, &a, timeout_ms);
	if (rc >= 0) {
		count(dev, COUNT_connects);
		return rc;
	}
	count(dev, COUNT_connect_failed);
	if (a.fd >= 0)
		close(a.fd);
	return rc;
}
