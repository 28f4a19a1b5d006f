#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# formal.sh [UNIT...] - prove the labelled assertions of formal/*.sv and of rtl/*.sv (`ifdef FORMAL_UNIT) with Yosys' own
# SAT solver, or yosys-smtbmc and z3, or ABC, and show of each that it can fail: formal/broken.txt names, for each property, a
# text replacement in a copy of the RTL with which it must fail. docs/formal.md lists them all. Every proof has
# FORMAL_LIMIT seconds (900); one that does not finish has failed. FORMAL_BROKEN=n takes every n-th broken copy only, for
# CI; all proofs are done all the same. A line per property and broken copy that failed or,
# with V=1, per any; the last line is "N passed, N failed"; exit 1 if any failed. Called by `make formal`.
set -u
cd "$(dirname "$0")/.." || exit 1
export YOSYS=${YOSYS:-yosys} FORMAL_LIMIT=${FORMAL_LIMIT:-900} V=${V:-} OUT=build/formal

# netlist UNIT DIRECTORY: the unit as DIRECTORY/UNIT.il, its labels in UNIT.labels; RTL from DIRECTORY/rtl.
# An 'x of the RTL becomes a free input before anything is optimized: a property holds whatever stands there.
# FORMAL_UNIT tells the unit that it is proved; FORMAL what is inside it, where its own proof is relied on.
netlist() {
	local unit=$1 dir=$2 top mode sources parameters memories=opt_clean
	IFS='|' read -r _ top mode _ sources parameters < <(grep "^$unit|" $OUT/units)
	[[ $mode == bmc ]] || memories=memory_map
	sources=${sources//rtl\//$dir/rtl/}
	"$YOSYS" -q -l "$dir/$unit.log" -p "
		read_verilog -sv -formal -D FORMAL -D FORMAL_${unit^^} -I$dir/rtl $sources
		hierarchy -check -top $top $parameters
		proc; flatten; setundef -anyseq; opt_expr; opt_clean; memory_collect
		$memories; async2sync; dffunmap; opt_clean
		rename -top $unit
		write_ilang $dir/$unit.il
		tee -q -o $dir/$unit.labels select -list t:\$assert" > /dev/null 2>&1 || return 1
	sed -i 's,.*/,,' "$dir/$unit.labels"
}

# solve UNIT DIRECTORY LABEL MODE DEPTH: exit 0 proved, 1 refuted, else (124: out of time) neither. LABEL "all": all at
# once. Nothing is an output, so that what reaches neither property nor assumption falls away: bit by bit where
# a counterexample is looked for, which leaves little of a queue's memory; a proof is easier by whole words. Only
# a counterexample refutes: the tools end with 1 when they do not understand, or find no induction, too.
solve() {
	local unit=$1 dir=$2 label=$3 mode=$4 depth=$5 name select status bits=opt_clean
	local -A steps=([sat]= [induction]="-tempinduct -seq 1 -maxsteps $depth"
		[refute]="-tempinduct-baseonly -seq 1 -maxsteps $depth")
	name=$dir/$unit.$label
	[[ $mode == refute ]] && bits="simplemap; opt_clean -purge"
	if [[ $mode == unroll ]]; then
		# Equal logic of equal inputs falls together bit by bit, which word by word it does not.
		"$YOSYS" -q -p "read_ilang $dir/$unit.il; delete -output o:*; opt_clean -purge; techmap; simplemap; opt_clean
			dfflegalize -cell \$_DFF_P_ 01; aigmap; opt_clean; write_aiger -zinit $name.aig" > "$name.err" 2>&1 || return 2
		timeout "$FORMAL_LIMIT" "${YOSYS}-abc" -c "read_aiger $name.aig; strash; bmc3 -F $depth" > "$name.log" 2>&1
		status=$?
		((status == 124)) && return 124
		grep -q 'was asserted in frame' "$name.log" && return 1
		grep -q "No output asserted in $depth frames" "$name.log" && return 0
		return 2
	fi
	select="delete -output o:*; opt_clean -purge"
	test "$label" = all || select="delete t:\$assert c:$label %d; $select"
	if [[ $mode != bmc ]]; then
		timeout "$FORMAL_LIMIT" "$YOSYS" -q -p "read_ilang $dir/$unit.il; $select; $bits; opt -full
			tee -q -o $name.log sat ${steps[$mode]} -prove-asserts -set-assumes -verify" > "$name.err" 2>&1
		status=$?
		((status == 124)) && return 124
		((status == 0)) && grep -q 'SUCCESS' "$name.log" && return 0
		grep -q 'model found.*: FAIL' "$name.log" && return 1
		return 2
	fi
	"$YOSYS" -q -p "read_ilang $dir/$unit.il; $select; write_smt2 -wires $name.smt2" > "$name.log" 2>&1 || return 2
	timeout "$FORMAL_LIMIT" yosys-smtbmc --unroll --noprogress -s z3 -t "$depth" "$name.smt2" >> "$name.log" 2>&1
	status=$?
	((status == 1)) && ! grep -q 'Assert failed\|Status: FAILED' "$name.log" && status=2
	return $status
}

say() { # say RESULT WHAT
	echo "$1 $2" >> $OUT/results
	if [[ $1 == FAILED || -n $V ]]; then echo "formal: $2: $1"; fi
}

# proof UNIT LABEL MODE DEPTH
proof() {
	local status label
	solve "$1" $OUT "$2" "$3" "$4"
	status=$?
	case $status in
	0) status=passed ;;
	124) echo "formal: $1 $2: not finished in $FORMAL_LIMIT s"; status=FAILED ;;
	*) grep -h 'Assert failed\|ERROR' "$OUT/$1.$2.log" | head -n 3; status=FAILED ;;
	esac
	if [[ $2 == all ]]; then
		while read -r label; do say $status "$1 $label"; done < "$OUT/$1.labels"
	else
		say $status "$1 $2"
	fi
}

# broken N UNIT LABEL FILE OLD NEW: the property must be refuted, not merely unfinished. A counterexample may take more
# cycles from reset on than the induction of the proof has steps.
broken() {
	local n=$1 unit=$2 label=$3 file=$4 dir=$OUT/broken/$1 mode depth status
	mkdir -p "$dir" && cp -r rtl "$dir/"
	IFS='|' read -r _ _ mode depth _ < <(grep "^$unit|" $OUT/units)
	if ! OLD=${5//\~/$'\n'} NEW=${6//\~/$'\n'} perl -0pi -e '$n = s/\Q$ENV{OLD}\E/$ENV{NEW}/; END { exit !$n }' "$dir/rtl/$file"; then
		say FAILED "broken $n: $unit $label: $file does not hold the text to replace"
		return
	fi
	[[ $mode == induction ]] && mode=refute depth=20
	status=2
	netlist "$unit" "$dir" && { solve "$unit" "$dir" "$label" "$mode" "$depth"; status=$?; }
	case $status in
	1) say passed "broken $n: $unit $label fails with $file: $6" ;;
	*) say FAILED "broken $n: $unit $label holds all the same ($status) with $file: $6" ;;
	esac
}
export -f netlist solve say proof broken

rm -rf $OUT && mkdir -p $OUT && cp -r rtl $OUT/ && : > $OUT/results
grep -v '^#' formal/units.txt | grep . > $OUT/units
mapfile -t units < <(cut -d'|' -f1 $OUT/units)
(($#)) && units=("$@")

for unit in "${units[@]}"; do
	n=0
	if ! netlist "$unit" $OUT; then
		say FAILED "$unit: Yosys refused it, see $OUT/$unit.log" >&2
		continue
	fi
	IFS='|' read -r _ _ mode depth _ < <(grep "^$unit|" $OUT/units)
	if [[ $mode != bmc && $mode != unroll ]]; then
		while read -r label; do printf 'proof %s %s %s %s\0' "$unit" "$label" "$mode" "$depth"; done < "$OUT/$unit.labels"
	else
		printf 'proof %s all %s %s\0' "$unit" "$mode" "$depth"
	fi
	while IFS='|' read -r property label file old new; do
		((++n))
		test "$property" = "$unit" && ((n % ${FORMAL_BROKEN:-1} == 0)) && printf 'broken %q %q %q %q %q %q\0' "$n" "$unit" "$label" "$file" "$old" "$new"
		grep -qx "$label" "$OUT/$property.labels" 2> /dev/null || test "$property" != "$unit" ||
			say FAILED "broken $n: $unit has no property $label" >&2
	done < <(grep -v '^#' formal/broken.txt | grep .)
done > $OUT/jobs
nice xargs -0 -P "$(nproc)" -I{} bash -c '{}' < $OUT/jobs

for unit in "${units[@]}"; do
	while read -r label; do
		grep -v '^#' formal/broken.txt | grep -q "^$unit|$label|" || say FAILED "$unit $label: no broken copy shows that it can fail"
	done < "$OUT/$unit.labels"
done
passed=$(grep -c '^passed' $OUT/results)
failed=$(grep -c '^FAILED' $OUT/results)
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
