/* One direction as a column of cells: a cell is a hop with its lines of text. */
#ifndef RETOUR_REPORT_LANE_H
#define RETOUR_REPORT_LANE_H

#include "report/style.h"

#define CELL_LINES_MAX 24

struct cell_line {
	enum role role;
	char text[TEXT_MAX];
};

struct cell {
	int count;
	struct cell_line lines[CELL_LINES_MAX];
};

/* What the hops of a lane have in common decides its columns. */
struct lane {
	const struct measurement *measurement;
	const struct path *path;
	const struct report_options *options;
	int width;
	int number_width, name_width, host_width, as_width, lost_width, other_width;
	bool joined;		  /* name and address fit on one line */
	bool minimum;		  /* room for the least round trip beside the median */
	enum technique technique; /* of the first hop: what is usual in this lane */
};

/* `other`: a column that names the same router on the other way. */
void lane_init(struct lane *lane, const struct measurement *measurement, const struct path *path,
	const struct report_options *options, int width, bool other);
void lane_header(const struct lane *lane, struct cell *cell);
void lane_hop(const struct lane *lane, size_t index, struct cell *cell);
/* A line without a hop: the start of the way, or why it ends. */
void lane_note(const struct lane *lane, enum role role, const char *text, struct cell *cell);
/* The shared entry of a hop that stands for one router, NULL where there is none. */
const struct shared_hop *lane_shared(const struct lane *lane, size_t index);
/* Lines of a cell, each on its own. */
void cell_print(FILE *out, const struct report_options *options, const struct cell *cell);

#endif
