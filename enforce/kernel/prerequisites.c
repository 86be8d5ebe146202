/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks at /sys, /proc and /boot. The messages are here, so that each comes with its remedy.
 */
#include "enforce/kernel/prerequisites.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "enforce/base/first_line.h"
#include "enforce/kernel/boot_loader.h"
#include "policy/cleanup.h"

#define LSM_LIST "/sys/kernel/security/lsm"
#define FTRACE_ENABLED "/proc/sys/kernel/ftrace_enabled"
#define LOCKDOWN "/sys/kernel/security/lockdown"

/* The device of the bpffs that process 1 sees; 0: not known. */
static dev_t machines_bpffs;

void prerequisites_look_around(void)
{
	struct stat st;

	if (!stat("/proc/1/root" BPFFS, &st))
		machines_bpffs = st.st_dev;
}

bool prerequisite_is_old(char *release, size_t size)
{
	struct utsname system = { .release = "?" };
	unsigned major = 0, minor = 0;

	uname(&system);
	snprintf(release, size, "%s", system.release);
	return sscanf(system.release, "%u.%u", &major, &minor) == 2 && (major < 6 || (major == 6 && minor < 1));
}

enum status prerequisite_btf(void)
{
	if (access(KERNEL_BTF, R_OK))
		return fail(STATUS_UNSUPPORTED,
			    "%s: %s; this kernel was built without its type information, use one with "
			    "CONFIG_DEBUG_INFO_BTF=y, as Debian's",
			    KERNEL_BTF, strerror(errno));
	return STATUS_DONE;
}

/* Returns true if the comma-separated `list` has `word`. */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += length)
		if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

/* Returns true if this kernel's configuration can be read and lacks BPF LSM: then no boot parameter helps. */
static bool is_built_without(void)
{
	struct utsname system;
	char path[sizeof(system.release) + 20], line[256];
	_cleanup_fclose_ FILE *config = NULL;

	if (uname(&system))
		return false;
	snprintf(path, sizeof(path), "/boot/config-%s", system.release);
	config = fopen(path, "re");
	while (config && fgets(line, sizeof(line), config))
		if (!strcmp(line, "# CONFIG_BPF_LSM is not set\n"))
			return true;
	return false;
}

static enum status lacks_bpf_lsm(const char *list)
{
	_cleanup_free_ char *remedy = NULL;

	if (is_built_without())
		return fail(STATUS_UNSUPPORTED,
			    "BPF LSM is not in this kernel (%s), which was built without it; use one with "
			    "CONFIG_BPF_LSM=y, as Debian's",
			    list);
	remedy = boot_loader_remedy(list);
	return fail(STATUS_UNSUPPORTED, "BPF LSM is not among this kernel's security modules (%s); %s", list, remedy);
}

enum status prerequisite_lsm(char *list, size_t size)
{
	if (first_line(LSM_LIST, list, size)) {
		*list = '\0';
		return STATUS_DONE;
	}
	return has_word(list, "bpf") ? STATUS_DONE : lacks_bpf_lsm(list);
}

bool prerequisite_lsm_is_known(void)
{
	return !access(LSM_LIST, R_OK);
}

enum status prerequisite_lsm_is_missing(const char *seen)
{
	char list[512];
	int error = first_line(LSM_LIST, list, sizeof(list));

	if (!error)
		return fail(STATUS_UNSUPPORTED, "BPF LSM is among this kernel's security modules (%s), and yet %s", list, seen);
	return fail(STATUS_UNSUPPORTED,
		    "BPF LSM seems not to be among this kernel's security modules: %s; which there are can't be read "
		    "(%s: %s): mount -t securityfs securityfs /sys/kernel/security, then load again, which says with which lsm= to boot",
		    seen, LSM_LIST, strerror(-error));
}

enum status prerequisite_lockdown(char *mode, size_t size)
{
	char line[128], *chosen, *end;

	snprintf(mode, size, "none");
	if (first_line(LOCKDOWN, line, sizeof(line)))
		return STATUS_DONE;
	/* As in `none [integrity] confidentiality`. */
	chosen = strchr(line, '[');
	end = chosen ? strchr(chosen, ']') : NULL;
	if (!end)
		return STATUS_DONE;
	*end = '\0';
	snprintf(mode, size, "%s", chosen + 1);
	if (strcmp(mode, "confidentiality") != 0)
		return STATUS_DONE;
	return fail(STATUS_UNSUPPORTED, "the kernel is locked down for confidentiality, in which no BPF program may read its memory; "
					"boot it with lockdown=integrity, or without");
}

enum status prerequisites_of_kernel(void)
{
	char text[512];
	enum status status = prerequisite_btf();

	if (status == STATUS_DONE)
		status = prerequisite_lsm(text, sizeof(text));
	if (status == STATUS_DONE)
		status = prerequisite_lockdown(text, sizeof(text));
	return status;
}

char *prerequisites_problem(void)
{
	messages_begin();
	prerequisites_of_kernel();
	return messages_end();
}

/* Returns true if the bpffs here isn't the machine's, and so has none of its pins. */
static bool is_other_namespace(const struct stat *ours)
{
	return machines_bpffs && machines_bpffs != ours->st_dev;
}

bool prerequisite_bpffs_is_machines(void)
{
	struct stat st;

	return stat(BPFFS, &st) ? !machines_bpffs : !is_other_namespace(&st);
}

enum status prerequisite_bpffs(void)
{
	struct statfs fs;
	struct stat st;

	if (statfs(BPFFS, &fs) || stat(BPFFS, &st))
		return fail(STATUS_UNSUPPORTED,
			    "%s: %s; the kernel has no BPF file system there, mount it: "
			    "mount -t bpf -o mode=700 bpf %s",
			    BPFFS, strerror(errno), BPFFS);
	if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		return fail(STATUS_UNSUPPORTED, "%s is not a BPF file system; mount it: mount -t bpf -o mode=700 bpf %s", BPFFS, BPFFS);
	if (is_other_namespace(&st))
		return fail(STATUS_UNSUPPORTED,
			    "%s is this mount namespace's own, not the machine's; run it there: "
			    "nsenter --target 1 --mount sockaccept-ctl ...",
			    BPFFS);
	return STATUS_DONE;
}

const char *prerequisites_not_enforcing(void)
{
	char value[16];

	if (!first_line(FTRACE_ENABLED, value, sizeof(value)) && !strcmp(value, "0"))
		return "kernel.ftrace_enabled is 0, which turns BPF LSM programs off; "
		       "run: sysctl kernel.ftrace_enabled=1";
	return NULL;
}
