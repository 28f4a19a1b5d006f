/* SPDX-License-Identifier: Apache-2.0
 * test_lean.c - the core with HASH_SERIAL and without IPv6: what it does not know goes to the host, and one hash unit
 * serves segments, cookies and commands in turn with the hashes that units of their own would give. */
#include "support_bench.h"

#define IP6_OCTETS 60

/* Addresses 2001:db8::1 and ::2, the peer's first. */
static void ip6_addresses(uint8_t *to)
{
	from_hex("20010db800000000000000000000000120010db8000000000000000000000002", to, 32);
}

static void ip6_goes_to_the_host(void)
{
	struct bench *b = bench_open(ENGINE_LEAN);
	uint8_t ip[IP6_OCTETS] = { 0x60, [5] = 20, [6] = 6, [7] = 64 }, frame[14 + IP6_OCTETS];

	/* A listener for it is taken, and never found. */
	bench_listen(b, 1, 0, OUR_PORT, 10, OPT_IP6, LISTEN_OFFLOAD);
	ip6_addresses(ip + 8);
	put16(ip + 40, PEER_PORT);
	put16(ip + 42, OUR_PORT);
	ip[52] = 0x50;
	ip[53] = HF_SYN;
	/* The checksum is wrong on purpose: nobody here looks. */
	make_frame(frame, OUR_MAC, PEER_MAC, ip, sizeof(ip));
	put16(frame + 12, 0x86dd);
	bench_frame(b, frame, sizeof(frame));
	bench_expect_last(b, 0, HF_NO_ID);
	bench_silence(b);
	bench_counted(b, HF_CNT_RX_HOST, 1);
	bench_still_serves(b);
	bench_close(b);
}

static void ip6_commands_are_refused(void)
{
	static const enum hf_command_code codes[] = { HF_COMMAND_CONNECT, HF_COMMAND_CLOSE, HF_COMMAND_ADOPT };
	struct bench *b = bench_open(ENGINE_LEAN);
	uint8_t body[128];

	for (unsigned which = 1; which < 4; which++)
		for (size_t c = 0; c < COUNT(codes); c++) {
			uint8_t addresses[32];

			check_context("addresses %u, command %u", which, codes[c]);
			bench_call_body(body, false, PEER_PORT, OUR_PORT, &(struct tags){ 0 });
			ip6_addresses(addresses);
			if (which & 1)
				memcpy(body + HF_AT_EVENT_remote_addr, addresses, 16);
			if (which & 2)
				memcpy(body + HF_AT_EVENT_local_addr, addresses + 16, 16);
			CHECK_EQ(bench_call(b, codes[c], body, NULL), HF_STATUS_BAD_PARAM, "status");
			bench_quiet(b);
		}
	check_context("%s", "");
	CHECK_EQ(bench_get(b, HF_REG_ENTRIES), 0, "ENTRIES");
	bench_close(b);
}

/* ISS is the clock and the hash under KEY_ISN, the slot's set that under KEY_INDEX. */
static void hashes_of_a_segment(void)
{
	struct bench *b = bench_open(ENGINE_LEAN);

	for (uint16_t port = 1000; port < 1050; port++) {
		const struct hf_tcb *t;

		check_context("port %u", port);
		bench_segment(
			b, &(struct segment){ .sport = port, .dport = OUR_PORT, .seq = 9, .flags = HF_SYN, .wnd = 9 });
		t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT);
		if (!CHECK(t && bench_tx(b), "no SYN-ACK"))
			continue;
		CHECK_EQ(t->iss,
			(uint32_t)((b->rx.v[b->rx.count - 1].time_ns >> 12) +
				   bench_isn_hash(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT)),
			"ISS");
		CHECK_EQ(bench_slot(b, t) / b->params->ways,
			bench_index_hash(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT) & ((1u << b->params->sets_log2) - 1),
			"set");
		CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, bench_id(b, t)), HF_STATUS_OK, "status of ABORT");
		bench_tx(b);
	}
	bench_close(b);
}

/* The entry of a CONNECT is that of the peer's answer: both found their slot by the same hash. */
static void hashes_of_a_command(void)
{
	struct bench *b = bench_open(ENGINE_LEAN);

	for (uint16_t port = 2000; port < 2030; port++) {
		uint8_t body[128];
		const struct hf_tcb *t;
		const struct item *syn;
		uint32_t id;

		check_context("port %u", port);
		bench_call_body(body, false, port, OUR_PORT + 1, &(struct tags){ 0 });
		CHECK_EQ(bench_call(b, HF_COMMAND_CONNECT, body, &id), HF_STATUS_OK, "status");
		syn = bench_tx(b);
		t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT + 1);
		if (!CHECK(syn && t, "no SYN"))
			continue;
		CHECK_EQ(bench_slot(b, t) / b->params->ways,
			bench_index_hash(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT + 1) &
				((1u << b->params->sets_log2) - 1),
			"set");
		bench_segment(b, &(struct segment){ .sport = port,
					 .dport = OUR_PORT + 1,
					 .seq = 7,
					 .ack = t->iss + 1,
					 .flags = HF_SYN | HF_ACK,
					 .wnd = 9 });
		t = bench_entry(b, PEER_ADDR, port, OUR_ADDR, OUR_PORT + 1);
		if (CHECK(t != NULL, "no entry"))
			CHECK_EQ(t->state, HF_STATE_ESTABLISHED, "STATE");
		CHECK(bench_tx(b) && bench_c2h(b), "no ACK or no event");
		CHECK_EQ(bench_command(b, HF_COMMAND_ABORT, id), HF_STATUS_OK, "status of ABORT");
		bench_tx(b);
	}
	bench_close(b);
}

/* Cookies of both keys come back as connections; one bit of the number changed, they do not. */
static void cookies_of_both_keys(void)
{
	for (unsigned key = 0; key < 2; key++) {
		struct bench *b = bench_open(ENGINE_LEAN);
		struct segment ack = { .sport = PEER_PORT, .dport = OUR_PORT, .seq = 51, .flags = HF_ACK, .wnd = 9 };
		const struct item *reply;

		check_context("key %u", key);
		bench_set(b, HF_REG_CTRL, 0);
		for (unsigned i = 0; i < 4; i++) {
			bench_set(b, HF_REG_KEY_COOKIE_A0 + 4 * i, 0x01234567 * (i + 1));
			bench_set(b, HF_REG_KEY_COOKIE_B0 + 4 * i, 0x89abcdef * (i + 1));
		}
		bench_set(b, HF_REG_CTRL, CTRL_ENABLE);
		bench_set(b, HF_REG_COOKIE,
			2u << HF_COOKIE_MODE_LOW | key << HF_COOKIE_KEY_LOW | 1u << HF_COOKIE_LIFETIME_LOW);
		bench_segment(b, &(struct segment){
					 .sport = PEER_PORT, .dport = OUR_PORT, .seq = 50, .flags = HF_SYN, .wnd = 9 });
		reply = bench_tx(b);
		if (CHECK(reply != NULL, "no SYN-ACK")) {
			ack.ack = get32(reply->bytes + 38) + 1;
			CHECK_EQ((ack.ack - 51) >> 31, key, "the key's bit");
			ack.ack ^= 4;
			bench_segment(b, &ack);
			bench_counted(b, HF_CNT_COOKIES_ACCEPTED, 0);
			bench_expect_last(b, HF_FRAME_CSUM_OK, HF_NO_ID);
			ack.ack ^= 4;
			bench_segment(b, &ack);
			bench_counted(b, HF_CNT_COOKIES_ACCEPTED, 1);
			CHECK(bench_c2h(b) != NULL, "no event");
		}
		bench_close(b);
	}
}

/* The cycle in which a command's COMPLETION leaves, counted from that in which it is given; with `frame`, a SYN is given
 * `lead` clocks before the command, or after it. The hash unit's last job before is a command's. */
static int64_t completion_cycles(bool frame, int lead)
{
	struct bench *b = bench_open(ENGINE_LEAN);
	struct segment syn = { .sport = 1000, .dport = OUR_PORT, .seq = 9, .flags = HF_SYN, .wnd = 9 };
	uint8_t body[128], ip[64], wire[64];
	size_t len = make_frame(wire, OUR_MAC, PEER_MAC, ip, make_packet(ip, &syn));
	const struct item *got;
	int64_t given, cycles = -1;

	/* Port 0: refused, after its hash all the same. */
	bench_call_body(body, false, 0, OUR_PORT, &(struct tags){ 0 });
	CHECK_EQ(bench_call(b, HF_COMMAND_CONNECT, body, NULL), HF_STATUS_BAD_PARAM, "status");
	if (frame && lead >= 0)
		sim_rx(b->sim, wire, len, false);
	if (lead >= 0)
		sim_run(b->sim, (uint64_t)lead);
	given = (int64_t)b->sim->cycle;
	sim_h2c(b->sim, body, 128);
	if (lead < 0)
		sim_run(b->sim, (uint64_t)-lead);
	if (frame && lead < 0)
		sim_rx(b->sim, wire, len, false);
	bench_settle(b);
	got = bench_c2h(b);
	if (CHECK(got && got->bytes[0] == HF_MSG_COMPLETION, "no COMPLETION"))
		cycles = (int64_t)got->cycle - given;
	CHECK((bench_tx(b) != NULL) == frame, "SYN-ACK");
	bench_close(b);
	return cycles;
}

/* A segment's hash takes 17 cycles and its MAC 9. A command that becomes visible with the segment, after another command,
 * waits for the whole of the first; if it comes earlier it does not wait at all. */
static void segments_and_commands_take_turns(void)
{
	unsigned seen[64] = { 0 };
	int64_t alone = completion_cycles(false, 0), longest = 0;

	for (int lead = -64; lead < 64; lead++) {
		int64_t waited = completion_cycles(true, lead) - alone;

		check_context("SYN %d clocks before the command", lead);
		if (CHECK(waited >= 0 && waited < 64, "waited %d cycles", (int)waited))
			seen[waited]++;
		if (waited > longest)
			longest = waited;
	}
	check_context("%s", "");
	CHECK_EQ(longest, 17, "the longest wait");
	for (unsigned waited = 1; waited <= 17; waited++)
		CHECK(seen[waited] > 0, "no command waits %u cycles", waited);
	CHECK(seen[0] > 64, "only %u commands do not wait", seen[0]);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = { CASE(ip6_goes_to_the_host), CASE(ip6_commands_are_refused),
		CASE(hashes_of_a_segment), CASE(hashes_of_a_command), CASE(cookies_of_both_keys),
		CASE(segments_and_commands_take_turns), { 0 } };

	return bench_main(argc, argv, "lean", cases);
}
