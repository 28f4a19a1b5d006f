/* SPDX-License-Identifier: Apache-2.0
 * test_lockstep.c - that the comparator of lock step sees a difference in each output pin and each entry field, and
 * only where the pin means something; and that both engines agree over seeds, noise and resets. */
#include "../sim/compare.h"
#include "support_bench.h"

struct pin {
	const char *name;
	uint64_t *at, *valid; /* valid NULL: in every cycle */
	unsigned bits;
};

/* The pins of one hf_out, as cmodel/pins.def lists them. */
static size_t pins_of(struct hf_out *o, struct pin *pins)
{
	size_t n = 0;

#define PIN_always		    NULL
#define PIN_m_axis_tx_tvalid	    &o->m_axis_tx_tvalid
#define PIN_m_axis_c2h_tvalid	    &o->m_axis_c2h_tvalid
#define PIN_s_axil_bvalid	    &o->s_axil_bvalid
#define PIN_s_axil_rvalid	    &o->s_axil_rvalid
#define PIN_trc_valid		    &o->trc_valid
#define OUT(name, bits, valid, doc) pins[n++] = (struct pin){ #name, &o->name, PIN_##valid, bits };
#define OUT_DATA(name, valid, doc)                   \
	for (unsigned i = 0; i < HF_DATA_WORDS; i++) \
		pins[n++] = (struct pin){ #name, &o->name[i], PIN_##valid, 64 };
#include "../cmodel/pins.def"
#undef OUT
#undef OUT_DATA
	return n;
}

static void every_pin_is_compared(void)
{
	static struct hf_out rtl, model;
	struct pin mine[64], theirs[64];
	size_t n = pins_of(&rtl, mine);

	pins_of(&model, theirs);
	for (size_t i = 0; i < n; i++)
		for (unsigned bit = 0; bit < mine[i].bits; bit++) {
			char text[160] = "";

			check_context("%s bit %u", mine[i].name, bit);
			memset(&rtl, 0, sizeof(rtl));
			memset(&model, 0, sizeof(model));
			if (mine[i].valid)
				*mine[i].valid = *theirs[i].valid = 1;
			CHECK_EQ(compare_out(&rtl, &model, HF_DATA_WORDS, 12, text, sizeof(text)), 0,
				"differences of equal pins");
			*theirs[i].at ^= 1ull << bit;
			CHECK_EQ(compare_out(&rtl, &model, HF_DATA_WORDS, 12, text, sizeof(text)), 1, "differences");
			CHECK(strstr(text, mine[i].name) && strstr(text, "cycle 12"), "says \"%s\"", text);
			CHECK_EQ(compare_out(&rtl, &model, HF_DATA_WORDS, 12, NULL, 0), 1, "differences, without text");
			if (mine[i].valid) { /* without its valid pin a payload means nothing */
				*mine[i].valid = *theirs[i].valid = 0;
				CHECK_EQ(compare_out(&rtl, &model, HF_DATA_WORDS, 12, text, sizeof(text)), 0,
					"differences while not valid");
			}
		}
	check_context("%s", "");
}

static void every_entry_field_is_compared(void)
{
	static struct hf_out rtl, model;
	/* clang-format off */
	static const struct {
		const char *rfc;
		unsigned bits;
		size_t at;
	} fields[] = {
#define FIELD(name, bits, rfc, doc) { rfc, bits, offsetof(struct hf_out, trc_entry.name) },
#include "../regs/tcb.def"
#undef FIELD
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(fields); i++)
		for (unsigned bit = 0; bit < fields[i].bits; bit++) {
			char text[160] = "";

			check_context("%s bit %u", fields[i].rfc, bit);
			memset(&rtl, 0, sizeof(rtl));
			rtl.trc_valid = rtl.trc_write = 1;
			model = rtl;
			((uint8_t *)&model)[fields[i].at + bit / 8] ^=
				(uint8_t)(1u << bit % 8); /* fields are in host order */
			CHECK_EQ(compare_out(&rtl, &model, HF_DATA_WORDS, 7, text, sizeof(text)), 1, "differences");
			CHECK(strstr(text, fields[i].rfc) && strstr(text, "cycle 7"), "says \"%s\"", text);
			rtl.trc_write = model.trc_write = 0;
			CHECK_EQ(compare_out(&rtl, &model, HF_DATA_WORDS, 7, text, sizeof(text)), 0,
				"differences without a write");
			rtl.trc_write = model.trc_write = 1;
			rtl.trc_valid = model.trc_valid = 0;
			CHECK_EQ(compare_out(&rtl, &model, HF_DATA_WORDS, 7, text, sizeof(text)), 0,
				"differences without an op");
		}
	check_context("%s", "");
}

/* All differences are counted, the first is told. */
static void first_difference_is_told(void)
{
	static struct hf_out rtl, model;
	char text[160] = "";

	memset(&rtl, 0, sizeof(rtl));
	rtl.trc_valid = rtl.trc_write = 1;
	model = rtl;
	model.trc_entry.snd_nxt = 0x1235;
	rtl.trc_entry.snd_nxt = 0x1234;
	CHECK_EQ(compare_out(&rtl, &model, HF_DATA_WORDS, 99, text, sizeof(text)), 1, "differences");
	CHECK(strstr(text, "SND.NXT") && strstr(text, "1234") && strstr(text, "1235"), "says \"%s\"", text);
	model.trc_entry.iss = 9;
	model.ready = 1;
	CHECK_EQ(compare_out(&rtl, &model, HF_DATA_WORDS, 99, text, sizeof(text)), 3, "differences");
	text[0] = 0;
	compare_out(&rtl, &model, HF_DATA_WORDS, 99, text, 8); /* a short buffer is filled, not overrun */
	CHECK(strlen(text) < 8, "overran to \"%s\"", text);
}

static void engine_names(void)
{
	static const char *const bad[] = { "", "RTL", "rtl ", "models", "lock-step", "0" };
	enum engine_kind kind = ENGINE_RTL;

	for (int k = ENGINE_RTL; k <= ENGINE_LOCKSTEP; k++) {
		CHECK_EQ(engine_kind_parse(engine_kind_name((enum engine_kind)k), &kind), 0, "engine_kind_parse");
		CHECK_EQ(kind, k, "kind");
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK(engine_kind_parse(bad[i], &kind) < 0, "\"%s\" is an engine", bad[i]);
}

/* Whatever the flip-flops held before reset, and whatever idle pins hold: the same run, clock by clock. */
static void seeds_noise_and_resets(void)
{
	uint64_t random = 14;

	for (unsigned seed = 1; seed <= 6; seed++) {
		struct sim *s =
			sim_open(bench_target(), seed % 3 ? ENGINE_SMALL : ENGINE_DEFAULT, seed * 0x9e3779b97f4a7c15);
		uint64_t cycles;

		check_context("seed %u", seed);
		if (!CHECK(s != NULL, "sim_open"))
			continue;
		s->noise = (struct sim_noise){
			.rx_bubble = 60, .tx_stall = 60, .c2h_stall = 60, .h2c_bubble = 60, .garbage = true
		};
		for (unsigned i = 0; i < 60; i++) {
			struct segment g = {
				.sport = (uint16_t)random_below(&random, 20), .dport = 80, .seq = 5, .flags = HF_SYN
			};
			uint8_t ip[128], frame[128];
			size_t len = make_frame(frame, OUR_MAC, PEER_MAC, ip, make_packet(ip, &g));

			sim_rx(s, frame, random_below(&random, 8) ? len : 1 + random_below(&random, (uint32_t)len),
				false);
			if (i % 15 == 1) {
				sim_reg_write(s, HF_REG_CTRL, CTRL_ENABLE);
				sim_reg_write(s, HF_REG_MAC_LO, 2);
				sim_reg_write(s, HF_REG_MAC_HI, 0x0200);
				sim_reg_write(s, HF_REG_HEARTBEAT_MS, 0);
				sim_reg_write(s, HF_REG_LISTEN_ADDR, OUR_ADDR);
				sim_reg_write(s, HF_REG_LISTEN_PORT, 80);
				sim_reg_write(s, HF_REG_LISTEN_BACKLOG, 9);
				sim_reg_write(s, HF_REG_LISTEN_COMMIT, 0x100);
			}
			sim_run(s, random_below(&random, 100));
			if (i % 15 == 14) /* in the middle of whatever happens */
				sim_reset(s, 1 + random_below(&random, 3));
		}
		cycles = s->cycle;
		CHECK(cycles > 1000, "%llu cycles", (unsigned long long)cycles);
		CHECK_EQ(engine_cycles(s->engine), cycles, "engine_cycles");
		CHECK(engine_mismatches(s->engine) == 0, "%s", engine_first_mismatch(s->engine));
		CHECK_EQ(engine_first_mismatch(s->engine)[0], 0, "first mismatch");
		CHECK(s->faults == 0, "%s", s->fault);
		sim_close(s);
	}
	check_context("%s", "");
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(every_pin_is_compared), CASE_ONCE(every_entry_field_is_compared),
		CASE_ONCE(first_difference_is_told), CASE_ONCE(engine_names), CASE(seeds_noise_and_resets), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "lockstep", cases);
}
