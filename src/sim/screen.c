/* What a router does not let through: false sources (RFC 2827, RFC 3704), and what its firewall is told. */
#include "sim/core.h"

#include "sim/flows.h"

static bool leads_back(struct sim *sim, const struct transit *transit)
{
	const struct way *way = way_find(sim, transit->node, transit->peek.source);
	for (unsigned i = 0; way->route.kind == ROUTE_VIA && i < way->route.via_count; i++)
		if (way->route.via[i] == transit->in)
			return true;
	return false;
}

/* An address of the node's own AS that is not in use by somebody outside of it, as routers at a border are.
 */
static bool is_of_own_as(const struct sim *sim, const struct transit *transit)
{
	uint32_t as = sim->world->nodes[transit->node].as;
	const struct world_address *user = world_find_address(sim->world, transit->peek.source);
	if (user)
		return sim->world->nodes[user->node].as == as;
	return world_find_as(sim->world, transit->peek.source) == as;
}

bool screen_source(struct sim *sim, const struct transit *transit)
{
	const struct world *world = sim->world;
	uint32_t neighbour = world->interfaces[transit->in ^ 1].node;
	bool from_host = world->nodes[neighbour].is_host;
	bool from_other = world->nodes[neighbour].as != world->nodes[transit->node].as;
	bool passes = true;
	switch (world->nodes[transit->node].behaviour.source_filter) {
	case SOURCE_ANY: break;
	case SOURCE_HOSTS: passes = !from_host || leads_back(sim, transit); break;
	case SOURCE_STRICT: passes = (!from_host && !from_other) || leads_back(sim, transit); break;
	case SOURCE_OWN: passes = !from_other || !is_of_own_as(sim, transit); break;
	case SOURCE_LOOSE:
		passes = way_find(sim, transit->node, transit->peek.source)->route.kind != ROUTE_REFUSE;
		break;
	}
	sim->counts.filtered += !passes;
	return passes;
}

/* The flow of a packet, or of the one that an error is about; seen from who sent the packet. */
static bool screened_flow(const struct packet *packet, struct flow_key *key)
{
	if (!packet->has_quote)
		return flow_key_of(&packet->ip, &packet->transport, key);
	struct flow_key about;
	if (!flow_key_of(&packet->quoted_ip, &packet->quoted, &about))
		return false;
	*key = flow_key_reverse(&about);
	return true;
}

static bool is_established(struct sim *sim, struct flows *flows, const struct flow_key *key)
{
	struct flow_key back = flow_key_reverse(key);
	return flows_by_inside(flows, key, sim->now_ns) || flows_by_inside(flows, &back, sim->now_ns);
}

static bool protocol_matches(int wanted, uint8_t protocol)
{
	return wanted == 0 || wanted == protocol || (wanted == PROTOCOL_ICMP && protocol == PROTOCOL_ICMPV6);
}

static bool rule_matches(const struct file_rule *rule, const struct peek *peek, bool established)
{
	unsigned port = peek->flow_word & 0xffff;
	if (rule->established && !established)
		return false;
	if (!protocol_matches(rule->protocol, peek->protocol))
		return false;
	if (rule->port &&
		(peek->fragment_offset != 0 || port < *rule->port ||
			port > (rule->port_end ? *rule->port_end : *rule->port)))
		return false;
	return (!rule->from || prefix_contains(rule->from_prefix, peek->source)) &&
		(!rule->to || prefix_contains(rule->to_prefix, peek->destination));
}

static void refuse(
	struct sim *sim, uint32_t node, uint32_t in, const struct parcel *parcel, enum refusal refusal)
{
	struct packet packet;
	struct complaint complaint = refusal_complaint(refusal);
	if (in == WORLD_NONE) /* its own packet */
		return;
	if (refusal == REFUSE_RESET && packet_read(parcel->bytes, parcel->length, &packet) == 0 &&
		packet.ip.protocol == PROTOCOL_TCP)
		answer_reset(sim, node, &packet);
	else
		answer_error(sim, node, in, parcel, &complaint);
}

/* The first rule that fits decides; what no rule is about passes. */
bool screen_firewall(
	struct sim *sim, uint32_t node, uint32_t in, const struct parcel *parcel, const struct peek *peek)
{
	const struct behaviour *behaviour = &sim->world->nodes[node].behaviour;
	struct packet packet;
	struct flow_key key;
	struct flows *flows = behaviour->stateful ? node_flows(sim, node) : NULL;
	bool has_flow = flows && packet_read(parcel->bytes, parcel->length, &packet) == 0 &&
		screened_flow(&packet, &key);
	bool established = has_flow && is_established(sim, flows, &key);
	for (unsigned i = 0; i < behaviour->rule_count; i++) {
		const struct file_rule *rule = &behaviour->rules[i];
		if (!rule_matches(rule, peek, established))
			continue;
		if (rule->action == RULE_ALLOW)
			break;
		sim->counts.filtered++;
		if (rule->action == RULE_REFUSE)
			refuse(sim, node, in, parcel,
				rule->refuse ? (enum refusal) * rule->refuse : REFUSE_ADMIN);
		return false;
	}
	if (has_flow && !established && !packet.has_quote)
		(void)flows_add(
			flows, &key, &key, sim->now_ns); /* a flow that is not noted is refused later */
	return true;
}
