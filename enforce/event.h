/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as lines of the audit log.
 */
#ifndef SOCKACCEPT_EVENT_H
#define SOCKACCEPT_EVENT_H

#include "enforce/kernel.h"
#include "enforce/output.h"

/* Makes `output` print events, one a line. */
void event_stream(struct output *output);

/* Prints one event (DESIGN, section 7, has the fields) and flushes. Returns 0, or -errno of the stream. */
int event_print(struct output *output, const struct kernel *kernel, const struct event *event);

#define RULE_TEXT_MAX 128
/* `web: deny any`: section, verdict and port item of a rule, into `text` of RULE_TEXT_MAX bytes; returns it. */
const char *rule_text(const struct rule_label *label, char *text);

#endif
