/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is wrong with a policy, said as `file:line: what, and how to mend it`.
 */
#ifndef SOCKACCEPT_DIAGNOSTICS_H
#define SOCKACCEPT_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>

enum severity {
	SEVERITY_ERROR,
	SEVERITY_WARNING,
	SEVERITY_NOTE, /* about this machine, which isn't the one that the policy is for */
};

struct diagnostic {
	enum severity severity;
	char *file;     /* NULL: not about a file */
	unsigned line;  /* from 1; 0: about the file as a whole */
	char *message;  /* one line without its end: what is wrong; then the remedy */
};

/* Zero-initialised is empty. */
struct diagnostics {
	struct diagnostic *list;
	size_t count;
	size_t errors; /* of them, errors */
	bool offline;  /* the policy is for another machine */
};

/*
 * Adds one. `file` (may be NULL) is copied; `format` as printf's. Text from elsewhere is stored as it
 * is: who prints it escapes it. Aborts the process when there is no memory for it.
 */
void diagnostics_error(struct diagnostics *d, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void diagnostics_warning(struct diagnostics *d, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds a warning of what isn't as it should be on this machine; if `offline`, a note. */
void diagnostics_machine(struct diagnostics *d, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Warnings of one kind, of which there can be as many as binaries: the first ones are shown, the others counted.
 * Zero-initialised.
 */
struct warning_kind {
	size_t count;
	bool machine; /* they are diagnostics_machine()'s */
};

/* Counts one. Returns whether it is to be shown. */
bool warning_kind_shows(struct warning_kind *kind);

/* Ends a kind: if some were not shown, warns of "N more REST". */
void warning_kind_end(const struct warning_kind *kind, struct diagnostics *d, const char *rest);

/* Leaves only the errors: neither warnings nor notes. */
void diagnostics_drop_warnings(struct diagnostics *d);

/* Frees all and leaves `d` empty. */
void diagnostics_clear(struct diagnostics *d);

#endif
