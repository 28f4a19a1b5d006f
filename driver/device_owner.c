/* SPDX-License-Identifier: Apache-2.0
 * device_owner.c - look through /proc for an open file. By device and inode, since a node may have several names. */
#include "device_owner.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_open(const char *pid, const struct stat *node)
{
	char folder[280], path[560];
	struct dirent *entry;
	struct stat st;
	bool found = false;
	DIR *dir;

	snprintf(folder, sizeof(folder), "/proc/%s/fd", pid);
	dir = opendir(folder);
	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		found = !stat(path, &st) && st.st_dev == node->st_dev && st.st_ino == node->st_ino;
	}
	if (dir)
		closedir(dir);
	return found;
}

bool device_owner(const char *node, char *text, size_t size)
{
	struct dirent *entry;
	struct stat st;
	bool found = false;
	DIR *dir = opendir("/proc");

	if (stat(node, &st)) {
		if (dir)
			closedir(dir);
		return false;
	}
	while (dir && (entry = readdir(dir))) {
		char path[280], name[32] = "?";
		long pid = strtol(entry->d_name, NULL, 10);
		FILE *comm;

		if (pid <= 0 || (found && pid == getpid()) || !has_open(entry->d_name, &st))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		comm = fopen(path, "re");
		if (comm) {
			if (fgets(name, sizeof(name), comm))
				name[strcspn(name, "\n")] = '\0';
			fclose(comm);
		}
		snprintf(text, size, "%s (pid %ld)", pid == getpid() ? "this process" : name, pid);
		found = true;
		if (pid != getpid())
			break;
	}
	if (dir)
		closedir(dir);
	return found;
}
