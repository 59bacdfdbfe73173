/* Exchanges (IXPs): a LAN on which routers of many ASes meet. Each pair of members whose ASes peer there has
 * a session, which is a link of its own; all sessions of a member have the member's one address on the LAN.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/loader.h"

#define DEFAULT_LAN_DELAY_MS 0.2

static int exchange_prefix(
	struct loader *l, unsigned entry, const char *text, uint8_t family, struct prefix *prefix)
{
	const struct file_ixp *from = &l->file->ixps[entry];
	if (!prefix_parse(text, prefix) || prefix->addr.family != family ||
		prefix->length > (family == 4 ? 30 : 64))
		return loader_mistake(l, "ixps", entry, text,
			"'%s' is not an IPv%d prefix of at most %d bits", text, family,
			family == 4 ? 30 : 64);
	if (family == 4 && from->members_count + 2ULL > 1ULL << (32 - prefix->length))
		return loader_mistake(l, "ixps", entry, text, "'%s' is too small for %u members", text,
			from->members_count);
	return 0;
}

static int load_members(struct loader *l, unsigned entry, struct world_ixp *ixp)
{
	const struct file_ixp *from = &l->file->ixps[entry];
	int result = 0;
	ixp->members = calloc(from->members_count + 1, sizeof(*ixp->members));
	if (!ixp->members)
		return loader_no_memory(l);
	for (unsigned i = 0; i < from->members_count && !fatal(result); i++) {
		uint32_t node = world_find_node(l->world, from->members[i]);
		if (node == WORLD_NONE || l->world->nodes[node].is_host) {
			result = loader_mistake(l, "ixps", entry, from->members[i],
				"member '%s': no router is called so", from->members[i]);
			l->holes = true;
		} else {
			ixp->members[ixp->member_count++] = node;
		}
	}
	return fatal(result) ? result : 0;
}

static int load_exchange(struct loader *l, unsigned entry)
{
	const struct file_ixp *from = &l->file->ixps[entry];
	struct world_ixp *ixp = &l->world->ixps[l->world->ixp_count++];
	double delay_ms = from->delay_ms ? *from->delay_ms : DEFAULT_LAN_DELAY_MS;
	int result = 0;
	*ixp = (struct world_ixp){.name = from->name, .country = from->country};
	if (!within(delay_ms, SPAN_MAX_S * 1e3))
		return loader_mistake(l, "ixps", entry, "delay_ms", "expected a delay of 0 or more");
	ixp->delay_ns = (int64_t)(delay_ms * NS_PER_MS);
	for (unsigned i = 0; i < entry && result == 0; i++)
		if (strcmp(l->file->ixps[i].name, from->name) == 0)
			result = loader_mistake(
				l, "ixps", entry, from->name, "a second exchange called '%s'", from->name);
	if (strlen(from->country) != 2 && !fatal(result))
		result = loader_mistake(
			l, "ixps", entry, from->country, "country '%s': expected two letters", from->country);
	if (!fatal(result))
		result = exchange_prefix(l, entry, from->prefix, 4, &ixp->prefixes[0]);
	if (!fatal(result))
		result = exchange_prefix(l, entry, from->prefix6, 6, &ixp->prefixes[1]);
	return fatal(result) ? result : load_members(l, entry, ixp);
}

static uint32_t find_exchange(const struct world *w, const char *name)
{
	for (uint32_t i = 0; i < w->ixp_count; i++)
		if (strcmp(w->ixps[i].name, name) == 0)
			return i;
	return WORLD_NONE;
}

static bool has_member(const struct world *w, const struct world_ixp *ixp, unsigned asn)
{
	for (unsigned i = 0; i < ixp->member_count; i++)
		if (w->ases[w->nodes[ixp->members[i]].as].asn == asn)
			return true;
	return false;
}

static int check_meeting(struct loader *l, unsigned entry)
{
	const struct file_relation *from = &l->file->relations[entry];
	uint32_t ixp = find_exchange(l->world, from->ixp);
	int result = 0;
	if (ixp == WORLD_NONE)
		return loader_mistake(
			l, "relations", entry, from->ixp, "no exchange is called '%s'", from->ixp);
	for (unsigned i = 0; i < from->peers_count && !l->holes && !fatal(result); i++)
		if (!has_member(l->world, &l->world->ixps[ixp], from->peers[i]))
			result = loader_mistake(l, "relations", entry, from->ixp,
				"no router of AS%u is a member of '%s'", from->peers[i], from->ixp);
	return result;
}

int loader_exchanges(struct loader *l)
{
	int result = 0;
	l->world->ixps = calloc(l->file->ixps_count + 1, sizeof(*l->world->ixps));
	if (!l->world->ixps)
		return loader_no_memory(l);
	for (unsigned i = 0; i < l->file->ixps_count && !fatal(result); i++)
		result = load_exchange(l, i);
	for (unsigned i = 0; i < l->file->relations_count && !fatal(result); i++)
		if (l->file->relations[i].ixp)
			result = check_meeting(l, i);
	return fatal(result) ? result : 0;
}

struct addr world_member_address(const struct world_ixp *ixp, unsigned member, uint8_t family)
{
	return addr_add(ixp->prefixes[family_index(family)].addr, 1 + member);
}

static void session(const struct world_ixp *ixp, uint32_t index, unsigned member, const uint32_t *nodes,
	struct world_interface *end)
{
	end->node = nodes[member];
	end->ixp = index;
	end->delay_ns = ixp->delay_ns;
	end->address[0] = world_member_address(ixp, member, 4);
	end->address[1] = world_member_address(ixp, member, 6);
}

static uint32_t meeting_sessions(
	const struct world *w, const struct file_relation *from, uint32_t index, struct world_interface *ends)
{
	const struct world_ixp *ixp = &w->ixps[index];
	uint32_t count = 0;
	for (unsigned a = 0; a < ixp->member_count; a++) {
		if (w->ases[w->nodes[ixp->members[a]].as].asn != from->peers[0])
			continue;
		for (unsigned b = 0; b < ixp->member_count; b++) {
			if (w->ases[w->nodes[ixp->members[b]].as].asn != from->peers[1])
				continue;
			if (ends) {
				session(ixp, index, a, ixp->members, &ends[2 * count]);
				session(ixp, index, b, ixp->members, &ends[2 * count + 1]);
			}
			count++;
		}
	}
	return count;
}

uint32_t exchange_sessions(struct loader *l, struct world_interface *ends)
{
	uint32_t count = 0;
	for (unsigned i = 0; i < l->file->relations_count; i++) {
		const struct file_relation *from = &l->file->relations[i];
		uint32_t ixp = from->ixp ? find_exchange(l->world, from->ixp) : WORLD_NONE;
		if (ixp != WORLD_NONE && from->peers_count == 2 && from->peers[0] != from->peers[1])
			count +=
				meeting_sessions(l->world, from, ixp, ends ? &ends[2 * (size_t)count] : NULL);
	}
	return count;
}
