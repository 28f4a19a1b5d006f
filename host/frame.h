/* SPDX-License-Identifier: Apache-2.0
 * frame.h - Ethernet frames as the service sees them: reading a TCP header, building one, cutting a large one of the kernel's into
 * what fits the wire. Plain memory: no locks, no I/O. Every function takes any octets; none reads beyond `len`.
 * Threads, Fork, Blocks, Errors: library.h. */
#ifndef HANDFAST_FRAME_H
#define HANDFAST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "address.h"

#define FRAME_TAGS_MAX	  2
#define FRAME_HEADERS_MAX 122 /* Ethernet, two tags, IPv6, TCP of 60 */
#define MERGE_PARTS	  64  /* frames in a large segment */
#define FRAME_SEGMENT_MAX 94  /* frame_build()'s longest: Ethernet 14, two tags 8, IPv6 40, TCP 20, timestamps 12 */

struct vlan {
	unsigned tags;	    /* 0 to 2 */
	bool service_outer; /* the outer TPID is 0x88a8 */
	uint16_t outer, inner;
};

/* A TCP segment in a frame. Numbers in host order. */
struct frame_tcp {
	union address source, destination;
	uint32_t seq, ack;
	unsigned flags; /* enum hf_flag_bit */
	uint16_t wnd;
	size_t l3, l4, payload; /* offsets in the frame; payload: of the first octet behind the header */
	size_t end;		/* of the IP packet; the frame may be longer */
	bool ts;		/* a timestamps option */
	uint32_t tsval, tsecr;
};

/* Is this a whole, unfragmented TCP segment, straight behind the IP header? Up to two VLAN tags; checksums not looked at. */
bool frame_read_tcp(const uint8_t *frame, size_t len, struct frame_tcp *t);

/* Build a segment without payload, checksums complete, from t's addresses, seq, ack, flags, wnd, ts, tsval and tsecr.
 * Returns the length, at most FRAME_SEGMENT_MAX. */
size_t frame_build(uint8_t *frame, const uint8_t *to_mac, const uint8_t *from_mac, const struct vlan *v,
	const struct frame_tcp *t);

/* A frame from a netdev with segmentation offload: TCP, its payload to be cut into pieces of `size` octets. */
struct gso {
	const uint8_t *frame;
	size_t len, size;
	struct frame_tcp tcp;
	size_t done;	/* octets of payload cut off so far */
	uint16_t ip_id; /* of the next piece, IPv4 */
};

/* gso_begin - *frame stays the caller's and must live until gso_next() has returned 0. Returns 0, or -EBADMSG: no TCP, or a size
 * of 0. A frame whose payload fits one piece is cut into one. */
int gso_begin(struct gso *g, const uint8_t *frame, size_t len, size_t size);
/* gso_next - the next piece into `out`, `cap` octets. The TCP checksum field holds the sum of the pseudo-header: the board puts the
 * rest in (CSUM_INSERT), from *start on, at *start + 16. Returns the length; 0: that was all; -EMSGSIZE: it does not fit. */
int gso_next(struct gso *g, uint8_t *out, size_t cap, size_t *start);

/* Segments of one connection that came one after the other, to go to the kernel as one large segment with virtio_net_hdr, as its own GRO
 * would make it: net/ipv4/tcp_offload.c. The frames are not copied. */
struct merge {
	struct frame_tcp tcp;		    /* of the first */
	const uint8_t *frame;		    /* likewise; NULL: empty */
	size_t size, text;		    /* octets of payload: of the first, of all */
	unsigned parts;			    /* frames in it */
	bool over;			    /* nothing may follow: PSH, or shorter than the first */
	struct iovec part[1 + MERGE_PARTS]; /* merge_finish(): the first is the header */
	uint8_t header[FRAME_HEADERS_MAX];  /* of the large segment */
};

/* merge_begin - an intact segment, `t` as frame_read_tcp() read it; whether others may follow: data, no flag but ACK and PSH, no IPv4
 * options. The frame must live until the merge is over. */
bool merge_begin(struct merge *m, const uint8_t *frame, const struct frame_tcp *t);
/* merge_add - the next one of the same connection; false: it cannot be in the same large segment, which is unchanged. */
bool merge_add(struct merge *m, const uint8_t *frame, const struct frame_tcp *t);
/* merge_finish - make the segment of all: part[0] to part[parts]. The TCP checksum field holds the sum of the
 * pseudo-header. Returns its octets. */
size_t merge_finish(struct merge *m);

/* Finish a checksum that a netdev left to its hardware: the field at start + offset holds a partial sum. Returns 0, or -EBADMSG when
 * the field lies outside the frame. */
int frame_finish_checksum(uint8_t *frame, size_t len, size_t start, size_t offset);

#endif
