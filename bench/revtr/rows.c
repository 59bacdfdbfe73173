/* What is measured: other methods, retour, and retour with one idea switched off, or on where it is off. A
 * row is a line of the table below and, where no other row needs it, a function of one line. */
#include "evaluation.h"

static void symmetric_guess(struct row *row)
{
	row->options.atlas = row->options.direct = row->options.spoofed = row->rr_atlas = false;
	row->options.symmetry_inter = true;
}

static void atlas_only(struct row *row)
{
	row->options.direct = row->options.spoofed = row->rr_atlas = false;
	row->options.symmetry_inter = true;
}

static void set_cover_order(struct row *row)
{
	row->options.order = INGRESS_BY_DISTANCE;
	row->options.symmetry_inter = true;
	row->rr_atlas = false;
}

static void no_ping(struct row *row)
{
	row->options.ping = false;
}

static void no_siblings(struct row *row)
{
	row->options.siblings = false;
}

static void no_counts(struct row *row)
{
	row->options.counts = false;
}

static void no_fallback(struct row *row)
{
	row->options.fallback = false;
}

static void no_heuristics(struct row *row)
{
	row->options.heuristics = false;
}

static void no_rr_atlas(struct row *row)
{
	row->rr_atlas = false;
}

static void no_sharing(struct row *row)
{
	row->options.share = false;
}

static void no_ingress_order(struct row *row)
{
	row->options.order = INGRESS_BY_DISTANCE;
}

static void no_learned_direct(struct row *row)
{
	row->options.direct_always = true;
}

static void quotes_without_differencing(struct row *row)
{
	row->options.quotes = true;
	row->options.differ = false;
}

static void quotes(struct row *row)
{
	row->options.quotes = true;
}

static void no_timestamps(struct row *row)
{
	row->options.timestamps = false;
}

static void no_budgets(struct row *row)
{
	row->options.target = row->options.net = row->options.source = (struct budget_rate){0, 0};
	row->options.agent = (struct budget_rate){100, 10};
	row->options.dead_after = 0;
}

static void no_small_batches(struct row *row)
{
	row->options.batch = 5;
	row->options.far_max = row->options.unknown_max = 10;
}

static void no_survey(struct row *row)
{
	row->survey = row->neighbours = false;
}

static void scheduled(struct row *row)
{
	row->survey = false;
	row->scheduled = true;
}

static void no_neighbours(struct row *row)
{
	row->survey = false;
}

static const struct {
	const char *name;
	struct revtr_options (*base)(void);
	void (*change)(struct row *row); /* NULL: none */
} table[] = {
	{"symmetric-guess", revtr_options_published, symmetric_guess},
	{"atlas-only", revtr_options_published, atlas_only},
	{"set-cover-order", revtr_options_published, set_cover_order},
	{"published", revtr_options_published, NULL},
	{"retour", revtr_options_default, NULL},
	{"without-ping", revtr_options_default, no_ping},
	{"without-siblings", revtr_options_default, no_siblings},
	{"without-hop-counts", revtr_options_default, no_counts},
	{"without-fallback", revtr_options_default, no_fallback},
	{"without-heuristics", revtr_options_default, no_heuristics},
	{"without-rr-atlas", revtr_options_default, no_rr_atlas},
	{"without-sharing", revtr_options_default, no_sharing},
	{"without-ingress-order", revtr_options_default, no_ingress_order},
	{"without-learned-direct", revtr_options_default, no_learned_direct},
	{"with-quotes", revtr_options_default, quotes},
	{"with-quotes-without-differencing", revtr_options_default, quotes_without_differencing},
	{"without-timestamps", revtr_options_default, no_timestamps},
	{"without-survey", revtr_options_default, no_survey},
	{"scheduled-survey", revtr_options_default, scheduled},
	{"without-distances", revtr_options_default, no_neighbours},
	{"without-budgets", revtr_options_default, no_budgets},
	{"without-small-batches", revtr_options_default, no_small_batches},
};

bool row_get(unsigned index, struct row *row)
{
	if (index >= sizeof(table) / sizeof(table[0]))
		return false;
	*row = (struct row){.name = table[index].name,
		.options = table[index].base(),
		.rr_atlas = true,
		.survey = true,
		.neighbours = true};
	if (table[index].change)
		table[index].change(row);
	return true;
}
