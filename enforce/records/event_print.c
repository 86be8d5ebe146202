/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints an event. Each function below prints some members of the JSON object, and the cells of the table that say the same.
 */
#include "enforce/records/event_print.h"

#include <stdio.h>
#include <string.h>

#include "enforce/kernel/family.h"
#include "enforce/records/event.h"
#include "policy/ini.h"

/* Prints each of these members as null. */
static void print_null_list(struct output *output, const char *const *keys)
{
	for (; *keys; keys++)
		output_null(output, *keys);
}
#define print_nulls(output, ...) print_null_list(output, (const char *const[]){ __VA_ARGS__, NULL })

/* Prints a number; null if the event is of repeats that differ in it. */
static void print_common(struct output *output, const char *key, const struct event *event, __u32 difference, uint64_t number)
{
	if (event->differ & difference)
		output_null(output, key);
	else
		output_number(output, key, NULL, number);
}

static void cell(struct event_printer *printer, enum event_column column, const char *text)
{
	event_cell(&printer->columns, printer->output, column, text);
}

static void path_cell(struct event_printer *printer, const char *path)
{
	event_cell_path(&printer->columns, printer->output, path);
}

/* Writes a fraction of a second as nine digits. */
static void set_fraction(char *digits, unsigned nanoseconds)
{
	for (int i = 8; i >= 0; i--, nanoseconds /= 10)
		digits[i] = (char)('0' + nanoseconds % 10);
}

/* Keeps the texts of a second: most events are of the same second as the one before. */
static void print_time(struct event_printer *printer, const struct event *event)
{
	int64_t second = (int64_t)(event->time_tai / 1000000000U) - printer->tai_offset;

	if (second != printer->second || !printer->exact[0]) {
		printer->tai_offset = when_tai_offset();
		second = (int64_t)(event->time_tai / 1000000000U) - printer->tai_offset;
		printer->second = second;
		when_exact(second * 1000000000LL, printer->exact);
		when_short(second * 1000000000LL, printer->columns.utc, printer->brief);
	}
	set_fraction(strchr(printer->exact, '.') + 1, (unsigned)(event->time_tai % 1000000000U));
	output_text(printer->output, "time", NULL, printer->exact);
	cell(printer, COLUMN_TIME, printer->brief);
}

static void print_verdict(struct event_printer *printer, const struct record *record)
{
	const struct event *event = record->event;
	bool deny = event->verdict == VERDICT_DENY, enforced = event->flags & EVENT_ENFORCED;
	struct output *output = printer->output;

	output_text(output, "verdict", NULL, ini_verdict_words[deny]);
	/* In permissive mode nothing is denied: the table must not say so. */
	output_coloured(output, NULL, event_heading(&printer->columns, COLUMN_VERDICT),
			!deny    ? "allow" :
			enforced ? "deny" :
				   "(deny)",
			deny ? COLOUR_BAD : COLOUR_GOOD);
	output_number(output, NULL, event_heading(&printer->columns, COLUMN_COUNT), event->count);
	if (event->differ & DIFFER_ENFORCED)
		output_null(output, "enforced");
	else
		output_flag(output, "enforced", NULL, enforced);
	output_text(output, "reason", NULL, event->differ & DIFFER_RULE ? NULL : event_reason_words[event->reason]);
	output_text(output, "rule", NULL, record->rule);
}

/* Prints the last cell: why it was decided so. */
static void print_reason(struct event_printer *printer, const struct record *record)
{
	if (record->event->differ & DIFFER_RULE)
		cell(printer, COLUMN_RULE, "several");
	else
		cell(printer, COLUMN_RULE, record->rule ? record->rule : event_reason_words[record->event->reason]);
}

/* Prints the path as the process sees it. It isn't certain: the table has it in brackets. */
static void print_hint(struct event_printer *printer, const char *hint)
{
	char bracketed[PATH_ROOM + 4];

	output_null(printer->output, "binary");
	output_text(printer->output, "binary_hint", NULL, hint);
	snprintf(bracketed, sizeof(bracketed), "(%s)", hint ? hint : "?");
	path_cell(printer, bracketed);
}

static void print_binary(struct event_printer *printer, const struct record *record)
{
	if (record->event->differ & DIFFER_BINARY) {
		output_null(printer->output, "binary");
		path_cell(printer, "several");
	} else if (!record->binary) {
		print_hint(printer, record->hint);
	} else {
		output_text(printer->output, "binary", NULL, record->binary);
		path_cell(printer, record->binary);
	}
}

static void print_user(struct event_printer *printer, const struct event *event)
{
	char uid[16];

	print_common(printer->output, "uid", event, DIFFER_UID, event->uid);
	print_common(printer->output, "gid", event, DIFFER_GID, event->gid);
	if (printer->output->json)
		return;
	snprintf(uid, sizeof(uid), "%u", event->uid);
	cell(printer, COLUMN_USER, event->differ & DIFFER_UID ? "several" : uid);
}

static void print_caller(struct event_printer *printer, const struct record *record)
{
	const struct event *event = record->event;
	struct output *output = printer->output;
	char comm[sizeof(event->comm) + 1] = "";

	memcpy(comm, event->comm, sizeof(event->comm));
	print_binary(printer, record);
	print_common(output, "pid", event, DIFFER_PID, event->pid);
	print_common(output, "tid", event, DIFFER_TID, event->tid);
	print_user(printer, event);
	output_text(output, "comm", NULL, event->differ & DIFFER_COMM ? NULL : comm);
	print_common(output, "cgroup_id", event, DIFFER_CGROUP, event->cgroup_id);
	output_text(output, "unit", NULL, record->unit);
	cell(printer, COLUMN_UNIT, record->unit);
}

static void print_sockfd(struct output *output, const struct event *event)
{
	if (event->differ & DIFFER_SOCKFD)
		output_null(output, "sockfd");
	else
		output_signed(output, "sockfd", NULL, event->sockfd);
}

static void print_local(struct output *output, const struct event *event)
{
	bool known = !(event->differ & (DIFFER_FAMILY | DIFFER_ADDRESS));
	char address[ADDRESS_TEXT_MAX];

	output_open_object(output, "local");
	output_text(output, "address", NULL, known ? address_text(event->family, &event->local, address) : NULL);
	if (family_has_ports(event->family))
		print_common(output, "port", event, DIFFER_PORT, event->local.port);
	else
		output_null(output, "port");
	output_close(output);
	/* The listener may have another port than the connection: TPROXY, or a BPF sk_lookup program. */
	if (event->listener_port != event->local.port && !(event->differ & DIFFER_PORT))
		output_number(output, "listener_port", NULL, event->listener_port);
}

static void print_port(struct event_printer *printer, const struct event *event)
{
	char text[EVENT_PORT_MAX];

	if (!printer->output->json)
		cell(printer, COLUMN_PORT, event_port(event, text));
}

/* Returns what became of a connection that no accept(2) asked for, or "". */
static const char *peer_remark(const struct event *event)
{
	if (event->differ & DIFFER_OPERATION)
		return "";
	return event->operation == OPERATION_GATED ? " (gated)" : event->operation == OPERATION_DRAINED ? " (drained)" : "";
}

static void print_peer(struct event_printer *printer, const struct event *event)
{
	char address[ADDRESS_TEXT_MAX] = "", text[ADDRESS_TEXT_MAX + 32];
	struct output *output = printer->output;
	const char *shown;

	if (!(event->flags & EVENT_HAS_PEER)) {
		output_null(output, "peer");
		/* A listen(2) has no peer: the table names the call instead. */
		cell(printer, COLUMN_PEER, event->operation == OPERATION_LISTEN && !(event->differ & DIFFER_OPERATION) ? "(listen)" : NULL);
		return;
	}
	address_text(event->family, &event->peer, address);
	output_open_object(output, "peer");
	output_text(output, "address", NULL, address);
	output_number(output, "port", NULL, event->peer.port);
	output_close(output);
	if (output->json)
		return;
	/* The address of an IPv4 client of an IPv6 listener reads better without its prefix. */
	shown = strncmp(address, "::ffff:", 7) || !strchr(address, '.') ? address : address + 7;
	if (!printer->columns.peer_port)
		snprintf(text, sizeof(text), "%s%s", shown, peer_remark(event));
	else
		snprintf(text, sizeof(text), strchr(shown, ':') ? "[%s]:%u%s" : "%s:%u%s", shown, event->peer.port, peer_remark(event));
	cell(printer, COLUMN_PEER, text);
}

static void print_listener(struct event_printer *printer, const struct event *event)
{
	struct output *output = printer->output;

	print_common(output, "netns", event, DIFFER_NETNS, event->netns);
	print_sockfd(output, event);
	output_text(output, "family", NULL, event->differ & DIFFER_FAMILY ? NULL : family_word(event->family));
	if (event->differ & (DIFFER_FAMILY | DIFFER_PROTOCOL))
		output_null(output, "protocol");
	else
		output_text(output, "protocol", NULL, protocol_word(event->family, event->protocol));
	print_local(output, event);
	print_port(printer, event);
	print_peer(printer, event);
	print_common(output, "backlog", event, DIFFER_BACKLOG, event->backlog);
	print_common(output, "backlog_max", event, DIFFER_BACKLOG_MAX, event->backlog_max);
}

/* A refused prctl() has no listener. The table names the call in the column of the peer, where readers look for who was denied. */
static void print_forgery(struct event_printer *printer, const struct event *event)
{
	const char *operation = event_operation_words[event->operation];
	struct output *output = printer->output;

	output_null(output, "netns");
	print_sockfd(output, event);
	print_nulls(output, "family", "protocol", "local", "peer", "backlog", "backlog_max");
	cell(printer, COLUMN_PORT, "prctl");
	cell(printer, COLUMN_PEER, operation + strlen("PR_"));
}

void event_start(struct event_printer *printer, struct output *output, bool utc)
{
	*printer = (struct event_printer){ .output = output };
	output_in_batches(output);
	event_columns_choose(&printer->columns, output->width, utc);
	output_stream(output, printer->columns.shown);
}

int event_print(struct event_printer *printer, const struct record *record)
{
	const struct event *event = record->event;
	struct output *output = printer->output;

	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	output_number(output, "seq", NULL, event->seq);
	print_time(printer, event);
	print_common(output, "generation", event, DIFFER_GENERATION, event->generation);
	print_verdict(printer, record);
	print_caller(printer, record);
	if (event_is_about_listener(event) || event->differ & DIFFER_OPERATION)
		print_listener(printer, event);
	else
		print_forgery(printer, event);
	print_reason(printer, record);
	output_text(output, "operation", NULL, event->differ & DIFFER_OPERATION ? NULL : event_operation_words[event->operation]);
	output_number(output, "count", NULL, event->count);
	output_close(output);
	return output_line(output);
}
