/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * outsider: runs a command as an ordinary user.
 *
 *   outsider COMMAND...       as user and group 65534, in no further group, without a capability
 *   outsider -n COMMAND...    as the same user in a user namespace and a mount namespace of its own, where it is root
 *
 * setpriv and unshare together do the same, and take several times as long on an emulated CPU.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#define USER 65534

static void must(bool works, const char *what)
{
	if (works)
		return;
	fprintf(stderr, "outsider: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	must(fd >= 0 && write(fd, text, strlen(text)) >= 0, path);
	close(fd);
}

static void become_user(void)
{
	must(!setgroups(0, NULL), "setgroups");
	must(!setresgid(USER, USER, USER), "setresgid");
	must(!setresuid(USER, USER, USER), "setresuid");
	/* as an execution would do; or /proc/self still were root's */
	must(!prctl(PR_SET_DUMPABLE, 1), "PR_SET_DUMPABLE");
}

static void become_root_inside(void)
{
	must(!unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 65534 1");
	write_file("/proc/self/gid_map", "0 65534 1");
	must(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount");
}

int main(int argc, char **argv)
{
	bool namespaces = argc > 1 && !strcmp(argv[1], "-n");
	char **command = argv + 1 + namespaces;

	if (!*command) {
		fputs("usage: outsider [-n] COMMAND...\n", stderr);
		return 2;
	}
	become_user();
	if (namespaces)
		become_root_inside();
	execvp(*command, command);
	fprintf(stderr, "outsider: %s: %s\n", *command, strerror(errno));
	return 127;
}
