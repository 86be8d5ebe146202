/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/diagnostics_print.h"

#include "enforce/base/escape.h"

static void print_one(const struct diagnostic *diagnostic)
{
	if (diagnostic->file) {
		escape_print(stderr, diagnostic->file);
		if (diagnostic->line)
			fprintf(stderr, ":%u", diagnostic->line);
		fputs(": ", stderr);
	} else {
		fputs("sockaccept-ctl: ", stderr);
	}
	if (diagnostic->severity != SEVERITY_ERROR)
		fputs(diagnostic->severity == SEVERITY_NOTE ? "note: " : "warning: ", stderr);
	escape_print(stderr, diagnostic->message);
	fputc('\n', stderr);
}

void diagnostics_print(const struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		print_one(&diagnostics->list[i]);
}

void diagnostics_print_json(struct output *output, const char *key, const struct diagnostics *diagnostics, enum severity severity)
{
	output_open_array(output, key);
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *diagnostic = &diagnostics->list[i];

		if (diagnostic->severity != severity)
			continue;
		output_open_object(output, NULL);
		output_text(output, "file", NULL, diagnostic->file);
		if (diagnostic->line)
			output_number(output, "line", NULL, diagnostic->line);
		else
			output_null(output, "line");
		output_text(output, "message", NULL, diagnostic->message);
		output_close(output);
	}
	output_close(output);
}
