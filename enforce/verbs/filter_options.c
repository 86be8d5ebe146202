/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/verbs/filter_options.h"

#include <stdlib.h>
#include <string.h>

#include "enforce/base/when.h"
#include "policy/ini.h"
#include "policy/text.h"

static enum status read_times(struct filter *filter, const struct invocation *invocation)
{
	const char *since = invocation->given[OPTION_SINCE], *until = invocation->given[OPTION_UNTIL];
	struct when_now now = when_now();
	bool utc = invocation->given[OPTION_UTC];
	const char *problem;

	filter->since = INT64_MIN;
	problem = since ? when_parse(since, utc, &now, &filter->since) : NULL;
	if (problem)
		return fail(STATUS_USAGE, "--since '%s': %s", since, problem);
	problem = until ? when_parse(until, utc, &now, &filter->until) : NULL;
	if (problem)
		return fail(STATUS_USAGE, "--until '%s': %s", until, problem);
	/* `--follow --until 18:00` means a time that is still to come. */
	if (until && invocation->given[OPTION_FOLLOW] && when_is_clock(until) && strchr(until, ':'))
		filter->until += 86400 * 1000000000LL;
	filter->has_until = until;
	filter->utc = utc;
	if (until && filter->until < filter->since)
		return fail(STATUS_USAGE, "--until %s is before --since %s; exchange them", until, since);
	return STATUS_DONE;
}

static enum status read_verdict(struct filter *filter, const struct invocation *invocation)
{
	const char *word = invocation->given[OPTION_VERDICT];
	size_t verdict;

	filter->verdicts = VERDICT_BIT(VERDICT_DENY) | (invocation->given[OPTION_ALL] ? VERDICT_BIT(VERDICT_ALLOW) : 0);
	if (!word)
		return STATUS_DONE;
	verdict = word_find(word, ini_verdict_words, VERDICTS);
	if (verdict == VERDICTS)
		return fail(STATUS_USAGE, "unknown verdict '%s'; it is `allow` or `deny`", word);
	filter->verdicts = VERDICT_BIT(verdict);
	return STATUS_DONE;
}

/* The log has the file that a symbolic link leads to, while the administrator may know only the link. */
static enum status read_binary(struct filter *filter, const struct invocation *invocation)
{
	filter->binary = invocation->given[OPTION_BINARY];
	if (!filter->binary)
		return STATUS_DONE;
	if (*filter->binary != '/' && strchr(filter->binary, '/'))
		return fail(STATUS_USAGE, "--binary '%s' is neither a path from the root nor a file name alone; write /...",
			    filter->binary);
	if (*filter->binary == '/')
		filter->resolved = realpath(filter->binary, NULL);
	return STATUS_DONE;
}

static enum status read_peer(struct filter *filter, const struct invocation *invocation)
{
	const char *text = invocation->given[OPTION_PEER];
	const char *problem = text ? prefix_parse(text, &filter->peer) : NULL;

	filter->has_peer = text;
	return problem ? fail(STATUS_USAGE, "--peer '%s': %s", text, problem) : STATUS_DONE;
}

enum status filter_options_read(struct filter *filter, const struct invocation *invocation)
{
	filter->unit = invocation->given[OPTION_UNIT];
	TRY(read_times(filter, invocation));
	TRY(read_verdict(filter, invocation));
	TRY(read_binary(filter, invocation));
	TRY(port_items_read(&filter->ports, invocation->given[OPTION_PORT]));
	TRY(user_items_read(&filter->users, invocation->given[OPTION_USER]));
	return read_peer(filter, invocation);
}
