/* SPDX-License-Identifier: Apache-2.0
 * support_bench.h - what every test stands on: one table of cases run on model, RTL and lock step;
 * a bench around one engine with a peer at 192.0.2.1 (MAC 02:00:00:00:00:01) and the engine at 192.0.2.2
 * (MAC 02:00:00:00:00:02), listening on port 80; packets and expectations written from the RFCs and
 * docs/architecture.md, with arithmetic of their own. All numbers here are host order. */
#ifndef HANDFAST_TESTS_SUPPORT_BENCH_H
#define HANDFAST_TESTS_SUPPORT_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../regs/regs.h"
#include "../sim/sim.h"

/* Tables of rows end where the rest is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define PEER_ADDR 0xc0000201u
#define OUR_ADDR  0xc0000202u
#define PEER_PORT 49152
#define OUR_PORT  80
#define PEER_MAC  0x020000000001ull
#define OUR_MAC	  0x020000000002ull

#define CTRL_ENABLE	    (1u << HF_CTRL_ENABLE_LOW)
#define CTRL_ALLOW_LOOPBACK (1u << HF_CTRL_ALLOW_LOOPBACK_LOW)
#define CTRL_TS_OFFSET_OFF  (1u << HF_CTRL_TS_OFFSET_OFF_LOW)
#define CTRL_TS_RELAXED	    (1u << HF_CTRL_TS_RELAXED_LOW)

enum listen_mode { LISTEN_OFF, LISTEN_OFFLOAD, LISTEN_BYPASS };
enum listen_opts { OPT_WS = 1, OPT_SACK = 2, OPT_TS = 4, OPT_IP6 = 8 };

/* ---- cases and checks ---- */

struct bench_case {
	const char *name;
	void (*run)(void);
	bool once; /* has no engine in it: runs once, not per target */
};
#define CASE(f)              \
	{                    \
#f, f, false \
	}
#define CASE_ONCE(f)        \
	{                   \
#f, f, true \
	}

/* The main() of every test program: runs the cases (ended by a row of zeros) as CUnit suites, one per target.
 * Arguments: --target rtl|model|lockstep, --case NAME, --list. Without --target, the environment's HF_TEST_ENGINES
 * names the targets, parted by commas; HF_TEST_WITHOUT names cases to leave out. The last line printed is
 * "result: NAME passed=N failed=N skipped=N", counting cases. Returns the exit code: 0, 1 a case failed, 2 usage. */
int bench_main(int argc, char **argv, const char *name, const struct bench_case *cases);

/* Note a CUnit assertion with a message of its own; returns `ok`. */
bool check_at(bool ok, const char *file, unsigned line, const char *format, ...) __attribute__((format(printf, 4, 5)));
#define CHECK(ok, ...)		  check_at(ok, __FILE__, __LINE__, __VA_ARGS__)
#define CHECK_EQ(got, want, what) check_eq_at(__FILE__, __LINE__, (uint64_t)(got), (uint64_t)(want), what)
bool check_eq_at(const char *file, unsigned line, uint64_t got, uint64_t want, const char *what);
bool check_bytes_at(const char *file, unsigned line, const char *what, const void *got, size_t got_len,
	const void *want, size_t want_len);
#define CHECK_BYTES(what, got, got_len, want, want_len) \
	check_bytes_at(__FILE__, __LINE__, what, got, got_len, want, want_len)

/* Words put before the message of every failed check, e.g. the name of a vector; "" for none. */
void check_context(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The running case does not count as passed: what it needs is missing here. */
void bench_skip(const char *why);

/* ---- reference arithmetic ---- */

/* RFC 1071 sum of one octet string, not inverted, folded; 0 only if every octet is 0. */
uint16_t ref_sum(const void *octets, size_t len);
/* Checksum of an IPv4 header; of TCP in an IPv4 packet (0 in the field's place either way). */
uint16_t ref_ip_checksum(const uint8_t *ip);
uint16_t ref_tcp_checksum(const uint8_t *ip);
/* SipHash-2-4, the 64-bit result as an integer (its octets are little-endian). */
uint64_t ref_siphash(const uint8_t key[16], const void *octets, size_t len);

/* A reproducible stream: splitmix64. */
uint64_t random_next(uint64_t *state);
uint32_t random_below(uint64_t *state, uint32_t n);

/* ---- octets ---- */

static inline uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}
static inline uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}
static inline uint64_t get48(const uint8_t *p)
{
	return (uint64_t)get16(p) << 32 | get32(p + 2);
}
static inline void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}
static inline void put48(uint8_t *p, uint64_t v)
{
	put16(p, (uint32_t)(v >> 32));
	put32(p + 2, (uint32_t)v);
}
/* Message fields are little-endian. */
uint64_t get_le(const uint8_t *p, unsigned bytes);
void put_le(uint8_t *p, unsigned bytes, uint64_t v);
#define MSG_GET(msg, kind, field)    get_le((msg) + HF_AT_##kind##_##field, HF_SIZE_##kind##_##field)
#define MSG_PUT(msg, kind, field, v) put_le((msg) + HF_AT_##kind##_##field, HF_SIZE_##kind##_##field, v)

/* Hex digits to octets, at most `max`; returns how many. Stops at the first character that is no digit. */
size_t from_hex(const char *hex, uint8_t *out, size_t max);

/* ---- packets ---- */

#define PACKET_MAX 2048

struct segment {
	uint32_t src, dst; /* 0 = peer, us */
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint16_t flags; /* HF_SYN ... */
	uint16_t wnd;
	const char *opts; /* "mss=1460 sack ts=1:2 nop ws=7 eol x=0102", NULL = none; padded with zeros to 4 */
	const void *text;
	size_t text_len;
	const char *ip_opts; /* hex, a multiple of 4 octets */
	uint8_t ttl, tos;    /* ttl 0 = 64 */
	uint16_t ip_id;
	bool ip6;  /* between PEER6 and OUR6 */
	bool back; /* IPv6: from us to the peer */
};

/* 2001:db8::1 and 2001:db8::2 */
extern const uint8_t PEER6[16], OUR6[16];

/* 802.1Q tags around a frame's EtherType. */
struct tags {
	unsigned count; /* 0 to 2 */
	bool svlan;	/* the outer TPID is 0x88a8 */
	uint16_t outer, inner;
};
size_t make_tagged_frame(
	uint8_t *frame, uint64_t dst_mac, uint64_t src_mac, const struct tags *tags, const uint8_t *ip, size_t len);

/* "S.", "FP." ... to flag bits: F S R P . U E W(CWR) A(AE). */
uint16_t flags_parse(const char *text);
/* TCP options in shorthand to octets; returns the length, a multiple of 4, at most 40. */
size_t options_build(uint8_t *out, const char *text);
/* IPv4 packet with DF and both checksums right; returns its length. */
size_t make_packet(uint8_t *ip, const struct segment *s);
/* Set both checksums of an IPv4/TCP packet again after it was edited. */
void fix_packet(uint8_t *ip);
/* Ethernet frame around an IPv4 or IPv6 packet, zero-padded to 60; returns its length. */
size_t make_frame(uint8_t *frame, uint64_t dst_mac, uint64_t src_mac, const uint8_t *ip, size_t len);
/* "It is at `mac`", to an ARP request whose EtherType's contents begin at octet `l3` (14; 18 with a tag); returns its length, l3 + 28. */
size_t make_arp_reply(uint8_t *reply, const uint8_t *request, size_t l3, uint64_t mac);

/* ---- the bench ---- */

struct item {
	uint8_t *bytes;
	size_t len;
	uint64_t cycle, time_ns;
};

struct items {
	struct item *v;
	size_t count, next; /* [next, count) are not taken yet */
};

struct bench {
	struct sim *sim;
	enum engine_size size;
	const struct hf_params *params;
	struct items tx, c2h, rx; /* rx: frames given, with their stamp as time_ns, cycle of the last beat */
	struct hf_out *trace;
	uint64_t *trace_cycle;
	size_t trace_count;
	struct hf_tcb *table; /* the entries as the trace port showed them, by slot */
	unsigned slots;
	uint32_t ms; /* ticks since reset */
	uint8_t key_index[16], key_isn[16];
	bool restless;			/* it did not settle once */
	struct eth_board *board;	/* support_board.h; NULL: the engine alone */
	uint64_t counted[HF_CNT_COUNT]; /* what bench_counted() expects */
};

/* The target of the running suite. */
enum engine_kind bench_target(void);

/* A fresh engine, out of reset, nothing configured, not yet ready. Ticks only by bench_ms(). */
struct bench *bench_open_raw(enum engine_size size);
/* The same, ready, HELLO taken, configured: MAC, LOCAL_ADDR0 = 192.0.2.2, keys, RCV_WND 65535, no heartbeat needed,
 * ENABLE, TSval = the bare millisecond clock, listener 0 = any:80, backlog 1000, all options. */
struct bench *bench_open(enum engine_size size);
/* Checks that nothing came out that no expectation took, and 0 mismatches in lock step; frees all. */
void bench_close(struct bench *b);

/* Run until quiet, long enough for a frame or message to come out; then also for two scans of the table. */
void bench_settle(struct bench *b);
void bench_ms(struct bench *b, unsigned ms); /* that many ticks, then bench_settle() and scans */

void bench_set(struct bench *b, uint32_t offset, uint32_t value); /* checks that it is not refused */
uint32_t bench_get(struct bench *b, uint32_t offset);
uint64_t bench_counter(struct bench *b, enum hf_counter c);
const char *counter_name(unsigned c);
/* Counter `c` grew by exactly `by` since the last bench_counted() of it. */
void bench_counted_at(const char *file, unsigned line, struct bench *b, enum hf_counter c, uint64_t by);
#define bench_counted(b, c, by) bench_counted_at(__FILE__, __LINE__, b, c, by)
void bench_keys(
	struct bench *b, const uint8_t key_index[16], const uint8_t key_isn[16]); /* with ENABLE off for a moment */
void bench_listen(struct bench *b, unsigned index, uint32_t addr, unsigned port, unsigned backlog, unsigned opts,
	enum listen_mode mode);

/* RFC 6528 F() of a tuple under KEY_ISN; index hash under KEY_INDEX; the slot set it falls in. */
uint64_t bench_isn_hash(
	const struct bench *b, uint32_t remote, uint16_t remote_port, uint32_t local, uint16_t local_port);
uint64_t bench_index_hash(
	const struct bench *b, uint32_t remote, uint16_t remote_port, uint32_t local, uint16_t local_port);
/* Set the time so that a SYN of this tuple given next gets ISS `iss`. */
void bench_iss(
	struct bench *b, uint32_t remote, uint16_t remote_port, uint32_t local, uint16_t local_port, uint32_t iss);

void bench_frame(struct bench *b, const uint8_t *frame, size_t len); /* give to the wire, settle */
void bench_packet(struct bench *b, const uint8_t *ip, size_t len);   /* in a frame from peer to us */
void bench_packet_hex(struct bench *b, const char *hex);
void bench_segment(struct bench *b, const struct segment *s);	     /* addresses 0: peer to us */
void bench_message(struct bench *b, const uint8_t *msg, size_t len); /* to h2c, settle */

/* The next frame or message that came out and was not taken, NULL when there is none. */
const struct item *bench_tx(struct bench *b);
const struct item *bench_c2h(struct bench *b);

/* The next frame out is this packet, from us to the peer, padded to 60 (addresses 0: us to peer). */
void bench_expect_packet_at(const char *file, unsigned line, struct bench *b, const uint8_t *ip, size_t len);
void bench_expect_segment_at(const char *file, unsigned line, struct bench *b, const struct segment *s);
#define bench_expect_packet(b, ip, len) bench_expect_packet_at(__FILE__, __LINE__, b, ip, len)
#define bench_expect_segment(b, ...)	bench_expect_segment_at(__FILE__, __LINE__, b, __VA_ARGS__)
/* The next message up is a FRAME with these octets. flags: HF_FRAME_...; its stamp is that of the frame given last. */
void bench_expect_host_at(const char *file, unsigned line, struct bench *b, const uint8_t *frame, size_t len,
	unsigned flags, uint32_t id);
/* The frame given last comes up, as above. */
void bench_expect_last_at(const char *file, unsigned line, struct bench *b, unsigned flags, uint32_t id);
#define bench_expect_last(b, flags, id) bench_expect_last_at(__FILE__, __LINE__, b, flags, id)
/* Nothing is waiting on either side. */
bool bench_quiet_at(const char *file, unsigned line, struct bench *b);
#define bench_quiet(b) bench_quiet_at(__FILE__, __LINE__, b)
/* The same after 3 s of ticks. */
void bench_silence_at(const char *file, unsigned line, struct bench *b);
#define bench_silence(b) bench_silence_at(__FILE__, __LINE__, b)

/* The entry of a tuple as the trace port wrote it, NULL when there is none. */
const struct hf_tcb *bench_entry(
	const struct bench *b, uint32_t remote, uint16_t remote_port, uint32_t local, uint16_t local_port);
unsigned bench_slot(const struct bench *b, const struct hf_tcb *t);
uint32_t bench_id(const struct bench *b, const struct hf_tcb *t);
const struct hf_out *bench_last_trace(const struct bench *b);
const char *state_name(unsigned state);

/* A COMMAND with a body; the COMPLETION's status, and its id in *id. The body is that of an EVENT, header unset. */
unsigned bench_call(struct bench *b, enum hf_command_code code, uint8_t body[128], uint32_t *id);
/* The body's addresses, ports and MAC; the rest 0. */
void bench_call_body(uint8_t body[128], bool ip6, uint16_t peer_port, uint16_t our_port, const struct tags *tags);

/* The connection of the vectors G22 to G41 and I: the peer's port 7, ours 49153. */
#define G_PORT 7
#define G_OURS 49153
/* A bench whose CONNECT has sent the SYN of G22. */
struct bench *bench_open_vector(void);
/* Give the vector called `name`; its answer comes, if it has one. The name stays in front of failed checks. */
void bench_vector(struct bench *b, const char *name);
/* The state of that connection, HF_STATE_CLOSED without an entry. */
unsigned bench_vector_state(const struct bench *b);

/* Register and command messages; each takes and returns the reply's status, checking cookie, id and length. */
unsigned bench_msg_read(struct bench *b, uint32_t offset, uint32_t *value);
unsigned bench_msg_write(struct bench *b, uint32_t offset, uint32_t value);
unsigned bench_command(struct bench *b, enum hf_command_code code, uint32_t id);

/* ---- handshakes as tables ---- */

/* One line of a script. seq counts from the peer's ISN in '<' and from our ISS in '>', ack the other way round.
 *   '<' into the engine        '>' out of it; nothing else may come out before the next '<'
 *   't' `seq` milliseconds     'e' the ESTABLISHED event, every field
 *   'h' the frame given last goes up to the host, flags "conn" (id of the entry) or "none"
 *   'd' it was dropped for the cause named in flags, counted
 *   'c' ABORT or RELEASE (flags), completes with status `seq`
 *   'o' CONNECT, CLOSE, ADOPT, "CLOSE CW" or "ADOPT CW" (from CLOSE-WAIT), completes with status `seq`; opts: of
 *       "ws sack ts ecn"; ack: TS.Recent, CONNECT: the deadline in ms; wnd: our window
 *   'E' the event named in flags, of this connection
 *   'i' an ICMP error, "hard" or "soft" (flags), that quotes our segment with sequence number `seq`
 *   'x' a SYN-ACK of a new incarnation, its ISS above the old SND.NXT, that acknowledges the SYN of `seq`
 *   'n' the counter named in flags grew by `seq`
 * opts of '>' without any: "mss=1460" with SYN, else none. wnd 0 means 65535 (RST out: 0), ZERO_WND means 0.
 * state: of the connection after the line ("LISTEN": no entry), NULL = not looked at. */
struct row {
	char dir;
	const char *flags;
	uint32_t seq, ack;
	const char *state;
	const char *opts;
	int wnd;
	const char *text;
};
#define ZERO_WND (-1)

struct script {
	const char *name;
	const struct row *rows;
	void (*setup)(struct bench *b); /* registers before the first line, or NULL */
	bool only_ipv4;
};

/* Run a script with ISS and peer ISN just below, at and above 2^32 and 2^31, then over IPv6 and with one and two
 * VLAN tags, a fresh engine each. */
void script_run(const struct script *s);
void script_run_rows(const char *name, const struct row *rows);

/* Make an ESTABLISHED (or SYN-RECEIVED) connection and take what comes out; returns its id. */
uint32_t bench_half_open(struct bench *b, uint32_t remote, uint16_t port, uint32_t isn);
uint32_t bench_establish(struct bench *b, uint32_t remote, uint16_t port, uint32_t isn);
/* A SYN from a fresh tuple is answered (a SYN-ACK comes) and reset again: the engine still serves. */
void bench_still_serves_at(const char *file, unsigned line, struct bench *b);
#define bench_still_serves(b) bench_still_serves_at(__FILE__, __LINE__, b)

#endif
