#include "insight/router_name.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* How the common makers abbreviate kinds of interfaces. */
static const char *const kinds[] = {"ae", "be", "bundle-ether", "et", "eth", "fe", "fo", "ge", "gi", "gig",
	"hu", "hundredgige", "irb", "lag", "lo", "po", "port-channel", "so", "te", "tengige", "vl", "vlan",
	"xe"};

static bool is_interface(const char *label, size_t length)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t kind = strlen(kinds[i]);
		if (kind >= length || strncasecmp(label, kinds[i], kind) != 0)
			continue;
		size_t digit = kind + (label[kind] == '-' || label[kind] == '_');
		if (digit < length && isdigit((unsigned char)label[digit]))
			return true;
	}
	return false;
}

const char *router_of_name(const char *name)
{
	size_t length = strcspn(name, ".");
	if (name[length] != '.' || !is_interface(name, length))
		return NULL;
	/* A router's own label and a domain must be left. */
	const char *router = name + length + 1;
	return strchr(router, '.') ? router : NULL;
}

bool strangers_by_name(const struct hop *a, const struct hop *b)
{
	const char *router_a = a->name ? router_of_name(a->name) : NULL;
	const char *router_b = b->name ? router_of_name(b->name) : NULL;
	return router_a && router_b && strcasecmp(router_a, router_b) != 0;
}

bool alias_by_name(const struct hop *a, const struct hop *b)
{
	const char *router_a = a->name ? router_of_name(a->name) : NULL;
	const char *router_b = b->name ? router_of_name(b->name) : NULL;
	return router_a && router_b && strcasecmp(router_a, router_b) == 0;
}
