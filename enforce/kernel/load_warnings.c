/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets libbpf's print function, which is the only way to get its warnings.
 */
#include "enforce/kernel/load_warnings.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/text.h"

/* libbpf hands its callback no context. */
static struct load_error collected;

/* The verifier's log is in one of the warnings, and can have megabytes. */
static int keep_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	_cleanup_free_ char *warning = NULL;

	if (level != LIBBPF_WARN)
		return 0;
	if (vasprintf(&warning, format, arguments) < 0)
		abort();
	load_error_add(&collected, warning);
	return 0;
}

void load_warnings_keep(void)
{
	collected = (struct load_error){ 0 };
	libbpf_set_print(keep_message);
}

const struct load_error *load_warnings(void)
{
	return &collected;
}

char *load_warnings_text(int error)
{
	const char *program = collected.program, *reason = collected.reason, *meaning = load_error_meaning(&collected);

	return text_format("%s%s%s%s%s%s%s", program, *program ? ": " : "", strerror(-error), *reason ? ": " : "", reason,
			   meaning ? "; " : "", meaning ?: "");
}
