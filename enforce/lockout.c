/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/lockout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "enforce/listeners.h"
#include "enforce/way_in.h"

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

static int build(const struct policy *policy, struct image *image)
{
	return policy ? image_build(policy, image) : 0;
}

/* True if a policy denies it, and means it. No image: nothing is in force. */
static bool denies(const struct image *image, const struct listener *listener)
{
	const struct question question = listener_question(listener);

	return image->count && image->pages->header.mode == MODE_ENFORCE && decide_verdict(image, &question) == VERDICT_DENY;
}

static void name_one(const struct listener *listener)
{
	char place[LISTENER_TEXT_MAX];

	warn("%s listens on %s (pid %" PRIu32 ", user %" PRIu32 "%s%s), and is denied from now on", listener->path ?: "a program",
	     listener_text(listener, place), listener->socket.pid, listener->socket.uid, listener->unit ? ", " : "",
	     listener->unit ?: "");
}

static enum status refuse(const struct listener *listener)
{
	char place[LISTENER_TEXT_MAX];

	return fail(STATUS_FAILED, "this would lock you out: the connection that you came by was taken by %s on %s (pid %" PRIu32 "), which would "
		    "be denied. Nothing was changed; leave that allowed, or say --force", listener->path ?: "a program",
		    listener_text(listener, place), listener->socket.pid);
}

static enum status compare(const struct listeners *listeners, const struct image *before, const struct image *after, bool force)
{
	struct way_in way;
	size_t named = 0;

	way_in_find(&way);
	for (size_t i = 0; i < listeners->count; i++) {
		const struct listener *listener = &listeners->list[i];

		if (!denies(after, listener) || denies(before, listener))
			continue;
		if (!force && listener->socket.class == PROTOCOL_TCP && way_in_has(&way, listener->socket.local.port) &&
		    is_in_own_netns(listener))
			return refuse(listener);
		if (named++ < NAMED_MAX)
			name_one(listener);
	}
	if (named > NAMED_MAX)
		warn("%zu more listeners are denied from now on; see: sockaccept-ctl listeners", named - NAMED_MAX);
	return STATUS_DONE;
}

enum status lockout_check(const struct kernel *kernel, const struct policy *before, const struct policy *after, bool force)
{
	struct image was = { 0 }, will = { 0 };
	struct listeners listeners = { 0 };
	enum status status = STATUS_DONE;
	int error;

	if (after->mode != MODE_ENFORCE)
		return STATUS_DONE;
	error = build(before, &was);
	if (!error)
		error = build(after, &will);
	if (!error)
		error = listeners_find(kernel, &listeners);
	if (error)
		warn("can't tell who listens now and would be denied: %s", strerror(-error));
	else
		status = compare(&listeners, &was, &will, force);
	listeners_clear(&listeners);
	image_clear(&was);
	image_clear(&will);
	return status;
}
