/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * xdp_cookie.bpf.c - what tests/software/run compares with: XDP answers a SYN with the kernel's own SYN cookie, in the
 * frame that brought it. Section "xdp" answers SYNs to port 80 that have no options, as those of the flood; everything
 * else goes to the kernel. The ACK of the peer is not looked at. Section "xdp.drop" drops every frame.
 * The kernel lends the cookie's helper function to programs under the GPL only, hence the choice of licences. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define SECTION(name) __attribute__((section(name), used))

struct segment {
	struct iphdr ip;
	struct tcphdr tcp;
	__u8 mss[4]; /* in a SYN without options this is padding */
};

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

SECTION("xdp")
int answer(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct segment *s = (void *)(eth + 1);
	const int tcp_length = sizeof(s->tcp) + sizeof(s->mss);
	__u8 mac[ETH_ALEN];
	__be32 addr;
	__be16 port;
	__s64 cookie;
	__u16 mss;

	if ((void *)(s + 1) > (void *)(long)ctx->data_end || eth->h_proto != bpf_htons(ETH_P_IP) || s->ip.ihl != 5 ||
		s->ip.version != 4 || s->ip.protocol != IPPROTO_TCP || s->tcp.dest != bpf_htons(80) || !s->tcp.syn ||
		s->tcp.ack || s->tcp.rst || s->tcp.fin || s->tcp.doff != 5)
		return XDP_PASS;
	cookie = bpf_tcp_raw_gen_syncookie_ipv4(&s->ip, &s->tcp, sizeof(s->tcp));
	if (cookie < 0)
		return XDP_DROP;
	mss = cookie >> 32;

	__builtin_memcpy(mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
	addr = s->ip.saddr;
	s->ip.saddr = s->ip.daddr;
	s->ip.daddr = addr;
	s->ip.tot_len = bpf_htons(sizeof(*s));
	s->ip.id = 0;
	s->ip.frag_off = bpf_htons(0x4000); /* DF */
	s->ip.ttl = 64;
	s->ip.tos = 0;
	s->ip.check = 0;
	s->ip.check = fold(bpf_csum_diff(0, 0, (__be32 *)&s->ip, sizeof(s->ip), 0));

	port = s->tcp.source;
	s->tcp.source = s->tcp.dest;
	s->tcp.dest = port;
	s->tcp.ack_seq = bpf_htonl(bpf_ntohl(s->tcp.seq) + 1);
	s->tcp.seq = bpf_htonl((__u32)cookie);
	s->tcp.doff = 6;
	s->tcp.ack = 1;
	s->tcp.window = bpf_htons(65535);
	s->tcp.urg_ptr = 0;
	s->mss[0] = 2; /* maximum segment size, 4 octets */
	s->mss[1] = 4;
	s->mss[2] = mss >> 8;
	s->mss[3] = mss;
	s->tcp.check = 0;
	/* The pseudo-header: both addresses, protocol, length. */
	s->tcp.check = fold(bpf_csum_diff(0, 0, &s->ip.saddr, 8, 0) + bpf_htonl(IPPROTO_TCP) + bpf_htonl(tcp_length) +
			    (__u64)bpf_csum_diff(0, 0, (__be32 *)&s->tcp, tcp_length, 0));
	return XDP_TX;
}

SECTION("xdp.drop")
int drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

char license_text[] SECTION("license") = "GPL";
