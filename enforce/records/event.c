/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Printing events.
 */
#include "enforce/records/event.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "enforce/base/escape.h"
#include "policy/ini.h"

const char *const event_reason_words[REASONS] = { "default", "rule", "prctl", "moved" };
const char *const event_operation_words[OPERATIONS] = { "accept", "attempt", "listen", "gated", "drained", "PR_SET_MM_MAP", "PR_SET_MM_EXE_FILE" };

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

bool event_is_about_listener(const struct event *event)
{
	return event->operation <= OPERATION_DRAINED;
}

const char *event_port(const struct event *event, char *text)
{
	const char *protocol = protocol_word(event->family, event->protocol);

	if (event->differ & DIFFER_PORT)
		snprintf(text, EVENT_PORT_MAX, "several");
	else if (!family_has_ports(event->family))
		snprintf(text, EVENT_PORT_MAX, "%s", protocol);
	else if (event->differ & (DIFFER_FAMILY | DIFFER_PROTOCOL))
		snprintf(text, EVENT_PORT_MAX, "%u", event->listener_port);
	else
		snprintf(text, EVENT_PORT_MAX, "%u/%s", event->listener_port, protocol);
	return text;
}

int64_t event_real(const struct event *event)
{
	return (int64_t)event->time_tai - when_tai_offset() * 1000000000LL;
}

/* ---------------------------------------------------------------------------------------------
 * Columns
 */

/* What fits 80 columns, with an IPv4 address. */
static const unsigned narrow[EVENT_COLUMNS] = { [COLUMN_TIME] = 14, [COLUMN_VERDICT] = 7, [COLUMN_COUNT] = 6,
						[COLUMN_BINARY] = 17, [COLUMN_PORT] = 11, [COLUMN_PEER] = 15 };
#define NARROW 80
#define PEER_AND_PORT 21

/* What comes with more room, one after the other. */
static const struct {
	enum event_column column;
	unsigned wider;
} wishes[] = { { COLUMN_PEER, PEER_AND_PORT - 15 }, { COLUMN_BINARY, 11 }, { COLUMN_USER, 8 }, { COLUMN_UNIT, 22 },
	       { COLUMN_RULE, 30 } };
#define GAP 2 /* blanks before a column, which a wish for a new one includes */

/* A terminal as wide as `width`; 0: it is none, and lines may be as long as they like. */
static void choose_columns(struct event_printer *printer, unsigned width)
{
	unsigned room = width > NARROW ? width - NARROW : 0, count = 0;

	memcpy(printer->widths, narrow, sizeof(narrow));
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]) && wishes[i].wider <= room; i++) {
		unsigned *column = &printer->widths[wishes[i].column];

		*column += *column ? wishes[i].wider : wishes[i].wider - GAP;
		room -= wishes[i].wider;
	}
	printer->widths[COLUMN_BINARY] += room;
	printer->peer_port = !width || printer->widths[COLUMN_PEER] >= PEER_AND_PORT;
	for (size_t i = 0; i < EVENT_COLUMNS; i++)
		if (printer->widths[i])
			printer->shown[count++] = printer->widths[i];
}

/* The heading of a column, or NULL: it isn't shown. */
static const char *heading(const struct event_printer *printer, enum event_column column)
{
	static const char *const headings[EVENT_COLUMNS] = { "TIME", "VERDICT", "COUNT", "BINARY", "USER",
							     "UNIT", "PORT", "PEER", "RULE" };

	if (!printer->widths[column])
		return NULL;
	return column == COLUMN_TIME && printer->utc ? "TIME (UTC)" : headings[column];
}

/* Prints a cell that has no member of JSON of its own. What is too long for the terminal is cut at its end. */
static void print_cell(struct event_printer *printer, enum event_column column, const char *text)
{
	const char *label = heading(printer, column);
	size_t width = printer->widths[column], length = text ? strlen(text) : 0;
	char cut[RULE_TEXT_MAX + sizeof(struct unit)];

	if (!label)
		return;
	if (!text || !printer->output->width || escape_width(text) <= width) {
		output_text(printer->output, NULL, label, text);
		return;
	}
	do {
		length--;
		snprintf(cut, sizeof(cut), "%.*s...", (int)length, text);
	} while (length && (escape_width(cut) > width || (text[length] & 0xc0) == 0x80));
	output_text(printer->output, NULL, label, cut);
}

/* The cell of a binary. Of a path that is too long for the terminal, the end says most. */
static void print_path(struct event_printer *printer, const char *path)
{
	unsigned width = printer->widths[COLUMN_BINARY];
	char shortened[PATH_ROOM + 8];

	if (printer->output->width && escape_width(path) > width) {
		do
			path++;
		while (escape_width(path) + 3 > width || (*path & 0xc0) == 0x80);
		snprintf(shortened, sizeof(shortened), "...%s", path);
		path = shortened;
	}
	print_cell(printer, COLUMN_BINARY, path);
}

/* ---------------------------------------------------------------------------------------------
 * Members and cells
 */

/* The nine digits of a fraction of a second. */
static void set_fraction(char *digits, unsigned nanoseconds)
{
	for (int i = 8; i >= 0; i--, nanoseconds /= 10)
		digits[i] = (char)('0' + nanoseconds % 10);
}

/* Most events are of the same second as the one before. */
static void print_time(struct event_printer *printer, const struct event *event)
{
	int64_t second = (int64_t)(event->time_tai / 1000000000U) - printer->tai_offset;

	if (second != printer->second || !printer->exact[0]) {
		printer->tai_offset = when_tai_offset();
		second = (int64_t)(event->time_tai / 1000000000U) - printer->tai_offset;
		printer->second = second;
		when_exact(second * 1000000000LL, printer->exact);
		when_short(second * 1000000000LL, printer->utc, printer->brief);
	}
	set_fraction(strchr(printer->exact, '.') + 1, (unsigned)(event->time_tai % 1000000000U));
	output_text(printer->output, "time", NULL, printer->exact);
	print_cell(printer, COLUMN_TIME, printer->brief);
}

static void print_verdict(struct event_printer *printer, const struct record *record)
{
	const struct event *event = record->event;
	bool deny = event->verdict == VERDICT_DENY, enforced = event->flags & EVENT_ENFORCED;
	struct output *output = printer->output;

	output_text(output, "verdict", NULL, ini_verdict_words[deny]);
	/* In permissive mode nothing was denied: the table must not say so. */
	output_coloured(output, NULL, heading(printer, COLUMN_VERDICT), !deny ? "allow" : enforced ? "deny" : "(deny)",
			deny ? COLOUR_BAD : COLOUR_GOOD);
	output_number(output, NULL, heading(printer, COLUMN_COUNT), event->count);
	if (event->differ & DIFFER_ENFORCED)
		output_null(output, "enforced");
	else
		output_flag(output, "enforced", NULL, enforced);
	output_text(output, "reason", NULL, event->differ & DIFFER_RULE ? NULL : event_reason_words[event->reason]);
	output_text(output, "rule", NULL, record->rule);
}

/* The last cell: why it was decided so. */
static void print_reason(struct event_printer *printer, const struct record *record)
{
	if (record->event->differ & DIFFER_RULE)
		print_cell(printer, COLUMN_RULE, "several");
	else
		print_cell(printer, COLUMN_RULE, record->rule ? record->rule : event_reason_words[record->event->reason]);
}

/* What the process itself would see says nothing certain: the table has it in brackets. */
static void print_hint(struct event_printer *printer, const char *hint)
{
	char bracketed[PATH_ROOM + 4];

	output_null(printer->output, "binary");
	output_text(printer->output, "binary_hint", NULL, hint);
	snprintf(bracketed, sizeof(bracketed), "(%s)", hint ? hint : "?");
	print_path(printer, bracketed);
}

static void print_binary(struct event_printer *printer, const struct record *record)
{
	if (record->event->differ & DIFFER_BINARY) {
		output_null(printer->output, "binary");
		print_path(printer, "several");
	} else if (!record->binary) {
		print_hint(printer, record->hint);
	} else {
		output_text(printer->output, "binary", NULL, record->binary);
		print_path(printer, record->binary);
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
	print_cell(printer, COLUMN_USER, event->differ & DIFFER_UID ? "several" : uid);
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
	print_cell(printer, COLUMN_UNIT, record->unit);
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
	/* Another one than the connection's own: TPROXY, or a BPF sk_lookup program. */
	if (event->listener_port != event->local.port && !(event->differ & DIFFER_PORT))
		output_number(output, "listener_port", NULL, event->listener_port);
}

static void print_port(struct event_printer *printer, const struct event *event)
{
	char text[EVENT_PORT_MAX];

	if (!printer->output->json)
		print_cell(printer, COLUMN_PORT, event_port(event, text));
}

/* What became of a connection that nobody asked to accept. */
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
		/* Nobody calls whom it is about: the table has the call there. */
		print_cell(printer, COLUMN_PEER, event->operation == OPERATION_LISTEN && !(event->differ & DIFFER_OPERATION) ? "(listen)" : NULL);
		return;
	}
	address_text(event->family, &event->peer, address);
	output_open_object(output, "peer");
	output_text(output, "address", NULL, address);
	output_number(output, "port", NULL, event->peer.port);
	output_close(output);
	if (output->json)
		return;
	/* That of an IPv4 client of an IPv6 listener reads better without what is before it. */
	shown = strncmp(address, "::ffff:", 7) || !strchr(address, '.') ? address : address + 7;
	if (!printer->peer_port)
		snprintf(text, sizeof(text), "%s%s", shown, peer_remark(event));
	else
		snprintf(text, sizeof(text), strchr(shown, ':') ? "[%s]:%u%s" : "%s:%u%s", shown, event->peer.port, peer_remark(event));
	print_cell(printer, COLUMN_PEER, text);
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

/* A refused prctl() has no listener. The table has its name where one looks for who was denied. */
static void print_forgery(struct event_printer *printer, const struct event *event)
{
	const char *operation = event_operation_words[event->operation];
	struct output *output = printer->output;

	output_null(output, "netns");
	print_sockfd(output, event);
	print_nulls(output, "family", "protocol", "local", "peer", "backlog", "backlog_max");
	print_cell(printer, COLUMN_PORT, "prctl");
	print_cell(printer, COLUMN_PEER, operation + strlen("PR_"));
}

void event_start(struct event_printer *printer, struct output *output, bool utc)
{
	*printer = (struct event_printer){ .output = output, .utc = utc };
	output_in_batches(output);
	choose_columns(printer, output->width);
	output_stream(output, printer->shown);
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
