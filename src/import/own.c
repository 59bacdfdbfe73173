/* Our own documents, which say everything and are taken as they are. */
#include <errno.h>
#include <string.h>

#include "import/dialect.h"
#include "import/documents.h"
#include "path/json.h"

static bool is_own(const json_t *document)
{
	const char *schema = member_text(document, "schema");
	return schema && strcmp(schema, "retour/1") == 0;
}

int own_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	size_t i;
	json_t *document;
	json_array_foreach(source->documents, i, document) if (is_own(document)) return 100;
	return 0;
}

void own_read(struct build *build, const struct source *source)
{
	size_t i;
	json_t *document;
	json_array_foreach(source->documents, i, document)
	{
		struct measurement measurement;
		struct error error;
		if (!is_own(document))
			continue;
		int status = measurement_from_json(document, &measurement, &error);
		if (status == -ENOMEM) {
			build->status = status;
			return;
		}
		if (status < 0) {
			build_reject(build, error.text);
			continue;
		}
		build_trace(build, PROBE_UDP);
		if (!build->trace) {
			measurement_deinit(&measurement);
			return;
		}
		measurement_deinit(&build->trace->measurement);
		build->trace->measurement = measurement;
		build_keep(build);
	}
}
