// SPDX-License-Identifier: Apache-2.0
// eth_defs.svh - what the MAC's units share: the bits of `seen`, in the order of the counters in regs/eth.def.
`ifndef ETH_DEFS_SVH
`define ETH_DEFS_SVH
`define ETH_RX_FRAMES   0
`define ETH_RX_BAD_FCS  1
`define ETH_RX_RUNT     2
`define ETH_RX_LONG     3
`define ETH_RX_SYMBOL   4
`define ETH_RX_OVERFLOW 5
`define ETH_RX_NO_SFD   6
`define ETH_RX_SEEN     7
`define ETH_TX_FRAMES    0
`define ETH_TX_UNDERFLOW 1
`define ETH_TX_SEEN      2
`define ETH_COUNTERS    (`ETH_RX_SEEN + `ETH_TX_SEEN)
`endif
