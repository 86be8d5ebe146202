/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints the diagnostics of a policy, as text and as JSON.
 */
#ifndef SOCKACCEPT_DIAGNOSTICS_PRINT_H
#define SOCKACCEPT_DIAGNOSTICS_PRINT_H

#include "enforce/base/output.h"
#include "policy/diagnostics.h"

/* Prints all of them to standard error, one a line: `file:line: message`, with warnings and notes marked as such. */
void diagnostics_print(const struct diagnostics *diagnostics);

/* Prints those of one severity as a JSON array under `key`. */
void diagnostics_print_json(struct output *output, const char *key, const struct diagnostics *diagnostics, enum severity severity);

#endif
