/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters are in the tables of bpf/shared/port_table.h, which are mapped into memory here.
 */
#include "enforce/kernel/ports.h"

#include <errno.h>
#include <sys/mman.h>

#include "bpf/shared/port_table.h"

#define GROUPS (NAMED_PORT_GROUPS + UNNAMED_PORT_GROUPS)

static struct port_group *map_table(const struct kernel *kernel, int protection)
{
	void *memory = mmap(NULL, GROUPS * sizeof(struct port_group), protection, MAP_SHARED, kernel->fd[MAP_PORTS], 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void reserve(struct port_group *table, uint64_t key)
{
	for (unsigned choice = 0; choice < 2; choice++)
		if (port_group_place(&table[port_group_of(key, choice, true)], key) < PORT_GROUP_SLOTS)
			return;
}

int ports_reserve(const struct kernel *kernel, const struct policy *policy)
{
	struct port_group *table = map_table(kernel, PROT_READ | PROT_WRITE);

	if (!table)
		return -errno;
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct binary *named = &policy->binaries[rule->binary];
		uint32_t binary = named->waits ? BINARY_ANY : named->number; /* what waits decides nothing */

		if (rule_decides(rule) && binary != BINARY_ANY && rule->port.first && rule->port.first == rule->port.last)
			reserve(table, port_key(binary, rule->port.first, rule->verdict));
	}
	munmap(table, GROUPS * sizeof(*table));
	return 0;
}

int ports_walk(const struct kernel *kernel, void (*each)(uint64_t key, const struct tally *tally, void *context), void *context)
{
	struct port_group *table = map_table(kernel, PROT_READ);

	if (!table)
		return -errno;
	for (size_t i = 0; i < (size_t)GROUPS * PORT_GROUP_SLOTS; i++) {
		const struct port_group *group = &table[i / PORT_GROUP_SLOTS];
		uint64_t key = __atomic_load_n(&group->key[i % PORT_GROUP_SLOTS], __ATOMIC_ACQUIRE);
		struct tally tally = tally_read(&group->tally[i % PORT_GROUP_SLOTS]);

		if (key && tally.decisions)
			each(key, &tally, context);
	}
	munmap(table, GROUPS * sizeof(*table));
	return 0;
}

struct tally tally_read(const struct tally *live)
{
	struct tally tally;

	/* In this order: a decision is counted before its connection. */
	tally.connections = __atomic_load_n(&live->connections, __ATOMIC_ACQUIRE);
	tally.decisions = __atomic_load_n(&live->decisions, __ATOMIC_ACQUIRE);
	return tally;
}

uint64_t tally_attempts(const struct tally *tally)
{
	return tally->decisions > tally->connections ? tally->decisions - tally->connections : 0;
}
