/* SPDX-License-Identifier: Apache-2.0
 * support_board.h - any test of the engine, through the RGMII pins of a board: with HF_TEST_BOARD=1 in the environment, or after
 * board_always(), every bench stands in sim/eth/eth_board.h, and its engine has the default geometry, whatever the
 * case asks for. `make test-boards`. */
#ifndef HANDFAST_TESTS_SUPPORT_BOARD_H
#define HANDFAST_TESTS_SUPPORT_BOARD_H

#include "../sim/eth/eth_board.h"
#include "support_bench.h"

void board_always(void);
bool board_wanted(void);
/* Called by bench_open_raw() and bench_close(); the latter checks that core and model never differed, and that every
 * frame went through MAC and PHY unharmed. */
void board_attach(struct bench *b);
void board_detach(struct bench *b);

#endif
