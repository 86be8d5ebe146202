/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaches an iterator, reads it to its end, and detaches it.
 */
#include "enforce/kernel/iterate.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

#include "policy/cleanup.h"

static int run(int program, const struct bpf_link_create_opts *options, size_t size, void (*take)(const void *record, void *data),
	       void *data)
{
	_cleanup_close_ int link = bpf_link_create(program, 0, BPF_TRACE_ITER, options);
	_cleanup_close_ int iterator = link < 0 ? -1 : bpf_iter_create(link);
	char records[8192] __attribute__((aligned(8)));
	size_t whole = sizeof(records) / size * size; /* so that the kernel never cuts a record */
	ssize_t length;

	if (iterator < 0)
		return -errno;
	while ((length = read(iterator, records, whole)) != 0) {
		/* EAGAIN means a million objects without a record (Linux, kernel/bpf/bpf_iter.c). */
		if (length < 0 && errno == EAGAIN)
			continue;
		if (length < 0)
			return -errno;
		for (size_t at = 0; at + size <= (size_t)length; at += size)
			take(&records[at], data);
	}
	return 0;
}

int iterate(int program, size_t size, void (*take)(const void *record, void *data), void *data)
{
	return run(program, NULL, size, take, data);
}

int iterate_own_files(int program, size_t size, void (*take)(const void *record, void *data), void *data)
{
	union bpf_iter_link_info info = { .task = { .tid = (__u32)gettid() } };
	LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &info, .iter_info_len = sizeof(info));

	return run(program, &options, size, take, data);
}
