/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the files of the lasting log by their names, as this program and logrotate name them.
 */
#include "enforce/records/log_names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/cleanup.h"

#define GZIP ".gz"

/* How names of compressed files end. Files of gzip are read, the others are left out. */
static const char *const suffixes[] = { GZIP, ".xz", ".zst", ".bz2", ".lz4", ".lzma", ".Z" };

static bool is_suffix(const char *text)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (!strcmp(text, suffixes[i]))
			return true;
	return false;
}

/*
 * Returns how old the file `name` is; 0 if it isn't a file of the log. audit.log is the newest, then come .0, .1, .2, then
 * -20261125, each compressed or not. Sets *suffix to how the name of a compressed file ends, else to "".
 */
static unsigned long age_of(const char *name, const char *log, const char **suffix)
{
	size_t length = strlen(log);
	const char *rest = name + length, *digits = rest + 1;

	*suffix = "";
	if (strncmp(name, log, length) != 0)
		return 0;
	if (!*rest)
		return 1;
	length = strspn(digits, "0123456789");
	*suffix = digits + length;
	if (!length || length > 18 || (**suffix && !is_suffix(*suffix)))
		return 0;
	if (*rest == '.')
		return 2 + strtoul(digits, NULL, 10);
	return *rest == '-' ? ULONG_MAX - strtoul(digits, NULL, 10) : 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct log_name *first = a, *second = b;
	int order = (first->age < second->age) - (first->age > second->age);

	/* Of two files with the same number, the compressed one was rotated first. */
	return order ? order : strcmp(second->text, first->text);
}

static void add_name(struct log_names *names, const char *name, unsigned long age, bool foreign)
{
	names->list = must(reallocarray(names->list, names->count + 1, sizeof(*names->list)));
	names->list[names->count++] = (struct log_name){ must(strdup(name)), age, foreign };
}

int log_names_find(int directory, const char *log, struct log_names *names)
{
	int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	if (!stream && errno == EACCES) {
		if (!faccessat(directory, log, F_OK, AT_SYMLINK_NOFOLLOW))
			add_name(names, log, 1, false);
		return 0;
	}
	if (!stream)
		return -errno;
	while ((entry = readdir(stream))) {
		const char *suffix;
		unsigned long age = age_of(entry->d_name, log, &suffix);

		if (age)
			add_name(names, entry->d_name, age, *suffix && strcmp(suffix, GZIP) != 0);
	}
	closedir(stream);
	if (names->count)
		qsort(names->list, names->count, sizeof(*names->list), compare_names);
	return 0;
}

void log_names_clear(struct log_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i].text);
	free(names->list);
	*names = (struct log_names){ 0 };
}

bool log_name_is_packed(const char *name)
{
	size_t length = strlen(name), suffix = strlen(GZIP);

	return length > suffix && !strcmp(name + length - suffix, GZIP);
}

bool log_name_is_packed_form(const char *packed, const char *text)
{
	size_t length = strlen(text);

	return !strncmp(packed, text, length) && !strcmp(packed + length, GZIP);
}
