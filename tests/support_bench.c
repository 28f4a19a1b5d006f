/* SPDX-License-Identifier: Apache-2.0
 * support_bench.c - the main() of all tests, checks with context, and the bench around one engine. */
#include <CUnit/Basic.h>
#include <stdarg.h>

#include "support_bench.h"
#include "support_board.h"
#include "support_vectors.h"

/* ---- cases and checks ---- */

static enum engine_kind target;
static char context[256];
static const char *skipped;
static unsigned failures_in_case;
#define FAILURES_MAX 12 /* per case: beyond, one broken thing only repeats itself */

enum engine_kind bench_target(void)
{
	return target;
}

void check_context(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(context, sizeof(context), format, args);
	va_end(args);
}

bool check_at(bool ok, const char *file, unsigned line, const char *format, ...)
{
	char message[1024];
	va_list args;
	int n;

	if (ok || failures_in_case++ >= FAILURES_MAX)
		return ok;
	n = snprintf(message, sizeof(message), "[%s] %s%s", engine_kind_name(target), context, *context ? ": " : "");
	va_start(args, format);
	vsnprintf(message + n, sizeof(message) - (size_t)n, format, args);
	va_end(args);
	CU_assertImplementation(CU_FALSE, line, message, file, "", CU_FALSE);
	return false;
}

bool check_eq_at(const char *file, unsigned line, uint64_t got, uint64_t want, const char *what)
{
	return check_at(got == want, file, line, "%s: got 0x%llx, want 0x%llx", what, (unsigned long long)got,
		(unsigned long long)want);
}

bool check_bytes_at(const char *file, unsigned line, const char *what, const void *got, size_t got_len,
	const void *want, size_t want_len)
{
	const uint8_t *g = got, *w = want;
	size_t at = 0, n = got_len < want_len ? got_len : want_len;
	char hex[2][3 * 8 + 1] = { "", "" };

	while (at < n && g[at] == w[at])
		at++;
	if (at == n && got_len == want_len)
		return true;
	for (size_t i = 0; i < 8 && at + i < n; i++) {
		snprintf(hex[0] + 3 * i, 4, "%02x ", g[at + i]);
		snprintf(hex[1] + 3 * i, 4, "%02x ", w[at + i]);
	}
	return check_at(false, file, line, "%s: %zu octets, want %zu; first difference at %zu: got %s, want %s", what,
		got_len, want_len, at, hex[0], hex[1]);
}

void bench_skip(const char *why)
{
	skipped = why;
}

static int start_model(void)
{
	target = ENGINE_MODEL;
	return 0;
}

static int start_rtl(void)
{
	target = ENGINE_RTL;
	return 0;
}

static int start_lockstep(void)
{
	target = ENGINE_LOCKSTEP;
	return 0;
}

/* What CUnit runs has no argument; the running case is found by the name of the running test. */
static const struct bench_case *all_cases;
static unsigned passed_cases, failed_cases, skipped_cases;

static void run_case(void)
{
	const char *name = CU_get_current_test()->pName;

	check_context("%s", "");
	skipped = NULL;
	failures_in_case = 0;
	for (const struct bench_case *c = all_cases; c->name; c++)
		if (!strcmp(c->name, name))
			c->run();
	if (failures_in_case > FAILURES_MAX)
		printf("\n    %s: %u more failures not shown", name, failures_in_case - FAILURES_MAX);
	if (failures_in_case)
		failed_cases++;
	else if (skipped)
		skipped_cases++;
	else
		passed_cases++;
	if (skipped)
		printf("\nskipped: %s: %s\n", name, skipped);
}

static int usage(const char *name, const char *what)
{
	fprintf(stderr, "test_%s: %s; usage: test_%s [--target rtl|model|lockstep] [--case NAME] [--list]\n", name,
		what, name);
	return 2;
}

/* `word` is one of the names in `list`, which are parted by commas. */
static bool word_in(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += n)
		if ((at == list || at[-1] == ',') && (at[n] == ',' || !at[n]))
			return true;
	return false;
}

int bench_main(int argc, char **argv, const char *name, const struct bench_case *cases)
{
	static const struct {
		const char *name;
		CU_InitializeFunc start;
	} suites[] = { { "model", start_model }, { "rtl", start_rtl }, { "lockstep", start_lockstep } };
	const char *only_target = getenv("HF_TEST_ENGINES"), *only_case = NULL, *without = getenv("HF_TEST_WITHOUT");
	bool known = false, once_done = false;

	for (int i = 1; i < argc; i++) {
		enum engine_kind kind;

		if (!strcmp(argv[i], "--list")) {
			for (const struct bench_case *c = cases; c->name; c++)
				puts(c->name);
			return 0;
		}
		if (i + 1 < argc && !strcmp(argv[i], "--target") && !engine_kind_parse(argv[i + 1], &kind))
			only_target = argv[++i];
		else if (i + 1 < argc && !strcmp(argv[i], "--case"))
			only_case = argv[++i];
		else
			return usage(name, argv[i]);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	all_cases = cases;
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	for (size_t i = 0; i < COUNT(suites); i++) {
		CU_pSuite suite = NULL;
		char title[64];

		if (only_target && !word_in(only_target, suites[i].name))
			continue;
		snprintf(title, sizeof(title), "%s on %s", name, suites[i].name);
		for (const struct bench_case *c = cases; c->name; c++) {
			if ((only_case && strcmp(only_case, c->name)) || (c->once && once_done) ||
				(without && word_in(without, c->name)))
				continue;
			known = true;
			if (!suite)
				suite = CU_add_suite(title, suites[i].start, NULL);
			if (!suite || !CU_add_test(suite, c->name, run_case))
				return 1;
		}
		once_done = true;
	}
	if (!known)
		return usage(name, only_case ? only_case : "no cases");
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	CU_cleanup_registry();
	printf("result: %s passed=%u failed=%u skipped=%u\n", name, passed_cases, failed_cases, skipped_cases);
	return failed_cases != 0;
}

/* ---- what comes out ---- */

static void items_add(struct items *list, const uint8_t *bytes, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct item *v = realloc(list->v, (list->count + 1) * sizeof(*v));

	if (!v)
		abort(); /* a test without memory has nothing to say */
	list->v = v;
	v += list->count++;
	*v = (struct item){ malloc(len ? len : 1), len, cycle, time_ns };
	if (!v->bytes)
		abort();
	memcpy(v->bytes, bytes, len);
}

static void items_free(struct items *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->v[i].bytes);
	free(list->v);
}

static void on_tx(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct bench *b = ctx;

	items_add(&b->tx, frame, len, cycle, time_ns);
}

static void on_c2h(void *ctx, const uint8_t *msg, size_t len, uint64_t cycle, uint64_t time_ns)
{
	struct bench *b = ctx;

	items_add(&b->c2h, msg, len, cycle, time_ns);
}

static void on_rx_done(void *ctx, const uint8_t *frame, size_t len, uint64_t cycle, uint64_t stamp)
{
	struct bench *b = ctx;

	items_add(&b->rx, frame, len, cycle, stamp);
}

static void on_trace(void *ctx, const struct hf_out *out, uint64_t cycle, uint64_t time_ns)
{
	struct bench *b = ctx;

	(void)time_ns;
	if (b->trace_count % 64 == 0) {
		b->trace = realloc(b->trace, (b->trace_count + 64) * sizeof(*b->trace));
		b->trace_cycle = realloc(b->trace_cycle, (b->trace_count + 64) * sizeof(*b->trace_cycle));
		if (!b->trace || !b->trace_cycle)
			abort();
	}
	b->trace[b->trace_count] = *out;
	b->trace_cycle[b->trace_count++] = cycle;
	if (out->trc_write &&
		CHECK(out->trc_slot < b->slots, "trc_slot %llu of %u", (unsigned long long)out->trc_slot, b->slots))
		b->table[out->trc_slot] = out->trc_entry;
}

/* ---- open and close ---- */

/* HF_TEST_WIDTH=512 runs the same cases on the wide builds; those about cycles or beats are of 64 bits. */
static enum engine_size of_width(enum engine_size size)
{
	const char *width = getenv("HF_TEST_WIDTH");

	if (board_wanted())
		return ENGINE_DEFAULT;
	if (!width || strcmp(width, "512") || size == ENGINE_LEAN)
		return size;
	return size == ENGINE_SMALL ? ENGINE_WIDE_SMALL : ENGINE_WIDE;
}

struct bench *bench_open_raw(enum engine_size size)
{
	static const struct hf_params *const params[] = { [ENGINE_DEFAULT] = &hf_params_default,
		[ENGINE_SMALL] = &hf_params_small,
		[ENGINE_WIDE] = &hf_params_wide,
		[ENGINE_WIDE_SMALL] = &hf_params_wide_small,
		[ENGINE_LEAN] = &hf_params_lean };
	struct bench *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	size = of_width(size);
	b->size = size;
	b->params = params[size];
	b->slots = b->params->ways << b->params->sets_log2;
	b->table = calloc(b->slots, sizeof(*b->table));
	b->sim = sim_open(target, size, 1);
	if (!b->table || !b->sim)
		abort();
	b->sim->ctx = b;
	b->sim->on = (struct sim_events){ .tx = on_tx, .c2h = on_c2h, .trace = on_trace, .rx_done = on_rx_done };
	b->sim->tick_by_hand = true;
	board_attach(b);
	return b;
}

struct bench *bench_open(enum engine_size size)
{
	/* any keys but zero; no test but test_tuple_hash depends on their values */
	static const uint8_t key_index[16] = "index key 012345", key_isn[16] = "ISN key RFC 6528";
	struct bench *b = bench_open_raw(size);
	const struct item *hello;

	for (unsigned i = 0; i < b->slots + 16 && !b->sim->out.ready; i++)
		sim_step(b->sim);
	CHECK(b->sim->out.ready, "not ready %u clocks after reset", b->slots + 16);
	bench_settle(b);
	hello = bench_c2h(b);
	CHECK(hello && hello->bytes[0] == HF_MSG_HELLO, "no HELLO after reset");
	bench_keys(b, key_index, key_isn);
	bench_set(b, HF_REG_HEARTBEAT_MS, 0);
	bench_set(b, HF_REG_MAC_LO, 0x00000002); /* 02:00:00:00:00:02, octet 0 in bits 7:0 */
	bench_set(b, HF_REG_MAC_HI, 0x0200);
	bench_set(b, HF_REG_LOCAL_ADDR0, OUR_ADDR);
	bench_set(b, HF_REG_RCV_WND, 65535);
	/* What a full table does without cookies, and a RST for everybody, is what most tests are about. */
	bench_set(b, HF_REG_RST_LIMIT, 0);
	bench_set(b, HF_REG_COOKIE, 1u << HF_COOKIE_LIFETIME_LOW);
	bench_set(b, HF_REG_COOKIE_HIGH, 0x1ffff);
	bench_set(b, HF_REG_CTRL, CTRL_ENABLE | CTRL_TS_OFFSET_OFF);
	bench_listen(b, 0, 0, OUR_PORT, 1000, OPT_WS | OPT_SACK | OPT_TS, LISTEN_OFFLOAD);
	return b;
}

void bench_close(struct bench *b)
{
	bench_quiet(b);
	CHECK(engine_mismatches(b->sim->engine) == 0, "%llu mismatches, first: %s",
		(unsigned long long)engine_mismatches(b->sim->engine), engine_first_mismatch(b->sim->engine));
	CHECK(b->sim->faults == 0, "%llu broken promises at the pins, first: %s", (unsigned long long)b->sim->faults,
		b->sim->fault);
	board_detach(b);
	sim_close(b->sim);
	items_free(&b->tx);
	items_free(&b->c2h);
	items_free(&b->rx);
	free(b->trace);
	free(b->trace_cycle);
	free(b->table);
	free(b);
}

/* ---- clock ---- */

void bench_settle(struct bench *b)
{
	/* Clocks of silence after which nothing more comes: one hash unit and steps of several cycles answer later. */
	const unsigned quiet = b->params->hash_serial ? 160 : 48;
	const uint64_t limit = 300000; /* far more than the longest case queues at once */

	/* what never comes to rest has failed already: go through the rest of the case quickly */
	if (b->restless || failures_in_case > FAILURES_MAX)
		sim_run(b->sim, 100);
	else if (!CHECK(sim_settle(b->sim, quiet, limit) < limit, "the engine does not come to rest"))
		b->restless = true;
}

void bench_ms(struct bench *b, unsigned ms)
{
	/* a scan takes two clocks per set; the last tick may find one running */
	sim_tick(b->sim, ms, 0);
	b->ms += ms;
	sim_run(b->sim, (4u << b->params->sets_log2) + 32);
	bench_settle(b);
}

/* ---- registers ---- */

void bench_set(struct bench *b, uint32_t offset, uint32_t value)
{
	int resp = sim_reg_write(b->sim, offset, value);

	CHECK(resp == 0, "write 0x%x to register 0x%03x: response %d", value, offset, resp);
}

uint32_t bench_get(struct bench *b, uint32_t offset)
{
	uint32_t value = 0;
	int resp = sim_reg_read(b->sim, offset, &value);

	CHECK(resp == 0, "read of register 0x%03x: response %d", offset, resp);
	return value;
}

const char *counter_name(unsigned c)
{
	static const char *const names[] = {
#define COUNTER(name, doc) #name,
#include "../regs/counter.def"
#undef COUNTER
	};

	return c < COUNT(names) ? names[c] : "?";
}

uint64_t bench_counter(struct bench *b, enum hf_counter c)
{
	uint64_t value = 0;
	int resp = sim_counter(b->sim, c, &value);

	CHECK(resp == 0, "counter %s: response %d", counter_name(c), resp);
	return value;
}

void bench_counted_at(const char *file, unsigned line, struct bench *b, enum hf_counter c, uint64_t by)
{
	uint64_t value = bench_counter(b, c);

	check_at(value == b->counted[c] + by, file, line, "counter %s: %llu more, want %llu", counter_name(c),
		(unsigned long long)(value - b->counted[c]), (unsigned long long)by);
	b->counted[c] = value;
}

void bench_keys(struct bench *b, const uint8_t key_index[16], const uint8_t key_isn[16])
{
	uint32_t ctrl = bench_get(b, HF_REG_CTRL);

	bench_set(b, HF_REG_CTRL, ctrl & ~CTRL_ENABLE);
	for (unsigned i = 0; i < 4; i++) {
		bench_set(b, HF_REG_KEY_INDEX0 + 4 * i, (uint32_t)get_le(key_index + 4 * i, 4));
		bench_set(b, HF_REG_KEY_ISN0 + 4 * i, (uint32_t)get_le(key_isn + 4 * i, 4));
	}
	bench_set(b, HF_REG_CTRL, ctrl);
	memcpy(b->key_index, key_index, 16);
	memcpy(b->key_isn, key_isn, 16);
}

void bench_listen(struct bench *b, unsigned index, uint32_t addr, unsigned port, unsigned backlog, unsigned opts,
	enum listen_mode mode)
{
	bench_set(b, HF_REG_LISTEN_ADDR, addr);
	bench_set(b, HF_REG_LISTEN_PORT, port);
	bench_set(b, HF_REG_LISTEN_BACKLOG, backlog);
	bench_set(b, HF_REG_LISTEN_OPTS, opts);
	bench_set(b, HF_REG_LISTEN_COMMIT,
		index << HF_LISTEN_COMMIT_INDEX_LOW | (uint32_t)mode << HF_LISTEN_COMMIT_MODE_LOW);
}

/* ---- hashes and time ---- */

static uint64_t tuple_hash(
	const uint8_t key[16], uint32_t remote, uint16_t remote_port, uint32_t local, uint16_t local_port)
{
	uint8_t octets[12];

	put32(octets, remote);
	put32(octets + 4, local);
	put16(octets + 8, remote_port);
	put16(octets + 10, local_port);
	return ref_siphash(key, octets, sizeof(octets));
}

uint64_t bench_isn_hash(
	const struct bench *b, uint32_t remote, uint16_t remote_port, uint32_t local, uint16_t local_port)
{
	return tuple_hash(b->key_isn, remote, remote_port, local, local_port);
}

uint64_t bench_index_hash(
	const struct bench *b, uint32_t remote, uint16_t remote_port, uint32_t local, uint16_t local_port)
{
	return tuple_hash(b->key_index, remote, remote_port, local, local_port);
}

void bench_iss(
	struct bench *b, uint32_t remote, uint16_t remote_port, uint32_t local, uint16_t local_port, uint32_t iss)
{
	uint32_t clock = iss - (uint32_t)bench_isn_hash(b, remote, remote_port, local, local_port);

	/* the middle of the 4,096 ns in which the ISN clock shows that; the frame comes within the second half */
	b->sim->time_ps = ((uint64_t)clock << 12 | 2048) * 1000;
}

/* ---- in ---- */

void bench_frame(struct bench *b, const uint8_t *frame, size_t len)
{
	int e = sim_rx(b->sim, frame, len, false);

	CHECK(e == 0, "sim_rx of %zu octets: %d", len, e);
	bench_settle(b);
}

void bench_packet(struct bench *b, const uint8_t *ip, size_t len)
{
	uint8_t frame[PACKET_MAX + 14];

	bench_frame(b, frame, make_frame(frame, OUR_MAC, PEER_MAC, ip, len));
}

void bench_packet_hex(struct bench *b, const char *hex)
{
	uint8_t ip[PACKET_MAX];

	bench_packet(b, ip, from_hex(hex, ip, sizeof(ip)));
}

void bench_segment(struct bench *b, const struct segment *s)
{
	uint8_t ip[PACKET_MAX];

	bench_packet(b, ip, make_packet(ip, s));
}

void bench_message(struct bench *b, const uint8_t *msg, size_t len)
{
	int e = sim_h2c(b->sim, msg, len);

	CHECK(e == 0, "sim_h2c of %zu octets: %d", len, e);
	bench_settle(b);
}

/* ---- out ---- */

static const struct item *items_take(struct items *list)
{
	return list->next < list->count ? &list->v[list->next++] : NULL;
}

const struct item *bench_tx(struct bench *b)
{
	return items_take(&b->tx);
}

const struct item *bench_c2h(struct bench *b)
{
	return items_take(&b->c2h);
}

void bench_expect_packet_at(const char *file, unsigned line, struct bench *b, const uint8_t *ip, size_t len)
{
	const struct item *got = bench_tx(b);
	uint8_t frame[PACKET_MAX + 14];

	if (!check_at(got != NULL, file, line, "no frame came out"))
		return;
	len = make_frame(frame, PEER_MAC, OUR_MAC, ip, len);
	check_bytes_at(file, line, "frame out", got->bytes, got->len, frame, len);
}

void bench_expect_segment_at(const char *file, unsigned line, struct bench *b, const struct segment *s)
{
	struct segment out = *s;
	uint8_t ip[PACKET_MAX];

	out.src = s->src ? s->src : OUR_ADDR;
	out.dst = s->dst ? s->dst : PEER_ADDR;
	bench_expect_packet_at(file, line, b, ip, make_packet(ip, &out));
}

void bench_expect_host_at(
	const char *file, unsigned line, struct bench *b, const uint8_t *frame, size_t len, unsigned flags, uint32_t id)
{
	const struct item *got = bench_c2h(b);

	if (!check_at(got != NULL, file, line, "no message came up"))
		return;
	if (!check_at(
		    got->bytes[0] == HF_MSG_FRAME, file, line, "message of type %u came up, not FRAME", got->bytes[0]))
		return;
	check_at(got->bytes[1] == flags, file, line, "FRAME flags 0x%x, want 0x%x", got->bytes[1], flags);
	check_at(MSG_GET(got->bytes, HEADER, id) == id, file, line, "FRAME id 0x%llx, want 0x%x",
		(unsigned long long)MSG_GET(got->bytes, HEADER, id), id);
	if (b->rx.count)
		check_at(MSG_GET(got->bytes, HEADER, stamp) == b->rx.v[b->rx.count - 1].time_ns, file, line,
			"FRAME stamp %llu, want %llu", (unsigned long long)MSG_GET(got->bytes, HEADER, stamp),
			(unsigned long long)b->rx.v[b->rx.count - 1].time_ns);
	check_at(MSG_GET(got->bytes, HEADER, length) == 16 + len, file, line, "FRAME length %llu, want %zu",
		(unsigned long long)MSG_GET(got->bytes, HEADER, length), 16 + len);
	check_bytes_at(file, line, "frame to the host", got->bytes + 16, got->len - 16, frame, len);
}

void bench_expect_last_at(const char *file, unsigned line, struct bench *b, unsigned flags, uint32_t id)
{
	if (check_at(b->rx.count > 0, file, line, "no frame was given"))
		bench_expect_host_at(
			file, line, b, b->rx.v[b->rx.count - 1].bytes, b->rx.v[b->rx.count - 1].len, flags, id);
}

bool bench_quiet_at(const char *file, unsigned line, struct bench *b)
{
	size_t tx = b->tx.count - b->tx.next, c2h = b->c2h.count - b->c2h.next;
	bool ok = check_at(!tx, file, line, "%zu unexpected frames out, first: flags 0x%02x", tx,
		tx && b->tx.v[b->tx.next].len > 47 ? b->tx.v[b->tx.next].bytes[47] : 0);

	ok &= check_at(!c2h, file, line, "%zu unexpected messages up, first: type %u flags 0x%02x", c2h,
		c2h ? b->c2h.v[b->c2h.next].bytes[0] : 0, c2h ? b->c2h.v[b->c2h.next].bytes[1] : 0);
	b->tx.next = b->tx.count;
	b->c2h.next = b->c2h.count;
	return ok;
}

void bench_silence_at(const char *file, unsigned line, struct bench *b)
{
	bench_quiet_at(file, line, b);
	bench_ms(b, 3000);
	bench_quiet_at(file, line, b);
}

/* ---- table ---- */

const struct hf_tcb *bench_entry(
	const struct bench *b, uint32_t remote, uint16_t remote_port, uint32_t local, uint16_t local_port)
{
	for (unsigned i = 0; i < b->slots; i++) {
		const struct hf_tcb *t = &b->table[i];

		if (t->state != HF_STATE_CLOSED && t->remote_addr == remote && t->remote_port == remote_port &&
			t->local_addr == local && t->local_port == local_port)
			return t;
	}
	return NULL;
}

unsigned bench_slot(const struct bench *b, const struct hf_tcb *t)
{
	return (unsigned)(t - b->table);
}

uint32_t bench_id(const struct bench *b, const struct hf_tcb *t)
{
	return t ? (uint32_t)t->generation << 16 | bench_slot(b, t) : HF_NO_ID;
}

const struct hf_out *bench_last_trace(const struct bench *b)
{
	static const struct hf_out none;

	return b->trace_count ? &b->trace[b->trace_count - 1] : &none;
}

const char *state_name(unsigned state)
{
	switch (state) {
#define STATE(name, code, text, owner) \
	case code:                     \
		return text;
#include "../regs/tcp_state.def"
#undef STATE
	}
	return "?";
}

/* ---- messages ---- */

static const struct item *answer(struct bench *b, const uint8_t *msg, size_t len, unsigned type, uint64_t cookie)
{
	const struct item *got;

	bench_message(b, msg, len);
	got = bench_c2h(b);
	if (!CHECK(got != NULL, "no answer to message type %u", msg[0]))
		return NULL;
	CHECK_EQ(got->bytes[0], type, "type of the answer");
	CHECK_EQ(MSG_GET(got->bytes, HEADER, length), 24, "length of the answer");
	CHECK_EQ(MSG_GET(got->bytes, HEADER, id), MSG_GET(msg, HEADER, id), "id of the answer");
	CHECK_EQ(MSG_GET(got->bytes, HEADER, stamp), cookie, "cookie of the answer");
	return got->len == 24 && got->bytes[0] == type ? got : NULL;
}

void bench_call_body(uint8_t body[128], bool ip6, uint16_t peer_port, uint16_t our_port, const struct tags *tags)
{
	uint8_t *remote = body + HF_AT_EVENT_remote_addr, *local = body + HF_AT_EVENT_local_addr;

	memset(body, 0, 128);
	if (ip6) {
		memcpy(remote, PEER6, 16);
		memcpy(local, OUR6, 16);
	} else {
		memset(remote + 10, 0xff, 2);
		memset(local + 10, 0xff, 2);
		put32(remote + 12, PEER_ADDR);
		put32(local + 12, OUR_ADDR);
	}
	MSG_PUT(body, EVENT, remote_port, peer_port);
	MSG_PUT(body, EVENT, local_port, our_port);
	put48(body + HF_AT_EVENT_remote_mac, PEER_MAC);
	MSG_PUT(body, EVENT, options, tags->count << 5 | (unsigned)tags->svlan << 7);
	MSG_PUT(body, EVENT, vlan, tags->outer);
	MSG_PUT(body, EVENT, vlan_inner, tags->inner);
}

unsigned bench_call(struct bench *b, enum hf_command_code code, uint8_t body[128], uint32_t *id)
{
	static uint64_t cookie = 0xca11000000000000;
	const struct item *got;

	cookie++;
	MSG_PUT(body, HEADER, type, HF_MSG_COMMAND);
	MSG_PUT(body, HEADER, flags, code);
	MSG_PUT(body, HEADER, length, 128);
	MSG_PUT(body, HEADER, id, 0x5a5a5a5a);
	MSG_PUT(body, HEADER, stamp, cookie);
	bench_message(b, body, 128);
	got = bench_c2h(b);
	if (!CHECK(got && got->bytes[0] == HF_MSG_COMPLETION && got->len == 24, "no COMPLETION"))
		return 255;
	CHECK_EQ(MSG_GET(got->bytes, HEADER, stamp), cookie, "cookie of COMPLETION");
	CHECK_EQ(MSG_GET(got->bytes, COMPLETION, status), got->bytes[1], "status in the body of COMPLETION");
	CHECK_EQ(MSG_GET(got->bytes, COMPLETION, command), code, "command in COMPLETION");
	if (got->bytes[1])
		CHECK_EQ(MSG_GET(got->bytes, HEADER, id), 0x5a5a5a5a, "id of a refused command");
	if (id)
		*id = (uint32_t)MSG_GET(got->bytes, HEADER, id);
	return got->bytes[1];
}

static unsigned reg_message(struct bench *b, unsigned type, uint32_t offset, uint32_t value, uint32_t *read)
{
	uint64_t cookie = 0x1122334455667700ull + offset;
	uint8_t msg[24] = { (uint8_t)type, 0 };
	const struct item *got;

	MSG_PUT(msg, HEADER, length, sizeof(msg));
	MSG_PUT(msg, HEADER, id, offset);
	MSG_PUT(msg, HEADER, stamp, cookie);
	MSG_PUT(msg, REG_WRITE, value, value);
	got = answer(b, msg, sizeof(msg), HF_MSG_REG_REPLY, cookie);
	if (!got)
		return 255;
	CHECK_EQ(MSG_GET(got->bytes, REG_REPLY, pad), 0, "pad of REG_REPLY");
	if (read)
		*read = (uint32_t)MSG_GET(got->bytes, REG_REPLY, value);
	else
		CHECK_EQ(MSG_GET(got->bytes, REG_REPLY, value), 0, "value of the REG_REPLY to a write");
	return got->bytes[1];
}

unsigned bench_msg_read(struct bench *b, uint32_t offset, uint32_t *value)
{
	return reg_message(b, HF_MSG_REG_READ, offset, 0, value);
}

unsigned bench_msg_write(struct bench *b, uint32_t offset, uint32_t value)
{
	return reg_message(b, HF_MSG_REG_WRITE, offset, value, NULL);
}

unsigned bench_command(struct bench *b, enum hf_command_code code, uint32_t id)
{
	uint64_t cookie = 0xc00c1e0000000000ull | id;
	uint8_t msg[16] = { HF_MSG_COMMAND, (uint8_t)code };
	const struct item *got;

	MSG_PUT(msg, HEADER, length, sizeof(msg));
	MSG_PUT(msg, HEADER, id, id);
	MSG_PUT(msg, HEADER, stamp, cookie);
	got = answer(b, msg, sizeof(msg), HF_MSG_COMPLETION, cookie);
	if (!got)
		return 255;
	CHECK_EQ(MSG_GET(got->bytes, COMPLETION, status), got->bytes[1], "status in the body of COMPLETION");
	CHECK_EQ(MSG_GET(got->bytes, COMPLETION, command), code, "command in COMPLETION");
	return got->bytes[1];
}

/* ---- vectors ---- */

struct bench *bench_open_vector(void)
{
	struct bench *b = bench_open(ENGINE_SMALL);
	uint8_t body[128];

	bench_call_body(body, false, G_PORT, G_OURS, &(struct tags){ 0 });
	bench_iss(b, PEER_ADDR, G_PORT, OUR_ADDR, G_OURS, 0x20000000);
	CHECK_EQ(bench_call(b, HF_COMMAND_CONNECT, body, NULL), HF_STATUS_OK, "status");
	bench_expect_packet(b, vector_find("G22")->after, vector_find("G22")->after_len);
	return b;
}

void bench_vector(struct bench *b, const char *name)
{
	const struct vector *v = vector_find(name);

	check_context("%s", name);
	bench_packet(b, v->bytes, v->len);
	if (v->after_len)
		bench_expect_packet(b, v->after, v->after_len);
}

unsigned bench_vector_state(const struct bench *b)
{
	const struct hf_tcb *t = bench_entry(b, PEER_ADDR, G_PORT, OUR_ADDR, G_OURS);

	return t ? (unsigned)t->state : HF_STATE_CLOSED;
}
