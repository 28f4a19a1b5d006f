/* SPDX-License-Identifier: Apache-2.0
 * support_event.h - EVENT messages as a board sends them, for tests of the host that play the board. */
#ifndef HANDFAST_TESTS_SUPPORT_EVENT_H
#define HANDFAST_TESTS_SUPPORT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISS	  0xfffffff0u /* our first number, close below the wrap */
#define IRS	  0x7ffffffeu
#define TS_RECENT 5000u
#define TSVAL	  70001u /* odd: what the socket says must be even */

struct fake_event {
	uint32_t id;
	unsigned listener;
	uint16_t remote_port;
	uint32_t local_addr; /* 0 = OUR_ADDR */
	uint32_t iss;	     /* 0 = ISS */
	bool bare;	     /* no options at all */
	bool frame_follows;
	bool cookie;
	bool syn_lost;
	unsigned code;	     /* 0 = ESTABLISHED */
	uint16_t local_port; /* of an active open; 0 = a passive one of OUR_PORT */
	bool ip6;	     /* OUR6, PEER6 */
	unsigned tags;	     /* VLAN 5, inner VLAN 6 */
};

/* Into `msg`, 128 octets; returns that. */
size_t event_message(uint8_t *msg, const struct fake_event *e);

#endif
