/* SPDX-License-Identifier: Apache-2.0
 * chip_functional.h - an FT2232H with a card behind it, both without clocks: struct usb_chip_ops over link_functional.h. In its place
 * stands ft2232h.h where pins matter. */
#ifndef HANDFAST_CHIP_FUNCTIONAL_H
#define HANDFAST_CHIP_FUNCTIONAL_H

#include "link_functional.h"
#include "usb_device.h"

struct chip_functional {
	struct card_link *card;
	int64_t now; /* microseconds; the owner keeps it */
	bool sync_fifo;
	unsigned latency_ms;
	int64_t last_in;	     /* when the last IN packet was given */
	uint64_t to_card, from_card; /* bytes */
};

extern const struct usb_chip_ops chip_functional_ops; /* ctx: struct chip_functional */

/* As after power-up. */
void chip_functional_init(struct chip_functional *c, struct card_link *card);
/* When the latency timer gives an IN packet, if one is waited for. */
int64_t chip_functional_due(const struct chip_functional *c);

#endif
