/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parses lines with jansson; where that would be too slow, compares text.
 */
#include "enforce/records/log_line.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "enforce/base/when.h"
#include "enforce/kernel/family.h"
#include "enforce/records/event.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/text.h"

void log_boot_id(char id[BOOT_ID_MAX])
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, id, BOOT_ID_MAX - 1);
	unsigned random[2];

	id[length > 0 ? length : 0] = '\0';
	id[strcspn(id, "\n")] = '\0';
	/* The settings of a service can hide the file. Then this boot must not be taken for one that is in the log. */
	if (!id[0] && getrandom(random, sizeof(random), 0) == sizeof(random))
		snprintf(id, BOOT_ID_MAX, "unknown-%08x%08x", random[0], random[1]);
}

/* ---------------------------------------------------------------------------------------------
 * Sources
 */

struct log_source log_source_of(uint64_t instance)
{
	struct log_source source = { .instance = instance };

	log_boot_id(source.boot_id);
	return source;
}

bool log_same_source(const struct log_source *a, const struct log_source *b)
{
	return a->instance == b->instance && !strcmp(a->boot_id, b->boot_id);
}

static const char *const dealt_keys[VERDICTS] = { [VERDICT_ALLOW] = "allow", [VERDICT_DENY] = "deny" };
static const char *const lost_keys[VERDICTS] = { [VERDICT_ALLOW] = "lost_allow", [VERDICT_DENY] = "lost_deny" };
static const char *const missed_keys[VERDICTS] = { [VERDICT_ALLOW] = "missed_allow", [VERDICT_DENY] = "missed_deny" };

void log_line_print_source(struct output *output, const struct log_source *source, const uint64_t missed[VERDICTS])
{
	uint64_t sum = missed[VERDICT_ALLOW] + missed[VERDICT_DENY];
	char time[WHEN_TEXT_MAX];

	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	if (sum) {
		output_number(output, "missed", NULL, sum);
		for (int verdict = 0; verdict < VERDICTS; verdict++)
			output_number(output, missed_keys[verdict], NULL, missed[verdict]);
	}
	output_text(output, "time", NULL, when_exact(source->real, time));
	output_open_object(output, "source");
	output_text(output, "boot_id", NULL, source->boot_id);
	output_number(output, "instance", NULL, source->instance);
	output_signed(output, "uptime_ns", NULL, source->boot);
	output_number(output, "seq", NULL, source->mark.seq);
	for (int verdict = 0; verdict < VERDICTS; verdict++) {
		output_number(output, dealt_keys[verdict], NULL, source->mark.dealt[verdict]);
		output_number(output, lost_keys[verdict], NULL, source->mark.lost[verdict]);
		output_number(output, missed_keys[verdict], NULL, source->missed[verdict]);
	}
	output_close(output);
	output_close(output);
	output_line(output);
}

static const char *text_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

/* Returns false if there is no such number, or if it is negative. */
static bool read_number(const json_t *object, const char *key, uint64_t *number)
{
	const json_t *value = json_object_get(object, key);

	*number = (uint64_t)json_integer_value(value);
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool read_source(const json_t *object, struct log_source *source)
{
	const char *boot_id = text_of(object, "boot_id");
	uint64_t boot;
	bool ok = boot_id && strlen(boot_id) < BOOT_ID_MAX && read_number(object, "instance", &source->instance) &&
		  read_number(object, "uptime_ns", &boot) && read_number(object, "seq", &source->mark.seq);

	for (int verdict = 0; verdict < VERDICTS && ok; verdict++)
		ok = read_number(object, dealt_keys[verdict], &source->mark.dealt[verdict]) &&
		     read_number(object, lost_keys[verdict], &source->mark.lost[verdict]) &&
		     read_number(object, missed_keys[verdict], &source->missed[verdict]);
	if (!ok)
		return false;
	source->boot = (int64_t)boot;
	memcpy(source->boot_id, boot_id, strlen(boot_id) + 1);
	return true;
}

/* ---------------------------------------------------------------------------------------------
 * Events
 */

/* Returns the place of the text under `key` in `words`; `count` if it isn't there. */
static unsigned word_of(const json_t *object, const char *key, const char *const *words, size_t count)
{
	const char *text = text_of(object, key);

	return (unsigned)(text ? word_find(text, words, count) : count);
}

static bool read_endpoint(const json_t *object, const struct event *event, struct endpoint *endpoint)
{
	const char *address = text_of(object, "address");
	uint64_t port;

	if (!object || json_is_null(object))
		return false;
	if (read_number(object, "port", &port))
		endpoint->port = (__u32)port;
	if (address && event->family == AF_VSOCK)
		memcpy(endpoint->address, &(__u32){ (__u32)strtoul(address, NULL, 10) }, sizeof(__u32));
	else if (address)
		inet_pton(event->family, address, endpoint->address);
	return true;
}

/* Finds what is null because the repeats differ in it. Other differences leave no trace that a record needs. */
static void read_differences(const json_t *json, struct event *event)
{
	static const struct {
		const char *key;
		__u32 difference;
	} members[] = { { "generation", DIFFER_GENERATION },
			{ "operation", DIFFER_OPERATION },
			{ "enforced", DIFFER_ENFORCED },
			{ "reason", DIFFER_RULE },
			{ "uid", DIFFER_UID } };
	const json_t *local = json_object_get(json, "local");

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (json_is_null(json_object_get(json, members[i].key)))
			event->differ |= members[i].difference;
	if (json_is_null(json_object_get(json, "binary")) && !json_object_get(json, "binary_hint"))
		event->differ |= DIFFER_BINARY;
	if (json_is_null(local) || !local)
		return;
	if (json_is_null(json_object_get(json, "family")))
		event->differ |= DIFFER_FAMILY;
	if (json_is_null(json_object_get(json, "protocol")))
		event->differ |= DIFFER_PROTOCOL;
	if (json_is_null(json_object_get(local, "address")))
		event->differ |= DIFFER_ADDRESS;
	if (json_is_null(json_object_get(local, "port")) && (!event->family || family_has_ports(event->family)))
		event->differ |= DIFFER_PORT;
}

static void read_listener(const json_t *json, struct event *event)
{
	const char *family = text_of(json, "family"), *protocol = text_of(json, "protocol");
	uint64_t port;

	event->family = family ? family_number(family) : 0;
	event->protocol = protocol ? protocol_number(protocol) : 0;
	read_endpoint(json_object_get(json, "local"), event, &event->local);
	event->listener_port = read_number(json, "listener_port", &port) ? (__u32)port : event->local.port;
	if (read_endpoint(json_object_get(json, "peer"), event, &event->peer))
		event->flags |= EVENT_HAS_PEER;
}

static bool read_event(const json_t *json, struct log_line *line)
{
	struct event *event = &line->event;
	uint64_t uid = 0, count = 0, seq = 0, generation = 0;
	unsigned verdict = word_of(json, "verdict", ini_verdict_words, VERDICTS);
	unsigned reason = word_of(json, "reason", event_reason_words, REASONS);

	if (!read_number(json, "seq", &seq) || !read_number(json, "count", &count) || verdict >= VERDICTS)
		return false;
	read_number(json, "uid", &uid);
	read_number(json, "generation", &generation);
	event->seq = seq;
	event->generation = generation;
	event->time_tai = (uint64_t)(line->real + when_tai_offset() * 1000000000LL);
	event->verdict = (__u8)verdict;
	event->reason = reason < REASONS ? (__u8)reason : REASON_DEFAULT;
	event->count = (__u32)count;
	event->uid = (__u32)uid;
	/* Earlier versions left `operation` out of an accept. */
	event->operation = (__u8)(word_of(json, "operation", event_operation_words, OPERATIONS) % OPERATIONS);
	if (json_is_true(json_object_get(json, "enforced")))
		event->flags |= EVENT_ENFORCED;
	read_listener(json, event);
	read_differences(json, event);
	if (!event->family && event_is_about_listener(event) && !(event->differ & (DIFFER_FAMILY | DIFFER_OPERATION)))
		return false;
	line->record = (struct record){ .event = event,
					.binary = text_of(json, "binary"),
					.hint = text_of(json, "binary_hint"),
					.unit = text_of(json, "unit"),
					.rule = text_of(json, "rule") };
	return true;
}

/* ---------------------------------------------------------------------------------------------
 * Lines
 */

static enum log_line_kind read_kind(struct log_line *line)
{
	const char *time = text_of(line->json, "time");
	const json_t *source = json_object_get(line->json, "source");
	uint64_t schema = 0, sum;

	if (!read_number(line->json, "schema", &schema) || schema != 1 || !time || !when_read_exact(time, &line->real))
		return LOG_LINE_OTHER;
	if (!source)
		return read_event(line->json, line) ? LOG_LINE_EVENT : LOG_LINE_OTHER;
	line->source.real = line->real;
	if (!read_source(source, &line->source))
		return LOG_LINE_OTHER;
	if (!read_number(line->json, "missed", &sum))
		return LOG_LINE_SOURCE;
	for (int verdict = 0; verdict < VERDICTS; verdict++)
		read_number(line->json, missed_keys[verdict], &line->missed[verdict]);
	return LOG_LINE_MISSED;
}

void log_line_read(struct log_line *line, const char *text, size_t length)
{
	json_error_t error;

	*line = (struct log_line){ .json = json_loadb(text, length, 0, &error) };
	line->kind = read_kind(line);
	line->record.event = &line->event;
}

void log_line_clear(struct log_line *line)
{
	json_decref(line->json);
	line->json = NULL;
}

void log_line_count(const struct log_line *line, struct log_source *source)
{
	if (line->kind == LOG_LINE_SOURCE || line->kind == LOG_LINE_MISSED) {
		*source = line->source;
	} else if (line->kind == LOG_LINE_EVENT) {
		source->mark.seq = line->event.seq + 1;
		source->mark.dealt[line->event.verdict & (VERDICTS - 1)]++;
	}
}

/* Compares with how log_line_print_source() begins a line. */
bool log_line_is_source(const char *text, size_t length)
{
	static const char source[] = "{\"schema\":1,\"time\":", missed[] = "{\"schema\":1,\"missed\":";

	return (length > sizeof(source) && !memcmp(text, source, sizeof(source) - 1)) ||
	       (length > sizeof(missed) && !memcmp(text, missed, sizeof(missed) - 1));
}

bool log_line_read_source(const char *text, size_t length, struct log_source *source)
{
	struct log_line line;
	bool is_source;

	if (!log_line_is_source(text, length))
		return false;
	log_line_read(&line, text, length);
	is_source = line.kind == LOG_LINE_SOURCE || line.kind == LOG_LINE_MISSED;
	*source = line.source;
	log_line_clear(&line);
	return is_source;
}

/* Returns what stands behind `key` in the line; NULL if it isn't there. */
static const char *behind(const char *text, const char *end, const char *key)
{
	const char *found = memmem(text, (size_t)(end - text), key, strlen(key));

	return found ? found + strlen(key) : NULL;
}

bool log_line_find_pair(const char *text, size_t length, const char **binary, size_t *binary_length, unsigned *port)
{
	static const char listener[] = "},\"listener_port\":";
	char *rest;
	const char *end = text + length, *path = behind(text, end, ",\"binary\":\""), *local, *number;

	if (!path)
		return false;
	*binary = path - 1;
	while (path < end && *path != '"')
		path += *path == '\\' ? 2 : 1;
	local = path < end ? behind(path, end, ",\"local\":{") : NULL;
	number = local ? behind(local, end, "\"port\":") : NULL;
	if (!number || *number < '0' || *number > '9')
		return false;
	*binary_length = (size_t)(path + 1 - *binary);
	*port = (unsigned)strtoul(number, &rest, 10);
	/* If the line has this member, rules are about it. */
	if (end - rest > (ptrdiff_t)strlen(listener) && !strncmp(rest, listener, strlen(listener)))
		*port = (unsigned)strtoul(rest + strlen(listener), NULL, 10);
	return true;
}
