/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verbs of sockaccept-ctl. One table (table.c) has them all: dispatch, help, completion and suggestions are made from it.
 */
#ifndef SOCKACCEPT_VERB_H
#define SOCKACCEPT_VERB_H

#include <stdbool.h>
#include <stddef.h>

#include "enforce/base/privileges.h"
#include "enforce/base/status.h"

enum verb_option {
	OPTION_JSON,
	OPTION_USER,
	OPTION_ALL,
	OPTION_FOLLOW,
	OPTION_HITS,
	OPTION_PORTS,
	OPTION_NO_WARNINGS,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_BINARY,
	OPTION_PORT,
	OPTION_VERDICT,
	OPTION_UNIT,
	OPTION_PEER,
	OPTION_LIMIT,
	OPTION_CHECKPOINT,
	OPTION_UTC,
	OPTION_LOG,
	OPTION_ROTATE_SIZE,
	OPTION_ROTATE_KEEP,
	OPTION_METRICS_FILE,
	OPTION_TOP,
	OPTION_COMPLETION,
	OPTION_BOOT,
	OPTION_OFFLINE,
	OPTION_FORCE,
	OPTION_FOR,
	OPTION_SAVE,
	OPTION_CONFIRM,
	OPTION_POLICY,
	OPTIONS,
};
#define TAKES(option) (1U << (option))

struct option_row {
	enum verb_option option;
	const char *name;     /* without the dashes */
	const char *argument; /* as the usage shows it; NULL: it takes none */
	const char *summary;
};

/* In the order in which help shows them. */
extern const struct option_row option_rows[OPTIONS];

/* One call of a verb, with its options. */
struct invocation {
	const struct verb *verb;
	char **arguments; /* without the options; ends with NULL */
	int count;
	const char *given[OPTIONS]; /* the value of an option; "" if it takes none; NULL: not given */
};

struct verb {
	const char *name;
	const char *arguments; /* as the usage shows them */
	int least, most;       /* how many it takes; most < 0: any number */
	unsigned options;      /* TAKES() of each option that it takes */
	enum privilege privilege;
	enum status (*run)(const struct invocation *invocation);
	const char *summary;
	bool changes; /* it changes the policy, and what it prints only says so */
};

extern const struct verb verbs[];
extern const size_t verb_count;

enum status verb_load(const struct invocation *invocation);
enum status verb_unload(const struct invocation *invocation);
enum status verb_rule(const struct invocation *invocation); /* allow, deny, remove */
enum status verb_list(const struct invocation *invocation);
enum status verb_status(const struct invocation *invocation);
enum status verb_refresh(const struct invocation *invocation);
enum status verb_identify(const struct invocation *invocation);
enum status verb_mode(const struct invocation *invocation);
enum status verb_audit(const struct invocation *invocation);
enum status verb_upgrade(const struct invocation *invocation);
enum status verb_daemon(const struct invocation *invocation);
enum status verb_drain(const struct invocation *invocation);
enum status verb_report(const struct invocation *invocation);
enum status verb_metrics(const struct invocation *invocation);
enum status verb_listeners(const struct invocation *invocation);
enum status verb_confirm(const struct invocation *invocation);
enum status verb_save(const struct invocation *invocation);
enum status verb_diff(const struct invocation *invocation);
enum status verb_lock(const struct invocation *invocation);
enum status verb_doctor(const struct invocation *invocation);
enum status verb_check(const struct invocation *invocation);
enum status verb_help(const struct invocation *invocation);

/* Prints the help of all verbs, to standard output. */
void help_all(void);
/* Prints the help of one verb, to standard output. */
void help_verb(const struct verb *verb);
/* Returns the verb with exactly this name, or NULL. */
const struct verb *verb_find(const char *name);
/* Prints that there is no such verb, and the nearest one. Returns STATUS_USAGE. */
enum status verb_unknown(const char *name);

#endif
