/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/lockout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "enforce/listeners.h"
#include "enforce/way_in.h"
#include "enforce/when.h"

/* So many are named; of the others there is a number. */
#define NAMED_MAX 20

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
	const struct request request = listener_request(listener, now);

	return listener->known && image->count && image->pages->header.mode == MODE_ENFORCE &&
	       decide_verdict(image, decide_request(image, &request)) == VERDICT_DENY;
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
	char place[LISTENER_TEXT_MAX];

	return fail(STATUS_FAILED, "this would lock you out%s: the connection that you came by was taken by %s on %s (pid %" PRIu32 "), which would "
		    "be denied. Nothing was changed; leave that allowed, or say --force", later ? " when a temporary rule ends" : "",
		    listener->path ?: "a program", listener_text(listener, place), listener->socket.pid);
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

static void name_one(const struct listener *listener)
{
	char place[LISTENER_TEXT_MAX];

	warn("%s listens on %s (pid %" PRIu32 ", user %" PRIu32 "%s%s), which the new policy denies", listener->path ?: "a program",
	     listener_text(listener, place), listener->socket.pid, listener->socket.uid, listener->unit ? ", " : "",
	     listener->unit ?: "");
}

static void name_all(const struct change *change)
{
	size_t named = 0, unknown = 0;

	for (size_t i = 0; i < change->listeners->count; i++) {
		const struct listener *listener = &change->listeners->list[i];

		unknown += !listener->known;
		if (cuts_off_now(change, listener) && named++ < NAMED_MAX)
			name_one(listener);
	}
	if (named > NAMED_MAX)
		warn("the new policy denies %zu more listeners; see: sockaccept-ctl listeners", named - NAMED_MAX);
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
