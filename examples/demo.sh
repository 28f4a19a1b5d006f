#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh - the script behind `make demo`: curl, on a real Linux kernel TCP stack, opens a connection to a server
# whose handshake the Verilated RTL makes, checked clock by clock against the C model, and which is handed over to
# the server as a kernel socket.
#
#   client namespace                          host namespace
#   curl ─ kernel ─ TAP hfwire ─ board ─ unix socket ─ http_server with libhandfast ─ TAP hf0 ─ kernel
#          192.0.2.1             (lock step)                                          192.0.2.2
#
# Root makes the namespaces itself; without root `unshare -Urnm` does. Where there is no TAP, the same scenario runs
# over unix sockets, with a small TCP of ours in place of both kernels. Run it from anywhere, after `make`.
# Exit code 0: every step did what it should; 1: the one named on the last line did not.
set -u
cd "$(dirname "$0")/.." || exit 1

handfast=build/handfast
server=build/examples/http_server
capture=build/demo.pcapng
name=$$
client=hfclient$name
host=hfhost$name
dir=
pids=()
namespaces=()

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

cleanup() {
	local pid ns

	trap - EXIT
	for pid in "${pids[@]}"; do
		kill "$pid" 2> /dev/null
	done
	for pid in "${pids[@]}"; do
		for _ in {1..30}; do
			kill -0 "$pid" 2> /dev/null || break
			sleep 0.1
		done
		kill -KILL "$pid" 2> /dev/null
		wait "$pid" 2> /dev/null
	done
	for ns in "${namespaces[@]}"; do
		ip netns delete "$ns" 2> /dev/null
	done
	[[ -n $dir ]] && rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# wait_for LOG TEXT PID WHAT - until TEXT stands in LOG; fails if PID ends or 20 s pass.
wait_for() {
	for _ in {1..200}; do
		grep -q -- "$2" "$1" && return
		kill -0 "$3" 2> /dev/null || fail "$4 ended: $(tail -n 1 "$1")"
		sleep 0.1
	done
	fail "$4 did not get ready within 20 s: $(tail -n 1 "$1")"
}

# start NAMESPACE|- LOG COMMAND... - in the background; its process is the last of pids.
start() {
	local ns=$1 log=$2

	shift 2
	: > "$log" # the one who waits may look before the process is there
	if [[ $ns == - ]]; then
		"$@" > "$log" 2>&1 &
	else
		nsenter --net="/run/netns/$ns" "$@" > "$log" 2>&1 &
	fi
	pids+=($!)
}

inside() { local ns=$1; shift; nsenter --net="/run/netns/$ns" "$@"; }

# What is missing for the kernels' variant? Empty: nothing. Tools that can be installed end the demo instead.
why_no_kernel() {
	if [[ ! -c /dev/net/tun ]] || ! { : <> /dev/net/tun; } 2> /dev/null; then
		echo "/dev/net/tun cannot be opened"
	elif [[ $EUID == 0 ]]; then
		unshare -n true 2> /dev/null || echo "no right to make network namespaces"
	else
		unshare -Urnm mount -t tmpfs tmpfs /run 2> /dev/null || echo "not root, and unshare -Urnm does not work"
	fi
}

check_needs() {
	local missing=() file tool

	for file in $handfast $server; do
		[[ -x $file ]] || missing+=("$file (run make)")
	done
	for tool in "$@"; do
		command -v "$tool" > /dev/null || missing+=("$tool")
	done
	((${#missing[@]} == 0)) || fail "missing: $(printf '%s, ' "${missing[@]}" | sed 's/, $//')"
}

make_namespace() {
	ip netns add "$1" || fail "cannot make the network namespace $1"
	namespaces+=("$1")
	inside "$1" ip link set lo up || fail "cannot bring up lo in $1"
	# Router solicitations would only be noise in the capture.
	inside "$1" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6' 2> /dev/null
}

start_board() {
	start "$1" "$dir/board" "$handfast" board --engine lockstep --wire "$2" --host "unix:$dir/host.sock" \
		--pcapng "$capture" --ladder
	board=${pids[-1]}
	wait_for "$dir/board" ' ready' "$board" "the board"
	head -n 1 "$dir/board"
}

with_kernels() {
	say "Two network namespaces: curl in $client, the server in $host; the board between them is a process"
	make_namespace "$client"
	make_namespace "$host"
	start_board "$client" tap:hfwire
	inside "$client" ip address add 192.0.2.1/24 dev hfwire && inside "$client" ip link set hfwire up ||
		fail "cannot configure hfwire"
	start "$host" "$dir/server" "$server" "unix:$dir/host.sock" 192.0.2.2/24 80
	wait_for "$dir/server" 'is open' "${pids[-1]}" "the server"
	cat "$dir/server"

	say "curl http://192.0.2.2/"
	inside "$client" curl -sS -f --noproxy '*' --max-time 20 http://192.0.2.2/ > "$dir/answer" 2>&1 ||
		fail "curl: $(cat "$dir/answer")"
	answer='The handshake of this connection was made in hardware'
}

with_peers() {
	say "No kernel TCP here ($1): the same scenario over unix sockets," \
		"with a small TCP of ours in place of both kernels"
	start_board - "unix:$dir/wire.sock"
	start - "$dir/server" "$handfast" peer-host --host "unix:$dir/host.sock" --listen 192.0.2.2:80
	wait_for "$dir/server" 'ready' "${pids[-1]}" "the host"
	cat "$dir/server"

	say "handfast peer: GET / from 192.0.2.2"
	timeout 30 "$handfast" peer --wire "unix:$dir/wire.sock" --local 192.0.2.1 --remote 192.0.2.2:80 --timeout 20 \
		> "$dir/answer" 2>&1 || fail "peer: $(tail -n 1 "$dir/answer")"
	answer='.'
}

# The board ends, and says what it proved.
end_board() {
	local status

	kill -INT "$board"
	for _ in {1..100}; do
		kill -0 "$board" 2> /dev/null || break
		sleep 0.1
	done
	kill -0 "$board" 2> /dev/null && fail "the board did not end within 10 s"
	wait "$board"
	status=$?
	((status == 0)) || fail "the board ended with exit code $status: $(tail -n 1 "$dir/board")"
}

check_capture() {
	local out

	if ! command -v tshark > /dev/null; then
		echo "(no tshark here: $capture was not checked)"
		return
	fi
	timeout 60 tshark -r "$capture" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
		-T fields -E separator='|' -e frame.number -e ip.checksum.status -e tcp.checksum.status \
		-e _ws.malformed -e frame.comment > "$dir/frames" 2> "$dir/warnings" || fail "tshark: $(tail -n 1 "$dir/warnings")"
	out=$(grep -v '^Running as user' "$dir/warnings")
	[[ -z $out ]] || fail "tshark has a warning about $capture: $out"
	# Status 0 is bad.
	out=$(awk -F'|' '$2 ~ /0/ || $3 ~ /0/ || $4 != "" { print $1; exit }' "$dir/frames")
	[[ -z $out ]] || fail "frame $out of $capture has a bad checksum or is malformed"
	awk -F'|' '$2 ~ /1/ && $3 ~ /1/ { n++ } END { exit !n }' "$dir/frames" ||
		fail "no TCP frame with a good checksum in $capture"
	grep -q 'cycle' "$dir/frames" || fail "no frame of $capture names its cycle"
	echo "tshark: $(wc -l < "$dir/frames") frames, no warning, no bad checksum ($capture)"
}

if [[ ${1-} != --in-user-namespace ]]; then
	why=$(why_no_kernel)
	if [[ -n $why ]]; then
		check_needs
	else
		check_needs ip curl nsenter
		if [[ $EUID != 0 ]]; then
			trap - EXIT
			exec unshare -Urnm examples/demo.sh --in-user-namespace
		fi
	fi
else
	# ip keeps its namespaces below /run; this one is ours alone.
	why=
	mount -t tmpfs tmpfs /run || fail "cannot mount a tmpfs on /run"
fi

dir=$(mktemp -d) || fail "cannot make a temporary directory"
if [[ -z $why ]]; then
	with_kernels
else
	with_peers "$why"
fi
cat "$dir/answer"
grep -q -- "$answer" "$dir/answer" || fail "that is not the server's page"

sleep 0.5 # until both sides have closed and the board's entry is released
end_board
say "The handshake, as the board saw it"
sed -n '2,/^board: /{/^board: /!p}' "$dir/board"
grep -q 'event ESTABLISHED' "$dir/board" || fail "the ladder shows no connection"

say "What was proved"
grep '^board: ' "$dir/board" | tail -n +2
proof=$(grep '^lockstep: ' "$dir/board")
echo "$proof"
[[ $proof =~ cycles=([0-9]+).*mismatches=0$ ]] && ((BASH_REMATCH[1] > 0)) || fail "lock step found a difference"
echo "RTL and C model agreed at every pin in each of these ${BASH_REMATCH[1]} cycles: mismatches 0."
check_capture
