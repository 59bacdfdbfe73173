/* Between the files of the screen: tui.c has the terminal and the keys, tui_table.c the table, tui_chart.c
 * what is drawn over time, tui_pages.c the other pages. */
#ifndef RETOUR_REPORT_TUI_INSIDE_H
#define RETOUR_REPORT_TUI_INSIDE_H

#include "report/curses.h"
#include "report/tui.h"

#define TUI_ROWS_MAX   600
#define TUI_WIDTH_MIN  40
#define TUI_HEIGHT_MIN 8

enum tui_colour {
	COLOUR_PLAIN,
	COLOUR_OURS,	    /* our own network */
	COLOUR_TRANSIT,	    /* the networks between */
	COLOUR_DESTINATION, /* the destination */
	COLOUR_WARNING,
	COLOUR_PROBLEM,
	COLOUR_DIM,
	COLOUR_BAR, /* title and keys */
};

enum tui_page { PAGE_TABLE, PAGE_DETAIL, PAGE_CHART, PAGE_CHANGES, PAGE_BACK, PAGE_HELP };

#define TUI_BRANCHES 100 /* the first of the rows that are branches */

/* A line of the table: a hop, a further address of it, or what some of several flows meet there. */
struct tui_row {
	uint8_t ttl;
	int responder; /* -1: the hop itself; from TUI_BRANCHES on: the branch that this flow takes */
};

struct tui {
	struct tui_options options;
	struct curses curses;
	SCREEN *screen;
	WINDOW *window; /* the whole screen */
	int width, height;
	enum tui_page page, page_before;
	uint8_t selected_ttl; /* 0 = the last hop */
	int selected_responder;
	int top;      /* first row of the table that is shown */
	int page_top; /* the same on other pages */
	int span;     /* index of the chart's length of time */
	struct tui_row rows[TUI_ROWS_MAX];
	int row_count;
};

/* Text at a place, cut at the right edge; returns the column behind it. */
int tui_put(struct tui *tui, int y, int x, enum tui_colour colour, int attributes, const char *format, ...)
	PRINTF_LIKE(6, 7);
void tui_fill(struct tui *tui, int y, int x, int columns, enum tui_colour colour, char with);
/* Our network, transit or destination. */
enum tui_colour tui_role(const struct watch_view *view, unsigned ttl);

void table_rows(struct tui *tui, const struct watch_view *view);
/* The selected row, by its place; 0 when there are none. */
int table_selected(struct tui *tui, const struct watch_view *view);
void table_select(struct tui *tui, int row);
void table_draw(struct tui *tui, const struct tui_frame *frame, int y, int height);

/* The last probes of a hop in `columns` columns. */
void chart_bar(struct tui *tui, const struct watch_view *view, const struct timeline_hop *hop, int y, int x,
	int columns);
/* Round trips over time: first hop of ours, the selected one, the destination. */
void chart_draw(struct tui *tui, const struct tui_frame *frame, unsigned ttl, bool alone, int y, int height);
void chart_zoom(struct tui *tui, int by);

void page_detail(struct tui *tui, const struct tui_frame *frame, int y, int height);
void page_changes(struct tui *tui, const struct tui_frame *frame, int y, int height);
void page_back(struct tui *tui, const struct tui_frame *frame, int y, int height);
void page_help(struct tui *tui, int y, int height);

#endif
