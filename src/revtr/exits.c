#include "revtr/exits.h"

#include <errno.h>
#include <stdlib.h>

void exits_deinit(struct exits *exits)
{
	free(exits->table);
}

static struct exit_of *slot_of(const struct exits *exits, uint32_t asn)
{
	uint32_t i = (uint32_t)((asn * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (exits->room - 1);
	while (exits->table[i].asn != 0 && exits->table[i].asn != asn)
		i = (i + 1) & (exits->room - 1);
	return &exits->table[i];
}

static int make_room(struct exits *exits)
{
	if (exits->room && 4 * (exits->count + 1) <= 3 * exits->room)
		return 0;
	struct exits larger = {.room = exits->room ? 2 * exits->room : 64, .count = exits->count};
	larger.table = calloc(larger.room, sizeof(*larger.table));
	if (!larger.table)
		return -ENOMEM;
	for (uint32_t i = 0; i < exits->room; i++)
		if (exits->table[i].asn != 0)
			*slot_of(&larger, exits->table[i].asn) = exits->table[i];
	free(exits->table);
	*exits = larger;
	return 0;
}

static int vote(struct exits *exits, uint32_t asn, uint32_t next_asn, uint32_t address)
{
	if (make_room(exits) < 0)
		return -ENOMEM;
	struct exit_of *exit = slot_of(exits, asn);
	if (exit->asn == 0) {
		*exit = (struct exit_of){.asn = asn, .next_asn = next_asn, .address = address};
		exits->count++;
	}
	if (exit->next_asn == next_asn)
		exit->votes++;
	else
		exit->against++;
	return 0;
}

int exits_learn(struct exits *exits, const uint32_t *addresses, const uint32_t *asns, unsigned count)
{
	for (unsigned i = 0; i + 1 < count; i++)
		if (addresses[i] && asns[i] && asns[i + 1] && asns[i] != asns[i + 1] &&
			vote(exits, asns[i], asns[i + 1], addresses[i]) < 0)
			return -ENOMEM;
	return 0;
}

const struct exit_of *exits_find(const struct exits *exits, uint32_t asn)
{
	if (exits->room == 0 || asn == 0)
		return NULL;
	const struct exit_of *exit = slot_of(exits, asn);
	return exit->asn != 0 && exit->against == 0 ? exit : NULL;
}
