/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests edits of a policy file: everything else in it stays as it is, and the file then says what the live policy says after the same edit.
 * Fails if policy/ini_edit.c or ini_document.c changes another line or comment, or if its result differs from that of policy/policy_edit.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/ini.h"
#include "policy/ini_edit.h"
#include "policy/port.h"
#include "tests/unit/random.h"

#define PORTS_MAX 4

/* Returns an edit made of words. Ports and users are numbers separated by commas. */
static struct rule_edit edit_of(const char *verb, const char *path, const char *ports, const char *users, struct port_item items[PORTS_MAX],
				uint32_t uids[PORTS_MAX])
{
	struct rule_edit edit = { .path = path,
				  .ports = items,
				  .uids = uids,
				  .remove = !strncmp(verb, "remove", 6),
				  .removal = !strcmp(verb, "remove-made")  ? REMOVE_MADE :
					     !strcmp(verb, "remove-plain") ? REMOVE_MADE_PLAIN :
									     REMOVE_EXACT,
				  .verdict = strcmp(verb, "deny") ? VERDICT_ALLOW : VERDICT_DENY };
	char copy[64], *at = copy, *word;

	snprintf(copy, sizeof(copy), "%s", ports);
	while ((word = strsep(&at, ",")))
		if (*word)
			assert_null(port_parse(word, &items[edit.port_count++]));
	at = copy;
	snprintf(copy, sizeof(copy), "%s", users);
	while ((word = strsep(&at, ",")))
		if (*word)
			uids[edit.uid_count++] = (uint32_t)strtoul(word, NULL, 10);
	return edit;
}

/* Returns the text after an edit in words, to be freed, or NULL and *problem. */
static char *edited(const char *before, const char *verb, const char *path, const char *ports, const char *users, char **problem)
{
	struct port_item items[PORTS_MAX];
	uint32_t uids[PORTS_MAX];
	struct rule_edit edit = edit_of(verb, path, ports, users, items, uids);

	return ini_edit(before, &edit, problem);
}

static void expect_edit(const char *before, const char *verb, const char *path, const char *ports, const char *users, const char *after)
{
	char *problem, *text = edited(before, verb, path, ports, users, &problem);

	assert_null(problem);
	assert_string_equal(text, after);
	free(text);
}

static void expect_problem(const char *before, const char *verb, const char *path, const char *ports, const char *users, const char *what)
{
	char *problem, *text = edited(before, verb, path, ports, users, &problem);

	assert_null(text);
	assert_non_null(strstr(problem, what));
	free(problem);
}

static void test_new_section(void **unused)
{
	(void)unused;
	expect_edit("", "allow", "/bin/a", "80,443", "", "[cli]\nbinary = /bin/a\nallow  = 80, 443\n");
	expect_edit("; mine\n", "deny", "any", "23", "0,33", "; mine\n\n[cli]\nbinary = any\nuser   = 0, 33\ndeny   = 23\n");
	/* the last line has no line feed */
	expect_edit("[x]\nbinary = /bin/b\nallow = 1", "allow", "/bin/a", "80", "",
		    "[x]\nbinary = /bin/b\nallow = 1\n\n[cli]\nbinary = /bin/a\nallow  = 80\n");
}

static void test_everything_else_stays(void **unused)
{
	static const char before[] = "; head\n\n[web] ; first\n  ; a word on it\nbinary = /bin/a\nallow = 80,\n   443 ; tls\n\n"
				     "# tail\n[b]\nbinary=/bin/b\nallow=1-9\n";

	(void)unused;
	/* the file says so already */
	expect_edit(before, "allow", "/bin/a", "443", "", before);
	expect_edit(before, "allow", "/bin/a", "8080", "",
		    "; head\n\n[web] ; first\n  ; a word on it\nbinary = /bin/a\nallow = 80,\n"
		    "   443, 8080 ; tls\n\n# tail\n[b]\nbinary=/bin/b\nallow=1-9\n");
	expect_edit(before, "remove", "/bin/a", "80", "",
		    "; head\n\n[web] ; first\n  ; a word on it\nbinary = /bin/a\n"
		    "allow  = 443 ; tls\n\n# tail\n[b]\nbinary=/bin/b\nallow=1-9\n");
	expect_edit(before, "remove", "/bin/a", "443", "",
		    "; head\n\n[web] ; first\n  ; a word on it\nbinary = /bin/a\n"
		    "allow  = 80\n; tls\n\n# tail\n[b]\nbinary=/bin/b\nallow=1-9\n");
	expect_edit(before, "remove", "/bin/a", "", "", "; head\n\n  ; a word on it\n; tls\n\n# tail\n[b]\nbinary=/bin/b\nallow=1-9\n");
	/* a comment or a blank line inside a list doesn't end it; a tab before a comment is a blank */
	expect_edit("[a]\nbinary = /bin/a\nallow = 22\ndeny = 80,\n    ; telnet\n    23\n", "remove", "/bin/a", "80", "",
		    "[a]\nbinary = /bin/a\nallow = 22\n    ; telnet\ndeny   = 23\n");
	expect_edit("[a]\nbinary = /bin/a\nallow = 80\t; note\n", "allow", "/bin/a", "443", "",
		    "[a]\nbinary = /bin/a\nallow = 80, 443\t; note\n");
	expect_edit("\xef\xbb\xbf[a]\nbinary = /bin/a\nallow = 80\n", "allow", "/bin/a", "443", "",
		    "\xef\xbb\xbf[a]\nbinary = /bin/a\nallow = 80, 443\n");
	expect_edit(before, "deny", "/bin/b", "1-9", "",
		    "; head\n\n[web] ; first\n  ; a word on it\nbinary = /bin/a\nallow = 80,\n"
		    "   443 ; tls\n\n# tail\n\n[cli]\nbinary = /bin/b\ndeny   = 1-9\n");
}

static void test_long_lists_go_on_in_a_new_line(void **unused)
{
	(void)unused;
	expect_edit("[a]\nbinary = /bin/a\nallow = 10001, 10002, 10003, 10004, 10005, 10006, 10007, 10008, 10009\n", "allow", "/bin/a",
		    "1,20000-20009", "",
		    "[a]\nbinary = /bin/a\nallow = 10001, 10002, 10003, 10004, 10005, 10006, 10007, 10008, 10009, 1\n"
		    "allow  = 20000-20009\n");
}

static void test_users(void **unused)
{
	static const char before[] = "[a]\nbinary = /bin/a\nuser = root, 33\nallow = 80\n";

	(void)unused;
	expect_edit(before, "allow", "/bin/a", "80", "33", before);
	expect_edit(before, "allow", "/bin/a", "80", "",
		    "[a]\nbinary = /bin/a\nuser = root, 33\nallow = 80\n\n"
		    "[cli]\nbinary = /bin/a\nallow  = 80\n");
	expect_problem(before, "deny", "/bin/a", "80", "33", "4: [a]: this line is for other binaries or users too");
	expect_edit(before, "deny", "/bin/a", "80", "33,0", "\n[cli]\nbinary = /bin/a\nuser   = 33, 0\ndeny   = 80\n");
	expect_edit(before, "remove", "/bin/a", "80", "", before);
	expect_edit(before, "remove", "/bin/a", "80", "0,33", "");
	expect_problem(before, "remove", "/bin/a", "80", "0", "change it there yourself");
}

/* A file keeps users as they were given: on another machine, a name can have another id. */
static void test_users_as_given(void **unused)
{
	static char *const words[] = { "root", "33", "daemon", "a-user-with-a-rather-long-name", "another-user-with-a-longer-one" };
	static const uint32_t uids[] = { 0, 33, 1, 4001, 4002 };
	struct port_item port;
	struct rule_edit edit = { .path = "/bin/a",
				  .ports = &port,
				  .port_count = 1,
				  .uids = uids,
				  .uid_count = 3,
				  .user_words = words,
				  .verdict = VERDICT_DENY };
	char *problem, *text;

	(void)unused;
	assert_null(port_parse("80", &port));
	text = ini_edit("", &edit, &problem);
	assert_string_equal(text, "[cli]\nbinary = /bin/a\nuser   = root, 33, daemon\ndeny   = 80\n");
	free(text);
	/* A section names the same users in other words. */
	text = ini_edit("[x]\nbinary = /bin/a\nuser = 1, 0,\n  33\ndeny = 79\n", &edit, &problem);
	assert_string_equal(text, "[x]\nbinary = /bin/a\nuser = 1, 0,\n  33\ndeny = 79, 80\n");
	free(text);
	edit.uid_count = 5;
	text = ini_edit("", &edit, &problem);
	assert_string_equal(text, "[cli]\nbinary = /bin/a\nuser   = root, 33, daemon, a-user-with-a-rather-long-name\n"
				  "user   = another-user-with-a-longer-one\ndeny   = 80\n");
	free(text);
}

static void test_what_was_made(void **unused)
{
	static const char before[] = "[a]\nbinary = /bin/a\nallow = 80\n[cli] ; so\nbinary = /bin/a\nuser = 33\nallow = 80, 81\n";

	(void)unused;
	expect_edit(before, "remove-made", "/bin/a", "80", "",
		    "[a]\nbinary = /bin/a\nallow = 80\n[cli] ; so\nbinary = /bin/a\nuser = 33\nallow  = 81\n");
	expect_edit(before, "remove-made", "/bin/a", "", "", "[a]\nbinary = /bin/a\nallow = 80\n");
	expect_edit(before, "remove-made", "/bin/a", "80", "34", before);
	expect_edit(before, "remove-made", "/bin/b", "80", "", before);
	expect_edit(before, "remove-plain", "/bin/a", "80", "", before);
	expect_edit("[cli]\nbinary = /bin/a\nallow = 80\n[b]\nbinary = /bin/a\nallow = 80\n", "remove-plain", "/bin/a", "80", "",
		    "[b]\nbinary = /bin/a\nallow = 80\n");
}

static void test_what_is_shared(void **unused)
{
	static const char before[] = "[ab]\nbinary = /bin/a\nbinary = /bin/b\nallow = 80\ndeny = any\n";

	(void)unused;
	expect_problem(before, "deny", "/bin/a", "80", "", "4: [ab]");
	expect_problem(before, "remove", "/bin/b", "any", "", "5: [ab]");
	expect_edit(before, "allow", "/bin/a", "80", "", before);
	expect_edit(before, "deny", "/bin/a", "81", "",
		    "[ab]\nbinary = /bin/a\nbinary = /bin/b\nallow = 80\ndeny = any\n\n"
		    "[cli]\nbinary = /bin/a\ndeny   = 81\n");
}

/* Edits leave rules about listening for others alone. */
static void test_listening_stays(void **unused)
{
	static const char before[] = "[mail]\nbinary = /bin/a\nlisten = 25,\n   587\nallow = 25\n";

	(void)unused;
	expect_edit(before, "remove", "/bin/a", "25", "", "[mail]\nbinary = /bin/a\nlisten = 25,\n   587\n");
	expect_edit(before, "remove", "/bin/a", "587", "", before);
	expect_edit(before, "deny", "/bin/a", "25", "",
		    "[mail]\nbinary = /bin/a\nlisten = 25,\n   587\n\n[cli]\nbinary = /bin/a\ndeny   = 25\n");
	expect_edit(before, "allow", "/bin/a", "587", "", "[mail]\nbinary = /bin/a\nlisten = 25,\n   587\nallow = 25, 587\n");
	expect_edit("[cli]\nbinary = /bin/a\nallow = 25\nlisten = 25\n", "remove-made", "/bin/a", "", "",
		    "[cli]\nbinary = /bin/a\nlisten = 25\n");
	expect_edit("[cli]\nbinary = /bin/a\nbinary = /bin/b\nlisten = 25\n", "remove", "/bin/a", "25", "",
		    "[cli]\nbinary = /bin/a\nbinary = /bin/b\nlisten = 25\n");
}

/* ---------------------------------------------------------------------------------------------
 * The same as the live policy
 */

static const char *const paths[] = { "any", "/bin/a", "/bin/b" };
static const char *const items[] = { "80", "443", "8000-8099", "any", "22/tcp", "80/sctp" };
static const uint32_t users[] = { 0, 33, 1000 };

static void read_text(const char *text, struct policy *policy)
{
	struct diagnostics diagnostics = { 0 };
	struct ini_settings settings = { 0 };
	FILE *stream = fmemopen((char *)text, strlen(text), "r");

	policy_init(policy);
	if (*text)
		ini_read(stream, "text", &settings, policy, &diagnostics);
	if (diagnostics.errors)
		fail_msg("line %u: %s\n%s", diagnostics.list[0].line, diagnostics.list[0].message, text);
	diagnostics_clear(&diagnostics);
	ini_settings_clear(&settings);
	if (stream)
		fclose(stream);
}

/* What stands between the items of a list, and after it. */
static const char *const joints[] = { ", %s", ",\n\t%s", ", ; so\n  %s", ",\n; between\n  %s", ",\n\n  %s" };
static const char *const ends[] = { "\n", " ; why\n", "\t; why\n", " ;\n" };

static const char *const keys[] = { "allow", "allow", "deny", "deny", "listen" };
static const char *const sections_of_files[] = { "s1", "s2", CLI_SECTION, "client" };

/* Writes a file as a person might: one to three ports a line, over several lines, with and without comments. */
static char *random_text(void)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	for (uint32_t sections = random_below(5); sections; sections--) {
		fprintf(stream, "[%s]\nbinary = %s\n", sections_of_files[random_below(4)], paths[random_below(3)]);
		if (!random_below(4))
			fprintf(stream, "binary = /bin/c\n");
		if (!random_below(2))
			fprintf(stream, "user = %u%s\n", users[random_below(3)], random_below(3) ? "" : ", 2000");
		for (uint32_t lines = 1 + random_below(2); lines; lines--) {
			uint32_t more = random_below(3);

			fprintf(stream, "%s = %s", keys[random_below(5)], items[random_below(6)]);
			for (; more; more--)
				fprintf(stream, joints[random_below(5)], items[random_below(6)]);
			fprintf(stream, "%s", ends[random_below(4)]);
		}
	}
	fclose(stream);
	return text;
}

static void apply(struct policy *policy, const struct rule_edit *edit)
{
	size_t binary = policy_binary(policy, edit->path);

	for (size_t i = 0; i < rule_edit_count(edit); i++)
		rule_edit_apply(edit, policy, binary, i);
	policy_normalise(policy);
}

static void assert_same(const struct policy *a, const struct policy *b, const char *text)
{
	if (a->rule_count != b->rule_count)
		fail_msg("%zu rules, and %zu expected:\n%s", a->rule_count, b->rule_count, text);
	for (size_t i = 0; i < a->rule_count; i++) {
		const struct rule *x = &a->rules[i], *y = &b->rules[i];

		if (strcmp(a->binaries[x->binary].path, b->binaries[y->binary].path) || !port_equal(&x->port, &y->port) ||
		    x->verdict != y->verdict || x->has_uid != y->has_uid || (x->has_uid && x->uid != y->uid))
			fail_msg("rule %zu:\n%s", i, text);
	}
}

static void test_file_says_what_the_live_policy_does(void **unused)
{
	unsigned done = 0;

	(void)unused;
	for (int round = 0; round < 5000; round++) {
		struct port_item ports[2];
		uint32_t uids[2] = { users[random_below(3)], 2000 };
		struct rule_edit edit = { .path = paths[random_below(3)],
					  .ports = ports,
					  .port_count = 1 + random_below(2),
					  .uids = uids,
					  .uid_count = random_below(3),
					  .remove = !random_below(3),
					  .removal = random_below(3),
					  .verdict = (uint8_t)random_below(2) };
		char *before = random_text(), *problem, *after;
		struct policy expected, seen;

		assert_null(port_parse(items[random_below(6)], &ports[0]));
		assert_null(port_parse(items[random_below(6)], &ports[1]));
		after = ini_edit(before, &edit, &problem);
		if (after) {
			read_text(before, &expected);
			apply(&expected, &edit);
			read_text(after, &seen);
			policy_normalise(&seen);
			assert_same(&seen, &expected, after);
			policy_clear(&expected);
			policy_clear(&seen);
			done++;
		}
		free(problem);
		free(after);
		free(before);
	}
	assert_true(done > 2500); /* the others failed: their lines are about other rules too */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_section),
		cmocka_unit_test(test_everything_else_stays),
		cmocka_unit_test(test_long_lists_go_on_in_a_new_line),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_users_as_given),
		cmocka_unit_test(test_what_was_made),
		cmocka_unit_test(test_what_is_shared),
		cmocka_unit_test(test_listening_stays),
		cmocka_unit_test(test_file_says_what_the_live_policy_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
