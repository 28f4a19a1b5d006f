/* SPDX-License-Identifier: Apache-2.0
 * test_transport_vfio.c - resets of a card behind vfio-pci, without a kernel that has one: the card's regions are a memory
 * file, and ioctl(2) is a function of this test, which refuses and forgets as the kernel may. */
#include <sys/ioctl.h>
#include <sys/mman.h>

static int kernel_ioctl(int fd, unsigned long request, ...);
#define ioctl kernel_ioctl
#include "../driver/transport_vfio.c"
#undef ioctl

#include "support_bench.h"

enum {
	BAR0_AT = 0,
	CONFIG_AT = 1 << 20, /* in the memory file */
	FILE_BYTES = CONFIG_AT + 4096,
	GROUP = 12345,
};

/* What the kernel does at the next reset, and what it knows. */
static struct {
	int refusal;   /* errno, 0 = it resets */
	bool half_way; /* the card was reset all the same, and nothing restored */
	bool pulled;   /* the card reads as ones after it */
	unsigned hot, function;
	int vectors[PCIE_BUS_VECTORS]; /* eventfds that it holds, -1 = none */
} kernel;

static struct card card;

static void set_word(unsigned at, uint16_t value)
{
	CHECK_EQ(pwrite(card.device, &value, 2, at), 2, "word");
}

static void set_id(uint32_t value)
{
	CHECK_EQ(pwrite(card.device, &value, 4, BAR0_AT + PCIE_REG(ID)), 4, "ID");
}

static int reset_of_kernel(void)
{
	if (!kernel.refusal || kernel.half_way) {
		set_word(CONFIG_AT + PCI_COMMAND, 0);
		for (unsigned i = 0; i < PCIE_BUS_VECTORS; i++)
			kernel.vectors[i] = -1;
	}
	if (kernel.pulled)
		set_id(UINT32_MAX);
	errno = kernel.refusal;
	return kernel.refusal ? -1 : 0;
}

static int kernel_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	const void *p = NULL;

	CHECK_EQ(fd, card.device, "descriptor");
	va_start(arguments, request);
	if (request != VFIO_DEVICE_RESET)
		p = va_arg(arguments, const void *);
	va_end(arguments);
	if (request == VFIO_DEVICE_RESET) {
		kernel.function++;
		return reset_of_kernel();
	}
	if (request == VFIO_DEVICE_PCI_HOT_RESET) {
		const struct vfio_pci_hot_reset *r = p;

		kernel.hot++;
		CHECK_EQ(r->argsz, 16, "bytes");
		CHECK_EQ(r->flags, 0, "flags");
		CHECK_EQ(r->count, 1, "groups");
		CHECK_EQ(r->group_fds[0], GROUP, "group");
		return reset_of_kernel();
	}
	if (request == VFIO_DEVICE_SET_IRQS) {
		const struct vfio_irq_set *s = p;

		CHECK_EQ(s->index, VFIO_PCI_MSIX_IRQ_INDEX, "index");
		CHECK_EQ(s->count, PCIE_BUS_VECTORS, "vectors");
		memcpy(kernel.vectors, s->data, sizeof(kernel.vectors));
		return 0;
	}
	CHECK(false, "ioctl %lx", request);
	errno = ENOTTY;
	return -1;
}

/* A card in use whose kernel answers the next reset as said. */
static void open_card(int refusal, bool half_way, bool pulled)
{
	uint16_t memory_and_master = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	memset(&card, 0, sizeof(card));
	memset(&kernel, 0, sizeof(kernel));
	kernel.refusal = refusal;
	kernel.half_way = half_way;
	kernel.pulled = pulled;
	card.b.ops = &card_ops;
	card.bar0 = BAR0_AT;
	card.config = CONFIG_AT;
	card.group = GROUP;
	card.device = memfd_create("card", MFD_CLOEXEC);
	CHECK(card.device >= 0 && !ftruncate(card.device, FILE_BYTES), "memory file");
	for (unsigned i = 0; i < PCIE_BUS_VECTORS; i++)
		kernel.vectors[i] = card.b.vector[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (unsigned i = 0; i < PCIE_BUS_WATCHES; i++)
		card.b.watch[i] = -1;
	set_word(CONFIG_AT + PCI_COMMAND, memory_and_master);
	set_id(HF_PCIE_RESET_ID);
}

static void close_card(void)
{
	for (unsigned i = 0; i < PCIE_BUS_VECTORS; i++)
		close(card.b.vector[i]);
	close(card.device);
}

/* It may be master of the bus, and its vectors lead to us. */
static void expect_usable(const char *when)
{
	uint16_t command = 0;

	CHECK_EQ(pread(card.device, &command, 2, CONFIG_AT + PCI_COMMAND), 2, "COMMAND");
	CHECK_EQ(command, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, when);
	for (unsigned i = 0; i < PCIE_BUS_VECTORS; i++)
		CHECK_EQ(kernel.vectors[i], card.b.vector[i], when);
}

static void a_reset_leaves_the_card_set_up(void)
{
	for (unsigned hot = 0; hot < 2; hot++) {
		open_card(0, false, false);
		CHECK_EQ(card.b.ops->reset(&card.b, hot), 0, "reset");
		CHECK_EQ(kernel.hot, hot, "of the bus");
		CHECK_EQ(kernel.function, !hot, "of the function");
		expect_usable("after a reset");
		close_card();
	}
}

/* EPERM: not all groups are ours; ENODEV: the bus has no reset; ENOTTY: it did not come back in time. */
static void a_refused_reset_leaves_the_card_usable(void)
{
	static const int refusals[] = { EPERM, EINVAL, ENODEV, ENOTTY, EBUSY, EAGAIN };

	for (size_t i = 0; i < COUNT(refusals); i++)
		for (unsigned variant = 0; variant < 4; variant++) {
			open_card(refusals[i], variant & 1, false);
			CHECK_EQ(card.b.ops->reset(&card.b, variant & 2), (uint64_t)-ENOTSUP, "reset");
			expect_usable(variant & 1 ? "refused half way" : "refused at once");
			for (unsigned v = 0; v < PCIE_BUS_VECTORS; v++) {
				uint64_t count = 0;

				CHECK_EQ(read(card.b.vector[v], &count, sizeof(count)), sizeof(count), "woken");
			}
			close_card();
		}
}

static void a_card_that_did_not_come_back_is_gone(void)
{
	open_card(ENOTTY, true, true);
	CHECK_EQ(card.b.ops->reset(&card.b, true), (uint64_t)-ENODEV, "reset");
	close_card();
}

int main(int argc, char **argv)
{
	/* clang-format off */
	static const struct bench_case cases[] = {
		CASE_ONCE(a_reset_leaves_the_card_set_up), CASE_ONCE(a_refused_reset_leaves_the_card_usable),
		CASE_ONCE(a_card_that_did_not_come_back_is_gone), { 0 }
	};
	/* clang-format on */

	return bench_main(argc, argv, "transport_vfio", cases);
}
