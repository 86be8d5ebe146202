/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes paths of pins from the lists in pins.h.
 */
#include "enforce/kernel/pins.h"

#include <stdio.h>

static const char *const names[KERNEL_OBJECTS] = {
#define OBJECT(object, name, when_locked) [object] = #name,
	PINNED_OBJECTS(OBJECT)
#undef OBJECT
};

static const char *in_use = SOCKACCEPT_PIN_DIR;

void pins_are_in(const char *directory)
{
	in_use = directory;
}

const char *pins_directory(void)
{
	return in_use;
}

const char *pin_path(enum kernel_object object, char *path, unsigned size)
{
	snprintf(path, size, "%s/%s%s", in_use, object >= FIRST_LINK ? "link_" : "", names[object]);
	return path;
}

const char *pins_policies(char *path, unsigned size)
{
	snprintf(path, size, "%s/policies", in_use);
	return path;
}
