/* SPDX-License-Identifier: Apache-2.0
 * ladder.c - the printed form of a handshake. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include "json_text.h"
#include "ladder.h"
#include "packet.h"

enum { RUNG = 70 }; /* columns between the rails */

void ladder_init(struct ladder *l, FILE *out)
{
	memset(l, 0, sizeof(*l));
	l->out = out;
}

static uint64_t since_first(struct ladder *l, uint64_t time_ns)
{
	if (!l->started)
		l->zero_ns = time_ns;
	l->started = true;
	return time_ns - l->zero_ns;
}

static void heading(struct ladder *l, const struct packet *p, bool outbound)
{
	const uint32_t remote = outbound ? p->dst_addr : p->src_addr, local = outbound ? p->src_addr : p->dst_addr;
	const uint16_t remote_port = outbound ? p->dst_port : p->src_port,
		       local_port = outbound ? p->src_port : p->dst_port;
	struct in_addr peer = { htonl(remote) }, engine = { htonl(local) };
	char left[40], right[40], address[INET_ADDRSTRLEN];

	if (l->remote == remote && l->local == local && l->remote_port == remote_port && l->local_port == local_port)
		return;
	l->remote = remote;
	l->local = local;
	l->remote_port = remote_port;
	l->local_port = local_port;
	snprintf(left, sizeof(left), "%s:%u", inet_ntop(AF_INET, &peer, address, sizeof(address)), remote_port);
	snprintf(right, sizeof(right), "%s:%u", inet_ntop(AF_INET, &engine, address, sizeof(address)), local_port);
	fprintf(l->out, "%10s %13s  peer %-*s %*s engine  state, verdict\n", "cycle", "time ns", RUNG / 2 - 6, left,
		RUNG / 2 - 5, right);
}

/* "|---- text ---->|" or "|<---- text ----|". A text that is too long pushes the right rail out rather than being cut. */
static void rung(FILE *out, bool outbound, const char *text)
{
	int dashes = RUNG - 8 - (int)strlen(text);

	fprintf(out, "|%s %s ", outbound ? "<----" : "-----", text);
	for (; dashes > 0; dashes--)
		putc('-', out);
	fprintf(out, "%s|", outbound ? "-" : ">");
}

/* Of a frame that is no TCP over IPv4. */
static void other_text(const struct packet *p, size_t len, char *text, size_t size)
{
	if (p->is_ipv4)
		snprintf(text, size, "IPv4 protocol %u, %zu bytes", p->protocol, len);
	else if (p->ethertype == PACKET_ETHERTYPE_ARP || p->ethertype == PACKET_ETHERTYPE_IPV6)
		snprintf(text, size, "%s, %zu bytes", p->ethertype == PACKET_ETHERTYPE_ARP ? "ARP" : "IPv6", len);
	else
		snprintf(text, size, "EtherType 0x%04x, %zu bytes", p->ethertype, len);
}

static void begin_json(struct ladder *l, const char *trace, uint64_t cycle, uint64_t time_ns)
{
	fprintf(l->out, "{\"trace\": \"%s\", \"cycle\": %" PRIu64 ", \"time_ns\": %" PRIu64, trace, cycle,
		since_first(l, time_ns));
}

static void end_json(struct ladder *l, const char *what)
{
	fputs(", ", l->out);
	json_text(l->out, "what", what);
	fputs("}\n", l->out);
	fflush(l->out);
}

static void address_json(FILE *out, const char *name, uint32_t address, uint16_t port)
{
	struct in_addr in = { htonl(address) };
	char text[INET_ADDRSTRLEN];

	fprintf(out, ", \"%s\": \"%s:%u\"", name, inet_ntop(AF_INET, &in, text, sizeof(text)), port);
}

static void frame_json(struct ladder *l, bool outbound, const uint8_t *frame, size_t len, uint64_t cycle,
	uint64_t time_ns, const char *what)
{
	char text[128];
	struct packet p;

	begin_json(l, "frame", cycle, time_ns);
	fprintf(l->out, ", \"direction\": \"%s\", \"length\": %zu", outbound ? "out" : "in", len);
	if (!packet_parse(frame, len, &p)) {
		fprintf(l->out, ", \"other\": \"no Ethernet header\"");
	} else if (!p.is_tcp) {
		other_text(&p, len, text, sizeof(text));
		fprintf(l->out, ", \"other\": \"%s\"", text);
	} else {
		address_json(l->out, "remote", outbound ? p.dst_addr : p.src_addr, outbound ? p.dst_port : p.src_port);
		address_json(l->out, "local", outbound ? p.src_addr : p.dst_addr, outbound ? p.src_port : p.dst_port);
		packet_flags_text(p.flags, text, sizeof(text));
		fprintf(l->out, ", \"flags\": \"%s\", \"seq\": %u, \"ack\": %u, \"wnd\": %u, \"text_length\": %zu",
			text, p.seq, p.ack, p.wnd, p.text_len);
		packet_options_text(&p, text, sizeof(text));
		fprintf(l->out, ", \"options\": \"%s\"", text);
	}
	end_json(l, what);
}

void ladder_frame(struct ladder *l, bool outbound, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns,
	const char *what)
{
	struct packet p;
	char text[128], options[160], flags[48];
	uint64_t ns;

	if (l->json) {
		frame_json(l, outbound, frame, len, cycle, time_ns, what);
		return;
	}
	ns = since_first(l, time_ns);
	options[0] = '\0';
	if (!packet_parse(frame, len, &p)) {
		snprintf(text, sizeof(text), "%zu bytes, no Ethernet header", len);
	} else if (p.is_tcp) {
		heading(l, &p, outbound);
		packet_flags_text(p.flags, flags, sizeof(flags));
		snprintf(text, sizeof(text), "%s SEQ=%u ACK=%u WND=%u", flags, p.seq, p.ack, p.wnd);
		if (p.text_len)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), " +%zu", p.text_len);
		packet_options_text(&p, options, sizeof(options));
	} else {
		other_text(&p, len, text, sizeof(text));
	}
	fprintf(l->out, "%10" PRIu64 " %13" PRIu64 "  ", cycle, ns);
	rung(l->out, outbound, text);
	fprintf(l->out, "  %s\n", what);
	if (options[0])
		fprintf(l->out, "%24s  |  %-*s|\n", "", RUNG - 2, options);
	fflush(l->out);
}

void ladder_note(struct ladder *l, uint64_t cycle, uint64_t time_ns, const char *what)
{
	if (l->json) {
		begin_json(l, "note", cycle, time_ns);
		end_json(l, what);
		return;
	}
	fprintf(l->out, "%10" PRIu64 " %13" PRIu64 "  |%*s|  %s\n", cycle, since_first(l, time_ns), RUNG, "", what);
	fflush(l->out);
}
