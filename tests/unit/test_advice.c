/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests the warnings about policies that hold less than they seem to: each is given, in one line, and not given once its advice was
 * followed.
 * Fails if policy/advice.c, or policy/program.c for scripts and links, warns too often, too seldom or at the wrong line.
 *
 * Skips what needs chown if the user isn't root, since all files would be that user's.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/advice.h"
#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/resolve.h"
#include "policy/text.h"

#define OTHER 54321 /* a user and a group without a name */
#define NOBODY 65534
#define SHOWN 20

/* Each test runs in a fresh directory of its own user. In policies and messages, `@` stands for it. */
static char directory[PATH_MAX];
static struct policy policy;
static struct diagnostics diagnostics;

static int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockaccept.XXXXXX");
	if (!mkdtemp(directory) || chmod(directory, 0755) < 0 || chdir(directory) < 0)
		return -1;
	umask(022);
	policy_init(&policy);
	return 0;
}

static int tear_down(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	policy_clear(&policy);
	diagnostics_clear(&diagnostics);
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return chdir("/") < 0 || system(command) ? -1 : 0;
}

static void need_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("not root: can't make files that belong to somebody else\n");
	skip();
}

/* Makes a program. */
static void put(const char *name, mode_t mode)
{
	FILE *stream = fopen(name, "w");

	assert_non_null(stream);
	fclose(stream);
	assert_int_equal(chmod(name, mode), 0);
}

static void put_directory(const char *name, mode_t mode)
{
	assert_int_equal(mkdir(name, 0700), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static void expand(const char *text, char *to, size_t room)
{
	FILE *stream = fmemopen(to, room, "w");

	assert_non_null(stream);
	for (; *text; text++) {
		if (*text == '@')
			fputs(directory, stream);
		else
			fputc(*text, stream);
	}
	fclose(stream);
}

/* Adds a file to the policy. */
static void add_file(const char *name, const char *text, struct ini_settings *settings)
{
	_cleanup_free_ char *expanded = must(calloc(1, 1 << 16));
	_cleanup_fclose_ FILE *stream = NULL;

	expand(text, expanded, 1 << 16);
	stream = fmemopen(expanded, strlen(expanded), "r");
	assert_non_null(stream);
	ini_read(stream, name, settings, &policy, &diagnostics);
	assert_int_equal(diagnostics.errors, 0);
}

/* Reads the policy from the file `p`, and from `q` if there is one. */
static void advise_files(const char *p, const char *q)
{
	struct ini_settings settings = { 0 };

	policy_clear(&policy);
	diagnostics_clear(&diagnostics);
	add_file("p", p, &settings);
	if (q)
		add_file("q", q, &settings);
	ini_settings_clear(&settings);
	resolve_policy(&policy, READ_FOR_CHECK, &diagnostics);
	assert_int_equal(diagnostics.errors, 0);
	advise_policy(&policy, &diagnostics);
}

static void advise(const char *text)
{
	advise_files(text, NULL);
}

static void print_all(void)
{
	for (size_t i = 0; i < diagnostics.count; i++)
		print_message("  %s:%u: %s\n", diagnostics.list[i].file ? diagnostics.list[i].file : "-", diagnostics.list[i].line,
			      diagnostics.list[i].message);
}

/* Expects exactly these warnings in this order, each as its line, a blank and a part of its text. NULL ends them. */
static void expect(const char *text, ...)
{
	const char *wanted;
	va_list warnings;
	size_t count = 0;

	advise(text);
	va_start(warnings, text);
	while ((wanted = va_arg(warnings, const char *))) {
		char line[16], fragment[512];

		expand(strchr(wanted, ' ') + 1, fragment, sizeof(fragment));
		if (count >= diagnostics.count || !strstr(diagnostics.list[count].message, fragment)) {
			print_all();
			fail_msg("'%s' was expected", fragment);
		}
		snprintf(line, sizeof(line), "%u ", diagnostics.list[count].line);
		assert_memory_equal(line, wanted, strlen(line));
		assert_non_null(strstr(diagnostics.list[count].message, "; "));
		assert_null(strchr(diagnostics.list[count].message, '\n'));
		assert_int_equal(diagnostics.list[count++].severity, SEVERITY_WARNING);
	}
	va_end(warnings);
	if (count != diagnostics.count)
		print_all();
	assert_int_equal(diagnostics.count, count);
}

/* ---------------------------------------------------------------------------------------------
 * Programs that anyone can run
 */

#define DENY "[sockaccept]\ndefault = deny\n"
#define ANYONE "anyone can run it, with LD_PRELOAD too, and accept what [w] allows; add user = ... to [w]"

static void test_anyone_runs_it(void **state)
{
	(void)state;
	need_root();
	put("a", 0755);
	expect(DENY "[w]\nbinary = @/a\nallow = 80, 443, 1000-2000\n", "4 @/a: " ANYONE, NULL);
	expect(DENY "[w]\nbinary = @/a\nuser = 0, 33\nallow = 80, 443\n", NULL);
	expect(DENY "[w]\nbinary = @/a\ndeny = 80\n", NULL);
	expect(DENY "[w]\nbinary = any\nallow = 80\n", NULL);
	/* One of its sections has a user. The warning names the other section. */
	expect(DENY "[u]\nbinary = @/a\nuser = 0\nallow = 80\n[w]\nbinary = @/a\nallow = 81\n", "8 @/a: " ANYONE, NULL);
	/* Several binaries in a section: a warning at the line of each. */
	put("b", 0711);
	expect(DENY "[w]\nbinary = @/a\nbinary = @/b\nallow = 80\n", "4 @/a: " ANYONE, "5 @/b: " ANYONE, NULL);
}

/* A warning about a section names the file and the line of that section, whoever else names the binary before it. */
static void test_file_of_the_section(void **state)
{
	(void)state;
	need_root();
	put("a", 0755);
	advise_files(DENY "[u]\nbinary = @/a\nuser = 0\nallow = 80\n", "; mine\n\n[w]\nbinary = any\nbinary = @/a\nallow = 81\n");
	assert_int_equal(diagnostics.count, 1);
	assert_non_null(strstr(diagnostics.list[0].message, "and accept what [w] allows"));
	assert_string_equal(diagnostics.list[0].file, "q");
	assert_int_equal(diagnostics.list[0].line, 5);

	advise_files("[u]\nbinary = @/a\nuser = 0\nallow = 80\n", "[w]\nbinary = @/a\nuser = 0\ndeny = 81\n");
	assert_int_equal(diagnostics.count, 1);
	assert_non_null(strstr(diagnostics.list[0].message, "escapes the deny of 81 in [w]"));
	assert_string_equal(diagnostics.list[0].file, "q");
	assert_int_equal(diagnostics.list[0].line, 2);

	/* A warning about the file is at the line that names it first. */
	assert_int_equal(chmod("a", 0777), 0);
	advise_files(DENY "[u]\nbinary = @/a\nuser = 0\nallow = 80\n", "[w]\nbinary = @/a\nuser = 0\nallow = 81\n");
	assert_int_equal(diagnostics.count, 1);
	assert_string_equal(diagnostics.list[0].file, "p");
	assert_int_equal(diagnostics.list[0].line, 4);
}

static void test_not_anyone_runs_it(void **state)
{
	static const char text[] = DENY "[w]\nbinary = @/d/a\nallow = 80\n";

	(void)state;
	need_root();
	put_directory("d", 0755);
	put("d/a", 0754);
	expect(text, NULL);
	assert_int_equal(chmod("d/a", 0645), 0);
	expect(text, "4 @/d/a: " ANYONE, NULL);
	assert_int_equal(chmod("d", 0711), 0);
	expect(text, "4 @/d/a: " ANYONE, NULL);
	assert_int_equal(chmod("d", 0754), 0);
	expect(text, NULL);
	/* The directory that a link leads to counts. */
	assert_int_equal(symlink("d", "l"), 0);
	expect(DENY "[w]\nbinary = @/l/a\nallow = 80\n", NULL);
	assert_int_equal(chmod("d", 0755), 0);
	expect(DENY "[w]\nbinary = @/l/a\nallow = 80\n", "4 @/l/a: " ANYONE, NULL);
	/* Nothing is known of a file that isn't there. */
	assert_int_equal(unlink("d/a"), 0);
	expect(text, "4 @/d/a: no such file yet", NULL);
}

/* ---------------------------------------------------------------------------------------------
 * Paths that stand for something else
 */

#define FOR(name) DENY "[w]\nbinary = @/" name "\nuser = 0\nallow = 80\n"
#define INSTEAD(interpreter) \
	"a script, so the rule never matches; name its interpreter, " interpreter ", or the program that the script starts"

static void write_to(const char *name, const char *text, mode_t mode)
{
	FILE *stream = fopen(name, "w");

	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
	assert_int_equal(chmod(name, mode), 0);
}

static void test_script(void **state)
{
	static const struct {
		const char *line, *wanted;
	} scripts[] = {
		{ "#!/bin/sh\necho\n", "4 @/s: " INSTEAD("/bin/sh") },
		{ "#! /usr/bin/perl -w\n", "4 @/s: " INSTEAD("/usr/bin/perl") },
		/* One that isn't there is named too. */
		{ "#!/opt/none/python -u", "4 @/s: " INSTEAD("/opt/none/python") },
		/* sh is in /bin and /usr/bin, which mostly are the same. The first one of the usual PATH is named. */
		{ "#!/usr/bin/env sh\n", "4 @/s: " INSTEAD("/usr/bin/sh (what env finds along the usual PATH)") },
		{ "#!/usr/bin/env -S A=1 sh -e\n", "4 @/s: " INSTEAD("/usr/bin/sh (what env finds along the usual PATH)") },
		{ "#!/usr/bin/env -Ssh -e\n", "4 @/s: " INSTEAD("/usr/bin/sh (what env finds along the usual PATH)") },
		{ "#!/bin/env /opt/none/sh\n", "4 @/s: " INSTEAD("/opt/none/sh") },
		{ "#!/usr/bin/env no-such-sh\n", "4 @/s: " INSTEAD("the no-such-sh that env finds along the PATH of whoever runs it") },
		{ "#!/usr/bin/env -i sh\n", "4 @/s: " INSTEAD("the program that env runs for it") },
		{ "#!/usr/bin/env\n", "4 @/s: " INSTEAD("the program that env runs for it") },
	};

	(void)state;
	need_root();
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		write_to("s", scripts[i].line, 0755);
		expect(FOR("s"), scripts[i].wanted, NULL);
	}
	/* Also one that isn't executable, and one with another name: the link gives no warning of its own. */
	write_to("s", "#!/bin/sh\n", 0644);
	assert_int_equal(symlink("s", "l"), 0);
	expect(FOR("s"), "4 @/s: " INSTEAD("/bin/sh"), NULL);
	expect(FOR("l"), "4 @/l: " INSTEAD("/bin/sh"), NULL);
}

/* A script whose interpreter is a script. */
static void test_script_of_script(void **state)
{
	_cleanup_free_ char *to_inner = text_format("#!%s/inner\n", directory), *to_itself = text_format("#!%s/s\n", directory);

	(void)state;
	need_root();
	write_to("s", to_inner, 0755);
	write_to("inner", "#!/bin/sh -e\n", 0755);
	expect(FOR("s"), "4 @/s: " INSTEAD("/bin/sh"), NULL);
	/* It is its own interpreter. */
	write_to("s", to_itself, 0755);
	expect(FOR("s"), "4 @/s: " INSTEAD("@/s"), NULL);
}

static void test_no_script(void **state)
{
	(void)state;
	need_root();
	write_to("s", "\177ELF", 0755);
	expect(FOR("s"), NULL);
	write_to("s", "#", 0755);
	expect(FOR("s"), NULL);
	write_to("s", "#!", 0755);
	expect(FOR("s"), NULL);
	write_to("s", " #!/bin/sh\n", 0755);
	expect(FOR("s"), NULL);
	assert_int_equal(unlink("s"), 0);
	expect(FOR("s"), "4 no such file yet", NULL);
}

static void test_not_executable(void **state)
{
	static const char warning[] = "4 @/a: not executable (mode 0644), so the rule never matches; chmod +x it, or name the program "
				      "that reads it";

	(void)state;
	need_root();
	put("a", 0644);
	expect(FOR("a"), warning, NULL);
	expect("[w]\nbinary = @/a\nbinary = any\ndeny = 80\n", "2 not executable", NULL);
	/* Someone may execute it. */
	put("a", 0744);
	expect(FOR("a"), NULL);
	put("a", 0654);
	expect(FOR("a"), NULL);
}

#define LINK(name, file)                                                                                                          \
	"4 @/" name ": a link, so the rule stands for @/" file ", and everyone who runs that program gets it; to narrow it, add " \
	"user = ... or name a copy of the program"

static void test_link(void **state)
{
	(void)state;
	need_root();
	put_directory("usr", 0755);
	put_directory("venv", 0755);
	put("usr/python3.11", 0755);
	assert_int_equal(symlink("python3.11", "usr/python3"), 0);
	assert_int_equal(symlink("../usr/python3", "venv/python"), 0);
	expect(FOR("venv/python"), LINK("venv/python", "usr/python3.11"), NULL);
	expect(FOR("usr/python3"), LINK("usr/python3", "usr/python3.11"), NULL);
	expect(FOR("usr/python3.11"), NULL);
	/* One warning for each binary, however often it is named. */
	expect(FOR("venv/python") "[x]\nbinary = @/venv/python\nuser = 1\ndeny = 81\n", LINK("venv/python", "usr/python3.11"), NULL);
	/* A directory that is a link leads to the same file by the same name. */
	assert_int_equal(symlink("usr", "bin"), 0);
	expect(FOR("bin/python3.11"), NULL);
	expect(FOR("./bin/../bin/python3.11"), NULL);
	expect(FOR("bin/python3"), LINK("bin/python3", "usr/python3.11"), NULL);
	/* A link that leads nowhere yet gives that warning alone. */
	assert_int_equal(unlink("usr/python3.11"), 0);
	expect(FOR("venv/python"), "4 no such file yet", NULL);
}

/* ---------------------------------------------------------------------------------------------
 * Copies
 */

/* The rules are for a program that no other warning is about. */
#define COPY "[w]\nbinary = /proc/self/exe\n"
#define ANY "[any]\nbinary = any\n"
#define ESCAPES(port)                                                                 \
	"2 /proc/self/exe: a copy of it under another name escapes the deny of " port \
	" in [w]; set default = deny, or deny it for binary = any"

/* Does what expect() does, for warnings about rules, which depend on no file. */
static void expect_rules(const char *text, const char *wanted)
{
	_cleanup_fclose_ FILE *stream = fmemopen((void *)text, strlen(text), "r");
	struct ini_settings settings = { 0 };
	char seen[512] = "";

	policy_clear(&policy);
	diagnostics_clear(&diagnostics);
	assert_non_null(stream);
	ini_read(stream, "p", &settings, &policy, &diagnostics);
	ini_settings_clear(&settings);
	assert_int_equal(diagnostics.errors, 0);
	diagnostics_clear(&diagnostics);
	advise_policy(&policy, &diagnostics);
	assert_in_range(diagnostics.count, 0, 1);
	if (diagnostics.count)
		snprintf(seen, sizeof(seen), "%u %s", diagnostics.list[0].line, diagnostics.list[0].message);
	assert_string_equal(seen, wanted);
}

static void test_copy_escapes(void **state)
{
	(void)state;
	expect_rules(COPY "deny = 80, 443\n", ESCAPES("80"));
	expect_rules(COPY "user = 0\ndeny = any\n", ESCAPES("any"));
	expect_rules(COPY "allow = 80\n", "");
	expect_rules(COPY "deny = 80\n" DENY, "");
	expect_rules(ANY "deny = 80\n", "");
}

static void test_copy_is_denied(void **state)
{
	(void)state;
	expect_rules(COPY "deny = 80\n" ANY "deny = 80\n", "");
	expect_rules(COPY "deny = 80\n" ANY "deny = 80-89\n", "");
	expect_rules(COPY "deny = 80/tcp, 443\nuser = 33\n" ANY "deny = any\n", "");
	expect_rules(COPY "deny = 80/tcp\nuser = 33\n" ANY "user = 33\ndeny = 80/tcp\n", "");
	expect_rules(COPY "deny = any\n" ANY "deny = any\n", "");
	/* The rule for `any` denies something else, or only a part. */
	expect_rules(COPY "deny = 80, 443\n" ANY "deny = 80\n", ESCAPES("443"));
	expect_rules(COPY "deny = 80-89\n" ANY "deny = 80-88\n", ESCAPES("80-89"));
	expect_rules(COPY "deny = 80\n" ANY "deny = 80/tcp\n", ESCAPES("80"));
	expect_rules(COPY "deny = 80\n" ANY "user = 33\ndeny = 80\n", ESCAPES("80"));
	expect_rules(COPY "user = 34\ndeny = 80\n" ANY "user = 33\ndeny = 80\n", ESCAPES("80"));
	expect_rules(COPY "deny = any\n" ANY "deny = 1-65535\n", ESCAPES("any"));
}

/* A rule for `any` denies it, but another one that beats that allows it. */
static void test_copy_is_allowed(void **state)
{
	(void)state;
	expect_rules(COPY "deny = 80\n" ANY "deny = any\nallow = 80\n", ESCAPES("80"));
	expect_rules(COPY "deny = 80\n" ANY "deny = 80\nallow = any\n", "");
	expect_rules(COPY "deny = 80\n" ANY "deny = 80\nallow = 80\n", "");
	expect_rules(COPY "deny = 80\n" ANY "deny = 80\nallow = any/tcp\n", ESCAPES("80"));
	expect_rules(COPY "deny = 80\n" ANY "deny = any\nallow = 81, 1-79\n", "");
	expect_rules(COPY "deny = 80/tcp\n" ANY "deny = any\nallow = any/sctp\n", "");
	expect_rules(COPY "user = 33\ndeny = 80\n" ANY "deny = any\n[b]\nbinary = any\nuser = 34\nallow = 80\n", "");
	expect_rules(COPY "user = 33\ndeny = 80\n" ANY "deny = any\n[b]\nbinary = any\nuser = 33\nallow = 80\n", ESCAPES("80"));
}

/* ---------------------------------------------------------------------------------------------
 * Programs that someone can replace
 */

#define TEXT DENY "[w]\nbinary = @/d/e/a\ndeny = 80\n"

/* Expects the warning that a place on the way to @/d/e/a is not root's alone. */
static const char *fault(const char *place, const char *what, const char *remedy)
{
	static char text[256];

	snprintf(text, sizeof(text), "4 @/d/e/a: @/%s %s, who can put another program in its place; %s @/%s", place, what, remedy, place);
	return text;
}

static const char *owned(const char *place, const char *who)
{
	return fault(place, who, "chown root");
}

static const char *written(const char *place, const char *who)
{
	return fault(place, who, "chmod go-w");
}

static void put_tree(void)
{
	need_root();
	put_directory("d", 0755);
	put_directory("d/e", 0755);
	put("d/e/a", 0755);
	expect(TEXT, NULL);
}

static void test_owner(void **state)
{
	static const char *const places[] = { "d", "d/e", "d/e/a" };

	(void)state;
	put_tree();
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(chown(places[i], OTHER, (gid_t)-1), 0);
		expect(TEXT, owned(places[i], "belongs to user 54321"), NULL);
		assert_int_equal(chown(places[i], 0, (gid_t)-1), 0);
		expect(TEXT, NULL);
	}
	/* A user with a name. */
	assert_int_equal(chown("d/e/a", 1, (gid_t)-1), 0);
	expect(TEXT, owned("d/e/a", "belongs to user daemon"), NULL);
	/* Only the first one on the way. */
	assert_int_equal(chown("d", OTHER, (gid_t)-1), 0);
	expect(TEXT, owned("d", "belongs to user 54321"), NULL);
}

static void test_writable(void **state)
{
	static const char *const places[] = { "d", "d/e", "d/e/a" };

	(void)state;
	put_tree();
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(chmod(places[i], 0775), 0);
		expect(TEXT, NULL); /* root's group */
		assert_int_equal(chown(places[i], 0, OTHER), 0);
		expect(TEXT, written(places[i], "can be written by group 54321"), NULL);
		assert_int_equal(chmod(places[i], 0755), 0);
		expect(TEXT, NULL);
	}
	assert_int_equal(chmod("d/e", 0777), 0);
	expect(TEXT, written("d/e", "can be written by anyone"), NULL);
}

static void test_sticky(void **state)
{
	(void)state;
	put_tree();
	assert_int_equal(chmod("d/e", 01777), 0);
	expect(TEXT, NULL);
	assert_int_equal(chown("d/e/a", OTHER, 0), 0);
	expect(TEXT, owned("d/e/a", "belongs to user 54321"), NULL);
	assert_int_equal(unlink("d/e/a"), 0);
	expect(TEXT, "4 no such file yet", "4 @/d/e/a: anyone can create it in @/d/e; install it first, or in another directory", NULL);
	assert_int_equal(chmod("d/e", 0755), 0);
	expect(TEXT, "4 no such file yet", NULL);
	/* The owner of a sticky directory can replace what is in it. */
	assert_int_equal(chmod("d", 01755), 0);
	assert_int_equal(chown("d", OTHER, 0), 0);
	expect(TEXT, "4 no such file yet", owned("d", "belongs to user 54321"), NULL);
}

/* ---------------------------------------------------------------------------------------------
 * All warnings together
 */

static void test_together(void **state)
{
	(void)state;
	need_root();
	put("a", 0777);
	expect("[w]\nbinary = @/a\nallow = 80\ndeny = any\n", "2 " ANYONE, "2 escapes the deny of any in [w]",
	       "2 @/a can be written by anyone", NULL);
	expect(DENY "[w]\nbinary = any\nallow = 80\ndeny = any\n", NULL);
}

static void test_many(void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t length, last = SHOWN * 3;
	FILE *stream = open_memstream(&text, &length);

	(void)state;
	need_root();
	for (int i = 0; i < SHOWN + 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "b%d", i);
		put(name, 0777);
		fprintf(stream, "[w]\nbinary = @/%s\nallow = 80\ndeny = 81\n", name);
	}
	fclose(stream);
	advise(text);
	assert_int_equal(diagnostics.count, last + 3);
	for (size_t i = last; i < diagnostics.count; i++) {
		assert_memory_equal(diagnostics.list[i].message, "5 more ", strlen("5 more "));
		assert_null(diagnostics.list[i].file);
	}
	assert_int_equal(diagnostics.list[last - 1].line, 4 * SHOWN - 2);

	diagnostics_error(&diagnostics, "p", 1, "%s", "an error; mend it");
	diagnostics_drop_warnings(&diagnostics);
	assert_int_equal(diagnostics.count, 1);
	assert_int_equal(diagnostics.errors, 1);
	assert_string_equal(diagnostics.list[0].message, "an error; mend it");
}

/* A user who may not look at the files can still check: what is known gives its warnings. */
static void test_unseen(void **state)
{
	(void)state;
	need_root();
	put_directory("d", 0700);
	put("d/a", 0755);
	put("b", 0755);
	assert_int_equal(seteuid(NOBODY), 0);
	advise(DENY "[w]\nbinary = @/d/a\nbinary = @/b\nallow = 80\n");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(diagnostics.count, 2);
	assert_non_null(strstr(diagnostics.list[0].message, "d/a: cannot be looked up"));
	assert_non_null(strstr(diagnostics.list[1].message, "b: " ANYONE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_anyone_runs_it),
		TEST(test_file_of_the_section),
		TEST(test_not_anyone_runs_it),
		TEST(test_script),
		TEST(test_script_of_script),
		TEST(test_no_script),
		TEST(test_not_executable),
		TEST(test_link),
		TEST(test_copy_escapes),
		TEST(test_copy_is_denied),
		TEST(test_copy_is_allowed),
		TEST(test_owner),
		TEST(test_writable),
		TEST(test_sticky),
		TEST(test_together),
		TEST(test_many),
		TEST(test_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
