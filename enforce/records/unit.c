/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the system unit of a cgroup in the map in which the hook notes their names.
 */
#include "enforce/records/unit.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

/* The units that can have processes (systemd.unit(5)), except slices, which don't come here. A cgroup of another name is no unit. */
static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

static bool is_unit(const char *name)
{
	const char *suffix = strrchr(name, '.');

	for (size_t i = 0; suffix && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (!strcmp(suffix, suffixes[i]))
			return true;
	return false;
}

const char *unit_name(const struct kernel *kernel, uint64_t cgroup, char *name)
{
	struct unit unit;

	if (!cgroup || bpf_map_lookup_elem(kernel->fd[MAP_UNITS], &cgroup, &unit))
		return NULL;
	unit.name[sizeof(unit.name) - 1] = '\0';
	/* systemd puts a `_` before a name that the kernel could use for a file of its own (cg_escape). */
	snprintf(name, sizeof(unit.name), "%s", unit.name + (unit.name[0] == '_'));
	return is_unit(name) ? name : NULL;
}
