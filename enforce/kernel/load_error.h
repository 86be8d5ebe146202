/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds out why a kernel refuses the programs: picks the one telling line of all that libbpf and the verifier say, and explains it.
 */
#ifndef SOCKACCEPT_LOAD_ERROR_H
#define SOCKACCEPT_LOAD_ERROR_H

/* What the warnings so far tell. Zero-initialised: nothing. */
struct load_error {
	char reason[400]; /* the line that tells; "": nothing was said */
	char program[64]; /* the program it is about; "": none */
	unsigned weight;  /* how much the reason tells, compared with those of other warnings */
};

/* Keeps the reason in one of libbpf's warnings, which may hold the verifier's log, if it tells at least as much as the one before. */
void load_error_add(struct load_error *error, const char *warning);

/* Returns what the reason means and what to do about it, as a constant text, or NULL if that isn't known. */
const char *load_error_meaning(const struct load_error *error);

#endif
