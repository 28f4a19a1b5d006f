/* SPDX-License-Identifier: Apache-2.0 */
#include "support_event.h"

#include "support_bench.h"

size_t event_message(uint8_t *msg, const struct fake_event *e)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	uint32_t iss = e->iss ? e->iss : ISS;

	memset(msg, 0, 128);
	MSG_PUT(msg, HEADER, type, HF_MSG_EVENT);
	MSG_PUT(msg, HEADER, length, 128);
	MSG_PUT(msg, HEADER, id, e->id);
	MSG_PUT(msg, HEADER, flags, e->cookie ? HF_EVENT_COOKIE : 0);
	MSG_PUT(msg, EVENT, code, HF_EVENT_ESTABLISHED);
	MSG_PUT(msg, EVENT, state, HF_STATE_ESTABLISHED);
	if (e->code) {
		MSG_PUT(msg, EVENT, code, e->code);
		MSG_PUT(msg, EVENT, state, HF_STATE_CLOSED);
	}
	MSG_PUT(msg, EVENT, listener, e->listener | (e->local_port ? 64 : 0));
	MSG_PUT(msg, EVENT, options, (e->bare ? 0 : 7) | (e->syn_lost ? 8 : 0) | (e->frame_follows ? 16 : 0));
	MSG_PUT(msg, EVENT, mss, 1000);
	MSG_PUT(msg, EVENT, snd_wscale, e->bare ? 0 : 3);
	MSG_PUT(msg, EVENT, rcv_wscale, e->bare ? 0 : 5);
	memcpy(msg + HF_AT_EVENT_remote_addr, mapped, 12);
	memcpy(msg + HF_AT_EVENT_local_addr, mapped, 12);
	put32(msg + HF_AT_EVENT_remote_addr + 12, PEER_ADDR);
	put32(msg + HF_AT_EVENT_local_addr + 12, e->local_addr ? e->local_addr : OUR_ADDR);
	if (e->ip6) {
		memcpy(msg + HF_AT_EVENT_remote_addr, PEER6, 16);
		memcpy(msg + HF_AT_EVENT_local_addr, OUR6, 16);
	}
	if (e->tags) {
		MSG_PUT(msg, EVENT, options, MSG_GET(msg, EVENT, options) | e->tags << 5);
		MSG_PUT(msg, EVENT, vlan, 5);
		MSG_PUT(msg, EVENT, vlan_inner, e->tags > 1 ? 6 : 0);
	}
	MSG_PUT(msg, EVENT, remote_port, e->remote_port);
	MSG_PUT(msg, EVENT, local_port, e->local_port ? e->local_port : OUR_PORT);
	put48(msg + HF_AT_EVENT_remote_mac, PEER_MAC);
	MSG_PUT(msg, EVENT, iss, iss);
	MSG_PUT(msg, EVENT, irs, IRS);
	MSG_PUT(msg, EVENT, snd_una, iss + 1);
	MSG_PUT(msg, EVENT, snd_nxt, iss + 1);
	MSG_PUT(msg, EVENT, rcv_nxt, IRS + 1);
	MSG_PUT(msg, EVENT, snd_wnd, e->bare ? 1000 : 8000);
	MSG_PUT(msg, EVENT, rcv_wnd, 64240);
	MSG_PUT(msg, EVENT, snd_wl1, IRS + 1);
	MSG_PUT(msg, EVENT, snd_wl2, iss + 1);
	MSG_PUT(msg, EVENT, ts_recent, e->bare ? 0 : TS_RECENT);
	MSG_PUT(msg, EVENT, ts_offset, e->bare ? 0 : TSVAL - 1000);
	MSG_PUT(msg, EVENT, tsecr, e->bare ? 0 : 69990);
	MSG_PUT(msg, EVENT, rtt_ms, 3);
	MSG_PUT(msg, EVENT, now_ms, 1000);
	MSG_PUT(msg, EVENT, seg_wnd, 1000);
	return 128;
}
