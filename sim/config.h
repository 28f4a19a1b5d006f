/* SPDX-License-Identifier: Apache-2.0
 * config.h - registers and listeners of a board that configures itself: `--listen` and the file of `--config`.
 *
 * The file has one `key = value` per line; `#` begins a comment. Keys:
 *   NAME          a writable register of regs/regs.def, the whole word: SYN_RTO_MS = 500
 *   NAME.FIELD    one field of it, the others keep their value: CTRL.ALLOW_LOOPBACK = 1
 *   MAC           our MAC address: MAC = 02:00:00:00:00:01
 *   KEY_INDEX, KEY_ISN, KEY_COOKIE_A, KEY_COOKIE_B   a whole key, 32 hexadecimal digits, octet 0 first
 * Values are decimal, 0x hexadecimal, or, for 32-bit words, an IPv4 address. Registers are written in the order
 * of the file, CTRL last of all; LISTEN_COMMIT writes the listener staged by the lines above it. */
#ifndef HANDFAST_SIM_CONFIG_H
#define HANDFAST_SIM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONFIG_WRITES = 512, CONFIG_LISTENERS = 16, CONFIG_ADDRESSES = 4, CONFIG_KEY_BYTES = 64 };

struct config {
	struct config_write {
		uint32_t offset, value;
		const char *file;
		unsigned line;
	} writes[CONFIG_WRITES];
	unsigned count;
	const char *file; /* and line: where config_read() is */
	unsigned line;
	struct config_listener {
		uint32_t addr; /* first octet most significant; 0 = any of the board's */
		uint16_t port;
	} listeners[CONFIG_LISTENERS];
	unsigned listener_count;
};

/* Add `ADDR:PORT`. Returns 0, -EINVAL when it is not that, -ENOSPC after CONFIG_LISTENERS. */
int config_listen(struct config *c, const char *text);

/* Read a file, after those read before. Returns 0, or -errno with one line, `FILE:LINE: what` in `error`. `path` must outlive c. */
int config_read(struct config *c, const char *path, char *error, size_t size);

/* Put what the file gives as MAC address in place of what `mac` holds. */
void config_mac(const struct config *c, uint8_t mac[6]);

struct sim;
/* Configure a board that has no host: MAC address, the keys (KEY_INDEX, KEY_ISN, KEY_COOKIE_A, KEY_COOKIE_B), HEARTBEAT_MS 0, what --listen
 * needs (addresses of the board, listen table); then the file's registers, which may replace any of it; CTRL at the
 * end, ENABLE unless the file has CTRL. Runs the clock.
 * Returns 0, or -EIO with one line in `error` naming the register the board refused. */
int config_apply(const struct config *c, struct sim *sim, const uint8_t mac[6], const uint8_t keys[CONFIG_KEY_BYTES],
	char *error, size_t size);

#endif
