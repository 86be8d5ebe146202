/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The labels of a rule's metrics: no two rules of a policy have the same.
 */
#ifndef SOCKACCEPT_METRICS_LABELS_H
#define SOCKACCEPT_METRICS_LABELS_H

#include "policy/policy.h"

extern const char *const metrics_verdict_labels[VERDICTS + 1];

/* `section="web",binary="/usr/sbin/nginx",...`, to be freed. `policy` is normalised. */
char *metrics_rule_labels(const struct policy *policy, const struct rule *rule);

#endif
