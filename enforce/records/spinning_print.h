/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who spins on a denied accept(2) just now, as `status` shows it.
 */
#ifndef SOCKACCEPT_SPINNING_PRINT_H
#define SOCKACCEPT_SPINNING_PRINT_H

#include <stdint.h>

#include "enforce/base/output.h"
#include "enforce/kernel/kernel.h"

/*
 * Prints them, as the array `spinning` of JSON. `repeats`: how many denials have no event of their own. Windows of repeats must have been
 * ended just before (windows_close()).
 */
void spinning_print(struct output *output, const struct kernel *kernel, uint64_t repeats);

#endif
