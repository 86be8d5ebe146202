/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be said of an event: its words, its port, its time.
 */
#ifndef SOCKACCEPT_EVENT_H
#define SOCKACCEPT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"

/* The words of JSON for enum reason and enum operation. */
extern const char *const event_reason_words[REASONS];
extern const char *const event_operation_words[OPERATIONS];

/* Returns true if the event is about accept(2) or listen(2): it has a listener. */
bool event_is_about_listener(const struct event *event);

#define EVENT_PORT_MAX 32
/*
 * Writes the port that rules are about, `80/tcp`, into `text` of EVENT_PORT_MAX bytes, and returns it. Of repeats, writes what
 * they have in common.
 */
const char *event_port(const struct event *event, char *text);

/* Returns the event's time, ns since 1970, as the clock was set then. */
int64_t event_real(const struct event *event);

#endif
