#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench.sh - run build/bench, which prints its numbers and writes build/bench.json; add what build/bench_transport measures, and
# the area of the last `make synth`; and write the whole as the table of docs/performance.md to build/bench.md.
set -eu
# shellcheck source=tools/rows.sh
. tools/rows.sh
json=build/bench.json rows=build/synth/bench.rows

add() { # add FILE: its rows, one a line, to the list
	{ sed '$d' $json | sed '$s/$/,/'; sed 's/,$//' "$1" | sed '$!s/$/,/'; echo ']'; } > $json.new
	mv $json.new $json
}

build/bench
build/bench_transport --out build/bench_transport.rows
add build/bench_transport.rows
HF_BENCH_ROWS=build/bench_usb.rows build/tests/bench_usb | grep -E '^[a-z].*_usb|^usb_|failed'
[[ -s build/bench_usb.rows ]] && add build/bench_usb.rows
if [[ -f $rows ]]; then
	add $rows
	sed 's/.*"name": "\([^"]*\)", "value": \([^,]*\),.*"note": "\([^"]*\)".*/\1\t\2\t\3/' $rows |
		awk -F '\t' '{ printf "%-26s %17s         %s\n", $1, $2, $3 }'
else
	echo "area: not there, run make synth first"
fi
rows_table "$json" > build/bench.md
