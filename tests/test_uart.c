/* SPDX-License-Identifier: Apache-2.0
 * test_uart.c - driver/transport_uart.c over a pseudo terminal, at whose other end a card answers (sim/usb/link_functional.c). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../driver/clock.h"
#include "../driver/transport.h"
#include "../sim/usb/link_functional.h"
#include "support_bench.h"
#include "support_usb.h"

struct card {
	struct card_link *link;
	int fd; /* the terminal's other end */
	char path[64];
	bool echo;     /* what the host sends comes back */
	unsigned lose; /* of 2^16 bytes each way */
	bool stop, noise_only;
	unsigned took;
	pthread_t thread;
	pthread_mutex_t lock;
};

static size_t lose(const struct card *c, uint64_t *seed, uint8_t *bytes, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!c->lose || random_below(seed, 65536) >= c->lose)
			bytes[kept++] = bytes[i];
	return kept;
}

static void *serve(void *ctx)
{
	struct card *c = ctx;
	uint64_t seed = 1;
	uint8_t bytes[1024];

	for (bool stop = false; !stop;) {
		struct pollfd p = { c->fd, POLLIN, 0 };
		const uint8_t *msg;
		size_t len;
		ssize_t n;

		poll(&p, 1, 1);
		pthread_mutex_lock(&c->lock);
		stop = c->stop;
		n = p.revents & POLLIN ? read(c->fd, bytes, sizeof(bytes)) : 0;
		if (n > 0 && !c->noise_only)
			card_link_down(c->link, bytes, lose(c, &seed, bytes, (size_t)n), clock_us());
		if (card_link_due(c->link) <= clock_us())
			card_link_tick(c->link, clock_us());
		while (c->echo && (msg = card_link_h2c(c->link, &len)) && card_link_room(c->link, len)) {
			card_link_c2h(c->link, msg, len);
			card_link_h2c_done(c->link);
			c->took++;
		}
		if (c->noise_only) {
			for (len = 0; len < sizeof(bytes); len++)
				bytes[len] = (uint8_t)random_next(&seed);
			if (write(c->fd, bytes, sizeof(bytes)) < 0)
				usleep(1000);
		} else {
			/* One portion each time, at most what a terminal takes at once. */
			len = lose(c, &seed, bytes, card_link_up(c->link, bytes, sizeof(bytes), clock_us()));
			for (size_t at = 0; at < len && !stop;) {
				n = write(c->fd, bytes + at, len - at);
				at += n > 0 ? (size_t)n : 0;
				if (n < 0)
					usleep(500);
			}
		}
		pthread_mutex_unlock(&c->lock);
	}
	return NULL;
}

static const uint8_t *message(uint32_t number, size_t len)
{
	static uint8_t m[2048];

	for (size_t i = 0; i < len; i++)
		m[i] = (uint8_t)(number + i);
	MSG_PUT(m, HEADER, length, len);
	MSG_PUT(m, HEADER, id, number);
	return m;
}

static bool card_start(struct card *c)
{
	memset(c, 0, sizeof(*c));
	c->link = card_link_new();
	card_link_hello(c->link, message(4711, 40), 40);
	pthread_mutex_init(&c->lock, NULL);
	c->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (!CHECK(c->fd >= 0 && !grantpt(c->fd) && !unlockpt(c->fd) && !ptsname_r(c->fd, c->path, sizeof(c->path)),
		    "a pseudo terminal: %s", strerror(errno)))
		return false;
	return CHECK(!pthread_create(&c->thread, NULL, serve, c), "pthread_create");
}

static void set(struct card *c, bool *which, bool value)
{
	pthread_mutex_lock(&c->lock);
	*which = value;
	pthread_mutex_unlock(&c->lock);
}

static void card_stop(struct card *c)
{
	set(c, &c->stop, true);
	pthread_join(c->thread, NULL);
	if (c->fd >= 0)
		close(c->fd);
	card_link_free(c->link);
	pthread_mutex_destroy(&c->lock);
}

static struct transport *open_uart(const struct card *c, const char *baud, int expected, char *why)
{
	struct transport *t = NULL;
	char uri[96];
	int rc;

	snprintf(uri, sizeof(uri), "uart:%s%s", c->path, baud);
	why[0] = '\0';
	rc = transport_open(uri, 1500, &t, why);
	CHECK(rc == expected, "%s: %d %s, expected %d", uri, rc, why, expected);
	return rc ? NULL : t;
}

/* The next message within three seconds; sleeps as users do. */
static ssize_t receive(struct transport *t, uint8_t *msg, size_t cap)
{
	int64_t end = clock_ms() + 3000;
	ssize_t n;

	while ((n = transport_recv(t, msg, cap)) == -EAGAIN && clock_ms() < end) {
		struct pollfd p = { transport_fd(t), POLLIN, 0 };

		poll(&p, 1, 100);
	}
	return n;
}

/* `count` messages go there and come back, each once and in order. */
static void echo(struct transport *t, unsigned count)
{
	uint8_t got[2048];
	unsigned sent = 0, came = 0;
	ssize_t n;

	while (came < count) {
		while (sent < count && !transport_send(t, message(sent, 16 + sent * 37 % 1500), 16 + sent * 37 % 1500))
			sent++;
		n = receive(t, got, sizeof(got));
		if (!CHECK(n > 0, "message %u: %zd", came, n))
			return;
		if (!CHECK_BYTES("echo", got, (size_t)n, message(came, 16 + came * 37 % 1500), 16 + came * 37 % 1500))
			return;
		came++;
	}
	CHECK_EQ(transport_recv(t, got, sizeof(got)), -EAGAIN, "nothing more");
}

static void messages_there_and_back(void)
{
	char why[TRANSPORT_WHY_BYTES];
	uint8_t got[64];
	struct transport *t;
	struct card c;
	unsigned before = open_descriptors();

	if (!card_start(&c))
		return;
	set(&c, &c.echo, true);
	t = open_uart(&c, "", 0, why);
	if (t) {
		CHECK_EQ(receive(t, got, sizeof(got)), 40, "HELLO");
		echo(t, 400);
		transport_close(t);
		CHECK(!card_link_is_open(c.link), "the card was not told of the end");
	}
	/* And once more; what the first one left does not matter. */
	t = open_uart(&c, ":12000000", 0, why);
	if (t) {
		CHECK_EQ(receive(t, got, sizeof(got)), 40, "HELLO");
		echo(t, 20);
		transport_close(t);
	}
	card_stop(&c);
	CHECK_EQ(open_descriptors(), before, "descriptors");
}

static void lost_bytes(void)
{
	char why[TRANSPORT_WHY_BYTES];
	uint8_t got[64];
	struct transport *t;
	struct card c;

	if (!card_start(&c))
		return;
	set(&c, &c.echo, true);
	t = open_uart(&c, ":12000000", 0, why);
	if (t) {
		CHECK_EQ(receive(t, got, sizeof(got)), 40, "HELLO");
		pthread_mutex_lock(&c.lock);
		c.lose = 10; /* one of 6,500 */
		pthread_mutex_unlock(&c.lock);
		echo(t, 60);
		pthread_mutex_lock(&c.lock);
		c.lose = 0;
		pthread_mutex_unlock(&c.lock);
		transport_close(t);
	}
	card_stop(&c);
}

static void set_to_raw_bytes_at_the_rate(void)
{
	char why[TRANSPORT_WHY_BYTES];
	uint32_t termios2[11];
	struct termios tio;
	struct transport *t;
	struct card c;

	if (!card_start(&c))
		return;
	t = open_uart(&c, ":115200", 0, why);
	CHECK(!tcgetattr(c.fd, &tio), "tcgetattr");
	CHECK(!(tio.c_lflag & (ICANON | ECHO | ISIG)) && !(tio.c_iflag & (IXON | ICRNL)) && !(tio.c_oflag & OPOST),
		"not raw");
	CHECK((tio.c_cflag & CSIZE) == CS8 && !(tio.c_cflag & (PARENB | CSTOPB)), "not 8N1");
	/* struct termios2 of <asm/termbits.h>, which excludes <termios.h>: 44 bytes, the last word is the output rate. */
	CHECK(!ioctl(c.fd, _IOR('T', 0x2a, uint32_t[11]), termios2), "TCGETS2");
	CHECK_EQ(termios2[10], 115200, "rate");
	transport_close(t);
	card_stop(&c);
}

static void what_is_no_board(void)
{
	char why[TRANSPORT_WHY_BYTES], path[] = "/tmp/handfast-uart-XXXXXX", uri[96];
	struct transport *t;
	struct card c;
	int fd = mkstemp(path);

	static const char *const bad[] = { "uart:", "uart:ttyUSB0", "uart:/dev/ttyS0:", "uart:/dev/ttyS0:fast",
		"uart:/dev/ttyS0:100", "uart:/dev/ttyS0:12000001", "uart:/dev/ttyS0:-5" };

	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK_EQ(transport_open(bad[i], 100, &t, why), -EINVAL, bad[i]);
	CHECK_EQ(transport_open("uart:/dev/none-such", 100, &t, why), -ENOENT, "no such file");
	CHECK(!strcmp(why, "/dev/none-such: No such file or directory"), "why: %s", why);
	snprintf(uri, sizeof(uri), "uart:%s", path);
	CHECK_EQ(transport_open(uri, 100, &t, why), -ENOTTY, "a plain file");
	CHECK(strstr(why, "not a serial port") != NULL, "why: %s", why);
	close(fd);
	unlink(path);
	if (!card_start(&c))
		return;
	set(&c, &c.noise_only, true);
	snprintf(uri, sizeof(uri), "uart:%s:3000000", c.path);
	CHECK_EQ(transport_open(uri, 300, &t, why), -ETIMEDOUT, "noise");
	CHECK(strstr(why, "at 3000000 baud: nothing there answers as a board") != NULL, "why: %s", why);
	card_stop(&c);
}

static void second_process_is_refused(void)
{
	char why[TRANSPORT_WHY_BYTES];
	struct transport *t, *other;
	struct card c;
	int status = 0;
	pid_t pid;

	if (!card_start(&c))
		return;
	t = open_uart(&c, "", 0, why);
	if (t) {
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			char uri[96], expected[64];
			int rc;

			snprintf(uri, sizeof(uri), "uart:%s", c.path);
			snprintf(expected, sizeof(expected), "(pid %d)", getppid());
			rc = transport_open(uri, 500, &other, why);
			_exit(rc == -EBUSY && strstr(why, expected) ? 0 : 1);
		}
		waitpid(pid, &status, 0);
		CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "a second process");
		transport_close(t);
	}
	card_stop(&c);
}

static void unplugged(void)
{
	char why[TRANSPORT_WHY_BYTES];
	uint8_t got[64];
	struct transport *t;
	struct card c;
	ssize_t n;

	if (!card_start(&c))
		return;
	t = open_uart(&c, "", 0, why);
	if (t) {
		CHECK_EQ(receive(t, got, sizeof(got)), 40, "HELLO");
		set(&c, &c.stop, true);
		pthread_join(c.thread, NULL);
		close(c.fd);
		n = receive(t, got, sizeof(got));
		CHECK_EQ(n, -ENODEV, "after unplugging");
		CHECK_EQ(transport_send(t, message(1, 24), 24), -ENODEV, "send after unplugging");
		transport_close(t);
		card_link_free(c.link);
		return;
	}
	card_stop(&c);
}

/* A card that takes nothing: the ninth message has no room, and the descriptor says when there is some. */
static void room_is_reported(void)
{
	char why[TRANSPORT_WHY_BYTES];
	struct transport *t;
	struct card c;
	unsigned sent = 0;
	int rc = 0;

	if (!card_start(&c))
		return;
	t = open_uart(&c, "", 0, why);
	if (t) {
		int64_t end = clock_ms() + 3000;
		uint8_t got[64];

		CHECK_EQ(receive(t, got, sizeof(got)), 40, "HELLO");
		while (sent < 100 && clock_ms() < end) {
			struct pollfd p = { transport_fd(t), POLLIN, 0 };

			rc = transport_send(t, message(sent, 1000), 1000);
			if (!rc) {
				sent++;
				continue;
			}
			if (sent >= 16 && rc == -EAGAIN)
				break; /* 8 in the card, 8 in the link */
			poll(&p, 1, 50);
			CHECK_EQ(transport_recv(t, got, sizeof(got)), -EAGAIN, "recv");
		}
		CHECK(sent == 16 && rc == -EAGAIN, "%u messages fit", sent);
		set(&c, &c.echo, true);
		while (sent < 17 && clock_ms() < end) {
			struct pollfd p = { transport_fd(t), POLLIN, 0 };

			poll(&p, 1, 500);
			while (transport_recv(t, got, sizeof(got)) != -EAGAIN)
				;
			sent += !transport_send(t, message(sent, 1000), 1000);
		}
		CHECK_EQ(sent, 17, "messages when there was room again");
		transport_close(t);
	}
	card_stop(&c);
}

/* Who takes one message each time that the descriptor is readable gets them all, without another one coming. */
static void descriptor_stays_readable(void)
{
	char why[TRANSPORT_WHY_BYTES];
	struct transport *t;
	struct card c;
	uint8_t got[64];

	if (!card_start(&c))
		return;
	set(&c, &c.echo, true);
	t = open_uart(&c, "", 0, why);
	if (t) {
		CHECK_EQ(receive(t, got, sizeof(got)), 40, "HELLO");
		for (unsigned i = 0; i < 4; i++)
			CHECK_EQ(transport_send(t, message(i, 24), 24), 0, "send");
		usleep(100000); /* they are all there; four are acknowledged at once, so no timer helps */
		for (unsigned came = 0, wakes = 0; came < 4 && wakes < 50; wakes++) {
			struct pollfd p = { transport_fd(t), POLLIN, 0 };

			if (!CHECK(poll(&p, 1, 1000) == 1, "not readable after %u of 4", came))
				break;
			came += transport_recv(t, got, sizeof(got)) == 24;
		}
		CHECK_EQ(transport_recv(t, got, sizeof(got)), -EAGAIN, "nothing more");
		transport_close(t);
	}
	card_stop(&c);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		CASE_ONCE(messages_there_and_back),
		CASE_ONCE(lost_bytes),
		CASE_ONCE(set_to_raw_bytes_at_the_rate),
		CASE_ONCE(what_is_no_board),
		CASE_ONCE(second_process_is_refused),
		CASE_ONCE(unplugged),
		CASE_ONCE(room_is_reported),
		CASE_ONCE(descriptor_stays_readable),
		{ 0 },
	};

	return bench_main(argc, argv, "uart", cases);
}
