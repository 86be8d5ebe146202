/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * upgrade: replaces a program again and again, and starts it after each time.
 *
 *   upgrade COUNT PROGRAM PORT DENIED
 *
 * PROGRAM becomes a copy of this very file by, in turn, a rename over it, unlink and create, a write in place, and as
 * dpkg does it (a hard link as backup, PROGRAM.dpkg-new renamed over it). Each new PROGRAM listens on PORT and on
 * DENIED, and accepts a connection on both: the first has to be accepted, the second to fail with EPERM. Between two
 * upgrades a copy of another name, PROGRAM.other, has to be denied on both.
 *
 * Prints "COUNT upgrades, N wrong", and what was wrong, each once. The status is 0 if nothing was.
 *
 * It is linked statically, as starting it is most of what takes time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum outcome {
	OUTCOME_ACCEPTED,
	OUTCOME_EPERM,
	OUTCOME_ELSE,
	OUTCOME_NOT_TRIED,
	OUTCOMES,
};
static const char *const outcome_words[OUTCOMES] = { "accepted", "EPERM", "another error", "not tried" };

static void die(const char *what)
{
	perror(what);
	exit(3);
}

/* ---------------------------------------------------------------------------------------------
 * As PROGRAM
 */

static enum outcome accept_on(unsigned port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct pollfd waiting = { .fd = listener, .events = POLLIN };

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 4) ||
	    connect(client, (struct sockaddr *)&address, sizeof(address)) || poll(&waiting, 1, 10000) != 1)
		return OUTCOME_NOT_TRIED;
	if (accept(listener, NULL, NULL) >= 0)
		return OUTCOME_ACCEPTED;
	return errno == EPERM ? OUTCOME_EPERM : OUTCOME_ELSE;
}

/* Both outcomes as one exit status. */
static int be_program(const char *port, const char *denied)
{
	return (int)(accept_on((unsigned)atoi(port)) * OUTCOMES + accept_on((unsigned)atoi(denied)));
}

/* ---------------------------------------------------------------------------------------------
 * As the one that upgrades
 */

static void copy_to(const char *path, int flags)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to;
	struct stat st;

	/* A program that was just ended can be busy for a moment. */
	while ((to = open(path, O_WRONLY | flags | O_CLOEXEC, 0755)) < 0 && errno == ETXTBSY)
		usleep(1000);
	if (from < 0 || to < 0 || fstat(from, &st))
		die(path);
	while (st.st_size > 0) {
		ssize_t length = sendfile(to, from, NULL, (size_t)st.st_size);

		if (length <= 0)
			die("sendfile");
		st.st_size -= length;
	}
	close(from);
	close(to);
}

static const char *beside(const char *program, const char *suffix)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s%s", program, suffix);
	return path;
}

static void rename_over(const char *program, const char *suffix)
{
	copy_to(beside(program, suffix), O_CREAT | O_TRUNC);
	if (rename(beside(program, suffix), program))
		die("rename");
}

static void upgrade(const char *program, unsigned way)
{
	switch (way % 4) {
	case 0: rename_over(program, ".new"); break;
	case 1:
		unlink(program);
		copy_to(program, O_CREAT | O_EXCL);
		break;
	case 2: copy_to(program, O_TRUNC); break;
	default:
		unlink(beside(program, ".dpkg-tmp"));
		if (link(program, beside(program, ".dpkg-tmp")))
			die("link");
		rename_over(program, ".dpkg-new");
		unlink(beside(program, ".dpkg-tmp"));
	}
}

/* Starts `path` and compares what it says. Returns whether that was as expected. */
static bool is_judged(const char *path, const char *port, const char *denied, enum outcome first, enum outcome second)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		execl(path, path, "accept", port, denied, NULL);
		die(path);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		die("the program");
	status = WEXITSTATUS(status);
	if (status == (int)(first * OUTCOMES + second))
		return true;
	printf("%s: %s and %s\n", path, outcome_words[status / OUTCOMES % OUTCOMES], outcome_words[status % OUTCOMES]);
	return false;
}

int main(int argc, char **argv)
{
	unsigned count, wrong = 0;

	if (argc == 4 && !strcmp(argv[1], "accept"))
		return be_program(argv[2], argv[3]);
	if (argc != 5) {
		fputs("usage: upgrade COUNT PROGRAM PORT DENIED\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	count = (unsigned)atoi(argv[1]);
	for (unsigned i = 0; i < count; i++) {
		upgrade(argv[2], i);
		if (!is_judged(argv[2], argv[3], argv[4], OUTCOME_ACCEPTED, OUTCOME_EPERM))
			wrong++;
		if (i % 10)
			continue;
		copy_to(beside(argv[2], ".other"), O_CREAT | O_TRUNC);
		if (!is_judged(beside(argv[2], ".other"), argv[3], argv[4], OUTCOME_EPERM, OUTCOME_EPERM))
			wrong++;
	}
	printf("%u upgrades, %u wrong\n", count, wrong);
	return wrong ? 1 : 0;
}
