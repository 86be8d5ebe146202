/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many lines a second of processor time the daemon writes: its own code, from the buffers to the file, fed by a program
 * that makes events. Needs root, but no guest.
 *
 * usage: log_rate DIRECTORY [LINES]
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "enforce/records/log_keep.h"
#include "events.skel.h"

static void must_do(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "log_rate: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void describe(struct event *event)
{
	*event = (struct event){ .generation = 7,
				 .cgroup_id = 4821,
				 .pid = 812,
				 .tid = 812,
				 .uid = 33,
				 .gid = 33,
				 .netns = 4026531840U,
				 .sockfd = 6,
				 .binary = BINARY_UNNAMED | 1,
				 .backlog = 1,
				 .backlog_max = 511,
				 .count = 1,
				 .family = AF_INET,
				 .protocol = IPPROTO_TCP,
				 .verdict = VERDICT_ALLOW,
				 .reason = REASON_RULE,
				 .flags = EVENT_ENFORCED | EVENT_HAS_PEER,
				 .local.port = 443,
				 .comm = "nginx",
				 .rule = { .section = "web", .verdict = VERDICT_ALLOW, .first = 443, .last = 443 },
				 .path = { sizeof("/usr/sbin/nginx"), "/usr/sbin/nginx" } };
	inet_pton(AF_INET, "192.0.2.17", event->local.address);
	inet_pton(AF_INET, "198.51.100.23", event->peer.address);
}

static void make_events(const struct events_bpf *bpf, __u32 count)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &count, .ctx_size_in = sizeof(count));

	must_do(bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.make_events), &options) || options.retval, "make events");
}

static double seconds(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void open_kernel(struct kernel *kernel, const struct events_bpf *bpf)
{
	kernel->fd[MAP_STATE] = bpf_map__fd(bpf->maps.state);
	kernel->fd[MAP_EVENTS] = bpf_map__fd(bpf->maps.events);
	kernel->fd[MAP_UNITS] = bpf_map__fd(bpf->maps.units);
	kernel->fd[MAP_BINARY_PATHS] = bpf_map__fd(bpf->maps.binary_paths);
	kernel->state = mmap(NULL, sizeof(*kernel->state), PROT_READ, MAP_SHARED, kernel->fd[MAP_STATE], 0);
	must_do(kernel->state == MAP_FAILED, "map the state");
}

/* Writes `lines` lines, and prints what that took. */
static void measure(const struct events_bpf *bpf, struct log_keeper *keeper, uint64_t lines)
{
	const __u32 round = DEFAULT_EVENTS / 2;
	double busy = 0;
	struct rusage usage;

	while (keeper->events < lines) {
		double before;

		make_events(bpf, round);
		before = seconds(CLOCK_PROCESS_CPUTIME_ID);
		while (log_keep(keeper) > 0)
			;
		busy += seconds(CLOCK_PROCESS_CPUTIME_ID) - before;
	}
	must_do(keeper->writer.error || keeper->source.missed[VERDICT_ALLOW], "write all");
	getrusage(RUSAGE_SELF, &usage);
	printf("%.0f lines a second of one processor, each of %.0f bytes; %.2f us a line; at most %ld KiB of memory\n",
	       (double)keeper->events / busy, (double)keeper->writer.bytes / (double)keeper->events, busy * 1e6 / (double)keeper->events,
	       usage.ru_maxrss);
}

int main(int argc, char **argv)
{
	struct kernel kernel = KERNEL_INIT;
	struct log_keeper keeper = { .writer = LOG_WRITER_INIT };
	struct events_bpf *bpf = events_bpf__open();
	char path[4096];

	if (argc < 2) {
		fputs("usage: log_rate DIRECTORY [LINES]\n", stderr);
		return 2;
	}
	must_do(!bpf, "open the program");
	must_do(bpf_map__set_max_entries(bpf->maps.events, VERDICTS * DEFAULT_EVENTS) || events_bpf__load(bpf), "load the program");
	describe(&bpf->bss->like);
	open_kernel(&kernel, bpf);
	snprintf(path, sizeof(path), "%s/audit.log", argv[1]);
	keeper.writer.rotate_bytes = 64 << 20;
	keeper.writer.rotate_keep = 2;
	must_do(log_writer_open(&keeper.writer, path, &keeper.end), path);
	must_do(log_keep_begin_with(&keeper, &kernel, 1), "begin");
	measure(bpf, &keeper, argc > 2 ? strtoul(argv[2], NULL, 10) : 5000000);
	log_keep_end(&keeper);
	log_writer_close(&keeper.writer);
	events_bpf__destroy(bpf);
	return 0;
}
