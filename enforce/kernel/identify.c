/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The iterator `identify_files` goes through the open files of this process, and writes a record or more for each.
 */
#include "enforce/kernel/identify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/kernel/iterate.h"
#include "enforce/kernel/module_layout.h"
#include "policy/cleanup.h"

/* The files that the iterator is asked about. */
struct question {
	const int *fds;
	struct identity *identities;
	size_t count, known;
};

static void add_step(struct identity *identity, const struct file_identity *record)
{
	identity->steps = must(reallocarray(identity->steps, identity->step_count + 1, sizeof(*identity->steps)));
	memcpy(identity->steps[identity->step_count++], record->name, sizeof(record->name));
}

static struct identity *identity_of(const struct question *question, __u32 fd)
{
	for (size_t i = 0; i < question->count; i++)
		if (question->fds[i] == (int)fd)
			return &question->identities[i];
	return NULL;
}

static void take_record(const void *data, void *context)
{
	const struct file_identity *record = data;
	struct question *question = context;
	struct identity *identity = identity_of(question, record->fd);

	if (!identity)
		return;
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
		question->known++;
	}
}

static int ask(const struct kernel *kernel, const int *fds, struct identity *identities, size_t count)
{
	struct question question = { .fds = fds, .identities = identities, .count = count };
	int error = iterate_own_files(kernel->fd[PROGRAM_IDENTIFY], sizeof(struct file_identity), take_record, &question);

	if (error)
		return error;
	return question.known < count ? -ENODATA : 0;
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
