/* What mtr's formats have in common, inside import/: sums per hop. Who the target is they do not say, but by
 * name. */
#ifndef RETOUR_IMPORT_MTR_H
#define RETOUR_IMPORT_MTR_H

#include "import/build.h"

/* A host as mtr writes it, "NAME", "ADDR", "NAME (ADDR)" or "???"; false for the last. The name lives in
 * `name`. */
struct mtr_host {
	struct addr address;
	char name[LEX_NAME_SIZE];
	bool known;
};
struct mtr_host mtr_host(const char *text, size_t length);

/* The columns of a hop; below 0: not told. */
struct mtr_sums {
	double loss_percent, sent, received, best_ms, worst_ms;
};
#define MTR_SUMS_NONE ((struct mtr_sums){-1, -1, -1, -1, -1})
/* By the name of its column, in any format; columns that are not kept are ignored. */
void mtr_column(struct mtr_sums *sums, const char *name, size_t length, double value);
/* The hop as told. An empty host is one that nobody answered for. */
void mtr_hop(struct build *build, int ttl, const struct mtr_host *host, const struct mtr_sums *sums);

#endif
