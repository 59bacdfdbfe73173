/* The schema of a world file. */
#include "sim/world_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/schema.h"

static const cyaml_strval_t pop_words[] = {
	{"penultimate", POP_PENULTIMATE}, {"ultimate", POP_ULTIMATE}, {"opaque", POP_OPAQUE}};

static const cyaml_schema_value_t label_entry = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, unsigned)};

static const cyaml_schema_field_t as_fields[] = {
	CYAML_FIELD_UINT("asn", CYAML_FLAG_DEFAULT, struct file_as, asn),
	TEXT("name", PTR, struct file_as, name),
	TEXT("country", PTR, struct file_as, country),
	TEXT("prefix", POPT, struct file_as, prefix),
	TEXT("prefix6", POPT, struct file_as, prefix6),
	LIST("prefixes", POPT, struct file_as, prefixes, &string_entry),
	LIST("infrastructure", POPT, struct file_as, infrastructure, &string_entry),
	CYAML_FIELD_UINT_PTR("link_length", POPT, struct file_as, link_length),
	FLAG("private_links", struct file_as, private_links),
	CYAML_FIELD_MAPPING_PTR("behaviour", POPT, struct file_as, behaviour, behaviour_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t host_fields[] = {
	TEXT("name", PTR, struct file_node, name),
	CYAML_FIELD_UINT("as", CYAML_FLAG_DEFAULT, struct file_node, as),
	TEXT("address", POPT, struct file_node, address),
	TEXT("address6", POPT, struct file_node, address6),
	TEXT("router", POPT, struct file_node, router),
	CYAML_FIELD_FLOAT_PTR("delay_ms", POPT, struct file_node, delay_ms),
	CYAML_FIELD_MAPPING_PTR("behaviour", POPT, struct file_node, behaviour, behaviour_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t router_fields[] = {
	TEXT("name", PTR, struct file_node, name),
	CYAML_FIELD_UINT("as", CYAML_FLAG_DEFAULT, struct file_node, as),
	TEXT("dns", POPT, struct file_node, dns),
	TEXT("place", POPT, struct file_node, place),
	TEXT("loopback", POPT, struct file_node, loopback),
	TEXT("loopback6", POPT, struct file_node, loopback6),
	CYAML_FIELD_MAPPING_PTR("behaviour", POPT, struct file_node, behaviour, behaviour_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t link_fields[] = {
	TEXT("from", PTR, struct file_link, from),
	TEXT("to", PTR, struct file_link, to),
	TEXT("from_address", POPT, struct file_link, from_address),
	TEXT("to_address", POPT, struct file_link, to_address),
	TEXT("from_address6", POPT, struct file_link, from_address6),
	TEXT("to_address6", POPT, struct file_link, to_address6),
	CYAML_FIELD_FLOAT_PTR("delay_ms", POPT, struct file_link, delay_ms),
	CYAML_FIELD_FLOAT_PTR("delay_back_ms", POPT, struct file_link, delay_back_ms),
	CYAML_FIELD_FLOAT("loss", OPT, struct file_link, loss),
	CYAML_FIELD_FLOAT_PTR("loss_back", POPT, struct file_link, loss_back),
	CYAML_FIELD_UINT("cost", OPT, struct file_link, cost),
	CYAML_FIELD_UINT("cost_back", OPT, struct file_link, cost_back),
	CYAML_FIELD_UINT("mtu", OPT, struct file_link, mtu),
	CYAML_FIELD_MAPPING_PTR("queue", POPT, struct file_link, queue, queue_fields),
	CYAML_FIELD_MAPPING_PTR("queue_back", POPT, struct file_link, queue_back, queue_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t relation_fields[] = {
	CYAML_FIELD_UINT("provider", OPT, struct file_relation, provider),
	CYAML_FIELD_UINT("customer", OPT, struct file_relation, customer),
	CYAML_FIELD_SEQUENCE("peers", POPT, struct file_relation, peers, &label_entry, 2, 2),
	TEXT("ixp", POPT, struct file_relation, ixp),
	CYAML_FIELD_UINT("family", OPT, struct file_relation, family),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t policy_fields[] = {
	CYAML_FIELD_UINT("as", CYAML_FLAG_DEFAULT, struct file_policy, as),
	CYAML_FIELD_UINT("neighbour", CYAML_FLAG_DEFAULT, struct file_policy, neighbour),
	CYAML_FIELD_UINT_PTR("local_preference", POPT, struct file_policy, local_preference),
	CYAML_FIELD_UINT_PTR("prepend", POPT, struct file_policy, prepend),
	CYAML_FIELD_ENUM_PTR(
		"export", WORD | PTR, struct file_policy, exported, flag_words, CYAML_ARRAY_LEN(flag_words)),
	TEXT("prefix", POPT, struct file_policy, prefix),
	CYAML_FIELD_UINT("family", OPT, struct file_policy, family),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t ixp_fields[] = {
	TEXT("name", PTR, struct file_ixp, name),
	TEXT("country", PTR, struct file_ixp, country),
	TEXT("prefix", PTR, struct file_ixp, prefix),
	TEXT("prefix6", PTR, struct file_ixp, prefix6),
	LIST("members", PTR, struct file_ixp, members, &string_entry),
	CYAML_FIELD_FLOAT_PTR("delay_ms", POPT, struct file_ixp, delay_ms),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t route_fields[] = {
	TEXT("at", PTR, struct file_route, at),
	TEXT("to", PTR, struct file_route, to),
	LIST("via", POPT, struct file_route, via, &string_entry),
	FLAG("drop", struct file_route, drop),
	CYAML_FIELD_ENUM_PTR(
		"refuse", WORD | PTR, struct file_route, refuse, refusal_words, REFUSAL_WORD_COUNT),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t tunnel_fields[] = {
	LIST("routers", PTR, struct file_tunnel, routers, &string_entry),
	LIST("labels", POPT, struct file_tunnel, labels, &label_entry),
	FLAG("hidden", struct file_tunnel, hidden),
	FLAG("unlabelled", struct file_tunnel, unlabelled),
	CYAML_FIELD_ENUM("pop", WORD, struct file_tunnel, pop, pop_words, CYAML_ARRAY_LEN(pop_words)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t detour_fields[] = {
	TEXT("at", PTR, struct file_detour, at),
	TEXT("to", PTR, struct file_detour, to),
	TEXT("prefix", PTR, struct file_detour, prefix),
	TEXT("from", POPT, struct file_detour, from),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fault_fields[] = {
	CYAML_FIELD_SEQUENCE("link", PTR, struct file_fault, link, &string_entry, 2, 2),
	CYAML_FIELD_FLOAT("after_s", OPT, struct file_fault, after_s),
	CYAML_FIELD_FLOAT_PTR("until_s", POPT, struct file_fault, until_s),
	CYAML_FIELD_FLOAT("loss", OPT, struct file_fault, loss),
	CYAML_FIELD_FLOAT("delay_ms", OPT, struct file_fault, delay_ms),
	FLAG("down", struct file_fault, down),
	FLAG("reroute", struct file_fault, reroute),
	FLAG("one_way", struct file_fault, one_way),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t service_fields[] = {
	TEXT("host", PTR, struct file_service, host),
	TEXT("run", PTR, struct file_service, run),
	TEXT("ready", POPT, struct file_service, ready),
	CYAML_FIELD_END,
};

#define ENTRY(name, type, fields)                                                                            \
	static const cyaml_schema_value_t name = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, type, fields)}
ENTRY(as_entry, struct file_as, as_fields);
ENTRY(host_entry, struct file_node, host_fields);
ENTRY(router_entry, struct file_node, router_fields);
ENTRY(link_entry, struct file_link, link_fields);
ENTRY(relation_entry, struct file_relation, relation_fields);
ENTRY(policy_entry, struct file_policy, policy_fields);
ENTRY(ixp_entry, struct file_ixp, ixp_fields);
ENTRY(route_entry, struct file_route, route_fields);
ENTRY(tunnel_entry, struct file_tunnel, tunnel_fields);
ENTRY(detour_entry, struct file_detour, detour_fields);
ENTRY(fault_entry, struct file_fault, fault_fields);
ENTRY(service_entry, struct file_service, service_fields);

static const cyaml_schema_field_t world_fields[] = {
	TEXT("summary", POPT, struct world_file, summary),
	LIST("ases", PTR, struct world_file, ases, &as_entry),
	LIST("hosts", PTR, struct world_file, hosts, &host_entry),
	LIST("routers", PTR, struct world_file, routers, &router_entry),
	LIST("links", PTR, struct world_file, links, &link_entry),
	LIST("relations", POPT, struct world_file, relations, &relation_entry),
	LIST("policies", POPT, struct world_file, policies, &policy_entry),
	LIST("ixps", POPT, struct world_file, ixps, &ixp_entry),
	LIST("routes", POPT, struct world_file, routes, &route_entry),
	LIST("tunnels", POPT, struct world_file, tunnels, &tunnel_entry),
	LIST("detours", POPT, struct world_file, detours, &detour_entry),
	LIST("faults", POPT, struct world_file, faults, &fault_entry),
	LIST("services", POPT, struct world_file, services, &service_entry),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t world_value = {CYAML_VALUE_MAPPING(PTR, struct world_file, world_fields)};

static int read_once(const char *name, const char *text, size_t length, struct world_file **file,
	struct yaml_mistake *mistake, struct error *error)
{
	void *data;
	*mistake = (struct yaml_mistake){0};
	int result =
		yaml_text_read(&(struct yaml_text){name, text, length}, &world_value, &data, mistake, error);
	if (result < 0)
		return result;
	if (!data)
		return error_set(
			error, -EINVAL, "%s:1: empty; expected ases, hosts, routers and links", name);
	*file = data;
	return 0;
}

int world_file_read(
	const char *name, const char *text, size_t length, struct world_file **file, struct error *error)
{
	struct yaml_mistake mistake;
	return read_once(name, text, length, file, &mistake, error);
}

/* libcyaml stops at the first mistake. To see the others, the entry with the mistake is made blank, as long
 * as its list keeps another. */
#define FORM_MISTAKES_MAX 20
#define FORM_BYTES_MAX	  (1 << 20) /* reading it again and again takes time */

static char *line_start(char *text, unsigned number)
{
	for (; number > 1 && text; number--) {
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return text;
}

static bool is_entry(const char *line, size_t indent)
{
	return strspn(line, " ") == indent && line[indent] == '-';
}

/* False: the mistake is in no entry of a list, or in the only one. */
static bool blank_entry(char *text, unsigned number)
{
	char *line = line_start(text, number), *end, *before;
	while (line && line > text && *line && line[strspn(line, " ")] != '-')
		for (line--; line > text && line[-1] != '\n';)
			line--;
	if (!line || line[strspn(line, " ")] != '-')
		return false;
	size_t indent = strspn(line, " ");
	end = line;
	do
		end += strcspn(end, "\n") + (end[strcspn(end, "\n")] == '\n');
	while (*end && (strspn(end, " ") > indent || *end == '\n'));
	bool company = is_entry(end, indent);
	for (before = line; before > text && !company;) {
		for (before--; before > text && before[-1] != '\n';)
			before--;
		if (strspn(before, " \n") > 0 && (strspn(before, " ") > indent || *before == '\n'))
			continue; /* blank, or part of the entry before */
		company = is_entry(before, indent);
		break;
	}
	for (char *c = line; company && c < end; c++)
		if (*c != '\n')
			*c = ' ';
	return company;
}

unsigned world_file_mistakes(const char *name, const char *text, size_t length,
	void (*complain)(void *context, const char *line), void *context)
{
	char *copy = malloc(length + 1);
	unsigned count = 0;
	bool more = copy != NULL;
	if (copy)
		memcpy(copy, text, length + 1);
	while (more && count < FORM_MISTAKES_MAX) {
		struct yaml_mistake mistake;
		struct error error = {0};
		struct world_file *file = NULL;
		if (read_once(name, copy, length, &file, &mistake, &error) == 0) {
			world_file_free(file);
			break;
		}
		complain(context, error.text);
		count++;
		more = length <= FORM_BYTES_MAX && !mistake.not_yaml && mistake.line > 0 &&
			blank_entry(copy, mistake.line);
	}
	free(copy);
	return count;
}

void world_file_free(struct world_file *file)
{
	yaml_text_free(&world_value, file);
}
