/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Families of sockets, their protocols and their addresses as text: the words of JSON, and of every table.
 */
#ifndef SOCKACCEPT_FAMILY_H
#define SOCKACCEPT_FAMILY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"

/* Returns the word for a family, such as `inet`; without one, its number, as a text that is valid until the next call. */
const char *family_word(uint16_t family);

/* Returns the family of which `text` is the word or the number. */
uint16_t family_number(const char *text);

/* Returns true if the listeners of the family have ports. */
bool family_has_ports(uint16_t family);

/*
 * Returns `tcp`, `mptcp`, `sctp` or `dccp`; of a family without protocols, its own word; otherwise the number, as a text that is
 * valid until the next call.
 */
const char *protocol_word(uint16_t family, uint16_t protocol);

/* Returns the protocol of which `text` is the word or the number. */
uint16_t protocol_number(const char *text);

/*
 * Writes the address of one end of a connection into `text`, of ADDRESS_TEXT_MAX bytes. Returns `text`, or NULL if the family's
 * addresses aren't known here.
 */
const char *address_text(uint16_t family, const struct endpoint *endpoint, char *text);
#define ADDRESS_TEXT_MAX (INET6_ADDRSTRLEN + 1)

#endif
