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

/* True if a policy denies it, and means it. No image: nothing is in force. Of whom it can't be told, it isn't. */
static bool denies(const struct image *image, const struct listener *listener, uint64_t now)
{
	return listener->known && listener_is_denied(listener, image, now);
}

/* systemd keeps the sockets that it has made, and lets the service accept, unless it is the only one who has it. */
static bool only_keeps(const struct listeners *listeners, const struct listener *holder)
{
	if (holder->socket.pid != 1)
		return false;
	for (size_t i = 0; i < listeners->count; i++)
		if (&listeners->list[i] != holder && listeners->list[i].socket.socket == holder->socket.socket)
			return true;
	return false;
}

/* True if nobody who has this socket may accept on it any more. A master and its workers have one in common: one is enough. */
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
	const struct policy *policy; /* that `after` is of */
	uint64_t now;                /* ns since boot */
};

static bool cuts_off_at(const struct change *change, const struct listener *listener, uint64_t time)
{
	return is_cut_off(change->listeners, listener, change->after, time) && !is_cut_off(change->listeners, listener, change->before, time);
}

static bool cuts_off_now(const struct change *change, const struct listener *listener)
{
	return cuts_off_at(change, listener, change->now);
}

/* When a temporary rule ends, of which each can be the one that kept it allowed. */
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

	return fail(STATUS_FAILED, "this would lock you out%s: the connection that you came by was taken by %s on %s (pid %" PRIu32 "), which would "
		    "be denied. Nothing was changed; leave that allowed, or say --force", later ? " when a temporary rule ends" : "",
		    listener_program(listener, program), listener_text(listener, place), listener->socket.pid);
}

static bool is_way_in(struct way_in *way, const struct listener *listener)
{
	if (listener->socket.class != PROTOCOL_TCP || !is_in_own_netns(listener))
		return false;
	if (!way->found) /* looked for when it is asked for first: as a rule nobody is cut off */
		way_in_find(way);
	return way_in_has(way, listener->socket.local.port);
}

/* Refuses what would lock the administrator out, now or when a temporary rule ends. */
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

/* True if `holder` may accept on its socket no more, whoever else may. */
static bool is_denied_now(const struct change *change, const struct listener *holder)
{
	return !only_keeps(change->listeners, holder) && denies(change->after, holder, change->now) &&
	       !denies(change->before, holder, change->now);
}

/*
 * Names whoever has a socket and is denied from now on, also where another holder stays allowed: of a server whose master
 * only hands the socket on, the workers may be the ones who accept.
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
		     "sockaccept-ctl listeners", unknown);
}

static enum status compare(const struct change *change, bool force)
{
	enum status status = force ? STATUS_DONE : protect_way_in(change);

	if (status == STATUS_DONE)
		name_all(change);
	return status;
}

enum status lockout_check(const struct kernel *kernel, const struct image *before, const struct policy *after, bool force)
{
	struct image will = { 0 };
	struct listeners listeners = { 0 };
	enum status status = STATUS_DONE;
	int error;

	if (after->mode != MODE_ENFORCE)
		return STATUS_DONE;
	error = image_build(after, &will);
	if (!error)
		error = listeners_find(kernel, &listeners);
	if (error)
		warn("can't tell who listens now and would be denied: %s", strerror(-error));
	else
		status = compare(&(struct change){ &listeners, before, &will, after, (uint64_t)when_now().boot }, force);
	listeners_clear(&listeners);
	image_clear(&will);
	return status;
}
