/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exit statuses of sockaccept-ctl, and how a failure is said.
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
 * Prints one line to standard error, `sockaccept-ctl: ` and the message, and returns `status`. What could
 * be obeyed by a terminal is escaped. The outermost caller that knows what failed says it, once.
 */
enum status fail(enum status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * From here on messages are kept and not printed, until messages_end(), which returns the first of them without its prefix
 * (to be freed), or NULL: there was none. Doesn't nest.
 */
void messages_begin(void);
char *messages_end(void);

/* As fail(), for what doesn't stop anything: `sockaccept-ctl: warning: ` and the message. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Returns from the calling function with the status of `step` unless that is STATUS_DONE. For functions whose variables release what they
 * own by themselves (policy/cleanup.h).
 */
#define TRY(step)                                       \
	do {                                            \
		const enum status tried_ = (step);      \
		if (tried_ != STATUS_DONE)              \
			return tried_;                  \
	} while (0)

#endif
