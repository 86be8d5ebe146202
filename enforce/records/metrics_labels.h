/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Labels of metrics.
 */
#ifndef SOCKACCEPT_METRICS_LABELS_H
#define SOCKACCEPT_METRICS_LABELS_H

#include "policy/policy.h"

/* The label of each verdict. */
extern const char *const metrics_verdict_labels[VERDICTS + 1];

/*
 * Returns the labels of a rule, `section="web",binary="/usr/sbin/nginx",...`, to be freed. No two rules of a policy have the same. `policy`
 * is normalised.
 */
char *metrics_rule_labels(const struct policy *policy, const struct rule *rule);

#endif
