/* SPDX-License-Identifier: Apache-2.0
 * attach.c - load and attach with libbpf. HF_BPF_OBJECT is the compiled kernel_listener.bpf.c, which becomes part of this file,
 * so that nothing has to be found at run time; it is not defined where there is no clang or libbpf. */
#include "attach.h"

#include <errno.h>

#ifdef HF_BPF_OBJECT
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdio.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/bpf.h of Linux 6.6, newer than the headers of Debian 12. */
#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46)
/* linux/mount.h, where glibc 2.36 has no wrappers to rely on in older ones */
#define PINS_BYTES    200
#define CONFIG_CREATE 6 /* FSCONFIG_CMD_CREATE */

__asm__(".pushsection .rodata\n"
	".balign 8\n"
	".hidden handfast_bpf_object, handfast_bpf_object_end\n"
	".global handfast_bpf_object, handfast_bpf_object_end\n"
	"handfast_bpf_object: .incbin \"" HF_BPF_OBJECT "\"\n"
	"handfast_bpf_object_end:\n"
	".popsection\n");
extern const char handfast_bpf_object[] __attribute__((visibility("hidden")));
extern const char handfast_bpf_object_end[] __attribute__((visibility("hidden")));

struct attached {
	struct bpf_object *object;
	int offers, tcx, sockops; /* descriptors; -1 = none */
	struct ring_buffer *ring;
	void (*confirmed)(void *ctx, const struct offer_confirmed *record);
	void *ctx;
	char pins[PINS_BYTES]; /* "": not pinned */
	int pinned;	       /* attached_pinned() */
	int lock;	       /* of that folder, as long as this process has it; -1: none */
};

/* libbpf has one print function for the whole process: of this library, it prints nothing, and the last line is kept for the
 * thread that asked. */
static _Thread_local char last_line[256];

static int keep_line(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level != LIBBPF_DEBUG) {
		vsnprintf(last_line, sizeof(last_line), format, arguments);
		last_line[strcspn(last_line, "\n")] = '\0';
	}
	return 0;
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct attached *a = ctx;

	if (size == sizeof(struct offer_confirmed))
		a->confirmed(a->ctx, data);
	return 0;
}

/* The root of the cgroup v2 hierarchy: where it is mounted, else a mount of our own that no path leads to. */
static int cgroup_root(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	int fd = -1, fs;

	while (mounts && fd < 0 && (m = getmntent(mounts))) {
		if (!strcmp(m->mnt_type, "cgroup2"))
			fd = open(m->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (mounts)
		endmntent(mounts);
	if (fd >= 0)
		return fd;
	fs = (int)syscall(SYS_fsopen, "cgroup2", 1u /* FSOPEN_CLOEXEC */);
	if (fs < 0)
		return -errno;
	if (!syscall(SYS_fsconfig, fs, CONFIG_CREATE, NULL, NULL, 0))
		fd = (int)syscall(SYS_fsmount, fs, 1u /* FSMOUNT_CLOEXEC */, 0u);
	close(fs);
	return fd < 0 ? -ENOENT : fd;
}

/* Is the function there at all? Otherwise the verifier's complaint would be hard to read. */
static enum kernel_listener_reason look_for_kfunc(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool found;

	if (libbpf_get_error(btf))
		return KERNEL_LISTENER_NO_BTF;
	found = btf__find_by_name_kind(btf, "bpf_sk_assign_tcp_reqsk", BTF_KIND_FUNC) > 0;
	btf__free(btf);
	return found ? KERNEL_LISTENER_NONE : KERNEL_LISTENER_NO_KFUNC;
}

/* Pins ----------------------------------------------------------------------------------------------------------- */

static const char *const pin_names[] = { "offers", "confirmed", "assign", "confirm" };
enum { PIN_OFFERS, PIN_RING, PIN_ASSIGN, PIN_CONFIRM, PINS };

static const char *pin(const struct attached *a, unsigned which, char path[PINS_BYTES + 16])
{
	snprintf(path, PINS_BYTES + 16, "%s/%s", a->pins, pin_names[which]);
	return path;
}

static void remove_pins(struct attached *a)
{
	char path[PINS_BYTES + 16];

	for (unsigned i = 0; *a->pins && i < PINS; i++)
		unlink(pin(a, i, path));
	if (*a->pins)
		rmdir(a->pins);
}

/* A folder for them, on bpffs and this process's alone: 0 or -errno. */
static int make_pins(struct attached *a, const char *pins)
{
	struct statfs fs;
	int rc;

	if (strlen(pins) >= sizeof(a->pins))
		return -ENAMETOOLONG;
	if (mkdir(pins, 0700) && errno != EEXIST)
		return -errno;
	if (a->lock < 0)
		a->lock = open(pins, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->lock < 0 || fstatfs(a->lock, &fs))
		return -errno;
	rc = fs.f_type != BPF_FS_MAGIC ? -ENOTSUP : flock(a->lock, LOCK_EX | LOCK_NB) ? -errno : 0;
	if (rc == -ENOTSUP)
		rmdir(pins);
	if (!rc)
		snprintf(a->pins, sizeof(a->pins), "%s", pins);
	return rc;
}

/* An attachment of the process before, which runs our program from now on; -1: none, or of a netdev or kernel that is another. */
static int take_link(struct attached *a, unsigned which, int program, int ifindex)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);
	char path[PINS_BYTES + 16];
	int fd = *a->pins ? bpf_obj_get(pin(a, which, path)) : -1;

	if (fd < 0)
		return -1;
	/* info.xdp.ifindex is where info.tcx.ifindex is, which Debian 12's header does not have. */
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || (ifindex && info.xdp.ifindex != (__u32)ifindex) ||
		bpf_link_update(fd, program, NULL)) {
		unlink(path);
		close(fd);
		return -1;
	}
	a->pinned = 1;
	return fd;
}

static void put_link(struct attached *a, unsigned which, int fd)
{
	char path[PINS_BYTES + 16];

	if (*a->pins && bpf_obj_pin(fd, pin(a, which, path)))
		a->pinned = -errno;
}

/* The process before has decided nothing about these any more. */
static void forget_offers(struct attached *a)
{
	struct offer_key key;

	while (!bpf_map_get_next_key(a->offers, NULL, &key)) {
		if (bpf_map_delete_elem(a->offers, &key))
			return;
	}
}

static void no_record(void *ctx, const struct offer_confirmed *record)
{
	(void)ctx, (void)record;
}

static enum kernel_listener_reason load(struct attached *a, unsigned offers_max, unsigned ring_bytes)
{
	char path[PINS_BYTES + 16];
	struct bpf_map *map, *ring;
	int rc;

	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "handfast");
	a->object = bpf_object__open_mem(
		handfast_bpf_object, (size_t)(handfast_bpf_object_end - handfast_bpf_object), &options);
	if (!a->object)
		return KERNEL_LISTENER_LOAD;
	map = bpf_object__find_map_by_name(a->object, "offers");
	ring = bpf_object__find_map_by_name(a->object, "confirmed");
	if (!map || !ring || bpf_map__set_max_entries(map, offers_max) || bpf_map__set_max_entries(ring, ring_bytes))
		return KERNEL_LISTENER_LOAD;
	if (*a->pins && (bpf_map__set_pin_path(map, pin(a, PIN_OFFERS, path)) ||
				bpf_map__set_pin_path(ring, pin(a, PIN_RING, path))))
		return KERNEL_LISTENER_LOAD;
	rc = bpf_object__load(a->object);
	if (rc)
		return rc == -EPERM || rc == -EACCES ? KERNEL_LISTENER_NO_PERMISSION : KERNEL_LISTENER_LOAD;
	a->offers = bpf_map__fd(map);
	a->ring = ring_buffer__new(bpf_map__fd(ring), on_record, a, NULL);
	return a->ring ? KERNEL_LISTENER_NONE : KERNEL_LISTENER_SYSTEM;
}

static int program(struct attached *a, const char *name)
{
	struct bpf_program *p = bpf_object__find_program_by_name(a->object, name);

	return p ? bpf_program__fd(p) : -ENOENT;
}

static enum kernel_listener_reason attach(struct attached *a, int ifindex)
{
	int root;

	a->tcx = take_link(a, PIN_ASSIGN, program(a, "assign"), ifindex);
	if (a->tcx < 0) {
		a->tcx = bpf_link_create(program(a, "assign"), ifindex, ATTACH_TCX_INGRESS, NULL);
		if (a->tcx >= 0)
			put_link(a, PIN_ASSIGN, a->tcx);
	}
	if (a->tcx < 0) {
		snprintf(last_line, sizeof(last_line), "TCX: %s", strerror(-a->tcx));
		return a->tcx == -ENODEV  ? KERNEL_LISTENER_NO_NETDEV
		       : a->tcx == -EPERM ? KERNEL_LISTENER_NO_PERMISSION
					  : KERNEL_LISTENER_ATTACH;
	}
	a->sockops = take_link(a, PIN_CONFIRM, program(a, "confirm"), 0);
	if (a->sockops >= 0)
		return KERNEL_LISTENER_NONE;
	root = cgroup_root();
	if (root < 0)
		return KERNEL_LISTENER_NO_CGROUP;
	a->sockops = bpf_link_create(program(a, "confirm"), root, BPF_CGROUP_SOCK_OPS, NULL);
	close(root);
	if (a->sockops >= 0) {
		put_link(a, PIN_CONFIRM, a->sockops);
		return KERNEL_LISTENER_NONE;
	}
	snprintf(last_line, sizeof(last_line), "sockops: %s", strerror(-a->sockops));
	return a->sockops == -EPERM ? KERNEL_LISTENER_NO_PERMISSION : KERNEL_LISTENER_NO_CGROUP;
}

/* With what is pinned, if it fits. */
static enum kernel_listener_reason load_pinned(
	struct attached *a, const char *pins, unsigned offers_max, unsigned ring_bytes)
{
	enum kernel_listener_reason why;

	a->pinned = pins && *pins ? make_pins(a, pins) : -ENOENT;
	why = load(a, offers_max, ring_bytes);
	if (why == KERNEL_LISTENER_LOAD && *a->pins) {
		/* Of another version: it goes. */
		remove_pins(a);
		close(a->lock);
		a->lock = -1;
		bpf_object__close(a->object);
		a->object = NULL;
		*a->pins = 0;
		a->pinned = make_pins(a, pins);
		why = load(a, offers_max, ring_bytes);
	}
	if (!why && *a->pins) {
		forget_offers(a);
		attached_read(a, no_record, NULL);
	}
	return why;
}

int attached_open(int ifindex, unsigned offers_max, unsigned ring_bytes, const char *pins, struct attached **out,
	enum kernel_listener_reason *why, char *text, size_t size)
{
	struct attached *a = calloc(1, sizeof(*a));

	if (!a) {
		*why = KERNEL_LISTENER_SYSTEM;
		return -ENOMEM;
	}
	a->offers = a->tcx = a->sockops = a->lock = -1;
	last_line[0] = '\0';
	libbpf_set_print(keep_line);
	*why = look_for_kfunc();
	if (!*why)
		*why = load_pinned(a, pins, offers_max, ring_bytes);
	if (!*why && ifindex)
		*why = attach(a, ifindex);
	if (text && size)
		snprintf(text, size, "%s", *why ? last_line : "");
	if (*why) {
		attached_close(a, false);
		return kernel_listener_errno(*why);
	}
	*out = a;
	return 0;
}

int attached_pinned(const struct attached *a)
{
	return a->pinned;
}

void attached_close(struct attached *a, bool keep)
{
	if (!a)
		return;
	if (!keep)
		remove_pins(a);
	if (a->lock >= 0)
		close(a->lock);
	if (a->tcx >= 0)
		close(a->tcx);
	if (a->sockops >= 0)
		close(a->sockops);
	ring_buffer__free(a->ring);
	bpf_object__close(a->object);
	free(a);
}

int attached_put(struct attached *a, const struct offer_key *key, const struct offer *offer)
{
	return bpf_map_update_elem(a->offers, key, offer, BPF_NOEXIST) ? -errno : 0;
}

int attached_get(struct attached *a, const struct offer_key *key, struct offer *offer)
{
	return bpf_map_lookup_elem(a->offers, key, offer) ? -errno : 0;
}

int attached_remove(struct attached *a, const struct offer_key *key)
{
	return bpf_map_delete_elem(a->offers, key) ? -errno : 0;
}

int attached_fd(const struct attached *a)
{
	return ring_buffer__epoll_fd(a->ring);
}

void attached_read(struct attached *a, void (*confirmed)(void *ctx, const struct offer_confirmed *record), void *ctx)
{
	a->confirmed = confirmed;
	a->ctx = ctx;
	ring_buffer__consume(a->ring);
}

#else

int attached_open(int ifindex, unsigned offers_max, unsigned ring_bytes, const char *pins, struct attached **a,
	enum kernel_listener_reason *why, char *text, size_t size)
{
	(void)ifindex, (void)offers_max, (void)ring_bytes, (void)pins, (void)a;
	if (text && size)
		text[0] = '\0';
	*why = KERNEL_LISTENER_NO_LIBBPF;
	return kernel_listener_errno(*why);
}

void attached_close(struct attached *a, bool keep)
{
	(void)a, (void)keep;
}

int attached_pinned(const struct attached *a)
{
	(void)a;
	return -ENOSYS;
}

int attached_put(struct attached *a, const struct offer_key *key, const struct offer *offer)
{
	(void)a, (void)key, (void)offer;
	return -ENOSYS;
}

int attached_get(struct attached *a, const struct offer_key *key, struct offer *offer)
{
	(void)a, (void)key, (void)offer;
	return -ENOSYS;
}

int attached_remove(struct attached *a, const struct offer_key *key)
{
	(void)a, (void)key;
	return -ENOSYS;
}

int attached_fd(const struct attached *a)
{
	(void)a;
	return -1;
}

void attached_read(struct attached *a, void (*confirmed)(void *ctx, const struct offer_confirmed *record), void *ctx)
{
	(void)a, (void)confirmed, (void)ctx;
}

#endif
