/* What can be read on an HTML page. Lenient: whatever it is given, it comes to an end and gives text. */
#ifndef RETOUR_REVERSE_LG_HTML_H
#define RETOUR_REVERSE_LG_HTML_H

#include <stddef.h>

/* The text without tags, comments, scripts and styles; with entities as the characters they mean, and a line
 * break where a page has one. NULs are left out, and it ends with one. NULL: out of memory. */
char *lg_html_text(const char *html, size_t length, size_t *text_length);
/* The same of the <pre> (or <textarea>, <samp>) alone that is longest, or of everything where there is none.
 */
char *lg_html_pre(const char *html, size_t length, size_t *text_length);
/* The value of the first <input> of this name. NULL: there is none (or out of memory). */
char *lg_html_input(const char *html, size_t length, const char *name);
/* The value of the <option> of the <select> of this name whose value or text is `wanted`, without regard to
 * case; NULL: the first that has a value. `label` (may be NULL) gets its text. NULL: there is none. */
char *lg_html_option(const char *html, size_t length, const char *name, const char *wanted, char **label);

#endif
