/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks systemd for the state of a unit.
 */
#ifndef SOCKACCEPT_UNIT_STATE_H
#define SOCKACCEPT_UNIT_STATE_H

#include <stdbool.h>

/* In the words of systemctl(1), show; empty: not known. */
struct unit_state {
	char load[32];   /* LoadState: loaded, not-found, masked, ... */
	char active[32]; /* ActiveState: active, failed, inactive, ... */
	char result[32]; /* Result: success, exit-code, watchdog, ... */
	char file[32];   /* UnitFileState: enabled, disabled, ... */
};

/* Returns true if systemd has started this machine (sd_booted(3)). */
bool systemd_is_running(void);

/* Asks systemctl about `unit`, and fills *state. Returns 0 or -errno. */
int unit_state(const char *unit, struct unit_state *state);

#endif
