/* SPDX-License-Identifier: Apache-2.0
 * usb_list.c - USB devices by sysfs. The kernel has read their strings already, and lets everybody see them. */
#include "usb_list.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES "/sys/bus/usb/devices"

/* One attribute, its control characters replaced; "" when there is none. */
static void attribute(const char *device, const char *name, char *text, size_t size)
{
	char path[320];
	FILE *f;

	text[0] = '\0';
	snprintf(path, sizeof(path), DEVICES "/%s/%s", device, name);
	f = fopen(path, "re");
	if (!f)
		return;
	if (!fgets(text, (int)size, f))
		text[0] = '\0';
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

static unsigned number(const char *device, const char *name, int base)
{
	char text[USB_STRING];

	attribute(device, name, text, sizeof(text));
	return (unsigned)strtoul(text, NULL, base);
}

static int by_place(const void *a, const void *b)
{
	return strverscmp(((const struct usb_board *)a)->place, ((const struct usb_board *)b)->place);
}

unsigned usb_list(struct usb_board *list, unsigned max)
{
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir = opendir(DEVICES);

	while (dir && n < max && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct usb_board *b = &list[n];

		if (name[0] == '.' || strchr(name, ':')) /* interfaces have a ':' */
			continue;
		memset(b, 0, sizeof(*b));
		b->id_product = number(name, "idProduct", 16);
		if (number(name, "idVendor", 16) != USB_VENDOR_FTDI ||
			(b->id_product != USB_PRODUCT_FT2232H && b->id_product != USB_PRODUCT_FT232H))
			continue;
		snprintf(b->place, sizeof(b->place), "%.40s", name);
		attribute(name, "manufacturer", b->manufacturer, sizeof(b->manufacturer));
		attribute(name, "product", b->product, sizeof(b->product));
		attribute(name, "serial", b->serial, sizeof(b->serial));
		b->bus = number(name, "busnum", 10);
		b->address = number(name, "devnum", 10);
		b->speed_mbit = number(name, "speed", 10);
		b->ours = !strncmp(b->product, USB_PRODUCT_NAME, strlen(USB_PRODUCT_NAME));
		snprintf(b->node, sizeof(b->node), "/dev/bus/usb/%03u/%03u", b->bus, b->address);
		n++;
	}
	if (dir)
		closedir(dir);
	qsort(list, n, sizeof(*list), by_place);
	return n;
}
