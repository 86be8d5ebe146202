/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints which servers spin on a denied accept(2) now, for `status`.
 */
#ifndef SOCKACCEPT_SPINNING_PRINT_H
#define SOCKACCEPT_SPINNING_PRINT_H

#include <stdint.h>

#include "enforce/base/output.h"
#include "enforce/kernel/kernel.h"

/*
 * Prints the servers that spin, in JSON as the array `spinning`. `repeats` is how many denials have no event of their own. Call
 * windows_close() just before, so that the events are up to date.
 */
void spinning_print(struct output *output, const struct kernel *kernel, uint64_t repeats);

#endif
