/* SPDX-License-Identifier: Apache-2.0
 * phy.h - an Ethernet PHY at the level of its pins: RGMII 2.0 both ways, MDIO (IEEE 802.3 clause 22), and on its far side
 * frames. It has a clock of its own (rxc); whoever owns it calls phy_edge() when the time of its next edge has come, phy_tx()
 * after every evaluation of the logic at its transmit pins, and phy_mdio() likewise. */
#ifndef HANDFAST_PHY_H
#define HANDFAST_PHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum phy_speed { PHY_10, PHY_100, PHY_1000 };
enum { PHY_FRAME_MAX = 20000 }; /* octets with FCS */

/* How a frame is to go out to the MAC; all zero is an ordinary one. */
struct phy_how {
	unsigned preamble; /* nibbles of 0x5 before the SFD, 1 more than meant; 0: the usual 14 */
	unsigned gap;	   /* octets of silence before, 1 more than meant; 0: the usual 12 */
	bool bad_fcs;
	bool no_fcs;	   /* the octets are all there is */
	bool no_sfd;	   /* the preamble and nothing else */
	unsigned er_at;	   /* RX_ER with this octet of the frame, counted from 1; 0: none */
	bool er_low;	   /* that only with its low nibble, where an octet takes two periods */
	bool er_sfd;	   /* RX_ER with the SFD */
	bool extra_nibble; /* 10 and 100 Mbit/s: half an octet behind the FCS */
};

/* A frame from the MAC, with what was found on the way; without its FCS if that is right. */
struct phy_frame {
	const uint8_t *data;
	size_t len;
	bool fcs_ok;
	bool error;	   /* TX_ER */
	unsigned preamble; /* octets before the SFD */
	unsigned gap;	   /* octets of silence before, up to 1,000,000 */
	uint64_t start_ps; /* its first preamble octet */
};

struct phy;

/* A PHY with its link up at 1000 Mbit/s, at MDIO address `address`. NULL when memory is short. */
struct phy *phy_open(unsigned address, void (*frame)(void *ctx, const struct phy_frame *f), void *ctx);
void phy_close(struct phy *p);

/* Link and speed: rxc, what is said between frames, and the registers. Drops what is queued and under way. */
void phy_set(struct phy *p, enum phy_speed speed, bool up);
void phy_quiet_inband(
	struct phy *p, bool quiet); /* says nothing between frames, as a PHY does that has no in-band status */
void phy_silent_mdio(struct phy *p, bool silent); /* answers no read */
/* What the far side offers: registers 5 and 10, until phy_set(). */
void phy_partner(struct phy *p, uint16_t ability, uint16_t gigabit);
void phy_negotiating(struct phy *p, bool on); /* link, but negotiation is not complete (register 1, bit 5) */
void phy_drift(struct phy *p, int ppm);	      /* of rxc, +-1000 */
void phy_stop(struct phy *p, bool stop);      /* rxc stands still */

/* Queue a frame for the MAC: `len` octets and, unless `how` says otherwise, their FCS. how may be NULL.
 * 0, -EMSGSIZE, or -ENOMEM. */
int phy_send(struct phy *p, const void *data, size_t len, const struct phy_how *how);
size_t phy_pending(const struct phy *p); /* frames not wholly sent */
void phy_flush(struct phy *p);

/* Pins. */
struct phy_pins {
	bool rxc, rx_ctl;
	uint8_t rxd;
};
uint64_t phy_next_ps(const struct phy *p); /* of the next edge of rxc; UINT64_MAX while it stands */
void phy_edge(struct phy *p, struct phy_pins *pins);
void phy_tx(struct phy *p, uint64_t now_ps, bool txc, uint8_t txd, bool tx_ctl);
bool phy_mdio(struct phy *p, bool mdc, bool mdo, bool mdo_en); /* the line, as the MAC reads it */

/* What the MAC did wrong at the pins (a clock of the wrong period, ...); "" while nothing. */
const char *phy_fault(const struct phy *p);
void phy_forget(struct phy *p); /* begin anew with that: before its reset a MAC owes nothing */
uint16_t phy_register(const struct phy *p, unsigned reg);

/* IEEE 802.3 CRC-32 of octets, as the FCS has it (least significant octet first on the wire). */
uint32_t phy_crc32(const uint8_t *data, size_t len);

#endif
