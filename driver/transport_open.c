/* SPDX-License-Identifier: Apache-2.0
 * transport_open.c - which transport a board's URI names. */
#include "transport.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct scheme {
	const char *name, *form;
	/* `where` is what stands behind the ':'; -EINVAL when it cannot be one. NULL: anything but nothing can. */
	int (*check)(const char *where);
	/* As transport_open(); `why` may be left empty where the errno says it all. */
	int (*open)(const char *where, int timeout_ms, struct transport **t, char *why);
	/* As transport_resume(), but that the descriptors are the caller's after a failure. NULL: it cannot be. */
	int (*resume)(const char *where, const int *fds, unsigned count, struct transport **t, char *why);
};

static int open_unix(const char *where, int timeout_ms, struct transport **t, char *why)
{
	(void)why;
	return transport_unix_open(where, timeout_ms, t);
}

static int check_usb(const char *where)
{
	(void)where; /* nothing stands for the only one */
	return 0;
}

/* DDDD:BB:DD.F, all hexadecimal. */
static int check_pci(const char *where)
{
	static const char form[] = "xxxx:xx:xx.x";
	size_t i;

	for (i = 0; form[i] && where[i]; i++)
		if (form[i] == 'x' ? !strchr("0123456789abcdef", where[i]) : form[i] != where[i])
			return -EINVAL;
	return form[i] || where[i] ? -EINVAL : 0;
}

/* A new transport is one line here. */
static const struct scheme schemes[] = {
	{ "unix", "unix:PATH", NULL, open_unix, transport_unix_resume },
	{ "usb", "usb:[SERIAL]", check_usb, transport_usb_open, NULL },
	{ "uart", "uart:/DEV[:BAUD]", transport_uart_check, transport_uart_open, NULL },
	{ "pci", "pci:DDDD:BB:DD.F", check_pci, transport_vfio_open, transport_vfio_resume },
	{ "vfio-user", "vfio-user:PATH", NULL, transport_vfio_user_open, transport_vfio_user_resume },
};
enum { SCHEMES = sizeof(schemes) / sizeof(schemes[0]) };

static const struct scheme *find(const char *uri, const char **where)
{
	for (unsigned i = 0; uri && i < SCHEMES; i++) {
		size_t n = strlen(schemes[i].name);

		if (strncmp(uri, schemes[i].name, n) || uri[n] != ':')
			continue;
		*where = uri + n + 1;
		if (schemes[i].check ? schemes[i].check(*where) : !**where)
			return NULL;
		return &schemes[i];
	}
	return NULL;
}

bool transport_uri_ok(const char *uri)
{
	const char *where;

	return find(uri, &where) != NULL;
}

const char *transport_uri_forms(char *text, size_t size)
{
	size_t at = 0;

	if (size)
		text[0] = '\0';
	for (unsigned i = 0; i < SCHEMES && at < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "", schemes[i].form);
	return text;
}

int transport_open(const char *uri, int timeout_ms, struct transport **t, char *why)
{
	char reason[TRANSPORT_WHY_BYTES] = "", forms[TRANSPORT_WHY_BYTES];
	const char *where;
	const struct scheme *s = find(uri, &where);
	int rc;

	if (!s) {
		snprintf(why, TRANSPORT_WHY_BYTES, "'%.60s' is not one of %.80s", uri ? uri : "",
			transport_uri_forms(forms, sizeof(forms)));
		return -EINVAL;
	}
	rc = s->open(where, timeout_ms, t, reason);
	if (rc)
		snprintf(why, TRANSPORT_WHY_BYTES, "%s", reason[0] ? reason : strerror(-rc));
	return rc;
}

int transport_resume(const char *uri, const int *fds, unsigned count, struct transport **t, char *why)
{
	const char *where;
	const struct scheme *s = find(uri, &where);
	int rc = s && s->resume ? 0 : -EOPNOTSUPP;

	*why = 0;
	if (!rc)
		rc = s->resume(where, fds, count, t, why);
	for (unsigned i = 0; rc && i < count; i++) {
		shutdown(fds[i], SHUT_RDWR); /* of a socket of which there are copies */
		close(fds[i]);
	}
	if (rc && !*why)
		snprintf(why, TRANSPORT_WHY_BYTES, "%s", strerror(-rc));
	return rc;
}
