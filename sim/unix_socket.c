/* SPDX-License-Identifier: Apache-2.0
 * unix_socket.c - listen on a unix socket, replacing a stale one only. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "unix_socket.h"

/* Whether a process has a socket bound to addr. The probe is a datagram socket: connecting it to a living
 * socket of another type fails with EPROTOTYPE and leaves no trace there, to a stale one with ECONNREFUSED. */
static int is_alive(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int alive = fd < 0 || !connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) || errno != ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return alive;
}

int unix_listen_as(const char *path, int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	int fd, error;

	if (!path[0] || strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	if (!lstat(path, &st)) {
		if (!S_ISSOCK(st.st_mode))
			return -EEXIST;
		if (is_alive(&addr))
			return -EADDRINUSE;
		unlink(path);
	}
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr))) {
		error = -errno;
		close(fd);
		return error;
	}
	if (listen(fd, 8)) {
		error = -errno;
		unlink(path);
		close(fd);
		return error;
	}
	return fd;
}

int unix_listen(const char *path)
{
	return unix_listen_as(path, SOCK_SEQPACKET);
}

const char *unix_listen_error(int error)
{
	switch (error) {
	case -ENAMETOOLONG:
		return "a socket path has 1 to 107 bytes";
	case -EADDRINUSE:
		return "in use by a running process";
	case -EEXIST:
		return "exists and is not a socket";
	default:
		return strerror(-error);
	}
}
