/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/lockout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "enforce/base/when.h"
#include "enforce/change/denied_listeners.h"
#include "enforce/change/way_in.h"
#include "enforce/kernel/listeners.h"
#include "policy/cleanup.h"

static bool is_in_own_netns(const struct listener *listener)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) || st.st_ino == listener->socket.netns;
}

/* ---------------------------------------------------------------------------------------------
 * Before and after
 */

/*
 * Returns true if the policy of `image` denies the listener, in mode enforce. An image without pages means that nothing is in force.
 * Returns false if it isn't known what the listener's program is.
 */
static bool denies(const struct image *image, const struct listener *listener, uint64_t now)
{
	return listener->known && listener_is_denied(listener, image, now);
}

/*
 * Returns true if `holder` is systemd and another process has the socket too: systemd keeps the sockets that it makes, and the service
 * accepts.
 */
static bool only_keeps(const struct listeners *listeners, const struct listener *holder)
{
	if (holder->socket.pid != 1)
		return false;
	for (size_t i = 0; i < listeners->count; i++)
		if (&listeners->list[i] != holder && listeners->list[i].socket.socket == holder->socket.socket)
			return true;
	return false;
}

/* Returns true if nobody who has this socket may accept on it. Of a master and its workers, which share a socket, one is enough. */
static bool is_cut_off(const struct listeners *listeners, const struct listener *listener, const struct image *image, uint64_t now)
{
	for (size_t i = 0; i < listeners->count; i++) {
		const struct listener *holder = &listeners->list[i];

		if (holder->socket.socket == listener->socket.socket && !only_keeps(listeners, holder) && !denies(image, holder, now))
			return false;
	}
	return true;
}

struct change {
	const struct listeners *listeners;
	const struct image *before, *after;
	const struct policy *policy; /* of which `after` is the image */
	uint64_t now;                /* ns since boot */
};

static bool cuts_off_at(const struct change *change, const struct listener *listener, uint64_t time)
{
	return is_cut_off(change->listeners, listener, change->after, time) &&
	       !is_cut_off(change->listeners, listener, change->before, time);
}

static bool cuts_off_now(const struct change *change, const struct listener *listener)
{
	return cuts_off_at(change, listener, change->now);
}

/* Returns true if the listener is cut off when a temporary rule ends: each of them can be the one that keeps it allowed. */
static bool cuts_off_later(const struct change *change, const struct listener *listener)
{
	for (size_t i = 0; i < change->policy->rule_count; i++)
		if (change->policy->rules[i].until > change->now && cuts_off_at(change, listener, change->policy->rules[i].until))
			return true;
	return false;
}

static enum status refuse(const struct listener *listener, bool later)
{
	char place[LISTENER_TEXT_MAX], program[LISTENER_PROGRAM_MAX];

	return fail(STATUS_FAILED,
		    "this would lock you out%s: the connection that you came by was taken by %s on %s (pid %" PRIu32 "), which would "
		    "be denied. Nothing was changed; keep it allowed, or add --force",
		    later ? " when a temporary rule ends" : "", listener_program(listener, program), listener_text(listener, place),
		    listener->socket.pid);
}

static bool is_way_in(struct way_in *way, const struct listener *listener)
{
	if (listener->socket.class != PROTOCOL_TCP || !is_in_own_netns(listener))
		return false;
	if (!way->found) /* looked for only when it is needed, as it seldom is */
		way_in_find(way);
	return way_in_has(way, listener->socket.local.port);
}

static enum status protect_way_in(const struct change *change)
{
	struct way_in way = { .found = false };

	for (size_t i = 0; i < change->listeners->count; i++) {
		const struct listener *listener = &change->listeners->list[i];
		bool at_once = cuts_off_now(change, listener), later = !at_once && cuts_off_later(change, listener);

		if ((at_once || later) && is_way_in(&way, listener))
			return refuse(listener, later);
	}
	return STATUS_DONE;
}

/* Returns true if the change denies `holder` what it could accept before, whoever else may accept there. */
static bool is_denied_now(const struct change *change, const struct listener *holder)
{
	return !only_keeps(change->listeners, holder) && denies(change->after, holder, change->now) &&
	       !denies(change->before, holder, change->now);
}

/*
 * Warns of each process that has a listening socket and is denied from now on, also where another holder of it stays allowed: where a
 * master only hands its socket on, it is the workers that accept.
 */
static void name_all(const struct change *change)
{
	const struct listeners *listeners = change->listeners;
	_cleanup_free_ struct denied_listener *denied = must(calloc(listeners->count + 1, sizeof(*denied)));
	size_t count = 0, unknown = 0;

	for (size_t i = 0; i < listeners->count; i++) {
		const struct listener *listener = &listeners->list[i];

		unknown += !listener->known;
		if (is_denied_now(change, listener))
			denied[count++] = (struct denied_listener){
				.listener = listener,
				.shared = !is_cut_off(listeners, listener, change->after, change->now),
				.refused = listener_is_refused(listener, change->after, change->now),
			};
	}
	denied_listeners_warn(denied, count);
	if (unknown)
		warn("of %zu listeners it can't be told whether the new policy denies them, as that takes the capability cap_sys_ptrace; see: "
		     "sockaccept-ctl listeners",
		     unknown);
}

static enum status compare(const struct change *change, bool force)
{
	if (!force)
		TRY(protect_way_in(change));
	name_all(change);
	return STATUS_DONE;
}

enum status lockout_check(const struct kernel *kernel, const struct image *before, const struct policy *after, bool force)
{
	_cleanup_image_ struct image will = { 0 };
	_cleanup_listeners_ struct listeners listeners = { 0 };
	int error;

	if (after->mode != MODE_ENFORCE)
		return STATUS_DONE;
	error = image_build(after, &will);
	if (!error)
		error = listeners_find(kernel, &listeners);
	if (!error)
		return compare(&(struct change){ &listeners, before, &will, after, (uint64_t)when_now().boot }, force);
	warn("can't tell who listens now and would be denied: %s", strerror(-error));
	return STATUS_DONE;
}
