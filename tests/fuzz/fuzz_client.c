/* SPDX-License-Identifier: Apache-2.0
 * fuzz_client.c - what a program may send to handfastd, and what it may be sent: no octets may make the parsers read beyond them, accept
 * what they must not, or give out an address that is none. The first octet chooses the parser. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "../../host/handfast.h"
#include "../../host/ipc.h"

static void check_address(const union address *a, bool may_be_none)
{
	char text[ADDRESS_TEXT_BYTES];

	assert(a->sa.sa_family == AF_INET || a->sa.sa_family == AF_INET6 ||
		(may_be_none && a->sa.sa_family == AF_UNSPEC));
	if (a->sa.sa_family != AF_UNSPEC)
		assert(strlen(address_text(a, text)) < sizeof(text));
}

static void request(const uint8_t *at, size_t len, unsigned descriptors)
{
	struct ipc_order o;

	if (ipc_parse_request(at, len, descriptors, &o))
		return;
	assert(len == sizeof(struct ipc_request) && o.type >= IPC_HELLO && o.type < IPC_TYPES && descriptors <= 1);
	check_address(&o.local, true);
	check_address(&o.remote, true);
	if (o.type == IPC_LISTEN)
		assert(address_port(&o.local) && o.backlog >= 1 && o.backlog <= HF_BACKLOG_MAX);
	if (o.type == IPC_CONNECT)
		assert(address_is_unicast(&o.remote) && address_port(&o.remote) && o.timeout_ms && !descriptors);
	if (o.type == IPC_CLOSE)
		assert(descriptors == 1);
}

static void channel_name(const uint8_t *at, size_t len)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	union address local;

	len = len < sizeof(name.sun_path) ? len : sizeof(name.sun_path);
	memcpy(name.sun_path, at, len);
	if (!ipc_read_channel_name(&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len), &local))
		return;
	check_address(&local, false);
	assert(address_port(&local));
	/* What we make of it is read as the same. */
	union address again;

	assert(ipc_read_channel_name(&name, ipc_channel_name(&local, 1, &name), &again) &&
		address_equal(&local, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ipc_connection connection;
	struct ipc_answer answer;
	struct ipc_option option;
	struct ipc_reply reply;
	uint8_t *exact;

	if (!len)
		return 0;
	/* Of its own, so that reading beyond it is seen. */
	exact = malloc(len);
	memcpy(exact, data + 1, len - 1);
	switch (data[0] & 7) {
	case 0:
	case 1:
	case 2:
		request(exact, len - 1, data[0] & 3);
		break;
	case 3:
		if (!ipc_parse_answer(exact, len - 1, &answer))
			assert(answer.type == IPC_TAKEN || answer.type == IPC_AGAIN);
		break;
	case 4:
		if (!ipc_parse_reply(exact, len - 1, data[0] >> 3, &reply))
			assert(memchr(reply.text, 0, sizeof(reply.text)) && reply.stats <= IPC_STATS_MAX);
		break;
	case 5:
		ipc_parse_connection(exact, len - 1, &connection);
		break;
	case 6:
		if (!ipc_parse_option(exact, len - 1, &option))
			assert(ipc_option_ok(option.level, option.option, option.length) &&
				(option.level != SOL_SOCKET || option.option != SO_MARK) &&
				option.length <= sizeof(option.value));
		break;
	default:
		channel_name(exact, len - 1);
		break;
	}
	free(exact);
	return 0;
}
