/* SPDX-License-Identifier: Apache-2.0
 * usb_list.h - the USB devices that are a board, or look like one, as sysfs knows them: without opening any.
 * Threads: any. Fork: transport.h. Blocks: while it reads sysfs. Errors: none; what cannot be read is not there. */
#ifndef HANDFAST_USB_LIST_H
#define HANDFAST_USB_LIST_H

#include <stdbool.h>

#define USB_VENDOR_FTDI	    0x0403
#define USB_PRODUCT_FT2232H 0x6010
#define USB_PRODUCT_FT232H  0x6014
/* The product string in the EEPROM of a board's chip begins so; anything else is somebody else's. */
#define USB_PRODUCT_NAME "Handfast"

enum { USB_LIST_MAX = 64, USB_STRING = 48 };

struct usb_board {
	char place[USB_STRING];							/* bus-port[.port]: "1-2.4" */
	char node[USB_STRING];							/* "/dev/bus/usb/001/004" */
	char manufacturer[USB_STRING], product[USB_STRING], serial[USB_STRING]; /* "" = it has none */
	unsigned bus, address, id_product;
	unsigned speed_mbit; /* 12, 480; 0 = not known */
	bool ours;
};

/* Fill in at most `max`, sorted by place. Returns how many there are. */
unsigned usb_list(struct usb_board *list, unsigned max);

#endif
