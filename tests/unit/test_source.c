/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests where a policy comes from: whose files are trusted, in which order they are read, that nothing in their place can block the reader,
 * and which file a path stands for.
 * Fails if policy/source.c trusts a file that others can write or waits for a FIFO, or if policy/resolve.c follows a path differently from
 * the kernel or makes an error of what may wait.
 *
 * Skips what needs chown or chroot if the user isn't root.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/resolve.h"
#include "policy/source.h"

#define RULE(port) "[s" port "]\nbinary = /bin/sh\ndeny = " port "\n"
#define NOBODY 65534

/* Each test runs in a fresh directory. */
static char directory[PATH_MAX];
static struct policy policy;
static struct diagnostics diagnostics;

static int set_up(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(directory, sizeof(directory), "%s/sockaccept.XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(directory) || chmod(directory, 0755) < 0 || chdir(directory) < 0)
		return -1;
	if (!realpath(".", directory))
		return -1;
	umask(022);
	policy_init(&policy);
	alarm(60);
	return 0;
}

static int tear_down(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	alarm(0);
	policy_clear(&policy);
	diagnostics_clear(&diagnostics);
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return chdir("/") < 0 || system(command) ? -1 : 0;
}

static void put(const char *name, const char *text)
{
	FILE *stream = fopen(name, "w");

	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
}

static void again(void)
{
	policy_clear(&policy);
	diagnostics_clear(&diagnostics);
}

static void print_all(void)
{
	for (size_t i = 0; i < diagnostics.count; i++)
		print_message("  %s:%u: %s\n", diagnostics.list[i].file, diagnostics.list[i].line, diagnostics.list[i].message);
}

/* Reads a policy, and expects these ports of its rules, in the order of reading. */
static void expect_ports(const char *path, enum purpose purpose, const char *ports)
{
	char text[128] = "";

	again();
	source_read(path, purpose, &policy, &diagnostics);
	if (diagnostics.errors)
		print_all();
	assert_int_equal(diagnostics.errors, 0);
	for (size_t i = 0; i < policy.rule_count; i++)
		sprintf(text + strlen(text), "%s%u", i ? " " : "", policy.rules[i].port.first);
	assert_string_equal(text, ports);
}

static void expect_diagnostic(enum severity severity, const char *file, const char *fragment)
{
	bool found = false;

	for (size_t i = 0; i < diagnostics.count; i++) {
		const struct diagnostic *d = &diagnostics.list[i];

		found = found || (d->severity == severity && !strcmp(d->file, file) && strstr(d->message, fragment));
	}
	if (!found) {
		print_all();
		fail_msg("%s: '%s' was expected", file, fragment);
	}
}

/* Reads a policy, and expects this one error. */
static void expect_error(const char *path, const char *file, const char *fragment)
{
	again();
	source_read(path, READ_FOR_LOAD, &policy, &diagnostics);
	expect_diagnostic(SEVERITY_ERROR, file, fragment);
	assert_int_equal(diagnostics.errors, 1);
	assert_non_null(strstr(diagnostics.list[0].message, "; "));
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip();
}

/* ---------------------------------------------------------------------------------------------
 * Files
 */

static void test_file(void **state)
{
	(void)state;
	need_root();
	put("p", RULE("1") RULE("2"));
	expect_ports("p", READ_FOR_LOAD, "1 2");
	assert_int_equal(diagnostics.count, 0);
	put("empty.ini", "");
	expect_ports("empty.ini", READ_FOR_LOAD, "");
	put("bad.ini", RULE("1") "x\n");
	expect_error("bad.ini", "bad.ini", "neither [name]");
	assert_int_equal(diagnostics.list[0].line, 4);
	assert_int_equal(symlink("p", "link"), 0);
	expect_ports("link", READ_FOR_LOAD, "1 2");
}

static void test_no_file(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	alarm(10); /* opened in the ordinary way, the FIFO would wait for a writer forever */
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	expect_error("none", "none", "No such file or directory; create it");
	expect_error("none/p.ini", "none/p.ini", "No such file or directory");
	expect_error("fifo", "fifo", "is a FIFO");
	expect_error("socket", "socket", "cannot be opened");
	expect_error("dangling", "dangling", "No such file or directory");
	expect_error("loop", "loop", "symbolic links");
	expect_error("/dev/null", "/dev/null", "is a device");
	expect_error("/dev/zero", "/dev/zero", "is a device");
	expect_error("", "", "cannot be opened");
	expect_error("fifo/x", "fifo/x", "Not a directory");
}

static void test_unreadable(void **state)
{
	(void)state;
	need_root();
	put("p", RULE("1"));
	assert_int_equal(chmod("p", 0600), 0);
	assert_int_equal(mkdir("d", 0700), 0);
	put("d/p.ini", RULE("1"));
	assert_int_equal(seteuid(NOBODY), 0);
	expect_error("p", "p", "Permission denied; run this as root");
	expect_error("d", "d", "Permission denied; run this as root");
	expect_error("d/p.ini", "d/p.ini", "Permission denied; run this as root");
	assert_int_equal(seteuid(0), 0);
}

static void test_whose(void **state)
{
	static const struct {
		mode_t mode;
		uid_t uid;
		gid_t gid;
		const char *fragment; /* NULL: no error */
	} cases[] = {
		{ 0644, 0, 0, NULL },
		{ 0600, 0, 0, NULL },
		{ 0644, 0, 5, NULL },
		{ 0664, 0, 0, "can be written by its group (mode 0664); chmod go-w it" },
		{ 0646, 0, 0, "can be written by anyone (mode 0646)" },
		{ 0666, 0, 0, "can be written by anyone" },
		{ 0620, 0, 0, "can be written by its group" },
		{ 0644, 1, 0, "belongs to user 1, not to root; chown root it" },
		{ 0444, NOBODY, 0, "belongs to user 65534" },
	};

	(void)state;
	need_root();
	put("p", RULE("1"));
	assert_int_equal(symlink("p", "link"), 0);
	assert_int_equal(lchown("link", 1, 1), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(chown("p", cases[i].uid, cases[i].gid), 0);
		assert_int_equal(chmod("p", cases[i].mode), 0);
		expect_ports("p", READ_FOR_CHECK, "1");
		assert_int_equal(diagnostics.count, cases[i].fragment ? 1 : 0);
		if (cases[i].fragment) {
			expect_diagnostic(SEVERITY_WARNING, "p", cases[i].fragment);
			expect_error("p", "p", cases[i].fragment);
			expect_error("link", "link", cases[i].fragment);
			assert_int_equal(policy.rule_count, 0);
		} else {
			expect_ports("p", READ_FOR_LOAD, "1");
			expect_ports("link", READ_FOR_LOAD, "1");
		}
	}
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void put_noise(const char *name, long bytes, int modulus)
{
	FILE *stream = fopen(name, "w");

	assert_non_null(stream);
	srandom(3);
	for (long i = 0; i < bytes; i++)
		putc_unlocked((int)(random() % modulus + (modulus < 100 ? ' ' : 0)), stream);
	fclose(stream);
}

static void test_noise(void **state)
{
	double start;

	(void)state;
	need_root();
	put_noise("large", 100L << 20, 256);
	put_noise("small", 15L << 20, 256);
	put_noise("line", 15L << 20, 64);
	start = seconds();
	expect_error("large", "large", "over 16 MiB");
	again();
	source_read("small", READ_FOR_LOAD, &policy, &diagnostics);
	assert_int_equal(diagnostics.errors, 21);
	again();
	source_read("line", READ_FOR_LOAD, &policy, &diagnostics);
	assert_int_equal(diagnostics.errors, 1);
	assert_non_null(strstr(diagnostics.list[0].message, "a line of 15728640 bytes"));
	assert_true(seconds() - start < 5);
}

/* ---------------------------------------------------------------------------------------------
 * Directories
 */

static void test_directory(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(mkdir("d", 0755), 0);
	expect_error("d", "d", "no *.ini in this directory");
	put("d/.hidden.ini", "x");
	put("d/backup.ini~", "x");
	put("d/README", "x");
	put("d/.ini", "x");
	expect_error("d", "d", "no *.ini in this directory");
	put("d/b.ini", RULE("2"));
	put("d/a.ini", RULE("1"));
	put("d/B.ini", RULE("3"));
	put("d/10.ini", RULE("4"));
	put("d/9.ini", RULE("5"));
	put("d/\xc3\xa4.ini", RULE("6"));
	expect_ports("d", READ_FOR_LOAD, "4 5 3 1 2 6");
	expect_ports("d/", READ_FOR_LOAD, "4 5 3 1 2 6");
	assert_int_equal(diagnostics.count, 0);
}

static void test_directory_entries(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(mkdir("d", 0755), 0);
	put("d/a.ini", RULE("1"));
	put("elsewhere", RULE("2"));
	assert_int_equal(symlink("../elsewhere", "d/b.ini"), 0);
	expect_ports("d", READ_FOR_LOAD, "1 2");
	assert_int_equal(chmod("elsewhere", 0666), 0);
	expect_error("d", "d/b.ini", "can be written by anyone");
	assert_int_equal(unlink("elsewhere"), 0);
	expect_error("d", "d/b.ini", "No such file");
	assert_int_equal(unlink("d/b.ini"), 0);
	assert_int_equal(mkdir("d/c.ini", 0755), 0);
	expect_error("d", "d/c.ini", "is a directory");
	assert_int_equal(rmdir("d/c.ini"), 0);
	assert_int_equal(mkfifo("d/c.ini", 0644), 0);
	alarm(10);
	expect_error("d", "d/c.ini", "is a FIFO");
	assert_int_equal(unlink("d/c.ini"), 0);
	put("d/c.ini", "[sockaccept]\nmode = enforce\n");
	put("d/d.ini", "\n[sockaccept]\nmode = permissive\n");
	expect_error("d", "d/d.ini", "contradicts 'mode = enforce' at d/c.ini:2");
	assert_int_equal(diagnostics.list[0].line, 3);
}

static void test_whose_directory(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(mkdir("d", 0755), 0);
	put("d/a.ini", RULE("1"));
	assert_int_equal(chmod("d", 0775), 0);
	expect_error("d", "d", "can be written by its group");
	assert_int_equal(policy.rule_count, 0);
	expect_ports("d", READ_FOR_CHECK, "1");
	expect_diagnostic(SEVERITY_WARNING, "d", "can be written by its group");
	assert_int_equal(chmod("d", 01777), 0);
	expect_error("d", "d", "can be written by anyone (mode 1777)");
	assert_int_equal(chmod("d", 0755), 0);
	assert_int_equal(chown("d", 1, 0), 0);
	expect_error("d", "d", "belongs to user 1");
	/* the file alone is enough */
	expect_ports("d/a.ini", READ_FOR_LOAD, "1");
}

static void test_layout(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(mkdir("d", 0755), 0);
	put("d/policy.ini", RULE("1"));
	expect_ports("d", READ_FOR_LOAD, "1");
	assert_int_equal(mkdir("d/policy.d", 0755), 0);
	expect_ports("d", READ_FOR_LOAD, "1");
	put("d/policy.d/b.ini", RULE("3"));
	put("d/policy.d/a.ini", RULE("2"));
	expect_ports("d", READ_FOR_LOAD, "1 2 3");
	assert_int_equal(diagnostics.count, 0);
	put("d/other.ini", RULE("9"));
	expect_ports("d", READ_FOR_LOAD, "1 2 3");
	assert_int_equal(diagnostics.count, 1);
	expect_diagnostic(SEVERITY_WARNING, "d/other.ini", "not read; move it to policy.d/");
	assert_int_equal(unlink("d/other.ini"), 0);

	assert_int_equal(chmod("d/policy.d", 0777), 0);
	expect_error("d", "d/policy.d", "can be written by anyone");
	expect_ports("d", READ_FOR_CHECK, "1 2 3");
	assert_int_equal(chmod("d/policy.d", 0755), 0);

	assert_int_equal(unlink("d/policy.ini"), 0);
	expect_ports("d", READ_FOR_LOAD, "2 3");
	assert_int_equal(unlink("d/policy.d/a.ini"), 0);
	assert_int_equal(unlink("d/policy.d/b.ini"), 0);
	expect_error("d", "d/policy.d", "no *.ini in this directory");
	assert_int_equal(rmdir("d/policy.d"), 0);
	put("d/policy.d", "");
	expect_error("d", "d/policy.d", "is a file; make it a directory");
	assert_int_equal(unlink("d/policy.d"), 0);
	assert_int_equal(mkdir("d/policy.ini", 0755), 0);
	expect_error("d", "d/policy.ini", "is a directory");
}

static void test_many_bad_files(void **state)
{
	char name[32], text[400] = "";

	(void)state;
	need_root();
	assert_int_equal(mkdir("d", 0755), 0);
	for (int i = 0; i < 30; i++)
		strcat(text, "[a]\n");
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "d/%02d.ini", i);
		put(name, text);
	}
	source_read("d", READ_FOR_LOAD, &policy, &diagnostics);
	expect_diagnostic(SEVERITY_ERROR, "d/05.ini", "too many errors; fix those above first");
	assert_int_equal(diagnostics.errors, 5 * 21 + 1);
}

/* Reads the default places in a root directory made for the test. Returns a number that tells what failed. */
static int read_default_places(void)
{
	if (chroot(".") < 0)
		return 1;
	source_read(NULL, READ_FOR_LOAD, &policy, &diagnostics);
	if (diagnostics.errors != 1 || strcmp(diagnostics.list[0].file, DEFAULT_POLICY_FILE) ||
	    !strstr(diagnostics.list[0].message, "there is no policy; create this file"))
		return 2;
	if (mkdir("/etc", 0755) < 0 || mkdir(DEFAULT_POLICY_BASE, 0755) < 0)
		return 3;
	again();
	source_read(NULL, READ_FOR_LOAD, &policy, &diagnostics);
	if (diagnostics.errors != 1)
		return 4;
	put(DEFAULT_POLICY_FILE, RULE("1"));
	again();
	source_read(NULL, READ_FOR_LOAD, &policy, &diagnostics);
	if (diagnostics.count || policy.rule_count != 1)
		return 5;
	if (mkdir(DEFAULT_POLICY_DIR, 0755) < 0)
		return 6;
	put(DEFAULT_POLICY_DIR "/x.ini", RULE("2") "x\n");
	again();
	source_read(NULL, READ_FOR_LOAD, &policy, &diagnostics);
	if (diagnostics.errors != 1 || strcmp(diagnostics.list[0].file, DEFAULT_POLICY_DIR "/x.ini"))
		return 7;
	if (unlink(DEFAULT_POLICY_DIR "/x.ini") < 0 || unlink(DEFAULT_POLICY_FILE) < 0 || symlink("nowhere", DEFAULT_POLICY_FILE) < 0)
		return 8;
	again();
	source_read(NULL, READ_FOR_LOAD, &policy, &diagnostics);
	if (diagnostics.errors != 1 || !strstr(diagnostics.list[0].message, "No such file"))
		return 9;
	return 0;
}

static void test_default(void **state)
{
	int status;
	pid_t child;

	(void)state;
	need_root();
	child = fork();
	if (child == 0) {
		status = read_default_places();
		again();
		_exit(status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---------------------------------------------------------------------------------------------
 * Paths of binaries
 */

static const char *in_directory(const char *name)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void expect_resolved(const char *name, const char *to, bool is_missing)
{
	_cleanup_free_ char *resolved = NULL;
	bool missing = !is_missing;
	_cleanup_free_ char *message = resolve_path(in_directory(name), &resolved, &missing);

	if (message)
		fail_msg("%s", message);
	assert_string_equal(resolved, in_directory(to));
	assert_int_equal(missing, is_missing);
}

static void expect_unresolved(const char *name, const char *fragment, bool nowhere)
{
	char *resolved = (char *)"untouched";
	bool missing = !nowhere;
	_cleanup_free_ char *message = resolve_path(in_directory(name), &resolved, &missing);

	if (!message || !strstr(message, fragment) || !strstr(message, "; "))
		fail_msg("%s: %s", name, message ? message : "resolved");
	assert_string_equal(resolved, "untouched");
	assert_int_equal(missing, nowhere);
}

static void expect_why(const char *name, const char *why)
{
	_cleanup_free_ char *seen = resolve_why_nowhere(in_directory(name));

	if (why)
		assert_string_equal(seen, why);
	else
		assert_null(seen);
}

static void make_tree(void)
{
	assert_int_equal(mkdir("bin", 0755), 0);
	assert_int_equal(mkdir("alt", 0755), 0);
	put("bin/a", "");
	assert_int_equal(mkfifo("bin/fifo", 0600), 0);
	assert_int_equal(symlink("bin", "sbin"), 0);
	assert_int_equal(symlink("a", "bin/b"), 0);
	assert_int_equal(symlink("../sbin/b", "alt/c"), 0);
	assert_int_equal(symlink("../sbin/later", "alt/later"), 0);
	assert_int_equal(symlink(in_directory("alt/later"), "alt/later2"), 0);
	assert_int_equal(symlink("../none/later", "alt/never"), 0);
	assert_int_equal(symlink("loop2", "alt/loop1"), 0);
	assert_int_equal(symlink("loop1", "alt/loop2"), 0);
	assert_int_equal(symlink("nodir", "alt/gone"), 0);
}

static void test_resolve_path(void **state)
{
	char why[PATH_MAX + 128];

	(void)state;
	make_tree();
	expect_resolved("bin/a", "bin/a", false);
	expect_resolved("sbin/a", "bin/a", false);
	expect_resolved("sbin/b", "bin/a", false);
	expect_resolved("alt/c", "bin/a", false);
	expect_resolved("alt/../sbin//./b", "bin/a", false);
	expect_resolved("bin/later", "bin/later", true);
	expect_resolved("sbin/later", "bin/later", true);
	expect_resolved("alt/later", "bin/later", true);
	expect_resolved("alt/later2", "bin/later", true);
	put("bin/later", "");
	expect_resolved("alt/later2", "bin/later", false);

	expect_unresolved("none/a", "there is no directory", true);
	expect_unresolved("alt/never", "there is no directory", true);
	expect_unresolved("alt/gone/a", "there is no directory", true);
	expect_unresolved("bin/a/b", "is none; correct the path", true);
	expect_unresolved("alt/loop1", "Too many levels of symbolic links", true);
	expect_unresolved("none/", "does not end in a file's name", true);
	expect_unresolved("alt", "is a directory", false);
	expect_unresolved("sbin/", "is a directory", false);
	expect_unresolved("bin/fifo", "is a FIFO", false);

	expect_why("bin/a", NULL);
	expect_why("bin/fifo", NULL);
	expect_why("alt/more", "there is no such file");
	expect_why("bin/a/b", "what should be a directory in it is none");
	snprintf(why, sizeof(why), "there is no directory %s", in_directory("none"));
	expect_why("none/a", why);
	expect_why("none/deeper/still/a", why);
	expect_why("alt/never", why);
}

static void test_resolve_root(void **state)
{
	_cleanup_free_ char *resolved = NULL, *message = NULL;
	bool missing = false;

	(void)state;
	message = resolve_path("/no-such-binary-here", &resolved, &missing);
	assert_null(message);
	assert_string_equal(resolved, "/no-such-binary-here");
	assert_true(missing);
}

static void add_binary(const char *path)
{
	policy_binary(&policy, path);
}

static void test_resolve(void **state)
{
	(void)state;
	make_tree();
	add_binary("any");
	add_binary(in_directory("sbin/b"));
	resolve_policy(&policy, READ_FOR_CHECK, &diagnostics);
	assert_int_equal(diagnostics.count, 0);
	assert_null(policy.binaries[0].resolved);
	assert_string_equal(policy.binaries[1].resolved, in_directory("bin/a"));

	add_binary(in_directory("sbin/later"));
	resolve_policy(&policy, READ_FOR_CHECK, &diagnostics);
	assert_int_equal(diagnostics.count, 1);
	assert_int_equal(diagnostics.errors, 0);
	assert_non_null(strstr(diagnostics.list[0].message, "sbin/later: no such file yet; the rule waits for it"));
	assert_string_equal(policy.binaries[2].resolved, in_directory("bin/later"));

	assert_false(policy.binaries[2].waits);
}

static void expect_waiting(size_t count)
{
	assert_int_equal(diagnostics.errors, 0);
	assert_int_equal(diagnostics.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_non_null(strstr(diagnostics.list[i].message, "the rule waits for it"));
		assert_true(policy.binaries[i].waits);
		assert_null(policy.binaries[i].resolved);
	}
}

/* A missing directory is never an error: it can come back. */
static void test_rules_wait(void **state)
{
	static const char *const nowhere[] = { "none/x", "alt/never", "alt/gone/a", "bin/a/b", "alt/loop1" };
	static const enum purpose purposes[] = { READ_FOR_LOAD, READ_FOR_CHECK, READ_AT_BOOT, READ_OFFLINE };

	(void)state;
	make_tree();
	for (size_t i = 0; i < 5; i++)
		add_binary(in_directory(nowhere[i]));
	for (size_t i = 0; i < 4; i++) {
		diagnostics_clear(&diagnostics);
		resolve_policy(&policy, purposes[i], &diagnostics);
		expect_waiting(5);
	}
	assert_int_equal(mkdir("none", 0755), 0);
	diagnostics_clear(&diagnostics);
	resolve_policy(&policy, READ_FOR_LOAD, &diagnostics);
	assert_false(policy.binaries[0].waits);
	assert_string_equal(policy.binaries[0].resolved, in_directory("none/x"));
	assert_string_equal(policy.binaries[1].resolved, in_directory("none/later"));
	assert_true(policy.binaries[2].waits);
}

/* A path that isn't a regular file is an error, but not at boot: it was one once. */
static void test_no_file_waits_at_boot(void **state)
{
	(void)state;
	make_tree();
	add_binary(in_directory("bin"));
	add_binary(in_directory("bin/fifo"));
	resolve_policy(&policy, READ_FOR_LOAD, &diagnostics);
	assert_int_equal(diagnostics.errors, 2);
	assert_false(policy.binaries[0].waits);
	diagnostics_clear(&diagnostics);
	resolve_policy(&policy, READ_AT_BOOT, &diagnostics);
	expect_waiting(2);
}

/* ---------------------------------------------------------------------------------------------
 * Users who are gone
 */

#define GONE                                                                    \
	"[r]\nbinary = /bin/sh\nuser = root, nobody-of-that-name\nallow = 80\n" \
	"[s]\nbinary = /bin/sh\nuser = nobody-of-that-name\ndeny = any\n"

static void test_unknown_user_waits_at_boot(void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int error;

	(void)state;
	need_root();
	put("gone.ini", GONE);
	source_read("gone.ini", READ_FOR_LOAD, &policy, &diagnostics);
	assert_int_equal(diagnostics.errors, 2);
	again();
	source_read("gone.ini", READ_AT_BOOT, &policy, &diagnostics);
	assert_int_equal(diagnostics.errors, 0);
	assert_int_equal(diagnostics.count, 2);
	assert_int_equal(diagnostics.list[1].line, 7);
	assert_string_equal(diagnostics.list[1].message, "unknown user 'nobody-of-that-name'; the rules of [s] for this user wait, and "
							 "match nobody until then");
	assert_int_equal(policy.rule_count, 3);
	assert_int_equal(policy.unknown_user_count, 1);
	for (size_t i = 0; i < 3; i++)
		assert_true(policy.rules[i].has_uid);
	assert_int_equal(policy.rules[0].uid, 0);
	assert_null(rule_unknown_user(&policy, &policy.rules[0]));
	assert_int_equal(policy.rules[1].uid, UID_NONE);
	assert_string_equal(rule_unknown_user(&policy, &policy.rules[2]), "nobody-of-that-name");
	policy_normalise(&policy);
	text = ini_text(&policy, "", &length, &error);
	assert_int_equal(error, 0);
	assert_non_null(strstr(text, "user   = nobody-of-that-name\n"));

	/* For another machine, what this one lacks is only a note; what is wrong on every machine is still an error. */
	again();
	source_read("gone.ini", READ_OFFLINE, &policy, &diagnostics);
	resolve_policy(&policy, READ_OFFLINE, &diagnostics);
	assert_int_equal(diagnostics.errors, 0);
	assert_true(diagnostics.offline);
	assert_true(diagnostics.count >= 2);
	for (size_t i = 0; i < diagnostics.count; i++)
		assert_int_equal(diagnostics.list[i].severity, SEVERITY_NOTE);
	diagnostics_drop_warnings(&diagnostics);
	assert_int_equal(diagnostics.count, 0);
	put("wrong.ini", "[s]\nbinary = relative\nallow = 80\n[t]\nbinary = /bin/sh\nalow = 80\n");
	again();
	source_read("wrong.ini", READ_OFFLINE, &policy, &diagnostics);
	assert_int_not_equal(diagnostics.errors, 0);

	/* What can never be a user is an error at boot too. */
	put("gone.ini", "[r]\nbinary = /bin/sh\nuser = any\nallow = 80\n[s]\nbinary = /bin/sh\nuser = two words\nallow = 80\n"
			"[t]\nbinary = /bin/sh\nuser = 4294967295\nallow = 80\n");
	again();
	source_read("gone.ini", READ_AT_BOOT, &policy, &diagnostics);
	assert_int_equal(diagnostics.errors, 3);
}

static void test_resolve_unseen(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(mkdir("closed", 0700), 0);
	put("closed/a", "");
	add_binary(in_directory("closed/a"));
	assert_int_equal(seteuid(NOBODY), 0);
	expect_unresolved("closed/a", "Permission denied; run this as root", false);
	expect_unresolved("closed/b", "Permission denied; run this as root", false);
	resolve_policy(&policy, READ_FOR_CHECK, &diagnostics);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(diagnostics.count, 1);
	assert_int_equal(diagnostics.errors, 0);
	assert_null(policy.binaries[0].resolved);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file),
		TEST(test_no_file),
		TEST(test_unreadable),
		TEST(test_whose),
		TEST(test_noise),
		TEST(test_directory),
		TEST(test_directory_entries),
		TEST(test_whose_directory),
		TEST(test_layout),
		TEST(test_many_bad_files),
		TEST(test_default),
		TEST(test_resolve_path),
		TEST(test_resolve_root),
		TEST(test_resolve),
		TEST(test_rules_wait),
		TEST(test_no_file_waits_at_boot),
		TEST(test_resolve_unseen),
		TEST(test_unknown_user_waits_at_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
