/* Reading worlds. */
#include "sim/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/loader.h"

#define FILE_MAX_BYTES (1 << 29)

static int allocate(struct loader *l)
{
	const struct world_file *f = l->file;
	struct world *w = l->world;
	w->ases = calloc(f->ases_count + 1, sizeof(*w->ases));
	w->nodes = calloc(f->hosts_count + f->routers_count + 1, sizeof(*w->nodes));
	w->tunnels = calloc(f->tunnels_count + 1, sizeof(*w->tunnels));
	w->detours = calloc(f->detours_count + 1, sizeof(*w->detours));
	w->faults = calloc(f->faults_count + 1, sizeof(*w->faults));
	w->services = calloc(f->services_count + 1, sizeof(*w->services));
	l->links = calloc(f->ases_count + 1, sizeof(*l->links));
	l->hosts = calloc(f->ases_count + 1, sizeof(*l->hosts));
	if (!w->ases || !w->nodes || !w->tunnels || !w->detours || !w->faults || !w->services || !l->links ||
		!l->hosts)
		return loader_no_memory(l);
	return 0;
}

/* All steps are taken whatever the mistakes, so that all of them are told. */
static int build(struct loader *l)
{
	int (*const steps[])(struct loader *) = {allocate, loader_ases, loader_nodes, loader_prefixes,
		loader_relations, loader_exchanges, loader_links, index_domains, loader_borders,
		loader_overrides, index_addresses, loader_routes, loader_rest, loader_detours, loader_check};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int result = steps[i](l);
		if (fatal(result))
			return result;
	}
	return 0;
}

int world_parse_telling(const char *name, const char *text, world_complain *complain, void *context,
	struct world **world, struct error *error)
{
	struct loader l = {.name = name, .text = text, .error = error};
	*world = NULL;
	int result = world_file_read(name, text, strlen(text), &l.file, error);
	if (result < 0) {
		if (complain && result == -EINVAL)
			(void)world_file_mistakes(name, text, strlen(text), complain, context);
		return result;
	}
	l.world = calloc(1, sizeof(*l.world));
	if (!l.world) {
		world_file_free(l.file);
		return loader_no_memory(&l);
	}
	l.world->file = l.file;
	l.world->summary = l.file->summary;
	result = build(&l);
	if (result == 0)
		result = loader_verdict(&l, complain, context);
	loader_free(&l);
	if (result < 0)
		world_free(l.world);
	else
		*world = l.world;
	return result;
}

int world_parse(const char *name, const char *text, struct world **world, struct error *error)
{
	return world_parse_telling(name, text, NULL, NULL, world, error);
}

static int read_file(const char *path, char **text, struct error *error)
{
	size_t capacity = 1 << 16, length = 0, got;
	char *buffer = NULL;
	FILE *file = fopen(path, "re");
	if (!file)
		return error_set(error, -errno, "%s: %s", path, strerror(errno));
	do {
		capacity *= 2;
		char *larger = capacity <= FILE_MAX_BYTES ? realloc(buffer, capacity) : NULL;
		if (!larger)
			break;
		buffer = larger;
		got = fread(buffer + length, 1, capacity - 1 - length, file);
		length += got;
	} while (length == capacity - 1);
	bool whole = buffer && feof(file) && !ferror(file);
	fclose(file);
	if (!whole || memchr(buffer, '\0', length)) {
		free(buffer);
		return error_set(error, -EINVAL, "%s: expected a text file of less than %d MiB", path,
			FILE_MAX_BYTES >> 20);
	}
	buffer[length] = '\0';
	*text = buffer;
	return 0;
}

int world_load_telling(
	const char *name, world_complain *complain, void *context, struct world **world, struct error *error)
{
	*world = NULL;
	for (const struct shipped_world *shipped = shipped_worlds; shipped->name; shipped++)
		if (strcmp(shipped->name, name) == 0)
			return world_parse_telling(name, shipped->text, complain, context, world, error);
	if (!strpbrk(name, "./"))
		return error_set(error, -ENOENT,
			"no world is called '%s'; `retour lab list` shows them, a file needs a '/' or '.' in "
			"its name",
			name);
	char *text = NULL;
	int result = read_file(name, &text, error);
	if (result < 0)
		return result;
	result = world_parse_telling(name, text, complain, context, world, error);
	free(text);
	return result;
}

int world_load(const char *name, struct world **world, struct error *error)
{
	return world_load_telling(name, NULL, NULL, world, error);
}

void world_free(struct world *world)
{
	if (!world)
		return;
	for (unsigned i = 0; i < world->ixp_count; i++)
		free(world->ixps[i].members);
	for (unsigned i = 0; i < world->interface_count; i++) {
		free(world->interfaces[i].name);
		free(world->interfaces[i].queue);
	}
	for (unsigned i = 0; i < world->tunnel_count; i++) {
		free(world->tunnels[i].routers);
		free(world->tunnels[i].labels);
	}
	free(world->ases);
	free(world->nodes);
	free(world->interfaces);
	free(world->routes);
	free(world->tunnels);
	free(world->detours);
	free(world->faults);
	free(world->services);
	free(world->addresses);
	free(world->prefixes);
	free(world->origins);
	free(world->edges);
	free(world->kin);
	free(world->borders);
	free(world->filters);
	free(world->ixps);
	free(world->domains);
	free(world->members);
	free(world->class_prefixes);
	free(world->ports);
	free(world->names);
	free(world->by_asn);
	world_file_free(world->file);
	free(world);
}
