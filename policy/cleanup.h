/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Variables that free what they hold when they go out of scope. To pass ownership on, take it:
 *
 *   _cleanup_free_ char *text = read_it();
 *   ...
 *   return TAKE_PTR(text);
 *
 * A descriptor starts at -1, a pointer at NULL.
 */
#ifndef SOCKACCEPT_CLEANUP_H
#define SOCKACCEPT_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Returns `pointer`. Aborts if it is NULL, for want of memory: half a policy is of no use. */
static inline void *must(void *pointer)
{
	if (!pointer)
		abort();
	return pointer;
}

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_fclose(FILE **stream)
{
	if (*stream)
		fclose(*stream);
}

static inline void cleanup_closedir(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define _cleanup_free_ __attribute__((cleanup(cleanup_free)))
#define _cleanup_fclose_ __attribute__((cleanup(cleanup_fclose)))
#define _cleanup_closedir_ __attribute__((cleanup(cleanup_closedir)))
#define _cleanup_close_ __attribute__((cleanup(cleanup_close)))

#define TAKE_PTR(pointer)                                 \
	__extension__({                                   \
		__typeof__(pointer) *owner_ = &(pointer); \
		__typeof__(pointer) taken_ = *owner_;     \
		*owner_ = NULL;                           \
		taken_;                                   \
	})

#define TAKE_FD(fd)                   \
	__extension__({               \
		int *owner_ = &(fd);  \
		int taken_ = *owner_; \
		*owner_ = -1;         \
		taken_;               \
	})

#endif
