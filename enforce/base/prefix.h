/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prefixes of addresses.
 */
#ifndef SOCKACCEPT_PREFIX_H
#define SOCKACCEPT_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/shared/sockaccept.h"

/* An address prefix. That of IPv4 is kept as one of IPv6: ::ffff:192.0.2.0/120. */
struct prefix {
	uint8_t address[16];
	unsigned bits;
};

/*
 * Reads an address with or without `/BITS`. On success fills *prefix and returns NULL, otherwise a constant sentence on
 * what is wrong.
 */
const char *prefix_parse(const char *text, struct prefix *prefix);

/* True if the address of `endpoint`, of this family, has the prefix. */
bool prefix_matches(const struct prefix *prefix, unsigned family, const struct endpoint *endpoint);

#endif
