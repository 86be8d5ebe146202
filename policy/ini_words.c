/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of a policy file.
 */
#include "policy/ini_words.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

const char *const ini_key_words[] = {
	[KEY_MODE] = "mode",
	[KEY_DEFAULT] = "default",
	[KEY_EVENTS] = "events",
	[KEY_FAILURE] = "failure",
	[KEY_FIRST_SWITCH + SWITCH_JUDGE_LISTEN] = "judge-listen",
	[KEY_FIRST_SWITCH + SWITCH_GATE] = "gate",
	[KEY_FIRST_SWITCH + SWITCH_DRAIN] = "drain",
	[KEY_BINARY] = "binary",
	[KEY_USER] = "user",
	[KEY_ALLOW] = "allow",
	[KEY_DENY] = "deny",
	[KEY_LISTEN] = "listen",
};
const char *const *const ini_switch_words = &ini_key_words[KEY_FIRST_SWITCH];
_Static_assert(LENGTH(ini_key_words) == KEYS, "each key has a word");

const char *const ini_mode_words[] = {
	[MODE_ENFORCE] = "enforce",
	[MODE_PERMISSIVE] = "permissive",
};
const char *const ini_failure_words[] = {
	[FAILURE_OPEN] = "open",
	[FAILURE_CLOSED] = "closed",
};
const char *const ini_answer_words[] = {
	[ANSWER_NO] = "no",
	[ANSWER_YES] = "yes",
};
_Static_assert(LENGTH(ini_mode_words) == MODES, "each mode has a word");
_Static_assert(LENGTH(ini_failure_words) == FAILURES, "and each failure");
_Static_assert(LENGTH(ini_answer_words) == ANSWERS, "and each answer");

const char *const ini_verdict_words[] = {
	[VERDICT_ALLOW] = "allow",
	[VERDICT_DENY] = "deny",
	[VERDICT_LISTEN] = "listen",
};
_Static_assert(LENGTH(ini_verdict_words) == VERDICTS + 1, "each verdict has a word");
