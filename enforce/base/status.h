/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exit statuses of sockaccept-ctl, and its messages.
 */
#ifndef SOCKACCEPT_STATUS_H
#define SOCKACCEPT_STATUS_H

/* As documented in sockaccept-ctl(8); scripts rely on the numbers. */
enum status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_NOT_LOADED = 3,
	STATUS_NOT_PERMITTED = 4,
	STATUS_UNSUPPORTED = 5, /* this kernel can't */
	STATUS_INVALID = 6,     /* the policy is invalid */
};

/*
 * Prints one line to standard error, `sockaccept-ctl: ` and the message, and returns `status`. Escapes what a terminal could obey. The
 * outermost caller that knows what failed calls it, once.
 */
enum status fail(enum status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Keeps messages from here on instead of printing them, until messages_end(). Doesn't nest. */
void messages_begin(void);

/* Ends that, and returns the first message, without its prefix and to be freed; NULL if there was none. */
char *messages_end(void);

/* Prints `sockaccept-ctl: warning: ` and the message, in the same way: for what stops nothing. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Returns from the calling function with the status of `step` unless that is STATUS_DONE. For functions whose variables release what they
 * own by themselves (policy/cleanup.h).
 */
#define TRY(step)                                  \
	do {                                       \
		const enum status tried_ = (step); \
		if (tried_ != STATUS_DONE)         \
			return tried_;             \
	} while (0)

#endif
