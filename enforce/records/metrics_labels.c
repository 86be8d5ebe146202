/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes labels that tell any two rules of a policy apart.
 */
#include "enforce/records/metrics_labels.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "enforce/base/escape.h"
#include "policy/cleanup.h"
#include "policy/port.h"
#include "policy/text.h"

const char *const metrics_verdict_labels[VERDICTS + 1] = {
	[VERDICT_ALLOW] = "verdict=\"allow\"", [VERDICT_DENY] = "verdict=\"deny\"", [VERDICT_LISTEN] = "verdict=\"listen\""
};

/* Returns the value of a label, to be freed: escaped for terminals as all text from elsewhere, and then as the format wants it. */
static char *label_value(const char *text)
{
	_cleanup_free_ char *shown = NULL;
	size_t length = 0, at = 0;
	FILE *stream = must(open_memstream(&shown, &length));
	char *value;

	escape_print(stream, text);
	fclose(stream);
	value = must(malloc(2 * length + 1));
	for (size_t i = 0; i < length; i++) {
		if (shown[i] == '\\' || shown[i] == '"')
			value[at++] = '\\';
		value[at++] = shown[i];
	}
	value[at] = '\0';
	return value;
}

/* Has all by which policy_normalise() tells two rules apart. A temporary rule can stand beside one that lasts. */
char *metrics_rule_labels(const struct policy *policy, const struct rule *rule)
{
	_cleanup_free_ char *section = label_value(rule->section), *binary = label_value(policy->binaries[rule->binary].path);
	_cleanup_free_ char *unknown = rule->unknown_user ? label_value(rule_unknown_user(policy, rule)) : NULL;
	char port[PORT_TEXT_MAX], user[16] = "any";

	if (rule->has_uid)
		snprintf(user, sizeof(user), "%" PRIu32, rule->uid);
	return text_format("section=\"%s\",binary=\"%s\",user=\"%s\",%s,ports=\"%s\"%s", section, binary, unknown ?: user,
			   metrics_verdict_labels[rule->verdict], port_format(&rule->port, port), rule->until ? ",temporary=\"yes\"" : "");
}
