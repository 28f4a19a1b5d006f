/* SPDX-License-Identifier: Apache-2.0
 * doctor.c - `handfast doctor`: what of this machine stands between a board and its applications, and how to mend it.
 *
 * Looks at the network namespace it runs in. Changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli.h"

static const char usage[] =
	"usage: handfast doctor [--tap NAME] [--json] [--socket PATH]\n"
	"\n"
	"Looks for what keeps the board's connections from applications: privileges, kernel, sysctls, connection "
	"tracking,\n"
	"MTU, namespaces, memory limits. Each finding comes with the command that mends it; nothing is changed.\n"
	"\n"
	"  --tap NAME     netdev of the board; default what handfastd says, else hf0\n"
	"  --json         one JSON object\n"
	"  --socket PATH  control socket; default $HANDFAST_CONTROL, else that of an installed handfastd\n"
	"\n"
	"Exit code: 0 nothing is in the way, 1 something is, 2 bad usage.\n";

/* ok: as it should be. note: works, but something is missing or slower. bad: connections are lost or refused. */
enum level { OK, NOTE, BAD };

struct doctor {
	bool json;
	json_t *list;
	unsigned count[BAD + 1];
	const char *tap;
};

__attribute__((format(printf, 5, 6))) static void finding(
	struct doctor *d, enum level level, const char *name, const char *fix, const char *format, ...)
{
	static const char *const words[] = { "ok", "note", "BAD" }, *const keys[] = { "ok", "note", "bad" };
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	d->count[level]++;
	if (d->json) {
		json_array_append_new(d->list, json_pack("{s:s, s:s, s:s, s:s}", "name", name, "level", keys[level],
						       "detail", text, "fix", level == OK ? "" : fix));
		return;
	}
	printf("%-5s %-22s %s\n", words[level], name, text);
	if (level != OK && *fix)
		printf("      %-22s -> %s\n", "", fix);
}

/* The first line of a file, without its end. False when it cannot be read. */
static bool read_text(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "re");
	bool read = f && fgets(text, (int)size, f);

	if (f)
		fclose(f);
	if (read)
		text[strcspn(text, "\n")] = 0;
	return read;
}

static bool read_number(const char *path, long long *n)
{
	char text[64];

	return read_text(path, text, sizeof(text)) && sscanf(text, "%lld", n) == 1;
}

/* ---- privileges and devices ---- */

static void check_privileges(struct doctor *d)
{
	unsigned long long effective = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");
	int fd;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	if (f)
		fclose(f);
	if (effective >> 12 & 1)
		finding(d, OK, "CAP_NET_ADMIN", "", "there");
	else
		finding(d, NOTE, "CAP_NET_ADMIN", "run handfastd by its systemd unit, or as root",
			"not in this shell; handfastd needs it for its netdev and for TCP_REPAIR");
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		finding(d, OK, "/dev/net/tun", "", "can be opened");
	} else {
		finding(d, BAD, "/dev/net/tun", errno == ENOENT ? "modprobe tun" : "run as root", "%s",
			strerror(errno));
	}
}

/* ---- kernel ---- */

static bool kernel_has(const char *symbol)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], name[256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %*s %255s", name) == 1 && !strcmp(name, symbol);
	if (f)
		fclose(f);
	return found;
}

static void check_kernel(struct doctor *d)
{
	struct utsname u;
	int major = 0, minor = 0;
	struct statfs bpf;
	bool kfunc = kernel_has("bpf_sk_assign_tcp_reqsk"), btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;

	uname(&u);
	sscanf(u.release, "%d.%d", &major, &minor);
	if (major > 4 || (major == 4 && minor >= 19))
		finding(d, OK, "kernel", "", "%s", u.release);
	else
		finding(d, BAD, "kernel", "Linux 4.19 or later", "%s: TCP_REPAIR cannot be left quietly", u.release);
	if (kfunc)
		finding(d, OK, "way kernel", "", "bpf_sk_assign_tcp_reqsk is there");
	else
		finding(d, NOTE, "way kernel", "Linux 6.9 or later, or `way = repair`",
			"no bpf_sk_assign_tcp_reqsk: unmodified applications cannot be served, way repair can");
	if (btf)
		finding(d, OK, "BTF", "", "/sys/kernel/btf/vmlinux");
	else
		finding(d, NOTE, "BTF", "a kernel with CONFIG_DEBUG_INFO_BTF, or `way = repair`",
			"no /sys/kernel/btf/vmlinux: way kernel cannot load its programs");
	if (!statfs("/sys/fs/bpf", &bpf) && bpf.f_type == BPF_FS_MAGIC)
		finding(d, OK, "bpffs", "", "/sys/fs/bpf");
	else
		finding(d, NOTE, "bpffs", "mount -t bpf bpf /sys/fs/bpf",
			"/sys/fs/bpf is not one: way kernel's programs are not kept through a restart");
}

/* ---- sysctls ---- */

static void check_sysctls(struct doctor *d)
{
	long long syncookies = -1, loose = -1, liberal = -1, on, all = 0, dev = 0;
	static const char *const options[] = { "tcp_timestamps", "tcp_sack", "tcp_window_scaling" };
	char path[128];

	if (read_number("/proc/sys/net/ipv4/tcp_syncookies", &syncookies)) {
		if (syncookies >= 1)
			finding(d, OK, "tcp_syncookies", "", "%lld", syncookies);
		else
			finding(d, NOTE, "tcp_syncookies", "sysctl -w net.ipv4.tcp_syncookies=1",
				"0: the kernel's own listener takes no connection of way kernel");
	}
	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", options[i]);
		if (!read_number(path, &on))
			continue;
		if (on)
			finding(d, OK, options[i], "", "%lld", on);
		else
			finding(d, NOTE, options[i], "set it to 1; or take the option out of the listeners",
				"0: way kernel refuses connections that negotiated it");
	}
	if (read_number("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", &loose)) {
		if (loose)
			finding(d, OK, "nf_conntrack_tcp_loose", "", "%lld", loose);
		else
			finding(d, BAD, "nf_conntrack_tcp_loose", "sysctl -w net.netfilter.nf_conntrack_tcp_loose=1",
				"0: connection tracking never saw the SYN and calls every connection of the board "
				"invalid");
		if (read_number("/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal", &liberal) && !liberal)
			finding(d, NOTE, "nf_conntrack_be_liberal",
				"sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1",
				"0: tracking does not know the window scale of the board's connections");
	} else {
		finding(d, OK, "connection tracking", "", "not loaded in this namespace");
	}
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%.64s/rp_filter", d->tap);
	if (read_number("/proc/sys/net/ipv4/conf/all/rp_filter", &all) && read_number(path, &dev)) {
		if (all > dev)
			dev = all;
		snprintf(path, sizeof(path), "sysctl -w net.ipv4.conf.%.64s.rp_filter=2", d->tap);
		if (dev == 1)
			finding(d, NOTE, "rp_filter", path,
				"1 (strict): frames of peers whose route is another are dropped");
		else
			finding(d, OK, "rp_filter", "", "%lld", dev);
	}
}

/* ---- firewall ---- */

/* Rules of nft that see a connection without its SYN otherwise than the administrator meant. */
static void check_firewall(struct doctor *d)
{
	FILE *f;
	char line[512];
	unsigned invalid = 0, dnat = 0;

	if (access("/usr/sbin/nft", X_OK)) {
		finding(d, OK, "nft rules", "", "nft is not installed");
		return;
	}
	f = popen("/usr/sbin/nft list ruleset 2>/dev/null", "re");
	while (f && fgets(line, sizeof(line), f)) {
		/* Written by hand, or as iptables-nft writes it: -m conntrack --ctstate INVALID -j DROP */
		invalid += strstr(line, "ct state") && strcasestr(line, "invalid") && strcasestr(line, "drop");
		dnat += strstr(line, "dnat") || strstr(line, "redirect");
	}
	if (f)
		pclose(f);
	if (invalid)
		finding(d, NOTE, "nft: ct state invalid",
			"place `iifname <tap> accept` before it, or keep nf_conntrack_tcp_loose = 1",
			"%u rules drop what tracking calls invalid", invalid);
	if (dnat)
		finding(d, NOTE, "nft: dnat", "take the port out of handfastd's config, or set its mode to bypass",
			"%u rules rewrite addresses or ports; the board answers before they are asked", dnat);
	if (!invalid && !dnat)
		finding(d, OK, "nft rules", "", "none that minds a connection without its SYN");
}

/* ---- netdev, namespaces ---- */

static void check_netdev(struct doctor *d, const json_t *status)
{
	char path[128], text[64], fix[96];
	long long mtu = 0, of_daemon = cli_int(status, "tap.mtu");
	struct stat ours, theirs;

	snprintf(path, sizeof(path), "/sys/class/net/%.64s/mtu", d->tap);
	if (!read_number(path, &mtu)) {
		finding(d, status ? BAD : NOTE, "netdev", "start handfastd in this network namespace", "no %s here",
			d->tap);
	} else if (status && of_daemon && mtu != of_daemon) {
		snprintf(fix, sizeof(fix), "ip link set %.64s mtu %lld", d->tap, of_daemon);
		finding(d, BAD, "MTU", fix, "%s has %lld, the board announces an MSS for %lld", d->tap, mtu, of_daemon);
	} else {
		finding(d, OK, "MTU", "", "%s: %lld", d->tap, mtu);
	}
	snprintf(path, sizeof(path), "/sys/class/net/%.64s/carrier", d->tap);
	if (mtu && read_text(path, text, sizeof(text)) && strcmp(text, "1"))
		finding(d, BAD, "carrier", "ip link set it up, start handfastd", "%s has none", d->tap);
	if (!status)
		return;
	snprintf(path, sizeof(path), "/proc/%lld/ns/net", cli_int(status, "pid"));
	if (stat(path, &theirs) || stat("/proc/self/ns/net", &ours))
		finding(d, NOTE, "namespace", "run doctor as root", "cannot be compared with the daemon's");
	else if (ours.st_ino != theirs.st_ino)
		finding(d, BAD, "namespace", "run the application in handfastd's network namespace",
			"this is another one: listeners here are not found");
	else
		finding(d, OK, "namespace", "", "the daemon's");
}

/* ---- memory, PCI ---- */

static void check_memory(struct doctor *d)
{
	struct rlimit limit;
	long long pages = 0;
	glob_t groups = { 0 };

	if (!getrlimit(RLIMIT_MEMLOCK, &limit)) {
		if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= 8 << 20)
			finding(d, OK, "MEMLOCK", "", "enough for rings");
		else
			finding(d, NOTE, "MEMLOCK", "ulimit -l 65536, or LimitMEMLOCK= of the unit",
				"%llu KiB: too little for a PCI board's rings without privileges",
				(unsigned long long)limit.rlim_cur / 1024);
	}
	if (glob("/sys/kernel/iommu_groups/*", 0, NULL, &groups) || !groups.gl_pathc) {
		finding(d, NOTE, "IOMMU", "intel_iommu=on or amd_iommu=on on the kernel's command line; BIOS: VT-d",
			"none: a PCI board cannot be reached through VFIO (USB and simulated boards can)");
	} else {
		finding(d, OK, "IOMMU", "", "%zu groups", groups.gl_pathc);
		if (read_number("/proc/sys/vm/nr_hugepages", &pages) && !pages)
			finding(d, NOTE, "hugepages", "sysctl -w vm.nr_hugepages=8",
				"none: mapping the rings takes longer");
	}
	globfree(&groups);
}

static const char *take(void *ctx, int val, const char *text)
{
	(void)val;
	*(const char **)ctx = text;
	return !*text || strlen(text) > 15 || strchr(text, '/') ? "not the name of a netdev" : NULL;
}

/* The daemon's status, or NULL: that there is none is a finding, not an error. */
static json_t *ask_daemon(struct doctor *d, const struct cli_options *o)
{
	json_t *status = NULL;

	if (access(o->socket, F_OK)) {
		finding(d, NOTE, "handfastd", "systemctl start handfastd", "not running here (no %s)", o->socket);
		return NULL;
	}
	if (control_ask("doctor", o, json_pack("{s:s}", "request", "status"), &status)) {
		finding(d, BAD, "handfastd", "systemctl status handfastd", "does not answer");
		return NULL;
	}
	if (!strcmp(cli_text(status, "link"), "up"))
		finding(d, OK, "handfastd", "", "link up, %s", cli_text(status, "board.uri"));
	else
		finding(d, BAD, "handfastd", "journalctl -u handfastd", "link %s: %s", cli_text(status, "link"),
			cli_text(status, "why"));
	return status;
}

int doctor_main(int argc, char **argv)
{
	static const struct option own[] = { { "tap", required_argument, NULL, 256 }, { 0 } };
	struct doctor d = { 0 };
	struct cli_options o;
	json_t *status, *all;
	int result = cli_parse(argc, argv, usage, own, take, &d.tap, 0, 0, &o);

	if (result)
		return result - 1;
	d.json = o.json;
	d.list = json_array();
	status = ask_daemon(&d, &o);
	if (!d.tap)
		d.tap = *cli_text(status, "tap.name") ? cli_text(status, "tap.name") : "hf0";
	check_privileges(&d);
	check_kernel(&d);
	check_sysctls(&d);
	check_firewall(&d);
	check_netdev(&d, status);
	check_memory(&d);
	if (o.json) {
		all = json_pack("{s:O, s:i, s:i, s:i}", "checks", d.list, "ok", (int)d.count[OK], "note",
			(int)d.count[NOTE], "bad", (int)d.count[BAD]);
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(all);
	} else {
		printf("%u ok, %u to note, %u bad\n", d.count[OK], d.count[NOTE], d.count[BAD]);
	}
	json_decref(d.list);
	json_decref(status);
	return d.count[BAD] != 0;
}
