/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handles IPv4 addresses as the IPv6 addresses that stand for them, so that one comparison does for both.
 */
#include "enforce/base/prefix.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define IPV4_BITS 96 /* of ::ffff:0:0/96, in which IPv4 lies */

static const char bad_address[] = "write an address, with or without the length of a prefix: 192.0.2.7, 10.0.0.0/8, fe80::/10";
static const char bad_bits[] = "the length of a prefix is up to 32 for IPv4, and up to 128 for IPv6";
static const char bits_beyond[] = "the address has bits set behind the prefix; write the first address of it, or a longer prefix";

static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff };

/* Returns true if the first `bits` bits are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	uint8_t rest = (uint8_t)(0xff00 >> (bits % 8));

	return !memcmp(a, b, bits / 8) && (!(bits % 8) || !((a[bits / 8] ^ b[bits / 8]) & rest));
}

static bool only_zeros_after(const uint8_t *address, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		if (address[i / 8] & 0x80 >> (i % 8))
			return false;
	return true;
}

const char *prefix_parse(const char *text, struct prefix *prefix)
{
	char address[INET6_ADDRSTRLEN] = "";
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct prefix parsed = { .bits = 128 };
	unsigned shift = 0;

	if (length >= sizeof(address))
		return bad_address;
	memcpy(address, text, length);
	if (inet_pton(AF_INET, address, parsed.address + 12) == 1) {
		memcpy(parsed.address, mapped, 12);
		shift = IPV4_BITS;
	} else if (inet_pton(AF_INET6, address, parsed.address) != 1) {
		return bad_address;
	}
	if (slash) {
		if (!isdigit((unsigned char)slash[1]) || strspn(slash + 1, "0123456789") != strlen(slash + 1) || strlen(slash) > 4)
			return bad_bits;
		parsed.bits = (unsigned)strtoul(slash + 1, NULL, 10) + shift;
		if (parsed.bits > 128)
			return bad_bits;
		if (!only_zeros_after(parsed.address, parsed.bits))
			return bits_beyond;
	}
	*prefix = parsed;
	return NULL;
}

bool prefix_matches(const struct prefix *prefix, unsigned family, const struct endpoint *endpoint)
{
	uint8_t address[16];

	if (family != AF_INET && family != AF_INET6)
		return false;
	memcpy(address, family == AF_INET ? mapped : endpoint->address, sizeof(address));
	if (family == AF_INET)
		memcpy(address + 12, endpoint->address, 4);
	return same_bits(address, prefix->address, prefix->bits);
}
