#include "serve/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "packet/stamp.h"
#include "serve/vantage_config.h"

#define RATE_MAX       10000000
#define FILE_BYTES_MAX (256 * 1024)
#define PREFIX_EXPECTED                                                                                      \
	"a network such as 192.0.2.0/24 or 2001:db8::/32 (no bit set behind its length), or an address"
#define ADDRESS_EXPECTED "ADDRESS:PORT, [IPV6 ADDRESS]:PORT or :PORT"
#define ROLES_EXPECTED	 "responder, http, inband, stamp or agent"

void serve_config_init(struct serve_config *config)
{
	*config = (struct serve_config){.options = {.responder = true, .ipv4 = true, .ipv6 = true}};
	config->options.web.inband = true;
}

void serve_config_deinit(struct serve_config *config)
{
	free(config->allow);
	free(config->targets);
	free(config->proxies);
	free(config->listen);
	free(config->certificate);
	free(config->key);
	vantage_config_deinit(&config->vantage);
}

/* ---- one setting */

static int expected(const char *key, const char *value, const char *what, struct error *error)
{
	return error_set(error, -EINVAL, "%s %.200s: expected %s", key, value, what);
}

/* A network, or a single address. */
static bool parse_prefix(const char *text, struct prefix *prefix)
{
	struct addr addr;
	if (addr_parse(text, &addr)) {
		*prefix = prefix_of(addr, addr_bits(addr));
		return true;
	}
	return prefix_parse(text, prefix);
}

static int add_prefix(struct prefix **list, const struct prefix **borrowed, size_t *count, const char *key,
	const char *value, struct error *error)
{
	struct prefix prefix;
	if (!parse_prefix(value, &prefix))
		return expected(key, value, PREFIX_EXPECTED, error);
	struct prefix *longer = realloc(*list, (*count + 1) * sizeof(*longer));
	if (!longer)
		return error_set(error, -ENOMEM, "out of memory");
	longer[(*count)++] = prefix;
	*borrowed = *list = longer;
	return 0;
}

/* Whoever asks, by whatever protocol. */
static int add_allow(struct serve_config *config, const char *key, const char *value, struct error *error)
{
	struct serve_options *options = &config->options;
	int code = add_prefix(&config->allow, &options->allow, &options->allow_count, key, value, error);
	options->web.allow = options->allow;
	options->web.allow_count = options->allow_count;
	return code;
}

static int add_listen(struct serve_config *config, const char *key, const char *value, struct error *error)
{
	struct web_options *web = &config->options.web;
	struct listening listening;
	if (!listening_parse(value, &listening))
		return expected(key, value, ADDRESS_EXPECTED, error);
	struct listening *longer = realloc(config->listen, (web->listen_count + 1) * sizeof(*longer));
	if (!longer)
		return error_set(error, -ENOMEM, "out of memory");
	longer[web->listen_count++] = listening;
	web->listen = config->listen = longer;
	return 0;
}

static int set_rate(unsigned *rate, const char *key, const char *value, struct error *error)
{
	char *end;
	errno = 0;
	unsigned long number = strtoul(value, &end, 10);
	if (errno != 0 || value[0] < '0' || value[0] > '9' || *end != '\0' || number < 1 || number > RATE_MAX)
		return expected(key, value, "a number from 1 to 10000000", error);
	*rate = (unsigned)number;
	return 0;
}

static int set_port(uint16_t *port, const char *key, const char *value, struct error *error)
{
	unsigned number;
	if (set_rate(&number, key, value, NULL) < 0 || number > UINT16_MAX)
		return expected(key, value, "a port from 1 to 65535", error);
	*port = (uint16_t)number;
	return 0;
}

static int set_text(char **owned, const char **borrowed, const char *value, struct error *error)
{
	char *copy = strdup(value);
	if (!copy)
		return error_set(error, -ENOMEM, "out of memory");
	free(*owned);
	*borrowed = *owned = copy;
	return 0;
}

int serve_config_set(struct serve_config *config, const char *key, const char *value, struct error *error)
{
	struct serve_options *options = &config->options;
	struct web_options *web = &options->web;
	if (strcmp(key, "listen") == 0)
		return add_listen(config, key, value, error);
	if (strcmp(key, "tls_certificate") == 0)
		return set_text(&config->certificate, &web->tls_certificate, value, error);
	if (strcmp(key, "tls_key") == 0)
		return set_text(&config->key, &web->tls_key, value, error);
	if (strcmp(key, "allow") == 0)
		return add_allow(config, key, value, error);
	if (strcmp(key, "allow_target") == 0)
		return add_prefix(&config->targets, &web->targets, &web->target_count, key, value, error);
	if (strcmp(key, "trust_proxy") == 0)
		return add_prefix(&config->proxies, &web->proxies, &web->proxy_count, key, value, error);
	if (strcmp(key, "rate") == 0)
		return set_rate(&options->rate, key, value, error);
	if (strcmp(key, "prefix_rate") == 0)
		return set_rate(&options->prefix_rate, key, value, error);
	if (strcmp(key, "stamp") == 0)
		return set_port(&options->stamp_port, key, value, error);
	if (strcmp(key, "agent") == 0) {
		options->responder = false;
		return set_text(&config->vantage.name, &options->vantage.name, value, error);
	}
	if (strcmp(key, "trace_rate") == 0)
		return set_rate(&web->traces_per_minute, key, value, error);
	return error_set(error, -EINVAL, "there is no setting %s", key);
}

int serve_config_check(struct serve_config *config, struct error *error)
{
	const struct web_options *web = &config->options.web;
	const struct vantage_options *vantage = &config->options.vantage;
	if (vantage->rules.spoof && !vantage->name)
		return error_set(error, -EINVAL, "spoof is about the agent: name one with --agent");
	if (!web->tls_certificate != !web->tls_key)
		return error_set(error, -EINVAL, "tls: a certificate and a key are needed, both");
	if (web->listen_count == 0 && (web->tls_certificate || web->proxy_count || web->traces_per_minute))
		return error_set(error, -EINVAL,
			"TLS, proxies and the rate of traces are about HTTP: say where to listen");
	if (!config->options.responder && web->listen_count == 0 && config->options.stamp_port == 0 &&
		!config->options.vantage.name)
		return error_set(error, -EINVAL,
			"nothing to do: neither a responder nor an address to listen on, nor a reflector, "
			"nor an agent");
	return vantage_config_complete(&config->vantage, &config->options.vantage, error);
}

/* ---- the file */

struct tls_file {
	char *certificate, *key;
};

struct config_file {
	char **listen, **allow, **allow_target, **trust_proxy, **roles;
	unsigned listen_count, allow_count, allow_target_count, trust_proxy_count, role_count;
	unsigned *rate, *prefix_rate, *trace_rate; /* NULL = absent */
	struct tls_file tls;
	struct agent_section *agent; /* NULL = absent */
};

static const cyaml_schema_field_t tls_fields[] = {
	TEXT("certificate", PTR, struct tls_file, certificate),
	TEXT("key", PTR, struct tls_file, key),
	CYAML_FIELD_END,
};

#define COUNTED(key, member, count)                                                                          \
	CYAML_FIELD_SEQUENCE_COUNT(                                                                          \
		key, POPT, struct config_file, member, count, &string_entry, 0, CYAML_UNLIMITED)
static const cyaml_schema_field_t fields[] = {
	COUNTED("listen", listen, listen_count),
	CYAML_FIELD_MAPPING("tls", OPT, struct config_file, tls, tls_fields),
	CYAML_FIELD_MAPPING_PTR("agent", POPT, struct config_file, agent, agent_fields),
	COUNTED("roles", roles, role_count),
	COUNTED("allow", allow, allow_count),
	COUNTED("allow_target", allow_target, allow_target_count),
	COUNTED("trust_proxy", trust_proxy, trust_proxy_count),
	CYAML_FIELD_UINT_PTR("rate", POPT, struct config_file, rate),
	CYAML_FIELD_UINT_PTR("prefix_rate", POPT, struct config_file, prefix_rate),
	CYAML_FIELD_UINT_PTR("trace_rate", POPT, struct config_file, trace_rate),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t file_value = {CYAML_VALUE_MAPPING(PTR, struct config_file, fields)};

/* Put the place in front of what was said. */
static int at_line(const struct yaml_text *yaml, const char *section, unsigned entry, const char *word,
	struct error *error, int code)
{
	struct error plain = *error;
	return error_set(
		error, code, "%s:%u: %s", yaml->name, yaml_text_line(yaml, section, entry, word), plain.text);
}

static int take_list(struct serve_config *config, const struct yaml_text *yaml, const char *key, char **list,
	unsigned count, struct error *error)
{
	for (unsigned i = 0; i < count; i++) {
		int code = serve_config_set(config, key, list[i], error);
		if (code < 0)
			return at_line(yaml, key, i, list[i], error, code);
	}
	return 0;
}

static int take_rate(unsigned *rate, const unsigned *value, const struct yaml_text *yaml, const char *key,
	struct error *error)
{
	if (!value)
		return 0;
	if (*value == 0 || *value > RATE_MAX) {
		error_set(error, -EINVAL, "%s %u: expected a number from 1 to 10000000", key, *value);
		return at_line(yaml, key, 0, NULL, error, -EINVAL);
	}
	*rate = *value;
	return 0;
}

static int take_roles(struct serve_config *config, const struct yaml_text *yaml,
	const struct config_file *file, struct error *error)
{
	bool http = file->role_count == 0, agent = file->role_count == 0;
	if (file->role_count == 0)
		return 0;
	config->options.responder = config->options.web.inband = false;
	for (unsigned i = 0; i < file->role_count; i++) {
		const char *role = file->roles[i];
		if (strcmp(role, "responder") == 0) {
			config->options.responder = true;
		} else if (strcmp(role, "inband") == 0) {
			config->options.web.inband = http = true;
		} else if (strcmp(role, "http") == 0) {
			http = true;
		} else if (strcmp(role, "stamp") == 0) {
			config->options.stamp_port = STAMP_PORT;
		} else if (strcmp(role, "agent") == 0 && file->agent) {
			agent = true;
		} else {
			expected("roles", role, ROLES_EXPECTED, error);
			return at_line(yaml, "roles", i, role, error, -EINVAL);
		}
	}
	if (!http && file->listen_count > 0) {
		error_set(error, -EINVAL, "an address to listen on, but no role http or inband");
		return at_line(yaml, "listen", 0, NULL, error, -EINVAL);
	}
	if (!agent && file->agent) {
		error_set(error, -EINVAL, "a section agent, but no role agent");
		return at_line(yaml, "agent", 0, NULL, error, -EINVAL);
	}
	return 0;
}

static int take_file(struct serve_config *config, const struct yaml_text *yaml,
	const struct config_file *file, struct error *error)
{
	int code = take_roles(config, yaml, file, error);
	if (code == 0)
		code = take_list(config, yaml, "listen", file->listen, file->listen_count, error);
	if (code == 0)
		code = take_list(config, yaml, "allow", file->allow, file->allow_count, error);
	if (code == 0)
		code = take_list(
			config, yaml, "allow_target", file->allow_target, file->allow_target_count, error);
	if (code == 0)
		code = take_list(
			config, yaml, "trust_proxy", file->trust_proxy, file->trust_proxy_count, error);
	if (code == 0 && file->tls.certificate)
		code = serve_config_set(config, "tls_certificate", file->tls.certificate, error);
	if (code == 0 && file->tls.key)
		code = serve_config_set(config, "tls_key", file->tls.key, error);
	if (code == 0 && file->agent)
		code = vantage_config_take(
			&config->vantage, &config->options.vantage, yaml, file->agent, error);
	if (code == 0)
		code = take_rate(&config->options.rate, file->rate, yaml, "rate", error);
	if (code == 0)
		code = take_rate(&config->options.prefix_rate, file->prefix_rate, yaml, "prefix_rate", error);
	if (code == 0)
		code = take_rate(
			&config->options.web.traces_per_minute, file->trace_rate, yaml, "trace_rate", error);
	return code;
}

int serve_config_parse(struct serve_config *config, const char *name, const char *text, struct error *error)
{
	const struct yaml_text yaml = {.name = name, .text = text, .length = strlen(text)};
	void *file = NULL;
	int code = yaml_text_read(&yaml, &file_value, &file, NULL, error);
	if (code == 0 && file)
		code = take_file(config, &yaml, file, error);
	yaml_text_free(&file_value, file);
	return code;
}

int serve_config_load(struct serve_config *config, const char *name, struct error *error)
{
	FILE *file = fopen(name, "re");
	if (!file)
		return error_set(error, -errno, "cannot open %s: %s", name, strerror(errno));
	char *text = calloc(1, FILE_BYTES_MAX + 1);
	size_t length = text ? fread(text, 1, FILE_BYTES_MAX, file) : 0;
	int code = !text ? -ENOMEM : ferror(file) ? -EIO : length == FILE_BYTES_MAX ? -EFBIG : 0;
	fclose(file);
	if (code < 0)
		error_set(error, code, "%s cannot be read: %s", name, strerror(-code));
	else if (memchr(text, '\0', length))
		code = error_set(error, -EINVAL, "%s is not a text file", name);
	else
		code = serve_config_parse(config, name, text, error);
	free(text);
	return code;
}
