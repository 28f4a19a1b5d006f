/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HANDFAST_TESTS_SUPPORT_NAMESPACE_H
#define HANDFAST_TESTS_SUPPORT_NAMESPACE_H

#include <stdbool.h>

/* Go into a network namespace of our own, as root or as the root of a user namespace of our own; false where that may
 * not be, or where /dev/net/tun may not be opened. */
bool enter_namespace(void);

#endif
