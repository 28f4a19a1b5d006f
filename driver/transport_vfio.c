/* SPDX-License-Identifier: Apache-2.0
 * transport_vfio.c - `pci:DDDD:BB:DD.F`: the rings of a PCIe card that is bound to vfio-pci.
 *
 * The group and container API of Documentation/driver-api/vfio.rst (kernels without IOMMUFD have only that): the IOMMU lets
 * the card see one 2 MiB page of this process and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pcie_rings.h"
#include "regs/regs.h"

enum {
	WATCH_ERROR = 0,   /* AER: the card, or the link to it, reported an error that cannot be corrected */
	WATCH_REQUEST = 1, /* somebody wants the card back: unplugged, or unbound */
	REGISTERS = HF_PCIE_MSIX_TABLE, /* bytes of BAR0 before the MSI-X table: what we map */
	CAPABILITIES = 48,		/* there is no room for more in 256 bytes */
};

struct card {
	struct pcie_bus b;
	int container, group, device, memory_fd; /* descriptors, -1 = not open */
	bool group_set, mapped;
	volatile uint32_t *registers; /* NULL: the kernel does not let us map them, pread(2) and pwrite(2) do */
	uint64_t bar0, config;	      /* offsets in `device` */
};

static __attribute__((format(printf, 3, 4))) int fail(int rc, char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, TRANSPORT_WHY_BYTES, format, args);
	va_end(args);
	return rc;
}

/* ---- struct pcie_bus_ops ---- */

static int card_read32(struct pcie_bus *b, uint32_t offset, uint32_t *value)
{
	struct card *c = (struct card *)b;

	if (c->registers && offset < REGISTERS) {
		*value = c->registers[offset / 4];
		return 0;
	}
	return pread(c->device, value, sizeof(*value), (off_t)(c->bar0 + offset)) == sizeof(*value) ? 0 : -ENODEV;
}

static int card_write32(struct pcie_bus *b, uint32_t offset, uint32_t value)
{
	struct card *c = (struct card *)b;

	if (c->registers && offset < REGISTERS) {
		c->registers[offset / 4] = value;
		return 0;
	}
	return pwrite(c->device, &value, sizeof(value), (off_t)(c->bar0 + offset)) == sizeof(value) ? 0 : -ENODEV;
}

static int config_read16(const struct card *c, unsigned offset, uint16_t *value)
{
	return pread(c->device, value, sizeof(*value), (off_t)(c->config + offset)) == sizeof(*value) ? 0 : -ENODEV;
}

static int config_write16(const struct card *c, unsigned offset, uint16_t value)
{
	return pwrite(c->device, &value, sizeof(value), (off_t)(c->config + offset)) == sizeof(value) ? 0 : -ENODEV;
}

/* The kernel keeps the base address and answers in memory space by itself; bus mastering is for us to allow. */
static int enable(const struct card *c)
{
	uint16_t command;
	int rc = config_read16(c, PCI_COMMAND, &command);

	return rc ? rc : config_write16(c, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* Give every vector its eventfd. The kernel forgets them in no reset that we ask for, but the card's MSI-X table is restored
 * only as far as they are set again. */
static int arm(struct card *c, const char **what)
{
	struct {
		struct vfio_irq_set s;
		int fds[PCIE_BUS_VECTORS];
	} set = { .s = { .argsz = sizeof(set),
			  .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			  .index = VFIO_PCI_MSIX_IRQ_INDEX,
			  .count = PCIE_BUS_VECTORS } };
	static const unsigned others[PCIE_BUS_WATCHES] = { VFIO_PCI_ERR_IRQ_INDEX, VFIO_PCI_REQ_IRQ_INDEX };

	*what = "MSI-X";
	memcpy(set.fds, c->b.vector, sizeof(set.fds));
	if (ioctl(c->device, VFIO_DEVICE_SET_IRQS, &set))
		return -errno;
	for (unsigned i = 0; i < PCIE_BUS_WATCHES; i++) {
		struct vfio_irq_info info = { .argsz = sizeof(info), .index = others[i] };

		/* Without AER or on an old kernel there is none: then only all-ones reads tell. */
		if (c->b.watch[i] < 0 || ioctl(c->device, VFIO_DEVICE_GET_IRQ_INFO, &info) || !info.count)
			continue;
		set.s.argsz = sizeof(set.s) + sizeof(int);
		set.s.index = others[i];
		set.s.count = 1;
		set.fds[0] = c->b.watch[i];
		*what = i == WATCH_ERROR ? "the error interrupt" : "the request interrupt";
		if (ioctl(c->device, VFIO_DEVICE_SET_IRQS, &set))
			return -errno;
	}
	return 0;
}

static void disarm(const struct card *c)
{
	struct vfio_irq_set none = { .argsz = sizeof(none),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX };

	ioctl(c->device, VFIO_DEVICE_SET_IRQS, &none);
}

/* VFIO_DEVICE_PCI_HOT_RESET resets a whole bus: every group on it must be ours. We have one; the kernel refuses if it is not
 * enough. */
static int hot_reset(const struct card *c)
{
	struct {
		struct vfio_pci_hot_reset r;
		int32_t fd;
	} reset = { .r = { .argsz = sizeof(reset), .count = 1 }, .fd = c->group };

	return ioctl(c->device, VFIO_DEVICE_PCI_HOT_RESET, &reset) ? -errno : 0;
}

static int card_reset(struct pcie_bus *b, bool hot)
{
	struct card *c = (struct card *)b;
	const uint64_t one = 1;
	const char *what;
	uint32_t id;
	int refused = hot ? hot_reset(c) : ioctl(c->device, VFIO_DEVICE_RESET) ? -errno : 0;

	/* Refused or not: the kernel says no before it has begun as well as when the bus did not come back in time, and then
	 * bus mastering and the MSI-X table are gone. ENODEV is no more than "this bus has no reset": ID tells whether the
	 * card is there. */
	if (enable(c) || arm(c, &what))
		return -ENODEV;
	if (!refused)
		return 0;
	/* An interrupt may have come between the old eventfds and the new. An eventfd that is full is readable as well. */
	for (unsigned i = 0; i < PCIE_BUS_VECTORS; i++)
		if (write(b->vector[i], &one, sizeof(one)) < 0 && errno != EAGAIN)
			return -ENODEV;
	return card_read32(b, PCIE_REG(ID), &id) || id == UINT32_MAX ? -ENODEV : -ENOTSUP;
}

static bool card_alive(struct pcie_bus *b)
{
	struct pollfd p[PCIE_BUS_WATCHES] = { { b->watch[0], POLLIN, 0 }, { b->watch[1], POLLIN, 0 } };

	/* Both mean the end: after an error the card's state is unknown, and who is asked to give it back does. */
	return poll(p, PCIE_BUS_WATCHES, 0) == 0;
}

/* What is this process's alone. The IOMMU's mapping is the container's, and pins the memory. */
static void free_card(struct card *c)
{
	if (c->registers)
		munmap((void *)(uintptr_t)c->registers, REGISTERS);
	for (unsigned i = 0; i < PCIE_BUS_VECTORS; i++)
		if (c->b.vector[i] >= 0)
			close(c->b.vector[i]);
	for (unsigned i = 0; i < PCIE_BUS_WATCHES; i++)
		if (c->b.watch[i] >= 0)
			close(c->b.watch[i]);
	if (c->b.memory)
		munmap(c->b.memory, PCIE_BUS_BYTES);
	free(c);
}

static void close_descriptors(struct card *c)
{
	int *const fds[] = { &c->device, &c->group, &c->container, &c->memory_fd };

	for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (*fds[i] >= 0)
			close(*fds[i]);
}

static void card_leave(struct pcie_bus *b)
{
	struct card *c = (struct card *)b;

	close_descriptors(c);
	free_card(c);
}

enum { KEPT_DEVICE, KEPT_GROUP, KEPT_CONTAINER, KEPT_MEMORY, KEPT };

static int card_keep(const struct pcie_bus *b, int *fds)
{
	const struct card *c = (const struct card *)b;

	fds[KEPT_DEVICE] = c->device;
	fds[KEPT_GROUP] = c->group;
	fds[KEPT_CONTAINER] = c->container;
	fds[KEPT_MEMORY] = c->memory_fd;
	return KEPT;
}

static void card_close(struct pcie_bus *b)
{
	struct card *c = (struct card *)b;
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap), .iova = b->iova, .size = PCIE_BUS_BYTES };

	if (c->device >= 0) {
		uint16_t command;

		disarm(c);
		if (!config_read16(c, PCI_COMMAND, &command))
			config_write16(c, PCI_COMMAND, (uint16_t)(command & ~PCI_COMMAND_MASTER));
	}
	if (c->registers)
		munmap((void *)(uintptr_t)c->registers, REGISTERS);
	c->registers = NULL;
	if (c->mapped)
		ioctl(c->container, VFIO_IOMMU_UNMAP_DMA, &unmap);
	if (c->device >= 0)
		close(c->device); /* the kernel resets the card */
	c->device = -1;
	if (c->group_set)
		ioctl(c->group, VFIO_GROUP_UNSET_CONTAINER);
	close_descriptors(c);
	free_card(c);
}

static const struct pcie_bus_ops card_ops = { card_read32, card_write32, card_reset, card_alive, card_close, card_keep,
	card_leave };

/* ---- opening ---- */

/* The last part of where a link in the device's folder leads; "" without one. */
static void link_name(const char *address, const char *name, char *to, size_t size)
{
	char path[128], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", address, name);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	snprintf(to, size, "%s", n < 0 ? "" : basename(target));
}

static int open_group(struct card *c, const char *address, char *why)
{
	char path[128], group[32], driver[64];
	struct vfio_group_status status = { .argsz = sizeof(status) };

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", address);
	if (access(path, F_OK))
		return fail(-ENOENT, why, "there is no PCI device %s", address);
	link_name(address, "driver", driver, sizeof(driver));
	if (strcmp(driver, "vfio-pci"))
		return fail(-ENOTSUP, why, "%s is bound to %s, not to vfio-pci (docs/pcie.md, Binding)", address,
			driver[0] ? driver : "no driver");
	link_name(address, "iommu_group", group, sizeof(group));
	if (!group[0])
		return fail(-ENOTSUP, why, "%s is in no IOMMU group: is the IOMMU on? (docs/pcie.md, IOMMU)", address);
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	c->group = open(path, O_RDWR | O_CLOEXEC);
	if (c->group < 0 && errno == EBUSY)
		return fail(-EBUSY, why, "%s: another process has the card", path);
	if (c->group < 0)
		return fail(-errno, why, "%s: %s (docs/pcie.md, Permissions)", path, strerror(errno));
	if (ioctl(c->group, VFIO_GROUP_GET_STATUS, &status))
		return fail(-errno, why, "%s: %s", path, strerror(errno));
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return fail(-ENOTSUP, why, "%s: other devices of the group are bound to host drivers", path);
	return 0;
}

static int open_container(struct card *c, char *why)
{
	c->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (c->container < 0)
		return fail(-errno, why, "/dev/vfio/vfio: %s", strerror(errno));
	if (ioctl(c->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
		ioctl(c->container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1)
		return fail(-ENOTSUP, why, "/dev/vfio/vfio: no type 1 IOMMU");
	if (ioctl(c->group, VFIO_GROUP_SET_CONTAINER, &c->container))
		return fail(-errno, why, "the group does not go into a container: %s", strerror(errno));
	c->group_set = true;
	if (ioctl(c->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return fail(-errno, why, "the IOMMU refuses the group: %s%s", strerror(errno),
			errno == EPERM ? " (no interrupt remapping?)" : "");
	return 0;
}

static int region(const struct card *c, uint32_t index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	return ioctl(c->device, VFIO_DEVICE_GET_REGION_INFO, info) ? -errno : 0;
}

static int map_registers(struct card *c, const char *address, char *why)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info bar, config;

	if (ioctl(c->device, VFIO_DEVICE_GET_INFO, &info) || region(c, VFIO_PCI_BAR0_REGION_INDEX, &bar) ||
		region(c, VFIO_PCI_CONFIG_REGION_INDEX, &config))
		return fail(-errno, why, "%s: no device information: %s", address, strerror(errno));
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI) || bar.size < HF_PCIE_BAR_BYTES)
		return fail(-EPROTO, why, "%s: not a Handfast card: BAR0 has %llu bytes", address,
			(unsigned long long)bar.size);
	c->bar0 = bar.offset;
	c->config = config.offset;
	/* The MSI-X table is behind what we map, and pages may be larger than 4 KiB: then it goes by system calls. */
	if (bar.flags & VFIO_REGION_INFO_FLAG_MMAP && sysconf(_SC_PAGESIZE) <= REGISTERS) {
		void *at = mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, c->device, (off_t)bar.offset);

		c->registers = at == MAP_FAILED ? NULL : at;
	}
	return 0;
}

static int open_device(struct card *c, const char *address, char *why)
{
	c->device = ioctl(c->group, VFIO_GROUP_GET_DEVICE_FD, address);
	if (c->device < 0)
		return fail(-errno, why, "%s: %s", address, strerror(errno));
	return map_registers(c, address, why);
}

/* Whether the IOMMU translates all of [iova, iova + PCIE_BUS_BYTES). A kernel that does not say is taken at its word later. */
static bool translates(const struct vfio_iommu_type1_info *info, size_t size, uint64_t iova)
{
	const uint8_t *base = (const uint8_t *)info;
	uint32_t at = info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0;

	for (unsigned i = 0; at && at + sizeof(struct vfio_info_cap_header) <= size && i < CAPABILITIES; i++) {
		const struct vfio_info_cap_header *h = (const void *)(base + at);
		const struct vfio_iommu_type1_info_cap_iova_range *r = (const void *)h;

		if (h->id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE) {
			for (uint32_t n = 0;
				n < r->nr_iovas && at + sizeof(*r) + (n + 1) * sizeof(r->iova_ranges[0]) <= size; n++)
				if (iova >= r->iova_ranges[n].start &&
					iova + PCIE_BUS_BYTES - 1 <= r->iova_ranges[n].end)
					return true;
			return false;
		}
		at = h->next;
	}
	return true;
}

/* An IOVA for the page: the usual one, or the next multiple of 256 MiB that the IOMMU translates. */
static int choose_iova(struct card *c, char *why)
{
	union {
		struct vfio_iommu_type1_info info;
		uint8_t bytes[4096];
	} u;

	memset(&u, 0, sizeof(u));
	u.info.argsz = sizeof(u);
	if (ioctl(c->container, VFIO_IOMMU_GET_INFO, &u.info))
		return fail(-errno, why, "no information about the IOMMU: %s", strerror(errno));
	for (c->b.iova = PCIE_BUS_IOVA; c->b.iova < UINT64_C(16) * PCIE_BUS_IOVA; c->b.iova += PCIE_BUS_IOVA)
		if (translates(&u.info, sizeof(u), c->b.iova))
			return 0;
	return fail(-ENOSPC, why, "the IOMMU has no room below 4 GiB");
}

static int map_memory(struct card *c, char *why)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE, .size = PCIE_BUS_BYTES
	};
	int rc = choose_iova(c, why);

	if (rc)
		return rc;
	/* A file, so that another process can go on with it. */
	rc = pcie_bus_memory(&c->b, &c->memory_fd);
	if (rc)
		return fail(rc, why, "2 MiB for the rings: %s", strerror(-rc));
	map.vaddr = (uintptr_t)c->b.memory;
	map.iova = c->b.iova;
	if (ioctl(c->container, VFIO_IOMMU_MAP_DMA, &map))
		return fail(-errno, why, "2 MiB for the rings cannot be mapped for the card: %s%s", strerror(errno),
			errno == ENOMEM ? " (ulimit -l below 2048?)" : "");
	c->mapped = true;
	return 0;
}

static int make_vectors(struct card *c)
{
	for (unsigned i = 0; i < PCIE_BUS_VECTORS + PCIE_BUS_WATCHES; i++) {
		int *fd = i < PCIE_BUS_VECTORS ? &c->b.vector[i] : &c->b.watch[i - PCIE_BUS_VECTORS];

		*fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (*fd < 0)
			return -errno;
	}
	return 0;
}

static int set_up_card(struct card *c, const char *address, char *why)
{
	const char *what;
	int rc = make_vectors(c);

	if (rc)
		return rc;
	/* The kernel has reset the card when we opened it, if it can be reset by itself. */
	what = "bus mastering";
	rc = enable(c);
	if (!rc)
		rc = arm(c, &what);
	return rc ? fail(rc, why, "%s: %s: %s", address, what, strerror(-rc)) : 0;
}

static struct card *new_card(void)
{
	struct card *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->b.ops = &card_ops;
	c->container = c->group = c->device = c->memory_fd = -1;
	for (unsigned i = 0; i < PCIE_BUS_VECTORS; i++)
		c->b.vector[i] = -1;
	for (unsigned i = 0; i < PCIE_BUS_WATCHES; i++)
		c->b.watch[i] = -1;
	return c;
}

/* The IOVA that the process before has chosen: the card's rings tell. */
static int find_iova(struct card *c)
{
	uint32_t low, high;
	int rc = card_read32(&c->b, PCIE_REG(C2H_BASE_LO), &low);

	if (!rc)
		rc = card_read32(&c->b, PCIE_REG(C2H_BASE_HI), &high);
	if (!rc)
		c->b.iova = low | (uint64_t)high << 32;
	return rc;
}

/* Bus mastering, the container's mappings and the card's rings are as they were: only interrupts go to new eventfds. */
int transport_vfio_resume(const char *address, const int *fds, unsigned count, struct transport **t, char *why)
{
	const char *what = "eventfd";
	struct card *c;
	int rc;

	if (count != KEPT)
		return -EINVAL;
	c = new_card();
	if (!c)
		return -ENOMEM;
	c->device = fds[KEPT_DEVICE];
	c->group = fds[KEPT_GROUP];
	c->container = fds[KEPT_CONTAINER];
	c->memory_fd = fds[KEPT_MEMORY];
	c->group_set = c->mapped = true;
	for (unsigned i = 0; i < count; i++)
		fcntl(fds[i], F_SETFD, FD_CLOEXEC);
	rc = map_registers(c, address, why);
	if (!rc)
		rc = pcie_bus_map(&c->b, c->memory_fd);
	if (!rc)
		rc = find_iova(c);
	if (!rc) {
		rc = make_vectors(c);
		if (!rc)
			rc = arm(c, &what);
		if (rc)
			fail(rc, why, "%s: %s: %s", address, what, strerror(-rc));
	}
	if (!rc)
		rc = pcie_rings_resume(&c->b, t, why);
	if (rc)
		free_card(c);
	return rc;
}

int transport_vfio_open(const char *address, int timeout_ms, struct transport **t, char *why)
{
	struct card *c = new_card();
	int rc;

	if (!c)
		return -ENOMEM;
	rc = open_group(c, address, why);
	if (!rc)
		rc = open_container(c, why);
	if (!rc)
		rc = open_device(c, address, why);
	if (!rc)
		rc = map_memory(c, why);
	if (!rc)
		rc = set_up_card(c, address, why);
	if (!rc)
		rc = pcie_rings_open(&c->b, timeout_ms < 1 ? 1 : timeout_ms, t, why);
	if (rc)
		card_close(&c->b);
	return rc;
}
