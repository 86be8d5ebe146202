/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks a policy's image about one listener, and makes its texts.
 */
#include "enforce/kernel/listener.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "enforce/kernel/family.h"

struct request listener_request(const struct listener *listener, uint64_t now)
{
	return (struct request){
		.binary = listener->binary,
		.uid = listener->socket.uid,
		.protocol = listener->socket.class,
		.port = listener->socket.local.port,
		.now = now,
	};
}

bool listener_is_refused(const struct listener *listener, const struct image *image, uint64_t now)
{
	struct request request = listener_request(listener, now);

	return listener->known && listener->socket.pid != 1 && !decide_listen(image, &request);
}

bool listener_is_denied(const struct listener *listener, const struct image *image, uint64_t now)
{
	const struct request request = listener_request(listener, now);

	return image->count && image->pages->header.mode == MODE_ENFORCE &&
	       decide_verdict(image, decide_request(image, &request)) == VERDICT_DENY;
}

const char *listener_program(const struct listener *listener, char text[LISTENER_PROGRAM_MAX])
{
	if (!listener->path || !listener->foreign)
		return listener->path ? listener->path : "a program";
	snprintf(text, LISTENER_PROGRAM_MAX, "(%s)", listener->path);
	return text;
}

const char *listener_text(const struct listener *listener, char *text)
{
	const struct listening *socket = &listener->socket;
	const char *protocol = protocol_word(socket->family, socket->protocol);
	char address[ADDRESS_TEXT_MAX];

	if (!address_text(socket->family, &socket->local, address)) { /* a family without ports */
		snprintf(text, LISTENER_TEXT_MAX, "%s", protocol);
		return text;
	}
	if (socket->family == AF_VSOCK && !strcmp(address, "4294967295"))
		strcpy(address, "*"); /* any context id */
	snprintf(text, LISTENER_TEXT_MAX, socket->family == AF_INET6 ? "[%s]:%" PRIu32 "/%s" : "%s:%" PRIu32 "/%s", address,
		 socket->local.port, protocol);
	return text;
}

void listener_clear(struct listener *listener)
{
	free(listener->path);
	free(listener->unit);
	free(listener->cgroup);
}
