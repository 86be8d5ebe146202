/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads prefixes of addresses, and compares addresses with them.
 */
#ifndef SOCKACCEPT_PREFIX_H
#define SOCKACCEPT_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"

/* A prefix of addresses. A prefix of IPv4 is kept as one of IPv6: ::ffff:192.0.2.0/120. */
struct prefix {
	uint8_t address[16];
	unsigned bits;
};

/* Reads an address with or without `/BITS` into *prefix. Returns NULL, or a constant sentence that says what is wrong. */
const char *prefix_parse(const char *text, struct prefix *prefix);

/* Returns true if the address of `endpoint`, of this family, has the prefix. */
bool prefix_matches(const struct prefix *prefix, unsigned family, const struct endpoint *endpoint);

#endif
