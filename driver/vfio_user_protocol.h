/* SPDX-License-Identifier: Apache-2.0
 * vfio_user_protocol.h - the vfio-user protocol 0.0 as far as a PCI device without mappable regions needs it.
 *
 * Source: the vfio-user specification (docs/interop/vfio-user.rst of QEMU, docs/vfio-user.rst of libvfio-user). A SOCK_STREAM
 * unix socket; numbers in the host's byte order; every message is a header and a body, descriptors travel as SCM_RIGHTS with
 * the message's first byte. Region and interrupt indices are those of <linux/vfio.h>.
 * Nothing to call. */
#ifndef HANDFAST_VFIO_USER_PROTOCOL_H
#define HANDFAST_VFIO_USER_PROTOCOL_H

#include <stdint.h>

enum {
	VFIO_USER_MAJOR = 0,
	VFIO_USER_MINOR = 0,
	VFIO_USER_MAX_FDS = 8,		  /* descriptors of one message */
	VFIO_USER_MAX_TRANSFER = 1 << 20, /* bytes of one region access */
	VFIO_USER_MAX_MAPS = 65535,
	VFIO_USER_PAGE = 4096,
};

enum vfio_user_command {
	VFIO_USER_VERSION = 1,
	VFIO_USER_DMA_MAP = 2,
	VFIO_USER_DMA_UNMAP = 3,
	VFIO_USER_DEVICE_GET_INFO = 4,
	VFIO_USER_DEVICE_GET_REGION_INFO = 5,
	VFIO_USER_DEVICE_GET_REGION_IO_FDS = 6,
	VFIO_USER_DEVICE_GET_IRQ_INFO = 7,
	VFIO_USER_DEVICE_SET_IRQS = 8,
	VFIO_USER_REGION_READ = 9,
	VFIO_USER_REGION_WRITE = 10,
	VFIO_USER_DMA_READ = 11,  /* server to client; not used here */
	VFIO_USER_DMA_WRITE = 12, /* likewise */
	VFIO_USER_DEVICE_RESET = 13,
};

struct vfio_user_header {
	uint16_t id;	  /* the sender's, comes back in the reply */
	uint16_t command; /* enum vfio_user_command, in the reply too */
	uint32_t size;	  /* of the whole message, header included */
	uint32_t flags;
	uint32_t error; /* errno, in a reply with VFIO_USER_FLAG_ERROR */
};
#define VFIO_USER_TYPE_MASK	0xfu /* of flags: 0 command, 1 reply */
#define VFIO_USER_TYPE_REPLY	1u
#define VFIO_USER_FLAG_NO_REPLY (1u << 4)
#define VFIO_USER_FLAG_ERROR	(1u << 5)

/* VERSION, both ways; capabilities as JSON with its NUL follow. */
struct vfio_user_version {
	uint16_t major, minor;
};

/* A descriptor, where the memory can be mapped. */
struct vfio_user_dma_map {
	uint32_t argsz, flags; /* VFIO_DMA_MAP_FLAG_READ, _WRITE */
	uint64_t offset;       /* in the file */
	uint64_t address;      /* as the device sees it */
	uint64_t size;
};

/* In the reply `size` is what was unmapped. */
struct vfio_user_dma_unmap {
	uint32_t argsz, flags; /* VFIO_DMA_UNMAP_FLAG_ALL: address and size are 0 */
	uint64_t address, size;
};

struct vfio_user_device_info {
	uint32_t argsz, flags, num_regions, num_irqs;
};

struct vfio_user_region_info {
	uint32_t argsz, flags, index, cap_offset;
	uint64_t size, offset;
};

struct vfio_user_irq_info {
	uint32_t argsz, flags, index, count;
};

/* Descriptors or `count` bools follow, or nothing; enum VFIO_IRQ_SET_*. */
struct vfio_user_irq_set {
	uint32_t argsz, flags, index, start, count;
};

/* REGION_READ and REGION_WRITE; `count` bytes follow in a write, and in the reply to a read. */
struct vfio_user_region_access {
	uint64_t offset;
	uint32_t region, count;
};

#endif
