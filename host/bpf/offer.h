/* SPDX-License-Identifier: Apache-2.0
 * offer.h - what kernel_listener.c and kernel_listener.bpf.c say to one another. Fixed-width kernel types, since BPF has no
 * C library. Addresses and ports in network order, numbers in host order.
 * Nothing to call. */
#ifndef HANDFAST_OFFER_H
#define HANDFAST_OFFER_H

#include <linux/types.h>

/* As struct bpf_tcp_req_attrs of the kernel, which its headers do not export: what the SYN and SYN-ACK agreed on. */
struct offer_attributes {
	__u32 rcv_tsval; /* TS.Recent */
	__u32 rcv_tsecr; /* the TSval that our next segment says */
	__u16 mss;	 /* the peer's */
	__u8 rcv_wscale, snd_wscale;
	__u8 ecn_ok, wscale_ok, sack_ok, tstamp_ok;
	__u8 usec_ts_ok;
	__u8 reserved[3];
};

/* IPv6, or IPv4-mapped IPv6 as in an EVENT. */
struct offer_key {
	__u8 remote_addr[16], local_addr[16];
	__u16 remote_port, local_port;
};

enum offer_state {
	OFFER_OPEN,	   /* no ACK has come by yet, or it came and the kernel has not confirmed */
	OFFER_NO_LISTENER, /* nobody listens there any more */
	OFFER_EXISTS,	   /* another socket has the 4-tuple */
	OFFER_TAKEN,	   /* a socket is there after an ACK was assigned; `cookie` may be 0 */
	OFFER_REFUSED,	   /* bpf_sk_assign_tcp_reqsk() returned `error` */
	OFFER_PEER_RESET,
};

struct offer {
	__u64 serial;	    /* which offer of the process this is: a slot and a count */
	__u64 netns_cookie; /* of the network namespace it is for */
	__u64 cookie;	    /* SO_COOKIE of the socket */
	__u32 snd_nxt, rcv_nxt;
	struct offer_attributes attributes;
	__u32 state;	/* enum offer_state */
	__s32 error;	/* -errno */
	__u32 assigned; /* ACKs given to the listener */
};

/* In the ring: the kernel has made a socket of the offer, whose entry is gone. */
struct offer_confirmed {
	__u64 serial, cookie;
};

#endif
