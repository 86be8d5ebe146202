/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/leftovers.h"

#include <stdlib.h>
#include <string.h>

#include "enforce/base/status.h"
#include "policy/cleanup.h"

/* Each of the first few gets a warning of its own. */
#define LINES_MAX 4

void leftovers_add(struct leftovers *leftovers, const struct listener *listener, int why)
{
	char program[LISTENER_PROGRAM_MAX];
	struct leftover *last;

	leftovers->list = must(reallocarray(leftovers->list, leftovers->count + 1, sizeof(*leftovers->list)));
	last = &leftovers->list[leftovers->count++];
	*last = (struct leftover){ .pid = listener->socket.pid, .why = why };
	last->program = must(strdup(listener_program(listener, program)));
	listener_text(listener, last->place);
}

void leftovers_warn(const struct leftovers *leftovers, void (*warn_of)(const struct leftover *left), const char *one, const char *many)
{
	size_t shown = leftovers->count < LINES_MAX ? leftovers->count : LINES_MAX, more = leftovers->count - shown;

	for (size_t i = 0; i < shown; i++)
		warn_of(&leftovers->list[i]);
	if (more)
		warn("and %zu more %s", more, more == 1 ? one : many);
}

void leftovers_clear(struct leftovers *leftovers)
{
	for (size_t i = 0; i < leftovers->count; i++)
		free(leftovers->list[i].program);
	free(leftovers->list);
	*leftovers = (struct leftovers){ 0 };
}
