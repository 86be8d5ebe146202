/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Says what a policy file can hold: the path of a binary, the name of a section.
 */
#include "policy/ini.h"

#include <string.h>
#include <strings.h>

#include "policy/cleanup.h"
#include "policy/program.h"
#include "policy/text.h"

/* Looks for C0, DEL, and C1 as UTF-8 spells it. */
static bool has_control(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			return true;
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), wanted = strlen(end);

	return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* Says what is wrong with a name without a slash, and names the program that root's shell would run. */
static char *name_a_path(const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (strcasecmp(name, "any") == 0)
		return text_format("unknown binary '%s'; write any in lower case", name);
	path = program_on_path(name);
	if (path)
		return text_format("'%s' is not an absolute path; write %s", name, path);
	return text_format("'%s' is not an absolute path; write it in full, such as /usr/sbin/%s", name, name);
}

static char *check_absolute(const char *path)
{
	if (path[0] == '/')
		return NULL;
	if (path[0] == '"' || path[0] == '\'')
		return text_format("path %s begins with a quote; write it without", path);
	if (strchr(path, '/'))
		return text_format("'%s' is not an absolute path; begin it with /", path);
	return name_a_path(path);
}

char *ini_check_path(const char *path)
{
	size_t length = strlen(path);

	if (strcmp(path, "any") == 0)
		return NULL;
	if (!length)
		return text_format("the path is empty; write it in full, or any");
	if (has_control(path))
		return text_format("a control character in a path; make a symbolic link without it and name that");
	if (length > BINARY_PATH_MAX)
		return text_format("a path of %zu bytes, and %d is the most; make a symbolic link and name that", length, BINARY_PATH_MAX);
	if (path[0] != '/')
		return check_absolute(path);
	if (ends_with(path, "/") || ends_with(path, "/.") || ends_with(path, "/.."))
		return text_format("'%s' is a directory; name the file in it", path);
	if (strstr(path, ", /") || strstr(path, ",/"))
		return text_format("'%s' looks like two paths; give each a 'binary =' of its own", path);
	if (strpbrk(path, "*?"))
		return text_format("'%s' looks like a pattern; name each binary", path);
	if (strstr(path, " ;") || strstr(path, " #") || ends_with(path, " "))
		return text_format("'%s' has in it what ends a value; make a symbolic link and name that", path);
	return NULL;
}

const char *ini_check_section(const char *name)
{
	size_t length = strlen(name);

	if (!length)
		return "a section without a name; put one between the brackets";
	if (length > SECTION_MAX)
		return "a section name over 49 bytes, which inih would cut; shorten it";
	if (has_control(name))
		return "a control character in a section name; drop it";
	if (name[0] == ' ' || name[length - 1] == ' ')
		return "a blank around a section name; write [name]";
	if (strchr(name, ']') || strstr(name, " ;") || strstr(name, " #"))
		return "a section name with ']', ' ;' or ' #' in it; choose another";
	return NULL;
}
_Static_assert(SECTION_MAX == 49, "ini_check_section() says so");
