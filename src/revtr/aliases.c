#include "revtr/aliases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void aliases_deinit(struct aliases *aliases)
{
	free(aliases->members);
	free(aliases->table);
	*aliases = (struct aliases){0};
}

static size_t slot_of(const struct aliases *aliases, uint32_t address)
{
	return (size_t)((address * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (aliases->room - 1);
}

static struct alias_slot *find(const struct aliases *aliases, uint32_t address)
{
	size_t i = slot_of(aliases, address);
	while (aliases->table[i].address != 0 && aliases->table[i].address != address)
		i = (i + 1) & (aliases->room - 1);
	return &aliases->table[i];
}

static int make_room(struct aliases *aliases, size_t more)
{
	if (aliases->count + more > ALIASES_MAX)
		return -E2BIG;
	if (aliases->member_count + more + 1 > aliases->member_room) {
		size_t room = MAX(2 * aliases->member_room, aliases->member_count + more + 1);
		uint32_t *members = realloc(aliases->members, room * sizeof(*members));
		if (!members)
			return -ENOMEM;
		aliases->members = members;
		aliases->member_room = room;
	}
	size_t room = aliases->room ? aliases->room : 64, old_room = aliases->room;
	while (4 * (aliases->count + more) > 3 * room)
		room *= 2;
	if (room == old_room)
		return 0;
	struct alias_slot *old = aliases->table, *table = calloc(room, sizeof(*table));
	if (!table)
		return -ENOMEM;
	aliases->table = table;
	aliases->room = room;
	for (size_t i = 0; i < old_room; i++)
		if (old[i].address != 0)
			*find(aliases, old[i].address) = old[i];
	free(old);
	return 0;
}

static bool somebodys(uint32_t address)
{
	return address != 0 && addr_is_unicast(addr_v4(address)) && !addr_is_private(addr_v4(address));
}

static void leave_set(struct aliases *aliases, const struct alias_slot *slot)
{
	uint32_t *set = &aliases->members[slot->set];
	for (uint32_t i = 1; i <= set[0]; i++)
		if (set[i] == slot->address) {
			set[i] = set[set[0]--];
			aliases->set_count -= set[0] == 1;
			aliases->count--;
			return;
		}
}

int aliases_add(struct aliases *aliases, const uint32_t *addresses, size_t count)
{
	int result = make_room(aliases, count);
	if (result < 0)
		return result;
	size_t set = aliases->member_count++, taken = 0;
	for (size_t i = 0; i < count; i++) {
		struct alias_slot *slot = somebodys(addresses[i]) ? find(aliases, addresses[i]) : NULL;
		if (!slot || (slot->address != 0 && slot->set == set))
			continue; /* twice in one line */
		if (slot->address != 0)
			leave_set(aliases, slot);
		*slot = (struct alias_slot){addresses[i], (uint32_t)set};
		aliases->members[aliases->member_count++] = addresses[i];
		taken++;
	}
	aliases->members[set] = (uint32_t)taken;
	aliases->count += taken;
	aliases->set_count += taken > 1;
	return 0;
}

const uint32_t *aliases_of(const struct aliases *aliases, uint32_t address, size_t *count)
{
	const struct alias_slot *slot = aliases && aliases->room && address ? find(aliases, address) : NULL;
	*count = slot && slot->address ? aliases->members[slot->set] : 0;
	return *count ? &aliases->members[slot->set + 1] : NULL;
}

bool aliases_same(const struct aliases *aliases, uint32_t a, uint32_t b)
{
	if (!aliases || aliases->room == 0 || a == 0 || b == 0)
		return false;
	const struct alias_slot *first = find(aliases, a), *second = find(aliases, b);
	return first->address && second->address && first->set == second->set;
}

int aliases_parse(const char *line, size_t length, uint32_t *addresses, size_t room)
{
	static const char blanks[] = " \t\r,";
	const char *at = line, *end = line + length;
	int count = 0;
	if (length > 5 && memcmp(line, "node ", 5) == 0) {
		const char *colon = memchr(line, ':', length);
		if (!colon)
			return -EINVAL;
		at = colon + 1;
	}
	while (at < end && *at != '#') {
		char text[ADDR_TEXT_SIZE];
		struct addr address;
		const char *start = at;
		while (at < end && !memchr(blanks, *at, sizeof(blanks) - 1))
			at++;
		size_t word = (size_t)(at - start);
		at += at < end;
		if (word == 0)
			continue;
		if (word >= sizeof(text))
			return -EINVAL;
		memcpy(text, start, word);
		text[word] = '\0';
		if (!addr_parse(text, &address))
			return -EINVAL;
		if (address.family == 4 && (size_t)count < room)
			addresses[count++] = (uint32_t)address.low;
	}
	return count > 1 ? count : 0;
}
