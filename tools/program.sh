#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# program.sh BOARD - `handfast program` with the openFPGALoader of the system, or else the one that tools/fetch.sh fetched for
# the bitstream. FLASH=1: into the board's flash; CABLE, XVC, URI, BITSTREAM: its --cable, --xvc, --transport,
# --bitstream. Called by `make program`.
set -eu
board=${1:-}
if [ -z "$board" ]; then
	echo "program: BOARD is not set; boards: $(cd boards && echo */ | tr -d /)" >&2
	exit 2
fi
if [ -z "${OPENFPGALOADER:-}" ] && ! command -v openFPGALoader > /dev/null; then
	root=$(tools/fetch.sh trixie yosys nextpnr-ecp5 fpga-trellis openfpgaloader)
	export OPENFPGALOADER="$root/usr/bin/openFPGALoader"
fi
exec "${HANDFAST:-build/handfast}" program --board "$board" ${BITSTREAM:+--bitstream "$BITSTREAM"} ${FLASH:+--flash} \
	${CABLE:+--cable "$CABLE"} ${XVC:+--xvc "$XVC"} ${URI:+--transport "$URI"}
