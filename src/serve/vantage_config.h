/* The section `agent` of the daemon's file (retour-serve(1)). Includes libcyaml: for the reader of that file
 * only. */
#ifndef RETOUR_SERVE_VANTAGE_CONFIG_H
#define RETOUR_SERVE_VANTAGE_CONFIG_H

#include "base/yaml.h"
#include "serve/vantage.h"

struct agent_section {
	char *name, *broker, *ca, *certificate, *key;
	char **veto, **sources;
	unsigned veto_count, source_count, packets_per_second, packets_per_day;
	int insecure, spoof;
};
extern const cyaml_schema_field_t agent_fields[];

/* Into `options`; -EINVAL with file and line. */
int vantage_config_take(struct vantage_config *config, struct vantage_options *options,
	const struct yaml_text *yaml, const struct agent_section *section, struct error *error) MUST_USE;
/* Who names no broker means the coordinator of this machine. */
int vantage_config_complete(
	struct vantage_config *config, struct vantage_options *options, struct error *error) MUST_USE;

#endif
