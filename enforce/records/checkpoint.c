/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file is one line: the format, the boot, the kernel side, the verdicts, the numbers of the mark.
 */
#include "enforce/records/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/base/first_line.h"
#include "enforce/base/replace.h"
#include "policy/cleanup.h"
#include "policy/text.h"

#define LINE_MAX_BYTES 512

_Static_assert(VERDICTS == 2, "format() has two of each");

/* Stands in the place of the boot when nothing was read yet. */
#define NO_BOOT "none"

static char *format(unsigned verdicts, const struct log_source *at)
{
	const struct reader_mark *mark = &at->mark;

	return text_format("sockaccept-checkpoint 1 %s %" PRIu64 " %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
			   at->boot_id[0] ? at->boot_id : NO_BOOT, at->instance, verdicts, mark->seq, mark->dealt[0], mark->dealt[1],
			   mark->lost[0], mark->lost[1]);
}

/* Reads what format() writes. Returns false for any other line, however alike. */
static bool parse(const char *line, unsigned *verdicts, struct log_source *at)
{
	_cleanup_free_ char *again = NULL;
	struct reader_mark *mark = &at->mark;

	if (sscanf(line, "sockaccept-checkpoint 1 %39s %" SCNu64 " %u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
		   at->boot_id, &at->instance, verdicts, &mark->seq, &mark->dealt[0], &mark->dealt[1], &mark->lost[0], &mark->lost[1]) != 8)
		return false;
	if (!strcmp(at->boot_id, NO_BOOT))
		at->boot_id[0] = '\0';
	again = format(*verdicts, at);
	return !strcmp(again, line);
}

static enum status is_no_checkpoint(const char *path)
{
	return fail(STATUS_FAILED, "%s is no checkpoint of sockaccept-ctl audit; name another file, or remove it", path);
}

enum status checkpoint_read(const char *path, unsigned verdicts, struct log_source *at)
{
	struct log_source there = { 0 };
	char line[LINE_MAX_BYTES] = "";
	unsigned were = 0;
	int error = first_line(path, line, sizeof(line));

	*at = there;
	if (error == -ENOENT)
		return STATUS_DONE;
	if (error && error != -EINVAL)
		return fail(STATUS_FAILED, "%s: %s", path, strerror(-error));
	if (!error && !*line)
		return STATUS_DONE;
	if (error || !parse(line, &were, &there))
		return is_no_checkpoint(path);
	if (were != verdicts)
		return fail(STATUS_USAGE,
			    "%s was made with another choice of --all and --verdict; give the same, or name another "
			    "file",
			    path);
	*at = there;
	return STATUS_DONE;
}

enum status checkpoint_write(const char *path, unsigned verdicts, const struct log_source *at)
{
	_cleanup_free_ char *text = format(verdicts, at), *line = text_format("%s\n", text);
	int error = replace_file(path, line, strlen(line), 0600, true);

	if (!error)
		return STATUS_DONE;
	return fail(STATUS_FAILED, "can't write the checkpoint %s: %s; name one in a directory of root's", path, strerror(-error));
}
