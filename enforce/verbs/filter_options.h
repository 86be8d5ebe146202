/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options by which `audit` and `report` choose events.
 */
#ifndef SOCKACCEPT_FILTER_OPTIONS_H
#define SOCKACCEPT_FILTER_OPTIONS_H

#include "enforce/records/filter.h"
#include "enforce/verbs/verb.h"

/*
 * Reads the options of `invocation` into `filter`. Prints what is wrong, and returns STATUS_USAGE then. The caller clears `filter` in any
 * case.
 */
enum status filter_options_read(struct filter *filter, const struct invocation *invocation);

#endif
