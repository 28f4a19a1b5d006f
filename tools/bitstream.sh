#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bitstream.sh BOARD - from RTL to build/boards/BOARD/BOARD.bit by open tools, and a report beside it: versions, clocks reached,
# resources, time, hash. Where the tools that a board needs are not all installed, they are fetched (tools/fetch.sh) into the
# user's cache; nothing of the system is changed. Rewrites the board's row of docs/boards.md. Called by `make bitstream`.
#
#   SEED=n       of the placer; 1. The same sources, tools and seed give the same bitstream
#   CLK_DIV=n    another core clock than board.conf's (boards/BOARD/TOP.sv says of what)
#   TWICE=1      build again and compare the hashes
#   BOARDS=dir   where the boards' folders are; boards
#   KEEP_DOC=1   do not touch docs/boards.md
#
# A bitstream appears whole, by a rename, and only if every clock is met.
set -u
board=${1:-} boards=${BOARDS:-boards} seed=${SEED:-1}
# A fetched program runs through ld.so and hands what it preloads on to its children.
export LC_ALL=C

stop() {
	echo "bitstream: $board: $*" >&2
	exit 1
}
usage() {
	echo "bitstream: $*; boards: $(for conf in "$boards"/*/board.conf; do basename "$(dirname "$conf")"; done | tr '\n' ' ')" >&2
	exit 2
}
[[ $board ]] || usage "BOARD is not set"
[[ $board =~ ^[A-Za-z0-9_-]+$ && -f $boards/$board/board.conf ]] || usage "no board is named '$board'"
[[ $seed =~ ^[0-9]{1,9}$ ]] || usage "SEED=$seed: not a number"

conf() { sed -n "s/^$1=\([^#]*[^# ]\).*/\1/p" "$boards/$board/board.conf"; }
family=$(conf family) top=$(conf top) part=$(conf part) idcode=$(conf idcode) clk_div=${CLK_DIV:-$(conf clk_div)}
read -ra nextpnr_options <<< "$(conf nextpnr)"
[[ $top && $part && $idcode && $clk_div && ${#nextpnr_options[@]} -gt 0 ]] || stop "$boards/$board/board.conf lacks top, part, idcode, clk_div or nextpnr"
[[ $clk_div =~ ^[0-9]{1,3}$ ]] || usage "CLK_DIV=$clk_div: not a number"
[[ -f $boards/$board/$top.sv ]] || stop "no $boards/$board/$top.sv"
out=build/boards/$board
mkdir -p "$out" || stop "cannot make $out"

# ---- tools ----

case $family in
ecp5) suite=trixie packages="yosys nextpnr-ecp5 fpga-trellis openfpgaloader" programs="yosys nextpnr-ecp5 ecppack" pins=$boards/$board/$top.lpf ;;
xilinx7)
	suite=forky packages="nextpnr-himbaechel-xilinx prjxray prjxray-database yosys openfpgaloader"
	programs="yosys nextpnr-himbaechel-xilinx xc7frames2bit bitread" pins=$boards/$board/$top.xdc
	;;
*) stop "board.conf: family '$family' is neither ecp5 nor xilinx7" ;;
esac
[[ -f $pins ]] || stop "no $pins"
root=
# shellcheck disable=SC2086 # a list of words
if [[ $(. /etc/os-release && echo "${VERSION_CODENAME:-}") == "$suite" ]] && command -v $programs > /dev/null &&
	[[ $(command -v $programs | wc -l) == $(wc -w <<< "$programs") ]]; then
	dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' $packages > "$out/versions" 2> /dev/null
else
	root=$(tools/fetch.sh "$suite" $packages 2> "$out/fetch.log") || stop "$(tail -n 1 "$out/fetch.log"): log in $out/fetch.log"
	grep -E "^($(tr ' ' '|' <<< "$packages")|nextpnr-[a-z0-9-]*|fpga-trellis[a-z-]*|prjxray[a-z-]*) " "$root/.fetch/versions" > "$out/versions"
fi

# run STEP PROGRAM ARGUMENT...: one step; its output is a log.
run() {
	local step=$1 program=$2
	shift 2
	echo "bitstream: $board: $step"
	[[ ! $root ]] || program=$root/usr/bin/$program
	"$program" "$@" > "$out/$step.log" 2>&1 ||
		stop "$step failed: $(grep -m 1 -iE '^ *(error|terminate)|ERROR:' "$out/$step.log" || tail -n 1 "$out/$step.log"): log in $out/$step.log"
}

# ---- synthesis, place and route, bitstream ----

mapfile -t sources < <(ls rtl/*.sv rtl/cross/*.sv rtl/eth/*.sv rtl/bus/*.sv rtl/usb/*.sv rtl/board/*.sv | grep -v '_sim\.sv$' |
	grep -v "_$([[ $family == ecp5 ]] && echo xilinx7 || echo ecp5)\.sv\$")
read="read_verilog -sv -Irtl -Irtl/eth ${sources[*]} $boards/$board/$top.sv"

# A name that Yosys makes up is one bit wide, whatever it should be.
no_made_up_names() {
	! grep -m 1 'implicitly declared' "$out/synth.log" > "$out/made_up" || stop "Yosys made up a name: $(< "$out/made_up")"
}

build() { # build BITSTREAM
	rm -f "$1"
	case $family in
	ecp5)
		run synth yosys -q -p "$read; chparam -set CLK_DIV $clk_div $top; synth_ecp5 -nowidelut -top $top -json $out/$top.json; tee -o $out/stat stat"
		no_made_up_names
		run nextpnr nextpnr-ecp5 "${nextpnr_options[@]}" --json "$out/$top.json" --lpf "$pins" --textcfg "$out/$top.config" --seed "$seed" \
			--timing-allow-fail --report "$out/report.json"
		check_clocks
		# USERCODE tells what is in the bitstream: "HF" and the version of the registers.
		# The comment also keeps openFPGALoader (0.13) from taking the whole file for one.
		sed -i "s/^\.device .*/&\n.comment Part: $part\n.comment Board: $board/" "$out/$top.config"
		run pack ecppack --compress --usercode "$((0x48460000 + abi))" "$out/$top.config" "$1.part"
		;;
	xilinx7)
		run synth yosys -q -p "$read; chparam -set CLK_DIV $clk_div $top; synth_xilinx -family xc7 -flatten -abc9 -nodsp -top $top; write_json $out/$top.json; tee -o $out/stat stat"
		no_made_up_names
		run nextpnr nextpnr-himbaechel-xilinx "${nextpnr_options[@]}" --json "$out/$top.json" -o xdc="$pins" -o fasm="$out/$top.fasm" --seed "$seed" \
			--timing-allow-fail --report "$out/report.json"
		check_clocks
		frames "$1.part"
		;;
	esac
	mv "$1.part" "$1"
	(cd "$out" && sha256sum "$(basename "$1")" > "$(basename "$1").sha256")
}

# frames BITSTREAM: from FASM on (Xilinx 7). What comes out is decoded again and compared, bit for bit.
frames() {
	local database=$root/usr/share/prjxray/database/artix7 xilinx_part
	xilinx_part=${part%% *}
	make -s build/fasm2frames > "$out/make.log" 2>&1 || stop "fasm2frames cannot be built: log in $out/make.log"
	local outside=$root root=
	run frames build/fasm2frames "$database" "$xilinx_part" "$out/$top.fasm" "$out/$top.frames"
	root=$outside
	run pack xc7frames2bit --part_file "$database/$xilinx_part/part.yaml" --part_name "$xilinx_part" --frm_file "$out/$top.frames" \
		--output_file "$1"
	run bitread bitread -part_file "$database/$xilinx_part/part.yaml" -o "$out/$top.bits" -z -y "$1"
	root=
	run decode build/fasm2frames --check "$out/$top.bits" "$out/$top.frames"
	root=$outside
	rm "$out/$top.bits"
}

# field NAME FILE: of nextpnr's report, "fmax" is {"clock": {"achieved": x, "constraint": y}, ...}.
clocks() { # lines: clock achieved constraint
	tr -d '\n ' < "$out/report.json" | sed 's/.*"fmax":{\(.*\)},"utilization".*/\1/; s/},/}\n/g' |
		sed -n 's/^"\([^"]*\)":{"achieved":\([0-9.]*\),"constraint":\([0-9.]*\)}.*/\1 \2 \3/p'
}

check_clocks() {
	local slow
	[[ $(clocks | wc -l) -gt 0 ]] || stop "nextpnr reports no clock: $out/report.json"
	slow=$(clocks | awk '$2 + 0 < $3 + 0 { printf "%s reaches %.1f of %.1f MHz; ", $1, $2, $3 }')
	[[ ! $slow ]] || { report; stop "${slow%; }; no bitstream. Another SEED or a larger CLK_DIV may do: log in $out/nextpnr.log"; }
}

used() { # used CELL: of nextpnr's report
	tr -d '\n ' < "$out/report.json" | sed -n "s/.*\"$1\":{\"available\":\([0-9]*\),\"used\":\([0-9]*\)}.*/\2 \1/p"
}

report() {
	local lut ff ram slowest
	if [[ $family == ecp5 ]]; then
		read -r lut all_lut <<< "$(used TRELLIS_COMB)"
		read -r ff _ <<< "$(used TRELLIS_FF)"
		read -r ram all_ram <<< "$(used DP16KD)"
	else
		read -r lut all_lut <<< "$(used SLICE_LUTX)"
		read -r ff _ <<< "$(used SLICE_FFX)"
		read -r ram all_ram <<< "$(used RAMB36E1_RAMB36E1)"
	fi
	seconds=$((SECONDS - started))
	{
		echo "board $board, $part, seed $seed, CLK_DIV $clk_div"
		echo "sources $(cat "${sources[@]}" rtl/*.svh rtl/eth/*.svh "$boards/$board/$top.sv" "$pins" | sha256sum | cut -c1-16)"
		[[ ! -f ${1:-} ]] || echo "sha256 $(sha256sum < "$1" | cut -d' ' -f1)"
		clocks | awk '{ printf "clock %s: %.1f MHz of %.1f wanted: %s\n", $1, $2, $3, ($2 + 0 < $3 + 0) ? "NOT MET" : "met" }'
		echo "LUTs $lut of $all_lut, flip-flops $ff, block RAMs $ram of $all_ram"
		echo "longest path of the slowest clock goes through:"
		longest | sed 's/^/  /'
		echo "seconds $seconds"
		cat "$out/versions"
	} > "$out/report.txt"
	slowest=$(clocks | sort -k2n | head -n 1)
	{
		printf '| `%s` | %s | ' "$board" "$part"
		clocks | awk '{ n = $1; sub(/^\$glbnet\$/, "", n); printf "%s%s %.1f of %.1f", (NR == 1) ? "" : "; ", n, $2, $3 }'
		printf ' | %s (%d %%) | %s | %s (%d %%) | %s | %s min | %s |\n' "$lut" "$((100 * lut / all_lut))" "$ff" "$ram" \
			"$((100 * ram / all_ram))" "$(longest | head -n 1)" "$(((seconds + 59) / 60))" \
			"$([[ -f ${1:-} ]] && sha256sum < "$1" | cut -c1-12 || echo none)"
	} > "$out/row"
	slowest=${slowest%% *}
}

# The modules that the longest path within the slowest clock goes through, most cells first.
longest() {
	local slow
	slow=$(clocks | awk '{ print $2 / $3, $1 }' | sort -n | head -n 1 | cut -d' ' -f2)
	tac "$out/nextpnr.log" | sed "/Critical path report for clock '$(sed 's/[$.]/\\&/g' <<< "$slow")'/q" | tac |
		sed -n '/^Info: *curr *total\|^Info: *type *curr/,/^Info: *$/p' | grep -oE 'u_[A-Za-z0-9_.]*' | sed 's/\.[^.]*$//' |
		sort | uniq -c | sort -rn | awk '{ print $2 }' | head -n 5
}

document() {
	local doc=docs/boards.md new=$out/boards.md
	[[ -f $doc && ! ${KEEP_DOC:-} && $boards == boards ]] || return 0
	if grep -q "^| \`$board\` " $doc; then
		awk -v board="| \`$board\` " -v row="$(cat "$out/row")" 'index($0, board) == 1 { print row; next } { print }' $doc > "$new"
	else
		awk -v row="$(cat "$out/row")" '{ print } /^\|---/ && !done { getline; print row; print; done = 1 }' $doc > "$new"
	fi
	cmp -s "$new" $doc || cp "$new" $doc
}

abi=$(sed -n 's/^#define HF_ABI_VERSION \([0-9]*\)$/\1/p' regs/regs.h)
started=$SECONDS
build "$out/$board.bit"
report "$out/$board.bit"
if [[ ${TWICE:-} ]]; then
	build "$out/again.bit"
	cmp -s "$out/$board.bit" "$out/again.bit" || stop "built twice, two bitstreams: $out/$board.bit and $out/again.bit"
	echo "bitstream: $board: built twice, the same bitstream"
fi
document
sed "s/^/bitstream: $board: /" "$out/report.txt"
