/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds who listens now and would be denied by a change of the policy; above all the listener by which the administrator came in.
 */
#ifndef SOCKACCEPT_LOCKOUT_H
#define SOCKACCEPT_LOCKOUT_H

#include "enforce/kernel/kernel.h"
#include "policy/image.h"

/*
 * Warns of each binary and port that listens now and is denied by `after`, but not by `before`, which is empty if nothing was in force.
 * Refuses with STATUS_FAILED, unless `force`, if nobody may accept any more on a socket by which the administrator came in
 * (enforce/change/way_in.h), now or when a temporary rule ends. `after` has its numbers from `kernel`. Prints what is wrong.
 */
enum status lockout_check(const struct kernel *kernel, const struct image *before, const struct policy *after, bool force);

#endif
