/* SPDX-License-Identifier: Apache-2.0
 * test_regs.c - every register of regs/regs.def by both ways in, AXI-Lite and messages: reset value, access, refusals;
 * the AXI-Lite pins cycle by cycle; counters and their snapshot; heartbeat and clock. */
#include "support_bench.h"

struct reg {
	const char *name;
	uint32_t offset, reset;
	uint32_t rw, ro, wo; /* bits of each access */
};

static const struct reg *registers(size_t *count)
{
	/* clang-format off */
	static struct reg regs[] = {
#define REG(name, offset, reset, doc) { #name, offset, reset, 0, 0, 0 },
#define FIELD(reg, name, low, bits, access, doc)
#include "../regs/regs.def"
#undef REG
#undef FIELD
	};
	/* clang-format on */
	/* clang-format off */
	static const struct {
		uint32_t offset;
		unsigned low, bits;
		enum hf_access access;
	} fields[] = {
#define REG(name, offset, reset, doc)
#define FIELD(reg, name, low, bits, access, doc) { HF_REG_##reg, low, bits, HF_##access },
#include "../regs/regs.def"
#undef REG
#undef FIELD
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(fields); i++)
		for (size_t k = 0; k < COUNT(regs); k++) {
			uint32_t mask = (fields[i].bits == 32 ? 0xffffffffu : (1u << fields[i].bits) - 1)
					<< fields[i].low;

			if (regs[k].offset == fields[i].offset)
				*(fields[i].access == HF_RW	    ? &regs[k].rw
					: fields[i].access == HF_RO ? &regs[k].ro
								    : &regs[k].wo) |= mask;
		}
	*count = COUNT(regs);
	return regs;
}

/* Both ways, one behind the other. by_message: false AXI-Lite (0, or 2 SLVERR), true messages (status). */
static bool write_refused(struct bench *b, bool by_message, uint32_t offset, uint32_t value)
{
	if (by_message) {
		unsigned status = bench_msg_write(b, offset, value);

		CHECK(status == HF_STATUS_OK || status == HF_STATUS_REFUSED, "write to 0x%03x: status %u", offset,
			status);
		return status != HF_STATUS_OK;
	}
	return sim_reg_write(b->sim, offset, value) != 0;
}

static uint32_t value_of(struct bench *b, bool by_message, uint32_t offset)
{
	uint32_t value = 0xdeadbeef;

	if (!by_message)
		return bench_get(b, offset);
	CHECK_EQ(bench_msg_read(b, offset, &value), HF_STATUS_OK, "status of REG_READ");
	return value;
}

static struct bench *open_ready(enum engine_size size)
{
	struct bench *b = bench_open_raw(size);

	sim_run(b->sim, b->slots + 100);
	bench_settle(b);
	CHECK(bench_c2h(b) != NULL, "no HELLO");
	return b;
}

/* Registers that refuse what is no entry of a table: test_listen_table, test_rule_table. */
static bool takes_an_index(uint32_t offset)
{
	return offset == HF_REG_LISTEN_COMMIT || offset == HF_REG_LISTEN_SELECT || offset == HF_REG_RULE_COMMIT ||
	       offset == HF_REG_RULE_SELECT;
}

/* Bits that read back what was written. A core without rules keeps nothing of them. */
static uint32_t kept_bits(const struct bench *b, const struct reg *r)
{
	bool of_rules =
		(r->offset >= HF_REG_RULE_ADDR0 && r->offset <= HF_REG_RULE_DROPS) || r->offset == HF_REG_SAMPLE;

	return of_rules && !b->params->rules ? 0 : r->rw;
}

static uint32_t reset_value(const struct bench *b, const struct reg *r)
{
	switch (r->offset) {
	case HF_REG_STATUS: /* ready; no heartbeat yet */
		return 1u << HF_STATUS_READY_LOW;
	case HF_REG_GEOMETRY:
		return b->params->sets_log2 | b->params->ways << 8 | b->params->listeners << 16 |
		       b->params->rules << 24;
	case HF_REG_COOKIE_HIGH:
		return b->slots * 3 / 4;
	case HF_REG_COOKIE_LOW:
		return b->slots / 2;
	default:
		return kept_bits(b, r) == r->rw ? r->reset : 0;
	}
}

static void reset_values(void)
{
	size_t count;
	const struct reg *regs = registers(&count);

	for (unsigned way = 0; way < 4; way++) {
		struct bench *b = open_ready(way & 2 ? ENGINE_DEFAULT : ENGINE_SMALL);

		for (size_t i = 0; i < count; i++) {
			check_context("%s", regs[i].name);
			if (regs[i].offset != HF_REG_EPOCH)
				CHECK_EQ(value_of(b, way & 1, regs[i].offset), reset_value(b, &regs[i]), "reset value");
		}
		for (unsigned c = 0; c < HF_CNT_COUNT; c++) {
			check_context("%s", counter_name(c));
			CHECK_EQ(value_of(b, way & 1, HF_REG_COUNTER(c)), 0, "low word");
			CHECK_EQ(value_of(b, way & 1, HF_REG_COUNTER(c) + 4), 0, "high word");
		}
		check_context("%s", "");
		bench_close(b);
	}
}

/* AXI-Lite works during the sweep, and shows READY = 0. */
static void registers_during_the_sweep(void)
{
	struct bench *b = bench_open_raw(ENGINE_DEFAULT);

	CHECK_EQ(bench_get(b, HF_REG_ID), HF_ID, "ID");
	CHECK_EQ(bench_get(b, HF_REG_STATUS), 0, "STATUS");
	bench_set(b, HF_REG_MSS, 1234);
	CHECK_EQ(b->sim->out.ready, 0, "ready");
	CHECK_EQ(b->sim->out.s_axis_h2c_tready, 0, "s_axis_h2c_tready");
	sim_run(b->sim, b->slots);
	bench_settle(b);
	bench_c2h(b);
	CHECK_EQ(bench_get(b, HF_REG_MSS), 1234, "MSS");
	CHECK_EQ(bench_get(b, HF_REG_STATUS) & 1, 1, "STATUS.READY");
	bench_close(b);
}

/* Every bit: RW reads back, RO refuses and keeps, WO reads 0, bits outside the fields read 0 and ignore writes. */
static void access_of_every_bit(enum engine_size size)
{
	static const uint32_t patterns[] = { 0xffffffff, 0, 0x5a5a5a5a, 0xa5a5a5a5, 0x01234567, 0x80000001 };
	size_t count;
	const struct reg *regs = registers(&count);

	for (unsigned by_message = 0; by_message < 2; by_message++) {
		struct bench *b = open_ready(size);

		for (size_t i = 0; i < count; i++)
			for (size_t p = 0; p < COUNT(patterns); p++) {
				uint32_t before = value_of(b, by_message, regs[i].offset), after;
				bool refused, ro = !regs[i].rw && !regs[i].wo;

				check_context("%s by %s, 0x%08x", regs[i].name, by_message ? "message" : "AXI-Lite",
					patterns[p]);
				if (takes_an_index(regs[i].offset))
					continue;
				if (regs[i].offset == HF_REG_CTRL) /* ENABLE refuses keys */
					continue;
				refused = write_refused(b, by_message, regs[i].offset, patterns[p]);
				CHECK_EQ(refused, ro, "refused");
				after = value_of(b, by_message, regs[i].offset);
				if (ro && regs[i].offset != HF_REG_STATUS)
					CHECK_EQ(after, before, "value after a refused write");
				else if (!ro)
					CHECK_EQ(after, patterns[p] & kept_bits(b, &regs[i]), "value");
			}
		check_context("%s", "");
		for (size_t p = 0; p < COUNT(patterns); p++) {
			bench_set(b, HF_REG_CTRL, patterns[p]);
			CHECK_EQ(bench_get(b, HF_REG_CTRL), patterns[p] & 63, "CTRL");
		}
		bench_close(b);
	}
}

static void access_of_every_bit_default(void)
{
	access_of_every_bit(ENGINE_DEFAULT);
}

static void access_of_every_bit_small(void)
{
	access_of_every_bit(ENGINE_SMALL);
}

/* One register's write is nobody else's. */
static void registers_are_apart(void)
{
	size_t count;
	const struct reg *regs = registers(&count);
	struct bench *b = open_ready(ENGINE_DEFAULT);

	for (size_t i = 0; i < count; i++)
		if (regs[i].rw && regs[i].offset != HF_REG_CTRL && !takes_an_index(regs[i].offset))
			bench_set(b, regs[i].offset, (uint32_t)(0x01010101u * (i + 1)));
	for (size_t i = 0; i < count; i++)
		if (regs[i].rw && regs[i].offset != HF_REG_CTRL && !takes_an_index(regs[i].offset))
			CHECK(bench_get(b, regs[i].offset) == (uint32_t)(0x01010101u * (i + 1) & regs[i].rw),
				"%s reads 0x%x", regs[i].name, bench_get(b, regs[i].offset));
	bench_close(b);
}

static void unknown_offsets(void)
{
	size_t count;
	const struct reg *regs = registers(&count);
	struct bench *b = open_ready(ENGINE_SMALL);

	for (uint32_t offset = 0; offset < 0x1000;
		offset += offset < 0x120 || (offset >= 0x3f0 && offset < 0x550) ? 1 : 61) {
		bool known = offset >= HF_REG_COUNTER(0) && offset < HF_REG_COUNTER(HF_CNT_COUNT) && offset % 4 == 0;
		uint32_t value = 0xdeadbeef;

		for (size_t i = 0; i < count; i++)
			known |= regs[i].offset == offset;
		if (known)
			continue;
		check_context("offset 0x%03x", offset);
		CHECK_EQ(sim_reg_read(b->sim, offset, &value), 2, "response to a read");
		CHECK_EQ(b->sim->out.s_axil_rdata && b->sim->out.s_axil_rvalid, 0, "data of a refused read");
		CHECK_EQ(sim_reg_write(b->sim, offset, 0xffffffff), 2, "response to a write");
		CHECK_EQ(bench_msg_read(b, offset, &value), HF_STATUS_BAD_ADDRESS, "status of REG_READ");
		CHECK_EQ(value, 0, "value with a bad address");
		CHECK_EQ(bench_msg_write(b, offset, 0xffffffff), HF_STATUS_BAD_ADDRESS, "status of REG_WRITE");
	}
	/* a message has all 32 bits of the offset */
	for (unsigned bit = 12; bit < 32; bit++) {
		uint32_t value;

		CHECK_EQ(
			bench_msg_read(b, HF_REG_MSS | 1u << bit, &value), HF_STATUS_BAD_ADDRESS, "status of REG_READ");
		CHECK_EQ(bench_msg_write(b, HF_REG_MSS | 1u << bit, 1), HF_STATUS_BAD_ADDRESS, "status of REG_WRITE");
	}
	check_context("%s", "");
	for (size_t i = 0; i < count; i++)
		if (regs[i].offset != HF_REG_STATUS && regs[i].offset != HF_REG_EPOCH)
			CHECK(bench_get(b, regs[i].offset) == reset_value(b, &regs[i]), "%s was changed", regs[i].name);
	bench_close(b);
}

/* Keys are write-only; the index key cannot change under live entries' feet. */
static void keys(void)
{
	struct bench *b = open_ready(ENGINE_SMALL);

	for (unsigned by_message = 0; by_message < 2; by_message++) {
		for (unsigned i = 0; i < 8; i++)
			CHECK(!write_refused(b, by_message, HF_REG_KEY_INDEX0 + 4 * i, 0x12345678),
				"key word %u refused", i);
		bench_set(b, HF_REG_CTRL, CTRL_ENABLE);
		for (unsigned i = 0; i < 8; i++) {
			CHECK_EQ(write_refused(b, by_message, HF_REG_KEY_INDEX0 + 4 * i, 0x12345678), i < 4,
				"refused while ENABLE");
			CHECK_EQ(value_of(b, by_message, HF_REG_KEY_INDEX0 + 4 * i), 0, "value of a key");
		}
		bench_set(b, HF_REG_CTRL, 0);
	}
	bench_close(b);
}

static void partial_strobes(void)
{
	struct bench *b = open_ready(ENGINE_SMALL);

	for (unsigned strobe = 0; strobe < 16; strobe++) {
		struct hf_in *in = &b->sim->in;

		bench_set(b, HF_REG_MSS, 1000);
		in->s_axil_awaddr = HF_REG_MSS;
		in->s_axil_wdata = 500;
		in->s_axil_wstrb = strobe;
		in->s_axil_awvalid = in->s_axil_wvalid = in->s_axil_bready = 1;
		for (unsigned i = 0; i < 20 && !b->sim->out.s_axil_awready; i++)
			sim_step(b->sim);
		CHECK_EQ(b->sim->out.s_axil_awready & b->sim->out.s_axil_wready, 1, "awready, wready");
		sim_step(b->sim);
		in->s_axil_awvalid = in->s_axil_wvalid = 0;
		CHECK_EQ(b->sim->out.s_axil_bvalid, 1, "bvalid");
		CHECK_EQ(b->sim->out.s_axil_bresp, strobe == 15 ? 0 : 2, "bresp");
		sim_step(b->sim);
		in->s_axil_bready = 0;
		in->s_axil_wstrb = 0;
		CHECK_EQ(bench_get(b, HF_REG_MSS), strobe == 15 ? 500 : 1000, "MSS");
	}
	bench_close(b);
}

/* The write channel clock by clock: both valid in c, ready in c+1 for one clock, bvalid from c+2 until bready. */
static void axil_timing(void)
{
	struct bench *b = open_ready(ENGINE_SMALL);
	struct hf_in *in = &b->sim->in;
	const struct hf_out *out = &b->sim->out;

	in->s_axil_awaddr = HF_REG_MSS;
	in->s_axil_wdata = 700;
	in->s_axil_wstrb = 15;
	in->s_axil_awvalid = 1;
	sim_run(b->sim, 5);
	CHECK_EQ(out->s_axil_awready, 0, "awready without wvalid");
	in->s_axil_awvalid = 0;
	in->s_axil_wvalid = 1;
	sim_run(b->sim, 5);
	CHECK_EQ(out->s_axil_wready, 0, "wready without awvalid");
	in->s_axil_awvalid = 1;
	sim_step(b->sim); /* c */
	CHECK_EQ(out->s_axil_awready & out->s_axil_wready, 1, "ready in c+1");
	CHECK_EQ(out->s_axil_bvalid, 0, "bvalid in c+1");
	sim_step(b->sim);
	in->s_axil_awvalid = in->s_axil_wvalid = 0;
	CHECK_EQ(out->s_axil_awready | out->s_axil_wready, 0, "ready in c+2");
	CHECK_EQ(out->s_axil_bvalid, 1, "bvalid in c+2");
	in->s_axil_awvalid = in->s_axil_wvalid = 1;
	sim_run(b->sim, 4);
	CHECK_EQ(out->s_axil_awready, 0, "a second write while bvalid");
	in->s_axil_awvalid = in->s_axil_wvalid = 0;
	CHECK_EQ(out->s_axil_bvalid, 1, "bvalid without bready");
	in->s_axil_bready = 1;
	sim_step(b->sim);
	in->s_axil_bready = 0;
	CHECK_EQ(out->s_axil_bvalid, 0, "bvalid after bready");

	/* read: arvalid in c, arready and the access in c+1, rvalid from c+2 */
	in->s_axil_araddr = HF_REG_MSS;
	in->s_axil_arvalid = 1;
	sim_step(b->sim);
	CHECK_EQ(out->s_axil_arready, 1, "arready in c+1");
	sim_step(b->sim);
	in->s_axil_arvalid = 0;
	CHECK_EQ(out->s_axil_arready, 0, "arready in c+2");
	CHECK_EQ(out->s_axil_rvalid, 1, "rvalid in c+2");
	CHECK_EQ(out->s_axil_rdata, 700, "rdata");
	sim_run(b->sim, 3);
	CHECK_EQ(out->s_axil_rvalid, 1, "rvalid without rready");
	in->s_axil_rready = 1;
	sim_step(b->sim);
	in->s_axil_rready = 0;
	CHECK_EQ(out->s_axil_rvalid, 0, "rvalid after rready");

	/* both at once: the write goes first, the read sees it */
	in->s_axil_wdata = 800;
	in->s_axil_awvalid = in->s_axil_wvalid = in->s_axil_arvalid = 1;
	in->s_axil_bready = in->s_axil_rready = 1;
	sim_step(b->sim);
	CHECK_EQ(out->s_axil_awready, 1, "awready when both start");
	CHECK_EQ(out->s_axil_arready, 0, "arready when both start");
	sim_step(b->sim);
	in->s_axil_awvalid = in->s_axil_wvalid = 0;
	CHECK_EQ(out->s_axil_arready, 0, "arready in the clock after a write access");
	sim_step(b->sim);
	CHECK_EQ(out->s_axil_arready, 1, "arready then");
	sim_step(b->sim);
	in->s_axil_arvalid = 0;
	CHECK_EQ(out->s_axil_rvalid, 1, "rvalid");
	CHECK_EQ(out->s_axil_rdata, 800, "rdata");
	sim_step(b->sim);
	in->s_axil_bready = in->s_axil_rready = in->s_axil_wstrb = 0;
	bench_close(b);
}

/* Counters read as of the last snapshot, by whichever way it was asked for; reading clears nothing. */
static void snapshot(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t frame[60] = { 1, 2, 3 };
	uint32_t value;

	put16(frame + 12, 0x0806);
	for (unsigned i = 0; i < 3; i++) {
		bench_frame(b, frame, sizeof(frame));
		bench_c2h(b);
	}
	CHECK_EQ(bench_get(b, HF_REG_COUNTER(HF_CNT_RX_FRAMES)), 0, "before the first snapshot");
	bench_set(b, HF_REG_SNAPSHOT, 0);
	bench_frame(b, frame, sizeof(frame));
	bench_c2h(b);
	bench_set(b, HF_REG_MSS, 1000); /* no other write takes one */
	CHECK_EQ(bench_msg_write(b, HF_REG_HEARTBEAT, 0), HF_STATUS_OK, "status");
	CHECK_EQ(bench_get(b, HF_REG_COUNTER(HF_CNT_RX_FRAMES)), 3, "as of the snapshot");
	CHECK_EQ(bench_get(b, HF_REG_COUNTER(HF_CNT_RX_FRAMES)), 3, "read again");
	CHECK_EQ(bench_msg_read(b, HF_REG_COUNTER(HF_CNT_RX_HOST), &value), HF_STATUS_OK, "status");
	CHECK_EQ(value, 3, "by message");
	CHECK_EQ(bench_msg_write(b, HF_REG_SNAPSHOT, 0xffffffff), HF_STATUS_OK, "status");
	CHECK_EQ(bench_get(b, HF_REG_COUNTER(HF_CNT_RX_FRAMES)), 4, "after the next");
	CHECK_EQ(sim_reg_write(b->sim, HF_REG_COUNTER(HF_CNT_RX_FRAMES), 0), 2, "response to a write");
	CHECK_EQ(bench_msg_write(b, HF_REG_COUNTER(HF_CNT_RX_FRAMES) + 4, 0), HF_STATUS_REFUSED, "status of a write");
	CHECK_EQ(bench_get(b, HF_REG_COUNTER(HF_CNT_RX_FRAMES)), 4, "after a refused write");
	bench_close(b);
}

/* Reset clears counters, registers, listeners and entries; EPOCH differs afterwards. */
static void reset_clears(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint32_t epoch = bench_get(b, HF_REG_EPOCH);
	size_t count;
	const struct reg *regs = registers(&count);

	bench_half_open(b, PEER_ADDR, 1000, 5);
	bench_set(b, HF_REG_SNAPSHOT, 0);
	b->sim->time_ps += 5000000;
	sim_reset(b->sim, 3);
	b->ms = 0;
	memset(b->table, 0, b->slots * sizeof(*b->table));
	sim_run(b->sim, b->slots + 50);
	bench_settle(b);
	CHECK(bench_c2h(b) != NULL, "no HELLO after the second reset");
	for (size_t i = 0; i < count; i++)
		if (regs[i].offset != HF_REG_EPOCH)
			CHECK(bench_get(b, regs[i].offset) == reset_value(b, &regs[i]), "%s keeps 0x%x over reset",
				regs[i].name, bench_get(b, regs[i].offset));
	for (unsigned c = 0; c < HF_CNT_COUNT; c++)
		CHECK(bench_get(b, HF_REG_COUNTER(c)) == 0, "%s keeps its snapshot over reset", counter_name(c));
	CHECK(bench_get(b, HF_REG_EPOCH) != epoch, "EPOCH is 0x%x again", epoch);
	CHECK_EQ(bench_counter(b, HF_CNT_SYN_ACCEPTED), 0, "SYN_ACCEPTED after reset");
	bench_close(b);
}

/* EPOCH = time_ns[41:10] of the sweep's last cycle. */
static void epoch(void)
{
	static const uint64_t times[] = { 0, 1ull << 41, 0x3fffffff000ull, 0x123456789abcull };

	for (size_t i = 0; i < COUNT(times); i++) {
		struct bench *b = bench_open_raw(ENGINE_SMALL);

		b->sim->time_ps = times[i] * 1000;
		b->sim->period_ps = 0;
		sim_run(b->sim, b->slots + 20);
		bench_settle(b);
		bench_c2h(b);
		CHECK_EQ(bench_get(b, HF_REG_EPOCH), (uint32_t)(times[i] >> 10), "EPOCH");
		bench_close(b);
	}
}

static void millisecond_clock(void)
{
	struct bench *b = bench_open_raw(ENGINE_DEFAULT);

	sim_tick(b->sim, 7, 2); /* also during the sweep */
	CHECK_EQ(b->sim->out.ready, 0, "ready");
	sim_run(b->sim, b->slots);
	bench_settle(b);
	bench_c2h(b);
	CHECK_EQ(bench_get(b, HF_REG_MS), 7, "MS");
	sim_tick(b->sim, 70000, 0);
	CHECK_EQ(bench_get(b, HF_REG_MS), 70007, "MS");
	bench_close(b);
}

/* HOST_ALIVE: from a HEARTBEAT until HEARTBEAT_MS ticks later; a later change of the period counts from the next
 * beat. */
static void heartbeat(void)
{
	struct bench *b = open_ready(ENGINE_SMALL);
	uint32_t alive = 1u << HF_STATUS_HOST_ALIVE_LOW;

	CHECK_EQ(bench_get(b, HF_REG_STATUS) & alive, 0, "alive before any heartbeat");
	bench_set(b, HF_REG_HEARTBEAT_MS, 10);
	CHECK_EQ(bench_get(b, HF_REG_STATUS) & alive, 0, "alive by writing HEARTBEAT_MS");
	bench_set(b, HF_REG_HEARTBEAT, 0);
	CHECK_EQ(bench_get(b, HF_REG_STATUS) & alive, alive, "alive after a heartbeat");
	bench_ms(b, 9);
	CHECK_EQ(bench_get(b, HF_REG_STATUS) & alive, alive, "alive after 9 of 10 ms");
	CHECK_EQ(bench_msg_write(b, HF_REG_HEARTBEAT, 0), HF_STATUS_OK, "status");
	bench_ms(b, 9);
	CHECK_EQ(bench_get(b, HF_REG_STATUS) & alive, alive, "alive after 9 of 10 ms more");
	bench_ms(b, 1);
	CHECK_EQ(bench_get(b, HF_REG_STATUS) & alive, 0, "alive after 10 of 10 ms");
	bench_ms(b, 100);
	CHECK_EQ(bench_get(b, HF_REG_STATUS) & alive, 0, "alive long after");
	bench_set(b, HF_REG_HEARTBEAT_MS, 0);
	CHECK_EQ(bench_get(b, HF_REG_STATUS) & alive, alive, "alive with period 0");
	bench_close(b);
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE(reset_values), CASE(registers_during_the_sweep), CASE(access_of_every_bit_default),
		CASE(access_of_every_bit_small),
		CASE(registers_are_apart),
		CASE(unknown_offsets), CASE(keys), CASE(partial_strobes), CASE(axil_timing), CASE(snapshot),
		CASE(reset_clears), CASE(epoch), CASE(millisecond_clock), CASE(heartbeat), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "regs", cases);
}
