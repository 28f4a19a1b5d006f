/* SPDX-License-Identifier: Apache-2.0
 * support_board.c - a board around the bench's engine (support_board.h). */
#include "support_board.h"

static bool always;

void board_always(void)
{
	always = true;
}

bool board_wanted(void)
{
	const char *wish = getenv("HF_TEST_BOARD");

	return always || (wish && *wish == '1');
}

void board_attach(struct bench *b)
{
	if (board_wanted())
		CHECK(!eth_board_open(&b->board, b->sim, 1), "no board");
}

void board_detach(struct bench *b)
{
	struct eth_board_counts n;

	if (!b->board)
		return;
	eth_board_counts(b->board, &n);
	CHECK(!*eth_board_fault(b->board), "board: %s", eth_board_fault(b->board));
	CHECK(n.compared > 0 && !n.mismatches, "board: %llu of %llu clocks differ", (unsigned long long)n.mismatches,
		(unsigned long long)n.compared);
	CHECK(n.given == n.arrived && n.left == n.sent, "board: %llu frames given, %llu arrived, %llu left, %llu sent",
		(unsigned long long)n.given, (unsigned long long)n.arrived, (unsigned long long)n.left,
		(unsigned long long)n.sent);
	eth_board_close(b->board);
	b->board = NULL;
}
