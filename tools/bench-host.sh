#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench-host.sh - what connections, gigabytes and SYNs cost the host, beside the kernel alone, in one run: build/tests/bench_host; nginx
# through the simulated board; the SYNs of `make flood`. Prints the rows, writes build/bench-host.json and, as the table of
# docs/performance.md, build/bench-host.md. Needs root, network namespaces and /dev/net/tun; what cannot be measured says "skipped: why".
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tools/rows.sh
. tools/rows.sh
build=build rows=build/bench-host.rows requests=400
client=hfbhc$$ server=hfbhs$$ dir=

skip() { echo "skipped: $*"; }
if [[ $EUID != 0 || ! -c /dev/net/tun ]] || ! unshare -n true 2> /dev/null; then
	skip "bench-host: needs root, /dev/net/tun and network namespaces"
	exit 0
fi

finish() {
	[[ -n $dir ]] || return
	for pid in $(ip netns pids $client) $(ip netns pids $server); do kill "$pid" 2> /dev/null; done
	sleep 0.5
	ip netns del $client
	ip netns del $server
	rm -rf "$dir"
}
trap finish EXIT

row() { # row NAME VALUE UNIT NOTE
	printf '%-30s %12s %-7s %s\n' "$@"
	printf '  {"name": "%s", "value": %s, "unit": "%s", "note": "%s"}\n' "$@" >> $rows
}
soon() { # soon COMMAND...: within twenty seconds it succeeds
	local i
	for i in {1..200}; do
		"$@" > /dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}
inside() { ip netns exec $server "$@"; }

# nginx behind handfastd and the C model of the board: what bounds it is the simulator.
through_simulator() {
	dir=$(mktemp -d)
	chmod 755 "$dir"
	for ns in $client $server; do ip netns add $ns && ip -n $ns link set lo up; done
	ip netns exec $client sh -c 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'
	ip netns exec $client "$build/handfast" board --engine model --wire tap:hfwire --host unix:"$dir/board" > "$dir/board.log" 2>&1 &
	soon test -S "$dir/board" || return 1
	ip -n $client addr add 192.0.2.1/24 dev hfwire
	cat > "$dir/handfastd.conf" <<-END
		board = "unix:$dir/board"; tap = { addresses = [ "192.0.2.2/24" ]; };
		socket = "$dir/socket"; control = { socket = "$dir/control"; };
		listeners = ( { port = 80; mode = "offload"; way = "kernel"; } );
	END
	inside "$build/handfastd" --config "$dir/handfastd.conf" 2> "$dir/daemon.log" &
	soon test -S "$dir/control" || return 1
	echo "Hello from nginx." > "$dir/index.html"
	cat > "$dir/nginx.conf" <<-END
		daemon off; master_process off; pid $dir/nginx.pid; error_log $dir/nginx.log; user root;
		events { worker_connections 4096; }
		http { access_log off; keepalive_timeout 0; server { listen 80; root $dir; } }
	END
	inside nginx -c "$dir/nginx.conf" 2> /dev/null &
	offloaded() { inside env HANDFAST_CONTROL="$dir/control" "$build/handfast" listeners --json | grep -q '"mode": "offload"'; }
	soon offloaded || return 1
	ip netns exec $client "$build/tests/bench_host" get 192.0.2.2 $requests > "$dir/rate" || return 1
	row nginx_per_s_simulated "$(cat "$dir/rate")" 1/s \
		"nginx, one worker, a request per connection, through the simulated board: the simulator is the limit"
}

: > $rows
$build/tests/bench_host $build $rows || exit 1
if ! command -v nginx > /dev/null; then
	skip "nginx_per_s_simulated: nginx is not installed"
elif ! grep -q nginx_per_s_injected $rows; then
	skip "nginx_per_s_simulated: this kernel cannot hand connections to its listeners"
else
	through_simulator || { echo "bench-host.sh: nginx through the simulated board: failed" >&2; exit 1; }
fi
if ! command -v nginx > /dev/null || ! command -v curl > /dev/null; then
	skip "syn_host_ns: nginx or curl is not installed"
elif ! grep -q nginx_per_s_injected $rows; then
	skip "syn_host_ns: this kernel cannot hand connections to its listeners"
else
	said=$(tests/service/flood $build) || { echo "$said" >&2; exit 1; }
	ns=$(sed -n 's/^# .* us, \([0-9]*\) ns per SYN$/\1/p' <<< "$said")
	syns=$(sed -n 's/^# \([0-9]*\) SYNs sent, .*/\1/p' <<< "$said")
	row syn_host_ns "$ns" ns "host's processor time of each of $syns SYNs that never complete, beyond the idle host's: make flood"
fi
{ echo '['; sed '$!s/$/,/' $rows; echo ']'; } > $build/bench-host.json
rows_table "$rows" > $build/bench-host.md
