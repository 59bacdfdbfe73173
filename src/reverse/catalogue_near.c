#include "reverse/catalogue_near.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* But for a slash at the end. */
static bool same_url(const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b);
	a_length -= a_length > 0 && a[a_length - 1] == '/';
	b_length -= b_length > 0 && b[b_length - 1] == '/';
	return a_length == b_length && strncmp(a, b, a_length) == 0;
}

/* What comes first counts: it is what the user has set up. */
static int add(struct near_network *network, enum near_source source, const char *url, const char *name,
	const char *note, bool traces)
{
	for (size_t i = 0; i < network->count; i++)
		if (*url && same_url(network->glasses[i].url, url))
			return 0;
	struct near_glass *glasses = realloc(network->glasses, (network->count + 1) * sizeof(*glasses));
	if (!glasses)
		return -ENOMEM;
	network->glasses = glasses;
	struct near_glass *glass = &glasses[network->count++];
	*glass = (struct near_glass){.source = source, .name = name, .note = note, .traces = traces};
	snprintf(glass->url, sizeof(glass->url), "%s", url);
	return 0;
}

static int add_configured(struct near_network *network, const struct settings *settings)
{
	int result = 0;
	for (size_t i = 0; i < settings->looking_glass_count && result == 0; i++) {
		const struct settings_looking_glass *glass = &settings->looking_glasses[i];
		if (glass->asn == network->asn)
			/* The URL may have a password in it; its name is enough. */
			result = add(network, NEAR_SETTINGS, "", glass->name, glass->location, true);
	}
	return result;
}

static int add_listed(
	struct near_network *network, enum near_source source, const struct catalogue *catalogue)
{
	int result = 0;
	for (size_t i = 0; i < catalogue->count && result == 0; i++) {
		const struct catalogue_entry *entry = &catalogue->entries[i];
		if (entry->asn == network->asn)
			result = add(network, source, entry->url, NULL, entry->note, entry->traces);
		if (entry->asn == network->asn && !network->name[0] && entry->network)
			snprintf(network->name, sizeof(network->name), "%s", entry->network);
	}
	return result;
}

static int add_said(struct near_network *network, const struct data *data)
{
	struct glass glass;
	if (!data_glass(data, network->asn, &glass))
		return 0;
	if (!network->name[0])
		snprintf(network->name, sizeof(network->name), "%s", glass.network);
	int result = glass.looking_glass[0]
		? add(network, NEAR_PEERINGDB, glass.looking_glass, NULL, NULL, false)
		: 0;
	if (result == 0 && glass.route_server[0])
		result = add(network, NEAR_PEERINGDB, glass.route_server, NULL, "a route server", false);
	return result;
}

static void name_it(struct near_network *network, const struct vantage_scene *scene,
	const struct path *forward, const struct data *data)
{
	struct origin origin;
	for (size_t i = 0; forward && i < forward->hop_count && !network->name[0]; i++)
		if (forward->hops[i].asn == network->asn && forward->hops[i].as_name)
			snprintf(network->name, sizeof(network->name), "%s", forward->hops[i].as_name);
	if (!network->name[0] && data_origin(data, scene->target, &origin) && origin.count > 0 &&
		origin.asns[0] == network->asn)
		snprintf(network->name, sizeof(network->name), "%s", origin.name);
}

int near_find(struct near *near, const struct vantage_scene *scene, const struct path *forward,
	const struct near_sources *sources)
{
	int result = 0;
	*near = (struct near){0};
	for (unsigned i = 0; i < scene->origin_count + scene->upstream_count && result == 0; i++) {
		struct near_network *network = &near->networks[near->count++];
		network->upstream = i >= scene->origin_count;
		network->asn =
			network->upstream ? scene->upstreams[i - scene->origin_count] : scene->origins[i];
		name_it(network, scene, forward, sources->data);
		result = add_configured(network, sources->settings);
		if (result == 0)
			result = add_listed(network, NEAR_OWN, sources->own);
		if (result == 0)
			result = add_listed(network, NEAR_SHIPPED, sources->shipped);
		if (result == 0)
			result = add_said(network, sources->data);
	}
	return result;
}

void near_deinit(struct near *near)
{
	for (size_t i = 0; i < near->count; i++)
		free(near->networks[i].glasses);
}

const char *near_source_word(enum near_source source)
{
	static const char *const words[] = {"settings", "own-list", "shipped-list", "peeringdb"};
	return words[source];
}
