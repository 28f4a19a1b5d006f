/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <errno.h>
#include <stddef.h>

#include "driver/message.h"

static const char *const cause_word[] = {
#define CAUSE(name, code, counter, doc) [code] = #name,
#include "regs/verdict.def"
#undef CAUSE
};
enum { CAUSES = sizeof(cause_word) / sizeof(cause_word[0]) };

const char *sample_cause_word(unsigned cause)
{
	if (cause == HF_CAUSE_NONE)
		return "";
	return cause < CAUSES && cause_word[cause] ? cause_word[cause] : "?";
}

int sample_parse(const uint8_t *msg, struct sample *s)
{
	struct message_event e = message_event(msg);

	*s = (struct sample){
		.listener = e.listener,
		.cause = e.mss,
		.irs = (uint32_t)GET(msg, EVENT, irs),
		.now_ms = (uint32_t)GET(msg, EVENT, now_ms),
	};
	address_from_mapped(e.remote_addr, e.remote_port, &s->remote);
	address_from_mapped(e.local_addr, e.local_port, &s->local);
	if (e.code != HF_EVENT_SAMPLE || e.state != HF_STATE_LISTEN || e.active ||
		s->local.sa.sa_family != s->remote.sa.sa_family || !address_is_unicast(&s->local) ||
		!address_is_unicast(&s->remote) || s->cause >= CAUSES || !cause_word[s->cause])
		return -EBADMSG;
	return 0;
}
