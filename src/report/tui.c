#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/escape.h"
#include "report/directions.h"
#include "report/tui_inside.h"

#define ESCAPE_MS	25
#define CHART_LINES_MAX 24 /* below the table */

static void start_colours(struct tui *tui)
{
	static const short colours[] = {[COLOUR_OURS] = COLOR_CYAN,
		[COLOUR_TRANSIT] = COLOR_BLUE,
		[COLOUR_DESTINATION] = COLOR_GREEN,
		[COLOUR_WARNING] = COLOR_YELLOW,
		[COLOUR_PROBLEM] = COLOR_RED};
	const struct curses *curses = &tui->curses;
	tui->options.colour = tui->options.colour && curses->has_colors();
	if (!tui->options.colour)
		return;
	curses->start_color();
	curses->use_default_colors();
	for (short i = COLOUR_OURS; i <= COLOUR_PROBLEM; i++)
		curses->init_pair(i, colours[i], -1);
}

/* NULL: without addressing the cursor there is no table to keep up to date. */
static SCREEN *open_screen(const struct tui *tui, const char *terminal)
{
	const struct curses *curses = &tui->curses;
	if (!terminal || !*terminal || strcmp(terminal, "dumb") == 0)
		return NULL;
	SCREEN *screen = curses->newterm(NULL, tui->options.out, tui->options.in);
	if (!screen || curses->tigetstr("cup"))
		return screen;
	curses->endwin();
	curses->delscreen(screen);
	return NULL;
}

static void set_up(struct tui *tui)
{
	const struct curses *curses = &tui->curses;
	curses->set_term(tui->screen);
	tui->window = *curses->standard;
	start_colours(tui);
	curses->cbreak();
	curses->noecho();
	curses->nonl();
	curses->curs_set(0);
	curses->keypad(tui->window, TRUE);
	curses->nodelay(tui->window, TRUE);
	curses->set_escdelay(ESCAPE_MS);
	getmaxyx(tui->window, tui->height, tui->width);
	tui->selected_responder = -1;
}

int tui_new(struct tui **out, const struct tui_options *options, struct error *error)
{
	const char *terminal = getenv("TERM");
	struct tui *tui = calloc(1, sizeof(*tui));
	*out = NULL;
	if (!tui)
		return error_set(error, -ENOMEM, "out of memory");
	tui->options = *options;
	int result = curses_load(&tui->curses, error);
	if (result < 0) {
		free(tui);
		return result;
	}
	tui->screen = open_screen(tui, terminal);
	if (!tui->screen) {
		char shown[40];
		free(tui);
		return error_set(error, -ENOTTY,
			"this terminal (TERM=%s) cannot show a live table; `retour watch -r HOST` "
			"prints one at the end",
			escape_text(terminal, shown, sizeof(shown)));
	}
	set_up(tui);
	*out = tui;
	return 0;
}

void tui_free(struct tui *tui)
{
	if (!tui)
		return;
	tui->curses.endwin();
	tui->curses.delscreen(tui->screen);
	free(tui);
}

void tui_resize(struct tui *tui)
{
	struct winsize size;
	if (ioctl(fileno(tui->options.out), TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
		return;
	/* Not resizeterm(), which would make up a key that asks for the same again. */
	tui->curses.resize_term(size.ws_row, size.ws_col);
	getmaxyx(tui->window, tui->height, tui->width);
	tui->curses.clearok(tui->window, TRUE);
}

/* ---- putting text ---- */

static attr_t attributes_of(const struct tui *tui, enum tui_colour colour, int attributes)
{
	attr_t attr = (attr_t)attributes;
	if (colour == COLOUR_DIM)
		return attr | A_DIM;
	if (colour == COLOUR_BAR)
		return attr | A_REVERSE;
	if (tui->options.colour)
		return attr | COLOR_PAIR(colour);
	return colour == COLOUR_PROBLEM || colour == COLOUR_WARNING ? attr | A_BOLD : attr;
}

/* Does it end with more than spaces beyond the edge? Then the last column says so. */
static void mark_cut(wchar_t *text, size_t length, size_t room)
{
	while (length > room && text[length - 1] == L' ')
		length--;
	if (length > room)
		text[room - 1] = L'~';
}

int tui_put(struct tui *tui, int y, int x, enum tui_colour colour, int attributes, const char *format, ...)
{
	char text[1024];
	wchar_t wide[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	size_t length = mbstowcs(wide, text, 1023);
	if (y < 0 || y >= tui->height || x < 0 || x >= tui->width || length == (size_t)-1)
		return x;
	attr_t attr = attributes_of(tui, colour, attributes);
	const struct curses *curses = &tui->curses;
	mark_cut(wide, length, (size_t)(tui->width - x));
	curses->wattr_on(tui->window, attr, NULL);
	curses->wmove(tui->window, y, x);
	curses->waddnwstr(tui->window, wide, MIN((int)MIN(length, 1023), tui->width - x));
	curses->wattr_off(tui->window, attr, NULL);
	return x + (int)MIN(length, 1023);
}

void tui_fill(struct tui *tui, int y, int x, int columns, enum tui_colour colour, char with)
{
	const struct curses *curses = &tui->curses;
	attr_t attr = attributes_of(tui, colour, 0);
	if (y < 0 || y >= tui->height)
		return;
	curses->wattr_on(tui->window, attr, NULL);
	curses->wmove(tui->window, y, x);
	for (int i = 0; i < columns && x + i < tui->width; i++)
		curses->waddch(tui->window, (chtype)with);
	curses->wattr_off(tui->window, attr, NULL);
}

enum tui_colour tui_role(const struct watch_view *view, unsigned ttl)
{
	const struct responder *shown = timeline_shown(timeline_hop(view->timeline, ttl));
	const struct book_entry *ours = book_find(view->book, view->source);
	const struct book_entry *entry = shown ? book_find(view->book, shown->address) : NULL;
	if (ttl == view->timeline->end)
		return COLOUR_DESTINATION;
	if (ttl == 1 || (entry && ours && entry->asn && entry->asn == ours->asn))
		return COLOUR_OURS;
	return COLOUR_TRANSIT;
}

/* ---- the frame around the pages ---- */

static void draw_title(struct tui *tui, const struct tui_frame *frame)
{
	const struct watch_view *view = frame->view;
	char name[200], address[ADDR_TEXT_SIZE], when[16], state[60];
	watch_clock(view, frame->shown_ns, when, sizeof(when));
	if (frame->replay)
		snprintf(state, sizeof(state), " %s %gx %s UTC ", frame->paused ? "STOPPED" : "REPLAY",
			frame->speed, when);
	else
		snprintf(state, sizeof(state), " %s %s UTC ", frame->live ? "LIVE" : "PAUSED", when);
	tui_fill(tui, 0, 0, tui->width, COLOUR_BAR, ' ');
	addr_format(view->target, address);
	escape_text(view->target_name, name, sizeof(name));
	int width = tui->width;
	tui->width = MAX(1, width - (int)strlen(state));
	if (strcmp(name, address) == 0)
		tui_put(tui, 0, 0, COLOUR_BAR, A_BOLD, " retour watch %s", name);
	else
		tui_put(tui, 0, 0, COLOUR_BAR, A_BOLD, " retour watch %s (%s)", name, address);
	tui->width = width;
	tui_put(tui, 0, MAX(0, width - (int)strlen(state)), COLOUR_BAR, A_BOLD, "%s", state);
}

static void draw_summary(struct tui *tui, const struct tui_frame *frame)
{
	const struct timeline *timeline = frame->view->timeline;
	char back[300];
	watch_back_line(frame->view, back, sizeof(back));
	int x = tui_put(tui, 1, 1, COLOUR_PLAIN, 0, "%u rounds, %s, ", timeline->rounds,
		protocol_word(frame->view->protocol));
	if (timeline->end)
		x = tui_put(tui, 1, x, COLOUR_DESTINATION, 0, "%u hops", timeline->end);
	else if (timeline->rounds == 0)
		x = tui_put(tui, 1, x, COLOUR_PLAIN, 0, "the first is on its way");
	else
		x = tui_put(tui, 1, x, COLOUR_WARNING, 0, timeline->refusal ? "refused" : "not reached");
	if (timeline->send_errors > 0)
		x = tui_put(tui, 1, x, COLOUR_PROBLEM, 0, ", %u could not be sent: %s", timeline->send_errors,
			strerror(-timeline->send_error));
	/* That there was none may be left out. */
	bool fits = x + (int)(strlen(", 0 changes; back: ") + strlen(back)) <= tui->width;
	if (fits || timeline->changes_ever)
		x = tui_put(tui, 1, x, timeline->changes_ever ? COLOUR_WARNING : COLOUR_PLAIN, 0,
			", %u change%s", timeline->changes_ever, timeline->changes_ever == 1 ? "" : "s");
	tui_put(tui, 1, x, COLOUR_PLAIN, 0, "; back: %s", back);
}

static void draw_keys(struct tui *tui, const struct tui_frame *frame)
{
	static const char *const keys[] = {
		[PAGE_TABLE] = "?:help Enter:hop c:chart l:changes b:back n:names p:pause <-,->:time q:quit",
		[PAGE_DETAIL] = "Esc:table up,down:hop z,Z:zoom p:pause <-,->:time ?:help q:quit",
		[PAGE_CHART] = "Esc:table up,down:hop z,Z:zoom p:pause <-,->:time ?:help q:quit",
		[PAGE_CHANGES] = "Esc:table up,down:scroll ?:help q:quit",
		[PAGE_BACK] = "Esc:table up,down:scroll ?:help q:quit",
		[PAGE_HELP] = "Esc:back q:quit",
	};
	int y = tui->height - 1;
	const char *shown = keys[tui->page];
	if (frame->replay && tui->page == PAGE_TABLE)
		shown = "?:help Enter:hop c:chart l:changes b:back p:stop <-,->:time +,-:speed q:quit";
	/* Help tells the others. */
	if ((int)strlen(shown) + 1 > tui->width)
		shown = tui->page == PAGE_TABLE ? "?:help Enter:hop p:pause q:quit"
						: "Esc:table ?:help q:quit";
	tui_fill(tui, y, 0, tui->width, COLOUR_BAR, ' ');
	tui_put(tui, y, 1, COLOUR_BAR, 0, "%s", shown);
}

/* Above the keys: what is to be said of the selected row, or the last change of the way. */
static void draw_note(struct tui *tui, const struct tui_frame *frame)
{
	const struct timeline *timeline = frame->view->timeline;
	char line[400];
	if (tui->row_count > 0) {
		int row = table_selected(tui, frame->view);
		watch_remark(frame->view, tui->rows[row].ttl, line, sizeof(line));
		if (*line) {
			tui_put(tui, tui->height - 2, 1, COLOUR_WARNING, 0, "hop %u: %s", tui->rows[row].ttl,
				line);
			return;
		}
	}
	if (!timeline->end && timeline->rounds > 1 && timeline->highest > 0 && !timeline->refusal) {
		tui_put(tui, tui->height - 2, 1, COLOUR_WARNING, 0, "nothing answers behind hop %u",
			timeline->highest);
		return;
	}
	if (timeline->change_count == 0) {
		if (frame->view->directions)
			tui_put(tui, tui->height - 2, 1, COLOUR_PLAIN, 0, "%s",
				directions_line(frame->view->directions, tui->options.utf8, tui->width - 1,
					line, sizeof(line)));
		return;
	}
	watch_change_line(frame->view, &timeline->changes[timeline->change_count - 1], line, sizeof(line));
	tui_put(tui, tui->height - 2, 1, COLOUR_WARNING, 0, "changed %s", line);
}

static void draw_table_page(struct tui *tui, const struct tui_frame *frame)
{
	int room = tui->height - 4; /* title, summary, note, keys */
	int wanted = tui->row_count + 1;
	int chart = tui->row_count > 0 && room - wanted >= 6 ? MIN(room - wanted - 1, CHART_LINES_MAX) : 0;
	table_draw(tui, frame, 2, room - (chart ? chart + 1 : 0));
	if (chart)
		chart_draw(tui, frame, tui->selected_ttl, false, tui->height - 2 - chart, chart);
	draw_note(tui, frame);
}

void tui_draw(struct tui *tui, const struct tui_frame *frame)
{
	tui->curses.set_term(tui->screen);
	tui->curses.werase(tui->window);
	if (tui->width < TUI_WIDTH_MIN || tui->height < TUI_HEIGHT_MIN) {
		tui_put(tui, 0, 0, COLOUR_WARNING, A_BOLD, "too small: %dx%d,", tui->width, tui->height);
		tui_put(tui, 1, 0, COLOUR_PLAIN, 0, "%dx%d needed", TUI_WIDTH_MIN, TUI_HEIGHT_MIN);
		tui_put(tui, 2, 0, COLOUR_DIM, 0, "measuring; q:quit");
		tui->curses.wrefresh(tui->window);
		return;
	}
	table_rows(tui, frame->view);
	draw_title(tui, frame);
	draw_summary(tui, frame);
	draw_keys(tui, frame);
	int height = tui->height - 3;
	switch (tui->page) {
	case PAGE_TABLE: draw_table_page(tui, frame); break;
	case PAGE_DETAIL: page_detail(tui, frame, 2, height); break;
	case PAGE_CHART: chart_draw(tui, frame, tui->selected_ttl, false, 2, height); break;
	case PAGE_CHANGES: page_changes(tui, frame, 2, height); break;
	case PAGE_BACK: page_back(tui, frame, 2, height); break;
	case PAGE_HELP: page_help(tui, 2, height); break;
	}
	tui->curses.wrefresh(tui->window);
}

/* ---- keys ---- */

static void turn_to(struct tui *tui, enum tui_page page)
{
	tui->page_top = 0;
	if (page == PAGE_HELP && tui->page != PAGE_HELP)
		tui->page_before = tui->page;
	else if (page == tui->page)
		page = PAGE_TABLE;
	tui->page = page;
}

static void move_selection(struct tui *tui, int by)
{
	if (tui->page == PAGE_CHANGES || tui->page == PAGE_BACK || tui->page == PAGE_HELP) {
		tui->page_top = MAX(0, tui->page_top + by);
		return;
	}
	int row = MAX(0, tui->row_count - 1);
	for (int i = 0; i < tui->row_count; i++)
		if (tui->rows[i].ttl == tui->selected_ttl &&
			tui->rows[i].responder == tui->selected_responder)
			row = i;
	table_select(tui, row + by);
}

/* Keys that concern the screen alone; false: it is none of those. */
static bool screen_key(struct tui *tui, int key)
{
	switch (key) {
	case KEY_UP:
	case 'k': move_selection(tui, -1); return true;
	case KEY_DOWN:
	case 'j': move_selection(tui, 1); return true;
	case KEY_PPAGE: move_selection(tui, -10); return true;
	case KEY_NPAGE: move_selection(tui, 10); return true;
	case '\r':
	case '\n':
	case KEY_ENTER:
	case 'd': turn_to(tui, PAGE_DETAIL); return true;
	case 'c': turn_to(tui, PAGE_CHART); return true;
	case 'l': turn_to(tui, PAGE_CHANGES); return true;
	case 'b': turn_to(tui, PAGE_BACK); return true;
	case '?':
	case 'h':
	case KEY_F(1): turn_to(tui, PAGE_HELP); return true;
	case 'z': chart_zoom(tui, -1); return true;
	case 'Z': chart_zoom(tui, 1); return true;
	case 27:
	case KEY_BACKSPACE: tui->page = tui->page == PAGE_HELP ? tui->page_before : PAGE_TABLE; return true;
	case '\f' /* ^L */: tui->curses.clearok(tui->window, TRUE); return true;
	}
	return false;
}

bool tui_input(struct tui *tui, struct tui_command *command)
{
	tui->curses.set_term(tui->screen);
	int key = tui->curses.wgetch(tui->window);
	*command = (struct tui_command){TUI_NOTHING, 0};
	if (key == ERR)
		return false;
	if (key == KEY_RESIZE) {
		getmaxyx(tui->window, tui->height, tui->width);
		return true;
	}
	if (screen_key(tui, key))
		return true;
	switch (key) {
	case 'q':
	case 'Q': command->wish = TUI_QUIT; break;
	case 'p':
	case ' ': command->wish = TUI_PAUSE; break;
	case 'n': command->wish = TUI_NAMES; break;
	case '+':
	case '=': command->wish = TUI_FASTER; break;
	case '-': command->wish = TUI_SLOWER; break;
	case KEY_HOME:
	case 'g': command->wish = TUI_FIRST; break;
	case KEY_END:
	case 'G': command->wish = TUI_LIVE; break;
	case KEY_LEFT: *command = (struct tui_command){TUI_MOVE, -5 * NS_PER_S}; break;
	case KEY_RIGHT: *command = (struct tui_command){TUI_MOVE, 5 * NS_PER_S}; break;
	case '[':
	case KEY_SLEFT: *command = (struct tui_command){TUI_MOVE, -60 * NS_PER_S}; break;
	case ']':
	case KEY_SRIGHT: *command = (struct tui_command){TUI_MOVE, 60 * NS_PER_S}; break;
	}
	return true;
}
