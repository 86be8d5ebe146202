/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests that a checkpoint is read back as it was written, and that no other file is taken for one.
 * Fails if enforce/records/checkpoint.c loses a field, accepts a file that isn't a checkpoint, or replaces such a file.
 */
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
#undef fail /* ours is a function */

#include "enforce/records/checkpoint.h"

#define DENIED (1U << VERDICT_DENY)
#define BOTH (1U << VERDICT_ALLOW | 1U << VERDICT_DENY)
#define BOOT "01234567-89ab-cdef-0123-456789abcdef"

static char directory[] = "/tmp/sockaccept-checkpoint-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/place", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static void put(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Reads the checkpoint. The error message isn't printed, but must contain `message`, unless that is NULL. */
static enum status read_place(unsigned verdicts, struct log_source *at, const char *message)
{
	enum status status;
	char *said;

	messages_begin();
	status = checkpoint_read(path, verdicts, at);
	said = messages_end();
	assert_int_equal(!said, !message);
	if (message)
		assert_non_null(strstr(said, message));
	free(said);
	return status;
}

static struct log_source place(void)
{
	return (struct log_source){ .boot_id = BOOT, .instance = UINT64_MAX, .mark = { 41, { 7, UINT64_MAX - 1 }, { 0, 3 } } };
}

static void test_written_and_read(void **state)
{
	const struct log_source written = place();
	struct log_source at;
	struct stat st;

	(void)state;
	assert_int_equal(checkpoint_write(path, BOTH, &written), STATUS_DONE);
	assert_int_equal(read_place(BOTH, &at, NULL), STATUS_DONE);
	assert_true(log_same_source(&at, &written));
	assert_memory_equal(&at.mark, &written.mark, sizeof(at.mark));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* Where nothing was read yet. */
static void test_no_boot(void **state)
{
	const struct log_source none = { 0 };
	struct log_source at;

	(void)state;
	assert_int_equal(checkpoint_write(path, DENIED, &none), STATUS_DONE);
	memset(&at, 'x', sizeof(at));
	assert_int_equal(read_place(DENIED, &at, NULL), STATUS_DONE);
	assert_string_equal(at.boot_id, "");
}

static void test_new_file(void **state)
{
	struct log_source at = place();

	(void)state;
	unlink(path);
	assert_int_equal(read_place(DENIED, &at, NULL), STATUS_DONE);
	assert_string_equal(at.boot_id, "");
	at = place();
	put("");
	assert_int_equal(read_place(DENIED, &at, NULL), STATUS_DONE);
	assert_string_equal(at.boot_id, "");
}

static void test_other_verdicts(void **state)
{
	const struct log_source written = place();
	struct log_source at;

	(void)state;
	assert_int_equal(checkpoint_write(path, BOTH, &written), STATUS_DONE);
	assert_int_equal(read_place(DENIED, &at, "--verdict"), STATUS_USAGE);
	assert_string_equal(at.boot_id, "");
}

/* Only a line of exactly this form is a checkpoint. */
static void test_other_files(void **state)
{
	static const char *const texts[] = {
		"root:x:0:0:root:/root:/bin/bash\n",
		"sockaccept-checkpoint 2 " BOOT " 1 3 0 0 0 0 0\n",
		"sockaccept-checkpoint 1 " BOOT " 1 3 0 0 0 0\n",
		"sockaccept-checkpoint 1 " BOOT " 1 3 0 0 0 0 0 0\n",
		"sockaccept-checkpoint 1 " BOOT " 1 3 -1 0 0 0 0\n",
		"sockaccept-checkpoint 1 " BOOT " 1 3 00 0 0 0 0\n",
		"sockaccept-checkpoint 1 " BOOT " 1 3 99999999999999999999 0 0 0 0\n",
		"sockaccept-checkpoint 1  " BOOT " 1 3 0 0 0 0 0\n",
		"sockaccept-checkpoint 1 " BOOT BOOT " 1 3 0 0 0 0 0\n",
	};
	struct log_source at;

	(void)state;
	put("sockaccept-checkpoint 1 " BOOT " 1 3 0 0 0 0 0\n");
	assert_int_equal(read_place(BOTH, &at, NULL), STATUS_DONE);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(texts[i]);
		assert_int_equal(read_place(BOTH, &at, "is no checkpoint"), STATUS_FAILED);
		assert_string_equal(at.boot_id, "");
	}
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(read_place(BOTH, &at, "is no checkpoint"), STATUS_FAILED);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_and_read), cmocka_unit_test(test_no_boot),     cmocka_unit_test(test_new_file),
		cmocka_unit_test(test_other_verdicts),   cmocka_unit_test(test_other_files),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
