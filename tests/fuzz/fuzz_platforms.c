/* Answers of Globalping and RIPE Atlas: whatever comes, there is a path to us, from somewhere, or none. */
#include <string.h>

#include "fuzz.h"
#include "reverse/atlas_result.h"
#include "reverse/globalping_result.h"

static void check_path(struct path *path, struct addr to)
{
	if (!path)
		return;
	CHECK(path->direction == DIRECTION_REVERSE && path->hop_count > 0);
	CHECK(addr_equal(path->destination, to));
	for (size_t i = 0; i < path->hop_count; i++) {
		CHECK(path->hops[i].technique == TECHNIQUE_REMOTE_TRACE);
		CHECK(!path->vantage || path->hops[i].certainty == CERTAINTY_INFERRED);
	}
	path_free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct vantage_scene scene = {
		.target = {.low = 0xc6121250, .family = 4}, .origins = {64510}, .origin_count = 1};
	struct addr to = addr_v4(0xc633644d); /* 198.51.100.77 */
	struct globalping_summary summary;
	char note[GLOBALPING_NOTE_SIZE], text[ATLAS_TEXT_SIZE];
	json_t *root = json_loadb((const char *)data, size, 0, NULL);
	if (!root)
		return 0;
	if (globalping_summary_read(root, &summary))
		CHECK(summary.finished + summary.failed <= summary.probes);
	const char *id = globalping_id(root);
	CHECK(!id || !strpbrk(id, "/?#%. \r\n"));
	(void)globalping_error_type(root);
	(void)globalping_error_message(root);
	check_path(globalping_best(root, &scene, to, note), to);
	CHECK(atlas_number(root) >= 0);
	CHECK(strlen(atlas_error(root, text)) < ATLAS_TEXT_SIZE);
	(void)atlas_status(root);
	check_path(atlas_best(root, &scene, to, "/nowhere"), to);
	json_decref(root);
	return 0;
}
