# SPDX-License-Identifier: Apache-2.0
# common.sh - what tests/guest/pcie and tests/guest/usb share: a network namespace with a simulated board and, on its wire, an echo
# and curl; the guest beside it. Sourced with the build's folder in $build, after `enter_namespace NAME`.
set -u
guest=tests/guest
passed=0 failed=0
pids=()

say() { echo "$name: $*"; }
skip() { # skip WHY: what cannot run here is no failure, but in CI
	echo "skipped: $name: $*"
	[[ ${CI:-} != true ]]
	exit
}
ok() { # ok WHAT, of the status before
	if [[ $? == 0 ]]; then
		((passed += 1))
		echo "ok: $1"
	else
		((failed += 1))
		echo "FAILED: $1"
	fi
}

# enter_namespace KERNEL - fetch what is missing while there is a network, then run this script again in a network namespace of
# its own: as root, or as root of a user namespace.
enter_namespace() {
	[[ -n ${HF_GUEST_NAMESPACE:-} ]] && return
	[[ -c /dev/net/tun ]] && { : <> /dev/net/tun; } 2>/dev/null || skip "/dev/net/tun cannot be opened"
	tools/fetch.sh trixie-backports qemu-system-x86 > /dev/null || skip "no QEMU"
	tools/fetch.sh --only 'linux-image-*' "${1%%:*}" "${1#*:}" > /dev/null || skip "no kernel"
	tools/fetch.sh --only busybox-static bookworm busybox-static > /dev/null || skip "no busybox"
	export HF_GUEST_NAMESPACE=1
	if ((EUID == 0)); then
		exec unshare --net "$0" "$build"
	fi
	unshare -Urn true 2>/dev/null || skip "not root, and unshare -Urn does not work"
	exec unshare -Urn "$0" "$build"
}

cleanup() {
	local pid
	trap - EXIT
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null
	done
	for pid in "${pids[@]}"; do
		for _ in {1..30}; do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$dir"
}

# wait_for FILE TEXT PID SECONDS - until TEXT stands in FILE; fails when the process has ended or the time is over.
wait_for() {
	for ((i = 0; i < 10 * $4; i++)); do
		grep -q -- "$2" "$1" 2>/dev/null && return
		kill -0 "$3" 2>/dev/null || { grep -q -- "$2" "$1" 2>/dev/null; return; }
		sleep 0.1
	done
	return 1
}

# start_board HOST - RTL and model in lock step, the kernel of this namespace at its wire as 192.0.2.1, and an echo there.
start_board() {
	ip link set lo up
	# The kernel at the wire speaks only when asked: nothing but the tests' own frames comes to the board.
	echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
	: > "$out/board.log" # who waits may look before the process is there
	"$build/handfast" board --engine "${HF_GUEST_ENGINE:-lockstep}" --data-width "${width:-64}" --wire tap:hfwire --host "$1" --pcapng "$out/wire.pcapng" \
		> "$out/board.log" 2>&1 &
	board=$!
	pids+=("$board")
	wait_for "$out/board.log" ' ready' $board 20 || { cat "$out/board.log"; say "the board did not get ready"; exit 1; }
	ip addr add 192.0.2.1/24 dev hfwire && ip link set hfwire up || exit 1
	: > "$dir/echo"
	"$build/tests/guest/echo" hfwire > "$dir/echo" 2>&1 &
	pids+=($!)
	wait_for "$dir/echo" ready $! 5 || { cat "$dir/echo"; exit 1; }
}

# start_guest BOOT-OPTION... [-- QEMU-OPTION...] - in the background; $result is what its script prints, `tell LINE` its input.
start_guest() {
	result=$out/result
	: > "$result"
	mkfifo "$dir/input"
	exec 8<> "$dir/input"
	HF_FETCH_OFFLINE=1 $guest/boot --log "$out/console.log" --result "$result" --input "$dir/input" "$@" > "$out/boot.log" 2>&1 &
	booted=$!
	pids+=("$booted")
}
tell() { echo "$1" >&8; }

# The lines of the guest's own checks, as they are.
count_guest() {
	local line
	while read -r line; do
		case $line in
		"ok: "*) ((passed += 1)); echo "$line" ;;
		"FAILED: "*) ((failed += 1)); echo "$line" ;;
		esac
	done < <(tr -d '\r' < "$result")
}

# curl_all N - N requests to the server in the guest, one after the other, then N at once.
curl_all() {
	local i got=0
	for ((i = 0; i < $1; i++)); do
		curl -s -m 20 http://192.0.2.2/ | grep -q 'made in hardware' && ((got += 1))
	done
	((got == $1)); ok "$got of $1 requests of curl, one after the other, answered from inside the guest"
	curl -sS -m 60 -Z --parallel-max "$1" "http://192.0.2.2/?[1-$1]" > "$dir/parallel" 2> "$dir/progress"
	got=$(grep -c 'made in hardware' "$dir/parallel")
	((got == $1)); ok "$got of $1 at once"
}

# The board says at its end that RTL and model never differed; and the handshakes that it made.
end_board() {
	local established
	kill -INT "$board"
	wait "$board"
	ok "the board ends without a mismatch between RTL and model"
	established=$(sed -n 's/^board: handshakes: .* \([0-9]*\) established.*/\1/p' "$out/board.log")
	((${established:-0} >= $1)); ok "${established:-0} handshakes were made by the board"
	grep '^lockstep: ' "$out/board.log"
}

finish() {
	echo "$name: $passed passed, $failed failed"
	((failed == 0)) || { echo "$name: see $out"; exit 1; }
	exit 0
}
