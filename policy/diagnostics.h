/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists what is wrong with a policy: each entry is printed as `file:line: what is wrong; how to fix it`.
 */
#ifndef SOCKACCEPT_DIAGNOSTICS_H
#define SOCKACCEPT_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>

enum severity {
	SEVERITY_ERROR,
	SEVERITY_WARNING,
	SEVERITY_NOTE, /* about this machine, when the policy is for another one */
};

struct diagnostic {
	enum severity severity;
	char *file;    /* NULL: it is not about a file */
	unsigned line; /* from 1; 0: about the file as a whole */
	char *message; /* one line without its end: what is wrong; then the remedy */
};

/* Zero-initialised is empty. */
struct diagnostics {
	struct diagnostic *list;
	size_t count;
	size_t errors; /* of them, errors */
	bool offline;  /* the policy is for another machine */
};

/*
 * Adds an error or a warning. Copies `file`, which may be NULL. `format` is that of printf(3). Text from elsewhere is stored as it
 * is: whoever prints it escapes it. Aborts without memory.
 */
void diagnostics_error(struct diagnostics *d, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void diagnostics_warning(struct diagnostics *d, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds a warning about this machine: something isn't as the policy needs it. Adds a note instead if the policy is `offline`. */
void diagnostics_machine(struct diagnostics *d, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Warnings of one kind, of which there can be as many as binaries: the first ones are shown, and the others counted.
 * Starts zero-initialised.
 */
struct warning_kind {
	size_t count;
	bool machine; /* they are about this machine: diagnostics_machine() */
};

/* Counts a warning. Returns true if it is to be shown. */
bool warning_kind_shows(struct warning_kind *kind);

/* Ends a kind. If some were not shown, adds a warning "N more REST". */
void warning_kind_end(const struct warning_kind *kind, struct diagnostics *d, const char *rest);

/* Removes the warnings and notes, and keeps the errors. */
void diagnostics_drop_warnings(struct diagnostics *d);

/* Frees what it holds, and leaves it empty. */
void diagnostics_clear(struct diagnostics *d);
#define _cleanup_diagnostics_ __attribute__((cleanup(diagnostics_clear)))

#endif
