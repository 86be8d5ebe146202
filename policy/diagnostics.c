/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists what is wrong with a policy.
 */
#include "policy/diagnostics.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/grow.h"
#include "policy/text.h"

#define WARNINGS_SHOWN 20

static void add(struct diagnostics *d, enum severity severity, const char *file, unsigned line, const char *format, va_list arguments)
	__attribute__((format(printf, 5, 0)));

static void add(struct diagnostics *d, enum severity severity, const char *file, unsigned line, const char *format, va_list arguments)
{
	const struct diagnostic diagnostic = {
		.severity = severity,
		.file = file ? must(strdup(file)) : NULL,
		.line = line,
		.message = text_format_list(format, arguments),
	};

	APPEND(d->list, d->count, diagnostic);
	if (severity == SEVERITY_ERROR)
		d->errors++;
}

void diagnostics_error(struct diagnostics *d, const char *file, unsigned line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(d, SEVERITY_ERROR, file, line, format, arguments);
	va_end(arguments);
}

void diagnostics_warning(struct diagnostics *d, const char *file, unsigned line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(d, SEVERITY_WARNING, file, line, format, arguments);
	va_end(arguments);
}

void diagnostics_machine(struct diagnostics *d, const char *file, unsigned line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(d, d->offline ? SEVERITY_NOTE : SEVERITY_WARNING, file, line, format, arguments);
	va_end(arguments);
}

bool warning_kind_shows(struct warning_kind *kind)
{
	return kind->count++ < WARNINGS_SHOWN;
}

void warning_kind_end(const struct warning_kind *kind, struct diagnostics *d, const char *rest)
{
	if (kind->count <= WARNINGS_SHOWN)
		return;
	if (kind->machine)
		diagnostics_machine(d, NULL, 0, "%zu more %s", kind->count - WARNINGS_SHOWN, rest);
	else
		diagnostics_warning(d, NULL, 0, "%zu more %s", kind->count - WARNINGS_SHOWN, rest);
}

static void free_one(struct diagnostic *diagnostic)
{
	free(diagnostic->file);
	free(diagnostic->message);
}

void diagnostics_drop_warnings(struct diagnostics *d)
{
	struct diagnostics kept = { 0 };

	for (size_t i = 0; i < d->count; i++) {
		if (d->list[i].severity == SEVERITY_ERROR)
			APPEND(kept.list, kept.count, d->list[i]);
		else
			free_one(&d->list[i]);
	}
	free(d->list);
	kept.errors = d->errors;
	kept.offline = d->offline;
	*d = kept;
}

void diagnostics_clear(struct diagnostics *d)
{
	for (size_t i = 0; i < d->count; i++)
		free_one(&d->list[i]);
	free(d->list);
	*d = (struct diagnostics){ 0 };
}
