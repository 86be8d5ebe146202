/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints messages on standard error, or keeps the first one for a caller that judges it.
 */
#include "enforce/base/status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "enforce/base/escape.h"
#include "policy/cleanup.h"

static bool keeping;
static char *kept;

void messages_begin(void)
{
	keeping = true;
}

char *messages_end(void)
{
	keeping = false;
	return TAKE_PTR(kept);
}

static void say(const char *prefix, const char *format, va_list arguments)
{
	_cleanup_free_ char *message = NULL;

	if (vasprintf(&message, format, arguments) < 0)
		abort();
	if (keeping) {
		if (!kept)
			kept = TAKE_PTR(message);
		return;
	}
	fputs(prefix, stderr);
	escape_print(stderr, message);
	fputc('\n', stderr);
}

enum status fail(enum status status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("sockaccept-ctl: ", format, arguments);
	va_end(arguments);
	return status;
}

void warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("sockaccept-ctl: warning: ", format, arguments);
	va_end(arguments);
}
