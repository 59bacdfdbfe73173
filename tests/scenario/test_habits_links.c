/* Links that take only small packets, that fill up by the time of day, that fail in one direction; bits that
 * are wiped; tunnels that plain routing does not know. */
#include "scene.h"

#include "sim/truth.h"

/* a - r1 - r2 - r3 - b; the link between r2 and r3 as told, r2's behaviour as told */
static struct scene narrow(const char *behaviour, const char *link)
{
	char text[2000];
	snprintf(text, sizeof(text),
		WORLD_HEAD "routers:\n"
			   "  - {name: r1, as: 64496}\n"
			   "  - {name: r2, as: 64496, behaviour: {%s}}\n"
			   "  - {name: r3, as: 64496}\n"
			   "links: [{from: a, to: r1}, {from: r1, to: r2}, {from: r3, to: b},"
			   " {from: r2, to: r3%s}]\n",
		behaviour, link);
	return scene_of(scene_world(text));
}

/* An echo request as long as asked for, headers and all. */
static void add_sized(struct scene *s, uint8_t family, unsigned length, bool dont_fragment)
{
	static const uint8_t zeros[300];
	struct packet_spec spec =
		echo_spec(s->from[family], s->to[family], 0, (uint16_t)(1000 * family + length));
	spec.ip.dont_fragment = dont_fragment;
	spec.transport.payload = zeros;
	spec.transport.payload_length = length - (family == 4 ? 28 : 48);
	assert_int_equal(prober_add(s->prober, 0, &spec)->length, length);
}

/* RFC 1191 4 and RFC 8201 4: what does not fit is said, with the size that does. */
static void test_mtu(void **state)
{
	struct scene s = narrow("silent: false", ", mtu: 200");
	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2) {
		add_sized(&s, family, 200, true);
		add_sized(&s, family, 201, true);
	}
	prober_run(s.sim, s.a, s.prober);
	for (unsigned i = 0; i < 4; i += 2) {
		uint8_t family = i == 0 ? 4 : 6;
		assert_addr(answer_to(&s, i)->ip.source, s.to[family]);
		assert_addr(answer_to(&s, i + 1)->ip.source, interface_address(s.world, "r2", "r1", family));
		assert_int_equal(answer_to(&s, i + 1)->transport.icmp_kind, ICMP_PACKET_TOO_BIG);
		assert_int_equal(answer_to(&s, i + 1)->transport.icmp_mtu, 200);
	}
	assert_int_equal(answer_to(&s, 1)->transport.icmp_code, 4);
	assert_int_equal(sim_counts(s.sim).too_big, 2);
	scene_end(&s);
}

/* Old routers do not say the size (RFC 792: unused), filtered ones nothing. What may be cut is cut. */
static void test_mtu_unsaid(void **state)
{
	struct scene s = narrow("too_big: zero", ", mtu: 200");
	(void)state;
	add_sized(&s, 4, 250, true);
	add_sized(&s, 4, 251, false);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(answer_to(&s, 0)->transport.icmp_mtu, 0);
	assert_int_equal(s.prober->probes[1].answers, 1);
	assert_int_equal(sim_counts(s.sim).too_big, 1);
	scene_end(&s);

	s = narrow("too_big: silent", ", mtu: 200");
	add_sized(&s, 4, 250, true);
	add_sized(&s, 6, 251, true);
	add_sized(&s, 4, 199, true);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(s.prober->probes[0].answers, 0);
	assert_int_equal(s.prober->probes[1].answers, 0);
	assert_int_equal(s.prober->probes[2].answers, 1);
	scene_end(&s);
}

static int64_t rtt(const struct scene *s, unsigned index)
{
	assert_int_equal(s->prober->probes[index].answers, 1);
	return s->prober->probes[index].answered_ns - s->prober->probes[index].sent_ns;
}

/* A "day" of 12 minutes with its worst moment after 6: nothing at first, 40 ms at the peak, and a third of
 * the way up the hill 40 * (1 - (2/3)^2)^2 = 12.35. Only there, not on the way back. */
static void test_queue(void **state)
{
	struct scene s =
		narrow("silent: false", ", queue: {peak_ms: 40, hour: 0.1, width_h: 0.1, period_h: 0.2}");
	const int64_t times_s[] = {0, 360, 240, 720 + 360};
	(void)state;
	for (uint16_t i = 0; i < 4; i++) {
		struct packet_spec spec = echo_spec(s.from[4], s.to[4], 0, i);
		unsigned order[] = {0, 2, 1, 3};
		(void)prober_add(s.prober, times_s[order[i]] * NS_PER_S, &spec);
	}
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(rtt(&s, 0), 8 * NS_PER_MS);
	assert_in_range(rtt(&s, 1), 20 * NS_PER_MS, 21 * NS_PER_MS);
	assert_in_range(rtt(&s, 2), 47999 * 1000, 48 * NS_PER_MS);
	assert_in_range(rtt(&s, 3), 47999 * 1000, 48 * NS_PER_MS);
	scene_end(&s);
}

/* Noise makes waits differ; packets stay in order, and the same seed gives the same noise. */
static void test_queue_noise(void **state)
{
	int64_t first[50];
	(void)state;
	for (unsigned run = 0; run < 2; run++) {
		struct scene s = narrow(
			"silent: false", ", queue_back: {peak_ms: 5, hour: 0, width_h: 24, noise_ms: 20}");
		for (uint16_t i = 0; i < 50; i++) {
			struct packet_spec spec = echo_spec(s.from[4], s.to[4], 0, i);
			(void)prober_add(s.prober, i * NS_PER_MS, &spec);
		}
		prober_run(s.sim, s.a, s.prober);
		for (unsigned i = 0; i < 50; i++) {
			assert_in_range(rtt(&s, i), 12 * NS_PER_MS, 33 * NS_PER_MS);
			if (i > 0)
				assert_true(s.prober->probes[i].answered_ns >=
					s.prober->probes[i - 1].answered_ns);
			if (run == 0)
				first[i] = rtt(&s, i);
			assert_int_equal(rtt(&s, i), first[i]);
		}
		assert_true(rtt(&s, 49) != rtt(&s, 0) || rtt(&s, 30) != rtt(&s, 0));
		scene_end(&s);
	}
}

/* At the worst hour the queue overflows: half of 200 are lost, six standard deviations are 42. */
static void test_queue_loss(void **state)
{
	struct scene s = narrow(
		"silent: false", ", queue: {peak_ms: 1, hour: 0.1, width_h: 0.1, period_h: 0.2, loss: 0.5}");
	unsigned calm = 0, busy = 0;
	(void)state;
	for (uint16_t i = 0; i < 250; i++) {
		struct packet_spec spec = echo_spec(s.from[4], s.to[4], 0, i);
		(void)prober_add(s.prober, i < 50 ? 0 : 360 * NS_PER_S, &spec);
	}
	prober_run(s.sim, s.a, s.prober);
	for (unsigned i = 0; i < 250; i++)
		*(i < 50 ? &calm : &busy) += (unsigned)s.prober->probes[i].answers;
	assert_int_equal(calm, 50);
	assert_in_range(busy, 58, 142);
	scene_end(&s);
}

/* A fault of one direction: packets arrive, or do not even that. */
static void test_one_way_fault(void **state)
{
	(void)state;
	for (unsigned there = 0; there < 2; there++) {
		struct scene s = scene_of(chain("silent: false",
			there ? "faults: [{link: [r1, r2], one_way: true, down: true}]\n"
			      : "faults: [{link: [r2, r1], one_way: true, down: true}]\n"));
		struct packet_spec spec = echo_spec(s.from[4], s.to[4], 0, 1);
		struct watcher watcher;
		watch(s.sim, s.b, &watcher);
		(void)prober_add(s.prober, 0, &spec);
		prober_run(s.sim, s.a, s.prober);
		assert_int_equal(s.prober->probes[0].answers, 0);
		assert_int_equal(watcher.seen, there ? 0 : 1);
		scene_end(&s);
	}
}

/* What r3 quotes of a packet that had EF and ECT(1); r2, who wipes, quotes it as it came. */
static void check_bleach(const char *behaviour, uint8_t expected)
{
	struct scene s = scene_of(chain(behaviour, ""));
	for (unsigned i = 0; i < 4; i++) {
		uint8_t family = i < 2 ? 4 : 6;
		struct packet_spec spec = echo_spec(s.from[family], s.to[family], 0, (uint16_t)(100 + i));
		static const uint8_t zeros[8];
		spec.ip.ttl = (uint8_t)(2 + i % 2);
		spec.ip.tos = 46 << 2 | 1;
		spec.transport.payload = zeros;
		spec.transport.payload_length = i; /* tells the quotes apart */
		(void)prober_add(s.prober, 0, &spec);
	}
	prober_run(s.sim, s.a, s.prober);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(answer_to(&s, i)->quoted_ip.tos, i % 2 ? expected : 46 << 2 | 1);
		assert_true(answer_to(&s, i)->checksum_ok);
	}
	scene_end(&s);
}

static void test_bleach(void **state)
{
	(void)state;
	check_bleach("bleach: none", 46 << 2 | 1);
	check_bleach("bleach: ecn", 46 << 2);
	check_bleach("bleach: dscp", 1);
	check_bleach("bleach: all", 0);
}

/* a - r1 - r2 - b, and a longer way r1 - x - y - r2; packets from r1 to b's prefix are carried to y, past x.
 */
static const char detour_world[] =
	"ases:\n"
	"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8:1::/48\"}\n"
	"hosts: [{name: a, as: 64496}, {name: b, as: 64496, address: 192.0.2.193}]\n"
	"routers: [{name: r1, as: 64496}, {name: r2, as: 64496}, {name: x, as: 64496}, {name: y, as: "
	"64496}]\n"
	"links: [{from: a, to: r1}, {from: r1, to: r2, mtu: %s}, {from: r1, to: x, mtu: %s}, {from: x, to: "
	"y},\n"
	"  {from: y, to: r2, cost: 25}, {from: r2, to: b}]\n"
	"detours: [{at: r1, to: y, prefix: 192.0.2.192/26%s}]\n";

static struct scene detour(const char *mtu, const char *from)
{
	char text[2000];
	snprintf(text, sizeof(text), detour_world, mtu, mtu, from);
	return scene_of(scene_world(text));
}

static void assert_names(struct scene *s, const char *const *names, unsigned count)
{
	struct truth truth;
	assert_int_equal(sim_truths(s->sim, s->a, s->to[4], &truth, 1), 1);
	assert_int_equal(truth.end, TRUTH_REACHED);
	assert_int_equal(truth.hop_count, count);
	for (unsigned i = 0; i < count; i++)
		assert_string_equal(s->world->nodes[truth.hops[i].node].name, names[i]);
}

static void test_detour(void **state)
{
	struct scene s = detour("1500", "");
	(void)state;
	for (uint8_t ttl = 1; ttl <= 4; ttl++)
		(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], ttl, 1000, ttl);
	prober_run(s.sim, s.a, s.prober);
	assert_addr(answer_to(&s, 0)->ip.source, interface_address(s.world, "r1", "a", 4));
	assert_addr(answer_to(&s, 1)->ip.source, interface_address(s.world, "y", "x", 4));
	assert_addr(answer_to(&s, 2)->ip.source, interface_address(s.world, "r2", "y", 4));
	assert_addr(answer_to(&s, 3)->ip.source, s.to[4]);
	/* there by way of x and y, back straight */
	assert_int_equal(s.prober->probes[3].answered_ns - s.prober->probes[3].sent_ns, 8 * NS_PER_MS);
	assert_names(&s, (const char *const[]){"r1", "x", "y", "r2", "b"}, 5);
	scene_end(&s);
}

/* By the source: others go straight, to the same target. */
static void test_source_detour(void **state)
{
	struct scene s = detour("1500", ", from: 203.0.113.0/24");
	(void)state;
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 2, 1000, 1);
	prober_run(s.sim, s.a, s.prober);
	assert_addr(answer_to(&s, 0)->ip.source, interface_address(s.world, "r2", "r1", 4));
	assert_names(&s, (const char *const[]){"r1", "r2", "b"}, 3);
	scene_end(&s);
}

/* The wrapping takes 24 bytes of each packet: what just fits otherwise vanishes. */
static void test_detour_narrows(void **state)
{
	struct scene s = detour("224", "");
	(void)state;
	add_sized(&s, 4, 200, true);
	add_sized(&s, 4, 201, true);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(s.prober->probes[0].answers, 1);
	assert_int_equal(s.prober->probes[1].answers, 0);
	assert_int_equal(sim_counts(s.sim).too_big, 1);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_mtu_unsaid),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_queue_noise),
		cmocka_unit_test(test_queue_loss),
		cmocka_unit_test(test_one_way_fault),
		cmocka_unit_test(test_bleach),
		cmocka_unit_test(test_detour),
		cmocka_unit_test(test_source_detour),
		cmocka_unit_test(test_detour_narrows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
