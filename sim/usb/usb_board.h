/* SPDX-License-Identifier: Apache-2.0
 * usb_board.h - a simulated board on a USB cable: engine (struct sim), rtl/usb/usb_link_ft245.sv at its c2h and h2c
 * pins, and an FT2232H (ft2232h.h) at that one's pins.
 *
 * The RTL around the engine is always the RTL, whatever the engine is: RTL, model, or both in lock step. It runs clock by
 * clock with the simulator, as an outlet; the chip's 60 MHz clock runs beside it at the ratio that struct sim's period_ps
 * says. So sim_step() moves the whole board, and USB is what happens between two of them: ft2232h_bulk_out() and so on. */
#ifndef HANDFAST_USB_BOARD_H
#define HANDFAST_USB_BOARD_H

#include "../sim.h"
#include "ft2232h.h"

struct usb_board;

/* Put the board around `s` (64-bit geometries; it takes outlet 0), and reset both. Returns 0 and sets *b, or -ENOTSUP at 512 bits,
 * -ENOMEM. `s` outlives the board. */
int usb_board_open(struct usb_board **b, struct sim *s, uint64_t seed);
void usb_board_close(struct usb_board *b); /* takes the outlet away */

struct ft2232h *usb_board_chip(struct usb_board *b);

/* What the link counts at its pins (rtl/usb/usb_link.sv, cnt_*), and whether a host has it open. */
struct usb_board_counts {
	uint64_t damaged;   /* packets dropped: CRC-32 wrong, length impossible, cut off */
	uint64_t refused;   /* messages of the host whose length field lies; their numbers are used up */
	uint64_t resent;    /* times the sender went back */
	uint64_t discarded; /* messages of the core while no host was there */
	bool open;
};
void usb_board_counts(const struct usb_board *b, struct usb_board_counts *counts);

#endif
