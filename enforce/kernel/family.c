/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Holds the tables of families and protocols, by number and word.
 */
#include "enforce/kernel/family.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Families whose accept(2) is judged. Another one is printed as its number. */
static const struct family {
	uint16_t number;
	const char *name;
} families[] = {
	{ AF_INET, "inet" },           { AF_INET6, "inet6" },   { AF_VSOCK, "vsock" }, { AF_SMC, "smc" },   { AF_TIPC, "tipc" },
	{ AF_BLUETOOTH, "bluetooth" }, { AF_LLC, "llc" },       { AF_X25, "x25" },     { AF_AX25, "ax25" }, { AF_NETROM, "netrom" },
	{ AF_ROSE, "rose" },           { AF_PHONET, "phonet" }, { AF_IUCV, "iucv" },
};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

static const struct protocol_name {
	uint16_t number;
	const char *name;
} protocols[] = { { IPPROTO_TCP, "tcp" }, { IPPROTO_MPTCP, "mptcp" }, { IPPROTO_SCTP, "sctp" }, { IPPROTO_DCCP, "dccp" } };
#define PROTOCOL_NAMES (sizeof(protocols) / sizeof(protocols[0]))

static const char *number_text(uint16_t number)
{
	static char text[8];

	snprintf(text, sizeof(text), "%u", number);
	return text;
}

const char *family_word(uint16_t family)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (families[i].number == family)
			return families[i].name;
	return number_text(family);
}

uint16_t family_number(const char *text)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (!strcmp(families[i].name, text))
			return families[i].number;
	return (uint16_t)strtoul(text, NULL, 10);
}

bool family_has_ports(uint16_t family)
{
	return family == AF_INET || family == AF_INET6 || family == AF_VSOCK;
}

const char *protocol_word(uint16_t family, uint16_t protocol)
{
	if (family != AF_INET && family != AF_INET6)
		return family_word(family);
	for (size_t i = 0; i < PROTOCOL_NAMES; i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return number_text(protocol);
}

uint16_t protocol_number(const char *text)
{
	for (size_t i = 0; i < PROTOCOL_NAMES; i++)
		if (!strcmp(protocols[i].name, text))
			return protocols[i].number;
	return (uint16_t)strtoul(text, NULL, 10);
}

const char *address_text(uint16_t family, const struct endpoint *endpoint, char *text)
{
	__u32 cid;

	if (family == AF_INET || family == AF_INET6)
		return inet_ntop(family, endpoint->address, text, ADDRESS_TEXT_MAX);
	if (family != AF_VSOCK)
		return NULL;
	memcpy(&cid, endpoint->address, sizeof(cid));
	snprintf(text, ADDRESS_TEXT_MAX, "%" PRIu32, cid);
	return text;
}
