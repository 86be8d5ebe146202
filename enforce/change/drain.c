/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/drain.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "enforce/base/child.h"
#include "enforce/base/privileges.h"
#include "enforce/base/when.h"
#include "enforce/change/drain_child.h"
#include "policy/cleanup.h"

/* Why a listener is left over, if not an errno: more than DRAIN_MAX waited. */
#define MORE_THAN_MAX 0

/* ---------------------------------------------------------------------------------------------
 * Which listeners
 */

enum standing {
	STANDING_MAY,    /* it may accept; or that can't be told */
	STANDING_OTHERS, /* it may not, but holds the listener for others, or may under another condition */
	STANDING_NEVER,
};

static enum standing standing_of(const struct listener *listener, const struct image *image, uint64_t now)
{
	struct request request = listener_request(listener, now);

	if ((!listener->known && !listener->socket.processes) || !listener_is_denied(listener, image, now))
		return STANDING_MAY;
	return listener->socket.pid == 1 || !decide_never(image, &request) ? STANDING_OTHERS : STANDING_NEVER;
}

/* Returns the best standing of the `count` entries of `same`, which hold the same listener. Sets *holder to the one that has it. */
static enum standing find_best(struct listener *const *same, size_t count, const struct image *image, uint64_t now,
			       const struct listener **holder)
{
	enum standing best = standing_of(same[0], image, now);

	*holder = same[0];
	for (size_t i = 1; i < count; i++) {
		enum standing standing = standing_of(same[i], image, now);

		if (standing >= best)
			continue;
		best = standing;
		*holder = same[i];
	}
	return best;
}

/* Returns true if something is to be done about the listener that the `count` entries of `same` hold, and fills `source` then. */
static bool make_source(struct listener *const *same, size_t count, const struct image *image, uint64_t now, struct source *source)
{
	const struct listening *socket = &same[0]->socket;
	bool gates = image->pages->header.flags & POLICY_GATES, shut = socket->gate == GATE_SHUT;
	enum standing standing;

	*source = (struct source){ .error = EAGAIN };
	standing = find_best(same, count, image, now, &source->holder);
	source->opens = standing == STANDING_MAY;
	if (source->opens)
		return gates && shut;
	if (!(image->pages->header.flags & POLICY_DRAINS))
		return false;
	/* That a process holds it for others doesn't show that those are denied. A shut gate does: somebody was. */
	if (standing == STANDING_OTHERS && !shut)
		return false;
	return socket->backlog || (gates && !shut);
}

static int by_socket(const void *a, const void *b)
{
	const struct listener *const *x = a, *const *y = b;

	return ((*x)->socket.socket > (*y)->socket.socket) - ((*x)->socket.socket < (*y)->socket.socket);
}

/* Fills `sources`, which has room for each listener. Returns how many there are. */
static size_t find_sources(const struct listeners *listeners, const struct image *image, struct source *sources)
{
	_cleanup_free_ struct listener **sorted = must(calloc(listeners->count + 1, sizeof(*sorted)));
	uint64_t now = (uint64_t)when_now().boot;
	size_t found = 0;

	for (size_t i = 0; i < listeners->count; i++)
		sorted[i] = &listeners->list[i];
	qsort(sorted, listeners->count, sizeof(struct listener *), by_socket);
	for (size_t first = 0, end; first < listeners->count; first = end) {
		for (end = first + 1; end < listeners->count && !by_socket(&sorted[first], &sorted[end]); end++)
			;
		found += make_source(&sorted[first], end - first, image, now, &sources[found]);
	}
	return found;
}

/* ---------------------------------------------------------------------------------------------
 * The child's parent
 */

static void take_results(const struct source *sources, size_t count, struct drained *drained)
{
	for (size_t i = 0; i < count; i++) {
		drained->connections += sources[i].taken;
		if (sources[i].error || drained->connections >= DRAIN_MAX)
			leftovers_add(&drained->left, sources[i].holder, sources[i].error);
	}
}

static int drain_by_child(const struct kernel *kernel, struct source *sources, size_t count)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		drain_sources(kernel, sources, count, DRAIN_MAX);
		_exit(0);
	}
	if (child < 0)
		return -errno;
	child_wait(child, DRAIN_MS);
	return 0;
}

int drain(const struct kernel *kernel, const struct listeners *listeners, const struct image *image, struct drained *drained)
{
	size_t size = (listeners->count + 1) * sizeof(struct source), count;
	struct source *sources;
	int error = 0;

	if (!image->count || image->pages->header.mode != MODE_ENFORCE || !(image->pages->header.flags & (POLICY_DRAINS | POLICY_GATES)))
		return 0;
	sources = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sources == MAP_FAILED)
		return -errno;
	count = find_sources(listeners, image, sources);
	if (count)
		error = drain_by_child(kernel, sources, count);
	if (!error)
		take_results(sources, count, drained);
	munmap(sources, size);
	return error;
}

int drain_promise(const struct kernel *kernel, uint64_t ns)
{
	return drain_run_program(kernel, &(struct draining){ .promise = ns });
}

bool drained_more_waits(const struct drained *drained)
{
	bool more = drained->connections >= DRAIN_MAX;

	for (size_t i = 0; i < drained->left.count; i++)
		more |= drained->left.list[i].why == EAGAIN || drained->left.list[i].why == EBUSY;
	return more;
}

/* ---------------------------------------------------------------------------------------------
 * Warnings
 */

static void warn_of(const struct leftover *left)
{
	if (left->why == MORE_THAN_MAX)
		warn("connections still wait on %s of %s (pid %" PRIu32
		     "), which is denied: there are more than %d; the drain goes on if its "
		     "service runs: systemctl start sockaccept-drain",
		     left->place, left->program, left->pid, DRAIN_MAX);
	else
		warn("what waits on %s of %s (pid %" PRIu32 "), which is denied, can't be taken out: %s%s", left->place, left->program,
		     left->pid, strerror(left->why), privileges_trace() ? "" : "; that takes the capability cap_sys_ptrace");
}

void drained_warn(const struct drained *drained)
{
	leftovers_warn(&drained->left, warn_of, "listener couldn't be drained", "listeners couldn't be drained");
}
