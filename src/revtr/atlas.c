#include "revtr/atlas.h"

#include <stdlib.h>
#include <string.h>

void atlas_deinit(struct atlas *atlas)
{
	free(atlas->entries);
	free(atlas->table);
	*atlas = (struct atlas){0};
}

/* Origins of one source come from its owner and the administrator: nobody else can choose collisions. */
static size_t slot_of(const struct atlas *atlas, const char *origin)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
	for (; *origin; origin++)
		hash = (hash ^ (uint8_t)*origin) * UINT64_C(1099511628211);
	return (size_t)(hash >> 20) & (atlas->table_room - 1);
}

/* Where it is, or the free place where it could be. */
static uint32_t *place_of(const struct atlas *atlas, const char *origin)
{
	size_t i = slot_of(atlas, origin);
	while (atlas->table[i] != 0 && strcmp(atlas->entries[atlas->table[i] - 1].origin, origin) != 0)
		i = (i + 1) & (atlas->table_room - 1);
	return &atlas->table[i];
}

struct atlas_entry *atlas_find(const struct atlas *atlas, const char *origin)
{
	uint32_t number = atlas->table_room ? *place_of(atlas, origin) : 0;
	return number ? &atlas->entries[number - 1] : NULL;
}

static void index_all(struct atlas *atlas)
{
	memset(atlas->table, 0, atlas->table_room * sizeof(*atlas->table));
	for (size_t i = 0; i < atlas->count; i++)
		*place_of(atlas, atlas->entries[i].origin) = (uint32_t)i + 1;
}

static bool make_room(struct atlas *atlas)
{
	if (atlas->count < atlas->room)
		return true;
	size_t room = atlas->room ? 2 * atlas->room : 16;
	struct atlas_entry *entries = realloc(atlas->entries, room * sizeof(*entries));
	if (entries)
		atlas->entries = entries;
	uint32_t *table = entries ? malloc(2 * room * sizeof(*table)) : NULL;
	if (!table)
		return false;
	free(atlas->table);
	atlas->table = table;
	atlas->table_room = 2 * room;
	atlas->room = room;
	index_all(atlas);
	return true;
}

struct atlas_entry *atlas_entry_of(struct atlas *atlas, const char *origin, bool imported)
{
	struct atlas_entry *entry = atlas_find(atlas, origin);
	if (entry)
		return entry;
	if (atlas->count == ATLAS_ORIGINS_MAX || !make_room(atlas))
		return NULL;
	entry = &atlas->entries[atlas->count];
	*entry = (struct atlas_entry){
		.imported = imported, .trace = TREE_NONE, .asked_ns = TREE_NEVER, .noted_ns = TREE_NEVER};
	strncpy(entry->origin, origin, sizeof(entry->origin) - 1);
	*place_of(atlas, entry->origin) = (uint32_t)++atlas->count;
	return entry;
}

void atlas_compact(struct atlas *atlas)
{
	size_t kept = 0;
	for (size_t i = 0; i < atlas->count; i++)
		if (atlas->entries[i].trace != TREE_NONE || !atlas->entries[i].imported)
			atlas->entries[kept++] = atlas->entries[i];
	atlas->count = kept;
	if (atlas->table_room)
		index_all(atlas);
}
