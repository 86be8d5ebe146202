/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon: keeps the events in a lasting log. Nothing depends on it: what it doesn't come to stays in the kernel, for as long
 * as there is room.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "enforce/kernel.h"
#include "enforce/log_read.h"
#include "enforce/log_write.h"
#include "enforce/metrics.h"
#include "enforce/module_layout.h"
#include "enforce/notify.h"
#include "enforce/reader.h"
#include "enforce/verb.h"
#include "policy/text.h"

#define MILLISECOND 1000000LL
#define SECOND (1000 * MILLISECOND)

/* How long it sleeps when there is little to do, and when the buffers fill. */
#define PAUSE_NS (100 * MILLISECOND)
#define SHORT_PAUSE_NS (2 * MILLISECOND)
#define BATCHES 64 /* of events, before it looks at signals and at the clock again */
#define LAYOUTS_NS (30 * SECOND)
#define METRICS_NS (15 * SECOND)

#define DEFAULT_ROTATE_BYTES (64LL << 20)
#define DEFAULT_ROTATE_KEEP 15

struct daemon {
	struct log_writer writer;
	struct log_source end; /* where the log ended when it was opened */
	const char *metrics_file;
	bool metrics_failed; /* that was said */
	struct metrics_log counts;
	sigset_t signals;

	struct kernel kernel;
	bool open;   /* the kernel side is, and is read */
	struct log_source source; /* of what is read */
	struct reader reader;
	struct record_maker maker;
	uint64_t said[VERDICTS]; /* of the missed events, those that were written */

	int64_t layouts_at, metrics_at, watchdog_at; /* when it is time again, ns since boot */
};

/* ---------------------------------------------------------------------------------------------
 * Options
 */

/* `64M`: bytes. Returns 0 if it isn't such a thing. */
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

	daemon->writer.rotate_bytes = size ? read_size(size) : DEFAULT_ROTATE_BYTES;
	if (daemon->writer.rotate_bytes < 65536)
		return fail(STATUS_USAGE, "--rotate-size '%s': write a size of at least 64K, such as 100M or 2G", size);
	if (keep && (strspn(keep, "0123456789") != strlen(keep) || strlen(keep) > 4))
		return fail(STATUS_USAGE, "--rotate-keep '%s': write how many old files to keep, from 0 to 9999", keep);
	daemon->writer.rotate_keep = keep ? (unsigned)strtoul(keep, NULL, 10) : DEFAULT_ROTATE_KEEP;
	return STATUS_DONE;
}

static enum status open_log(struct daemon *daemon, const struct invocation *invocation)
{
	const char *path = invocation->given[OPTION_LOG];
	struct log_writer rotation = daemon->writer;
	enum status status = log_writer_open(&daemon->writer, path ? path : LOG_PATH, &daemon->end);

	daemon->writer.rotate_bytes = rotation.rotate_bytes;
	daemon->writer.rotate_keep = rotation.rotate_keep;
	return status;
}

/* ---------------------------------------------------------------------------------------------
 * Events
 */

/* Goes on where the log ends, if that is of this kernel side. */
static enum status start_reading(struct daemon *daemon)
{
	struct log_source *source = &daemon->source;
	int error;

	*source = (struct log_source){ .instance = kernel_instance() };
	log_boot_id(source->boot_id);
	if (log_same_source(source, &daemon->end))
		source->mark = daemon->end.mark;
	error = reader_start(&daemon->reader, &daemon->kernel, TAKES(VERDICT_ALLOW) | TAKES(VERDICT_DENY), &source->mark);
	if (error)
		return fail(STATUS_FAILED, "can't read the events: %s", strerror(-error));
	daemon->maker.names.kernel = &daemon->kernel;
	memset(daemon->said, 0, sizeof(daemon->said));
	daemon->open = true;
	notify("STATUS=writing the log");
	return STATUS_DONE;
}

static enum status open_kernel_side(struct daemon *daemon)
{
	enum status status = kernel_open(&daemon->kernel, false, true);

	return status == STATUS_DONE ? start_reading(daemon) : status;
}

static void close_kernel_side(struct daemon *daemon)
{
	daemon->end = daemon->source;
	daemon->end.mark = reader_mark(&daemon->reader);
	reader_close(&daemon->reader);
	record_maker_clear(&daemon->maker);
	daemon->maker = (struct record_maker){ 0 };
	kernel_close(&daemon->kernel);
	daemon->open = false;
	notify("STATUS=not loaded: waiting for sockaccept-ctl load");
}

/* A source before the events, where one is needed, and what was missed. */
static void add_batch(struct daemon *daemon)
{
	struct reader *reader = &daemon->reader;
	struct when_now now = when_now();
	uint64_t missed[VERDICTS];

	for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
		uint64_t all = reader_missed(reader, verdict);

		missed[verdict] = all > daemon->said[verdict] ? all - daemon->said[verdict] : 0;
		daemon->said[verdict] += missed[verdict];
		daemon->counts.missed[verdict] += missed[verdict];
	}
	daemon->source.real = now.real;
	daemon->source.boot = now.boot;
	daemon->source.mark = reader_mark(reader);
	if (reader->ready || missed[VERDICT_ALLOW] || missed[VERDICT_DENY] || daemon->writer.reopen)
		log_add_source(&daemon->writer, &daemon->source, missed);
	for (size_t i = 0; i < reader->ready; i++) {
		const struct record record = record_make(&daemon->maker, &reader->events[i]);

		log_add_event(&daemon->writer, &record);
	}
	daemon->counts.events += reader->ready;
	reader_advance(reader, reader->ready);
}

/*
 * Writes what is there, up to so many batches. Stops at a log that can't be written: what wasn't read stays in the kernel.
 * Returns the number of events, or -errno.
 */
static int64_t write_events(struct daemon *daemon)
{
	int64_t count = 0;

	for (int batch = 0; batch < BATCHES; batch++) {
		int error;
		size_t ready;

		if (!log_flush(&daemon->writer))
			return count;
		error = reader_collect(&daemon->reader);
		if (error)
			return error;
		ready = daemon->reader.ready;
		count += (int64_t)ready;
		add_batch(daemon);
		if (!ready)
			break;
	}
	log_flush(&daemon->writer);
	return count;
}

/* ---------------------------------------------------------------------------------------------
 * The loop
 */

/* True if it is time again for what is done each `every` ns. */
static bool is_time(int64_t *at, int64_t every)
{
	int64_t now = when_now().boot;

	if (now < *at)
		return false;
	*at = now + every;
	return true;
}

/* Modules that came since. For that alone the state is opened for writing. */
static void tell_layouts(void)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;

	if (kernel_open(&kernel, true, true) == STATUS_DONE)
		tell_queue_layouts(&kernel);
}

static void write_metrics(struct daemon *daemon)
{
	int error;

	daemon->counts.writable = !daemon->writer.error;
	error = metrics_write_file(daemon->metrics_file, &daemon->counts);

	if (error && !daemon->metrics_failed)
		warn("can't write the metrics to %s: %s", daemon->metrics_file, strerror(-error));
	daemon->metrics_failed = error;
}

static void do_chores(struct daemon *daemon)
{
	int64_t watchdog = notify_watchdog_ns();

	if (watchdog && is_time(&daemon->watchdog_at, watchdog))
		notify("WATCHDOG=1");
	if (daemon->open && is_time(&daemon->layouts_at, LAYOUTS_NS))
		tell_layouts();
	if (daemon->metrics_file && is_time(&daemon->metrics_at, METRICS_NS))
		write_metrics(daemon);
}

/* One round. Returns how long to sleep, in ns, or -errno. */
static int64_t go_round(struct daemon *daemon, enum status *status)
{
	bool unloaded;
	int64_t count;

	if (!daemon->open) {
		*status = open_kernel_side(daemon);
		if (*status == STATUS_NOT_LOADED)
			*status = STATUS_DONE;
		if (!daemon->open)
			return PAUSE_NS;
	}
	/* Asked before the last look at the events, so that none of them is left. */
	unloaded = kernel_instance() != daemon->source.instance;
	count = write_events(daemon);
	if (count < 0)
		return count;
	if (unloaded && !daemon->writer.error && reader_is_through(&daemon->reader))
		close_kernel_side(daemon);
	return count > (int64_t)daemon->reader.slots / 16 ? SHORT_PAUSE_NS : PAUSE_NS;
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
			log_reopen(&daemon->writer);
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
	struct daemon daemon = { .kernel = KERNEL_INIT, .writer = { .fd = -1, .directory = -1 },
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
		notify("READY=1\nSTATUS=not loaded: waiting for sockaccept-ctl load");
		status = run(&daemon);
		notify("STOPPING=1");
	}
	if (daemon.open)
		close_kernel_side(&daemon);
	log_writer_close(&daemon.writer);
	return status;
}
