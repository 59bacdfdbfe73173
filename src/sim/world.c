/* Worlds: reading them, and finding things in them. */
#include "sim/world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "sim/loader.h"

int loader_mistake(
	struct loader *l, const char *section, unsigned entry, const char *word, const char *format, ...)
{
	char text[300], escaped[360]; /* what is quoted from a file may be anything */
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return error_set(l->error, -EINVAL, "%s:%u: %s", l->name,
		world_file_line(l->text, strlen(l->text), section, entry, word),
		escape_text(text, escaped, sizeof(escaped)));
}

int loader_no_memory(struct loader *l)
{
	return error_set(l->error, -ENOMEM, "%s: out of memory", l->name);
}

uint32_t world_find_node(const struct world *world, const char *name)
{
	for (uint32_t i = 0; i < world->node_count; i++)
		if (strcmp(world->nodes[i].name, name) == 0)
			return i;
	return WORLD_NONE;
}

uint32_t world_interface_to(const struct world *world, uint32_t node, uint32_t neighbour)
{
	const struct world_node *n = &world->nodes[node];
	for (unsigned i = 0; i < n->interface_count; i++)
		if (world->interfaces[n->interfaces[i] ^ 1].node == neighbour)
			return n->interfaces[i];
	return WORLD_NONE;
}

uint32_t world_find_as(const struct world *world, struct addr addr)
{
	for (uint32_t i = 0; i < world->as_count; i++)
		if (prefix_contains(world->ases[i].prefixes[family_index(addr.family)], addr))
			return i;
	return WORLD_NONE;
}

struct addr world_node_address(const struct world *world, uint32_t node, uint8_t family)
{
	const struct world_node *n = &world->nodes[node];
	return n->is_host ? world->interfaces[n->interfaces[0]].address[family_index(family)]
			  : n->loopback[family_index(family)];
}

static int compare_addresses(const void *a, const void *b)
{
	const struct world_address *left = a, *right = b;
	return addr_compare(left->addr, right->addr);
}

const struct world_address *world_find_address(const struct world *world, struct addr addr)
{
	struct world_address key = {.addr = addr};
	return bsearch(&key, world->addresses, world->address_count, sizeof(key), compare_addresses);
}

static int index_addresses(struct loader *l)
{
	struct world *w = l->world;
	w->addresses = calloc(2 * (w->interface_count + w->node_count) + 1, sizeof(*w->addresses));
	if (!w->addresses)
		return loader_no_memory(l);
	for (unsigned family = 0; family < 2; family++) {
		for (uint32_t i = 0; i < w->interface_count; i++)
			w->addresses[w->address_count++] =
				(struct world_address){.addr = w->interfaces[i].address[family],
					.node = w->interfaces[i].node,
					.interface = i};
		for (uint32_t i = w->host_count; i < w->node_count; i++)
			w->addresses[w->address_count++] = (struct world_address){
				.addr = w->nodes[i].loopback[family], .node = i, .interface = WORLD_NONE};
	}
	qsort(w->addresses, w->address_count, sizeof(*w->addresses), compare_addresses);
	for (unsigned i = 1; i < w->address_count; i++) {
		const struct world_address *a = &w->addresses[i - 1], *b = &w->addresses[i];
		char text[ADDR_TEXT_SIZE];
		if (addr_equal(a->addr, b->addr))
			return error_set(l->error, -EINVAL, "%s: '%s' and '%s' both have the address %s",
				l->name, w->nodes[a->node].name, w->nodes[b->node].name,
				addr_format(a->addr, text));
	}
	return 0;
}

static int allocate(struct loader *l)
{
	const struct world_file *f = l->file;
	struct world *w = l->world;
	w->ases = calloc(f->ases_count + 1, sizeof(*w->ases));
	w->nodes = calloc(f->hosts_count + f->routers_count + 1, sizeof(*w->nodes));
	w->interfaces = calloc(2 * f->links_count + 1, sizeof(*w->interfaces));
	w->tunnels = calloc(f->tunnels_count + 1, sizeof(*w->tunnels));
	w->faults = calloc(f->faults_count + 1, sizeof(*w->faults));
	w->services = calloc(f->services_count + 1, sizeof(*w->services));
	l->links_in_as = calloc(f->ases_count + 1, sizeof(*l->links_in_as));
	l->loopbacks_in_as = calloc(f->ases_count + 1, sizeof(*l->loopbacks_in_as));
	if (!w->ases || !w->nodes || !w->interfaces || !w->tunnels || !w->faults || !w->services ||
		!l->links_in_as || !l->loopbacks_in_as)
		return loader_no_memory(l);
	return 0;
}

int world_parse(const char *name, const char *text, struct world **world, struct error *error)
{
	struct loader l = {.name = name, .text = text, .error = error};
	int (*const steps[])(struct loader *) = {allocate, loader_ases, loader_nodes, loader_links,
		index_addresses, loader_routes, loader_rest};
	*world = NULL;
	int result = world_file_read(name, text, strlen(text), &l.file, error);
	if (result < 0)
		return result;
	l.world = calloc(1, sizeof(*l.world));
	if (!l.world) {
		world_file_free(l.file);
		return loader_no_memory(&l);
	}
	l.world->file = l.file;
	l.world->summary = l.file->summary;
	for (size_t i = 0; i < ARRAY_LEN(steps) && result == 0; i++)
		result = steps[i](&l);
	free(l.links_in_as);
	free(l.loopbacks_in_as);
	if (result < 0)
		world_free(l.world);
	else
		*world = l.world;
	return result;
}

static int read_file(const char *path, char **text, struct error *error)
{
	size_t capacity = 1 << 20, length = 0;
	FILE *file = fopen(path, "re");
	if (!file)
		return error_set(error, -errno, "%s: %s", path, strerror(errno));
	char *buffer = malloc(capacity);
	if (buffer)
		length = fread(buffer, 1, capacity - 1, file);
	bool whole = buffer && feof(file) && !ferror(file);
	fclose(file);
	if (!whole || memchr(buffer, '\0', length)) {
		free(buffer);
		return error_set(error, -EINVAL, "%s: expected a text file of less than 1 MiB", path);
	}
	buffer[length] = '\0';
	*text = buffer;
	return 0;
}

int world_load(const char *name, struct world **world, struct error *error)
{
	*world = NULL;
	for (const struct shipped_world *shipped = shipped_worlds; shipped->name; shipped++)
		if (strcmp(shipped->name, name) == 0)
			return world_parse(name, shipped->text, world, error);
	if (!strpbrk(name, "./"))
		return error_set(error, -ENOENT,
			"no world is called '%s'; `retour lab list` shows them, a file needs a '/' or '.' in "
			"its name",
			name);
	char *text = NULL;
	int result = read_file(name, &text, error);
	if (result < 0)
		return result;
	result = world_parse(name, text, world, error);
	free(text);
	return result;
}

void world_free(struct world *world)
{
	if (!world)
		return;
	for (unsigned i = 0; i < world->node_count; i++)
		free(world->nodes[i].interfaces);
	for (unsigned i = 0; i < world->interface_count; i++)
		free(world->interfaces[i].name);
	for (unsigned i = 0; i < world->tunnel_count; i++) {
		free(world->tunnels[i].routers);
		free(world->tunnels[i].labels);
	}
	free(world->ases);
	free(world->nodes);
	free(world->interfaces);
	free(world->routes);
	free(world->tunnels);
	free(world->faults);
	free(world->services);
	free(world->addresses);
	world_file_free(world->file);
	free(world);
}
