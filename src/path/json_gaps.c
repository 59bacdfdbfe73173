/* Suspected gaps of a path, in the document. */
#include "path/json_gaps.h"

#define GAPS_MAX   255
#define PLACES_MAX 65535

json_t *gaps_to_json(struct out *out, const struct path *path)
{
	json_t *gaps = json_array();
	for (size_t i = 0; i < path->gap_count; i++) {
		json_t *object = json_object();
		out_set(out, object, "after", json_integer(path->gaps[i].after));
		out_set(out, object, "before", json_integer(path->gaps[i].before));
		out_set(out, object, "missing", json_integer(path->gaps[i].missing));
		out_append(out, gaps, object);
	}
	return gaps;
}

void gaps_read(struct in *in, const json_t *object, struct path *path)
{
	size_t count;
	const json_t *gaps = in_array_member(in, object, "suspected_gaps", GAPS_MAX, &count);
	for (size_t i = 0; i < count && in->status == 0; i++) {
		const json_t *element = json_array_get(gaps, i);
		struct path_gap *gap = path_add_gap(path);
		if (!gap) {
			in_no_memory(in);
			return;
		}
		gap->after = (unsigned)in_integer_member(in, element, "after", PLACES_MAX, 0);
		gap->before = (unsigned)in_integer_member(in, element, "before", PLACES_MAX, 0);
		gap->missing = (unsigned)in_integer_member(in, element, "missing", PLACES_MAX, 0);
		if (gap->before <= gap->after || gap->missing == 0)
			in_wrong(in, "suspected_gaps", "places in order, and how many routers are missing");
	}
}
