/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Weighs warnings against each other: a verifier's log tells most, a warning about a consequence least.
 */
#include "enforce/kernel/load_error.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LOG_BEGINS "-- BEGIN PROG LOAD LOG --"
#define LOG_ENDS "-- END PROG LOAD LOG --"

#define IS_REALTIME "this is a real-time kernel (PREEMPT_RT), which refuses what other kernels allow; boot one that is not real-time"
#define LACKS_HOOK "this kernel lacks that security hook; use one with CONFIG_BPF_LSM=y and CONFIG_SECURITY_NETWORK=y, as Debian's"

/* What a part of a reason means. The first part that is found in the reason counts. */
static const struct {
	const char *part, *meaning;
} meanings[] = {
	{ "PREEMPT_RT", IS_REALTIME },
	{ "struct mptcp_sock", "this kernel has no MPTCP; use one with CONFIG_MPTCP=y, as Debian's" },
	{ "skc_v6_", "this kernel has no IPv6; use one with CONFIG_IPV6=y, as Debian's" },
	{ "skc_net", "this kernel has no network namespaces; use one with CONFIG_NET_NS=y, as Debian's" },
	{ "dfl_cgrp", "this kernel has no control groups; use one with CONFIG_CGROUPS=y, as Debian's" },
	{ "struct css_set", "this kernel has no control groups; use one with CONFIG_CGROUPS=y, as Debian's" },
	{ "struct tcp_sock", "this kernel has no TCP; use one with CONFIG_INET=y, as Debian's" },
	{ "BTF type ID of 'socket_", LACKS_HOOK },
	{ "BTF type ID of 'sock_", LACKS_HOOK },
	{ "BTF type ID of 'inet_conn_", LACKS_HOOK },
	{ "BTF type ID of 'sb_", LACKS_HOOK },
	{ "BTF type ID of 'task_", LACKS_HOOK },
	{ "BTF type ID of 'bprm_", LACKS_HOOK },
	{ "kernel BTF type ID of", "this kernel has no such function that a program can be attached to; use one of Debian's from 6.1 on" },
	{ "CO-RE relocation",
	  "this kernel has no such field, as it was built without what the field is for; use one of Debian's from 6.1 on" },
};

/* ---------------------------------------------------------------------------------------------
 * Picking the line
 */

static bool begins_with(const char *line, const char *beginning)
{
	return !strncmp(line, beginning, strlen(beginning));
}

/* Returns true for the verifier's statistics, and for the line that ends its log. */
static bool is_statistics(const char *line)
{
	return begins_with(line, "processed ") || begins_with(line, "verification time ") || begins_with(line, "stack depth ") ||
	       begins_with(line, LOG_ENDS);
}

static void keep_line(char *to, size_t size, const char *line, size_t length)
{
	while (length && strchr(" \t\r\n.", line[length - 1]))
		length--;
	if (length >= size)
		length = size - 1;
	memcpy(to, line, length);
	to[length] = '\0';
}

/* Sets *line to the last line of the log before the statistics: it says what the verifier refuses. Returns its length, 0 if none. */
static size_t last_line(const char *log, const char **line)
{
	size_t last = 0;

	while (*log) {
		size_t length = strcspn(log, "\n");

		if (strspn(log, " \t\r") < length && !is_statistics(log)) {
			*line = log;
			last = length;
		}
		log += length;
		log += *log == '\n';
	}
	return last;
}

/* Returns true if the warning only says that something failed, while another one says why. */
static bool is_consequence(const char *warning)
{
	static const char *const parts[] = { "Retrying without BTF",
					     "failed to load object",
					     "failed to load BPF skeleton",
					     "': failed to load: ",
					     "failed to prepare load attributes",
					     "BPF program load failed" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(warning, parts[i]))
			return true;
	return false;
}

static void keep_program(struct load_error *error, const char *warning)
{
	const char *name = begins_with(warning, "prog '") ? warning + strlen("prog '") : NULL;

	error->program[0] = '\0';
	if (name)
		keep_line(error->program, sizeof(error->program), name, strcspn(name, "'"));
}

void load_error_add(struct load_error *error, const char *warning)
{
	const char *line = warning += begins_with(warning, "libbpf: ") ? strlen("libbpf: ") : 0, *log = strstr(warning, LOG_BEGINS);
	size_t length = log ? last_line(log + strlen(LOG_BEGINS), &line) : strcspn(warning, "\n");
	unsigned weight = log ? 3 : is_consequence(warning) ? 1 : 2;

	if (!length || weight < error->weight)
		return;
	error->weight = weight;
	keep_line(error->reason, sizeof(error->reason), line, length);
	keep_program(error, warning);
}

/* ---------------------------------------------------------------------------------------------
 * Explaining it
 */

const char *load_error_meaning(const struct load_error *error)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strstr(error->reason, meanings[i].part))
			return meanings[i].meaning;
	return NULL;
}
