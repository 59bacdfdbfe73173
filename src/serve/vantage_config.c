#include "serve/vantage_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reverse/revtr_server.h"

#define PER_SECOND_MAX 1000

const cyaml_schema_field_t agent_fields[] = {
	TEXT("name", PTR, struct agent_section, name),
	TEXT("broker", POPT, struct agent_section, broker),
	TEXT("ca", POPT, struct agent_section, ca),
	TEXT("certificate", POPT, struct agent_section, certificate),
	TEXT("key", POPT, struct agent_section, key),
	FLAG("insecure", struct agent_section, insecure),
	FLAG("spoof", struct agent_section, spoof),
	CYAML_FIELD_SEQUENCE_COUNT(
		"veto", POPT, struct agent_section, veto, veto_count, &string_entry, 0, CYAML_UNLIMITED),
	CYAML_FIELD_SEQUENCE_COUNT("sources", POPT, struct agent_section, sources, source_count,
		&string_entry, 0, STATUS_SOURCES_MAX),
	CYAML_FIELD_UINT("packets_per_second", OPT, struct agent_section, packets_per_second),
	CYAML_FIELD_UINT("packets_per_day", OPT, struct agent_section, packets_per_day),
	CYAML_FIELD_END,
};

static int bad(const struct yaml_text *yaml, const char *key, const char *value, const char *expected,
	struct error *error)
{
	return error_set(error, -EINVAL, "%s:%u: %s %.200s: expected %s", yaml->name,
		yaml_text_line(yaml, "agent", 0, value), key, value, expected);
}

static int copy(char **owned, const char **borrowed, const char *text)
{
	if (!text)
		return 0;
	free(*owned);
	*borrowed = *owned = strdup(text);
	return *owned ? 0 : -ENOMEM;
}

/* NAME, NAME:PORT, ADDRESS, ADDRESS:PORT, [IPv6 ADDRESS]:PORT or the path of a socket; cuts the port off. */
static bool split_port(char *broker, unsigned *port)
{
	struct addr address;
	char *end, *colon = broker ? strrchr(broker, ':') : NULL;
	if (!broker || broker[0] == '/')
		return true;
	if (broker[0] == '[') {
		char *bracket = strchr(broker, ']');
		if (!bracket || (bracket[1] != '\0' && bracket[1] != ':'))
			return false;
		colon = bracket[1] ? bracket + 1 : NULL;
		*bracket = '\0';
		memmove(broker, broker + 1, (size_t)(bracket - broker));
	} else if (!colon || addr_parse(broker, &address)) {
		return broker[0] != '\0';
	}
	if (!colon)
		return true;
	unsigned long number = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || number < 1 || number > UINT16_MAX)
		return false;
	*colon = '\0';
	*port = (unsigned)number;
	return broker[0] != '\0';
}

static int take_veto(struct vantage_config *config, struct vantage_options *options,
	const struct yaml_text *yaml, const struct agent_section *section, struct error *error)
{
	struct addr address;
	config->veto = calloc(section->veto_count + 1, sizeof(*config->veto));
	if (!config->veto)
		return error_set(error, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < section->veto_count; i++) {
		if (addr_parse(section->veto[i], &address))
			config->veto[i] = prefix_of(address, addr_bits(address));
		else if (!prefix_parse(section->veto[i], &config->veto[i]))
			return bad(yaml, "veto", section->veto[i],
				"a network such as 192.0.2.0/24, or an address", error);
	}
	options->rules.veto = config->veto;
	options->rules.veto_count = section->veto_count;
	return 0;
}

static int take_texts(struct vantage_config *config, struct vantage_options *options,
	const struct agent_section *section, struct error *error)
{
	if (copy(&config->name, &options->name, section->name) == 0 &&
		copy(&config->broker, &options->broker, section->broker) == 0 &&
		copy(&config->ca, &options->ca, section->ca) == 0 &&
		copy(&config->certificate, &options->certificate, section->certificate) == 0 &&
		copy(&config->key, &options->key, section->key) == 0)
		return 0;
	return error_set(error, -ENOMEM, "out of memory");
}

int vantage_config_take(struct vantage_config *config, struct vantage_options *options,
	const struct yaml_text *yaml, const struct agent_section *section, struct error *error)
{
	if (!agent_name_good(section->name))
		return bad(
			yaml, "name", section->name, "letters, digits, '.', '-' and '_', 63 at most", error);
	if (section->packets_per_second > PER_SECOND_MAX)
		return error_set(error, -EINVAL,
			"%s:%u: packets_per_second %u: expected a number from 1 to 1000", yaml->name,
			yaml_text_line(yaml, "agent", 0, "packets_per_second"), section->packets_per_second);
	int code = take_texts(config, options, section, error);
	if (code == 0 && !split_port(config->broker, &options->port))
		code = bad(yaml, "broker", section->broker,
			"HOST, HOST:PORT, [IPV6 ADDRESS]:PORT or the path of a socket", error);
	if (code == 0)
		code = take_veto(config, options, yaml, section, error);
	for (unsigned i = 0; i < section->source_count && code == 0; i++) {
		if (!addr_parse(section->sources[i], &options->sources[i]) || options->sources[i].family != 4)
			code = bad(
				yaml, "sources", section->sources[i], "IPv4 addresses of this host", error);
		options->source_count = i + 1;
	}
	options->insecure = section->insecure == 1;
	options->rules.spoof = section->spoof == 1;
	options->rules.per_second = section->packets_per_second;
	options->rules.per_day = section->packets_per_day;
	return code;
}

int vantage_config_complete(
	struct vantage_config *config, struct vantage_options *options, struct error *error)
{
	char file[REVTR_FILE_SIZE];
	if (!options->name)
		return 0;
	if (!agent_name_good(options->name))
		return error_set(error, -EINVAL,
			"agent %.100s: expected letters, digits, '.', '-' and '_', 63 at most",
			options->name);
	if (options->broker)
		return 0;
	if (!*revtr_usual_socket(file))
		return error_set(error, -EINVAL,
			"agent %s: where is the coordinator? Neither XDG_STATE_HOME nor HOME is set; "
			"`broker` in the file says it",
			options->name);
	return copy(&config->broker, &options->broker, file) == 0
		? 0
		: error_set(error, -ENOMEM, "out of memory");
}

void vantage_config_deinit(struct vantage_config *config)
{
	free(config->name);
	free(config->broker);
	free(config->ca);
	free(config->certificate);
	free(config->key);
	free(config->veto);
}
