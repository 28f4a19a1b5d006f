/* SPDX-License-Identifier: Apache-2.0
 * ft2232h.h - channel A of an FTDI FT2232H (or an FT232H) as a synchronous 245 FIFO: pins on one side, USB on the other.
 *
 *	 card                     chip                         USB
 *	 ft2232h_clock()   <-- OUT buffer, 4 KiB <--   ft2232h_bulk_out()   endpoint 0x02
 *	                   --> IN buffer,  4 KiB -->   ft2232h_bulk_in()    endpoint 0x81, two status bytes first
 *	                                               ft2232h_control()    vendor requests of endpoint 0
 *
 * Time is the 60 MHz clock: nothing happens but in ft2232h_clock(), which the owner of the chip calls 60,000,000 times in
 * a simulated second, also while CLKOUT stands still. Descriptors, standard requests, the EEPROM, transfers of more than
 * one packet and channel B are the USB device's around it. Not thread-safe.
 * Source: FT2232H data sheet 2.5, AN_130, AN_232B-04 (latency timer), the requests as libftdi 1.5 and ftdi_sio send them. */
#ifndef HANDFAST_FT2232H_H
#define HANDFAST_FT2232H_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FT2232H_HZ     60000000u
#define FT2232H_PACKET 512u  /* bytes of a high-speed bulk packet; an IN packet carries two bytes less */
#define FT2232H_BUFFER 4096u /* bytes of each direction's buffer */

/* bRequest of the vendor requests that ft2232h_control() knows; wIndex bits 7:0 are 1 for channel A, 2 for B. */
enum ft2232h_request {
	FT2232H_RESET = 0x00,	    /* wValue 0: everything but the bit mode; 1: empties OUT; 2: empties IN */
	FT2232H_MODEM_CTRL = 0x01,  /* accepted, of no effect on a FIFO, like all up to 0x07 but POLL */
	FT2232H_POLL_STATUS = 0x05, /* IN: the two status bytes */
	FT2232H_SET_LATENCY = 0x09, /* wValue: 1 to 255 ms; else stall */
	FT2232H_GET_LATENCY = 0x0a, /* IN: one byte */
	FT2232H_SET_BITMODE = 0x0b, /* wValue: mode << 8 | directions */
	FT2232H_READ_PINS = 0x0c    /* IN: one byte, the data pins */
};
enum ft2232h_bitmode { FT2232H_BITMODE_RESET = 0x00, FT2232H_BITMODE_SYNCFF = 0x40 };

/* What the card drives. */
struct ft2232h_in {
	bool oe_n, rd_n, wr_n, siwu_n;
	bool data_oe; /* the card drives the data pins */
	uint8_t data;
};

/* What the chip drives. */
struct ft2232h_out {
	bool clkout; /* CLKOUT runs: a rising edge comes with each ft2232h_clock(). Only in bit mode SYNCFF */
	bool rxf_n;  /* low: a byte may be read */
	bool txe_n;  /* low: a byte may be written */
	uint8_t data; /* the data pins: the next byte while OE# is low and RXF# too, the card's if it drives, else random */
};

/* What the chip and the cable do to make life hard. Stalls: chance in 256 that RXF# or TXE# goes high for a while. Damage:
 * chance in 2^24, for each byte on its way into a buffer, to be lost, to come twice, to have one bit flipped. 0 = never. */
struct ft2232h_noise {
	uint8_t rxf_stall, txe_stall;
	uint32_t lose, twice, flip;
};

struct ft2232h;

/* A chip as after power-up: bit mode RESET, latency timer 16 ms, buffers empty. NULL when memory is short. */
struct ft2232h *ft2232h_open(uint64_t seed);
void ft2232h_close(struct ft2232h *f);

/* ---- pins ---- */

/* One period of the 60 MHz clock: `in` is what the card held before its rising edge; *out what the chip shows after it, up to
 * the next one. Returns true while bytes are in a buffer or moved. */
bool ft2232h_clock(struct ft2232h *f, const struct ft2232h_in *in, struct ft2232h_out *out);

/* Broken rules of the pins so far, by the card: both drive the data pins, or one does in the clock after the
 * other, RD# low less than a clock after OE# fell, WR# low
 * together with OE# or without driving, RD# low without OE#. `first` (may be NULL) is set to the first in words, or "". */
uint64_t ft2232h_faults(const struct ft2232h *f, const char **first);

/* ---- USB ---- */

/* A bus reset, or unplugged: as after power-up. The noise and the count of faults stay. */
void ft2232h_bus_reset(struct ft2232h *f);

/* A vendor request of endpoint 0 (bmRequestType 0x40 or 0xc0). Returns the bytes of its data stage, at most `length`, or -EPIPE
 * for one that the chip stalls: unknown, of channel B with a bit mode, or a wValue it refuses. */
int ft2232h_control(struct ft2232h *f, uint8_t request_type, uint8_t request, uint16_t value, uint16_t index,
	uint8_t *data, uint16_t length);

/* One OUT packet of at most FT2232H_PACKET bytes for endpoint 0x02. Returns true if it was taken whole, false for NAK: no room. */
bool ft2232h_bulk_out(struct ft2232h *f, const uint8_t *data, size_t len);

/* One IN packet of endpoint 0x81: two status bytes and up to 510 bytes. Returns its length, 2 to 512, or 0 for NAK. There is
 * one when the buffer holds 510 bytes, after SIWU#, and when the latency timer has run out since the last one (then also an
 * empty one, of length 2). */
size_t ft2232h_bulk_in(struct ft2232h *f, uint8_t packet[FT2232H_PACKET]);

/* Bytes that OUT has room for; bytes that wait in IN. */
size_t ft2232h_out_room(const struct ft2232h *f);
size_t ft2232h_in_bytes(const struct ft2232h *f);

void ft2232h_set_noise(struct ft2232h *f, const struct ft2232h_noise *noise);

#endif
