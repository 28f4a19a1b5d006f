/* SPDX-License-Identifier: Apache-2.0
 * siphash.h - SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). Pure. */
#ifndef HANDFAST_CMODEL_SIPHASH_H
#define HANDFAST_CMODEL_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* k0 and k1 are the key's octets 0 to 7 and 8 to 15, the lower octet less significant. */
uint64_t hf_siphash24(uint64_t k0, uint64_t k1, const void *octets, size_t len);

#endif
