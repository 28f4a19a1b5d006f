/* SPDX-License-Identifier: Apache-2.0
 * json_text.h - a string as JSON, for commands whose other members are numbers. */
#ifndef HANDFAST_SIM_JSON_TEXT_H
#define HANDFAST_SIM_JSON_TEXT_H

#include <stdio.h>

/* Print a member: "name": "text", what JSON does not allow in it escaped. */
void json_text(FILE *out, const char *name, const char *text);

#endif
