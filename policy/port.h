/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Port items as text: `80`, `8000-8099`, `any`, with an optional `/tcp`, `/sctp` or `/vsock`.
 */
#ifndef SOCKACCEPT_PORT_H
#define SOCKACCEPT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/shared/image.h"

/* A port item: `80`, `8000-8099`, `any`, each with or without a protocol. */
struct port_item {
	uint16_t first;   /* 0: any port */
	uint16_t last;    /* 0 with any */
	uint8_t protocol; /* enum protocol */
};

/* Room for the text of any item, with its NUL. */
#define PORT_TEXT_MAX 24

/*
 * Reads one item from `text`, which has no blanks around it. On success, sets *item and returns NULL. Otherwise leaves *item as it
 * is, and returns a constant message: what is wrong and the remedy.
 */
const char *port_parse(const char *text, struct port_item *item);

/* Writes the item, as port_parse() reads it, into `text` of PORT_TEXT_MAX bytes. Returns `text`. */
char *port_format(const struct port_item *item, char *text);

/* Returns true if both are the same item. */
bool port_equal(const struct port_item *a, const struct port_item *b);

/* Returns true if `item` is among `items`. */
bool port_is_among(const struct port_item *item, const struct port_item *items, size_t count);

/* Returns the name of a protocol as items spell it ("tcp", ...), or "any" for PROTOCOL_ANY. */
const char *protocol_name(enum protocol protocol);

#endif
