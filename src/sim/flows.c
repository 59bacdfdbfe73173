#include "sim/flows.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"

#define CAPACITY_FIRST 64 /* always a power of two */
#define NONE	       UINT32_MAX
/* As in Linux: nf_conntrack_udp_timeout_stream, nf_conntrack_icmp_timeout, nf_conntrack_generic_timeout; TCP
 * as RFC 5382 REQ-5 asks for. */
#define UDP_LASTS_NS   (120 * NS_PER_S)
#define ICMP_LASTS_NS  (30 * NS_PER_S)
#define OTHER_LASTS_NS (600 * NS_PER_S)
#define TCP_LASTS_NS   (7440 * NS_PER_S)

struct flows {
	struct flow *list;
	uint32_t *first_inside, *first_outside; /* `capacity` chains */
	uint32_t count, capacity;
};

struct flows *flows_new(void)
{
	return calloc(1, sizeof(struct flows));
}

void flows_free(struct flows *flows)
{
	if (!flows)
		return;
	free(flows->list);
	free(flows->first_inside);
	free(flows->first_outside);
	free(flows);
}

static int64_t lasts_ns(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_UDP: return UDP_LASTS_NS;
	case PROTOCOL_TCP: return TCP_LASTS_NS;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6: return ICMP_LASTS_NS;
	default: return OTHER_LASTS_NS;
	}
}

static uint32_t chain_of(const struct flows *flows, const struct flow_key *key)
{
	uint64_t words[] = {
		key->local.high,
		key->local.low,
		key->remote.high,
		key->remote.low,
		(uint64_t)key->local_port << 32 | (uint64_t)key->remote_port << 16 | key->protocol,
	};
	return (uint32_t)hash_bytes((struct hash_key){0}, words, sizeof(words)) & (flows->capacity - 1);
}

static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	return a->protocol == b->protocol && a->local_port == b->local_port &&
		a->remote_port == b->remote_port && addr_equal(a->local, b->local) &&
		addr_equal(a->remote, b->remote);
}

static void chain(struct flows *flows, uint32_t index)
{
	struct flow *flow = &flows->list[index];
	uint32_t *inside = &flows->first_inside[chain_of(flows, &flow->inside)];
	uint32_t *outside = &flows->first_outside[chain_of(flows, &flow->outside)];
	flow->next_inside = *inside;
	flow->next_outside = *outside;
	*inside = *outside = index;
}

/* Forget what has expired, and chain the rest anew. */
static void rebuild(struct flows *flows, int64_t now_ns)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < flows->capacity; i++)
		flows->first_inside[i] = flows->first_outside[i] = NONE;
	for (uint32_t i = 0; i < flows->count; i++)
		if (flows->list[i].expires_ns > now_ns) {
			flows->list[kept] = flows->list[i];
			chain(flows, kept++);
		}
	flows->count = kept;
}

static bool make_room(struct flows *flows, int64_t now_ns)
{
	if (flows->count < flows->capacity)
		return true;
	if (flows->capacity > 0)
		rebuild(flows, now_ns);
	if (flows->capacity > 0 && flows->count <= flows->capacity / 2)
		return true;
	uint32_t capacity = flows->capacity ? 2 * flows->capacity : CAPACITY_FIRST;
	struct flow *list = realloc(flows->list, capacity * sizeof(*list));
	if (list)
		flows->list = list;
	uint32_t *inside = list ? realloc(flows->first_inside, capacity * sizeof(*inside)) : NULL;
	if (inside)
		flows->first_inside = inside;
	uint32_t *outside = inside ? realloc(flows->first_outside, capacity * sizeof(*outside)) : NULL;
	if (!outside)
		return flows->count < flows->capacity;
	flows->first_outside = outside;
	flows->capacity = capacity;
	rebuild(flows, now_ns);
	return true;
}

const struct flow *flows_by_inside(struct flows *flows, const struct flow_key *key, int64_t now_ns)
{
	uint32_t i = flows && flows->capacity ? flows->first_inside[chain_of(flows, key)] : NONE;
	while (i != NONE && (flows->list[i].expires_ns <= now_ns || !same_key(&flows->list[i].inside, key)))
		i = flows->list[i].next_inside;
	if (i == NONE)
		return NULL;
	flows->list[i].expires_ns = now_ns + lasts_ns(key->protocol);
	return &flows->list[i];
}

const struct flow *flows_by_outside(struct flows *flows, const struct flow_key *key, int64_t now_ns)
{
	uint32_t i = flows && flows->capacity ? flows->first_outside[chain_of(flows, key)] : NONE;
	while (i != NONE && (flows->list[i].expires_ns <= now_ns || !same_key(&flows->list[i].outside, key)))
		i = flows->list[i].next_outside;
	if (i == NONE)
		return NULL;
	flows->list[i].expires_ns = now_ns + lasts_ns(key->protocol);
	return &flows->list[i];
}

const struct flow *flows_add(
	struct flows *flows, const struct flow_key *inside, const struct flow_key *outside, int64_t now_ns)
{
	if (!make_room(flows, now_ns))
		return NULL;
	flows->list[flows->count] = (struct flow){
		.inside = *inside, .outside = *outside, .expires_ns = now_ns + lasts_ns(inside->protocol)};
	chain(flows, flows->count);
	return &flows->list[flows->count++];
}

bool flow_key_of(const struct ip_header *ip, const struct transport *transport, struct flow_key *key)
{
	bool icmp = ip->protocol == PROTOCOL_ICMP || ip->protocol == PROTOCOL_ICMPV6;
	bool reply = transport->icmp_kind == ICMP_ECHO_REPLY;
	if (ip->fragment_offset != 0 || (icmp && !reply && transport->icmp_kind != ICMP_ECHO_REQUEST))
		return false;
	*key = (struct flow_key){
		.local = ip->source,
		.remote = ip->destination,
		.local_port = icmp ? (reply ? 0 : transport->icmp_id) : transport->source_port,
		.remote_port = icmp ? (reply ? transport->icmp_id : 0) : transport->destination_port,
		.protocol = ip->protocol,
	};
	return true;
}

struct flow_key flow_key_reverse(const struct flow_key *key)
{
	return (struct flow_key){
		.local = key->remote,
		.remote = key->local,
		.local_port = key->remote_port,
		.remote_port = key->local_port,
		.protocol = key->protocol,
	};
}
