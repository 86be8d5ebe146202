/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Collects what libbpf warns of while it loads programs, as only its warnings say why the kernel refuses one.
 */
#ifndef SOCKACCEPT_LOAD_WARNINGS_H
#define SOCKACCEPT_LOAD_WARNINGS_H

#include "enforce/kernel/load_error.h"

/* Forgets earlier warnings, and keeps those that come from now on. Nothing of what libbpf says is printed. */
void load_warnings_keep(void);

/* Returns what the warnings since load_warnings_keep() tell: valid until it is called again. */
const struct load_error *load_warnings(void);

/*
 * Returns why a load failed, for a message, as a text that the caller frees: "PROGRAM: ERROR: REASON; MEANING", where ERROR is the
 * text of `error`, a negative errno, and what isn't known is left out.
 */
char *load_warnings_text(int error);

#endif
