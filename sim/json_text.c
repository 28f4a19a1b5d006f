/* SPDX-License-Identifier: Apache-2.0 */
#include "json_text.h"

void json_text(FILE *out, const char *name, const char *text)
{
	fprintf(out, "\"%s\": \"", name);
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ')
			fprintf(out, "\\u%04x", (unsigned)*c);
		else
			fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
	}
	putc('"', out);
}
