/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * drain: takes out what comes to wait on denied listeners, as soon as the kernel side asks for it; and asks again what the kernel changes
 * by itself, when a temporary rule or a trial ends. It keeps no log and reads no file: it needs only to look at other processes. Nothing is
 * lost while it doesn't run: it begins with what waits already.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "enforce/base/notify.h"
#include "enforce/base/when.h"
#include "enforce/change/change_lock.h"
#include "enforce/change/take_effect.h"
#include "enforce/kernel/kernel.h"
#include "enforce/verbs/verb.h"
#include "policy/cleanup.h"

#define MILLISECOND 1000000LL
#define SECOND (1000 * MILLISECOND)

/* How often it looks for changes while the kernel side asks for nothing. */
#define TICK_NS (500 * MILLISECOND)
/* How long its promise holds: longer than a tick, so that it doesn't lapse, and not much longer than the process itself. */
#define PROMISE_NS (2 * SECOND)
/* How long it waits while a command changes the policy. */
#define RETRY_NS (10 * MILLISECOND)
/*
 * Looking at who listens takes a while where there are many processes, and anybody can be denied as often as they like. So it takes a sixth
 * of the time at most: after a round it pauses for SHARE times as long. The first call after a pause is answered at once.
 */
#define SHARE 5
#define PAUSE_MAX_NS SECOND
/* How soon it looks again after denials on a listener that it has left alone: a process may have closed it since. */
#define LOOK_AGAIN_NS SECOND
#define TELL_NS (60 * SECOND)

struct drainer {
	struct kernel kernel;        /* state and program; all else is opened for a round only, as `lock` refuses while somebody holds it */
	unsigned long long instance; /* of the kernel side; 0: none */
	struct ring_buffer *calls;
	int signals;
	bool wanted;                                                   /* a round is wanted */
	bool ended;                                                    /* and it has to ask threads again */
	uint64_t changes;                                              /* of the policy in force: how many it has seen */
	uint64_t denials;                                              /* how many there were at the last round */
	uint64_t next_end;                                             /* ns since boot; 0: nothing ends by itself */
	int64_t round_at, looked_at, promise_at, tell_at, watchdog_at; /* ns since boot */
	char *told;                                                    /* what it has warned of last */
};

/* ---------------------------------------------------------------------------------------------
 * The kernel side
 */

static int take_call(void *data, void *call, size_t size)
{
	struct drainer *drainer = data;

	(void)call;
	(void)size;
	drainer->wanted = true;
	return 0;
}

static enum status open_calls(struct drainer *drainer)
{
	char path[PIN_PATH_MAX];
	_cleanup_close_ int fd = bpf_obj_get(pin_path(MAP_DRAIN_CALLS, path, sizeof(path)));

	/* The ring buffer keeps a descriptor of its own. */
	if (fd >= 0)
		drainer->calls = ring_buffer__new(fd, take_call, drainer, NULL);
	return drainer->calls ? STATUS_DONE : fail(STATUS_FAILED, "%s: %s", path, strerror(errno));
}

static void detach(struct drainer *drainer)
{
	ring_buffer__free(drainer->calls);
	drainer->calls = NULL;
	kernel_close(&drainer->kernel);
	if (drainer->instance)
		notify(NOTIFY_NOT_LOADED);
	drainer->instance = 0;
}

/* Leaves another version's kernel side to that version's drain, which an upgrade starts in place of this one. */
static enum status attach(struct drainer *drainer)
{
	uint64_t layout = SOCKACCEPT_LAYOUT;
	unsigned long long instance = kernel_instance();
	enum status status;

	if (!instance || kernel_layout(&layout) != STATUS_DONE || layout != SOCKACCEPT_LAYOUT)
		return STATUS_DONE;
	change_lock_clear_remains();
	status = kernel_open(&drainer->kernel, false, true);
	kernel_keep_readable(&drainer->kernel);
	if (status == STATUS_DONE)
		status = open_calls(drainer);
	if (status != STATUS_DONE) {
		detach(drainer);
		return status == STATUS_NOT_LOADED ? STATUS_DONE : status;
	}
	drainer->instance = instance;
	drainer->wanted = drainer->ended = true;
	drainer->changes = drainer->kernel.state->changes;
	notify("STATUS=draining denied listeners");
	return STATUS_DONE;
}

/* ---------------------------------------------------------------------------------------------
 * A round
 */

/* Warns of `message`, which it owns; of the same one only once a minute. */
static void tell(struct drainer *drainer, char *message)
{
	int64_t now = when_now().boot;

	if (message && (!drainer->told || strcmp(drainer->told, message) != 0 || now >= drainer->tell_at)) {
		warn("%s", message);
		drainer->tell_at = now + TELL_NS;
		free(drainer->told);
		drainer->told = message;
		return;
	}
	free(message);
}

/* Returns false if it couldn't be tried. */
static bool work(struct drainer *drainer)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_effect_ struct effect effect = { 0 };
	enum status status;

	messages_begin();
	status = kernel_open(&kernel, false, true);
	if (status == STATUS_DONE)
		status = take_effect(&kernel, EFFECT_DRAIN | (drainer->ended ? EFFECT_ASK : 0), &effect);
	if (status == STATUS_DONE)
		effect_warn(&effect);
	tell(drainer, messages_end());
	/* A round that failed is tried again in a second. */
	if (status == STATUS_DONE) {
		drainer->next_end = effect.next_end;
		drainer->ended = false;
		drainer->wanted = drained_more_waits(&effect.drained);
	}
	return status == STATUS_DONE;
}

static int64_t pause_after(int64_t took)
{
	return took * SHARE < PAUSE_MAX_NS ? took * SHARE : PAUSE_MAX_NS;
}

/* Does a round under the change lock: `lock` must find nobody with the maps open. */
static void go_round(struct drainer *drainer)
{
	_cleanup_close_ int lock = -1;
	int64_t began = when_now().boot;
	bool done;

	if (!change_lock_try(&lock) && lock >= 0) {
		drainer->round_at = began + RETRY_NS;
		return;
	}
	drainer->denials = drainer->kernel.state->decisions[VERDICT_DENY].connections;
	done = work(drainer);
	drainer->looked_at = when_now().boot;
	drainer->round_at = drainer->looked_at + (done ? pause_after(drainer->looked_at - began) : SECOND);
}

/* ---------------------------------------------------------------------------------------------
 * The loop
 */

static void look(struct drainer *drainer)
{
	const struct state *state = drainer->kernel.state;
	int64_t now = when_now().boot;

	/* After each change, other rules end, and at other times. */
	if (drainer->changes != state->changes) {
		drainer->changes = state->changes;
		drainer->wanted = true;
	}
	if (drainer->next_end && (uint64_t)now >= drainer->next_end)
		drainer->wanted = drainer->ended = true;
	if (state->decisions[VERDICT_DENY].connections != drainer->denials && now - drainer->looked_at >= LOOK_AGAIN_NS)
		drainer->wanted = true;
	if (state->gates && now >= drainer->promise_at) {
		drain_promise(&drainer->kernel, PROMISE_NS);
		drainer->promise_at = now + TICK_NS / 2;
	}
}

/* Returns how long to wait, in ms, rounded up. */
static int patience(const struct drainer *drainer)
{
	int64_t now = when_now().boot, until = now + TICK_NS;

	if (drainer->wanted && drainer->round_at < until)
		until = drainer->round_at;
	if (drainer->next_end && (int64_t)drainer->next_end < until)
		until = (int64_t)drainer->next_end;
	return until <= now ? 0 : (int)((until - now + MILLISECOND - 1) / MILLISECOND);
}

/* Waits for calls and takes them. Returns true when a signal says to end. */
static bool wait_for_calls(struct drainer *drainer)
{
	struct pollfd fds[] = { { .fd = drainer->signals, .events = POLLIN },
				{ .fd = drainer->calls ? ring_buffer__epoll_fd(drainer->calls) : -1, .events = POLLIN } };

	poll(fds, 2, patience(drainer));
	if (drainer->calls)
		ring_buffer__consume(drainer->calls);
	return fds[0].revents;
}

static enum status run(struct drainer *drainer)
{
	enum status status = STATUS_DONE;
	bool told_to_end = false;

	while (status == STATUS_DONE && !told_to_end) {
		if (drainer->instance != kernel_instance())
			detach(drainer);
		if (!drainer->instance)
			status = attach(drainer);
		if (drainer->instance) {
			look(drainer);
			if (drainer->wanted && when_now().boot >= drainer->round_at)
				go_round(drainer);
		}
		notify_alive(&drainer->watchdog_at);
		told_to_end = wait_for_calls(drainer);
	}
	return status;
}

static int take_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

enum status verb_drain(const struct invocation *invocation)
{
	struct drainer drainer = { .kernel = KERNEL_INIT, .signals = take_signals() };
	enum status status;

	(void)invocation;
	if (drainer.signals < 0)
		return fail(STATUS_FAILED, "can't take signals: %s", strerror(errno));
	status = kernel_is_loaded(true);
	if (status == STATUS_DONE || status == STATUS_NOT_LOADED) {
		notify("READY=1\n" NOTIFY_NOT_LOADED);
		status = run(&drainer);
		notify("STOPPING=1");
	}
	detach(&drainer);
	free(drainer.told);
	close(drainer.signals);
	return status;
}
