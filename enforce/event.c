/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Printing events.
 */
#include "enforce/event.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "enforce/escape.h"
#include "policy/ini.h"

const char *const event_reason_words[REASONS] = { "default", "rule", "prctl" };
const char *const event_operation_words[OPERATIONS] = { "accept", "PR_SET_MM_MAP", "PR_SET_MM_EXE_FILE" };

/* Prints each of these members as null. */
static void print_null_list(struct output *output, const char *const *keys)
{
	for (; *keys; keys++)
		output_null(output, *keys);
}
#define print_nulls(output, ...) print_null_list(output, (const char *const[]){ __VA_ARGS__, NULL })

static const char *family_name(const struct event *event)
{
	switch (event->family) {
	case AF_INET:
		return "inet";
	case AF_INET6:
		return "inet6";
	default:
		return "vsock";
	}
}

const char *event_protocol(uint16_t family, uint16_t protocol)
{
	static char number[8];

	if (family == AF_VSOCK)
		return "vsock";
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_MPTCP:
		return "mptcp";
	default:
		snprintf(number, sizeof(number), "%u", protocol);
		return number;
	}
}

const char *event_address(uint16_t family, const struct endpoint *endpoint, char *text)
{
	__u32 cid;

	if (family != AF_VSOCK)
		return inet_ntop(family, endpoint->address, text, EVENT_ADDRESS_MAX);
	memcpy(&cid, endpoint->address, sizeof(cid));
	snprintf(text, EVENT_ADDRESS_MAX, "%" PRIu32, cid);
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
	if (event->flags & EVENT_MANY_BINARIES) {
		print_nulls(output, "enforced", "reason", "rule");
		return;
	}
	output_flag(output, "enforced", NULL, enforced);
	output_text(output, "reason", NULL, event_reason_words[event->reason]);
	output_text(output, "rule", NULL, record->rule);
}

/* The last cell: why it was decided so. */
static void print_reason(struct event_printer *printer, const struct record *record)
{
	if (record->event->flags & EVENT_MANY_BINARIES)
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
	if (record->event->flags & EVENT_MANY_BINARIES) {
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

	if (event->flags & EVENT_MANY_USERS) {
		print_nulls(printer->output, "uid", "gid");
		print_cell(printer, COLUMN_USER, "several");
		return;
	}
	output_number(printer->output, "uid", NULL, event->uid);
	if (event->flags & EVENT_MANY_THREADS)
		output_null(printer->output, "gid");
	else
		output_number(printer->output, "gid", NULL, event->gid);
	if (printer->output->json)
		return;
	snprintf(uid, sizeof(uid), "%u", event->uid);
	print_cell(printer, COLUMN_USER, uid);
}

static void print_caller(struct event_printer *printer, const struct record *record)
{
	const struct event *event = record->event;
	struct output *output = printer->output;
	char comm[sizeof(event->comm) + 1] = "";

	memcpy(comm, event->comm, sizeof(event->comm));
	print_binary(printer, record);
	if (event->flags & EVENT_MANY_THREADS) {
		print_nulls(output, "pid", "tid");
		print_user(printer, event);
		print_nulls(output, "comm", "cgroup_id", "unit");
	} else {
		output_number(output, "pid", NULL, event->pid);
		output_number(output, "tid", NULL, event->tid);
		print_user(printer, event);
		output_text(output, "comm", NULL, comm);
		output_number(output, "cgroup_id", NULL, event->cgroup_id);
		output_text(output, "unit", NULL, record->unit);
	}
	print_cell(printer, COLUMN_UNIT, record->unit);
}

static void print_endpoint(struct output *output, const char *key, const struct event *event,
			   const struct endpoint *endpoint)
{
	char address[EVENT_ADDRESS_MAX];

	output_open_object(output, key);
	output_text(output, "address", NULL, event->flags & EVENT_MANY_PEERS ? NULL : event_address(event->family, endpoint, address));
	output_number(output, "port", NULL, endpoint->port);
	output_close(output);
}

static void print_peer(struct event_printer *printer, const struct event *event)
{
	char address[EVENT_ADDRESS_MAX] = "", text[EVENT_ADDRESS_MAX + 16];
	const char *shown;

	if (!(event->flags & EVENT_HAS_PEER)) {
		output_null(printer->output, "peer");
		print_cell(printer, COLUMN_PEER, NULL);
		return;
	}
	print_endpoint(printer->output, "peer", event, &event->peer);
	if (printer->output->json)
		return;
	event_address(event->family, &event->peer, address);
	/* That of an IPv4 client of an IPv6 listener reads better without what is before it. */
	shown = strncmp(address, "::ffff:", 7) || !strchr(address, '.') ? address : address + 7;
	snprintf(text, sizeof(text), strchr(shown, ':') ? "[%s]:%u" : "%s:%u", shown, event->peer.port);
	print_cell(printer, COLUMN_PEER, printer->peer_port ? text : shown);
}

/* Of repeats on several listeners there is nothing but the port to say. */
static void print_listeners(struct event_printer *printer, const struct event *event)
{
	bool port = !(event->flags & EVENT_MANY_BINARIES);
	struct output *output = printer->output;
	char number[16];

	print_nulls(output, "netns", "sockfd", "family", "protocol");
	output_open_object(output, "local");
	output_null(output, "address");
	if (port)
		output_number(output, "port", NULL, event->local.port);
	else
		output_null(output, "port");
	output_close(output);
	print_nulls(output, "peer", "backlog", "backlog_max");
	snprintf(number, sizeof(number), "%u", event->local.port);
	print_cell(printer, COLUMN_PORT, port ? number : "several");
	print_cell(printer, COLUMN_PEER, NULL);
}

static void print_listener(struct event_printer *printer, const struct event *event)
{
	struct output *output = printer->output;
	char port[32];
	const char *protocol = event_protocol(event->family, event->protocol);

	output_number(output, "netns", NULL, event->netns);
	if (event->flags & EVENT_MANY_THREADS)
		output_null(output, "sockfd");
	else
		output_signed(output, "sockfd", NULL, event->sockfd);
	output_text(output, "family", NULL, family_name(event));
	output_text(output, "protocol", NULL, protocol);
	print_endpoint(output, "local", event, &event->local);
	if (!output->json) {
		snprintf(port, sizeof(port), "%u/%s", event->local.port, protocol);
		print_cell(printer, COLUMN_PORT, port);
	}
	print_peer(printer, event);
	output_number(output, "backlog", NULL, event->backlog);
	output_number(output, "backlog_max", NULL, event->backlog_max);
}

/* A refused prctl() has no listener. The table has its name where one looks for who was denied. */
static void print_forgery(struct event_printer *printer, const struct event *event)
{
	const char *operation = event_operation_words[event->operation];
	struct output *output = printer->output;

	output_null(output, "netns");
	output_signed(output, "sockfd", NULL, event->sockfd);
	print_nulls(output, "family", "protocol", "local", "peer", "backlog", "backlog_max");
	output_text(output, "operation", NULL, operation);
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
	if (event->flags & EVENT_MANY_BINARIES)
		output_null(output, "generation");
	else
		output_number(output, "generation", NULL, event->generation);
	print_verdict(printer, record);
	print_caller(printer, record);
	if (event->flags & EVENT_MANY_BINARIES ||
	    (event->operation == OPERATION_ACCEPT && event->flags & EVENT_MANY_LISTENERS))
		print_listeners(printer, event);
	else if (event->operation == OPERATION_ACCEPT)
		print_listener(printer, event);
	else
		print_forgery(printer, event);
	print_reason(printer, record);
	output_number(output, "count", NULL, event->count);
	output_close(output);
	return output_line(output);
}
