// SPDX-License-Identifier: Apache-2.0
// pcie_tx - TLPs to the root complex, one after another (PCI Express Base Specification 2.2).
//
// What    Chooses between completions, status blocks, interrupt messages, reads of h2c and writes of c2h, in this order (the
//         last two in turn), makes the header, lines the payload up behind it.
// Input   X_valid with what the request is, until X_grant; payload beats of 8 bytes must be there from then on, one for
//         each X_take. dma: Bus Master Enable is on and the function is not being reset; else only completions go.
//         fc_*: credits left; each TLP is counted in them in the clock after its last beat was taken.
// Output  X_done: the last beat is on its way. sent_write, sent_read: one has gone.
// Timing  a request is granted when the TLP before it is done; its first beat is on the pins in the next clock. No gap
//         within a TLP, none between two.

module pcie_tx (
  input  logic        clk,
  input  logic        rst,
  input  logic [15:0] cfg_id,
  input  logic        dma,
  input  logic [7:0]  fc_ph,
  input  logic [11:0] fc_pd,
  input  logic [7:0]  fc_nph,

  input  logic        cpl_valid,
  input  logic [95:0] cpl_header,
  input  logic [4:0]  cpl_dwords,
  input  logic [63:0] cpl_data,
  output logic        cpl_take,
  output logic        cpl_done,

  input  logic        status_valid,
  input  logic [63:0] status_address,
  input  logic [63:0] status_data,
  output logic        status_grant,
  output logic        status_take,
  output logic        status_done,

  input  logic        msix_valid,
  input  logic [63:0] msix_address,
  input  logic [31:0] msix_data,
  output logic        msix_grant,

  input  logic        read_valid,
  input  logic [63:0] read_address,
  input  logic [9:0]  read_beats,
  input  logic [4:0]  read_tag,
  output logic        read_grant,

  input  logic        write_valid,
  input  logic [63:0] write_address,
  input  logic [9:0]  write_beats,
  input  logic [63:0] write_data,
  output logic        write_grant,
  output logic        write_take,
  output logic        write_done,

  output logic        sent_write,
  output logic        sent_read,
  output logic        dma_busy,         // a request of ours is not wholly sent

  output logic [63:0] m_axis_tlp_tdata,
  output logic [7:0]  m_axis_tlp_tkeep,
  output logic        m_axis_tlp_tlast,
  output logic        m_axis_tlp_tvalid,
  input  logic        m_axis_tlp_tready
);

  function automatic [31:0] bytes(input [31:0] dword);
    bytes = {dword[7:0], dword[15:8], dword[23:16], dword[31:24]};
  endfunction

  typedef enum logic [1:0] {CHOOSE, SECOND, PAYLOAD} state_t;
  typedef enum logic [2:0] {COMPLETION, STATUS, MSIX, READ, WRITE} source_t;
  state_t  state_q;
  source_t choice, source_q;

  logic load, choose, any, posted_ok, last, take;
  assign load = !m_axis_tlp_tvalid || m_axis_tlp_tready;

  // Credits that the TLP whose last beat is still on the pins has used up.
  logic [8:0] charge_pd_q, write_pd;
  logic       charge_ph_q, charge_nph_q, read_turn_q;
  logic [7:0] used_ph, used_nph;
  logic [11:0] used_pd;
  assign used_ph = {7'd0, m_axis_tlp_tvalid && charge_ph_q};
  assign used_nph = {7'd0, m_axis_tlp_tvalid && charge_nph_q};
  assign used_pd = m_axis_tlp_tvalid ? {3'd0, charge_pd_q} : 12'd0;
  assign posted_ok = dma && fc_ph > used_ph;
  assign write_pd = write_beats[9:1] + {8'd0, write_beats[0]};

  logic status_ok, msix_ok, read_ok, write_ok;
  assign status_ok = status_valid && posted_ok && fc_pd > used_pd;
  assign msix_ok = msix_valid && posted_ok && fc_pd > used_pd;
  assign read_ok = read_valid && dma && fc_nph > used_nph;
  assign write_ok = write_valid && posted_ok && {1'b0, fc_pd} >= {1'b0, used_pd} + {4'd0, write_pd};

  always @* begin
    any = 1'b1;
    if (cpl_valid) choice = COMPLETION;
    else if (status_ok) choice = STATUS;
    else if (msix_ok) choice = MSIX;
    else if (read_ok && (read_turn_q || !write_ok)) choice = READ;
    else begin
      choice = WRITE;
      any = write_ok;
    end
  end
  assign choose = state_q == CHOOSE && load && any;

  // The header of the chosen one.
  logic [63:0] address;
  logic [10:0] dwords;
  logic        four, is_write;
  logic [95:0] memory_header;           // dwords 0, 1, and 2 of three
  logic [7:0]  tag;
  always @* begin
    tag = 8'd0;
    is_write = 1'b1;
    case (choice)
      STATUS: begin
        address = status_address;
        dwords = 11'd4;
      end
      MSIX: begin
        address = msix_address;
        dwords = 11'd1;
      end
      READ: begin
        address = read_address;
        dwords = {read_beats, 1'b0};
        tag = {3'd0, read_tag};
        is_write = 1'b0;
      end
      default: begin
        address = write_address;
        dwords = {write_beats, 1'b0};
      end
    endcase
  end
  assign four = address[63:32] != 32'd0;      // a 3-dword header below 4 GiB (2.2.4.1)
  assign memory_header = {1'b0, is_write, four, 5'd0, 14'd0, dwords[9:0],
                          cfg_id, tag, dwords == 11'd1 ? 4'h0 : 4'hf, 4'hf,
                          address[31:0]};

  logic [95:0] header;
  assign header = choice == COMPLETION ? cpl_header : memory_header;

  // The TLP under way.
  logic [63:0] second_q;                // dwords 2 and 3 as bytes
  logic        four_q, empty_q;
  logic [10:0] left_q;                  // dwords of payload not yet on the pins
  logic [31:0] carry_q, msix_data_q;
  logic [63:0] data;
  always @* begin
    case (source_q)
      COMPLETION: data = cpl_data;
      STATUS: data = status_data;
      MSIX: data = {32'd0, msix_data_q};
      default: data = write_data;
    endcase
  end

  assign last = state_q == SECOND ? empty_q || (!four_q && left_q == 11'd1) :
                state_q == PAYLOAD && left_q <= 11'd2;
  assign take = load && ((state_q == SECOND && !four_q && !empty_q) ||
                         (state_q == PAYLOAD && (four_q || left_q != 11'd1)));

  always_ff @(posedge clk) begin
    if (load) m_axis_tlp_tvalid <= state_q != CHOOSE || any;
    if (load) begin
      m_axis_tlp_tlast <= last;
      m_axis_tlp_tkeep <= 8'hff;
      case (state_q)
        CHOOSE: m_axis_tlp_tdata <= {bytes(header[63:32]), bytes(header[95:64])};
        SECOND:
          if (four_q) begin
            m_axis_tlp_tdata <= second_q;
          end else if (empty_q) begin
            m_axis_tlp_tdata <= {32'd0, second_q[31:0]};
            m_axis_tlp_tkeep <= 8'h0f;
          end else begin
            m_axis_tlp_tdata <= {data[31:0], second_q[31:0]};
          end
        default:
          if (left_q == 11'd1) begin
            m_axis_tlp_tdata <= {32'd0, four_q ? data[31:0] : carry_q};
            m_axis_tlp_tkeep <= 8'h0f;
          end else begin
            m_axis_tlp_tdata <= four_q ? data : {data[31:0], carry_q};
          end
      endcase
      if (take) carry_q <= data[63:32];
      case (state_q)
        CHOOSE: if (any) state_q <= SECOND;
        SECOND: begin
          state_q <= last ? CHOOSE : PAYLOAD;
          if (!four_q) left_q <= left_q - 11'd1;
        end
        default: begin
          left_q <= left_q - 11'd2;
          if (last) state_q <= CHOOSE;
        end
      endcase
    end
    if (choose) begin
      source_q <= choice;
      four_q <= choice != COMPLETION && four;
      second_q <= choice != COMPLETION && four ? {bytes(address[31:0]), bytes(address[63:32])} :
                                                 {32'd0, bytes(header[31:0])};
      left_q <= choice == COMPLETION ? {6'd0, cpl_dwords} : dwords;
      empty_q <= choice == COMPLETION ? cpl_dwords == 5'd0 : choice == READ;
      msix_data_q <= msix_data;
      charge_ph_q <= choice != COMPLETION && choice != READ;
      charge_nph_q <= choice == READ;
      charge_pd_q <= choice == WRITE ? write_pd : choice == STATUS || choice == MSIX ? 9'd1 : 9'd0;
      if (choice == READ || choice == WRITE) read_turn_q <= choice == WRITE;
    end
    if (rst) begin
      state_q <= CHOOSE;
      m_axis_tlp_tvalid <= 1'b0;
      read_turn_q <= 1'b0;
    end
  end

  assign status_grant = choose && choice == STATUS;
  assign msix_grant = choose && choice == MSIX;
  assign read_grant = choose && choice == READ;
  assign write_grant = choose && choice == WRITE;
  assign sent_write = status_grant || msix_grant || write_grant;
  assign sent_read = read_grant;
  assign dma_busy = (state_q != CHOOSE || m_axis_tlp_tvalid) && (charge_ph_q || charge_nph_q);
  assign cpl_take = take && source_q == COMPLETION;
  assign status_take = take && source_q == STATUS;
  assign write_take = take && source_q == WRITE;
  assign cpl_done = load && last && source_q == COMPLETION;
  assign status_done = load && last && source_q == STATUS;
  assign write_done = load && last && source_q == WRITE;

`ifdef FORMAL_PCIE_TX
  // What a link may rely on: a beat that was not taken stays, no gap within a TLP, one source at a time.
  logic        past_q, stalled_q, inside_q;
  logic [63:0] past_data_q;
  logic [8:0]  past_rest_q;

  initial begin
    past_q = 1'b0;
    assume (rst);
  end

  always_ff @(posedge clk) begin
    past_q <= !rst;
    stalled_q <= m_axis_tlp_tvalid && !m_axis_tlp_tready;
    past_data_q <= m_axis_tlp_tdata;
    past_rest_q <= {m_axis_tlp_tkeep, m_axis_tlp_tlast};
    inside_q <= m_axis_tlp_tvalid && !(m_axis_tlp_tready && m_axis_tlp_tlast);
    if (!rst) begin
      assume (!write_valid || (write_beats != 10'd0 && write_beats <= 10'd512));
      assume (!read_valid || (read_beats != 10'd0 && read_beats <= 10'd512));
      assume (cpl_dwords <= 5'd16);
    end
    if (!rst && past_q) begin
      if (stalled_q) begin
        beat_stays: assert (m_axis_tlp_tvalid && m_axis_tlp_tdata == past_data_q &&
                            {m_axis_tlp_tkeep, m_axis_tlp_tlast} == past_rest_q);
      end
      if (inside_q) no_gap: assert (m_axis_tlp_tvalid);
      in_step: assert ((state_q == CHOOSE) == (!m_axis_tlp_tvalid || m_axis_tlp_tlast));
      something_left: assert (state_q != PAYLOAD || left_q != 11'd0);
      dma_only: assert (dma || !(sent_write || sent_read));
      credit_header: assert (!sent_write || fc_ph > used_ph);
      credit_read: assert (!sent_read || fc_nph > used_nph);
    end
  end
`endif

endmodule
