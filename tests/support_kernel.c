/* SPDX-License-Identifier: Apache-2.0 */
#include "support_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_namespace.h"
#include "support_peer.h"

/* PATIENCE: the library gives the board 100 ms to answer, too little on a machine that has much else to do. */
enum { WAIT_MS = 10000, COUNTERS = 256, PATIENCE = 30 };

static bool prepared;
static char handfast[4096];

/* ---- the namespace ---- */

void kernel_prepare(void)
{
	ssize_t n = readlink("/proc/self/exe", handfast, sizeof(handfast) - 16);

	/* build/tests/test_kernel -> build/handfast */
	if (n <= 0)
		return;
	handfast[n] = '\0';
	dirname(dirname(handfast)); /* cuts an absolute path in place */
	strcat(handfast, "/handfast");
	prepared = !access(handfast, X_OK) && enter_namespace();
}

void kernel_sysctl(const char *name, const char *value)
{
	char path[128];
	FILE *f;
	bool written;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	f = fopen(path, "we");
	written = f && fputs(value, f) >= 0;
	if (f)
		written &= !fclose(f);
	CHECK(written, "%s = %s: %s", path, value, strerror(errno));
}

static void interface_call(int family, unsigned long request, void *argument)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && !ioctl(fd, request, argument), "ioctl 0x%lx: %s", request, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void put_sockaddr(struct sockaddr *to, uint32_t addr)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(addr) };

	memcpy(to, &in, sizeof(in));
}

static void set_up_loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK };

	interface_call(AF_INET, SIOCSIFFLAGS, &ifr);
}

void kernel_add_address(uint32_t addr)
{
	struct ifreq ifr = { .ifr_name = "hf0:1" };

	put_sockaddr(&ifr.ifr_addr, addr);
	interface_call(AF_INET, SIOCSIFADDR, &ifr);
}

void kernel_add_gateway(uint32_t gateway)
{
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };

	put_sockaddr(&route.rt_dst, 0);
	put_sockaddr(&route.rt_genmask, 0);
	put_sockaddr(&route.rt_gateway, gateway);
	interface_call(AF_INET, SIOCADDRT, &route);
}

/* Whether 2001:db8::2 may be used: Linux calls it tentative until a worker has looked at it, even without DAD. */
static bool ip6_ready(void)
{
	FILE *f = fopen("/proc/net/if_inet6", "re");
	char addr[33];
	unsigned flags;
	bool ready = false;

	while (f && fscanf(f, "%32s %*x %*x %*x %x %*s", addr, &flags) == 2)
		ready |= !strcmp(addr, "20010db8000000000000000000000002") && !(flags & IFA_F_TENTATIVE);
	if (f)
		fclose(f);
	return ready;
}

static void add_ip6(void)
{
	/* struct in6_ifreq, whose header cannot be had beside netinet/in.h everywhere */
	struct {
		uint8_t addr[16];
		uint32_t prefix;
		int index;
	} request = { .prefix = 64, .index = (int)if_nametoindex("hf0") };

	kernel_sysctl("ipv6/conf/hf0/addr_gen_mode", "1"); /* no link-local address */
	kernel_sysctl("ipv6/conf/hf0/accept_dad", "0");
	kernel_sysctl("ipv6/conf/hf0/router_solicitations", "0");
	kernel_sysctl("ipv6/conf/hf0/disable_ipv6", "0");
	memcpy(request.addr, OUR6, 16);
	interface_call(AF_INET6, SIOCSIFADDR, &request);
	for (unsigned i = 0; i < WAIT_MS && !ip6_ready(); i++)
		usleep(1000);
	CHECK(ip6_ready(), "hf0 has no IPv6 address");
}

/* The entry in one message of a dump. */
static struct neighbour neighbour_in(const struct nlmsghdr *h, const void *addr, size_t len)
{
	const struct ndmsg *n = NLMSG_DATA(h);
	int left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*n)));
	struct neighbour found = { .state = n->ndm_state };
	struct nda_cacheinfo info;
	bool it = false;

	for (const struct rtattr *a = (const void *)(n + 1); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == NDA_DST) {
			it = RTA_PAYLOAD(a) == len && !memcmp(RTA_DATA(a), addr, len);
		} else if (a->rta_type == NDA_LLADDR && RTA_PAYLOAD(a) == 6) {
			found.mac = get48(RTA_DATA(a));
		} else if (a->rta_type == NDA_CACHEINFO) {
			memcpy(&info, RTA_DATA(a), sizeof(info));
			found.confirmed_ms = info.ndm_confirmed * UINT64_C(1000) / (uint64_t)sysconf(_SC_CLK_TCK);
		}
	}
	return it ? found : (struct neighbour){ 0 };
}

struct neighbour kernel_neighbour(const void *addr, size_t len)
{
	struct {
		struct nlmsghdr header;
		struct ndmsg body;
	} request = { { sizeof(request), RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
		{ .ndm_family = len == 4 ? AF_INET : AF_INET6 } };
	static uint8_t answer[32768] __attribute__((aligned(8)));
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct neighbour found = { 0 };
	bool more = fd >= 0 && send(fd, &request, sizeof(request), 0) == sizeof(request);

	while (more) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);
		const struct nlmsghdr *h = (const void *)answer;

		more = n > 0;
		for (; n > 0 && NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
				more = false;
			else if (!found.state)
				found = neighbour_in(h, addr, len);
		}
	}
	if (fd >= 0)
		close(fd);
	return found;
}

/* ---- the board ---- */

/* Until `text` stands in what the board prints. */
static bool wait_for(int fd, const char *text)
{
	char said[4096] = "";
	size_t used = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (!strstr(said, text) && poll(&p, 1, WAIT_MS) > 0) {
		ssize_t n = read(fd, said + used, sizeof(said) - 1 - used);

		if (n <= 0)
			break;
		used += (size_t)n;
		said[used] = '\0';
	}
	return CHECK(strstr(said, text) != NULL, "the board does not say '%s' but '%s'", text, said);
}

const char *kernel_transport = "unix";

static bool start_board(struct kernel *k)
{
	char wire[64], host[64];
	int out[2];

	snprintf(wire, sizeof(wire), "unix:%s/wire", k->dir);
	snprintf(host, sizeof(host), "%s:%s/host", kernel_transport, k->dir);
	if (!CHECK(!pipe2(out, O_CLOEXEC), "pipe: %s", strerror(errno)))
		return false;
	k->board = fork();
	if (!k->board) {
		prctl(PR_SET_PDEATHSIG, SIGTERM); /* not left behind, whatever happens to the test */
		dup2(out[1], 1);
		dup2(out[1], 2);
		execl(handfast, handfast, "board", "--engine", engine_kind_name(bench_target()), "--wire", wire,
			"--host", host, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	k->summary = out[0];
	return CHECK(k->board > 0, "fork: %s", strerror(errno)) && wait_for(k->summary, " ready\n");
}

static bool join_wire(struct kernel *k)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/wire", k->dir);
	k->wire = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	setsockopt(k->wire, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return CHECK(
		!connect(k->wire, (struct sockaddr *)&addr, sizeof(addr)), "%s: %s", addr.sun_path, strerror(errno));
}

static bool open_host(struct kernel *k)
{
	static const struct hf_options options = {
		.address = "192.0.2.2/24", .tap = "hf0", .mac = "02:00:00:00:00:02"
	};
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_port = htons(OUR_PORT) };
	char uri[64];
	int rc = -ETIMEDOUT;

	snprintf(uri, sizeof(uri), "%s:%s/host", kernel_transport, k->dir);
	/* ENODEV: the board has not noticed yet that the attempt before is over. */
	for (unsigned i = 0; i < PATIENCE && (rc == -ETIMEDOUT || rc == -ENODEV); i++) {
		if (i)
			usleep(100000);
		rc = hf_open(uri, &options, &k->dev);
	}
	if (!CHECK(!rc, "hf_open: %d %s", rc, hf_error(NULL)))
		return false;
	rc = -ETIMEDOUT;
	for (unsigned i = 0; i < PATIENCE && rc == -ETIMEDOUT; i++)
		rc = hf_listen(k->dev, (struct sockaddr *)&local, sizeof(local), 16, &k->listener);
	return CHECK(!rc, "hf_listen: %d %s", rc, hf_error(k->dev));
}

struct kernel *kernel_open(void)
{
	struct kernel *k;

	if (!prepared) {
		bench_skip("needs CAP_NET_ADMIN, a network namespace, /dev/net/tun and the program handfast");
		return NULL;
	}
	if (!CHECK(!unshare(CLONE_NEWNET), "unshare: %s", strerror(errno)))
		return NULL;
	set_up_loopback(); /* the kernel's own ICMP errors go through it */
	kernel_sysctl("ipv4/ip_forward", "0");
	/* The limits are the kernel's, per socket or host; here each answer is looked at. */
	kernel_sysctl("ipv4/tcp_invalid_ratelimit", "0");
	kernel_sysctl("ipv4/icmp_ratelimit", "0");
	kernel_sysctl("ipv6/icmp/ratelimit", "0");
	kernel_sysctl("ipv6/conf/default/disable_ipv6", "1");
	k = calloc(1, sizeof(*k));
	if (!k)
		abort();
	k->wire = k->summary = -1;
	strcpy(k->dir, "/tmp/hf-kernel-XXXXXX");
	if (CHECK(mkdtemp(k->dir) != NULL, "mkdtemp: %s", strerror(errno)) && start_board(k) && join_wire(k) &&
		open_host(k))
		return k;
	kernel_close(k);
	return NULL;
}

struct kernel *kernel_open6(void)
{
	struct kernel *k = kernel_open();

	if (k)
		add_ip6();
	return k;
}

void kernel_close(struct kernel *k)
{
	int status = 0;

	hf_listener_close(k->listener);
	hf_close(k->dev);
	if (k->board > 0) {
		kill(k->board, SIGTERM);
		waitpid(k->board, &status, 0);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the board ended with status 0x%x", status);
	}
	if (k->wire >= 0)
		close(k->wire);
	if (k->summary >= 0)
		close(k->summary);
	CHECK(!rmdir(k->dir), "%s: %s", k->dir, strerror(errno));
	free(k);
}

uint64_t kernel_stat(struct kernel *k, const char *name)
{
	struct hf_stat stats[COUNTERS] = { 0 };
	int n = -ETIMEDOUT;

	for (unsigned i = 0; i < PATIENCE && n == -ETIMEDOUT; i++)
		n = hf_stats(k->dev, stats, COUNTERS);
	for (int i = 0; i < n && i < COUNTERS; i++)
		if (!strcmp(stats[i].name, name))
			return stats[i].value;
	CHECK(false, "no counter %s (hf_stats: %d)", name, n);
	return UINT64_MAX;
}

/* ---- frames in ---- */

void kernel_give(struct kernel *k, const uint8_t *frame, size_t len)
{
	CHECK(send(k->wire, frame, len, MSG_NOSIGNAL) == (ssize_t)len, "wire: %s", strerror(errno));
}

void kernel_packet(struct kernel *k, const uint8_t *ip, size_t len)
{
	uint8_t frame[PACKET_MAX];

	kernel_give(k, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, len));
}

void kernel_segment(struct kernel *k, const struct segment *s)
{
	uint8_t ip[PACKET_MAX];

	kernel_packet(k, ip, make_packet(ip, s));
}

size_t make_packet6(uint8_t *ip, const uint8_t *src, const uint8_t *dst, unsigned next, unsigned hops,
	const void *payload, size_t len)
{
	put32(ip, 0x60000000);
	put16(ip + 4, (uint32_t)len);
	ip[6] = (uint8_t)next;
	ip[7] = (uint8_t)hops;
	memcpy(ip + 8, src, 16);
	memcpy(ip + 24, dst, 16);
	memcpy(ip + 40, payload, len);
	return 40 + len;
}

void fix_icmp6(uint8_t *ip)
{
	size_t len = get16(ip + 4);
	uint8_t sum[PACKET_MAX] = { 0 };

	put16(ip + 42, 0);
	memcpy(sum, ip + 8, 32);
	put32(sum + 32, (uint32_t)len);
	sum[39] = IPPROTO_ICMPV6;
	memcpy(sum + 40, ip + 40, len);
	put16(ip + 42, (uint16_t)~ref_sum(sum, 40 + len));
}

void kernel_packet6(struct kernel *k, unsigned next, const void *payload, size_t len)
{
	uint8_t ip[PACKET_MAX];

	make_packet6(ip, PEER6, OUR6, next, 64, payload, len);
	if (next == IPPROTO_ICMPV6)
		fix_icmp6(ip);
	kernel_packet(k, ip, 40 + len);
}

/* ---- frames out ---- */

/* An ARP request (RFC 826) for the peer's address. */
static bool answer_arp(struct kernel *k)
{
	const uint8_t *arp = k->frame + 14;
	uint8_t reply[PACKET_MIN_FRAME] = { 0 };

	if (get16(k->frame + 12) != PACKET_ETHERTYPE_ARP || get16(arp + 6) != 1 || get32(arp + 24) != PEER_ADDR)
		return false;
	memcpy(reply, arp + 8, 6);
	put48(reply + 6, PEER_MAC);
	memcpy(reply + 12, k->frame + 12, 8);
	put16(reply + 20, 2);
	put48(reply + 22, PEER_MAC);
	put32(reply + 28, PEER_ADDR);
	memcpy(reply + 32, arp + 8, 10);
	kernel_give(k, reply, sizeof(reply));
	return true;
}

/* A neighbour solicitation (RFC 4861) for the peer's address. */
static bool answer_solicitation(struct kernel *k)
{
	const uint8_t *ip = k->frame + 14;
	uint8_t na[32] = { 136, [4] = 0x60, [24] = 2, [25] = 1 }, reply[128];

	if (ip[6] != IPPROTO_ICMPV6 || ip[40] != 135 || memcmp(ip + 48, PEER6, 16))
		return false;
	memcpy(na + 8, PEER6, 16);
	put48(na + 26, PEER_MAC);
	make_packet6(reply, PEER6, ip + 8, IPPROTO_ICMPV6, 255, na, sizeof(na));
	fix_icmp6(reply);
	kernel_packet(k, reply, 40 + sizeof(na));
	return true;
}

bool kernel_next(struct kernel *k)
{
	for (;;) {
		ssize_t n = recv(k->wire, k->frame, sizeof(k->frame), 0);

		if (!CHECK(n >= PACKET_ETH_HEADER, "no frame: %s", n < 0 ? strerror(errno) : "the board is gone"))
			return false;
		k->len = (size_t)n;
		if (k->len < PACKET_MIN_FRAME) { /* a MAC would have padded it */
			memset(k->frame + k->len, 0, PACKET_MIN_FRAME - k->len);
			k->len = PACKET_MIN_FRAME;
		}
		if (get16(k->frame + 12) == PACKET_ETHERTYPE_IPV6 && k->frame[20] == IPPROTO_HOPOPTS)
			continue; /* multicast listener reports */
		if (!k->mute &&
			(answer_arp(k) || (get16(k->frame + 12) == PACKET_ETHERTYPE_IPV6 && answer_solicitation(k))))
			continue;
		return true;
	}
}

bool kernel_next_tcp(struct kernel *k, struct packet *p)
{
	if (!kernel_next(k))
		return false;
	return CHECK(packet_parse(k->frame, k->len, p) && p->is_tcp && peer_intact(k->frame, p) &&
			     get48(p->src_mac) == OUR_MAC && get48(p->dst_mac) == PEER_MAC,
		"no sound segment for the peer but EtherType 0x%04x, protocol %u", get16(k->frame + 12), p->protocol);
}

void kernel_expect(struct kernel *k, const uint8_t *ip, size_t len)
{
	uint8_t want[PACKET_MAX];

	if (!kernel_next(k))
		return;
	CHECK_BYTES("frame", k->frame, k->len, want, make_frame(want, PEER_MAC, OUR_MAC, ip, len));
}

void kernel_ping(struct kernel *k)
{
	uint8_t ip[28] = { 0x45, [3] = 28, [8] = 64, [9] = IPPROTO_ICMP, [20] = 8 };

	put32(ip + 12, PEER_ADDR);
	put32(ip + 16, OUR_ADDR);
	put16(ip + 26, ++k->pings);
	put16(ip + 10, ref_ip_checksum(ip));
	put16(ip + 22, (uint16_t)~ref_sum(ip + 20, 8));
	kernel_packet(k, ip, sizeof(ip));
}

static bool is_pong(struct kernel *k)
{
	const uint8_t *ip = k->frame + 14;

	return get16(k->frame + 12) == PACKET_ETHERTYPE_IPV4 && ip[9] == IPPROTO_ICMP && ip[20] == 0 &&
	       get16(ip + 26) == k->pings;
}

void kernel_quiet(struct kernel *k)
{
	struct packet p = { 0 };

	kernel_ping(k);
	if (!kernel_next(k) || is_pong(k))
		return;
	packet_parse(k->frame, k->len, &p);
	CHECK(false, "not quiet: EtherType 0x%04x, protocol %u, SEQ 0x%x ACK 0x%x flags 0x%x", get16(k->frame + 12),
		p.protocol, p.seq, p.ack, p.flags);
	while (kernel_next(k) && !is_pong(k))
		;
}

void kernel_drain(struct kernel *k)
{
	kernel_ping(k);
	while (kernel_next(k) && !is_pong(k))
		;
}

/* ---- connections ---- */

static void say(struct conn *c, unsigned flags, uint32_t seq, uint32_t ack, const char *opts, const char *text)
{
	kernel_segment(c->k, &(struct segment){ .sport = c->port,
				     .dport = c->our_port,
				     .seq = seq,
				     .ack = ack,
				     .flags = (uint16_t)flags,
				     .wnd = 65535,
				     .opts = opts,
				     .text = text,
				     .text_len = text ? strlen(text) : 0 });
}

void conn_say_at(struct conn *c, const char *flags, uint32_t seq, uint32_t ack, const char *text)
{
	char opts[48];

	snprintf(opts, sizeof(opts), "nop nop ts=%u:%u", c->tsval, c->tsecr);
	say(c, flags_parse(flags), seq, ack, c->ts ? opts : NULL, text);
}

void conn_say(struct conn *c, const char *flags, const char *text)
{
	conn_say_at(c, flags, c->seq, c->ack, text);
	c->seq += (uint32_t)(text ? strlen(text) : 0) + (strchr(flags, 'F') != NULL);
}

bool conn_hear(struct conn *c, const char *flags, struct packet *p)
{
	struct packet own = { 0 };
	unsigned length;

	p = p ? p : &own;
	if (!kernel_next_tcp(c->k, p) || !CHECK(p->dst_port == c->port && p->src_port == c->our_port,
						 "a segment from %u to %u", p->src_port, p->dst_port))
		return false;
	CHECK_EQ(p->flags & ~HF_PSH, flags_parse(flags), "flags");
	CHECK_EQ(p->seq, c->ack, "SEQ");
	CHECK_EQ(p->ack, p->flags & HF_ACK ? c->seq : 0, "ACK");
	if (!(p->flags & HF_RST)) {
		CHECK(p->ts_ok == c->ts, "timestamps: %d", p->ts_ok);
		CHECK((int32_t)(p->tsval - c->tsecr) >= 0, "TSval %u after %u", p->tsval, c->tsecr);
		c->tsecr = p->tsval;
	}
	length = (unsigned)p->text_len + (p->flags & HF_FIN ? 1 : 0);
	c->ack += length;
	return true;
}

bool conn_open(struct conn *c, struct kernel *k, uint16_t port, const char *opts)
{
	char words[96];
	struct packet p;

	*c = (struct conn){ .k = k, .port = port, .our_port = OUR_PORT, .seq = 0x10000000, .tsval = 70000, .fd = -1 };
	c->ts = opts && strstr(opts, "ts");
	snprintf(words, sizeof(words), "%s%s", opts ? opts : "", c->ts ? "=70000:0" : "");
	say(c, HF_SYN, c->seq++, 0, words, NULL);
	if (!kernel_next_tcp(k, &p) || !CHECK(p.flags == (HF_SYN | HF_ACK), "flags 0x%x, no SYN-ACK", p.flags))
		return false;
	c->ack = p.seq + 1;
	c->tsecr = p.tsval;
	c->syn_ack_mss = p.mss;
	conn_say(c, ".", NULL);
	c->fd = hf_accept(k->listener, NULL, WAIT_MS);
	return CHECK(c->fd >= 0, "hf_accept: %d %s", c->fd, hf_error(k->dev));
}

static ssize_t read_socket(struct conn *c, char *text, size_t size)
{
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };

	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return read(c->fd, text, size);
}

void conn_reads(struct conn *c, const char *text)
{
	char got[256];
	ssize_t n = read_socket(c, got, sizeof(got));

	if (CHECK(n >= 0, "read: %s", strerror(errno)))
		CHECK_BYTES("text", got, (size_t)n, text, strlen(text));
}

void conn_fails(struct conn *c, int error)
{
	char got[256];
	ssize_t n = read_socket(c, got, sizeof(got));

	CHECK(n < 0 && errno == error, "read: %zd %s, want %s", n, n < 0 ? strerror(errno) : "", strerror(error));
}

void conn_close(struct conn *c)
{
	conn_say(c, "R", NULL);
	kernel_drain(c->k);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void *call_run(void *arg)
{
	struct call *c = arg;
	struct sockaddr_in remote = { .sin_family = AF_INET, .sin_port = htons(c->port) };

	remote.sin_addr.s_addr = htonl(c->remote);
	c->result = hf_connect(c->dev, NULL, (struct sockaddr *)&remote, sizeof(remote), WAIT_MS);
	return NULL;
}

void call_start(struct call *c, struct kernel *k, uint32_t remote, uint16_t port)
{
	*c = (struct call){ .dev = k->dev, .remote = remote, .port = port };
	CHECK(!pthread_create(&c->thread, NULL, call_run, c), "no thread");
}

int call_end(struct call *c)
{
	pthread_join(c->thread, NULL);
	return c->result;
}
