/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads port items from text, and writes them.
 */
#include "policy/port.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PORT_HIGHEST 65535U
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static const char *const protocol_names[] = {
	[PROTOCOL_ANY] = "any",
	[PROTOCOL_TCP] = "tcp",
	[PROTOCOL_SCTP] = "sctp",
	[PROTOCOL_VSOCK] = "vsock",
};
_Static_assert(LENGTH(protocol_names) == PROTOCOLS, "each protocol has a name");

static const char no_port[] = "not a port; write a number such as 80, a range such as 8000-8099, or any";
static const char out_of_range[] = "out of range; ports go from 1 to 65535";
static const char high_vsock[] = "out of range; VSOCK ports above 65535 match only any/vsock";
static const char leading_zero[] = "a number with a leading zero; write it without";
static const char half_range[] = "half a range; give both ends, such as 8000-8099";
static const char backward_range[] = "a range that ends before it begins; swap its ends";
static const char unknown_protocol[] = "unknown protocol; write /tcp, /sctp or /vsock";
static const char datagrams[] = "a protocol without accept(2); write /tcp, /sctp or /vsock";
static const char blank_inside[] = "one port item has no blanks in it; put a comma between two";
static const char upper_case[] = "unknown word; write any in lower case";

static const char *parse_number(const char *text, size_t length, uint16_t *port)
{
	unsigned value = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return no_port;
		if (value <= PORT_HIGHEST)
			value = value * 10 + (unsigned)(text[i] - '0');
	}
	if (value < 1 || value > PORT_HIGHEST)
		return out_of_range;
	if (text[0] == '0')
		return leading_zero;
	*port = (uint16_t)value;
	return NULL;
}

static const char *parse_range(const char *text, size_t length, struct port_item *item)
{
	const char *dash = memchr(text, '-', length);
	size_t before, after;
	const char *problem;

	if (length == 3 && strncmp(text, "any", 3) == 0) {
		item->first = item->last = 0;
		return NULL;
	}
	if (length == 3 && strncasecmp(text, "any", 3) == 0)
		return upper_case;
	if (length == 0)
		return no_port;

	if (!dash) {
		problem = parse_number(text, length, &item->first);
		item->last = item->first;
		return problem;
	}
	before = (size_t)(dash - text);
	after = length - before - 1;
	if (!before || !after)
		return half_range;
	problem = parse_number(text, before, &item->first);
	if (!problem)
		problem = parse_number(dash + 1, after, &item->last);
	if (!problem && item->first > item->last)
		problem = backward_range;
	return problem;
}

static const char *parse_protocol(const char *text, uint8_t *protocol)
{
	for (uint8_t p = PROTOCOL_ANY + 1; p < PROTOCOLS; p++) {
		if (strcmp(text, protocol_names[p]) == 0) {
			*protocol = p;
			return NULL;
		}
	}
	if (strcasecmp(text, "udp") == 0)
		return datagrams;
	return unknown_protocol;
}

const char *port_parse(const char *text, struct port_item *item)
{
	struct port_item parsed = { .protocol = PROTOCOL_ANY };
	const char *slash = strchr(text, '/');
	const char *problem;

	if (strpbrk(text, " \t"))
		return blank_inside;
	problem = parse_range(text, slash ? (size_t)(slash - text) : strlen(text), &parsed);
	if (problem == out_of_range && slash && strcmp(slash, "/vsock") == 0)
		problem = high_vsock;
	if (!problem && slash)
		problem = parse_protocol(slash + 1, &parsed.protocol);
	if (!problem)
		*item = parsed;
	return problem;
}

char *port_format(const struct port_item *item, char *text)
{
	int length;

	if (item->first == 0)
		length = snprintf(text, PORT_TEXT_MAX, "any");
	else if (item->first == item->last)
		length = snprintf(text, PORT_TEXT_MAX, "%u", item->first);
	else
		length = snprintf(text, PORT_TEXT_MAX, "%u-%u", item->first, item->last);
	if (item->protocol != PROTOCOL_ANY)
		snprintf(text + length, PORT_TEXT_MAX - (size_t)length, "/%s", protocol_name(item->protocol));
	return text;
}

const char *protocol_name(enum protocol protocol)
{
	return protocol_names[protocol];
}

bool port_equal(const struct port_item *a, const struct port_item *b)
{
	return a->first == b->first && a->last == b->last && a->protocol == b->protocol;
}

bool port_is_among(const struct port_item *item, const struct port_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (port_equal(&items[i], item))
			return true;
	return false;
}
