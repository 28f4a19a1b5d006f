/* SPDX-License-Identifier: Apache-2.0
 * support_xvc.h - a board that is none, behind Xilinx Virtual Cable (the protocol of XAPP1251, on loopback): the JTAG side of
 * a Lattice ECP5 (FPGA-TN-02039), and a SPI flash behind it. It checks the sequence, keeps what is loaded and
 * written, and misbehaves when told to. */
#ifndef HANDFAST_TESTS_SUPPORT_XVC_H
#define HANDFAST_TESTS_SUPPORT_XVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XVC_BITSTREAM_MAX = 1 << 20, XVC_FLASH = 4 << 20 };

struct xvc {
	/* Set before xvc_start(). */
	uint32_t idcode; /* 0: nothing is on the chain, TDO stays 1 */
	uint32_t
		cut_after; /* close the connection when so many octets of a bitstream or a flash's page have come; 0: never */
	bool refuse;	   /* the FPGA finds the bitstream wrong: status BSE error, DONE stays 0 */
	bool flash_forgets; /* a bit of every page does not stick */
	bool flash_gone;    /* MISO stays 1 */

	/* What it saw; stable after xvc_stop(). */
	uint32_t loaded;				  /* octets */
	bool done;					  /* configured, and ISC disabled again */
	uint32_t refreshes, pages, erases, writes_locked; /* of the flash; the last: without WREN before */
	uint32_t id_reads;
	char fault[120]; /* the first thing out of order, "" */
	uint8_t bitstream[XVC_BITSTREAM_MAX];
	uint8_t flash[XVC_FLASH];

	int port;
	int pid;
};

/* A shared place for one, all 0 but the flash, which is erased; NULL when memory is short. Starts with xvc_start(): a process of its
 * own, on a port that `port` names then. */
struct xvc *xvc_new(void);
bool xvc_start(struct xvc *x);
void xvc_stop(struct xvc *x); /* kills the process; what it saw stays */
void xvc_free(struct xvc *x);

#endif
