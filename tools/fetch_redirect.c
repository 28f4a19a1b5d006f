/* SPDX-License-Identifier: Apache-2.0
 * fetch_redirect - preloaded into programs that fetch.sh unpacked: what they look for by name in /usr/share or /usr/lib they
 * find below $HF_FETCH_ROOT, if it is there. Only for reading. Some programs have such names compiled in (nextpnr its chip
 * databases, QEMU its firmware); the system may have none, or those of another version.
 *
 * Covers the calls that the C library exports for opening and examining files; a program that makes system calls of its
 * own is not reached. No state, so threads do not matter. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#undef open
#undef openat
#undef fopen
#undef stat
#undef lstat
#undef fstatat

/* The next definition of NAME, that of the C library; looked up at each call, which costs less than the call itself. */
#define NEXT(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))

typedef int (*open_fn)(const char *, int, ...);
typedef int (*openat_fn)(int, const char *, int, ...);
typedef FILE *(*fopen_fn)(const char *, const char *);
typedef int (*stat_fn)(const char *, struct stat *);
typedef int (*fstatat_fn)(int, const char *, struct stat *, int);
typedef int (*statx_fn)(int, const char *, int, unsigned, struct statx *);
typedef int (*access_fn)(const char *, int);
typedef DIR *(*opendir_fn)(const char *);
typedef void *(*dlopen_fn)(const char *, int);

/* Returns path, or its place below the root, written into buffer, if something is there. errno stays as it was. */
static const char *redirect(const char *path, char buffer[PATH_MAX])
{
	const char *root = getenv("HF_FETCH_ROOT");
	long there;
	int saved, n;

	if (!root || !*root || !path || (strncmp(path, "/usr/share/", 11) != 0 && strncmp(path, "/usr/lib/", 9) != 0))
		return path;
	n = snprintf(buffer, PATH_MAX, "%s%s", root, path);
	if (n < 0 || n >= PATH_MAX)
		return path;
	saved = errno;
	there = syscall(SYS_faccessat, AT_FDCWD, buffer, F_OK);
	errno = saved;
	return there == 0 ? buffer : path;
}

/* Only what is opened for reading moves. */
static const char *for_reading(const char *path, int flags, char buffer[PATH_MAX])
{
	return (flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT) ? redirect(path, buffer) : path;
}

static mode_t mode_of(int flags, va_list arguments)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                                                          \
	int name(const char *path, int flags, ...)                                          \
	{                                                                                   \
		char buffer[PATH_MAX];                                                      \
		va_list arguments;                                                          \
		mode_t mode;                                                                \
                                                                                            \
		va_start(arguments, flags);                                                 \
		mode = mode_of(flags, arguments);                                           \
		va_end(arguments);                                                          \
		return NEXT(open_fn, #name)(for_reading(path, flags, buffer), flags, mode); \
	}
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                     \
	int name(int directory, const char *path, int flags, ...)                                        \
	{                                                                                                \
		char buffer[PATH_MAX];                                                                   \
		va_list arguments;                                                                       \
		mode_t mode;                                                                             \
                                                                                                         \
		va_start(arguments, flags);                                                              \
		mode = mode_of(flags, arguments);                                                        \
		va_end(arguments);                                                                       \
		return NEXT(openat_fn, #name)(directory, for_reading(path, flags, buffer), flags, mode); \
	}
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                                                       \
	FILE *name(const char *path, const char *mode)                                                    \
	{                                                                                                 \
		char buffer[PATH_MAX];                                                                    \
                                                                                                          \
		return NEXT(fopen_fn, #name)(strpbrk(mode, "wa+") ? path : redirect(path, buffer), mode); \
	}
FOPEN(fopen)
FOPEN(fopen64)

#define STAT(name)                                                       \
	int name(const char *path, struct stat *st)                      \
	{                                                                \
		char buffer[PATH_MAX];                                   \
                                                                         \
		return NEXT(stat_fn, #name)(redirect(path, buffer), st); \
	}
STAT(stat)
STAT(lstat)

int fstatat(int directory, const char *path, struct stat *st, int flags)
{
	char buffer[PATH_MAX];

	return NEXT(fstatat_fn, "fstatat")(directory, redirect(path, buffer), st, flags);
}

/* The same structure by another name, on all 64-bit machines. stat64() is declared with a type of its own: by assembler name. */
int stat64_(const char *path, struct stat *st) __asm__("stat64");
int lstat64_(const char *path, struct stat *st) __asm__("lstat64");
int fstatat64_(int directory, const char *path, struct stat *st, int flags) __asm__("fstatat64");
int stat64_(const char *path, struct stat *st)
{
	return stat(path, st);
}
int lstat64_(const char *path, struct stat *st)
{
	return lstat(path, st);
}
int fstatat64_(int directory, const char *path, struct stat *st, int flags)
{
	return fstatat(directory, path, st, flags);
}

int statx(int directory, const char *path, int flags, unsigned mask, struct statx *st)
{
	char buffer[PATH_MAX];

	return NEXT(statx_fn, "statx")(directory, redirect(path, buffer), flags, mask, st);
}

int access(const char *path, int mode)
{
	char buffer[PATH_MAX];

	return NEXT(access_fn, "access")(mode & W_OK ? path : redirect(path, buffer), mode);
}

DIR *opendir(const char *path)
{
	char buffer[PATH_MAX];

	return NEXT(opendir_fn, "opendir")(redirect(path, buffer));
}

void *dlopen(const char *path, int flags)
{
	char buffer[PATH_MAX];

	return NEXT(dlopen_fn, "dlopen")(redirect(path, buffer), flags);
}
