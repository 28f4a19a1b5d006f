/* SPDX-License-Identifier: Apache-2.0
 * version.h - the release; the Makefile reads it too. The library's soname is libhandfast.so.0 as long as it begins
 * with "0.". Nothing to call. */
#ifndef HANDFAST_VERSION_H
#define HANDFAST_VERSION_H

#define HF_RELEASE "0.1.0"

#endif
