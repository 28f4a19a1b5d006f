/* SPDX-License-Identifier: Apache-2.0
 * kernel_listener.bpf.c - the two programs behind kernel_listener.h; the kernel demands "Dual BSD/GPL" (below) of programs that call
 * its functions.
 *
 *   assign   TC ingress (TCX) of the board's netdev: a segment whose 4-tuple is on offer and whose SEQ and ACK are those of
 *            the final ACK goes to its listener with a request socket, as if it had answered a SYN cookie
 *   confirm  sockops: the listener's new socket is established
 *
 * Segments of other 4-tuples are not touched. Declared by hand what the kernel's headers do not export; the type names are the
 * kernel's, since libbpf compares them. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "offer.h"

#define AF_INET	 2
#define AF_INET6 10

struct sock {
	int unused;
} __attribute__((preserve_access_index));

struct bpf_tcp_req_attrs {
	struct offer_attributes agreed;
};
extern int bpf_sk_assign_tcp_reqsk(
	struct __sk_buff *skb, struct sock *sk, struct bpf_tcp_req_attrs *attrs, int attrs__sz) __ksym __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* attach.c says how many */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct offer_key);
	__type(value, struct offer);
} offers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* attach.c says how many */
} confirmed SEC(".maps");

/* ::ffff:0:0/96 */
static void map_address(__u8 *to, __u32 address)
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, &address, 4);
}

/* Read addresses and TCP header; 0 if this is a whole TCP header in an unfragmented packet without extension headers. */
static int parse(struct __sk_buff *skb, struct offer_key *key, struct tcphdr *tcp)
{
	__u32 at = ETH_HLEN;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct iphdr ip;

		if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5 ||
			ip.protocol != IPPROTO_TCP || ip.frag_off & bpf_htons(0x3fff))
			return -1;
		at += 4 * ip.ihl;
		map_address(key->remote_addr, ip.saddr);
		map_address(key->local_addr, ip.daddr);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr ip;

		if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)) || ip.version != 6 || ip.nexthdr != IPPROTO_TCP)
			return -1;
		at += sizeof(ip);
		__builtin_memcpy(key->remote_addr, &ip.saddr, 16);
		__builtin_memcpy(key->local_addr, &ip.daddr, 16);
	} else {
		return -1;
	}
	if (bpf_skb_load_bytes(skb, at, tcp, sizeof(*tcp)))
		return -1;
	key->remote_port = tcp->source;
	key->local_port = tcp->dest;
	return 0;
}

/* The socket to which the kernel would give this segment, or NULL. */
static struct bpf_sock *look_up(struct __sk_buff *skb, const struct offer_key *key)
{
	struct bpf_sock_tuple tuple = {};

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		__builtin_memcpy(&tuple.ipv4.saddr, key->remote_addr + 12, 4);
		__builtin_memcpy(&tuple.ipv4.daddr, key->local_addr + 12, 4);
		tuple.ipv4.sport = key->remote_port;
		tuple.ipv4.dport = key->local_port;
		return bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	__builtin_memcpy(tuple.ipv6.saddr, key->remote_addr, 16);
	__builtin_memcpy(tuple.ipv6.daddr, key->local_addr, 16);
	tuple.ipv6.sport = key->remote_port;
	tuple.ipv6.dport = key->local_port;
	return bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
}

/* cppcheck-suppress unknownMacro */
SEC("tc")
int assign(struct __sk_buff *skb)
{
	struct offer_key key = {};
	struct bpf_tcp_req_attrs attributes;
	struct tcphdr tcp;
	struct offer *offer;
	struct bpf_sock *found;
	struct tcp_sock *sk;
	int error;

	if (parse(skb, &key, &tcp))
		return TC_ACT_UNSPEC;
	offer = bpf_map_lookup_elem(&offers, &key);
	if (!offer)
		return TC_ACT_UNSPEC;
	found = look_up(skb, &key);
	if (!found) {
		offer->state = OFFER_NO_LISTENER;
		return TC_ACT_SHOT;
	}
	if (found->state != BPF_TCP_LISTEN) {
		bpf_sk_release(found);
		/* The listener's new socket, of which nobody has told us; or a stranger, of before. */
		if (offer->assigned) {
			offer->state = OFFER_TAKEN;
			return TC_ACT_UNSPEC;
		}
		offer->state = OFFER_EXISTS;
		return TC_ACT_SHOT;
	}
	/* RFC 5961 3.2: no other RST is worth anything. */
	if (tcp.rst && bpf_ntohl(tcp.seq) == offer->rcv_nxt)
		offer->state = OFFER_PEER_RESET;
	if (tcp.rst || tcp.syn || !tcp.ack || bpf_ntohl(tcp.seq) != offer->rcv_nxt ||
		bpf_ntohl(tcp.ack_seq) != offer->snd_nxt) {
		/* No socket is there to take it, and the listener would answer RST. */
		bpf_sk_release(found);
		return TC_ACT_SHOT;
	}
	sk = bpf_skc_to_tcp_sock(found);
	if (!sk) {
		bpf_sk_release(found);
		return TC_ACT_SHOT;
	}
	attributes.agreed = offer->attributes;
	error = bpf_sk_assign_tcp_reqsk(skb, (struct sock *)sk, &attributes, sizeof(attributes));
	bpf_sk_release(found);
	offer->error = error;
	if (error) {
		offer->state = OFFER_REFUSED;
		return TC_ACT_SHOT;
	}
	offer->assigned++;
	return TC_ACT_UNSPEC;
}

SEC("sockops")
int confirm(struct bpf_sock_ops *ctx)
{
	struct offer_key key = {};
	struct offer_confirmed *record;
	struct offer *offer;
	__u64 cookie;

	if (ctx->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return 1;
	if (ctx->family == AF_INET) {
		map_address(key.remote_addr, ctx->remote_ip4);
		map_address(key.local_addr, ctx->local_ip4);
	} else if (ctx->family == AF_INET6) {
		__u32 word;

		/* One by one: the verifier knows these fields by their offsets. */
		word = ctx->remote_ip6[0], __builtin_memcpy(key.remote_addr, &word, 4);
		word = ctx->remote_ip6[1], __builtin_memcpy(key.remote_addr + 4, &word, 4);
		word = ctx->remote_ip6[2], __builtin_memcpy(key.remote_addr + 8, &word, 4);
		word = ctx->remote_ip6[3], __builtin_memcpy(key.remote_addr + 12, &word, 4);
		word = ctx->local_ip6[0], __builtin_memcpy(key.local_addr, &word, 4);
		word = ctx->local_ip6[1], __builtin_memcpy(key.local_addr + 4, &word, 4);
		word = ctx->local_ip6[2], __builtin_memcpy(key.local_addr + 8, &word, 4);
		word = ctx->local_ip6[3], __builtin_memcpy(key.local_addr + 12, &word, 4);
	} else {
		return 1;
	}
	/* remote_port is in network order in the upper half of a word, local_port in host order. */
	key.remote_port = bpf_htons((__u16)bpf_ntohl(ctx->remote_port));
	key.local_port = bpf_htons((__u16)ctx->local_port);
	offer = bpf_map_lookup_elem(&offers, &key);
	/* A cgroup spans network namespaces, and a listener in "bypass" makes connections without us. */
	if (!offer || offer->snd_nxt != ctx->snd_nxt || offer->rcv_nxt != ctx->rcv_nxt ||
		offer->netns_cookie != bpf_get_netns_cookie(ctx))
		return 1;
	cookie = bpf_get_socket_cookie(ctx);
	record = bpf_ringbuf_reserve(&confirmed, sizeof(*record), 0);
	if (!record) {
		/* The ring is full: whoever injects the ACK again will look here. */
		offer->cookie = cookie;
		offer->state = OFFER_TAKEN;
		return 1;
	}
	record->serial = offer->serial;
	record->cookie = cookie;
	bpf_map_delete_elem(&offers, &key);
	bpf_ringbuf_submit(record, 0);
	return 1;
}

char handfast_license[] SEC("license") = "Dual BSD/GPL";
