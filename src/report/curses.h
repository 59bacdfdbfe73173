/* ncursesw, loaded by those runs that have a screen. */
#ifndef RETOUR_REPORT_CURSES_H
#define RETOUR_REPORT_CURSES_H

#include <ncursesw/curses.h>

#include "base/compiler.h"
#include "base/error.h"

/* Its functions under their own names. */
struct curses {
	WINDOW **standard; /* stdscr */
	SCREEN *(*newterm)(const char *type, FILE *out, FILE *in);
	SCREEN *(*set_term)(SCREEN *screen);
	void (*delscreen)(SCREEN *screen);
	int (*endwin)(void);
	char *(*tigetstr)(const char *capability);
	bool (*has_colors)(void);
	int (*start_color)(void);
	int (*use_default_colors)(void);
	int (*init_pair)(short pair, short foreground, short background);
	int (*cbreak)(void);
	int (*noecho)(void);
	int (*nonl)(void);
	int (*curs_set)(int visibility);
	int (*keypad)(WINDOW *window, bool on);
	int (*nodelay)(WINDOW *window, bool on);
	int (*set_escdelay)(int ms);
	int (*resize_term)(int lines, int columns);
	int (*clearok)(WINDOW *window, bool on);
	int (*wattr_on)(WINDOW *window, attr_t attributes, void *unused);
	int (*wattr_off)(WINDOW *window, attr_t attributes, void *unused);
	int (*wmove)(WINDOW *window, int y, int x);
	int (*waddnwstr)(WINDOW *window, const wchar_t *text, int count);
	int (*waddch)(WINDOW *window, const chtype character);
	int (*werase)(WINDOW *window);
	int (*wrefresh)(WINDOW *window);
	int (*wgetch)(WINDOW *window);
};

int curses_load(struct curses *curses, struct error *error) MUST_USE;

#endif
