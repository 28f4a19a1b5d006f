/* SPDX-License-Identifier: Apache-2.0
 * eth_board.h - a simulated board from its RGMII pins on: rtl/board/board_sim.sv (MAC and core, Verilated as one) with a PHY
 * (phy.h) at its pins, around a simulator.
 *
 * The simulator's engine - the model - is shown what the core inside the board is shown, clock for clock, and what both
 * answer is compared: lock step within the board. Frames given with sim_rx() go through the PHY, its pins and the MAC; a frame
 * that left the core is looked for behind the PHY. So whatever drives a simulator drives a board. The core's clock is 62.5 MHz.
 * While a frame is on its way to the core, the core is shown the time at which it was given, so that a stamp is what it would be
 * without the way. */
#ifndef HANDFAST_ETH_BOARD_H
#define HANDFAST_ETH_BOARD_H

#include "../sim.h"
#include "phy.h"

struct eth_board;

/* Put the board around `s` (ENGINE_DEFAULT; it takes outlet 1) and reset both. Returns 0 and sets *b, or -EINVAL for
 * another geometry, -ENOMEM. `s` outlives the board. */
int eth_board_open(struct eth_board **b, struct sim *s, uint64_t seed);
void eth_board_close(struct eth_board *b); /* takes the outlet away */

struct eth_board_counts {
	uint64_t compared,
		mismatches;	 /* clocks in which the core's outputs and the engine's were compared, and differed */
	uint64_t given, arrived; /* frames given with sim_rx(); come out of the MAC */
	uint64_t left, sent;	 /* frames that left the core; received by the PHY */
	uint64_t rx_ps;		 /* between the ends of the first and the last frame that arrived */
};
void eth_board_counts(const struct eth_board *b, struct eth_board_counts *counts);
/* The first thing that was wrong on either side, "" while nothing. */
const char *eth_board_fault(const struct eth_board *b);
struct phy *eth_board_phy(struct eth_board *b);

#endif
