/* SPDX-License-Identifier: Apache-2.0
 * config.c - registers by name. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../driver/message.h"
#include "config.h"
#include "options.h"
#include "sim.h"

enum { BACKLOG = 1024, OPTIONS_ALL = 7, MODE_OFFLOAD = 1 };

static const struct reg {
	const char *name;
	uint32_t offset, reset;
} regs[] = {
#define REG(name, offset, reset, doc) { #name, offset, reset },
#define FIELD(reg, name, low, bits, access, doc)
#include "../regs/regs.def"
#undef REG
#undef FIELD
};

static const struct field {
	uint32_t offset;
	const char *name;
	unsigned low, bits;
	enum hf_access access;
} fields[] = {
#define REG(name, offset, reset, doc)
#define FIELD(reg, name, low, bits, access, doc) { HF_REG_##reg, #name, low, bits, HF_##access },
#include "../regs/regs.def"
#undef REG
#undef FIELD
};

/* Keys of four registers each. */
static const struct key {
	const char *name;
	uint32_t offset;
} keys_known[CONFIG_KEY_BYTES / 16] = {
	{ "KEY_INDEX", HF_REG_KEY_INDEX0 },
	{ "KEY_ISN", HF_REG_KEY_ISN0 },
	{ "KEY_COOKIE_A", HF_REG_KEY_COOKIE_A0 },
	{ "KEY_COOKIE_B", HF_REG_KEY_COOKIE_B0 },
};

static const char *reg_name(uint32_t offset)
{
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		if (regs[i].offset == offset)
			return regs[i].name;
	return "?";
}

int config_listen(struct config *c, const char *text)
{
	const char *colon = strrchr(text, ':');
	char addr[INET_ADDRSTRLEN];
	struct in_addr in;
	uint64_t port;

	if (!colon || (size_t)(colon - text) >= sizeof(addr) || !options_number(colon + 1, 1, 65535, &port))
		return -EINVAL;
	memcpy(addr, text, (size_t)(colon - text));
	addr[colon - text] = '\0';
	if (inet_pton(AF_INET, addr, &in) != 1)
		return -EINVAL;
	if (c->listener_count == CONFIG_LISTENERS)
		return -ENOSPC;
	c->listeners[c->listener_count++] = (struct config_listener){ ntohl(in.s_addr), (uint16_t)port };
	return 0;
}

static int add(struct config *c, uint32_t offset, uint32_t value)
{
	if (c->count == CONFIG_WRITES)
		return -ENOSPC;
	c->writes[c->count++] = (struct config_write){ offset, value, c->file, c->line };
	return 0;
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)message_get(p, 4);
}

/* `count` octets in hexadecimal, with `separator` between them unless that is '\0'. */
static bool parse_octets(const char *text, uint8_t *octets, unsigned count, char separator)
{
	for (unsigned i = 0; i < count; i++) {
		if (i && separator && *text++ != separator)
			return false;
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
			return false;
		octets[i] = (uint8_t)strtoul((char[]){ text[0], text[1], '\0' }, NULL, 16);
		text += 2;
	}
	return !*text;
}

static bool parse_number(const char *text, unsigned bits, uint32_t *value)
{
	struct in_addr in;
	uint64_t v;

	if (bits == 32 && inet_pton(AF_INET, text, &in) == 1) {
		*value = ntohl(in.s_addr);
		return true;
	}
	if (!options_number(text, 0, (UINT64_C(1) << bits) - 1, &v))
		return false;
	*value = (uint32_t)v;
	return true;
}

/* The value the lines so far leave in a register, for a key that names one field of it. */
static uint32_t current(const struct config *c, const struct reg *reg)
{
	for (unsigned i = c->count; i--;)
		if (c->writes[i].offset == reg->offset)
			return c->writes[i].value;
	return reg->reset;
}

static int set_register(struct config *c, const struct reg *reg, const char *field_name, const char *value)
{
	uint32_t writable = 0, mask, v;
	unsigned low = 0, bits = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = &fields[i];

		if (f->offset != reg->offset || f->access == HF_RO)
			continue;
		mask = (uint32_t)((1ull << f->bits) - 1) << f->low;
		writable |= mask;
		if (field_name && !strcmp(field_name, f->name)) {
			low = f->low;
			bits = f->bits;
		}
	}
	if (!writable || (field_name && !bits))
		return -ENOENT;
	if (field_name) {
		if (!parse_number(value, bits, &v))
			return -ERANGE;
		mask = (uint32_t)((1ull << bits) - 1) << low;
		return add(c, reg->offset, (current(c, reg) & ~mask) | v << low);
	}
	if (!parse_number(value, 32, &v) || v & ~writable)
		return -ERANGE;
	return add(c, reg->offset, v);
}

static int set(struct config *c, const char *key, const char *value)
{
	const char *dot = strchr(key, '.');
	size_t name_len = dot ? (size_t)(dot - key) : strlen(key);
	uint8_t octets[16];
	int error = 0;

	if (!strcmp(key, "MAC")) {
		if (!parse_octets(value, octets, 6, ':'))
			return -ERANGE;
		error = add(c, HF_REG_MAC_LO, le32(octets));
		return error ? error : add(c, HF_REG_MAC_HI, octets[4] | (uint32_t)octets[5] << 8);
	}
	for (const struct key *k = keys_known; k < keys_known + sizeof(keys_known) / sizeof(*k); k++) {
		if (strcmp(key, k->name))
			continue;
		if (!parse_octets(value, octets, 16, '\0'))
			return -ERANGE;
		for (unsigned i = 0; i < 4 && !error; i++)
			error = add(c, k->offset + 4 * i, le32(octets + 4 * i));
		return error;
	}
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		if (strlen(regs[i].name) == name_len && !strncmp(regs[i].name, key, name_len))
			return set_register(c, &regs[i], dot ? dot + 1 : NULL, value);
	return -ENOENT;
}

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	for (end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	return text;
}

static int read_line(struct config *c, char *text, char *error, size_t size)
{
	char *equals, *key, *value;

	text[strcspn(text, "#")] = '\0';
	text = trim(text);
	if (!*text)
		return 0;
	equals = strchr(text, '=');
	if (!equals)
		return error_text(-EINVAL, error, size, "%s:%u: not `key = value`", c->file, c->line);
	*equals = '\0';
	key = trim(text);
	value = trim(equals + 1);
	switch (set(c, key, value)) {
	case 0:
		return 0;
	case -ENOENT:
		return error_text(
			-EINVAL, error, size, "%s:%u: no writable register or field %s", c->file, c->line, key);
	case -ENOSPC:
		return error_text(
			-EINVAL, error, size, "%s:%u: more than %d registers", c->file, c->line, CONFIG_WRITES);
	default:
		return error_text(-EINVAL, error, size, "%s:%u: %s cannot be %s", c->file, c->line, key,
			*value ? value : "empty");
	}
}

int config_read(struct config *c, const char *path, char *error, size_t size)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	int result = 0;

	c->file = path;
	c->line = 0;
	if (!in)
		return error_text(-EINVAL, error, size, "%s: %s", path, strerror(errno));
	while (!result && (errno = 0, getline(&text, &room, in)) >= 0) {
		c->line++;
		result = read_line(c, text, error, size);
	}
	if (!result && ferror(in))
		result = error_text(-EIO, error, size, "%s: %s", path, strerror(errno));
	free(text);
	fclose(in);
	return result;
}

static int write_reg(
	struct sim *sim, uint32_t offset, uint32_t value, const char *file, unsigned line, char *error, size_t size)
{
	if (!sim_reg_write(sim, offset, value))
		return 0;
	if (line)
		return error_text(
			-EIO, error, size, "%s:%u: the board refused %s = 0x%x", file, line, reg_name(offset), value);
	return error_text(-EIO, error, size, "the board refused %s = 0x%x", reg_name(offset), value);
}

/* The listeners of --listen, from the last entry of the listen table down, so that a file may use the first ones. Their
 * addresses become addresses of the board where there is room, for any-address listeners. */
static int apply_listeners(const struct config *c, struct sim *sim, char *error, size_t size)
{
	uint32_t geometry = 0, seen[CONFIG_ADDRESSES], addr;
	unsigned table, addresses = 0;
	int result = sim_reg_read(sim, HF_REG_GEOMETRY, &geometry);

	table = geometry >> HF_GEOMETRY_LISTENERS_LOW & ((1u << HF_GEOMETRY_LISTENERS_BITS) - 1);
	for (unsigned i = 0; i < c->listener_count && !result; i++) {
		struct {
			uint32_t offset, value;
		} writes[] = {
			{ HF_REG_LISTEN_ADDR, c->listeners[i].addr },
			{ HF_REG_LISTEN_PORT, c->listeners[i].port },
			{ HF_REG_LISTEN_BACKLOG, BACKLOG },
			{ HF_REG_LISTEN_OPTS, OPTIONS_ALL },
			{ HF_REG_LISTEN_COMMIT, (table - 1 - i) << HF_LISTEN_COMMIT_INDEX_LOW |
							MODE_OFFLOAD << HF_LISTEN_COMMIT_MODE_LOW },
		};

		if (i >= table)
			return error_text(-EIO, error, size, "--listen: the board has %u listeners", table);
		for (unsigned w = 0; w < sizeof(writes) / sizeof(writes[0]) && !result; w++)
			result = write_reg(sim, writes[w].offset, writes[w].value, NULL, 0, error, size);
		addr = c->listeners[i].addr;
		for (unsigned a = 0; a < addresses; a++)
			if (seen[a] == addr)
				addr = 0;
		if (result || !addr || addresses == CONFIG_ADDRESSES)
			continue;
		seen[addresses] = addr;
		result = write_reg(sim, HF_REG_LOCAL_ADDR0 + 4 * addresses++, addr, NULL, 0, error, size);
	}
	return result;
}

void config_mac(const struct config *c, uint8_t mac[6])
{
	for (unsigned i = 0; i < c->count; i++) {
		const struct config_write *w = &c->writes[i];
		unsigned at = w->offset == HF_REG_MAC_LO ? 0 : 4, octets = w->offset == HF_REG_MAC_LO ? 4 : 2;

		if (w->offset != HF_REG_MAC_LO && w->offset != HF_REG_MAC_HI)
			continue;
		for (unsigned o = 0; o < octets; o++)
			mac[at + o] = (uint8_t)(w->value >> 8 * o);
	}
}

int config_apply(const struct config *c, struct sim *sim, const uint8_t mac[6], const uint8_t keys[CONFIG_KEY_BYTES],
	char *error, size_t size)
{
	const struct config_write *ctrl = NULL;
	int result = write_reg(sim, HF_REG_MAC_LO, le32(mac), NULL, 0, error, size);

	if (!result)
		result = write_reg(sim, HF_REG_MAC_HI, mac[4] | (uint32_t)mac[5] << 8, NULL, 0, error, size);
	if (!result)
		result = write_reg(sim, HF_REG_HEARTBEAT_MS, 0, NULL, 0, error, size);
	for (unsigned i = 0; i < CONFIG_KEY_BYTES / 4 && !result; i++)
		result = write_reg(
			sim, keys_known[i / 4].offset + 4 * (i % 4), le32(keys + 4 * i), NULL, 0, error, size);
	if (!result)
		result = apply_listeners(c, sim, error, size);
	for (unsigned i = 0; i < c->count && !result; i++) {
		const struct config_write *w = &c->writes[i];

		if (w->offset == HF_REG_CTRL)
			ctrl = w;
		else
			result = write_reg(sim, w->offset, w->value, w->file, w->line, error, size);
	}
	if (!result && ctrl)
		result = write_reg(sim, HF_REG_CTRL, ctrl->value, ctrl->file, ctrl->line, error, size);
	else if (!result)
		result = write_reg(sim, HF_REG_CTRL, 1u << HF_CTRL_ENABLE_LOW, NULL, 0, error, size);
	return result;
}
