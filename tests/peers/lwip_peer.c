/* SPDX-License-Identifier: Apache-2.0
 * lwip_peer.c - lwIP as the peer of a board, for tests/peers/run: a netif of our own on the board's unix wire.
 *
 *	lwip_peer PATH OWN-ADDRESS connect ADDRESS PORT [peer-first]   one connection: "ping" there, "pong" back, close
 *	lwip_peer PATH OWN-ADDRESS listen PORT                         serve such connections, for ever
 *
 * Exit code: 0, 1 it failed, 2 usage. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <lwip/api.h>
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/tcpip.h>
#include <netif/ethernet.h>

enum { TIMEOUT_MS = 20000, LAST_WORDS_US = 700000, FRAME_MAX = 1522 };

static int wire;
static struct netif netif;

static err_t link_output(struct netif *n, struct pbuf *p)
{
	uint8_t frame[FRAME_MAX];

	(void)n;
	if (p->tot_len > sizeof(frame))
		return ERR_BUF;
	pbuf_copy_partial(p, frame, p->tot_len, 0);
	return send(wire, frame, p->tot_len, MSG_NOSIGNAL) < 0 ? ERR_IF : ERR_OK;
}

static err_t start_netif(struct netif *n)
{
	static const uint8_t mac[6] = { 0x02, 0x6c, 0x77, 0x49, 0x50, 0x01 };

	n->name[0] = 'h';
	n->name[1] = 'f';
	n->output = etharp_output;
	n->linkoutput = link_output;
	n->mtu = 1500;
	n->hwaddr_len = 6;
	memcpy(n->hwaddr, mac, 6);
	n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

static void *receive(void *arg)
{
	uint8_t frame[FRAME_MAX];
	ssize_t n;

	(void)arg;
	while ((n = recv(wire, frame, sizeof(frame), 0)) > 0) {
		struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_POOL);

		if (!p)
			continue;
		pbuf_take(p, frame, (u16_t)n);
		if (netif.input(p, &netif) != ERR_OK)
			pbuf_free(p);
	}
	return NULL;
}

static void started(void *arg)
{
	pthread_mutex_unlock(arg);
}

static bool open_wire(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(addr.sun_path))
		return false;
	strcpy(addr.sun_path, path);
	wire = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return wire >= 0 && !connect(wire, (const struct sockaddr *)&addr, sizeof(addr));
}

/* Exactly these four octets. */
static bool expect(struct netconn *c, const char *text)
{
	char got[4];
	unsigned used = 0;

	netconn_set_recvtimeout(c, TIMEOUT_MS);
	while (used < 4) {
		struct netbuf *b;
		unsigned n;

		if (netconn_recv(c, &b) != ERR_OK)
			return false;
		n = netbuf_len(b);
		if (used + n <= 4)
			netbuf_copy(b, got + used, (u16_t)n);
		used += n;
		netbuf_delete(b);
	}
	return used == 4 && !memcmp(got, text, 4);
}

static bool end_of_stream(struct netconn *c)
{
	struct netbuf *b;

	return netconn_recv(c, &b) == ERR_CLSD;
}

static bool run_connect(const char *address, const char *port, bool first)
{
	struct netconn *c = netconn_new(NETCONN_TCP);
	ip_addr_t remote;
	const char *failed = NULL;

	if (!c || !ipaddr_aton(address, &remote) || netconn_connect(c, &remote, (u16_t)atoi(port)) != ERR_OK)
		failed = "connect";
	else if (netconn_write(c, "ping", 4, NETCONN_COPY) != ERR_OK)
		failed = "write";
	else if (first && netconn_shutdown(c, 0, 1) != ERR_OK)
		failed = "shutdown";
	else if (!expect(c, "pong"))
		failed = "the answer did not come";
	else if (!end_of_stream(c))
		failed = "no end of stream";
	if (failed)
		fprintf(stderr, "lwip_peer: %s\n", failed);
	else
		puts("ok: lwIP " LWIP_VERSION_STRING);
	if (c) {
		netconn_close(c);
		netconn_delete(c);
	}
	usleep(LAST_WORDS_US); /* the last segments are lwIP's thread's */
	return !failed;
}

static bool run_listen(const char *port)
{
	struct netconn *l = netconn_new(NETCONN_TCP), *c;

	if (!l || netconn_bind(l, IP_ADDR_ANY, (u16_t)atoi(port)) != ERR_OK || netconn_listen(l) != ERR_OK)
		return false;
	puts("listening");
	fflush(stdout);
	while (netconn_accept(l, &c) == ERR_OK) {
		bool good = expect(c, "ping") && netconn_write(c, "pong", 4, NETCONN_COPY) == ERR_OK;

		netconn_shutdown(c, 0, 1);
		puts(good && end_of_stream(c) ? "ok: lwIP " LWIP_VERSION_STRING : "served badly");
		fflush(stdout);
		netconn_close(c);
		netconn_delete(c);
	}
	return false;
}

int main(int argc, char **argv)
{
	pthread_mutex_t ready = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;
	ip4_addr_t own, mask, none;
	bool good;

	if (argc < 5 || !ip4addr_aton(argv[2], &own) || (strcmp(argv[3], "listen") && argc < 6)) {
		fprintf(stderr, "usage: lwip_peer PATH OWN-ADDRESS connect ADDRESS PORT [peer-first] | listen PORT\n");
		return 2;
	}
	if (!open_wire(argv[1])) {
		perror("lwip_peer: the wire");
		return 1;
	}
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&none, 0, 0, 0, 0);
	pthread_mutex_lock(&ready);
	tcpip_init(started, &ready);
	pthread_mutex_lock(&ready);
	LOCK_TCPIP_CORE();
	netif_add(&netif, &own, &mask, &none, NULL, start_netif, tcpip_input);
	netif_set_default(&netif);
	netif_set_up(&netif);
	UNLOCK_TCPIP_CORE();
	pthread_create(&thread, NULL, receive, NULL);
	good = strcmp(argv[3], "listen") ? run_connect(argv[4], argv[5], argc > 6 && !strcmp(argv[6], "peer-first"))
					 : run_listen(argv[4]);
	return good ? 0 : 1;
}
