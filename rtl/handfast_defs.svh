// SPDX-License-Identifier: Apache-2.0
// Generated from regs/*.def by regs/gen.c; do not edit, run `make generate`.
`ifndef HANDFAST_DEFS_SVH
`define HANDFAST_DEFS_SVH

`define HF_ID_VALUE 32'h54534648
`define HF_ABI_VERSION 32'd4

`define HF_REG_ID 12'h000
`define HF_RESET_ID 32'h54534648
`define HF_REG_VERSION 12'h004
`define HF_RESET_VERSION 32'h00000004
`define HF_REG_CTRL 12'h008
`define HF_RESET_CTRL 32'h00000000
`define HF_REG_STATUS 12'h00c
`define HF_RESET_STATUS 32'h00000000
`define HF_REG_GEOMETRY 12'h010
`define HF_RESET_GEOMETRY 32'h00000000
`define HF_REG_EPOCH 12'h014
`define HF_RESET_EPOCH 32'h00000000
`define HF_REG_HEARTBEAT 12'h018
`define HF_RESET_HEARTBEAT 32'h00000000
`define HF_REG_HEARTBEAT_MS 12'h01c
`define HF_RESET_HEARTBEAT_MS 32'h000003e8
`define HF_REG_SYN_RTO_MS 12'h020
`define HF_RESET_SYN_RTO_MS 32'h000003e8
`define HF_REG_SYN_RTO_MAX_MS 12'h024
`define HF_RESET_SYN_RTO_MAX_MS 32'h0000ea60
`define HF_REG_SYNACK_RETRIES 12'h028
`define HF_RESET_SYNACK_RETRIES 32'h00000005
`define HF_REG_MSS 12'h02c
`define HF_RESET_MSS 32'h000005b4
`define HF_REG_MSS6 12'h0b0
`define HF_RESET_MSS6 32'h000005a0
`define HF_REG_CONNECT_MS 12'h0b4
`define HF_RESET_CONNECT_MS 32'h0002bf20
`define HF_REG_CLOSE_MS 12'h0b8
`define HF_RESET_CLOSE_MS 32'h000186a0
`define HF_REG_FIN_WAIT_2_MS 12'h0bc
`define HF_RESET_FIN_WAIT_2_MS 32'h0000ea60
`define HF_REG_TIME_WAIT_MS 12'h0c0
`define HF_RESET_TIME_WAIT_MS 32'h0000ea60
`define HF_REG_CHALLENGE 12'h0c4
`define HF_RESET_CHALLENGE 32'h1388000a
`define HF_REG_MSS_FLOOR 12'h030
`define HF_RESET_MSS_FLOOR 32'h00000058
`define HF_REG_RCV_WND 12'h034
`define HF_RESET_RCV_WND 32'h0000faf0
`define HF_REG_WSCALE 12'h038
`define HF_RESET_WSCALE 32'h00000007
`define HF_REG_TTL 12'h03c
`define HF_RESET_TTL 32'h00000040
`define HF_REG_TOS 12'h040
`define HF_RESET_TOS 32'h00000000
`define HF_REG_MAC_LO 12'h044
`define HF_RESET_MAC_LO 32'h00000000
`define HF_REG_MAC_HI 12'h048
`define HF_RESET_MAC_HI 32'h00000000
`define HF_REG_LOCAL_ADDR0 12'h050
`define HF_RESET_LOCAL_ADDR0 32'h00000000
`define HF_REG_LOCAL_ADDR1 12'h054
`define HF_RESET_LOCAL_ADDR1 32'h00000000
`define HF_REG_LOCAL_ADDR2 12'h058
`define HF_RESET_LOCAL_ADDR2 32'h00000000
`define HF_REG_LOCAL_ADDR3 12'h05c
`define HF_RESET_LOCAL_ADDR3 32'h00000000
`define HF_REG_LISTEN_ADDR 12'h060
`define HF_RESET_LISTEN_ADDR 32'h00000000
`define HF_REG_LISTEN_ADDR1 12'h0d0
`define HF_RESET_LISTEN_ADDR1 32'h00000000
`define HF_REG_LISTEN_ADDR2 12'h0d4
`define HF_RESET_LISTEN_ADDR2 32'h00000000
`define HF_REG_LISTEN_ADDR3 12'h0d8
`define HF_RESET_LISTEN_ADDR3 32'h00000000
`define HF_REG_LOCAL6_A0 12'h0e0
`define HF_RESET_LOCAL6_A0 32'h00000000
`define HF_REG_LOCAL6_A1 12'h0e4
`define HF_RESET_LOCAL6_A1 32'h00000000
`define HF_REG_LOCAL6_A2 12'h0e8
`define HF_RESET_LOCAL6_A2 32'h00000000
`define HF_REG_LOCAL6_A3 12'h0ec
`define HF_RESET_LOCAL6_A3 32'h00000000
`define HF_REG_LOCAL6_B0 12'h0f0
`define HF_RESET_LOCAL6_B0 32'h00000000
`define HF_REG_LOCAL6_B1 12'h0f4
`define HF_RESET_LOCAL6_B1 32'h00000000
`define HF_REG_LOCAL6_B2 12'h0f8
`define HF_RESET_LOCAL6_B2 32'h00000000
`define HF_REG_LOCAL6_B3 12'h0fc
`define HF_RESET_LOCAL6_B3 32'h00000000
`define HF_REG_LISTEN_PORT 12'h064
`define HF_RESET_LISTEN_PORT 32'h00000000
`define HF_REG_LISTEN_BACKLOG 12'h068
`define HF_RESET_LISTEN_BACKLOG 32'h00000000
`define HF_REG_LISTEN_OPTS 12'h06c
`define HF_RESET_LISTEN_OPTS 32'h00000007
`define HF_REG_LISTEN_COMMIT 12'h070
`define HF_RESET_LISTEN_COMMIT 32'h00000000
`define HF_REG_LISTEN_HALF_OPEN 12'h074
`define HF_RESET_LISTEN_HALF_OPEN 32'h00000000
`define HF_REG_LISTEN_SYNS 12'h078
`define HF_RESET_LISTEN_SYNS 32'h00000000
`define HF_REG_LISTEN_SELECT 12'h07c
`define HF_RESET_LISTEN_SELECT 32'h00000000
`define HF_REG_KEY_INDEX0 12'h080
`define HF_RESET_KEY_INDEX0 32'h00000000
`define HF_REG_KEY_INDEX1 12'h084
`define HF_RESET_KEY_INDEX1 32'h00000000
`define HF_REG_KEY_INDEX2 12'h088
`define HF_RESET_KEY_INDEX2 32'h00000000
`define HF_REG_KEY_INDEX3 12'h08c
`define HF_RESET_KEY_INDEX3 32'h00000000
`define HF_REG_KEY_ISN0 12'h090
`define HF_RESET_KEY_ISN0 32'h00000000
`define HF_REG_KEY_ISN1 12'h094
`define HF_RESET_KEY_ISN1 32'h00000000
`define HF_REG_KEY_ISN2 12'h098
`define HF_RESET_KEY_ISN2 32'h00000000
`define HF_REG_KEY_ISN3 12'h09c
`define HF_RESET_KEY_ISN3 32'h00000000
`define HF_REG_COOKIE 12'h100
`define HF_RESET_COOKIE 32'h00000011
`define HF_REG_COOKIE_HIGH 12'h104
`define HF_RESET_COOKIE_HIGH 32'h00000000
`define HF_REG_COOKIE_LOW 12'h108
`define HF_RESET_COOKIE_LOW 32'h00000000
`define HF_REG_CACHE 12'h10c
`define HF_RESET_CACHE 32'h00000000
`define HF_REG_RST_LIMIT 12'h110
`define HF_RESET_RST_LIMIT 32'h03e80064
`define HF_REG_SYNACK_LIMIT 12'h114
`define HF_RESET_SYNACK_LIMIT 32'h03e80064
`define HF_REG_MISS_LIMIT 12'h118
`define HF_RESET_MISS_LIMIT 32'h03e80000
`define HF_REG_TX_SHARE 12'h11c
`define HF_RESET_TX_SHARE 32'h00000040
`define HF_REG_KEY_COOKIE_A0 12'h120
`define HF_RESET_KEY_COOKIE_A0 32'h00000000
`define HF_REG_KEY_COOKIE_A1 12'h124
`define HF_RESET_KEY_COOKIE_A1 32'h00000000
`define HF_REG_KEY_COOKIE_A2 12'h128
`define HF_RESET_KEY_COOKIE_A2 32'h00000000
`define HF_REG_KEY_COOKIE_A3 12'h12c
`define HF_RESET_KEY_COOKIE_A3 32'h00000000
`define HF_REG_KEY_COOKIE_B0 12'h130
`define HF_RESET_KEY_COOKIE_B0 32'h00000000
`define HF_REG_KEY_COOKIE_B1 12'h134
`define HF_RESET_KEY_COOKIE_B1 32'h00000000
`define HF_REG_KEY_COOKIE_B2 12'h138
`define HF_RESET_KEY_COOKIE_B2 32'h00000000
`define HF_REG_KEY_COOKIE_B3 12'h13c
`define HF_RESET_KEY_COOKIE_B3 32'h00000000
`define HF_REG_RULE_ADDR0 12'h140
`define HF_RESET_RULE_ADDR0 32'h00000000
`define HF_REG_RULE_ADDR1 12'h144
`define HF_RESET_RULE_ADDR1 32'h00000000
`define HF_REG_RULE_ADDR2 12'h148
`define HF_RESET_RULE_ADDR2 32'h00000000
`define HF_REG_RULE_ADDR3 12'h14c
`define HF_RESET_RULE_ADDR3 32'h00000000
`define HF_REG_RULE_MASK_LEN 12'h150
`define HF_RESET_RULE_MASK_LEN 32'h00000000
`define HF_REG_RULE_RATE 12'h154
`define HF_RESET_RULE_RATE 32'h00000000
`define HF_REG_RULE_BURST 12'h158
`define HF_RESET_RULE_BURST 32'h00000001
`define HF_REG_RULE_COMMIT 12'h15c
`define HF_RESET_RULE_COMMIT 32'h00000000
`define HF_REG_RULE_SELECT 12'h160
`define HF_RESET_RULE_SELECT 32'h00000000
`define HF_REG_RULE_DROPS 12'h164
`define HF_RESET_RULE_DROPS 32'h00000000
`define HF_REG_SAMPLE 12'h168
`define HF_RESET_SAMPLE 32'h00000000
`define HF_REG_SNAPSHOT 12'h0a0
`define HF_RESET_SNAPSHOT 32'h00000000
`define HF_REG_HALF_OPEN 12'h0a4
`define HF_RESET_HALF_OPEN 32'h00000000
`define HF_REG_ENTRIES 12'h0a8
`define HF_RESET_ENTRIES 32'h00000000
`define HF_REG_MS 12'h0ac
`define HF_RESET_MS 32'h00000000
`define HF_PCIE_ID 12'h000
`define HF_PCIE_RESET_ID 32'h45494350
`define HF_PCIE_VERSION 12'h004
`define HF_PCIE_RESET_VERSION 32'h00000001
`define HF_PCIE_CTRL 12'h008
`define HF_PCIE_RESET_CTRL 32'h00000000
`define HF_PCIE_STATUS 12'h00c
`define HF_PCIE_RESET_STATUS 32'h00000000
`define HF_PCIE_ERROR 12'h010
`define HF_PCIE_RESET_ERROR 32'h00000000
`define HF_PCIE_C2H_BASE_LO 12'h020
`define HF_PCIE_RESET_C2H_BASE_LO 32'h00000000
`define HF_PCIE_C2H_BASE_HI 12'h024
`define HF_PCIE_RESET_C2H_BASE_HI 32'h00000000
`define HF_PCIE_C2H_SIZE 12'h028
`define HF_PCIE_RESET_C2H_SIZE 32'h0000000c
`define HF_PCIE_C2H_HEAD 12'h02c
`define HF_PCIE_RESET_C2H_HEAD 32'h00000000
`define HF_PCIE_C2H_TAIL 12'h030
`define HF_PCIE_RESET_C2H_TAIL 32'h00000000
`define HF_PCIE_H2C_BASE_LO 12'h040
`define HF_PCIE_RESET_H2C_BASE_LO 32'h00000000
`define HF_PCIE_H2C_BASE_HI 12'h044
`define HF_PCIE_RESET_H2C_BASE_HI 32'h00000000
`define HF_PCIE_H2C_SIZE 12'h048
`define HF_PCIE_RESET_H2C_SIZE 32'h0000000c
`define HF_PCIE_H2C_TAIL 12'h04c
`define HF_PCIE_RESET_H2C_TAIL 32'h00000000
`define HF_PCIE_H2C_HEAD 12'h050
`define HF_PCIE_RESET_H2C_HEAD 32'h00000000
`define HF_PCIE_STATUS_LO 12'h060
`define HF_PCIE_RESET_STATUS_LO 32'h00000000
`define HF_PCIE_STATUS_HI 12'h064
`define HF_PCIE_RESET_STATUS_HI 32'h00000000
`define HF_PCIE_MODERATION 12'h070
`define HF_PCIE_RESET_MODERATION 32'h000003e8
`define HF_PCIE_TIMEOUT 12'h074
`define HF_PCIE_RESET_TIMEOUT 32'h00bebc20
`define HF_PCIE_WRITES 12'h080
`define HF_PCIE_RESET_WRITES 32'h00000000
`define HF_PCIE_READS 12'h084
`define HF_PCIE_RESET_READS 32'h00000000
`define HF_PCIE_UNEXPECTED 12'h088
`define HF_PCIE_RESET_UNEXPECTED 32'h00000000
`define HF_PCIE_DISCARDED 12'h08c
`define HF_PCIE_RESET_DISCARDED 32'h00000000
`define HF_ETH_ID 12'h000
`define HF_ETH_RESET_ID 32'h3043414d
`define HF_ETH_VERSION 12'h004
`define HF_ETH_RESET_VERSION 32'h00000001
`define HF_ETH_CTRL 12'h008
`define HF_ETH_RESET_CTRL 32'h00000004
`define HF_ETH_STATUS 12'h00c
`define HF_ETH_RESET_STATUS 32'h00000000
`define HF_ETH_MDIO 12'h010
`define HF_ETH_RESET_MDIO 32'h00000000
`define HF_ETH_COUNTER0_LO 12'h020
`define HF_ETH_RESET_COUNTER0_LO 32'h00000000
`define HF_LINK_AT_sync 0
`define HF_LINK_AT_flags 2
`define HF_LINK_AT_seq 3
`define HF_LINK_AT_ack 4
`define HF_LINK_AT_window 5
`define HF_LINK_AT_length 6
`define HF_LINK_AT_check 8
`define HF_LINK_DATA 0
`define HF_LINK_NAK 1
`define HF_LINK_OPEN 2
`define HF_LINK_CLOSE 3
`define HF_LINK_ASK 4

`define HF_STATE_CLOSED 4'd0
`define HF_STATE_LISTEN 4'd1
`define HF_STATE_SYN_SENT 4'd2
`define HF_STATE_SYN_RECEIVED 4'd3
`define HF_STATE_ESTABLISHED 4'd4
`define HF_STATE_FIN_WAIT_1 4'd5
`define HF_STATE_FIN_WAIT_2 4'd6
`define HF_STATE_CLOSE_WAIT 4'd7
`define HF_STATE_CLOSING 4'd8
`define HF_STATE_LAST_ACK 4'd9
`define HF_STATE_TIME_WAIT 4'd10
`define HF_CLASS_DROP 2'd0
`define HF_CLASS_HOST 2'd1
`define HF_CLASS_SEG 2'd2
`define HF_CLASS_ICMP 2'd3
`define HF_VERDICT_NONE 2'd0
`define HF_VERDICT_CONSUME 2'd1
`define HF_VERDICT_HOST 2'd2
`define HF_VERDICT_DROP 2'd3
`define HF_CAUSE_NONE 5'd0
`define HF_CAUSE_BAD_FCS 5'd1
`define HF_CAUSE_TOO_LONG 5'd2
`define HF_CAUSE_RUNT 5'd3
`define HF_CAUSE_IP_MALFORMED 5'd4
`define HF_CAUSE_IP_CHECKSUM 5'd5
`define HF_CAUSE_FRAGMENT 5'd6
`define HF_CAUSE_TCP_MALFORMED 5'd7
`define HF_CAUSE_TCP_CHECKSUM 5'd8
`define HF_CAUSE_MARTIAN 5'd9
`define HF_CAUSE_L2_DEST 5'd10
`define HF_CAUSE_BAD_FLAGS 5'd11
`define HF_CAUSE_HOST_GONE 5'd12
`define HF_CAUSE_BACKLOG 5'd13
`define HF_CAUSE_TABLE_FULL 5'd14
`define HF_CAUSE_REPLY_FULL 5'd15
`define HF_CAUSE_EVENT_FULL 5'd16
`define HF_CAUSE_UNACCEPTABLE 5'd17
`define HF_CAUSE_MISSING_TS 5'd18
`define HF_CAUSE_NO_CONNECTION 5'd19
`define HF_CAUSE_RST_LIMITED 5'd20
`define HF_CAUSE_HOST_LIMITED 5'd21
`define HF_CAUSE_DENIED 5'd22
`define HF_CAUSE_SOURCE_LIMITED 5'd23
`define HF_OP_SEGMENT 2'd0
`define HF_OP_TIMEOUT 2'd1
`define HF_OP_COMMAND 2'd2
`define HF_OP_ICMP 2'd3

`define HF_CNT_RX_FRAMES 0
`define HF_CNT_RX_CONSUMED 1
`define HF_CNT_RX_HOST 2
`define HF_CNT_DROP_NOT_READY 3
`define HF_CNT_DROP_OVERRUN 4
`define HF_CNT_DROP_BAD_FCS 5
`define HF_CNT_DROP_TOO_LONG 6
`define HF_CNT_DROP_RUNT 7
`define HF_CNT_DROP_IP_MALFORMED 8
`define HF_CNT_DROP_IP_CHECKSUM 9
`define HF_CNT_DROP_FRAGMENT 10
`define HF_CNT_DROP_TCP_MALFORMED 11
`define HF_CNT_DROP_TCP_CHECKSUM 12
`define HF_CNT_DROP_MARTIAN 13
`define HF_CNT_DROP_L2_DEST 14
`define HF_CNT_DROP_BAD_FLAGS 15
`define HF_CNT_DROP_HOST_GONE 16
`define HF_CNT_DROP_BACKLOG 17
`define HF_CNT_DROP_TABLE_FULL 18
`define HF_CNT_DROP_REPLY_FULL 19
`define HF_CNT_DROP_EVENT_FULL 20
`define HF_CNT_DROP_UNACCEPTABLE 21
`define HF_CNT_DROP_MISSING_TS 22
`define HF_CNT_DROP_NO_CONNECTION 23
`define HF_CNT_DROP_RST_LIMITED 24
`define HF_CNT_DROP_HOST_LIMITED 25
`define HF_CNT_DROP_HOST_FIFO 26
`define HF_CNT_OPT_MALFORMED 27
`define HF_CNT_WS_CLAMPED 28
`define HF_CNT_SYN_ACCEPTED 29
`define HF_CNT_ESTABLISHED 30
`define HF_CNT_RETRANSMITS 31
`define HF_CNT_TIMEOUTS 32
`define HF_CNT_RESETS 33
`define HF_CNT_TX_SYNACK 34
`define HF_CNT_TX_ACK 35
`define HF_CNT_TX_RST 36
`define HF_CNT_TX_SYN 37
`define HF_CNT_TX_FIN 38
`define HF_CNT_CHALLENGE_LIMITED 39
`define HF_CNT_ICMP_HARD 40
`define HF_CNT_TW_REUSED 41
`define HF_CNT_EVICT_HOST 42
`define HF_CNT_EVICT_TIME_WAIT 43
`define HF_CNT_CONNECTS 44
`define HF_CNT_CLOSES 45
`define HF_CNT_TX_FRAMES 46
`define HF_CNT_TX_HOST 47
`define HF_CNT_H2C_MESSAGES 48
`define HF_CNT_H2C_BAD 49
`define HF_CNT_COMMANDS 50
`define HF_CNT_COOKIES_SENT 51
`define HF_CNT_COOKIES_ACCEPTED 52
`define HF_CNT_COOKIE_BAD 53
`define HF_CNT_COOKIE_NO_ENTRY 54
`define HF_CNT_SYNACK_LIMITED 55
`define HF_CNT_DROP_DENIED 56
`define HF_CNT_DROP_SOURCE_LIMITED 57
`define HF_CNT_COUNT 58

`define HF_CAUSE_CNT_BAD_FCS `HF_CNT_DROP_BAD_FCS
`define HF_CAUSE_CNT_TOO_LONG `HF_CNT_DROP_TOO_LONG
`define HF_CAUSE_CNT_RUNT `HF_CNT_DROP_RUNT
`define HF_CAUSE_CNT_IP_MALFORMED `HF_CNT_DROP_IP_MALFORMED
`define HF_CAUSE_CNT_IP_CHECKSUM `HF_CNT_DROP_IP_CHECKSUM
`define HF_CAUSE_CNT_FRAGMENT `HF_CNT_DROP_FRAGMENT
`define HF_CAUSE_CNT_TCP_MALFORMED `HF_CNT_DROP_TCP_MALFORMED
`define HF_CAUSE_CNT_TCP_CHECKSUM `HF_CNT_DROP_TCP_CHECKSUM
`define HF_CAUSE_CNT_MARTIAN `HF_CNT_DROP_MARTIAN
`define HF_CAUSE_CNT_L2_DEST `HF_CNT_DROP_L2_DEST
`define HF_CAUSE_CNT_BAD_FLAGS `HF_CNT_DROP_BAD_FLAGS
`define HF_CAUSE_CNT_HOST_GONE `HF_CNT_DROP_HOST_GONE
`define HF_CAUSE_CNT_BACKLOG `HF_CNT_DROP_BACKLOG
`define HF_CAUSE_CNT_TABLE_FULL `HF_CNT_DROP_TABLE_FULL
`define HF_CAUSE_CNT_REPLY_FULL `HF_CNT_DROP_REPLY_FULL
`define HF_CAUSE_CNT_EVENT_FULL `HF_CNT_DROP_EVENT_FULL
`define HF_CAUSE_CNT_UNACCEPTABLE `HF_CNT_DROP_UNACCEPTABLE
`define HF_CAUSE_CNT_MISSING_TS `HF_CNT_DROP_MISSING_TS
`define HF_CAUSE_CNT_NO_CONNECTION `HF_CNT_DROP_NO_CONNECTION
`define HF_CAUSE_CNT_RST_LIMITED `HF_CNT_DROP_RST_LIMITED
`define HF_CAUSE_CNT_HOST_LIMITED `HF_CNT_DROP_HOST_LIMITED
`define HF_CAUSE_CNT_DENIED `HF_CNT_DROP_DENIED
`define HF_CAUSE_CNT_SOURCE_LIMITED `HF_CNT_DROP_SOURCE_LIMITED

`define HF_COOKIE_MSS_0 16'd88
`define HF_COOKIE_MSS_1 16'd256
`define HF_COOKIE_MSS_2 16'd536
`define HF_COOKIE_MSS_3 16'd1220
`define HF_COOKIE_MSS_4 16'd1360
`define HF_COOKIE_MSS_5 16'd1400
`define HF_COOKIE_MSS_6 16'd1440
`define HF_COOKIE_MSS_7 16'd1460

`define HF_MSG_FRAME 8'd1
`define HF_MSG_EVENT 8'd2
`define HF_MSG_COMMAND 8'd3
`define HF_MSG_COMPLETION 8'd4
`define HF_MSG_REG_READ 8'd5
`define HF_MSG_REG_WRITE 8'd6
`define HF_MSG_REG_REPLY 8'd7
`define HF_MSG_HELLO 8'd8
`define HF_FLAG_EVENT_COOKIE 0
`define HF_FLAG_FRAME_CSUM_OK 0
`define HF_FLAG_FRAME_CONN 1
`define HF_FLAG_FRAME_CSUM_INSERT 0
`define HF_AT_HEADER_type 0
`define HF_AT_HEADER_flags 1
`define HF_AT_HEADER_length 2
`define HF_AT_HEADER_id 4
`define HF_AT_HEADER_stamp 8
`define HF_AT_EVENT_code 16
`define HF_AT_EVENT_state 17
`define HF_AT_EVENT_listener 18
`define HF_AT_EVENT_options 19
`define HF_AT_EVENT_mss 20
`define HF_AT_EVENT_snd_wscale 22
`define HF_AT_EVENT_rcv_wscale 23
`define HF_AT_EVENT_remote_addr 24
`define HF_AT_EVENT_local_addr 40
`define HF_AT_EVENT_remote_port 56
`define HF_AT_EVENT_local_port 58
`define HF_AT_EVENT_remote_mac 60
`define HF_AT_EVENT_vlan 66
`define HF_AT_EVENT_iss 68
`define HF_AT_EVENT_irs 72
`define HF_AT_EVENT_snd_una 76
`define HF_AT_EVENT_snd_nxt 80
`define HF_AT_EVENT_rcv_nxt 84
`define HF_AT_EVENT_snd_wnd 88
`define HF_AT_EVENT_rcv_wnd 92
`define HF_AT_EVENT_snd_wl1 96
`define HF_AT_EVENT_snd_wl2 100
`define HF_AT_EVENT_ts_recent 104
`define HF_AT_EVENT_ts_offset 108
`define HF_AT_EVENT_tsecr 112
`define HF_AT_EVENT_rtt_ms 116
`define HF_AT_EVENT_vlan_inner 118
`define HF_AT_EVENT_now_ms 120
`define HF_AT_EVENT_seg_wnd 124
`define HF_AT_EVENT_rto_ms 126
`define HF_AT_COMPLETION_status 16
`define HF_AT_COMPLETION_command 20
`define HF_AT_REG_READ_value 16
`define HF_AT_REG_READ_pad 20
`define HF_AT_REG_WRITE_value 16
`define HF_AT_REG_WRITE_pad 20
`define HF_AT_REG_REPLY_value 16
`define HF_AT_REG_REPLY_pad 20
`define HF_AT_HELLO_version 16
`define HF_AT_HELLO_epoch 20
`define HF_AT_HELLO_slots 24
`define HF_AT_HELLO_credits 28
`define HF_AT_HELLO_listeners 30
`define HF_AT_HELLO_max_frame 32
`define HF_AT_HELLO_ways 34
`define HF_AT_HELLO_data_w 36
`define HF_EVENT_ESTABLISHED 8'd1
`define HF_EVENT_REFUSED 8'd2
`define HF_EVENT_UNREACHABLE 8'd3
`define HF_EVENT_TIMED_OUT 8'd4
`define HF_EVENT_CLOSED 8'd5
`define HF_EVENT_RESET 8'd6
`define HF_EVENT_ABORTED 8'd7
`define HF_EVENT_RETRYING 8'd8
`define HF_EVENT_DUMP 8'd9
`define HF_EVENT_SAMPLE 8'd10
`define HF_COMMAND_RELEASE 8'd1
`define HF_COMMAND_ABORT 8'd2
`define HF_COMMAND_DUMP 8'd3
`define HF_COMMAND_CONNECT 8'd4
`define HF_COMMAND_CLOSE 8'd5
`define HF_COMMAND_ADOPT 8'd6
`define HF_STATUS_OK 8'd0
`define HF_STATUS_STALE 8'd1
`define HF_STATUS_NOT_OWNER 8'd2
`define HF_STATUS_BAD_TYPE 8'd3
`define HF_STATUS_BAD_LENGTH 8'd4
`define HF_STATUS_BAD_COMMAND 8'd5
`define HF_STATUS_BAD_CSUM 8'd6
`define HF_STATUS_BAD_ADDRESS 8'd7
`define HF_STATUS_REFUSED 8'd8
`define HF_STATUS_BAD_PARAM 8'd9
`define HF_STATUS_EXISTS 8'd10
`define HF_STATUS_NO_ROOM 8'd11
`define HF_STATUS_BAD_STATE 8'd12

`define HF_TCB_FIELDS \
  logic [3:0] state; \
  logic [15:0] generation; \
  logic [3:0] listener; \
  logic [0:0] active; \
  logic [0:0] ip6; \
  logic [127:0] remote_addr; \
  logic [127:0] local_addr; \
  logic [15:0] remote_port; \
  logic [15:0] local_port; \
  logic [47:0] remote_mac; \
  logic [1:0] vlan_tags; \
  logic [0:0] vlan_svlan; \
  logic [15:0] vlan_outer; \
  logic [15:0] vlan_inner; \
  logic [31:0] iss; \
  logic [31:0] irs; \
  logic [31:0] snd_una; \
  logic [31:0] snd_nxt; \
  logic [31:0] rcv_nxt; \
  logic [31:0] snd_wnd; \
  logic [31:0] rcv_wnd; \
  logic [15:0] mss; \
  logic [3:0] snd_wscale; \
  logic [3:0] rcv_wscale; \
  logic [0:0] ws_ok; \
  logic [0:0] ts_ok; \
  logic [0:0] sack_ok; \
  logic [0:0] syn_lost; \
  logic [0:0] ecn_ok; \
  logic [31:0] ts_recent; \
  logic [31:0] ts_offset; \
  logic [3:0] retries; \
  logic [15:0] rto_ms; \
  logic [23:0] give_up_ms; \
  logic [3:0] chal_count; \
  logic [23:0] chal_ms; \
  logic [23:0] sent_ms; \
  logic [0:0] timer_armed; \
  logic [23:0] deadline_ms; \

`define HF_TCB_BITS 835

`define HF_SEGMENT_FIELDS \
  logic [1:0] cls; \
  logic [4:0] cause; \
  logic [0:0] has_hash; \
  logic [0:0] has_mac; \
  logic [0:0] lost; \
  logic [13:0] length; \
  logic [10:0] beats; \
  logic [63:0] stamp; \
  logic [1:0] vlan_tags; \
  logic [0:0] vlan_svlan; \
  logic [15:0] vlan_outer; \
  logic [15:0] vlan_inner; \
  logic [47:0] src_mac; \
  logic [0:0] ip6; \
  logic [0:0] hard; \
  logic [127:0] src_addr; \
  logic [127:0] dst_addr; \
  logic [15:0] src_port; \
  logic [15:0] dst_port; \
  logic [31:0] seq; \
  logic [31:0] ack; \
  logic [8:0] flags; \
  logic [15:0] wnd; \
  logic [15:0] payload; \
  logic [0:0] mss_ok; \
  logic [15:0] mss; \
  logic [0:0] ws_ok; \
  logic [3:0] ws; \
  logic [0:0] ws_clamped; \
  logic [0:0] sack_ok; \
  logic [0:0] ts_ok; \
  logic [31:0] tsval; \
  logic [31:0] tsecr; \
  logic [0:0] opt_bad; \

`define HF_SEGMENT_BITS 667

`define HF_REPLY_FIELDS \
  logic [47:0] dst_mac; \
  logic [1:0] vlan_tags; \
  logic [0:0] vlan_svlan; \
  logic [15:0] vlan_outer; \
  logic [15:0] vlan_inner; \
  logic [0:0] ip6; \
  logic [127:0] src_addr; \
  logic [127:0] dst_addr; \
  logic [15:0] src_port; \
  logic [15:0] dst_port; \
  logic [31:0] seq; \
  logic [31:0] ack; \
  logic [8:0] flags; \
  logic [15:0] wnd; \
  logic [0:0] mss_en; \
  logic [15:0] mss; \
  logic [0:0] sack_en; \
  logic [0:0] ts_en; \
  logic [31:0] tsval; \
  logic [31:0] tsecr; \
  logic [0:0] ws_en; \
  logic [3:0] ws; \

`define HF_REPLY_BITS 549

`endif
