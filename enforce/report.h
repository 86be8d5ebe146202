/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Diagnostics of a policy, as text and as JSON.
 */
#ifndef SOCKACCEPT_REPORT_H
#define SOCKACCEPT_REPORT_H

#include "enforce/output.h"
#include "policy/diagnostics.h"

/* Prints all to standard error, one a line: `file:line: message`, warnings marked as such. */
void report_print(const struct diagnostics *diagnostics);

/* Prints those of one severity as a JSON array under `key`. */
void report_json(struct output *output, const char *key, const struct diagnostics *diagnostics, enum severity severity);

#endif
