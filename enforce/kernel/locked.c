/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks at the pins that `lock` makes, and at whether maps are frozen.
 */
#include "enforce/kernel/locked.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <unistd.h>

#include "policy/cleanup.h"
#include "policy/text.h"

/* The pin of the last of the guard's links: while it is there, the policy is locked, and no pin can be removed. */
#define GUARD_PIN SOCKACCEPT_PIN_DIR "/link_guard_unlink"

const char *const locked_guard_pins[GUARD_LINKS] = {
#define PIN(program) SOCKACCEPT_PIN_DIR "/link_" #program,
	GUARD_PROGRAMS(PIN)
#undef PIN
};

bool locked_is_set(void)
{
	return !access(GUARD_PIN, F_OK);
}

static const enum when_locked when_locked[KERNEL_OBJECTS] = {
#define OBJECT(object, name, when_locked) [object] = when_locked,
	PINNED_OBJECTS(OBJECT)
#undef OBJECT
};

bool locked_lets_open(enum kernel_object object)
{
	return when_locked[object] != LOCKED_CLOSED;
}

bool locked_lets_map(enum kernel_object map)
{
	return when_locked[map] == LOCKED_MAPPED;
}

uint64_t locked_refusals(void)
{
	LIBBPF_OPTS(bpf_obj_get_opts, reading, .file_flags = BPF_F_RDONLY);
	_cleanup_close_ int fd = bpf_obj_get_opts(LOCKED_REFUSALS, &reading);
	struct refusals refusals = { 0 };
	__u32 zero = 0;

	return fd < 0 || bpf_map_lookup_elem(fd, &zero, &refusals) ? 0 : refusals.count;
}

bool locked_map_is_frozen(int fd)
{
	_cleanup_free_ char *path = text_format("/proc/self/fdinfo/%d", fd);
	_cleanup_fclose_ FILE *stream = fopen(path, "re");
	unsigned frozen = 0;
	char line[128];

	while (stream && !frozen && fgets(line, sizeof(line), stream))
		if (sscanf(line, "frozen: %u", &frozen) != 1)
			frozen = 0;
	return frozen;
}

bool locked_has_frozen(void)
{
	LIBBPF_OPTS(bpf_obj_get_opts, reading, .file_flags = BPF_F_RDONLY);
	char path[PIN_PATH_MAX];
	/* `lock` freezes this map first. It isn't opened in a locked policy, as the guard would count that. */
	_cleanup_close_ int fd = locked_is_set() ? -1 : bpf_obj_get_opts(pin_path(MAP_POLICY, path, sizeof(path)), &reading);

	return fd >= 0 && locked_map_is_frozen(fd) && !locked_is_set();
}

bool locked_or_frozen(void)
{
	return locked_is_set() || locked_has_frozen();
}

bool locked_has_remains(void)
{
	return !access(LOCKED_REFUSALS, F_OK) && !locked_is_set();
}

void locked_remove_remains(void)
{
	if (!locked_has_remains())
		return;
	for (size_t i = GUARD_LINKS; i > 0; i--)
		unlink(locked_guard_pins[i - 1]);
	unlink(LOCKED_POLICY_COPY);
	unlink(LOCKED_REFUSALS);
}
