/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests the policy file: each mistake is refused at its line, and what is right is read as meant and written as read.
 * Fails if policy/ini_*.c accepts a mistake, names the wrong line, reads on past a limit, or writes text that reads back differently.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/cleanup.h"
#include "policy/ini.h"
#include "policy/port.h"
#include "policy/source.h"

#define T10 "0123456789"
#define T50 T10 T10 T10 T10 T10
#define T100 T50 T50
#define HEAD "[web]\nbinary = /usr/sbin/nginx\n" /* two valid lines */
#define TEXT(literal) literal, sizeof(literal) - 1

struct reading {
	struct policy policy;
	struct diagnostics diagnostics;
	struct ini_settings settings;
};

static void begin(struct reading *r)
{
	*r = (struct reading){ 0 };
	policy_init(&r->policy);
}

static void end(struct reading *r)
{
	policy_clear(&r->policy);
	diagnostics_clear(&r->diagnostics);
	ini_settings_clear(&r->settings);
}

static void read_text(struct reading *r, const char *file, const char *text, size_t length)
{
	_cleanup_fclose_ FILE *stream = fmemopen((void *)text, length, "r");

	assert_non_null(stream);
	ini_read(stream, file, &r->settings, &r->policy, &r->diagnostics);
}

static void print_all(const struct diagnostics *d)
{
	for (size_t i = 0; i < d->count; i++)
		print_message("  %s:%u: %s\n", d->list[i].file, d->list[i].line, d->list[i].message);
}

/* Returns the policy in one line, in the order of policy_normalise(), to be freed. */
static char *spell(struct policy *policy)
{
	char port[PORT_TEXT_MAX], *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	policy_normalise(policy);
	fprintf(stream, "%s %s", ini_mode_words[policy->mode], ini_verdict_words[policy->verdict]);
	for (unsigned i = 0; i < SWITCHES; i++)
		if (!policy->switches[i])
			fprintf(stream, " no-%s", ini_switch_words[i]);
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		assert_int_equal(rule->counter, COUNTER_NONE);
		fprintf(stream, "; %s: %s %s %s", rule->section, policy->binaries[rule->binary].path, ini_verdict_words[rule->verdict],
			port_format(&rule->port, port));
		if (rule->has_uid)
			fprintf(stream, " by %u", rule->uid);
	}
	fclose(stream);
	return text;
}

/* ---------------------------------------------------------------------------------------------
 * One error each
 */

static const struct {
	const char *text;
	size_t length;
	unsigned line;
	const char *fragment;
} bad[] = {
	/* keys and words */
	{ TEXT(HEAD "allwo = 80\nallow = 80\n"), 3, "unknown key 'allwo'; did you mean 'allow'?" },
	{ TEXT(HEAD "Allow = 80\nallow = 80\n"), 3, "did you mean 'allow'?" },
	{ TEXT(HEAD "port = 80\nallow = 80\n"), 3, "unknown key 'port'; keys of this section are binary" },
	{ TEXT("[sockaccept]\nmdoe = enforce\n"), 2, "did you mean 'mode'?" },
	{ TEXT("[sockaccept]\ncolour = red\n"), 2, "keys of this section are mode, default, events, failure, judge-listen, gate and" },
	{ TEXT("[sockaccept]\nfailure = close\n"), 2, "unknown failure 'close'; did you mean 'closed'?" },
	{ TEXT("[sockaccept]\nfailure = open\nfailure = closed\n"), 3, "contradicts 'failure = open' at p.ini:2" },
	{ TEXT("[sockaccept]\njudge-listen = maybe\n"), 2, "unknown judge-listen 'maybe'; write 'no' or 'yes'" },
	{ TEXT("[sockaccept]\njudge-listen = Yes\n"), 2, "did you mean 'yes'?" },
	{ TEXT("[sockaccept]\njudge-listen =\n"), 2, "'judge-listen' has no value" },
	{ TEXT("[sockaccept]\njudge_listen = no\n"), 2, "did you mean 'judge-listen'?" },
	{ TEXT("[sockaccept]\njudge-listen = no\njudge-listen = yes\n"), 3, "contradicts 'judge-listen = no' at p.ini:2" },
	{ TEXT("[sockaccept]\njudge-listen = yes\n no\n"), 3, "an indented line under 'judge-listen', which takes one word" },
	{ TEXT("[sockaccept]\ngate = off\n"), 2, "unknown gate 'off'; write 'no' or 'yes'" },
	{ TEXT("[sockaccept]\ndrain = no\ndrain = yes\n"), 3, "contradicts 'drain = no' at p.ini:2" },
	{ TEXT(HEAD "gate = no\nallow = 80\n"), 3, "'gate' belongs in [sockaccept], not in [web]" },
	{ TEXT(HEAD "judge-listen = no\nallow = 80\n"), 3, "'judge-listen' belongs in [sockaccept], not in [web]" },
	{ TEXT("[sockaccept]\nlisten = 80\n"), 2, "'listen' does not belong in [sockaccept]" },
	{ TEXT("[sockaccept]\nmode = enforcing\n"), 2, "unknown mode 'enforcing'; did you mean 'enforce'?" },
	{ TEXT("[sockaccept]\nmode = Enforce\n"), 2, "did you mean 'enforce'?" },
	{ TEXT("[sockaccept]\nmode = off\n"), 2, "write 'enforce' or 'permissive'" },
	{ TEXT("[sockaccept]\ndefault = drop\n"), 2, "write 'allow' or 'deny'" },
	{ TEXT("[sockaccept]\ndefault = denied\n"), 2, "unknown default 'denied'; write 'allow' or 'deny'" },
	{ TEXT("[sockaccept]\nallow = 80\n"), 2, "'allow' does not belong in [sockaccept]" },
	{ TEXT("[sockaccept]\nbinary = any\n"), 2, "a section of another name" },
	{ TEXT(HEAD "mode = enforce\nallow = 80\n"), 3, "'mode' belongs in [sockaccept], not in [web]" },
	{ TEXT("[Sockaccept]\nmode = enforce\n"), 2, "rename section [Sockaccept]" },
	{ TEXT("[sockacept]\ndefault = deny\n"), 2, "rename section [sockacept]" },
	{ TEXT("[sockaccept]\ndefault = deny\ndefault = allow\n"), 3, "contradicts 'default = deny' at p.ini:2" },
	{ TEXT("[sockaccept]\nevents = 1024\nevents = 2048\n"), 3, "contradicts 'events = 1024' at p.ini:2" },
	{ TEXT("[sockaccept]\nevents = 1000\n"), 2, "write 'events = 1024'" },
	{ TEXT("[sockaccept]\nevents = 0\n"), 2, "write 'events = 64'" },
	{ TEXT("[sockaccept]\nevents = 4294967296\n"), 2, "write 'events = 16384'" },
	{ TEXT("[sockaccept]\nevents = -64\n"), 2, "write 'events = 16384'" },
	{ TEXT("[sockaccept]\nevents = 2097152\n"), 2, "write 'events = 1048576'" },
	{ TEXT("[sockaccept]\nmode = enforce\n[sockaccept]\nmode = permissive\n"), 4, "at p.ini:2" },
	{ TEXT(HEAD "= 80\nallow = 80\n"), 3, "no key before '='" },
	{ TEXT(HEAD "allow 80\nallow = 80\n"), 3, "'allow' without '='; write 'allow = 80'" },
	{ TEXT(HEAD "allow\nallow = 80\n"), 3, "'allow' without '='; write 'allow = ...'" },
	{ TEXT(HEAD "80\nallow = 80\n"), 3, "neither [name] nor 'key = value'" },
	{ TEXT(HEAD "allow : 80\n"), 3, "':' after 'allow'; only '='" },
	{ TEXT(HEAD "allow: 80 = 90\n"), 3, "':' after 'allow'" },

	/* ports */
	{ TEXT(HEAD "allow = 0\n"), 3, "port '0': out of range" },
	{ TEXT(HEAD "allow = 65536\n"), 3, "port '65536': out of range; ports go from 1 to 65535" },
	{ TEXT(HEAD "allow = 80-\n"), 3, "port '80-': half a range" },
	{ TEXT(HEAD "deny = 90-80\n"), 3, "port '90-80': a range that ends before it begins" },
	{ TEXT(HEAD "allow = abc\n"), 3, "port 'abc': not a port" },
	{ TEXT(HEAD "allow =\n"), 3, "'allow' has no value" },
	{ TEXT(HEAD "listen =\n"), 3, "'listen' has no value" },
	{ TEXT(HEAD "listen = 0\n"), 3, "port '0': out of range" },
	{ TEXT(HEAD "listen = 25,\n"), 3, "the list ends with a comma" },
	{ TEXT(HEAD "lisen = 25\nlisten = 25\n"), 3, "did you mean 'listen'?" },
	{ TEXT("[mail]\nlisten = 25\n"), 1, "section [mail] has no 'binary'" },
	{ TEXT(HEAD "allow = ; all of them\n"), 3, "'allow' has no value" },
	{ TEXT(HEAD "allow = 80,,443\n"), 3, "an item of the list is empty" },
	{ TEXT(HEAD "allow = ,80\n"), 3, "an item of the list is empty" },
	{ TEXT(HEAD "allow = ,\n"), 3, "an item of the list is empty" },
	{ TEXT(HEAD "allow = 80,\n"), 3, "the list ends with a comma" },
	{ TEXT(HEAD "allow = 80,\n\n; done\n\ndeny = any\n"), 3, "the list ends with a comma" },
	{ TEXT(HEAD "allow = 80,\n[ftp]\nbinary = any\ndeny = 21\n"), 3, "the list ends with a comma" },
	{ TEXT(HEAD "allow = 80 443\n"), 3, "put a comma between two" },
	{ TEXT(HEAD "allow = 80, 0, abc\n"), 3, "port '0'" },
	{ TEXT(HEAD "allow = 80;443\n"), 3, "port '80;443': not a port" },
	{ TEXT(HEAD "allow = 80; web\n"), 3, "port '80; web'" },
	{ TEXT(HEAD "allow = any/udp\n"), 3, "without accept(2)" },

	/* users */
	{ TEXT(HEAD "user = nobody-of-that-name\nallow = 80\n"), 3, "unknown user 'nobody-of-that-name'" },
	{ TEXT(HEAD "user = any\nallow = 80\n"), 3, "a rule without 'user' is for all users" },
	{ TEXT(HEAD "user = 4294967295\nallow = 80\n"), 3, "ids go from 0 to 4294967294" },
	{ TEXT(HEAD "user = 00\nallow = 80\n"), 3, "user id 00 is none" },
	{ TEXT(HEAD "user = 99999999999\nallow = 80\n"), 3, "user id" },
	{ TEXT(HEAD "user = root daemon\nallow = 80\n"), 3, "put a comma between two" },
	{ TEXT(HEAD "user =\nallow = 80\n"), 3, "'user' has no value" },
	{ TEXT(HEAD "user = root,\nallow = 80\n"), 3, "the list ends with a comma" },

	/* sections */
	{ TEXT("[web]\nallow = 80\n"), 1, "section [web] has no 'binary'" },
	{ TEXT("\n[web]\nbinary = any\n"), 2, "section [web] has none of 'allow', 'deny' and 'listen'" },
	{ TEXT("[web]\nuser = root\n"), 1, "section [web] has only 'user'" },
	{ TEXT("[a]\n[b]\nbinary = any\ndeny = 1\n"), 1, "section [a] is empty" },
	{ TEXT("[b]\nbinary = any\ndeny = 1\n[a]\n"), 4, "section [a] is empty" },
	{ TEXT("[web]\nbinary = any\nallow = 80\n[web]\nallow = 81\n"), 4, "section [web] has no 'binary'" },
	{ TEXT("[web\nbinary = any\nallow = 80\n"), 1, "missing ']' after the section's name" },
	{ TEXT("[web ; x]\nbinary = any\nallow = 80\n"), 1, "missing ']' after the section's name" },
	{ TEXT("[sockaccept\nmode = enforce\n"), 1, "missing ']' after the section's name" },
	{ TEXT(HEAD "allow = 80\n[\nmode = enforce\n"), 4, "missing ']' after the section's name" },
	{ TEXT("[web] x\nbinary = any\nallow = 80\n"), 1, "text after a section header" },
	{ TEXT("[web];x\nbinary = any\nallow = 80\n"), 1, "text after a section header" },
	{ TEXT("[[web]]\nbinary = any\nallow = 80\n"), 1, "text after a section header" },
	{ TEXT("[]\nbinary = any\nallow = 80\n"), 1, "a section without a name" },
	{ TEXT("[ web]\nbinary = any\nallow = 80\n"), 1, "a blank around a section name" },
	{ TEXT("[web ]\nbinary = any\nallow = 80\n"), 1, "a blank around a section name" },
	{ TEXT("[we\tb]\nbinary = any\nallow = 80\n"), 1, "a control character in a section name" },
	{ TEXT("[we\xc2\x9b"
	       "b]\nbinary = any\nallow = 80\n"),
	  1, "a control character in a section name" },
	{ TEXT("[" T50 "]\nbinary = any\nallow = 80\n"), 1, "a section name over 49 bytes" },
	{ TEXT("[" T50 T50 "]\nbinary = any\nallow = 80\n"), 1, "a section name over 49 bytes" },
	{ TEXT("[" T100 T100 "]\nbinary = any\nallow = 80\n"), 1, "shorten the name" },
	{ TEXT("mode = enforce\n[sockaccept]\n"), 1, "text before the first section" },
	{ TEXT("; x\n\nhello\nworld = 1\n  x\n"), 3, "text before the first section" },
	{ TEXT("binary = any\nallow = 80\n  81\n"), 1, "text before the first section" },
	{ TEXT("  80\n"), 1, "text before the first section" },

	/* paths */
	{ TEXT("[web]\nbinary = bin/nginx\nallow = 80\n"), 2, "'bin/nginx' is not an absolute path; begin it" },
	{ TEXT("[web]\nbinary = ./nginx\nallow = 80\n"), 2, "is not an absolute path" },
	{ TEXT("[web]\nbinary = env\nallow = 80\n"), 2, "write /usr/bin/env" },
	{ TEXT("[web]\nbinary = no-such-thing\nallow = 80\n"), 2, "such as /usr/sbin/no-such-thing" },
	{ TEXT("[web]\nbinary = ANY\nallow = 80\n"), 2, "write any in lower case" },
	{ TEXT("[web]\nbinary = \"/usr/bin/env\"\nallow = 80\n"), 2, "begins with a quote" },
	{ TEXT("[web]\nbinary = /\nallow = 80\n"), 2, "is a directory" },
	{ TEXT("[web]\nbinary = /usr/bin/\nallow = 80\n"), 2, "'/usr/bin/' is a directory; name the file in it" },
	{ TEXT("[web]\nbinary = /usr/bin/.\nallow = 80\n"), 2, "is a directory" },
	{ TEXT("[web]\nbinary = /usr/bin/..\nallow = 80\n"), 2, "is a directory" },
	{ TEXT("[web]\nbinary =\nallow = 80\n"), 2, "'binary' has no value" },
	{ TEXT("[web]\nbinary = /a\tb\nallow = 80\n"), 2, "a control character in a path" },
	{ TEXT("[web]\nbinary = /" T100 T50 T10 T10 T10 "\nallow = 80\n"), 2, "make a symbolic link" },
	{ TEXT("[web]\nbinary = /" T100 T100 "\nallow = 80\n"), 2, "make a symbolic link" },
	{ TEXT("[web]\nbinary = /bin/a, /bin/b\nallow = 80\n"), 2, "looks like two paths" },
	{ TEXT("[web]\nbinary = /bin/*\nallow = 80\n"), 2, "looks like a pattern" },
	{ TEXT("[web]\nbinary = /opt/a ;b/c\nallow = 80\n"), 2, "symbolic link" },
	{ TEXT("[web]\nbinary = /opt/a #b\nallow = 80\n"), 2, "symbolic link" },
	{ TEXT("[web]\nbinary = /opt/a\n  /opt/b\nallow = 80\n"), 3, "write 'binary =' again" },

	/* lines */
	{ TEXT(HEAD "allow = 80 ;web\n"), 3, "' ;' with text glued to it" },
	{ TEXT(HEAD "allow = 80 ;; web\n"), 3, "' ;' with text glued to it" },
	{ TEXT(HEAD "allow = ;80\nallow = 1\n"), 3, "' ;' with text glued to it" },
	{ TEXT(HEAD "allow ;= 80\nallow = 1\n"), 3, "' ;' with text glued to it" },
	{ TEXT("[web] ;x\nbinary = any\nallow = 80\n"), 1, "' ;' with text glued to it" },
	{ TEXT(HEAD "allow = 80\t;web\n"), 3, "' ;' with text glued to it" },
	{ TEXT(HEAD "allow = 80 # web\n"), 3, "'#' after text is no comment" },
	{ TEXT(HEAD "allow = 80\n  deny = any\n"), 4, "an indented 'key = value'" },
	{ TEXT(HEAD "allow = 80\n\tdeny: any\n"), 4, "an indented 'key = value'" },
	{ TEXT("[web]\n  binary = any\nallow = 80\n"), 2, "an indented 'key = value'" },
	{ TEXT("  [web]\nbinary = any\nallow = 80\n"), 1, "an indented section header" },
	{ TEXT(HEAD "allow = 80\n  [ftp]\nbinary = any\nallow = 21\n"), 4, "an indented section header" },
	{ TEXT("[web]\n  80\nbinary = any\nallow = 80\n"), 2, "an indented line with no value above it" },
	{ TEXT("[sockaccept]\nmode = enforce\n  permissive\n"), 3, "an indented line under 'mode'" },
	{ TEXT(HEAD "allow = 80\n  deny 81\n"), 4, "port 'deny 81'" },
	{ TEXT(HEAD "allow = 80,\n  443,\n"), 4, "the list ends with a comma" },
	{ TEXT(HEAD "allow = 80\n  , 443\n"), 4, "an item of the list is empty" },
	{ TEXT(HEAD "allwo = 80\n  443\n  , , \n"), 3, "unknown key" },
	{ TEXT(HEAD "allow = 80 #\n  443\n"), 3, "'#' after text" },
	{ TEXT(HEAD "allow = 80\n; \0\n"), 4, "a NUL byte" },
	{ TEXT(HEAD "allow = 80\0deny = any\n"), 3, "a NUL byte" },
	{ TEXT(HEAD "allow = 80\n\0"), 4, "a NUL byte" },
	{ TEXT(HEAD "allow = 80\rdeny = any\n"), 3, "a carriage return inside a line" },
	{ TEXT(HEAD "allow = 80\n; x\rdeny = any\n"), 4, "a carriage return inside a line" },
	{ TEXT(HEAD "allow = 80\r\r\n"), 3, "a carriage return inside a line" },
	{ TEXT("; " T100 T100 "\r[web]\r"), 1, "a carriage return inside a line" },
	{ TEXT(HEAD "allow = 80\v\n"), 3, "control character 0x0b" },
	{ TEXT(HEAD "allow = 80\n; \x1b[2J\n"), 4, "control character 0x1b" },
	{ TEXT(HEAD "allow = 80\n\f\n"), 4, "control character 0x0c" },
	{ TEXT(HEAD "allow = 80\x7f\n"), 3, "control character 0x7f" },
	{ TEXT("\xef\xbb\xbf\xef\xbb\xbf[web]\nbinary = any\nallow = 80\n"), 1, "a byte order mark" },
	{ TEXT("\n\xef\xbb\xbf[web]\nbinary = any\nallow = 80\n"), 2, "a byte order mark" },
	{ TEXT(" \xef\xbb\xbf[web]\n"), 1, "a byte order mark" },

	/* a comment whose tail would be a rule: of 199, 199 + "deny = any" and 198 with the mark */
	{ TEXT(HEAD "allow = 80\n;" T100 T50 T10 T10 T10 T10 "01234567\n"), 4, "a line of 199 bytes" },
	{ TEXT(HEAD "allow = 80\n;" T100 T50 T10 T10 T10 T10 "01234567deny = any\n"), 4, "break the comment" },
	{ TEXT(HEAD "allow = 80\n#" T100 T50 T10 T10 T10 T10 "01234567deny = any\n"), 4, "break the comment" },
	{ TEXT(HEAD "allow = 80\n  ;" T100 T50 T10 T10 T10 T10 "01234567deny = any\n"), 4, "break the comment" },
	{ TEXT("\xef\xbb\xbf;" T100 T50 T10 T10 T10 T10 "01234567[web]\n"), 1, "a line of 204 bytes" },
	{ TEXT(HEAD "allow = 80 ; " T100 T100 "\n"), 3, "give its key again" },
	{ TEXT(HEAD "allow = 80\n" T100 T100), 4, "a line of 200 bytes" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const struct diagnostic *first;
		struct reading r;

		begin(&r);
		read_text(&r, "p.ini", bad[i].text, bad[i].length);
		first = r.diagnostics.list;
		if (r.diagnostics.count != 1 || r.diagnostics.errors != 1 || first->line != bad[i].line ||
		    !strstr(first->message, bad[i].fragment)) {
			print_all(&r.diagnostics);
			fail_msg("expected one error, line %u, '%s', of:\n%s", bad[i].line, bad[i].fragment, bad[i].text);
		}
		assert_string_equal(first->file, "p.ini");
		end(&r);
	}
}

/* A message follows `file:line: `. It says what is wrong, and after a semicolon how to fix it. */
static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *message;
		struct reading r;

		begin(&r);
		read_text(&r, "p.ini", bad[i].text, bad[i].length);
		message = r.diagnostics.list->message;
		if (strchr(message, '\n') || message[strlen(message) - 1] == '.' || !strstr(message, "; ") ||
		    (message[0] >= 'A' && message[0] <= 'Z'))
			fail_msg("unlike the others: %s", message);
		end(&r);
	}
}

/* ---------------------------------------------------------------------------------------------
 * Valid files
 */

#define WEB "; web: /usr/sbin/nginx allow 80"

static const struct {
	const char *text;
	size_t length;
	const char *spelt;
	size_t warnings;
} good[] = {
	{ TEXT(""), "enforce allow", 0 },
	{ TEXT("\n"), "enforce allow", 0 },
	{ TEXT("\xef\xbb\xbf"), "enforce allow", 0 },
	{ TEXT("; nothing\n# at all\n  ; indented\n\t# too\n"), "enforce allow", 0 },
	{ TEXT("[sockaccept]\n"), "enforce allow", 0 },
	{ TEXT("[sockaccept]\nmode = permissive\ndefault=deny"), "permissive deny", 0 },
	{ TEXT("[sockaccept]\ndefault = deny\n[sockaccept]\ndefault = deny\n"), "enforce deny", 0 },
	{ TEXT("[sockaccept]\njudge-listen = yes\n"), "enforce allow", 0 },
	{ TEXT("[sockaccept]\njudge-listen = no ; nor that\n[sockaccept]\njudge-listen = no\n"), "enforce allow no-judge-listen", 0 },
	{ TEXT("[sockaccept]\ngate = no\ndrain = no\n"), "enforce allow no-gate no-drain", 0 },
	{ TEXT("[sockaccept]\ngate = yes\ndrain = yes\njudge-listen = yes\n"), "enforce allow", 0 },
	{ TEXT(HEAD "allow = 80"), "enforce allow" WEB, 0 },
	{ TEXT("[web]\r\nbinary = /usr/sbin/nginx\r\nallow = 80\r\n"), "enforce allow" WEB, 0 },
	{ TEXT("[web]\r\nbinary = /usr/sbin/nginx\r\nallow = 80\r"), "enforce allow" WEB, 0 },
	{ TEXT("\xef\xbb\xbf" HEAD "allow = 80\n"), "enforce allow" WEB, 0 },
	{ TEXT("\xef\xbb\xbf; x\r\n" HEAD "allow = 80\n"), "enforce allow" WEB, 0 },
	{ TEXT("[web]\nallow = 80\nbinary = /usr/sbin/nginx\n"), "enforce allow" WEB, 0 },
	{ TEXT("[web]\t; x\nbinary\t=\t/usr/sbin/nginx ; y\nallow=80 ; z;z ;z\n"), "enforce allow" WEB, 0 },
	{ TEXT("[web] ; [x]\nbinary=/usr/sbin/nginx ;\nallow=80 ;\n"), "enforce allow" WEB, 0 },
	{ TEXT(HEAD "allow = 80 , 80,80\nallow = 80\n"), "enforce allow" WEB, 0 },
	{ TEXT(HEAD "binary = /usr/sbin/nginx\nallow = 80\n"), "enforce allow" WEB, 0 },
	{ TEXT(HEAD "allow = 80\ndeny = 80\n"), "enforce allow; web: /usr/sbin/nginx deny 80" WEB, 1 },
	{ TEXT(HEAD "allow = 80\ndeny = any\n"), "enforce allow" WEB "; web: /usr/sbin/nginx deny any", 0 },
	{ TEXT(HEAD "allow = 80,\n  443\n"), "enforce allow" WEB "; web: /usr/sbin/nginx allow 443", 0 },
	{ TEXT(HEAD "allow = 80\n  443\n"), "enforce allow" WEB "; web: /usr/sbin/nginx allow 443", 0 },
	{ TEXT(HEAD "allow = 80,\n\n  ; https\n\t443 ; here\n"), "enforce allow" WEB "; web: /usr/sbin/nginx allow 443", 0 },
	{ TEXT(HEAD "user = 0,\n  7\nallow = 80\n"), "enforce allow" WEB " by 0; web: /usr/sbin/nginx allow 80 by 7", 0 },
	{ TEXT(HEAD "user = root, root, 0\nuser = root\nallow = 80\n"), "enforce allow" WEB " by 0", 0 },
	{ TEXT("[b]\nbinary = /a\nbinary = any\ndeny = 1/tcp,2\nuser = 4294967294\n"),
	  "enforce allow; b: /a deny 1/tcp by 4294967294; b: /a deny 2 by 4294967294; "
	  "b: any deny 1/tcp by 4294967294; b: any deny 2 by 4294967294",
	  0 },
	/* listening for others: as any user, on ports of other keys too, and without other keys */
	{ TEXT(HEAD "listen = 80\nallow = 80\n"), "enforce allow" WEB "; web: /usr/sbin/nginx listen 80", 0 },
	{ TEXT(HEAD "deny = 80\nlisten = 80, 25/tcp,\n  80\n"),
	  "enforce allow; web: /usr/sbin/nginx deny 80; web: /usr/sbin/nginx listen 25/tcp; web: /usr/sbin/nginx listen 80", 0 },
	{ TEXT(HEAD "user = 0, 7\nallow = 80\nlisten = any\n"),
	  "enforce allow" WEB " by 0; web: /usr/sbin/nginx allow 80 by 7; web: /usr/sbin/nginx listen any", 0 },
	{ TEXT("[mail]\nbinary = /sbin/master\nlisten = 25, 587\n"),
	  "enforce allow; mail: /sbin/master listen 25; mail: /sbin/master listen 587", 0 },
	/* a section of the same name is another section */
	{ TEXT("[web]\nbinary = /a\nuser = 0\ndeny = 1\n[web]\nbinary = /b\nallow = 2\n"),
	  "enforce allow; web: /a deny 1 by 0; web: /b allow 2", 0 },
	/* names at their limits, and odd ones */
	{ TEXT("[0123456789012345678901234567890123456789012345678]\nbinary = /a\ndeny = 1\n"),
	  "enforce allow; 0123456789012345678901234567890123456789012345678: /a deny 1", 0 },
	{ TEXT("[a b;c#d=e:f]\nbinary = /a b;c#d=e:f\ndeny = 1\n"), "enforce allow; a b;c#d=e:f: /a b;c#d=e:f deny 1", 0 },
	{ TEXT("[\xc3\xa4]\nbinary = /\xff\xc3\xa4\ndeny = 1\n"), "enforce allow; \xc3\xa4: /\xff\xc3\xa4 deny 1", 0 },
	{ TEXT("[Sockaccept]\nbinary = /a\ndeny = 1\n"), "enforce allow; Sockaccept: /a deny 1", 0 },
	{ TEXT("[a]\nbinary = /" T100 T50 T10 T10 "012345678\ndeny = 1\n"), "enforce allow; a: /" T100 T50 T10 T10 "012345678 deny 1", 0 },
	/* 198 bytes: the longest line, of each kind, also the last one and with a mark before it */
	{ TEXT(";" T100 T50 T10 T10 T10 T10 "0123456\n[sockaccept]\ndefault = deny\n"), "enforce deny", 0 },
	{ TEXT("\xef\xbb\xbf;" T100 T50 T10 T10 T10 T10 "0123456\r\n[sockaccept]\ndefault = deny\n"), "enforce deny", 0 },
	{ TEXT("[sockaccept]\ndefault = deny ; " T100 T50 T10 T10 "01234567890\n"), "enforce deny", 0 },
	{ TEXT("[sockaccept]\ndefault = deny\n;" T100 T50 T10 T10 T10 T10 "0123456"), "enforce deny", 0 },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		_cleanup_free_ char *spelt = NULL;
		struct reading r;

		begin(&r);
		read_text(&r, "p.ini", good[i].text, good[i].length);
		if (r.diagnostics.errors || r.diagnostics.count != good[i].warnings) {
			print_all(&r.diagnostics);
			fail_msg("%s", good[i].text);
		}
		spelt = spell(&r.policy);
		if (strcmp(spelt, good[i].spelt) != 0)
			fail_msg("%s\nread as %s", good[i].text, spelt);
		end(&r);
	}
}

static void test_warning(void **state)
{
	static const char text[] = HEAD "deny = 80, 443/tcp\nallow = 443\nallow = 80\n";
	struct reading r;

	(void)state;
	begin(&r);
	read_text(&r, "p.ini", text, sizeof(text) - 1);
	assert_int_equal(r.diagnostics.errors, 0);
	assert_int_equal(r.diagnostics.count, 1);
	assert_int_equal(r.diagnostics.list[0].line, 5);
	assert_non_null(strstr(r.diagnostics.list[0].message, "port '80' of [web] is both allowed and denied"));
	end(&r);
}

/* ---------------------------------------------------------------------------------------------
 * Several errors, several files
 */

static void test_all_errors(void **state)
{
	static const char text[] = "hello\n"
				   "[web]\n"
				   "binary = nginx-that-is-not\n"
				   "allow = 0\n"
				   "allow = 80 ;x\n"
				   "[ftp\n"
				   "allow = 0\n"
				   "[mail]\n"
				   "allow = 25,\n"
				   "[last]\n";
	static const unsigned lines[] = { 1, 3, 4, 5, 6, 7, 9, 8, 10 };
	struct reading r;

	(void)state;
	begin(&r);
	read_text(&r, "p.ini", text, sizeof(text) - 1);
	if (r.diagnostics.errors != sizeof(lines) / sizeof(*lines))
		print_all(&r.diagnostics);
	assert_int_equal(r.diagnostics.errors, sizeof(lines) / sizeof(*lines));
	for (size_t i = 0; i < r.diagnostics.errors; i++)
		assert_int_equal(r.diagnostics.list[i].line, lines[i]);
	end(&r);
}

static void test_error_cap(void **state)
{
	struct reading r;
	char text[1024] = "[a]\n";

	(void)state;
	for (int i = 0; i < 20; i++)
		strcat(text, "x = 1\n");
	begin(&r);
	read_text(&r, "p.ini", text, strlen(text));
	assert_int_equal(r.diagnostics.count, 20);
	end(&r);

	strcat(text, "x = 1\nx = 1\nx = 1\n");
	begin(&r);
	read_text(&r, "p.ini", text, strlen(text));
	assert_int_equal(r.diagnostics.count, 21);
	assert_int_equal(r.diagnostics.list[20].line, 22);
	assert_non_null(strstr(r.diagnostics.list[20].message, "too many errors"));
	end(&r);
}

static void test_two_files(void **state)
{
	static const char first[] = "[sockaccept]\ndefault = deny\n[a]\nbinary = /a\ndeny = 1\n";
	static const char same[] = "[sockaccept]\ndefault = deny\nmode = enforce\n[b]\nbinary = /a\nallow = 1\n";
	static const char other[] = "[sockaccept]\n\ndefault = allow\n";
	_cleanup_free_ char *spelt = NULL;
	struct reading r;

	(void)state;
	begin(&r);
	read_text(&r, "1.ini", first, sizeof(first) - 1);
	read_text(&r, "2.ini", same, sizeof(same) - 1);
	assert_int_equal(r.diagnostics.count, 0);
	spelt = spell(&r.policy);
	assert_string_equal(spelt, "enforce deny; a: /a deny 1; b: /a allow 1");
	read_text(&r, "3.ini", other, sizeof(other) - 1);
	assert_int_equal(r.diagnostics.errors, 1);
	assert_int_equal(r.diagnostics.list[0].line, 3);
	assert_string_equal(r.diagnostics.list[0].file, "3.ini");
	assert_non_null(strstr(r.diagnostics.list[0].message, "contradicts 'default = deny' at 1.ini:2"));
	assert_int_equal(r.policy.verdict, VERDICT_DENY);
	end(&r);
}

/* ---------------------------------------------------------------------------------------------
 * Limits
 */

static char *make_text(size_t *length, void (*write)(FILE *stream, int n), int n)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, length);

	write(stream, n);
	fclose(stream);
	return text;
}

static void write_many_rules(FILE *stream, int rules)
{
	fputs("[a]\nbinary = /a\n", stream);
	for (int i = 0; i < rules; i++)
		fprintf(stream, "deny = %d-%d\n", i % 65535 + 1, 65535 - (i >= 65535 && i % 65535 < 65534));
}

static void write_product(FILE *stream, int n)
{
	fputs("[a]\n", stream);
	for (int i = 0; i < n; i++)
		fprintf(stream, "binary = /bin/%d\nuser = %d\ndeny = %d\n", i, i, i + 1);
}

static void write_comments(FILE *stream, int bytes)
{
	for (int i = 1; i <= bytes; i++)
		fputc(i % 128 ? ';' : '\n', stream);
}

static void write_same(FILE *stream, int n)
{
	fputs("[a]\nbinary = /a\n", stream);
	for (int i = 0; i < n; i++)
		fputs("deny = 1\n", stream);
}

static void test_limits(void **state)
{
	static const struct {
		void (*write)(FILE *stream, int n);
		int n;
		unsigned line;
		const char *fragment;
	} cases[] = {
		{ write_many_rules, 100000, 0, NULL },
		{ write_many_rules, MAX_RULES - 3, 0, NULL }, /* all different but one pair at the end */
		{ write_product, 50, 0, NULL },
		{ write_product, 51, 1, "section [a] makes 132651 rules" },
		{ write_product, 60000, 1, "section [a] makes 216000000000000 rules" },
		{ write_same, MAX_RULES + 1, MAX_RULES + 3, "more than 131072 values of 'deny'" },
		{ write_comments, SOURCE_MAX_BYTES, 0, NULL },
		{ write_comments, SOURCE_MAX_BYTES + 1, 0, "over 16 MiB" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t length;
		_cleanup_free_ char *text = make_text(&length, cases[i].write, cases[i].n);
		struct reading r;

		begin(&r);
		read_text(&r, "p.ini", text, length);
		if (r.diagnostics.count > 1)
			print_all(&r.diagnostics);
		assert_int_equal(r.diagnostics.count, cases[i].fragment ? 1 : 0);
		if (cases[i].fragment) {
			assert_int_equal(r.diagnostics.list[0].line, cases[i].line);
			assert_non_null(strstr(r.diagnostics.list[0].message, cases[i].fragment));
		}
		end(&r);
	}
}

/* ---------------------------------------------------------------------------------------------
 * Writing
 */

static void random_policy(struct policy *policy)
{
	static const char *const sections[] = { "web", "a b", "cli", "x;y", "\xc3\xa4" };
	static const char *const paths[] = { "any", "/a", "/usr/bin/b c", "/d;e", "/f=g:h" };
	int rules = (int)(random() % 200);

	policy->mode = (enum mode)(random() % MODES);
	policy->verdict = (enum verdict)(random() % VERDICTS);
	policy_set_flags(policy, (uint32_t)random());
	for (int i = 0; i < rules; i++) {
		struct rule rule = { .counter = COUNTER_NONE };

		strcpy(rule.section, sections[random() % 5]);
		rule.binary = policy_binary(policy, paths[random() % 5]);
		rule.verdict = (uint8_t)(random() % (VERDICTS + 1));
		rule.port.protocol = (uint8_t)(random() % PROTOCOLS);
		if (random() % 4) {
			rule.port.first = (uint16_t)(1 + random() % 65535);
			rule.port.last = (uint16_t)(rule.port.first + random() % (65536 - rule.port.first));
		}
		rule.has_uid = rule.verdict != VERDICT_LISTEN && random() % 2;
		rule.uid = rule.has_uid ? (uint32_t)(random() % 3) * 1000 : 0;
		policy_append(policy, &rule);
	}
}

static void test_round_trip(void **state)
{
	(void)state;
	srandom(2);
	for (int i = 0; i < 500; i++) {
		_cleanup_free_ char *text = NULL, *before = NULL, *after = NULL;
		struct reading written, r;
		size_t length;
		FILE *stream = open_memstream(&text, &length);

		begin(&written);
		random_policy(&written.policy);
		if (i % 2)
			policy_normalise(&written.policy);
		assert_int_equal(ini_write(&written.policy, stream), 0);
		fclose(stream);
		for (char *line = text; *line; line += strcspn(line, "\n") + 1)
			assert_in_range(strcspn(line, "\n"), 0, 100);

		begin(&r);
		read_text(&r, "written", text, length);
		if (r.diagnostics.errors)
			print_all(&r.diagnostics);
		assert_int_equal(r.diagnostics.errors, 0);
		before = spell(&written.policy);
		after = spell(&r.policy);
		assert_string_equal(before, after);
		end(&written);
		end(&r);
	}
}

static void test_write_text(void **state)
{
	static const char text[] = "[sockaccept]\njudge-listen = no\n"
				   "[web]\nbinary = /b\nuser = 33, 0\nallow = 80, 443\ndeny = any\nlisten = 25, 80\n"
				   "[a]\nbinary = any\ndeny = 1\n[a]\nbinary = any\ndeny = 2\n";
	static const char expected[] = "[sockaccept]\nmode    = enforce\ndefault = allow\njudge-listen = no\n"
				       "\n[web]\nbinary = /b\nlisten = 25, 80\n"
				       "\n[web]\nbinary = /b\nuser   = 0\nallow  = 80, 443\ndeny   = any\n"
				       "\n[web]\nbinary = /b\nuser   = 33\nallow  = 80, 443\ndeny   = any\n"
				       "\n[a]\nbinary = any\ndeny   = 1, 2\n";
	_cleanup_free_ char *written = NULL;
	size_t length;
	FILE *stream = open_memstream(&written, &length);
	struct reading r;

	(void)state;
	begin(&r);
	read_text(&r, "p.ini", text, sizeof(text) - 1);
	policy_normalise(&r.policy);
	assert_int_equal(ini_write(&r.policy, stream), 0);
	fclose(stream);
	assert_string_equal(written, expected);
	end(&r);
}

/* ini_write() fails rather than write something else. */
static void test_write_refuses(void **state)
{
	static const struct {
		const char *section, *path;
		bool writable;
	} cases[] = {
		{ "web", "/a", true },         { "a]b", "/a", false },  { "", "/a", false },       { "a\nb", "/a", false },
		{ "a ;b", "/a", false },       { " a", "/a", false },   { "web", "/a ;b", false }, { "web", "a", false },
		{ "web", "/a\nb", false },     { "web", "/a/", false }, { "web", "/a ", false },   { "web", "", false },
		{ "sockaccept", "/a", false }, { "web", "any", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		_cleanup_free_ char *text = NULL;
		size_t length;
		FILE *stream = open_memstream(&text, &length);
		struct rule rule = { .counter = COUNTER_NONE };
		struct policy policy;

		policy_init(&policy);
		strcpy(rule.section, cases[i].section);
		rule.binary = policy_binary(&policy, cases[i].path);
		policy_append(&policy, &rule);
		assert_int_equal(ini_write(&policy, stream), cases[i].writable ? 0 : -EINVAL);
		fclose(stream);
		policy_clear(&policy);
	}
}

static void test_write_full(void **state)
{
	_cleanup_fclose_ FILE *stream = fopen("/dev/full", "w");
	struct policy policy;

	(void)state;
	assert_non_null(stream);
	policy_init(&policy);
	assert_int_equal(ini_write(&policy, stream), -ENOSPC);
	policy_clear(&policy);
}

static void test_read_error(void **state)
{
	_cleanup_fclose_ FILE *stream = fopen("/", "r");
	struct reading r;

	(void)state;
	assert_non_null(stream);
	begin(&r);
	ini_read(stream, "p.ini", &r.settings, &r.policy, &r.diagnostics);
	assert_int_equal(r.diagnostics.errors, 1);
	assert_non_null(strstr(r.diagnostics.list[0].message, "Is a directory"));
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),        cmocka_unit_test(test_messages),      cmocka_unit_test(test_good),
		cmocka_unit_test(test_warning),    cmocka_unit_test(test_all_errors),    cmocka_unit_test(test_error_cap),
		cmocka_unit_test(test_two_files),  cmocka_unit_test(test_limits),        cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_write_text), cmocka_unit_test(test_write_refuses), cmocka_unit_test(test_write_full),
		cmocka_unit_test(test_read_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
