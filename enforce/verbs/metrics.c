/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * metrics: prints what is counted, for a monitoring system.
 */
#include <stdio.h>

#include "enforce/records/metrics.h"
#include "enforce/verbs/verb.h"

enum status verb_metrics(const struct invocation *invocation)
{
	return metrics_print(stdout, invocation->given[OPTION_LOG]);
}
