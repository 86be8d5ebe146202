/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whom a change of the policy would deny who listens now; above all the listener by which the administrator came in.
 */
#ifndef SOCKACCEPT_LOCKOUT_H
#define SOCKACCEPT_LOCKOUT_H

#include "enforce/kernel/kernel.h"
#include "policy/image.h"

/*
 * Names, once for each binary and port, whoever listens and is denied by `after` and not by `before` (empty: nothing was in
 * force). If nobody any more may accept on a socket that takes connections where the administrator came in (enforce/change/way_in.h), now or when a temporary rule ends, refuses with
 * STATUS_FAILED, unless `force`. `after` has its numbers from `kernel`. Says what is wrong.
 */
enum status lockout_check(const struct kernel *kernel, const struct image *before, const struct policy *after, bool force);

#endif
