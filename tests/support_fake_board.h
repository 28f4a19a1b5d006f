/* SPDX-License-Identifier: Apache-2.0
 * support_fake_board.h - a board that is none: it speaks the messages on a unix socket, keeps registers, answers
 * commands, and lies when it is told to. For tests of driver and library; its thread answers by itself, the test
 * sends the rest. */
#ifndef HANDFAST_TESTS_SUPPORT_FAKE_BOARD_H
#define HANDFAST_TESTS_SUPPORT_FAKE_BOARD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../regs/regs.h"

#define FAKE_FRAMES   256
#define FAKE_COMMANDS 1024
#define FAKE_WRITES   4096
#define FAKE_RULES    16

struct fake_command {
	unsigned code;
	uint32_t id;
	uint64_t cookie;
	size_t len;	   /* 16, or 128 with a body */
	uint8_t body[128]; /* the whole message */
};

struct fake_rule {
	bool valid;
	uint32_t addr[4]; /* as RULE_ADDR0 to RULE_ADDR3 */
	uint32_t bits, rate, burst;
};

struct fake_write {
	uint32_t offset, value;
};

struct fake_frame {
	size_t len;
	uint8_t bytes[2048];
};

struct fake_board {
	/* Set before fake_board_start(); fake_board_init() gives what a good board says. */
	uint32_t id, version, hello_version, epoch, slots, credits, listeners, max_frame, heartbeat_ms;
	unsigned rules;	      /* entries of its rule table; 0: it has none, no counts per listener and no samples */
	const uint8_t *first; /* sent instead of HELLO, first_len bytes */
	size_t first_len;
	bool silent; /* no HELLO */
	bool hang_up_first;

	/* May be changed while it runs, under the lock. */
	bool serve_again;	   /* a host that has hung up is followed by another */
	bool mute;		   /* registers are not answered */
	bool deaf;		   /* nothing is read */
	bool hold;		   /* commands are not completed; fake_board_complete() does it */
	unsigned command_status;   /* what completions say */
	uint32_t new_id;	   /* and the id in those of commands with a body */
	uint32_t bad_offset;	   /* this register is answered BAD_ADDRESS */
	uint32_t refused_offset;   /* and this one REFUSED */
	uint32_t malformed_offset; /* and this one with a COMPLETION BAD_LENGTH */
	uint16_t arp_vlan;	   /* and only in this VLAN, 0 = untagged ones */
	/* What DUMP finds: `entries` messages EVENT with id and body; others are STALE. NULL: DUMP is completed as any command. */
	const uint8_t (*entry)[128];
	unsigned entries;
	const uint8_t *at_mode[4]; /* an EVENT that follows at once when a listener is switched to that mode; once */
	uint64_t arp_mac;	   /* ARP requests and neighbour solicitations are answered with this MAC, 0 = not */

	/* What it saw, under the lock. */
	unsigned dumps; /* answered from `entry`; not among the commands */
	struct fake_command command[FAKE_COMMANDS];
	unsigned commands, completed, most_outstanding;
	struct fake_write write[FAKE_WRITES];
	unsigned writes;
	struct fake_frame frame[FAKE_FRAMES]; /* from the host: IPv4, and TCP over IPv6 */
	unsigned frames;
	struct fake_rule rule[FAKE_RULES];
	uint32_t rule_drops[FAKE_RULES],
		listen_syns[256]; /* what RULE_DROPS and LISTEN_SYNS show; the test changes them */
	unsigned malformed;	  /* packets whose length field was not their length */
	uint32_t reg[0x800 / 4];
	bool connected, hung_up;

	pthread_mutex_t lock;
	pthread_t thread;
	bool stop;
	int listener, fd, wake[2];
	char dir[64], path[96], uri[104];
};

void fake_board_init(struct fake_board *b);
/* Listen and serve one host. Returns false when that is not possible. */
bool fake_board_start(struct fake_board *b);
/* End, and remove the socket. */
void fake_board_stop(struct fake_board *b);

/* Change one of the switches while it runs. */
void fake_board_switch(struct fake_board *b, bool *which, bool value);
/* As if it had been powered off. */
void fake_board_hang_up(struct fake_board *b);
/* Command number `index` with every field of a message: the board's own bytes. NULL until it has come, two seconds. */
const struct fake_command *fake_board_command(struct fake_board *b, unsigned index);
/* Any bytes as one packet. */
void fake_board_send(struct fake_board *b, const void *packet, size_t len);
void fake_board_hello(struct fake_board *b);
void fake_board_send_frame(struct fake_board *b, const uint8_t *frame, size_t len, unsigned flags, uint32_t id);
/* Complete command number `index`. */
void fake_board_complete(struct fake_board *b, unsigned index, unsigned status);

/* Wait until *counter (of this board) has reached `least`, at most two seconds. */
bool fake_board_wait(struct fake_board *b, const unsigned *counter, unsigned least);
/* Read under the lock. */
unsigned fake_board_count(struct fake_board *b, const unsigned *counter);
/* How often a register was written, and the last value. */
unsigned fake_board_written(struct fake_board *b, uint32_t offset, uint32_t *last);

#endif
