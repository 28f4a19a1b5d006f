# SPDX-License-Identifier: Apache-2.0
# spread.py - for nextpnr-ecp5's --pre-place: where the part has room, rows of logic are left empty for wires.
#
# nextpnr fills each region that it uses to three quarters, by a constant, and leaves the rest of the part alone. This
# design has more wires than such a region. One row in two stays empty if the rest is then full to 65 % at most, else one
# in three, else one in four; none if not even that is possible. Nothing here is left to chance.

MOST = 0.65
LOGIC = ("TRELLIS_COMB", "TRELLIS_FF", "TRELLIS_RAMW")

bels, cells = [], []
there = dict.fromkeys(LOGIC, 0)
wanted = dict.fromkeys(LOGIC, 0)
# nextpnr's iterators serve statements only, no comprehensions.
for bel in ctx.getBels():
    kind = ctx.getBelType(bel)
    if kind in LOGIC:
        bels.append(bel)
        there[kind] += 1
for name, cell in ctx.cells:
    if cell.type in LOGIC:
        cells.append(name)
        wanted[cell.type] += 1
need = max(wanted[kind] / there[kind] for kind in LOGIC)
for rows in (2, 3, 4):
    if need * rows / (rows - 1) <= MOST:
        kept = [bel for bel in bels if ctx.getBelLocation(bel).y % rows]
        at = ctx.getBelLocation(kept[0])
        ctx.createRectangularRegion("spread", at.x, at.y, at.x, at.y)
        for bel in kept:
            ctx.addBelToRegion("spread", bel)
        for name in cells:
            ctx.constrainCellToRegion(name, "spread")
        print("spread: %d cells, one row in %d stays empty" % (len(cells), rows))
        break
else:
    print("spread: no room, %.0f %% of the logic is used" % (100 * need))
