/* SPDX-License-Identifier: Apache-2.0
 * support_vfio_user.h - a simulated card in this process and a vfio-user client that says whatever a test wants, byte by
 * byte. Written from the protocol's document, with offsets of its own. */
#ifndef HANDFAST_TESTS_SUPPORT_VFIO_USER_H
#define HANDFAST_TESTS_SUPPORT_VFIO_USER_H

#include "../sim/pcie/pcie_card.h"
#include "support_bench.h"

enum {
	RAW_MEMORY = 1 << 20, /* bytes of the client's memory file */
	RAW_REPLY = 1 << 17,
};

/* A card on the running target, and at most one client of it. */
struct raw {
	struct session session;
	struct pcie_card card;
	int fd; /* the client's end, -1 = none */
	uint16_t id;
	int memory_fd;
	uint8_t *memory; /* RAW_MEMORY */
	int vector[3];	 /* eventfds of raw_vectors() */
	/* The last reply. */
	uint32_t flags, error;
	uint8_t body[RAW_REPLY];
	size_t len;
};

/* A card without client, and memory that no client has given away yet. */
struct raw *raw_open(void);
/* The same with another engine than the running target's. */
struct raw *raw_open_as(enum engine_kind kind);
void raw_close(struct raw *r);
/* Connect (without VERSION), after the end of the client before if there is one. */
void raw_connect(struct raw *r);
void raw_hang_up(struct raw *r);
/* Whether the server has dropped us. */
bool raw_dropped(struct raw *r);

/* Bytes as they are, with descriptors at the first. */
void raw_bytes(struct raw *r, const void *bytes, size_t len, const int *fds, unsigned fd_count);
/* Let the server read what is there. */
void raw_serve(struct raw *r);
/* A command and its reply: 0, the errno of the reply, or -1 when there was none. */
int raw_call(struct raw *r, unsigned command, const void *body, size_t len, const int *fds, unsigned fd_count);
/* A command that wants no reply. */
void raw_post(struct raw *r, unsigned command, const void *body, size_t len);

/* The usual: VERSION; memory [0, RAW_MEMORY) at `address`; three eventfds; memory space, bus master and MSI-X on. */
int raw_version(struct raw *r);
int raw_map(struct raw *r, uint64_t address, uint64_t size, int fd, uint64_t offset, unsigned flags);
int raw_vectors(struct raw *r);
void raw_ready(struct raw *r, uint64_t address);

/* Regions: 0 is BAR0, 7 configuration space. */
int raw_read(struct raw *r, unsigned region, uint64_t offset, void *data, uint32_t len);
int raw_write(struct raw *r, unsigned region, uint64_t offset, const void *data, uint32_t len);
uint32_t raw_get(struct raw *r, uint32_t offset);	      /* BAR0 */
void raw_put(struct raw *r, uint32_t offset, uint32_t value); /* BAR0 */
uint32_t raw_config(struct raw *r, unsigned offset, unsigned bytes);
void raw_set_config(struct raw *r, unsigned offset, unsigned bytes, uint32_t value);

/* Run the board until it is quiet. */
void raw_run(struct raw *r);
/* Rings and status block at `address` of the card's: c2h of 2^log2 bytes, h2c likewise behind it, the status block behind that. */
void raw_rings(struct raw *r, uint64_t address, unsigned log2, uint32_t switches);
/* The card works: a new client gets a HELLO in its ring, and a register of the core by a message. */
void raw_works_at(const char *file, unsigned line, struct raw *r);
#define raw_works(r) raw_works_at(__FILE__, __LINE__, r)

/* Descriptors of this process. */
unsigned raw_open_fds(void);

#endif
