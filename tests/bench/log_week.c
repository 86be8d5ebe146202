/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A log of a week, and how long sockaccept-ctl takes to answer from it.
 *
 * usage: log_week DIRECTORY LINES COMMAND...    fills DIRECTORY/audit.log, then runs the command, and prints how long it
 *                                               took and how much memory
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "enforce/base/when.h"
#include "enforce/records/log_write.h"

#define WEEK_NS (7 * 86400 * 1000000000LL)
#define BATCH 512
#define BINARIES 50

static void must_do(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "log_week: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* One event in 200 is a denial. */
static struct event event_at(uint64_t number, int64_t real)
{
	bool deny = number % 200 == 0;
	struct event event = { .seq = number,
			       .generation = 7,
			       .cgroup_id = 4821,
			       .pid = 812,
			       .tid = 812,
			       .uid = 33,
			       .gid = 33,
			       .netns = 4026531840U,
			       .sockfd = 6,
			       .backlog = 1,
			       .backlog_max = 511,
			       .count = 1,
			       .family = AF_INET,
			       .protocol = IPPROTO_TCP,
			       .verdict = deny ? VERDICT_DENY : VERDICT_ALLOW,
			       .reason = REASON_DEFAULT,
			       .flags = EVENT_ENFORCED | EVENT_HAS_PEER,
			       .comm = "server",
			       .local.port = (__u32)(8000 + number % BINARIES),
			       .peer.port = (__u32)(32768 + number % 28000),
			       .time_tai = (__u64)(real + when_tai_offset() * 1000000000LL) };

	inet_pton(AF_INET, "192.0.2.17", event.local.address);
	memcpy(event.peer.address, (__u8[]){ 198, 51, (__u8)(number >> 8), (__u8)number }, 4);
	return event;
}

static void add_event(struct log_writer *writer, uint64_t number, int64_t real)
{
	const struct event event = event_at(number, real);
	char binary[40];
	struct record record = { .event = &event, .binary = binary, .unit = "web.service" };

	snprintf(binary, sizeof(binary), "/usr/sbin/server-%llu", (unsigned long long)number % BINARIES);
	log_add_event(writer, &record);
}

static void fill(struct log_writer *writer, uint64_t lines)
{
	static const uint64_t none[VERDICTS];
	struct log_source source = { .boot_id = "earlier", .instance = 1 };
	int64_t now = when_now().real, step = WEEK_NS / (int64_t)lines;

	for (uint64_t number = 0; number < lines; number++) {
		int64_t real = now - (int64_t)(lines - number) * step;

		if (number % BATCH == 0) {
			source.real = real;
			source.boot = real - (now - WEEK_NS);
			source.mark.seq = number;
			source.mark.dealt[VERDICT_DENY] = (number + 199) / 200;
			source.mark.dealt[VERDICT_ALLOW] = number - source.mark.dealt[VERDICT_DENY];
			must_do(!log_flush(writer), "write");
			log_add_source(writer, &source, none);
		}
		add_event(writer, number, real);
	}
	must_do(!log_flush(writer), "write");
}

static double seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Its output goes to the file `answer`. */
static void run(char **command, const char *answer)
{
	double before = seconds();
	struct rusage usage;
	int status;
	pid_t child = fork();

	if (!child) {
		int fd = open(answer, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execv(command[0], command);
		_exit(127);
	}
	must_do(wait4(child, &status, 0, &usage) != child, "wait");
	printf("%.2f s, %ld KiB of memory, status %d\n", seconds() - before, usage.ru_maxrss, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	struct log_writer writer = LOG_WRITER_INIT;
	struct log_source end;
	char path[4096], answer[4096];

	if (argc < 4) {
		fputs("usage: log_week DIRECTORY LINES COMMAND...\n", stderr);
		return 2;
	}
	snprintf(path, sizeof(path), "%s/audit.log", argv[1]);
	snprintf(answer, sizeof(answer), "%s/answer", argv[1]);
	if (access(path, F_OK)) {
		writer.rotate_bytes = 64 << 20;
		writer.rotate_keep = 9999;
		must_do(log_writer_open(&writer, path, &end), path);
		fill(&writer, strtoull(argv[2], NULL, 10));
		log_writer_close(&writer);
	}
	run(argv + 3, answer);
	return 0;
}
