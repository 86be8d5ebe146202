/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon: writes the events into a lasting log. Nothing depends on it: events that it hasn't written stay in the kernel, for as long as
 * there is room.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "enforce/base/notify.h"
#include "enforce/change/change_lock.h"
#include "enforce/change/path_watch.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/locked.h"
#include "enforce/kernel/module_layout.h"
#include "enforce/records/log_keep.h"
#include "enforce/records/log_read.h"
#include "enforce/records/log_watch.h"
#include "enforce/records/metrics.h"
#include "enforce/verbs/verb.h"
#include "policy/text.h"

#define MILLISECOND 1000000LL
#define SECOND (1000 * MILLISECOND)

/* How long it sleeps while there is little to do, and while the buffers fill. */
#define PAUSE_NS (100 * MILLISECOND)
#define SHORT_PAUSE_NS (2 * MILLISECOND)
#define MANY 64 /* events in a round: more than these, and the buffers may soon be full */
/* How long events are still read after an unload: timers record the last repeats, and calls whose end wasn't seen. */
#define LINGER_NS (3 * SECOND)
/* How long it waits while another version's kernel side is loaded: an upgrade restarts the daemon right after it took over. */
#define GRACE_NS (30 * SECOND)
#define LAYOUTS_NS (30 * SECOND)
#define METRICS_NS (15 * SECOND)
/* It acts when it finds another file under the log's name twice in a row: logrotate takes less time from its rename to its SIGHUP. */
#define LOG_WATCH_NS (4 * SECOND)

#define DEFAULT_ROTATE_BYTES (64LL << 20)
#define DEFAULT_ROTATE_KEEP 15

struct daemon {
	struct kernel kernel;
	struct log_keeper keeper;
	struct log_watch log;
	struct path_watch paths;
	const char *metrics_file;
	bool metrics_failed; /* and that was warned of */
	sigset_t signals;
	int64_t unloaded_at; /* ns since boot; 0: the kernel side that is read is still loaded */
	int64_t foreign_at;  /* since when another version's kernel side is loaded, ns since boot; 0: none is */
	int64_t layouts_at, metrics_at, watchdog_at, log_at; /* when each is due next, ns since boot */
};

/* ---------------------------------------------------------------------------------------------
 * Options
 */

/* Returns the bytes of a size such as `64M`, or 0 if `text` isn't one. */
static off_t read_size(const char *text)
{
	static const char units[] = "KMG";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	if (!digits || digits > 9 || (text[digits] && (!unit || text[digits + 1])))
		return 0;
	return (off_t)strtoul(text, NULL, 10) << shift;
}

static enum status read_rotation(struct daemon *daemon, const struct invocation *invocation)
{
	const char *size = invocation->given[OPTION_ROTATE_SIZE], *keep = invocation->given[OPTION_ROTATE_KEEP];

	daemon->keeper.writer.rotate_bytes = size ? read_size(size) : DEFAULT_ROTATE_BYTES;
	if (daemon->keeper.writer.rotate_bytes < 65536)
		return fail(STATUS_USAGE, "--rotate-size '%s': write a size of at least 64K, such as 100M or 2G", size);
	if (keep && (strspn(keep, "0123456789") != strlen(keep) || strlen(keep) > 4))
		return fail(STATUS_USAGE, "--rotate-keep '%s': write how many old files to keep, from 0 to 9999", keep);
	daemon->keeper.writer.rotate_keep = keep ? (unsigned)strtoul(keep, NULL, 10) : DEFAULT_ROTATE_KEEP;
	return STATUS_DONE;
}

static enum status open_log(struct daemon *daemon, const struct invocation *invocation)
{
	const char *path = invocation->given[OPTION_LOG];

	return log_writer_open(&daemon->keeper.writer, path ? path : LOG_PATH, &daemon->keeper.end);
}

/* ---------------------------------------------------------------------------------------------
 * The loop
 */

/* Returns true, and sets *at to the next time, if something is due that is done every `every` ns. */
static bool is_time(int64_t *at, int64_t every)
{
	int64_t now = when_now().boot;

	if (now < *at)
		return false;
	*at = now + every;
	return true;
}

/* Tells the kernel side the layouts of modules that were loaded since. Only for that, the state is opened for writing. */
static void tell_layouts(void)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;

	if (!locked_or_frozen() && kernel_open(&kernel, true, true) == STATUS_DONE)
		tell_queue_layouts(&kernel);
}

static void write_metrics(struct daemon *daemon)
{
	int error = metrics_write_file(daemon->metrics_file, daemon->keeper.writer.target.path, daemon->paths.count);

	if (error && !daemon->metrics_failed)
		warn("can't write the metrics to %s: %s", daemon->metrics_file, strerror(-error));
	daemon->metrics_failed = error;
}

static void do_chores(struct daemon *daemon)
{
	notify_alive(&daemon->watchdog_at);
	if (daemon->keeper.kernel && is_time(&daemon->layouts_at, LAYOUTS_NS))
		tell_layouts();
	if (daemon->metrics_file && is_time(&daemon->metrics_at, METRICS_NS))
		write_metrics(daemon);
	if (is_time(&daemon->log_at, LOG_WATCH_NS))
		log_watch(&daemon->log, &daemon->keeper);
	if (daemon->keeper.kernel)
		path_watch(&daemon->paths);
}

static bool is_foreign(void)
{
	uint64_t layout = SOCKACCEPT_LAYOUT;

	return kernel_instance() && kernel_layout(&layout) == STATUS_DONE && layout != SOCKACCEPT_LAYOUT;
}

/* Returns true while it is too early to complain of another version's kernel side. */
static bool awaits_restart(struct daemon *daemon)
{
	int64_t now = when_now().boot;

	if (!is_foreign()) {
		daemon->foreign_at = 0;
		return false;
	}
	if (!daemon->foreign_at) {
		daemon->foreign_at = now;
		notify("STATUS=another version's policy is loaded: waiting to be started anew");
	}
	return now - daemon->foreign_at < GRACE_NS;
}

/* Begins to read the kernel side, if one is loaded. If none is, that is no failure. */
static enum status begin(struct daemon *daemon)
{
	enum status status;

	if (awaits_restart(daemon))
		return STATUS_DONE;
	status = log_keep_begin(&daemon->keeper, &daemon->kernel);
	if (status == STATUS_DONE)
		notify("STATUS=writing the log");
	return status == STATUS_NOT_LOADED ? STATUS_DONE : status;
}

static void end(struct daemon *daemon)
{
	log_keep_end(&daemon->keeper);
	/* A look that is under way holds the lock, and nothing else would end it. */
	path_watch_clear(&daemon->paths);
	kernel_close(&daemon->kernel);
	daemon->unloaded_at = 0;
	notify(NOTIFY_NOT_LOADED);
}

/* Does one round. Returns how long to sleep, in ns, or -errno. */
static int64_t go_round(struct daemon *daemon, enum status *status)
{
	struct log_keeper *keeper = &daemon->keeper;
	int64_t count;

	change_lock_clear_remains();
	if (!keeper->kernel)
		*status = begin(daemon);
	if (!keeper->kernel)
		return PAUSE_NS;
	if (!daemon->unloaded_at && kernel_instance() != keeper->source.instance)
		daemon->unloaded_at = when_now().boot;
	count = log_keep(keeper);
	if (count < 0)
		return count;
	if (daemon->unloaded_at && when_now().boot - daemon->unloaded_at >= LINGER_NS && log_is_kept(keeper))
		end(daemon);
	return count > MANY ? SHORT_PAUSE_NS : PAUSE_NS;
}

static enum status run(struct daemon *daemon)
{
	enum status status = STATUS_DONE;
	int signal = 0;

	for (;;) {
		struct timespec pause = { 0 };
		int64_t next = go_round(daemon, &status);

		if (next < 0)
			status = fail(STATUS_FAILED, "can't read the events: %s", strerror((int)-next));
		if (status != STATUS_DONE || (signal > 0 && signal != SIGHUP))
			return status;
		do_chores(daemon);
		pause.tv_nsec = (long)next;
		signal = sigtimedwait(&daemon->signals, NULL, &pause);
		if (signal == SIGHUP)
			log_reopen(&daemon->keeper.writer);
	}
}

static void take_signals(struct daemon *daemon)
{
	sigemptyset(&daemon->signals);
	sigaddset(&daemon->signals, SIGHUP);
	sigaddset(&daemon->signals, SIGINT);
	sigaddset(&daemon->signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &daemon->signals, NULL);
}

enum status verb_daemon(const struct invocation *invocation)
{
	struct daemon daemon = { .kernel = KERNEL_INIT,
				 .keeper.writer = LOG_WRITER_INIT,
				 .paths = PATH_WATCH_INIT,
				 .metrics_file = invocation->given[OPTION_METRICS_FILE] };
	enum status status = read_rotation(&daemon, invocation);

	if (status != STATUS_DONE)
		return status;
	take_signals(&daemon);
	umask(027);
	status = open_log(&daemon, invocation);
	if (status == STATUS_DONE)
		status = kernel_is_loaded(true);
	if (status == STATUS_DONE || status == STATUS_NOT_LOADED) {
		notify("READY=1\n" NOTIFY_NOT_LOADED);
		status = run(&daemon);
		notify("STOPPING=1");
	}
	log_keep_end(&daemon.keeper);
	path_watch_clear(&daemon.paths);
	kernel_close(&daemon.kernel);
	log_writer_close(&daemon.keeper.writer);
	return status;
}
