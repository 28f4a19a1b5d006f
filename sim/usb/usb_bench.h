/* SPDX-License-Identifier: Apache-2.0
 * usb_bench.h - what the link makes of the 60 MB/s of the FIFO's pins. */
#ifndef HANDFAST_USB_BENCH_H
#define HANDFAST_USB_BENCH_H

struct usb_bench {
	/* Messages of frames of 1,514 bytes, without a pause, a host that answers at once: their bytes in percent of the pins'
	 * clocks; card to host alone, host to card alone, and both together. */
	double up_pct, down_pct, both_up_pct, both_down_pct;
	/* Core cycles at 156.25 MHz from the first beat of a message of 128 bytes, as an EVENT has, on m_axis_c2h, until the first
	 * byte of its packet is in the chip, and until SIWU# has sent its last one; nothing else under way. */
	double first_byte_cycles, sent_cycles;
};

/* Returns 0, or -ENOMEM, -EIO when no message came through. */
int usb_bench(struct usb_bench *b);

#endif
