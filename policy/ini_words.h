/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of a policy file: its keys, and the values of its settings.
 */
#ifndef SOCKACCEPT_INI_WORDS_H
#define SOCKACCEPT_INI_WORDS_H

#include "policy/policy.h"

/* The section of the settings. All others have rules. */
#define SETTINGS_SECTION "sockaccept"

/* What an editor may put before the text of a file. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

enum key {
	KEY_MODE,
	KEY_DEFAULT,
	KEY_EVENTS,
	KEY_FAILURE,
	KEY_FIRST_SWITCH, /* the others follow as in enum policy_switch */
	KEY_LAST_SETTING = KEY_FIRST_SWITCH + SWITCHES - 1,
	KEY_BINARY,
	KEY_USER,
	KEY_ALLOW,
	KEY_DENY,
	KEY_LISTEN,
	KEYS,
	KEY_NONE = KEYS, /* no key */
	KEY_REFUSED,     /* the line was refused, so nothing can be said of one that continues it */
};

/* By enum key. None of these arrays has its length here, so that ini_words.c can compare what it has with what is wanted. */
extern const char *const ini_key_words[];

/* The keys of the switches, by enum policy_switch. */
extern const char *const *const ini_switch_words;

/* By enum mode, enum failure, enum answer and enum verdict. */
extern const char *const ini_mode_words[];
extern const char *const ini_failure_words[];
extern const char *const ini_answer_words[];
extern const char *const ini_verdict_words[]; /* VERDICT_LISTEN too, which only a rule has */

#endif
