/* SPDX-License-Identifier: Apache-2.0
 * kernel_listener.h - hand connections whose handshake the board has made to the kernel's own listeners, so that an unmodified
 * application's accept() returns them. Linux 6.9 or later, passive opens only.
 *
 *  EVENT ESTABLISHED ── kernel_listener_offer() ──► BPF map {4-tuple: ISNs, options}
 *                              │                              │ read
 *                              └─ final ACK, rebuilt ─► TAP ─► TC ingress: bpf_sk_assign_tcp_reqsk ─► listener's accept queue
 *                                        ▲ again, backing off                                            │
 *                                        └───────────── not yet confirmed ◄── sockops PASSIVE_ESTABLISHED ┘
 *
 * What marks a connection as the board's is the entry in the map, which only the process that opened it can write: nothing in
 * a frame is trusted. The entry goes when the kernel confirms the connection. If the accept queue is full the kernel drops the
 * ACK, and the peer may never send another (SSH, SMTP, MySQL: the server speaks first); therefore it is kept here and injected
 * again until it is confirmed or give_up_ms have passed. While a connection is on offer its other segments are dropped
 * before the kernel's TCP sees them (it would answer with RST); the peer sends them again.
 *
 *	kernel_listener_open(&options, &kl, &why);
 *	on EVENT ESTABLISHED: kernel_listener_offer(kl, msg, tag, now_ms, &why), then pass on the frames that follow it
 *	poll kernel_listener_fd(kl) for POLLIN, for at most what kernel_listener_step() returned
 *	when it wakes: kernel_listener_step(kl, now_ms)
 *
 * Threads: one owns a kernel_listener; functions of different ones do not disturb one another.
 * Fork: only the parent may use it. All descriptors close at exec. What is attached goes with the last descriptor: when the process, and a
 *   child without exec, are dead nothing stays behind but what is pinned.
 * Blocks: for the kernel alone: while it loads the programs, works on the frame that `inject` gives it, answers sock_diag (100 ms at most).
 * Errors: -errno is returned, and the reason in *why; errno itself says nothing. */
#ifndef HANDFAST_KERNEL_LISTENER_H
#define HANDFAST_KERNEL_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* KERNEL_LISTENER_NONE = 0 and the others of reason.def. */
enum kernel_listener_reason {
#define REASON(name, error, word, sentence) KERNEL_LISTENER_##name,
#include "reason.def"
#undef REASON
	KERNEL_LISTENER_REASONS
};
/* "no-kfunc"; a sentence for people; and the -errno that goes with it. Of a number that is no reason: "", "", -EINVAL. */
const char *kernel_listener_word(enum kernel_listener_reason why);
const char *kernel_listener_sentence(enum kernel_listener_reason why);
int kernel_listener_errno(enum kernel_listener_reason why);

struct kernel_listener;

struct kernel_listener_options {
	int ifindex;	     /* the netdev through which the frames come, in the calling thread's network namespace */
	uint8_t mac[6];	     /* its address */
	unsigned offers_max; /* on offer at once; 0 = 65,536 */
	unsigned give_up_ms; /* how long a connection is offered; 0 = 60,000 */
	/* A folder on bpffs: below it map and attachments are kept for the next process of this network namespace. NULL: they are not. */
	const char *pins;
	unsigned
		min_rcv_wnd; /* the window the board advertises, octets; for kernel_listener_serves(). 0 = do not check */
	/* Give a frame to the kernel: to the TAP. Returns 0 or -errno; any error counts as a frame lost. */
	int (*inject)(void *ctx, const uint8_t *frame, size_t len);
	/* The fate of an offer; called from kernel_listener_step() and kernel_listener_offer(), once for each offer that was
	 * taken. May call kernel_listener_offer() and kernel_listener_withdraw().
	 *   why     KERNEL_LISTENER_NONE: the kernel has it, in the accept queue or beyond. Any other: it does not and will not;
	 *           send the peer a RST (not after PEER_RESET), the board an ABORT
	 *   cookie  SO_COOKIE of the socket, as sock_diag will tell when it is destroyed; 0 if not known
	 *   tries   how often the ACK was injected: more than 1 = the accept queue was full */
	void (*done)(void *ctx, uint64_t tag, enum kernel_listener_reason why, uint64_t cookie, unsigned tries);
	void *ctx;
};

/* kernel_listener_probe - can this kernel, this process and this network namespace do it at all? Loads the program and lets it go
 * again; nothing stays. Returns 0, or the reason's -errno and the reason in *why. `text`, of `size` bytes, may be NULL: receives what the
 * kernel or libbpf said, "" if nothing. */
int kernel_listener_probe(enum kernel_listener_reason *why, char *text, size_t size);

/* kernel_listener_open - load the programs, attach them to the netdev's TC ingress and to the cgroup root.
 * Returns 0 and sets *kl, or the reason's -errno and the reason in *why (NO_LIBBPF to SYNCOOKIES_OFF, SYSTEM), or -ENOMEM. */
int kernel_listener_open(
	const struct kernel_listener_options *options, struct kernel_listener **kl, enum kernel_listener_reason *why);
/* Detaches everything; but what is pinned stays where it is for another process, if `keep`. Offers under way get no `done`. NULL is allowed. */
void kernel_listener_close(struct kernel_listener *kl, bool keep);
/* 0: pinned; 1: pinned, and taken over from another process; -errno: not pinned, and why. */
int kernel_listener_pinned(const struct kernel_listener *kl);

/* kernel_listener_serves - could a listener on this address and port be served this way now? Asks the kernel about the
 * sockets (sock_diag) and sysctls of the calling thread's network namespace. Of several sockets on one port (SO_REUSEPORT) all must do.
 *
 *   local  struct sockaddr_in or sockaddr_in6; the any-address matches only a socket on the any-address (an IPv6 one also
 *          takes IPv4, unless IPV6_V6ONLY)
 *
 * Returns 0, or the reason's -errno and the reason in *why: SYNCOOKIES_OFF, NO_LISTENER, MPTCP, SMALL_RCVBUF, SYSTEM. */
int kernel_listener_serves(
	struct kernel_listener *kl, const struct sockaddr *local, socklen_t length, enum kernel_listener_reason *why);

/* kernel_listener_tcp_options - what the board may negotiate, by the sysctls of this moment: bits as in the options octet of an
 * EVENT (0 window scale, 1 timestamps, 2 SACK). Track it: a connection with an option that was switched off meanwhile
 * cannot be handed over. */
unsigned kernel_listener_tcp_options(void);

/* kernel_listener_offer - hand over a connection. Injects its final ACK at once: `done` may be called from inside.
 *
 *   event  an EVENT message, 128 bytes (regs/message.def); copied. VLAN tags are put on the ACK as the event has them
 *   tag    comes back with `done`
 *
 * Returns 0: `done` has told or will tell its fate. Or the reason's -errno and the reason in *why, and `done` is not called:
 * NOT_PASSIVE, DOUBLE_VLAN, MSS_TOO_SMALL, WSCALE_OFF, SACK_OFF, TIMESTAMPS_OFF, SYNCOOKIES_OFF, PENDING, FULL, SYSTEM. */
int kernel_listener_offer(struct kernel_listener *kl, const uint8_t *event, uint64_t tag, int64_t now_ms,
	enum kernel_listener_reason *why);

/* kernel_listener_withdraw - end the offers for a local port (0: all), host order: their `done` says WITHDRAWN. Returns how many. */
unsigned kernel_listener_withdraw(struct kernel_listener *kl, uint16_t local_port);

/* Readable when kernel_listener_step() has something to read. */
int kernel_listener_fd(const struct kernel_listener *kl);
/* kernel_listener_step - read confirmations, inject again what is due, give up what is too old. Returns the milliseconds until it
 * must be called again at the latest, -1 = not before the descriptor is readable. */
int kernel_listener_step(struct kernel_listener *kl, int64_t now_ms);
/* Connections on offer. */
unsigned kernel_listener_pending(const struct kernel_listener *kl);

#endif
