#include "report/curses.h"

#include "base/library.h"

int curses_load(struct curses *curses, struct error *error)
{
	const struct library_symbol symbols[] = {
		{"stdscr", &curses->standard},
		{"newterm", &curses->newterm},
		{"set_term", &curses->set_term},
		{"delscreen", &curses->delscreen},
		{"endwin", &curses->endwin},
		{"tigetstr", &curses->tigetstr},
		{"has_colors", &curses->has_colors},
		{"start_color", &curses->start_color},
		{"use_default_colors", &curses->use_default_colors},
		{"init_pair", &curses->init_pair},
		{"cbreak", &curses->cbreak},
		{"noecho", &curses->noecho},
		{"nonl", &curses->nonl},
		{"curs_set", &curses->curs_set},
		{"keypad", &curses->keypad},
		{"nodelay", &curses->nodelay},
		{"set_escdelay", &curses->set_escdelay},
		{"resize_term", &curses->resize_term},
		{"clearok", &curses->clearok},
		{"wattr_on", &curses->wattr_on},
		{"wattr_off", &curses->wattr_off},
		{"wmove", &curses->wmove},
		{"waddnwstr", &curses->waddnwstr},
		{"waddch", &curses->waddch},
		{"werase", &curses->werase},
		{"wrefresh", &curses->wrefresh},
		{"wgetch", &curses->wgetch},
	};
	return library_load("libncursesw.so.6", "libncursesw6", symbols, ARRAY_LEN(symbols), error);
}
