/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a kernel doesn't take the programs: of all that libbpf and the verifier say, the one line that tells, and what it means.
 */
#ifndef SOCKACCEPT_LOAD_ERROR_H
#define SOCKACCEPT_LOAD_ERROR_H

/* What is known after each warning. Zero-initialised is: nothing. */
struct load_error {
	char reason[400]; /* the line that tells; "": nothing was said */
	char program[64]; /* the program it is about; "": none */
	unsigned weight;  /* how much the reason tells, against that of other warnings */
};

/* Takes one of libbpf's warnings, which may have the verifier's log in it. Keeps it if it tells more than what came before. */
void load_error_add(struct load_error *error, const char *warning);

/* What the reason means and what to do about it, as a constant text; NULL: not known. */
const char *load_error_meaning(const struct load_error *error);

#endif
