/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks for the configuration of each known boot loader, and says what to add to it.
 */
#include "enforce/kernel/boot_loader.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/cleanup.h"

/* Where each is configured, and how to add `lsm=...` there. Of several with one name, the first that is there counts. */
static const struct {
	const char *file, *name, *how;
} loaders[] = {
	{ "/usr/sbin/grubby", "GRUB", "run: grubby --update-kernel=ALL --args='%s'" },
	{ "/etc/default/grub", "GRUB", "in /etc/default/grub, add %s to GRUB_CMDLINE_LINUX, then run: update-grub" },
	{ "/etc/kernel/cmdline", "systemd-boot",
	  "add %s to the line in /etc/kernel/cmdline, then run: kernel-install add $(uname -r) /boot/vmlinuz-$(uname -r)" },
	{ "/efi/loader/loader.conf", "systemd-boot", "add %s to the options line of each file in /efi/loader/entries" },
	{ "/boot/loader/loader.conf", "systemd-boot", "add %s to the options line of each file in /boot/loader/entries" },
	{ "/boot/efi/loader/loader.conf", "systemd-boot", "add %s to the options line of each file in /boot/efi/loader/entries" },
	{ "/boot/extlinux/extlinux.conf", "extlinux", "add %s to each append line of /boot/extlinux/extlinux.conf" },
	{ "/etc/default/u-boot", "U-Boot", "add %s to U_BOOT_PARAMETERS in /etc/default/u-boot, then run: u-boot-update" },
	{ "/boot/firmware/cmdline.txt", "Raspberry Pi", "add %s to the line in /boot/firmware/cmdline.txt" },
};

/* Returns true if this boot's command line has `lsm=`. */
static bool has_lsm_parameter(void)
{
	_cleanup_fclose_ FILE *stream = fopen("/proc/cmdline", "re");
	char line[4096] = " ";

	return stream && fgets(line + 1, sizeof(line) - 1, stream) && strstr(line, " lsm=");
}

/* Prints `lsm=` with all of `list`, but without capability, which is always in force, and with bpf at the end. */
static void print_parameter(FILE *stream, const char *list)
{
	fputs("lsm=", stream);
	while (*list) {
		size_t length = strcspn(list, ",");

		if (length != strlen("capability") || strncmp(list, "capability", length) != 0)
			fprintf(stream, "%.*s,", (int)length, list);
		list += length;
		list += *list == ',';
	}
	fputs("bpf", stream);
}

static bool is_named_before(size_t loader)
{
	for (size_t i = 0; i < loader; i++)
		if (!strcmp(loaders[i].name, loaders[loader].name) && !access(loaders[i].file, F_OK))
			return true;
	return false;
}

/* Prints what to do with each boot loader that is found. Returns how many there are. */
static size_t print_loaders(FILE *stream, const char *parameter)
{
	size_t found = 0;

	for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++) {
		const char *how = loaders[i].how, *place = strstr(how, "%s");

		if (access(loaders[i].file, F_OK) || is_named_before(i))
			continue;
		fprintf(stream, "%s%s: %.*s%s%s", found++ ? ". " : "", loaders[i].name, (int)(place - how), how, parameter, place + 2);
	}
	return found;
}

char *boot_loader_remedy(const char *list)
{
	_cleanup_free_ char *parameter = NULL;
	char *remedy = NULL;
	size_t length = 0;
	FILE *stream = must(open_memstream(&parameter, &length));

	print_parameter(stream, list);
	fclose(stream);
	stream = must(open_memstream(&remedy, &length));
	fprintf(stream, "boot it with %s%s. ", parameter, has_lsm_parameter() ? " in place of the lsm= that it has" : "");
	if (!print_loaders(stream, parameter))
		fprintf(stream, "Add that to the kernel's command line, where your boot loader has it");
	fputs(". It is in force after a reboot", stream);
	fclose(stream);
	return remedy;
}
