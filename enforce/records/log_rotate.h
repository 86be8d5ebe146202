/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Renames the files of the lasting log when the newest is full: `log` to `log`.1, that to `log`.2, and so on.
 */
#ifndef SOCKACCEPT_LOG_ROTATE_H
#define SOCKACCEPT_LOG_ROTATE_H

/*
 * Renames the file `name` in `directory`, a descriptor, and makes room for it: each rotated file, compressed or not, gets the next number.
 * `keep` is how many of them stay, at least 1. Only if none of the numbers up to `keep` is free, the oldest file is removed. Returns 0 or
 * -errno; called again after a failure in the middle, it goes on there.
 */
int log_rotate(int directory, const char *name, unsigned keep);

#endif
