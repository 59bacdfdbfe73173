#include "report/lanes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/lane.h"

#define NO_HOP	      (-1)
#define RAILS_COLUMNS 5

/* One row of the picture: a hop of each way, or none. */
struct row {
	int there, back; /* indices, NO_HOP */
	const struct shared_hop *shared;
};

struct picture {
	struct lane there, back;
	struct row *rows;
	size_t count;
};

static bool ends_with(const struct path *path, struct addr address)
{
	return path->hop_count > 0 && addr_is_set(address) &&
		addr_equal(path->hops[path->hop_count - 1].address, address);
}

static void add_row(struct picture *picture, int there, int back, const struct shared_hop *shared)
{
	picture->rows[picture->count++] = (struct row){there, back, shared};
}

/* Hops [there, there_end) beside hops (back_end, back], which runs downwards. `low`: the shorter side stands
 * at the bottom, since its upper end is what is missing. */
static void add_stretch(struct picture *picture, int there, int there_end, int back, int back_end, bool low)
{
	int there_count = there_end - there, back_count = back - back_end;
	int rows = MAX(there_count, back_count);
	for (int i = 0; i < rows; i++) {
		int skip = low ? rows - back_count : 0;
		bool has_back = i >= skip && i - skip < back_count;
		add_row(picture, i < there_count ? there + i : NO_HOP, has_back ? back - (i - skip) : NO_HOP,
			NULL);
	}
}

static int index_of(const struct path *path, int number)
{
	for (size_t i = 0; i < path->hop_count; i++)
		if (path_hop_number(path, i) == number)
			return (int)i;
	return NO_HOP;
}

static void arrange(struct picture *picture, const struct measurement *m)
{
	const struct path *forward = m->forward, *reverse = m->reverse;
	/* The two ends have rows of their own. */
	int there = 0, there_end = (int)forward->hop_count - ends_with(forward, forward->destination);
	int back = (int)reverse->hop_count - 1 - ends_with(reverse, reverse->destination);
	bool low = !reverse->reached;
	for (size_t i = 0; m->alignment && i < m->alignment->shared_count; i++) {
		const struct shared_hop *shared = &m->alignment->shared[i];
		int f = index_of(forward, shared->forward_ttl), r = index_of(reverse, shared->reverse_ttl);
		if (shared->by == SHARED_BY_AS || f < there || f >= there_end || r == NO_HOP || r > back)
			continue;
		add_stretch(picture, there, f, back, r, low);
		add_row(picture, f, r, shared);
		there = f + 1;
		back = r - 1;
		low = false;
	}
	add_stretch(picture, there, there_end, back, -1, low || !forward->reached);
}

static const char *rails_of(const struct glyphs *glyphs, const struct row *row)
{
	if (!row->shared)
		return glyphs->rails;
	return glyphs->same[row->shared->by];
}

static void print_row(FILE *out, const struct picture *picture, const struct cell *there, const char *rails,
	const struct cell *back, const char *below)
{
	const struct report_options *options = picture->there.options;
	for (int i = 0; i < MAX(1, MAX(there->count, back->count)); i++) {
		bool left = i < there->count, right = i < back->count;
		const char *between = i == 0 ? rails : below;
		bool more = right || *between; /* else nothing stands to the right: no trailing spaces */
		paint(out, options, left ? there->lines[i].role : ROLE_PLAIN,
			left ? there->lines[i].text : "", more ? picture->there.width : 0);
		paint(out, options, ROLE_SHARED, between, 0);
		if (right) {
			for (int column = text_columns(between); column < RAILS_COLUMNS + 1; column++)
				fputc(' ', out);
			paint(out, options, back->lines[i].role, back->lines[i].text, 0);
		}
		print_newline(out);
	}
}

static void end_text(char *text, size_t size, const char *name, struct addr address, const char *word)
{
	char buffer[ADDR_TEXT_SIZE];
	addr_format(address, buffer);
	if (name && *name && strcmp(name, buffer) != 0)
		snprintf(text, size, "%s  %s  %s", name, buffer, word);
	else
		snprintf(text, size, "%s  %s", *buffer ? buffer : "?", word);
}

/* Where the path starts: at that end, or at whoever traced in its stead. */
static void start_text(
	char *text, size_t size, const struct path *path, const char *name, struct addr address)
{
	if (path->vantage)
		end_text(text, size, path->vantage->name, path->vantage->address, "starts here");
	else
		end_text(text, size, name, address, "starts here");
}

static const char *stop_text(const struct path *path)
{
	switch (path->stop_reason) {
	case STOP_REACHED: return "reached";
	case STOP_GAP_LIMIT: return "gave up: no answers further on";
	case STOP_MAX_HOPS: return "gave up: the greatest hop count was reached";
	case STOP_UNREACHABLE: return "stopped: reported unreachable";
	case STOP_LOOP: return "stopped: the packets circle";
	case STOP_INTERRUPTED: return "interrupted";
	case STOP_PARTIAL: break;
	}
	return "incomplete";
}

/* The row of an end: on one side the path starts there, on the other it arrives, or the reason why not. */
static void end_cell(
	const struct lane *lane, const char *name, struct addr address, bool starts, struct cell *cell)
{
	char text[TEXT_MAX];
	const struct path *path = lane->path;
	if (starts) {
		start_text(text, sizeof(text), path, name, address);
		lane_note(lane, ROLE_DIM, text, cell);
	} else if (ends_with(path, path->destination)) {
		lane_hop(lane, path->hop_count - 1, cell);
	} else {
		lane_note(lane, path->reached ? ROLE_DIM : ROLE_WARNING, stop_text(path), cell);
	}
}

static void print_picture(FILE *out, const struct picture *picture, const struct measurement *m)
{
	const struct glyphs *glyphs = glyphs_of(picture->there.options);
	struct cell there, back;
	char rails[32];
	lane_header(&picture->there, &there);
	lane_header(&picture->back, &back);
	snprintf(rails, sizeof(rails), "%s   %s", glyphs->down, glyphs->up);
	print_row(out, picture, &there, rails, &back, "");
	end_cell(&picture->there, m->source_name, m->source, true, &there);
	end_cell(&picture->back, NULL, m->source, false, &back);
	print_row(out, picture, &there, glyphs->rails_top, &back, glyphs->rails);
	for (size_t i = 0; i < picture->count; i++) {
		const struct row *row = &picture->rows[i];
		there.count = back.count = 0;
		if (row->there != NO_HOP)
			lane_hop(&picture->there, (size_t)row->there, &there);
		if (row->back != NO_HOP)
			lane_hop(&picture->back, (size_t)row->back, &back);
		print_row(out, picture, &there, rails_of(glyphs, row), &back, glyphs->rails);
	}
	end_cell(&picture->there, NULL, m->target, false, &there);
	end_cell(&picture->back, m->target_name, m->target, true, &back);
	print_row(out, picture, &there, glyphs->rails_bottom, &back, "");
}

int lanes_side_by_side(FILE *out, const struct measurement *m, const struct report_options *options)
{
	struct picture picture = {0};
	picture.rows = calloc(m->forward->hop_count + m->reverse->hop_count + 1, sizeof(*picture.rows));
	if (!picture.rows)
		return -ENOMEM;
	/* One space on either side of the rails. */
	int width = (options->width - RAILS_COLUMNS - 2) / 2;
	lane_init(&picture.there, m, m->forward, options, width, false);
	lane_init(&picture.back, m, m->reverse, options, width, false);
	arrange(&picture, m);
	picture.there.width++;
	print_picture(out, &picture, m);
	free(picture.rows);
	return 0;
}

static void print_stacked(
	FILE *out, const struct measurement *m, const struct path *path, const struct report_options *options)
{
	struct lane lane;
	struct cell cell;
	char text[TEXT_MAX];
	bool forward = path->direction == DIRECTION_FORWARD;
	lane_init(&lane, m, path, options, options->width, m->forward && m->reverse && m->alignment);
	lane_header(&lane, &cell);
	cell_print(out, options, &cell);
	start_text(text, sizeof(text), path, forward ? m->source_name : m->target_name,
		forward ? m->source : m->target);
	lane_note(&lane, ROLE_DIM, text, &cell);
	cell_print(out, options, &cell);
	for (size_t i = 0; i < path->hop_count; i++) {
		lane_hop(&lane, i, &cell);
		cell_print(out, options, &cell);
	}
	if (!path->reached) {
		lane_note(&lane, ROLE_WARNING, stop_text(path), &cell);
		cell_print(out, options, &cell);
	}
}

void lanes_stacked(FILE *out, const struct measurement *m, const struct report_options *options)
{
	if (m->forward)
		print_stacked(out, m, m->forward, options);
	if (m->forward && m->reverse)
		print_newline(out);
	if (m->reverse)
		print_stacked(out, m, m->reverse, options);
}
