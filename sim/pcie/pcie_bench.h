/* SPDX-License-Identifier: Apache-2.0
 * pcie_bench.h - what the PCIe endpoint's RTL achieves, in clocks of pcie_clk; rows of `make bench`. */
#ifndef HANDFAST_SIM_PCIE_BENCH_H
#define HANDFAST_SIM_PCIE_BENCH_H

/* Measure, and call `report` for each row. Returns 0; -ENOMEM; or -EIO when the link saw a fault. */
int pcie_bench(void (*report)(const char *name, double value, const char *unit, const char *note));

#endif
