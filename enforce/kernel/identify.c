/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The iterator `identify_files` goes through the open files of this process, and writes a record or more for each.
 */
#include "enforce/kernel/identify.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enforce/kernel/module_layout.h"
#include "policy/cleanup.h"

/* Runs the iterator over this process's files. Returns the descriptor to read records from, or -errno. */
static int run_iterator(const struct kernel *kernel)
{
	union bpf_iter_link_info info = { .task = { .tid = (__u32)gettid() } };
	LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &info, .iter_info_len = sizeof(info));
	_cleanup_close_ int link = bpf_link_create(kernel->fd[PROGRAM_IDENTIFY], 0, BPF_TRACE_ITER, &options);
	int iterator;

	if (link < 0)
		return -errno;
	iterator = bpf_iter_create(link);
	return iterator < 0 ? -errno : iterator;
}

static void add_step(struct identity *identity, const struct file_identity *record)
{
	identity->steps = must(reallocarray(identity->steps, identity->step_count + 1, sizeof(*identity->steps)));
	memcpy(identity->steps[identity->step_count++], record->name, sizeof(record->name));
}

static void take_record(const struct file_identity *record, struct identity *identity)
{
	if (record->flags & FILE_STEP) {
		add_step(identity, record);
	} else if (record->flags & FILE_ROOT) {
		identity->flags |= FILE_ROOT;
	} else {
		identity_clear(identity);
		identity->flags = record->flags;
		identity->binary = record->binary;
		identity->directory = record->directory;
		identity->dentry = record->dentry;
		memcpy(identity->name, record->name, sizeof(record->name));
	}
}

static struct identity *identity_of(__u32 fd, const int *fds, struct identity *identities, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i] == (int)fd)
			return &identities[i];
	return NULL;
}

static int ask(const struct kernel *kernel, const int *fds, struct identity *identities, size_t count)
{
	struct file_identity records[32];
	_cleanup_close_ int iterator = run_iterator(kernel);
	size_t known = 0;
	ssize_t length;

	if (iterator < 0)
		return iterator;
	/* The buffer holds a whole number of records, so the kernel never cuts one. */
	while ((length = read(iterator, records, sizeof(records))) > 0)
		for (size_t i = 0; i < (size_t)length / sizeof(records[0]); i++) {
			struct identity *identity = identity_of(records[i].fd, fds, identities, count);

			if (identity)
				take_record(&records[i], identity);
			if (identity && !(records[i].flags & (FILE_STEP | FILE_ROOT)))
				known++;
		}
	if (length < 0)
		return -errno;
	return known < count ? -ENODATA : 0;
}

static bool any_flag(const struct identity *identities, size_t count, __u32 flag)
{
	for (size_t i = 0; i < count; i++)
		if (identities[i].flags & flag)
			return true;
	return false;
}

int identify_files(const struct kernel *kernel, const int *fds, struct identity *identities, size_t count)
{
	int error = ask(kernel, fds, identities, count);

	if (!error && any_flag(identities, count, FILE_NO_SUBVOLUME) && tell_btrfs_layout(kernel))
		error = ask(kernel, fds, identities, count);
	return error;
}

void identity_clear(struct identity *identity)
{
	free(identity->steps);
	*identity = (struct identity){ 0 };
}

const char *identity_problem(const struct identity *identity)
{
	if (identity->flags & FILE_ON_FUSE)
		return "is on FUSE, where a server makes up what is in a directory, so no rule can name it; install the "
		       "program elsewhere, or make a rule for `any`";
	if (identity->flags & FILE_IN_USER_NAMESPACE)
		return "is on a file system that was mounted in a user namespace, where its owner makes up what is in a "
		       "directory, so no rule can name it; install the program elsewhere, or make a rule for `any`";
	if (identity->flags & FILE_NO_SUBVOLUME)
		return "is on btrfs, and this kernel has no type information for it (/sys/kernel/btf/btrfs), without which "
		       "its subvolumes can't be told apart; install the program elsewhere, or use Debian's kernel";
	if (identity->flags & FILE_NO_SUPERBLOCK)
		return "is on yet another file system, and rules have been made on 4096 of them already; run: sockaccept-ctl unload, "
		       "then load";
	if (identity->flags & FILE_FOLDS_CASE)
		return "is in a directory where upper and lower case are the same, so that a name has many spellings and no rule "
		       "can name it; install the program elsewhere, or make a rule for `any`";
	if (identity->flags & FILE_BY_NAMES && !(identity->flags & FILE_ROOT) && identity->step_count < MAX_STEPS)
		return "is on a file system whose root can't be seen from there, as with NFS, so no rule can name it; install the "
		       "program elsewhere, or make a rule for `any`";
	if (identity->flags & FILE_BY_NAMES && !(identity->flags & FILE_ROOT))
		return "is over 64 directories deep; install the program higher up";
	return NULL;
}
