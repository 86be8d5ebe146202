/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When the file was removed, the events since the last look that found its name right are written again. Older lines went with the file,
 * as whoever removed it wanted. A file that somebody has put in its place, or one that was rotated meanwhile, may have some of those
 * events: then it goes on behind them.
 */
#include "enforce/records/log_watch.h"

#include <inttypes.h>
#include <stdlib.h>

#include "enforce/base/when.h"
#include "policy/cleanup.h"

/* Returns where to go on. `end` is where the log ends now. */
static const struct log_source *start_of(const struct log_watch *watch, const struct log_keeper *keeper, const struct log_source *end)
{
	const struct log_source *now = &keeper->source, *looked = &watch->looked;

	if (log_same_source(end, now) && (keeper->writer.target.size || !log_same_source(looked, now) || end->mark.seq > looked->mark.seq))
		return end;
	return looked;
}

static void say_failed(struct log_watch *watch, const struct log_keeper *keeper, const char *message)
{
	if (!watch->failed)
		warn("%s was removed, moved or replaced, and can't be opened anew: %s; going on in the old file",
		     keeper->writer.target.path, message);
	watch->failed = true;
}

static void go_on(struct log_watch *watch, struct log_keeper *keeper)
{
	_cleanup_free_ char *message = NULL;
	struct log_source end;
	bool removed;
	enum status status;

	messages_begin();
	status = log_begin_anew(&keeper->writer, &end, &removed);
	message = messages_end();
	if (status != STATUS_DONE) {
		say_failed(watch, keeper, message);
		return;
	}
	if (message)
		warn("%s", message);
	watch->missed = watch->failed = false;
	if (!removed) {
		warn("%s was moved, and no SIGHUP came; going on in the file that has this name now", keeper->writer.target.path);
		return;
	}
	if (!keeper->kernel || log_keep_again(keeper, start_of(watch, keeper, &end)) != STATUS_DONE) {
		warn("%s was removed or replaced; going on in the file that has this name now", keeper->writer.target.path);
		return;
	}
	warn("%s was removed or replaced; going on in the file that has this name now, with the events of the last %" PRId64 " s",
	     keeper->writer.target.path, (int64_t)((when_now().boot - watch->looked_at) / 1000000000LL));
}

void log_watch(struct log_watch *watch, struct log_keeper *keeper)
{
	if (log_target_has_name(&keeper->writer.target)) {
		watch->missed = watch->failed = false;
		if (log_keep_place(keeper, &watch->looked))
			watch->looked_at = when_now().boot;
	} else if (watch->missed) {
		go_on(watch, keeper);
	} else {
		watch->missed = true;
	}
}
