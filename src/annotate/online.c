#include "annotate/online.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/hop.h"
#include "annotate/origin_dns.h"
#include "annotate/resolver.h"

/* An AS whose name was asked for. */
struct as_name {
	struct online *online;
	uint32_t asn;
	char name[128];
};

/* A hop whose origin was asked for; the first to have the address stands for all. */
struct pending {
	struct online *online;
	struct hop *hop;
	struct origin origin; /* the most specific record so far */
};

struct online {
	struct resolver *resolver;
	struct early *early; /* the names that were asked for; owns the resolver */
	const char *zone;
	struct pending *pending;
	size_t pending_count;
	struct as_name *names; /* as many as could be needed: they must not move */
	size_t name_count, name_room;
};

static void ask_names(struct online *online, struct path *path)
{
	for (size_t i = 0; path && i < path->hop_count; i++)
		if (!path->hops[i].name)
			early_ask(online->early, path->hops[i].address);
}

static void use_name(const struct online *online, struct addr addr, char **name)
{
	const char *known = early_name(online->early, addr);
	if (known && !*name)
		*name = strdup(known);
}

static void use_names(const struct online *online, struct path *path)
{
	for (size_t i = 0; path && i < path->hop_count; i++)
		use_name(online, path->hops[i].address, &path->hops[i].name);
}

static void on_as_name(void *context, const char *text, size_t length)
{
	struct as_name *as = context;
	(void)origin_dns_read_as((struct text){text, length}, as->asn, as->name, sizeof(as->name));
}

static void ask_as_name(struct online *online, uint32_t asn)
{
	char name[ORIGIN_DNS_NAME_SIZE];
	for (size_t i = 0; i < online->name_count; i++)
		if (online->names[i].asn == asn)
			return;
	if (online->name_count == online->name_room)
		return;
	struct as_name *as = &online->names[online->name_count++];
	*as = (struct as_name){.online = online, .asn = asn};
	if (snprintf(name, sizeof(name), "AS%u.%s", asn, online->zone) < (int)sizeof(name))
		resolver_ask_text(online->resolver, name, on_as_name, as);
}

static void on_origin(void *context, const char *text, size_t length)
{
	struct pending *pending = context;
	struct origin origin;
	if (!origin_dns_read((struct text){text, length}, pending->hop->address, &origin))
		return;
	if (pending->origin.count > 0 && origin.length <= pending->origin.length)
		return;
	pending->origin = origin;
	ask_as_name(pending->online, origin.asns[0]);
}

static void ask_origin(struct online *online, struct hop *hop)
{
	char name[ORIGIN_DNS_NAME_SIZE];
	/* Nobody announces these, and it is nobody's business who has them. */
	if (!addr_is_set(hop->address) || hop->asn != 0 || addr_is_private(hop->address))
		return;
	for (size_t i = 0; i < online->pending_count; i++)
		if (addr_equal(online->pending[i].hop->address, hop->address))
			return;
	if (!origin_dns_name(hop->address, online->zone, name))
		return;
	struct pending *pending = &online->pending[online->pending_count++];
	*pending = (struct pending){.online = online, .hop = hop};
	resolver_ask_text(online->resolver, name, on_origin, pending);
}

static void ask_origins(struct online *online, struct path *path)
{
	for (size_t i = 0; path && i < path->hop_count; i++)
		ask_origin(online, &path->hops[i]);
}

static void use_origins(struct online *online, struct path *path)
{
	for (size_t i = 0; path && i < path->hop_count; i++)
		for (size_t k = 0; k < online->pending_count; k++) {
			struct origin *origin = &online->pending[k].origin;
			if (!addr_equal(online->pending[k].hop->address, path->hops[i].address) ||
				origin->count == 0)
				continue;
			for (size_t n = 0; n < online->name_count; n++)
				if (online->names[n].asn == origin->asns[0])
					memcpy(origin->name, online->names[n].name, sizeof(origin->name));
			hop_set_origin(&path->hops[i], origin);
		}
}

static bool prepare(struct online *online, const struct measurement *measurement)
{
	size_t hops = (measurement->forward ? measurement->forward->hop_count : 0) +
		(measurement->reverse ? measurement->reverse->hop_count : 0);
	online->pending = calloc(hops + 1, sizeof(*online->pending));
	online->names = calloc(hops + 1, sizeof(*online->names));
	online->name_room = hops;
	online->resolver = early_resolver(online->early);
	return online->pending && online->names;
}

static void ask_all(struct online *online, struct measurement *measurement, bool names)
{
	if (names) {
		early_ask(online->early, measurement->source);
		ask_names(online, measurement->forward);
		ask_names(online, measurement->reverse);
	}
	if (online->zone) {
		ask_origins(online, measurement->forward);
		ask_origins(online, measurement->reverse);
	}
}

static void use_all(struct online *online, struct measurement *measurement, bool names)
{
	if (names) {
		use_name(online, measurement->source, &measurement->source_name);
		use_names(online, measurement->forward);
		use_names(online, measurement->reverse);
	}
	use_origins(online, measurement->forward);
	use_origins(online, measurement->reverse);
}

void online_annotate(
	struct measurement *measurement, bool names, const char *zone, struct early *early, int64_t budget_ns)
{
	struct early *own = NULL;
	if (!early && early_new(&own, measurement->target, NULL) < 0)
		return;
	struct online online = {.zone = zone, .early = early ? early : own};
	if (prepare(&online, measurement)) {
		ask_all(&online, measurement, names);
		resolver_wait(online.resolver, budget_ns);
		resolver_give_up(online.resolver);
		use_all(&online, measurement, names);
	}
	early_free(own);
	free(online.names);
	free(online.pending);
}
