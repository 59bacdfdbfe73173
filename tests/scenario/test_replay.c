/* The same world, seed and machines: the same packets at the same times, recorded byte for byte; and links
 * broken by hand. */
#include "prober.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/pcap.h"

/* a - r1 = (r2 | r3) = r4 - b, each packet on its own, a third of them lost on one link */
static const char text[] =
	"ases:\n"
	"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8:1::/48\"}\n"
	"hosts:\n"
	"  - {name: a, as: 64496}\n"
	"  - {name: b, as: 64496}\n"
	"routers:\n"
	"  - {name: r1, as: 64496, behaviour: {balance: packet}}\n"
	"  - {name: r2, as: 64496}\n"
	"  - {name: r3, as: 64496}\n"
	"  - {name: r4, as: 64496, behaviour: {balance: flow}}\n"
	"links:\n"
	"  - {from: a, to: r1}\n"
	"  - {from: r1, to: r2}\n"
	"  - {from: r1, to: r3, delay_ms: 2}\n"
	"  - {from: r2, to: r4, loss: 0.33}\n"
	"  - {from: r3, to: r4}\n"
	"  - {from: r4, to: b}\n";

#define FILE_SIZE 200000
#define PROBES	  100

struct scene {
	struct world *world;
	struct sim *sim;
	struct pcap pcap;
	struct prober prober;
	uint8_t file[FILE_SIZE];
	size_t length;
	struct addr from, to;
};

static void sink(void *context, const uint8_t *head, size_t head_length, const uint8_t *packet, size_t length)
{
	struct scene *scene = context;
	assert_true(scene->length + head_length + length <= FILE_SIZE);
	memcpy(scene->file + scene->length, head, head_length);
	if (length > 0)
		memcpy(scene->file + scene->length + head_length, packet, length);
	scene->length += head_length + length;
}

static void tap(void *context, uint32_t interface, bool arrives, const uint8_t *bytes, size_t length)
{
	struct scene *scene = context;
	pcap_packet(&scene->pcap, sim_now(scene->sim), interface, arrives, bytes, length);
}

static struct scene *scene_new(uint64_t seed, const char *place)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct error error = {0};
	assert_non_null(scene);
	if (world_parse("test", text, &scene->world, &error) < 0)
		fail_msg("%s", error.text);
	scene->sim = sim_new(scene->world, seed);
	scene->from = world_node_address(scene->world, world_find_node(scene->world, "a"), 4);
	scene->to = world_node_address(scene->world, world_find_node(scene->world, "b"), 4);
	assert_int_equal(pcap_place(&scene->pcap, scene->world, place, &error), 0);
	scene->pcap.sink = sink;
	scene->pcap.context = scene;
	sim_set_tap(scene->sim, tap, scene);
	return scene;
}

static void scene_free(struct scene *scene)
{
	sim_free(scene->sim);
	world_free(scene->world);
	free(scene);
}

static unsigned answered(const struct prober *prober)
{
	unsigned count = 0;
	for (unsigned i = 0; i < prober->count; i++)
		count += prober->probes[i].answers > 0;
	return count;
}

static void echo_many(struct scene *scene)
{
	struct packet_spec spec;
	for (unsigned i = 0; i < PROBES; i++) {
		spec = echo_spec(scene->from, scene->to, 0, (uint16_t)i);
		prober_add(&scene->prober, i * NS_PER_MS, &spec);
	}
	prober_run(scene->sim, world_find_node(scene->world, "a"), &scene->prober);
}

static void replays(void **state UNUSED)
{
	struct scene *first = scene_new(7, "r4"), *again = scene_new(7, "r4"), *other = scene_new(8, "r4");
	echo_many(first);
	echo_many(again);
	echo_many(other);
	assert_in_range(
		answered(&first->prober), 50, PROBES - 1); /* a half meets the loss, so some are lost */
	assert_int_equal(first->length, again->length);
	assert_memory_equal(first->file, again->file, first->length);
	assert_true(first->length != other->length || memcmp(first->file, other->file, first->length) != 0);
	scene_free(first);
	scene_free(again);
	scene_free(other);
}

static void set_link(struct scene *scene, const char *a, const char *b, enum link_state state)
{
	uint32_t interface = world_interface_to(
		scene->world, world_find_node(scene->world, a), world_find_node(scene->world, b));
	assert_int_not_equal(interface, WORLD_NONE);
	sim_set_link(scene->sim, interface / 2, state);
}

static void one_echo(struct scene *scene, uint16_t seq, bool arrives)
{
	struct packet_spec spec = echo_spec(scene->from, scene->to, 0, seq);
	memset(&scene->prober, 0, sizeof(scene->prober));
	prober_add(&scene->prober, sim_now(scene->sim), &spec);
	prober_run(scene->sim, world_find_node(scene->world, "a"), &scene->prober);
	assert_int_equal(answered(&scene->prober), arrives);
}

static void broken_by_hand(void **state UNUSED)
{
	struct scene *scene = scene_new(1, "r1-r2");
	set_link(scene, "r1", "r2", LINK_AVOIDED);
	for (uint16_t i = 0; i < 10; i++)
		one_echo(scene, i, true);
	assert_int_equal(scene->length, 0); /* nobody sent that way */
	set_link(scene, "b", "r4", LINK_DOWN);
	one_echo(scene, 20, false);
	set_link(scene, "b", "r4", LINK_UP);
	one_echo(scene, 21, true);
	set_link(scene, "r1", "r2", LINK_UP);
	for (uint16_t i = 0; i < 10 && scene->length == 0; i++) {
		struct packet_spec spec = echo_spec(scene->from, scene->to, 0, i);
		memset(&scene->prober, 0, sizeof(scene->prober));
		prober_add(&scene->prober, sim_now(scene->sim), &spec);
		prober_run(scene->sim, world_find_node(scene->world, "a"), &scene->prober);
	}
	assert_true(scene->length > 0); /* routers use it again */
	scene_free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replays),
		cmocka_unit_test(broken_by_hand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
