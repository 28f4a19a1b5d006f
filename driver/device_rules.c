/* SPDX-License-Identifier: Apache-2.0 */
#include "device_rules.h"

#include "message.h"

int device_rules_room(struct device *dev, unsigned *room)
{
	uint32_t geometry = 0;
	int rc = device_reg_read(dev, HF_REG_GEOMETRY, &geometry);

	*room = geometry >> HF_GEOMETRY_RULES_LOW & 0xff;
	if (*room > DEVICE_RULES_MAX)
		*room = DEVICE_RULES_MAX;
	return rc;
}

int device_rule_set(struct device *dev, unsigned index, const struct device_rule *rule)
{
	static const uint32_t at[4] = { HF_REG_RULE_ADDR3, HF_REG_RULE_ADDR2, HF_REG_RULE_ADDR1, HF_REG_RULE_ADDR0 };
	int rc = 0;

	/* The board takes messages in order, and never refuses these: only for the last one's answer somebody has to wait. */
	for (unsigned i = 0; rule && i < 4 && !rc; i++) {
		const uint8_t *o = rule->prefix + 4 * i;

		rc = device_reg_post(
			dev, at[i], (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3]);
	}
	if (rule && !rc)
		rc = device_reg_post(dev, HF_REG_RULE_MASK_LEN, rule->bits);
	if (rule && !rc)
		rc = device_reg_post(dev, HF_REG_RULE_RATE, rule->rate);
	if (rule && !rc)
		rc = device_reg_post(dev, HF_REG_RULE_BURST, rule->burst);
	if (rc)
		return rc;
	return device_reg_write(dev, HF_REG_RULE_COMMIT,
		index << HF_RULE_COMMIT_INDEX_LOW | (rule ? 1u << HF_RULE_COMMIT_VALID_LOW : 0));
}

/* The count that a SELECT register chooses, of an index that the board has. */
static int read_selected(struct device *dev, uint32_t select, unsigned index, uint32_t offset, uint32_t *value)
{
	int rc = device_reg_post(dev, select, index);

	return rc ? rc : device_reg_read(dev, offset, value);
}

int device_rule_drops(struct device *dev, unsigned index, uint32_t *drops)
{
	return read_selected(dev, HF_REG_RULE_SELECT, index, HF_REG_RULE_DROPS, drops);
}

int device_listener_syns(struct device *dev, unsigned listener, uint32_t *syns)
{
	return read_selected(dev, HF_REG_LISTEN_SELECT, listener, HF_REG_LISTEN_SYNS, syns);
}

int device_sample(struct device *dev, uint32_t every, uint32_t *from_ms)
{
	int rc = device_reg_write(dev, HF_REG_SAMPLE, every);

	return rc ? rc : device_reg_read(dev, HF_REG_MS, from_ms);
}
