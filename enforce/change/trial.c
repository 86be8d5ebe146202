/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/trial.h"

#include <inttypes.h>
#include <string.h>

#include "enforce/base/when.h"
#include "enforce/change/take_effect.h"
#include "enforce/kernel/image_store.h"
#include "enforce/kernel/trial_word.h"

enum status trial_settle(const struct kernel *kernel)
{
	uint64_t left;
	int error;

	if (trial_now(kernel, &left) != TRIAL_IS_OVER)
		return STATUS_DONE;
	error = image_copy_slot(kernel, SLOT_BEFORE, SLOT_LOADED);
	if (error)
		return fail(STATUS_FAILED,
			    "the policy on trial wasn't confirmed, and the one before it can't be put in its place: %s; it is "
			    "in force all the same",
			    strerror(-error));
	trial_end(kernel);
	/* The kernel has made that change by itself, so nothing has been asked again yet. */
	take_effect_and_warn(kernel, true);
	return STATUS_DONE;
}

enum status trial_refuse(const struct kernel *kernel)
{
	uint64_t left;

	if (trial_now(kernel, &left) != TRIAL_IS_PENDING)
		return STATUS_DONE;
	return fail(STATUS_FAILED,
		    "the policy is on trial for another %" PRIu64 " s, and was left alone; confirm it first: sockaccept-ctl "
		    "confirm; or load another",
		    seconds_up(left));
}
