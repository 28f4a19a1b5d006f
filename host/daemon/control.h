/* SPDX-License-Identifier: Apache-2.0
 * control.h - the control socket of handfastd: what the command line and other tools say to the daemon.
 *
 * A SOCK_STREAM unix socket, CONTROL_PATH unless the config names another (`control_socket`). The file's mode is 0600 and
 * each peer's credentials are checked besides: root, the daemon's own uid, and the uids and gids of the config's
 * `control_users` and `control_groups`; others get one line "not permitted" and are hung up on.
 *
 * One request is one line: a JSON object of at most CONTROL_LINE_MAX octets, then '\n'. Each request gets exactly one reply
 * line, in order. Members that a request does not know are an error, so that a mistyped name is noticed.
 *
 *	-> {"request": "status", "tag": 7}
 *	<- {"ok": true, "tag": 7, "link": "up", ...}
 *	<- {"ok": false, "tag": 7, "error": "no listener on port 81", "errno": "ENOENT"}
 *
 * "tag" is optional, any JSON value, and comes back as it was. A line that is no JSON object is answered with errno EBADMSG,
 * a longer one too, and then the daemon hangs up. At most CONTROL_CLIENTS_MAX clients at once. A client that does not
 * read its replies is hung up on when CONTROL_OUT_MAX octets wait for it; trace lines are dropped (and counted) before that.
 *
 * Requests, their members (? = optional) and what a reply holds besides "ok" and "tag". Every integer is exact; times are
 * milliseconds; a counter never goes back while the daemon lives.
 *
 * status
 *	"version": "0.1.0", "abi": 4, "pid": n, "uptime_ms": n,
 *	"link": "up" | "lost" | "starting",		"lost": the board is gone, and is tried again
 *	"why": text					of the link's state; "" when up
 *	"board": {"uri", "epoch", "slots", "ways", "listeners", "credits", "max_frame", "data_width"}
 *	"table": {"entries", "half_open", "host_owned", "cookies": bool}
 *	"tap": {"name", "mac", "mtu", "addresses": ["192.0.2.2/24", ...]}
 *	"rates": {"syn", "established", "handoffs", "connects", "frames_up", "frames_down",	per second, over the last second
 *	  "listeners": [{"address", "port", "syn"}]}	of the offloaded ones, where the board counts SYNs per listener
 *	"attack": {"active": bool, "since_ms": n, "syn_rate": n,	since_ms: how long, 0 when not
 *	  "listeners": [{"address", "port", "since_ms", "syn_rate", "peak": n}]}	those that are attacked
 *	"rules": {"room": n, "on_board": n, "on_host": n}	what the board can hold, and where those that are act
 *	"ways": {"kernel": {"usable": bool, "why": text}, "repair": {"usable": bool, "why": text}}
 *	"handoffs", "handoff_failed", "accept_overflow", "board_resets": counters
 * listeners
 *	"listeners": [{"address", "port", "way": "kernel" | "repair", "wanted": "offload" | "bypass" | "off",
 *	  "mode": "offload" | "bypass" | "off",	what the board does now
 *	  "why": text,			why mode is not what is wanted, or "": a listener of the kernel's is missing, MPTCP, ...
 *	  "reason": "" | "no_listener" | "mptcp" | "netns" | "rcvbuf" | "dnat" | "table_full" | "board" | "no_kernel_way",
 *	  "since_ms": n,		age of the mode
 *	  "index": n | null,		in the board's listen table
 *	  "backlog": n, "queued": n, "clients": n,	connections and programs of way repair
 *	  "handoffs": n, "failed": n, "overflow": n,
 *	  "rate": n,			handshakes completed per second
 *	  "syns": n, "syn_rate": n | null,	SYNs that the board counted for it, whatever became of them; null: it does not count
 *	  "attack": bool, "attack_changed_ms": n | null}]	how long that is so; null: there was no attack yet
 * listener	{"address"?: "any", "port": n, "mode": "offload" | "bypass" | "off"}
 *	changes `wanted` until the next reload; the reply is that listener as above, as "listener".
 *	ENOENT: the config names no such listener (address matters only where several have that port)
 * conns	{"state"?: "SYN_RECEIVED" | ..., "host"?: "192.0.2.1", "port"?: n, "sort"?: "age" | "peer" | "state", "limit"?: 1000}
 *	"conns": [{"id": n, "state", "local": "192.0.2.2:80" | "[2001:db8::2]:80", "remote", "owner": "engine" | "host", "age_ms": n | null,
 *	  "listener": n | null, "active": bool, "mss", "snd_wscale", "rcv_wscale", "snd_nxt", "rcv_nxt", "snd_wnd", "rcv_wnd"}]
 *	"total": n			matches before "limit"
 *	The board's table, read by DUMP in the background while the service goes on. age_ms is null where the daemon did not see
 *	the beginning. `port` matches either end.
 * counters
 *	"counters": {"board.RX_FRAMES": n, ..., "host.handoffs": n, ..., "daemon.clients": n, ...}
 * trace	{"host"?: address, "port"?: n, "sample"?: 1, "hex"?: false}
 *	The reply comes first; then a line per event until the client hangs up or sends {"request": "stop"}. sample = every n-th.
 *	{"trace": "event", "time_ns": n (the board's clock), "what": "ESTABLISHED" | "REFUSED" | "UNREACHABLE" | "TIMED_OUT" | "CLOSED" | "RESET" |
 *	  "ABORTED" | "RETRYING", "id", "state", "local", "remote", "snd_nxt", "rcv_nxt", "snd_wnd", "mss", "cookie": bool, "listener": n, "active": bool}
 *	{"trace": "event", "time_ns", "what": "SAMPLE", "local", "remote", "listener", "seq": n, "cause": "BACKLOG" | ... (regs/verdict.def) |
 *	  "", "every": n}	a SYN, one of so many, and why it was dropped; "": it was not
 *	{"trace": "frame", "time_ns": n, "direction": "up" | "down", "length": n, "local", "remote", "flags": "SA" (FIN S R P A U E C, one letter
 *	  each: F S R P A U E C), "seq", "ack", "wnd", "hex": "0a1b..." (with "hex": true; the whole Ethernet frame)}
 *	{"trace": "handoff", "time_ns": n, "way", "local", "remote", "ok": bool, "errno"?: "EPERM"}
 *	{"trace": "dropped", "count": n}	the client was too slow for that many lines
 *	Frames the board consumed or made itself (SYN, SYN-ACK, final ACK) never reach the host; the event that follows them tells
 *	their numbers: ISS = snd_nxt - 1 and IRS = rcv_nxt - 1 at ESTABLISHED.
 * limit	{"prefix": "192.0.2.0/24", "rate": n}	new connections per second from there; 0 = no limit any more
 * deny		{"prefix": "2001:db8::/64", "deny": true | false}
 *	both: of the rules that match a source, that with the longest prefix counts. Those with the longest prefixes are put into the board, as
 *	many as it has room for: it drops SYNs over the limit, and what is denied, at its offload listeners. For the rest, after the handshake: a
 *	connection from there is reset at ESTABLISHED and counted (daemon.denied, daemon.limited). An IPv6 prefix that holds all of
 *	::ffff:0:0/96, as ::/0, stays on the host. ENOSPC: CONTROL_RULES_MAX rules are there already. Until the daemon ends, or, for a prefix
 *	that the config has too, until the next reload.
 * rules
 *	"rules": [{"prefix", "deny": bool, "rate": n,
 *	  "hits": n,			connections from there that completed their handshake
 *	  "where": "board" | "host",	where it acts
 *	  "drops": n,			segments that the board dropped for it, and connections that were reset
 *	  "config": bool}]		the config has it		longest prefix first
 *	"room": n			rules that the board can hold
 * keys		{"action": "rotate"}
 *	new random SYN cookie key; cookies under way stay good. "rotated": n (since start). Keys are never shown.
 * selftest
 *	"checks": [{"name": "board_id", "ok": bool, "detail": text}, ...], "passed": n, "failed": n
 *	register access, clock running, heartbeat seen, command round trip, TAP up, handoff privileges, keys write-only
 * reload
 *	as SIGHUP: reads the config again, rules too. "changed": n listeners. EINVAL and the line where the file is wrong; nothing changes then
 * top
 *	"sources": [{"prefix": "192.0.2.0/24", "connections": n, "denied": n,		since the daemon's start
 *	  "syns": n, "syn_rate": n, "syns_dropped": n}]	in the window, estimated from samples; most first, at most CONTROL_TOP_MAX
 *	"window_ms": n, "samples": n, "syns": n		the window, up to two minutes; samples in it, and the SYNs they stand for
 *	"every": n					one of so many SYNs is a sample now; 0: the board shows none
 * stop		ends a trace
 *
 * Nothing to call. */
#ifndef HANDFAST_DAEMON_CONTROL_H
#define HANDFAST_DAEMON_CONTROL_H

#define CONTROL_PATH	    "/run/handfast/control.sock"
#define CONTROL_LINE_MAX    4096
#define CONTROL_OUT_MAX	    (4 << 20)
#define CONTROL_CLIENTS_MAX 32
#define CONTROL_RULES_MAX   1024
#define CONTROL_TOP_MAX	    32

#endif
