/* SPDX-License-Identifier: Apache-2.0
 * support_usb.h - boards on simulated USB for tests and benchmarks: board processes, the testbed (tests/usb/testbed.c) that shows them to
 * unmodified libusb in this process, and a board of a few lines that lies when told to. */
#ifndef HANDFAST_TESTS_SUPPORT_USB_H
#define HANDFAST_TESTS_SUPPORT_USB_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>
#include "../sim/usb/chip_functional.h"
#include "../sim/usb/usbip_server.h"

/* First thing in main(): run this program anew with umockdev's library in front of libc. Returns false where there is no
 * umockdev, and USB tests are skipped. */
bool usb_preload(char **argv);

/* A `handfast board` process. */
struct usb_process {
	pid_t pid;
	unsigned port;
	char folder[64]; /* its wire is FOLDER/wire */
	char said[4096]; /* what it printed when it ended */
};
/* Returns false, checked, when it does not become ready within 10 s. `more`: further arguments, or "". */
bool usb_board_start(struct usb_process *b, const char *engine, const char *more);
/* SIGTERM; checks that it ends well. */
void usb_board_stop(struct usb_process *b);
/* build/handfast, or a program beside this one's folder. */
const char *usb_program(const char *name);

/* The one testbed; starts it, and makes UMOCKDEV_DIR known. */
bool testbed_start(void);
void testbed_stop(void);
/* Give a command. Returns what stands behind "ok", NULL for an error (checked unless `may_fail`). */
const char *testbed(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *testbed_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A card's end of the link behind USB/IP in a thread, with a HELLO of the test's. */
struct usb_fake {
	struct usbip_server *server;
	struct card_link *card;
	struct chip_functional chip;
	bool deaf;	 /* the card answers nothing */
	unsigned source; /* bytes of each of the messages that it sends without end, 0 = none */
	bool stop;
	pthread_t thread;
	pthread_mutex_t lock;
};
bool usb_fake_start(struct usb_fake *f, const uint8_t *hello, size_t len);
void usb_fake_stop(struct usb_fake *f);

unsigned open_descriptors(void);

#endif
