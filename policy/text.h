/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text: blanks, lists, words and messages.
 */
#ifndef SOCKACCEPT_TEXT_H
#define SOCKACCEPT_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/* Returns the text that printf(3) makes of its arguments, to be freed. Aborts without memory. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_format_list(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* Returns where the blanks (space, tab) at the beginning of `text` end. */
char *text_skip_blanks(const char *text);

/* Returns the same, and cuts the blanks off the end of `text`. */
char *text_trim(char *text);

/*
 * Cuts the next item off a list with commas between its items: returns it without the blanks around it, and sets *rest to what
 * follows, or to NULL after the last one. Returns NULL if *rest is NULL.
 */
char *text_next_item(char **rest);

/* Returns the index of `text` among `words`, or `count` if it is none of them. */
size_t word_find(const char *text, const char *const *words, size_t count);

/* Returns the one of `words` that `text` is probably a misspelling of, or NULL. */
const char *word_nearest(const char *text, const char *const *words, size_t count);

/* Returns how many letters must be added, dropped or changed to make one of the other. Case doesn't count. */
unsigned word_distance(const char *a, const char *b);

#endif
