/* What Globalping answers. Everything in it is from outside. */
#ifndef RETOUR_REVERSE_GLOBALPING_RESULT_H
#define RETOUR_REVERSE_GLOBALPING_RESULT_H

#include <jansson.h>
#include <stdbool.h>

#include "path/model.h"
#include "reverse/vantage.h"

#define GLOBALPING_NOTE_SIZE 100

struct globalping_summary {
	unsigned probes, finished, failed; /* failed: or gone offline */
	bool over;			   /* the measurement has ended */
};

/* false: it is no measurement. */
bool globalping_summary_read(const json_t *measurement, struct globalping_summary *summary);
/* The best path of its probes to `to`: one that gets there, then of who is nearest, then the longest. Its
 * vantage is set. NULL: none. `note`: where the platform's own reading of the text differs from ours; "" =
 * nowhere. */
struct path *globalping_best(const json_t *measurement, const struct vantage_scene *scene, struct addr to,
	char note[static GLOBALPING_NOTE_SIZE]);
/* The identifier of a measurement: letters, digits, '-', '_'; NULL = there is none. */
const char *globalping_id(const json_t *created);
const char *globalping_error_type(const json_t *error);
const char *globalping_error_message(const json_t *error);

#endif
