/* SPDX-License-Identifier: Apache-2.0
 * syn_flood.c - minimum SYNs from spoofed addresses of 198.18.0.0/16 (RFC 2544) through a packet socket, for
 * tests/software/run.
 *
 *	syn_flood INTERFACE MAC ADDRESS CPU COUNT	COUNT SYNs from processor CPU, as fast as they go; prints
 *		"syns=N cpu_ns=N wall_ns=N": the time of this thread and of the softirq thread of that processor
 *	syn_flood INTERFACE MAC ADDRESS CPU check	256 SYNs; prints "answered=N wrong=N": those that got exactly
 *		one SYN-ACK that a peer would take, and frames that are none
 *
 * MAC and ADDRESS are those of the host under attack; the port is 80. On a veth the receiving kernel, too, works inside
 * the sender's sendmsg(), so cpu_ns is what both ends cost. Exit code: 0, 1 an error, 2 bad usage. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../regs/regs.h"
#include "../../sim/packet.h"

enum {
	BATCH = 64,
	CHECKED = 256,
	PORT = 80,
	SILENCE_MS = 500,
	AT_ADDRESS = 26,
	AT_PORT = 34,
	AT_SEQ = 38,
	AT_CSUM = 50
};

/* The sender's MAC is nobody's, so that the kernel at this end drops the answers at once. */
static const uint8_t nobody[6] = { 0x02, 0, 0, 0, 0, 0x99 };

static uint8_t frames[BATCH][PACKET_MIN_FRAME];
static uint64_t base; /* number of the first SYN: each process begins with another port */

static int fail(const char *what)
{
	fprintf(stderr, "syn_flood: %s: %s\n", what, strerror(errno));
	return 1;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Opens /proc/PID/schedstat of the softirq thread of a processor; its first number is nanoseconds on a processor. */
static FILE *open_ksoftirqd(unsigned cpu)
{
	char path[300], name[32], wanted[32];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	FILE *found = NULL;

	snprintf(wanted, sizeof(wanted), "ksoftirqd/%u\n", cpu);
	while (proc && !found && (entry = readdir(proc))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		f = *entry->d_name >= '1' && *entry->d_name <= '9' ? fopen(path, "r") : NULL;
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && !strcmp(name, wanted)) {
			snprintf(path, sizeof(path), "/proc/%s/schedstat", entry->d_name);
			found = fopen(path, "r");
		}
		fclose(f);
	}
	if (proc)
		closedir(proc);
	return found;
}

static uint64_t read_number(FILE *f)
{
	uint64_t value = 0;

	rewind(f);
	fflush(f); /* forget what was read before */
	if (fscanf(f, "%" SCNu64, &value) != 1)
		return 0;
	return value;
}

/* The n-th SYN: every one from another address and port. */
static void make_syn(uint8_t *frame, const struct packet *common, uint64_t n)
{
	struct packet p = *common;

	n += base;
	p.src_addr = 0xc6120000 | (uint32_t)(n & 0xffff);
	p.src_port = (uint16_t)(1024 + n / 0x10000 % 60000);
	p.seq = (uint32_t)(n * 2654435761u);
	packet_build(&p, frame, PACKET_MIN_FRAME);
}

static int send_batch(int fd, unsigned count)
{
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec parts[BATCH];
	unsigned sent = 0;

	for (unsigned i = 0; i < count; i++) {
		parts[i] = (struct iovec){ frames[i], PACKET_MIN_FRAME };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (sent < count) {
		int n = sendmmsg(fd, messages + sent, count - sent, 0);

		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			return -1;
		sent += n > 0 ? (unsigned)n : 0;
	}
	return 0;
}

static int flood(int fd, const struct packet *common, unsigned cpu, uint64_t count)
{
	FILE *softirq = open_ksoftirqd(cpu);
	uint64_t cpu_ns, wall_ns;

	if (!softirq)
		return fail("ksoftirqd");
	cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + read_number(softirq);
	wall_ns = clock_ns(CLOCK_MONOTONIC);
	for (uint64_t n = 0; n < count; n += BATCH) {
		unsigned some = count - n < BATCH ? (unsigned)(count - n) : BATCH;

		for (unsigned i = 0; i < some; i++)
			make_syn(frames[i], common, n + i);
		if (send_batch(fd, some))
			return fail("sendmmsg");
	}
	wall_ns = clock_ns(CLOCK_MONOTONIC) - wall_ns;
	cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + read_number(softirq) - cpu_ns;
	fclose(softirq);
	printf("syns=%" PRIu64 " cpu_ns=%" PRIu64 " wall_ns=%" PRIu64 "\n", count, cpu_ns, wall_ns);
	return 0;
}

/* Both checksums; that of TCP is not there yet (`partial`) if the sender's kernel left it to a network card. */
static bool intact(const uint8_t *frame, const struct packet *p, bool partial)
{
	const uint8_t *ip = frame + PACKET_ETH_HEADER;
	size_t header = (size_t)(ip[0] & 15) * 4, length = packet_get16(ip + 2) - header;

	if (packet_fold(packet_sum(0, ip, header)) != 0xffff)
		return false;
	return partial || packet_fold(packet_sum(packet_pseudo_sum(p->src_addr, p->dst_addr, p->protocol, length),
				  ip + header, length)) == 0xffff;
}

/* What a peer that has sent SYN number n would take. Sets *n. */
static bool good_answer(const uint8_t *frame, size_t length, bool partial, const struct packet *common, uint32_t *n)
{
	struct packet p, syn;
	uint8_t again[PACKET_MIN_FRAME];

	if (!packet_parse(frame, length, &p) || !p.is_tcp || p.src_addr != common->dst_addr || p.src_port != PORT)
		return false;
	*n = p.dst_addr - 0xc6120000;
	if (*n >= CHECKED)
		return false;
	make_syn(again, common, *n);
	packet_parse(again, sizeof(again), &syn);
	return p.flags == (HF_SYN | HF_ACK) && p.ack == syn.seq + 1 && p.dst_port == syn.src_port &&
	       !memcmp(p.dst_mac, nobody, 6) && intact(frame, &p, partial);
}

static int check(int fd, const struct packet *common)
{
	unsigned answers[CHECKED] = { 0 }, answered = 0, wrong = 0;
	struct pollfd p = { fd, POLLIN, 0 };

	for (unsigned n = 0; n < CHECKED; n += BATCH) {
		for (unsigned i = 0; i < BATCH; i++)
			make_syn(frames[i], common, n + i);
		if (send_batch(fd, BATCH))
			return fail("sendmmsg");
	}
	while (poll(&p, 1, SILENCE_MS) > 0) {
		uint8_t frame[2048], control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
		struct iovec part = { frame, sizeof(frame) };
		struct msghdr m = { NULL, 0, &part, 1, control, sizeof(control), 0 };
		ssize_t length = recvmsg(fd, &m, 0);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		struct tpacket_auxdata aux = { 0 };
		uint32_t n;

		if (length < 0)
			return fail("recvmsg");
		if (c && c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (good_answer(frame, (size_t)length, aux.tp_status & TP_STATUS_CSUMNOTREADY, common, &n))
			answers[n]++;
		else
			wrong++;
	}
	for (unsigned n = 0; n < CHECKED; n++)
		answered += answers[n] == 1;
	printf("answered=%u wrong=%u\n", answered, wrong);
	return 0;
}

int main(int argc, char **argv)
{
	struct packet common = { .dst_port = PORT, .flags = HF_SYN, .wnd = 65535 };
	struct sockaddr_ll ll = { .sll_family = AF_PACKET };
	struct in_addr addr;
	unsigned long cpu;
	uint64_t count = 0;
	cpu_set_t set;
	bool checks;
	int fd, on = 1, room = 1 << 23;

	checks = argc == 6 && !strcmp(argv[5], "check");
	if (argc != 6 || inet_pton(AF_INET, argv[3], &addr) != 1 ||
		sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &common.dst_mac[0], &common.dst_mac[1],
			&common.dst_mac[2], &common.dst_mac[3], &common.dst_mac[4], &common.dst_mac[5]) != 6 ||
		(!checks && !(count = strtoull(argv[5], NULL, 10)))) {
		fprintf(stderr, "syn_flood: usage: syn_flood INTERFACE MAC ADDRESS CPU COUNT|check\n");
		return 2;
	}
	base = (uint64_t)getpid() << 16;
	memcpy(common.src_mac, nobody, 6);
	common.dst_addr = ntohl(addr.s_addr);
	cpu = strtoul(argv[4], NULL, 10);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return fail("sched_setaffinity");
	/* Protocol 0 receives nothing: a flood is not to pay for copies of what comes back. */
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	ll.sll_ifindex = (int)if_nametoindex(argv[1]);
	ll.sll_protocol = checks ? htons(ETH_P_IP) : 0;
	if (fd < 0 || !ll.sll_ifindex || bind(fd, (struct sockaddr *)&ll, sizeof(ll)))
		return fail(argv[1]);
	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) ||
		(checks && (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) ||
				   setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
				   setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))))
		return fail("setsockopt");
	return checks ? check(fd, &common) : flood(fd, &common, (unsigned)cpu, count);
}
