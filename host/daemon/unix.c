/* SPDX-License-Identifier: Apache-2.0
 * unix.c - listening unix sockets, and the folder that they are in. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon.h"

enum { FOLDER_MODE = 0755, HELD_TRIES = 50, HELD_STEP_MS = 20 };

/* A socket file that nobody listens at any more is removed. */
static int remove_dead(const struct sockaddr_un *addr, int type)
{
	struct stat st;
	int fd, rc;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? errno : 0;
	close(fd);
	if (rc != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(addr->sun_path) && errno != ENOENT ? -errno : 0;
}

/* The socket's own folder, if it is not there: everybody may go through it, each socket's mode says who may connect. Not its parents: a path
 * that is mistyped is not made. */
static int make_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *end = strrchr(path, '/');
	struct stat st;

	if (!end || end == path)
		return 0;
	memcpy(folder, path, (size_t)(end - path));
	folder[end - path] = 0;
	if (!stat(folder, &st))
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	if (errno != ENOENT)
		return -errno;
	if (mkdir(folder, FOLDER_MODE) && errno != EEXIST) {
		int rc = -errno;

		log_line(LOG_ERR, "start", "make the folder %s: %s", folder, strerror(-rc));
		return rc;
	}
	/* Whatever the umask: the unit's leaves it to root. */
	return chmod(folder, FOLDER_MODE) ? -errno : 0;
}

int unix_serve(const char *path, int type, unsigned mode)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t before;
	int fd, rc;

	if (!*path || strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	rc = make_folder(path);
	if (rc)
		return rc;
	/* A daemon that was killed has perhaps left a child that has not come to its exec yet, and listens until then. */
	for (unsigned try = 0; (rc = remove_dead(&addr, type)) == -EADDRINUSE && try < HELD_TRIES; try++)
		poll(NULL, 0, HELD_STEP_MS);
	if (rc)
		return rc;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	before = umask(0777 & ~mode);
	rc = bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
	umask(before);
	if (!rc && listen(fd, SOMAXCONN))
		rc = -errno;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}
