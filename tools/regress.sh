#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# regress.sh - many seeds of build/lockstep, spread over processes and machines. Called by `make regress`. From the
# environment:
#
#   SEEDS=a..b       first and last seed; 1..10
#   JOBS=n           at a time on each machine; one per processor
#   CYCLES=n         of each seed; 5000000
#   LOCKSTEP=path    the program; build/lockstep. Every machine has it at this path, built there or in a shared folder
#   SSHLOGIN=a,b     GNU parallel runs them on these machines, as its --sshlogin understands; ":" is this one
#   SLURM=yes        Slurm runs them, as one job array, at most JOBS tasks at a time; the folder is shared
#   REGRESS_DIR=dir  results; build/regress
#
# A seed's output is DIR/PROGRAM-CYCLES/SEED.log, PROGRAM being the program's digest. Its last line, "exit: N", says
# that it is whole. What has passed is not run again: the same command goes on where it was interrupted, and repeats
# what failed. Failures, each with the command that replays it, are listed at the end, and in failures.txt beside the
# logs.
# The last line is "regress: seeds=N passed=N failed=N". Exit code: 0, 1 a seed failed or is missing, 2 bad usage.
set -u
cd "$(dirname "$0")/.." || exit 1
seeds=${SEEDS-1..10} jobs=${JOBS-$(nproc)} cycles=${CYCLES-5000000} program=${LOCKSTEP-build/lockstep}
worker='' slurm_job=''

stop() { echo "regress: $2" >&2; exit "$1"; }

number='^[1-9][0-9]{0,17}$'
[[ $seeds =~ ^([0-9]{1,18})\.\.([0-9]{1,18})$ ]] || stop 2 "SEEDS=$seeds: not first..last"
first=$((10#${BASH_REMATCH[1]})) last=$((10#${BASH_REMATCH[2]}))
((first <= last)) || stop 2 "SEEDS=$seeds: the last is below the first"
[[ $jobs =~ $number ]] || stop 2 "JOBS=$jobs: not a positive number"
[[ $cycles =~ $number ]] || stop 2 "CYCLES=$cycles: not a positive number"
[[ -f $program && -x $program ]] || stop 2 "LOCKSTEP=$program: no such program"
[[ ${SLURM-} =~ ^(|yes)$ ]] || stop 2 "SLURM=$SLURM: neither yes nor empty"
[[ -z ${SLURM-} || -z ${SSHLOGIN-} ]] || stop 2 "SLURM and SSHLOGIN: only one of them"
program=$(realpath "$program")

if [[ ${SLURM-} ]]; then
	command -v sbatch > /dev/null || stop 1 "no sbatch here"
else
	parallel --version 2> /dev/null | grep -q '^GNU parallel' || stop 1 "GNU parallel is not installed"
fi
digest=$(sha256sum "$program")
dir=$(realpath -m "${REGRESS_DIR-build/regress}/${digest:0:12}-$cycles")
mkdir -p "$dir" || stop 1 "cannot make $dir"
# The workers inherit the lock, so it also tells of those that outlived their regress.sh.
exec 9> "$dir/lock"
flock -n 9 || stop 1 "another regress works in $dir"
if [[ ${SLURM-} && -s $dir/slurm.job ]] && squeue -h -j "$(< "$dir/slurm.job")" 2> /dev/null | grep -q .; then
	stop 1 "Slurm job $(< "$dir/slurm.job") of an earlier run works in $dir"
fi

# state SEED: sets $state to passed, failed or missing
state() {
	local end=

	[[ -f $dir/$1.log ]] && end=$(tail -n 1 "$dir/$1.log")
	case $end in
	"exit: 0") state=passed ;;
	"exit: "*) state=failed ;;
	*) state=missing ;;
	esac
}

# count: sets $passed and $failed; what is still missing is neither
count() {
	passed=$passed_before failed=0
	while read -r seed; do
		state "$seed"
		case $state in
		passed) ((passed++)) ;;
		failed) ((failed++)) ;;
		esac
	done < "$dir/pending"
}

interrupted() {
	trap - INT TERM HUP
	if [[ $slurm_job ]]; then
		scancel "$slurm_job"
		for _ in {1..60}; do
			works || break
			sleep 0.5
		done
	fi
	if [[ $worker ]]; then
		# At the second signal GNU parallel ends its jobs as well.
		kill -TERM "$worker" 2> /dev/null
		sleep 0.3
		kill -TERM "$worker" 2> /dev/null
		wait "$worker"
	fi
	stop 1 "interrupted; the same command goes on from here"
}
trap interrupted INT TERM HUP

with_parallel() {
	# shellcheck disable=SC2016 # the shell that parallel starts expands it
	PARALLEL_HOME=$dir/parallel parallel --will-cite --plain --jobs "$jobs" --workdir "$PWD" \
		--results "$dir/{}.log" ${SSHLOGIN:+--sshlogin "$SSHLOGIN"} --arg-file "$dir/pending" \
		"'$program' --seed {} --cycles $cycles 2>&1;" 'echo "exit: $?"' > "$dir/parallel.log" 2>&1 &
	worker=$!
}

with_slurm() {
	local tasks limit

	tasks=$(wc -l < "$dir/pending")
	limit=$(scontrol show config | sed -n 's/^MaxArraySize *= *//p') # indices of an array are below it
	((tasks < ${limit:-1001})) || tasks=$((${limit:-1001} - 1))
	slurm_job=$(sbatch --parsable --array="1-$tasks%$jobs" --chdir="$PWD" --output="$dir/slurm-%a.log" \
		tools/regress.sbatch "$dir" "$program" "$cycles") || stop 1 "sbatch refused the job"
	echo "$slurm_job" > "$dir/slurm.job"
}

works() {
	if [[ $slurm_job ]]; then
		squeue -h -j "$slurm_job" 2> /dev/null | grep -q .
	else
		kill -0 "$worker" 2> /dev/null
	fi
}

mkdir -p "$dir/parallel"
passed_before=0
for ((seed = first; seed <= last; seed++)); do
	state "$seed"
	if [[ $state == passed ]]; then
		((passed_before++))
	else
		rm -f "$dir/$seed.log"*
		echo "$seed"
	fi
done > "$dir/pending"
total=$((last - first + 1)) shown=
echo "regress: $total seeds of $cycles cycles, $passed_before of them have passed before; logs in $dir"

if [[ -s $dir/pending ]]; then
	if [[ ${SLURM-} ]]; then
		with_slurm
	else
		with_parallel
	fi
	while works; do
		count
		if [[ $passed-$failed != "$shown" ]]; then
			shown=$passed-$failed
			echo "regress: $((passed + failed)) of $total done, $failed failed"
		fi
		sleep 1 9>&- &
		wait $! # so that a signal need not wait
	done
fi
count

: > "$dir/failures.txt"
while read -r seed; do
	state "$seed"
	[[ $state != passed ]] || continue
	replay=$(sed -n 's/^waves of it: //p' "$dir/$seed.log" 2> /dev/null)
	what=$(grep -m 1 "^seed $seed, cycle" "$dir/$seed.log" 2> /dev/null)
	if [[ $state == missing ]]; then
		what="seed $seed: no result"
	elif [[ -z $what ]]; then
		what="seed $seed: $(tail -n 1 "$dir/$seed.log")"
	fi
	printf '%s\n  replay: %s\n' "$what" "${replay:-$program --seed $seed --cycles $cycles}"
done < "$dir/pending" > "$dir/failures.txt"
cat "$dir/failures.txt"
if ((passed + failed < total)); then # whoever was to run them may have said why
	cat "$dir"/parallel.log "$dir"/*.log.err "$dir"/slurm-*.log 2> /dev/null | sort -u | head -n 5 >&2
fi
rm -f "$dir"/*.log.{err,seq} "$dir"/slurm-*.log
failed=$((total - passed))
echo "regress: seeds=$total passed=$passed failed=$failed"
((failed == 0))
