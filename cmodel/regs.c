/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "model.h"

enum { AXI_OKAY = 0, AXI_SLVERR = 2 };
enum { SNAPSHOT_CYCLES = 64 }; /* that follow the access */

/* Registers that read 0 and ignore what is written where no rules were built. */
static const uint16_t rule_regs[] = { HF_REG_RULE_ADDR0, HF_REG_RULE_ADDR1, HF_REG_RULE_ADDR2, HF_REG_RULE_ADDR3,
	HF_REG_RULE_MASK_LEN, HF_REG_RULE_RATE, HF_REG_RULE_BURST, HF_REG_SAMPLE };

void hfm_regs_init(struct regs *r, unsigned slots, bool rules)
{
	struct reg_info *info;

	/* The FIELD rows of a register follow its REG row. */
#define REG(name, offset, reset_value, doc) \
	info = &r->info[(offset) / 4];      \
	info->mapped = true;                \
	info->reset = reset_value;
#define FIELD(reg, name, low, bits, access, doc)            \
	info->mask |= UINT32_MAX >> (32 - (bits)) << (low); \
	info->read_only = HF_##access == HF_RO;             \
	info->write_only = HF_##access == HF_WO;
#include "../regs/regs.def"
#undef REG
#undef FIELD
	r->info[HF_REG_COOKIE_HIGH / 4].reset = slots * 3 / 4;
	r->info[HF_REG_COOKIE_LOW / 4].reset = slots / 2;
	for (unsigned i = 0; !rules && i < sizeof(rule_regs) / sizeof(*rule_regs); i++) {
		r->info[rule_regs[i] / 4].mask = 0;
		r->info[rule_regs[i] / 4].reset = 0;
	}
}

void hfm_regs_reset(struct regs *r)
{
	for (unsigned i = 0; i < REGS_MAPPED / 4; i++)
		r->value[i] = r->info[i].reset;
	memset(r->snapshot, 0, sizeof(r->snapshot));
	r->ms = 0;
	r->hb = 0;
	r->cache_ends = false;
	r->closed_until = 0;
	r->write_due = false;
	r->wready = r->bvalid = r->arready = r->rvalid = false;
}

bool hfm_host_alive(const struct regs *r)
{
	return r->hb != 0 || hfm_reg(r, HF_REG_HEARTBEAT_MS) == 0;
}

static const struct reg_info *find(const struct regs *r, uint32_t offset)
{
	const struct reg_info *info;

	if (offset % 4 != 0 || offset >= REGS_MAPPED)
		return NULL;
	info = &r->info[offset / 4];
	return info->mapped ? info : NULL;
}

static bool is_counter(uint32_t offset)
{
	return offset % 4 == 0 && offset >= HF_REG_COUNTER(0) && offset < HF_REG_COUNTER(HF_CNT_COUNT);
}

enum hf_status hfm_regs_read(const struct hf_model *m, uint32_t offset, uint32_t *value)
{
	const struct regs *r = &m->regs;
	const struct reg_info *info = find(r, offset);

	*value = 0;
	if (is_counter(offset)) {
		uint64_t counter = r->snapshot[(offset - HF_REG_COUNTER(0)) / 8];

		*value = (uint32_t)(offset & 4 ? counter >> 32 : counter);
		return HF_STATUS_OK;
	}
	if (!info)
		return HF_STATUS_BAD_ADDRESS;
	switch (offset) {
	case HF_REG_STATUS:
		*value = (uint32_t)m->ready << HF_STATUS_READY_LOW;
		*value |= (uint32_t)hfm_host_alive(r) << HF_STATUS_HOST_ALIVE_LOW;
		*value |= (uint32_t)m->engine.cookie_on << HF_STATUS_COOKIES_LOW;
		break;
	case HF_REG_GEOMETRY:
		*value = m->params.sets_log2 << HF_GEOMETRY_SETS_LOG2_LOW | m->params.ways << HF_GEOMETRY_WAYS_LOW |
			 m->params.listeners << HF_GEOMETRY_LISTENERS_LOW | m->params.rules << HF_GEOMETRY_RULES_LOW;
		break;
	case HF_REG_EPOCH:
		*value = m->epoch;
		break;
	case HF_REG_LISTEN_HALF_OPEN:
		*value = m->listen.half_open[hfm_reg(r, HF_REG_LISTEN_SELECT)];
		break;
	case HF_REG_LISTEN_SYNS:
		*value = m->listen.syns[hfm_reg(r, HF_REG_LISTEN_SELECT)];
		break;
	case HF_REG_RULE_DROPS:
		*value = m->rules.drops[hfm_reg(r, HF_REG_RULE_SELECT)];
		break;
	case HF_REG_HALF_OPEN:
		*value = m->table.half_open;
		break;
	case HF_REG_ENTRIES:
		*value = m->table.in_use;
		break;
	case HF_REG_MS:
		*value = r->ms;
		break;
	default:
		if (!info->write_only)
			*value = hfm_reg(r, offset);
	}
	return HF_STATUS_OK;
}

/* Writes that a register refuses by its contents or by the state of the core. */
static bool refuses(const struct hf_model *m, uint32_t offset, uint32_t value)
{
	unsigned index = value & 0xff; /* of the registers that have one */

	switch (offset) {
	case HF_REG_LISTEN_COMMIT:
		return index >= m->params.listeners || (value >> HF_LISTEN_COMMIT_MODE_LOW & 3) > LISTEN_BYPASS;
	case HF_REG_LISTEN_SELECT:
		return index >= m->params.listeners;
	case HF_REG_RULE_COMMIT:
	case HF_REG_RULE_SELECT:
		return index >= m->params.rules;
	}
	if (!(hfm_reg(&m->regs, HF_REG_CTRL) >> HF_CTRL_ENABLE_LOW & 1))
		return false;
	/* keys in use */
	if (offset >= HF_REG_KEY_INDEX0 && offset <= HF_REG_KEY_INDEX3)
		return true;
	if (hfm_reg(&m->regs, HF_REG_COOKIE) >> HF_COOKIE_KEY_LOW & 1)
		return offset >= HF_REG_KEY_COOKIE_B0 && offset <= HF_REG_KEY_COOKIE_B3;
	return offset >= HF_REG_KEY_COOKIE_A0 && offset <= HF_REG_KEY_COOKIE_A3;
}

enum hf_status hfm_regs_write(struct hf_model *m, uint32_t offset, uint32_t value)
{
	struct regs *r = &m->regs;
	const struct reg_info *info = find(r, offset);

	if (is_counter(offset))
		return HF_STATUS_REFUSED;
	if (!info)
		return HF_STATUS_BAD_ADDRESS;
	if (info->read_only || refuses(m, offset, value))
		return HF_STATUS_REFUSED;
	if (offset == HF_REG_SNAPSHOT) {
		memcpy(r->snapshot, m->counters, sizeof(r->snapshot));
		r->closed_until = m->cycle + SNAPSHOT_CYCLES + 1;
		return HF_STATUS_OK;
	}
	assert(!r->write_due);
	r->write_due = true;
	r->write_offset = offset;
	r->write_value = value & info->mask;
	return HF_STATUS_OK;
}

bool hfm_regs_open(const struct hf_model *m)
{
	return !m->seen.axil_access && !hfm_axil_access(&m->regs) && m->cycle >= m->regs.closed_until;
}

void hfm_regs_axil_step(struct hf_model *m, const struct hf_in *in)
{
	struct regs *r = &m->regs;
	bool write = r->wready, read = r->arready, open = m->cycle >= r->closed_until;
	bool write_starts = open && in->s_axil_awvalid && in->s_axil_wvalid && !write && !r->bvalid && !read;
	bool read_starts = open && in->s_axil_arvalid && !read && !r->rvalid && !write_starts && !write;

	if (r->bvalid && in->s_axil_bready)
		r->bvalid = false;
	if (r->rvalid && in->s_axil_rready)
		r->rvalid = false;
	if (write) {
		enum hf_status status = HF_STATUS_REFUSED;

		if ((in->s_axil_wstrb & 0xf) == 0xf)
			status = hfm_regs_write(m, in->s_axil_awaddr & 0xfff, (uint32_t)in->s_axil_wdata);
		r->bresp = status == HF_STATUS_OK ? AXI_OKAY : AXI_SLVERR;
		r->bvalid = true;
	}
	if (read) {
		enum hf_status status = hfm_regs_read(m, in->s_axil_araddr & 0xfff, &r->rdata);

		r->rresp = status == HF_STATUS_OK ? AXI_OKAY : AXI_SLVERR;
		r->rvalid = true;
	}
	r->wready = write_starts;
	r->arready = read_starts;
}

static void write_takes_effect(struct hf_model *m)
{
	struct regs *r = &m->regs;

	r->write_due = false;
	r->value[r->write_offset / 4] = r->write_value;
	switch (r->write_offset) {
	case HF_REG_LISTEN_COMMIT:
		hfm_listen_table_commit(&m->listen, r, r->write_value);
		r->value[HF_REG_LISTEN_SELECT / 4] = r->write_value & 0xff;
		break;
	case HF_REG_RULE_COMMIT:
		hfm_rule_table_commit(&m->rules, r, r->write_value);
		r->value[HF_REG_RULE_SELECT / 4] = r->write_value & 0xff;
		break;
	case HF_REG_SAMPLE:
		m->engine.since_sample = 0;
		break;
	}
}

void hfm_regs_end(struct hf_model *m, const struct hf_in *in)
{
	struct regs *r = &m->regs;
	bool heartbeat = r->write_due && r->write_offset == HF_REG_HEARTBEAT;
	bool cache_ends = r->cache_ends || !hfm_host_alive(r);

	if (!in->tick_1ms && !r->write_due && !cache_ends) /* most cycles */
		return;
	if (heartbeat)
		r->hb = (uint16_t)hfm_reg(r, HF_REG_HEARTBEAT_MS);
	else if (in->tick_1ms && r->hb != 0)
		r->hb--;
	if (in->tick_1ms) {
		r->ms++;
		m->table.scan_req = true;
		hfm_rate_limit_tick(&m->engine.limits, r);
		hfm_rule_table_tick(&m->rules);
	}
	if (r->write_due)
		write_takes_effect(m);
	if (cache_ends)
		r->value[HF_REG_CACHE / 4] &= ~(1u << HF_CACHE_COMPLETE_LOW);
	r->cache_ends = false;
}
