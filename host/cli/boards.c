/* SPDX-License-Identifier: Apache-2.0
 * boards.c - `handfast boards`: what boards there are. USB and PCI by what sysfs lists, sockets in the runtime folder, and whatever
 * is named; each is opened for a moment to hear its HELLO, unless somebody has it. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../driver/clock.h"
#include "../../driver/message.h"
#include "../../driver/transport.h"
#include "../../driver/usb_list.h"
#include "../../sim/json_text.h"
#include "../../sim/options.h"
#include "../../sim/pcie/pcie_space.h"

#define RUNTIME "/run/handfast"
#define PCI	"/sys/bus/pci/devices"

enum { TEXT = 64, URI = 160, BOARDS = 128, WAIT_MS = 500, WAIT_MAX_MS = 60000 };

static const char usage[] =
	"usage: handfast boards [--json] [--wait MS] [--dir DIR] [BOARD...]\n"
	"\n"
	"Lists every board that can be reached: on USB, on PCI, behind sockets named board*.sock in the runtime "
	"folder, and\n"
	"those named (unix:PATH, usb:SERIAL, ...). Each is opened for a moment, to hear its version.\n"
	"\n"
	"  --json     a JSON list instead of a table\n"
	"  --wait MS  how long a board may take to answer; default 500\n"
	"  --dir DIR  the runtime folder; default " RUNTIME "\n"
	"\n"
	"Exit code: 0 at least one board answered, 1 none did, 2 bad usage.\n";

struct board {
	char uri[URI], serial[TEXT], link[TEXT];
	bool answers;
	unsigned version, slots, data_w;
	char why[TRANSPORT_WHY_BYTES]; /* if it does not answer */
};

struct boards {
	struct board at[BOARDS];
	unsigned count;
};

static struct board *add(struct boards *list, const char *format, ...)
{
	struct board *b = &list->at[list->count];
	va_list args;

	if (list->count == BOARDS)
		return NULL;
	memset(b, 0, sizeof(*b));
	va_start(args, format);
	vsnprintf(b->uri, sizeof(b->uri), format, args);
	va_end(args);
	for (unsigned i = 0; i < list->count; i++)
		if (!strcmp(list->at[i].uri, b->uri))
			return NULL;
	list->count++;
	return b;
}

/* Where boards are ------------------------------------------------------------------------------------------ */

static void find_usb(struct boards *list)
{
	static struct usb_board usb[USB_LIST_MAX];
	unsigned n = usb_list(usb, USB_LIST_MAX);

	for (unsigned i = 0; i < n; i++) {
		struct board *b = usb[i].ours ? add(list, "usb:%s", usb[i].serial) : NULL;

		if (!b)
			continue;
		snprintf(b->serial, sizeof(b->serial), "%s", usb[i].serial);
		snprintf(b->link, sizeof(b->link), "USB %u Mbit/s at %.30s", usb[i].speed_mbit, usb[i].place);
	}
}

/* The first line of a file in sysfs, "" when there is none. */
static const char *line_of(const char *device, const char *name, char *text, size_t size)
{
	char path[360];
	FILE *f;

	snprintf(path, sizeof(path), PCI "/%s/%s", device, name);
	f = fopen(path, "re");
	text[0] = '\0';
	if (f && !fgets(text, (int)size, f))
		text[0] = '\0';
	if (f)
		fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void find_pci(struct boards *list)
{
	struct dirent *entry;
	DIR *dir = opendir(PCI);

	while (dir && (entry = readdir(dir))) {
		char text[TEXT], width[TEXT];
		struct board *b;

		if (entry->d_name[0] == '.' ||
			strtoul(line_of(entry->d_name, "vendor", text, sizeof(text)), NULL, 16) != PCIE_VENDOR ||
			strtoul(line_of(entry->d_name, "device", text, sizeof(text)), NULL, 16) != PCIE_DEVICE)
			continue;
		b = add(list, "pci:%.20s", entry->d_name);
		if (!b)
			continue;
		line_of(entry->d_name, "current_link_speed", text, sizeof(text));
		line_of(entry->d_name, "current_link_width", width, sizeof(width));
		snprintf(b->link, sizeof(b->link), "PCIe %.24s%s%.8s", text, width[0] ? " x" : "", width);
	}
	if (dir)
		closedir(dir);
}

static void find_sockets(struct boards *list, const char *folder)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);

	while (dir && (entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);
		char path[URI];
		struct board *b;
		struct stat st;

		if (strncmp(entry->d_name, "board", 5) || n < 10 || strcmp(entry->d_name + n - 5, ".sock"))
			continue;
		snprintf(path, sizeof(path), "%.70s/%.80s", folder, entry->d_name);
		if (stat(path, &st) || !S_ISSOCK(st.st_mode))
			continue;
		b = add(list, "unix:%.150s", path);
		if (b)
			snprintf(b->link, sizeof(b->link), "socket");
	}
	if (dir)
		closedir(dir);
}

/* What they say --------------------------------------------------------------------------------------------- */

static void ask(struct board *b, int wait_ms)
{
	static uint8_t msg[TRANSPORT_MESSAGE_MAX];
	int64_t deadline = clock_ms() + wait_ms;
	struct transport *t;
	ssize_t n = -EAGAIN;

	if (transport_open(b->uri, wait_ms, &t, b->why))
		return;
	while (n == -EAGAIN && clock_ms() < deadline) {
		struct pollfd p = { transport_fd(t), POLLIN, 0 };

		n = transport_recv(t, msg, sizeof(msg));
		if (n == -EAGAIN && p.fd >= 0)
			poll(&p, 1, (int)(deadline - clock_ms()));
	}
	transport_close(t);
	if (n == HF_AT_HELLO_data_w + HF_SIZE_HELLO_data_w && GET(msg, HEADER, type) == HF_MSG_HELLO) {
		b->answers = true;
		b->version = (unsigned)GET(msg, HELLO, version);
		b->slots = (unsigned)GET(msg, HELLO, slots);
		b->data_w = (unsigned)GET(msg, HELLO, data_w);
		if (b->version != HF_ABI_VERSION)
			snprintf(b->why, sizeof(b->why), "this program speaks version %d", HF_ABI_VERSION);
	} else if (n == -ENODEV) {
		snprintf(b->why, sizeof(b->why), "it hung up: another process has it");
	} else {
		snprintf(b->why, sizeof(b->why),
			n == -EAGAIN ? "no HELLO within %d ms" : "its first message is no HELLO", wait_ms);
	}
}

static void print_json(const struct boards *list)
{
	printf("[");
	for (unsigned i = 0; i < list->count; i++) {
		const struct board *b = &list->at[i];

		printf("%s{", i ? ",\n " : "");
		json_text(stdout, "uri", b->uri);
		fputs(", ", stdout);
		json_text(stdout, "serial", b->serial);
		fputs(", ", stdout);
		json_text(stdout, "link", b->link);
		printf(", \"answers\": %s", b->answers ? "true" : "false");
		if (b->answers)
			printf(", \"version\": %u, \"slots\": %u, \"data_width\": %u", b->version, b->slots, b->data_w);
		fputs(", ", stdout);
		json_text(stdout, "why", b->why);
		printf("}");
	}
	printf("]\n");
}

static void print_table(const struct boards *list)
{
	if (list->count)
		printf("%-28s %-12s %-24s %-8s %s\n", "BOARD", "SERIAL", "LINK", "VERSION", "STATE");
	for (unsigned i = 0; i < list->count; i++) {
		const struct board *b = &list->at[i];
		char version[16] = "-";

		if (b->answers)
			snprintf(version, sizeof(version), "%u", b->version);
		printf("%-28s %-12s %-24s %-8s ", b->uri, b->serial[0] ? b->serial : "-", b->link, version);
		if (b->why[0])
			printf("%s\n", b->why);
		else
			printf("free, %u entries, %u bits\n", b->slots, b->data_w);
	}
}

int boards_main(int argc, char **argv)
{
	enum { JSON = 256, WAIT, DIRECTORY, HELP };
	static const struct option longs[] = { { "json", no_argument, NULL, JSON },
		{ "wait", required_argument, NULL, WAIT }, { "dir", required_argument, NULL, DIRECTORY },
		{ "help", no_argument, NULL, HELP }, { NULL, 0, NULL, 0 } };
	static struct boards list;
	const char *folder = RUNTIME;
	uint64_t wait_ms = WAIT_MS;
	bool json = false, any = false;
	char forms[128];
	int c;

	optind = 0; /* main() was given another argv */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		switch (c) {
		case JSON:
			json = true;
			break;
		case WAIT:
			if (!options_number(optarg, 1, WAIT_MAX_MS, &wait_ms)) {
				fprintf(stderr, "boards: --wait %s: not 1 to %d milliseconds\n", optarg, WAIT_MAX_MS);
				return 2;
			}
			break;
		case DIRECTORY:
			folder = optarg;
			break;
		case HELP:
			fputs(usage, stdout);
			return 0;
		default:
			fprintf(stderr, "boards: %s %s\n", argv[optind - 1],
				c == ':' ? "needs a value" : "is no option (handfast boards --help)");
			return 2;
		}
	}
	for (int i = optind; i < argc; i++) {
		struct board *b;

		if (!transport_uri_ok(argv[i]) || strlen(argv[i]) >= URI) {
			fprintf(stderr, "boards: %s: not one of %s\n", argv[i],
				transport_uri_forms(forms, sizeof(forms)));
			return 2;
		}
		b = add(&list, "%s", argv[i]);
		if (b)
			snprintf(b->link, sizeof(b->link), "%.*s", (int)strcspn(argv[i], ":"), argv[i]);
	}
	find_usb(&list);
	find_pci(&list);
	find_sockets(&list, folder);
	for (unsigned i = 0; i < list.count; i++) {
		ask(&list.at[i], (int)wait_ms);
		any |= list.at[i].answers;
	}
	if (json)
		print_json(&list);
	else
		print_table(&list);
	if (!list.count)
		fprintf(stderr, "boards: none on USB, on PCI, or in %s\n", folder);
	return !any;
}
