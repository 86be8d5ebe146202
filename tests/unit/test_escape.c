/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests the printing of text from elsewhere: nothing that a terminal could obey comes out, and JSON stays valid.
 * Fails if enforce/base/escape.c lets a byte through, or if enforce/base/output.c prints another value as text than as JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enforce/base/escape.h"
#include "enforce/base/output.h"

static void expect(void (*print)(FILE *, const char *), const char *text, const char *expected)
{
	char *printed = NULL;
	size_t size;
	FILE *stream = open_memstream(&printed, &size);

	print(stream, text);
	fclose(stream);
	assert_string_equal(printed, expected);
	if (print == escape_print && !strchr(expected, (char)0xc3))
		assert_int_equal(escape_width(text), strlen(expected));
	free(printed);
}

static void test_text(void **unused)
{
	(void)unused;
	expect(escape_print, "/usr/sbin/nginx", "/usr/sbin/nginx");
	expect(escape_print, "caf\xc3\xa9", "caf\xc3\xa9");
	expect(escape_print, "a\nb\t\x1b[31m\x7f", "a\\x0ab\\x09\\x1b[31m\\x7f");
	expect(escape_print, "C1 \xc2\x9b", "C1 \\xc2\\x9b");
	expect(escape_print, "bidi \xe2\x80\xae.", "bidi \\xe2\\x80\\xae.");
	expect(escape_print, "back\\slash", "back\\\\slash");
	expect(escape_print, "bad \xff\xc0\x80\xe2\x80", "bad \\xff\\xc0\\x80\\xe2\\x80");
	expect(escape_print, "surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80");
}

static void test_json(void **unused)
{
	(void)unused;
	expect(escape_print_json, "plain", "\"plain\"");
	expect(escape_print_json, "q\"b\\", "\"q\\\"b\\\\\"");
	expect(escape_print_json, "\n\x1b\x7f", "\"\\u000a\\u001b\\u007f\"");
	expect(escape_print_json, "\xc2\x9b\xe2\x80\xae", "\"\\u009b\\u202e\"");
	expect(escape_print_json, "\xff", "\"\\ufffd\"");
}

static char *printed(bool json, void (*print)(struct output *))
{
	struct output output;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	output_start(&output, stream, json);
	print(&output);
	output_end(&output);
	fclose(stream);
	return text;
}

static void print_sample(struct output *output)
{
	output_open_object(output, NULL);
	output_number(output, "schema", NULL, 1);
	output_text(output, NULL, "only text", "x");
	output_open_table(output, "rules");
	for (int i = 9; i < 11; i++) {
		output_open_object(output, NULL);
		output_text(output, "name", "NAME", i == 9 ? "a" : "long");
		output_number(output, "hits", "HITS", (uint64_t)i);
		output_null(output, "none");
		output_close(output);
	}
	output_close(output);
	output_open_array(output, "empty");
	output_close(output);
	output_flag(output, "flag", "flag", true);
	output_close(output);
}

static void test_one_call_prints_both(void **unused)
{
	char *json = printed(true, print_sample), *text = printed(false, print_sample);

	(void)unused;
	assert_string_equal(json, "{\"schema\":1,\"rules\":[{\"name\":\"a\",\"hits\":9,\"none\":null},"
				  "{\"name\":\"long\",\"hits\":10,\"none\":null}],\"empty\":[],\"flag\":true}\n");
	assert_string_equal(text, "only text       x\n"
				  "NAME  HITS\n"
				  "a        9\n"
				  "long    10\n"
				  "flag            yes\n");
	free(json);
	free(text);
}

/* Expects that a text looks like this on a terminal of this width; 0: not on a terminal. */
static void expect_lines(unsigned width, const char *text, const char *expected)
{
	struct output output;
	char *printed = NULL;
	size_t size;
	FILE *stream = open_memstream(&printed, &size);

	output_start(&output, stream, false);
	assert_int_equal(output.width, 0);
	output.width = width;
	output_text(&output, NULL, "note", text);
	fclose(stream);
	assert_string_equal(printed, expected);
	free(printed);
}

static void test_terminal(void **unused)
{
	(void)unused;
	expect_lines(0, "as long as it is, it stays one line", "note            as long as it is, it stays one line\n");
	expect_lines(40, "it fits into one line...", "note            it fits into one line...\n");
	expect_lines(40, "a line is broken where it is too long",
		     "note            a line is broken where\n"
		     "                it is too long\n");
	expect_lines(40, "/a/word/that/is/longer/than/a/line stays whole",
		     "note            /a/word/that/is/longer/than/a/line\n"
		     "                stays whole\n");
	expect_lines(20, "too narrow for two columns", "note            too narrow for two columns\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_one_call_prints_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
