/* SPDX-License-Identifier: Apache-2.0
 * announce.h - tell the neighbours that an address has this MAC now: a netdev that is made anew has another one. Plain memory.
 * Threads, Fork, Blocks, Errors: library.h. */
#ifndef HANDFAST_ANNOUNCE_H
#define HANDFAST_ANNOUNCE_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"

#define ANNOUNCE_BYTES 86

/* An ARP announcement (RFC 5227 2.3) or an unsolicited neighbour advertisement (RFC 4861 7.2.6) into `frame`. Returns its length. */
size_t announce_frame(uint8_t frame[ANNOUNCE_BYTES], const uint8_t mac[6], const union address *own);

#endif
