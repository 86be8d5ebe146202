/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child process looks, as a path can lead to a file system that doesn't answer, and the log must not wait for that.
 *
 * It answers 'y' and a text for each path that leads elsewhere, or 'n' and why it can't tell; each text ends with a NUL.
 */
#include "enforce/change/path_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enforce/base/when.h"
#include "enforce/change/change_lock.h"
#include "enforce/kernel/live.h"
#include "enforce/kernel/locked.h"
#include "enforce/kernel/moved.h"
#include "policy/cleanup.h"

#define SECOND 1000000000LL
#define EVERY_NS (5 * SECOND)
#define SHARE 10 /* at most one part of so many of the time is spent on looking */
/* Commands that change the policy wait at most this long for a look. */
#define KEEP_LOCK_NS SECOND
#define LATE_NS (20 * SECOND)
/* Warn of at most this many paths one by one. */
#define LINES_MAX 20

/* ---------------------------------------------------------------------------------------------
 * The child
 */

static enum status find(struct moved *moved)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_policy_ struct policy policy = POLICY_INIT;
	uint64_t layout = SOCKACCEPT_LAYOUT;

	TRY(kernel_layout(&layout));
	/* The kernel side of another version is for that version's daemon. */
	if (layout != SOCKACCEPT_LAYOUT)
		return STATUS_NOT_LOADED;
	TRY(kernel_open(&kernel, false, true));
	TRY(live_read(&kernel, &policy));
	return moved_find(&kernel, &policy, moved);
}

static void answer(int to)
{
	_cleanup_moved_ struct moved moved = { .seen_only = true };
	_cleanup_fclose_ FILE *stream = fdopen(to, "w");
	_cleanup_free_ char *message = NULL;
	enum status status;

	if (!stream)
		return;
	messages_begin();
	status = find(&moved);
	message = messages_end();
	fputc(status == STATUS_DONE ? 'y' : 'n', stream);
	for (size_t i = 0; i < moved.count && status == STATUS_DONE; i++) {
		fputs(moved.list[i], stream);
		fputc('\0', stream);
	}
	if (status != STATUS_DONE && status != STATUS_NOT_LOADED && message)
		fputs(message, stream);
	fputc('\0', stream);
}

static void begin(struct path_watch *watch)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return;
	watch->child = fork();
	if (!watch->child) {
		/* Commands that wait for the lock must not wait for a file system. */
		if (watch->lock >= 0)
			close(watch->lock);
		close(ends[0]);
		answer(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	watch->answer = ends[0];
	fcntl(watch->answer, F_SETFL, O_NONBLOCK);
	watch->began = when_now().boot;
}

/* ---------------------------------------------------------------------------------------------
 * Its answer
 */

static bool was_said(const struct path_watch *watch, const char *text)
{
	for (const char *said = watch->said; said && said < watch->said + watch->said_bytes; said += strlen(said) + 1)
		if (!strcmp(said, text))
			return true;
	return false;
}

/* Warns of each path that leads elsewhere, unless it did so in the look before. */
static void take_texts(struct path_watch *watch, const char *texts, size_t bytes)
{
	size_t lines = 0, more = 0;

	watch->count = 0;
	for (const char *text = texts; text < texts + bytes && *text; text += strlen(text) + 1) {
		watch->count++;
		if (was_said(watch, text))
			continue;
		if (lines++ < LINES_MAX)
			warn("%s", text);
		else
			more++;
	}
	if (more)
		warn("%zu more paths lead elsewhere; see: sockaccept-ctl status", more);
	if (lines && locked_or_frozen())
		warn("the policy is locked: it can be refreshed only by the next boot");
	free(watch->said);
	watch->said = must(malloc(bytes));
	memcpy(watch->said, texts, bytes);
	watch->said_bytes = bytes;
}

static void take_answer(struct path_watch *watch)
{
	bool whole = watch->bytes > 1 && !watch->text[watch->bytes - 1];

	if (whole && watch->text[0] == 'y') {
		take_texts(watch, watch->text + 1, watch->bytes - 1);
		watch->failed = false;
		return;
	}
	watch->count = -1;
	if (whole && watch->text[1] && !watch->failed) {
		warn("can't tell whether the paths of rules lead where they did: %s", watch->text + 1);
		watch->failed = true;
	}
}

/* Returns true when the answer is complete. */
static bool read_answer(struct path_watch *watch)
{
	char block[4096];
	ssize_t length;

	while ((length = read(watch->answer, block, sizeof(block))) > 0) {
		watch->text = must(realloc(watch->text, watch->bytes + (size_t)length));
		memcpy(watch->text + watch->bytes, block, (size_t)length);
		watch->bytes += (size_t)length;
	}
	return !length || (errno != EAGAIN && errno != EINTR);
}

static void drop_lock(struct path_watch *watch)
{
	if (watch->lock >= 0)
		close(watch->lock);
	watch->lock = -1;
}

static void end(struct path_watch *watch)
{
	drop_lock(watch);
	close(watch->answer);
	watch->answer = -1;
	free(watch->text);
	watch->text = NULL;
	watch->bytes = 0;
	watch->child = 0;
}

static void go_on(struct path_watch *watch)
{
	int64_t took = when_now().boot - watch->began;

	if (read_answer(watch)) {
		waitpid(watch->child, NULL, 0);
		take_answer(watch);
		end(watch);
		watch->at = when_now().boot + (took * SHARE > EVERY_NS ? took * SHARE : EVERY_NS);
		return;
	}
	if (took > KEEP_LOCK_NS)
		drop_lock(watch);
	if (took > LATE_NS && !watch->failed) {
		warn("a file system that the path of a rule leads to doesn't answer; which paths lead elsewhere isn't known meanwhile");
		watch->failed = true;
		watch->count = -1;
	}
}

void path_watch(struct path_watch *watch)
{
	if (watch->child > 0) {
		go_on(watch);
		return;
	}
	/* Children that were killed: nobody waited for them, as they can take long to end. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (when_now().boot < watch->at)
		return;
	/* A command that changes the policy comes first; above all `lock`, which needs that nobody else has it open. */
	if (!change_lock_try(&watch->lock) && watch->lock >= 0) {
		drop_lock(watch);
		return;
	}
	begin(watch);
	if (watch->child > 0)
		return;
	/* No descriptor or no process is left: try later. */
	if (watch->answer >= 0)
		end(watch);
	drop_lock(watch);
	watch->child = 0;
	watch->at = when_now().boot + EVERY_NS;
}

void path_watch_clear(struct path_watch *watch)
{
	if (watch->child > 0) {
		kill(watch->child, SIGKILL);
		end(watch);
	}
	free(watch->said);
	*watch = (struct path_watch)PATH_WATCH_INIT;
}
