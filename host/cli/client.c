/* SPDX-License-Identifier: Apache-2.0
 * client.c - the near end of the daemon's control socket (host/daemon/control.h). */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../daemon/control.h"
#include "cli.h"

enum { REPLY_MS = 10000 }; /* a table of thousands of entries is read by the daemon before it answers */

struct control {
	const char *command, *path;
	int fd;
	char *in; /* what came and is not yet a whole line */
	size_t have, room;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct control *control_open(const char *command, const struct cli_options *o)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct control *c;
	const char *why;

	if (strlen(o->socket) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "%s: --socket %s: the path is too long\n", command, o->socket);
		return NULL;
	}
	memcpy(addr.sun_path, o->socket, strlen(o->socket));
	c = calloc(1, sizeof(*c));
	if (!c) {
		fprintf(stderr, "%s: out of memory\n", command);
		return NULL;
	}
	c->command = command;
	c->path = o->socket;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && !connect(c->fd, (const struct sockaddr *)&addr, sizeof(addr)))
		return c;
	why = errno == ENOENT || errno == ECONNREFUSED ? "handfastd does not run here (systemctl start handfastd, or "
							 "--socket)"
	      : errno == EACCES			       ? "not permitted: be root, or in control_users of the config"
						       : strerror(errno);
	fprintf(stderr, "%s: %s: %s\n", command, o->socket, why);
	control_close(c);
	return NULL;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c->in);
	free(c);
}

/* Returns 1 and the line, without its end, in *line (to be freed); 0 after `until` or a signal; or -1, said on stderr. */
static int read_line(struct control *c, int64_t until, char **line)
{
	for (;;) {
		char *end = c->have ? memchr(c->in, '\n', c->have) : NULL;
		struct pollfd fd = { c->fd, POLLIN, 0 };
		int64_t left = until < 0 ? -1 : until - now_ms();
		size_t length;
		ssize_t n;

		if (end) {
			length = (size_t)(end - c->in);
			*line = malloc(length + 1);
			if (!*line) {
				fprintf(stderr, "%s: out of memory\n", c->command);
				return -1;
			}
			memcpy(*line, c->in, length);
			(*line)[length] = 0;
			c->have -= length + 1;
			memmove(c->in, end + 1, c->have);
			return 1;
		}
		if (until >= 0 && left <= 0)
			return 0;
		if (c->room - c->have < 4096) {
			char *more = realloc(c->in, c->room + 65536);

			if (!more) {
				fprintf(stderr, "%s: out of memory\n", c->command);
				return -1;
			}
			c->in = more;
			c->room += 65536;
		}
		if (poll(&fd, 1, (int)left) <= 0)
			return 0;
		n = recv(c->fd, c->in + c->have, c->room - c->have, MSG_DONTWAIT);
		if (n > 0) {
			c->have += (size_t)n;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			fprintf(stderr, "%s: %s: handfastd hung up\n", c->command, c->path);
			return -1;
		}
	}
}

static int read_object(struct control *c, int64_t until, json_t **object)
{
	json_error_t error;
	char *line;
	int result = read_line(c, until, &line);

	if (result <= 0)
		return result;
	*object = json_loads(line, 0, &error);
	if (!json_is_object(*object)) {
		fprintf(stderr, "%s: %s: not a reply of handfastd: %.60s\n", c->command, c->path, line);
		json_decref(*object);
		result = -1;
	}
	free(line);
	return result;
}

int control_request(struct control *c, json_t *request, json_t **reply)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t length = text ? strlen(text) : 0, sent = 0;
	int result;

	json_decref(request);
	if (!text) {
		fprintf(stderr, "%s: out of memory\n", c->command);
		return 1;
	}
	text[length++] = '\n'; /* in place of its 0 */
	while (sent < length) {
		ssize_t n = send(c->fd, text + sent, length - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* a daemon that hung up has said why, or the read below says so */
		sent += (size_t)n;
	}
	free(text);
	result = read_object(c, now_ms() + REPLY_MS, reply);
	if (result == 0)
		fprintf(stderr, "%s: %s: no answer within %d s\n", c->command, c->path, REPLY_MS / 1000);
	if (result <= 0)
		return 1;
	if (!cli_true(*reply, "ok")) {
		fprintf(stderr, "%s: %s\n", c->command, cli_text(*reply, "error"));
		json_decref(*reply);
		return 1;
	}
	return 0;
}

int control_next(struct control *c, int timeout_ms, json_t **line)
{
	return read_object(c, timeout_ms < 0 ? -1 : now_ms() + timeout_ms, line);
}

int control_ask(const char *command, const struct cli_options *o, json_t *request, json_t **reply)
{
	struct control *c = control_open(command, o);
	int result;

	if (!c) {
		json_decref(request);
		return 1;
	}
	result = control_request(c, request, reply);
	control_close(c);
	return result;
}

void cli_print_json(json_t *reply)
{
	json_object_del(reply, "ok");
	json_object_del(reply, "tag");
	json_dumpf(reply, stdout, JSON_INDENT(2));
	putchar('\n');
}
