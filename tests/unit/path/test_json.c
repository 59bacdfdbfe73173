#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "path/json.h"

static struct addr address(const char *text)
{
	struct addr addr = ADDR_NONE;
	assert_true(addr_parse(text, &addr));
	return addr;
}

static void fill_probe(struct probe_result *probe)
{
	probe->sent_ns = 123456789;
	probe->rtt_ns = 20000001;
	probe->address = address("203.0.113.9");
	probe->icmp_type = 3;
	probe->icmp_code = 13;
	strcpy(probe->mark, "!X");
	probe->reply.ttl = 250;
	probe->quoted.ttl = 1;
	probe->mpls_count = 1;
	probe->mpls[0] =
		(struct mpls_entry){.label = 1048575, .traffic_class = 7, .bottom = true, .ttl = 255};
	probe->has_interface = true;
	probe->interface = (struct interface_info){.role = 2, .index = 5, .mtu = 1500, .name = "xe-1/0"};
	probe->interface.address = address("203.0.113.10");
}

static void fill(struct measurement *m)
{
	measurement_init(m);
	m->command = "back";
	m->started_wall_ns = 1795312243123456000;
	m->source = address("2001:db8::1");
	m->source_name = strdup("client");
	m->target_name = strdup("caf\xc3\xa9.example");
	m->reverse = path_new(DIRECTION_REVERSE, "responder");
	m->reverse->protocol = PROBE_TCP;
	m->reverse->flow = (struct flow){.source_port = 1, .destination_port = 443};
	m->reverse->tos = 0x2e;
	m->reverse->reached = true;
	m->reverse->stop_reason = STOP_REACHED;
	struct hop *hop = path_add_hop(m->reverse, -1, TECHNIQUE_RECORD_ROUTE);
	hop->certainty = CERTAINTY_INFERRED;
	hop->age_s = 12.5;
	hop->asn = 4200000000;
	hop->name = strdup("a\xff\x1b\"b");
	strcpy(hop->country, "DE");
	fill_probe(hop_add_probe(hop));
	hop_add_probe(hop);
	assert_int_equal(path_summarise(m->reverse), 0);
	struct edge *edge = path_add_edge(m->reverse);
	edge->to = address("203.0.113.9");
	edge->flows = 6;
	measurement_add_attempt(m, "responder", ATTEMPT_OK, NULL)->duration_ns = 1500000;
	struct finding *finding = measurement_add_finding(
		m, "refused", SEVERITY_PROBLEM, CONFIDENCE_CERTAIN, DIRECTION_REVERSE, "no");
	finding_add_hop(finding, 1);
	finding_add_evidence(finding, "seen %d", 1);
	finding->advice = strdup("ask");
	m->alignment = calloc(1, sizeof(*m->alignment));
	m->alignment->shared = calloc(1, sizeof(struct shared_hop));
	m->alignment->shared[0] = (struct shared_hop){2, 3, SHARED_BY_SUBNET};
	m->alignment->shared_count = 1;
	m->alignment->diverges = true;
	m->alignment->divergence_forward_ttl = 4;
	m->alignment->divergence_reverse_ttl = -1;
	m->alignment->as_path_forward = calloc(1, sizeof(uint32_t));
	m->alignment->as_path_forward[0] = 64500;
	m->alignment->as_path_forward_count = 1;
	m->alignment->router_symmetric = TERNARY_FALSE;
	m->alignment->as_symmetric = TERNARY_UNKNOWN;
}

static void test_written_as_the_contract_says(void **state)
{
	(void)state;
	struct measurement m;
	fill(&m);
	json_t *document = measurement_to_json(&m);
	assert_non_null(document);
	assert_string_equal(json_string_value(json_object_get(document, "schema")), "retour/1");
	assert_string_equal(
		json_string_value(json_object_get(document, "started_at")), "2026-11-22T01:50:43.123456Z");
	assert_true(json_is_null(json_object_get(document, "finished_at")));
	assert_true(json_is_null(json_object_get(document, "forward")));
	json_t *path = json_object_get(document, "reverse");
	assert_string_equal(json_string_value(json_object_get(path, "stop_reason")), "reached");
	assert_true(json_is_null(json_object_get(json_object_get(path, "flow"), "icmp_id")));
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(path, "flow"), "destination_port")), 443);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(path, "flow"), "tos")), 0x2e);
	json_t *hop = json_array_get(json_object_get(path, "hops"), 0);
	assert_true(json_is_null(json_object_get(hop, "ttl")));
	assert_true(json_is_null(json_object_get(hop, "ixp")));
	assert_string_equal(json_string_value(json_object_get(hop, "technique")), "record-route");
	/* The wrong byte is escaped, the rest is what it was. */
	assert_string_equal(json_string_value(json_object_get(hop, "name")), "a\\xff\x1b\"b");
	assert_string_equal(json_string_value(json_object_get(json_object_get(document, "target"), "name")),
		"caf\xc3\xa9.example");
	json_t *silent = json_array_get(json_object_get(hop, "probes"), 1);
	assert_true(json_is_null(json_object_get(silent, "rtt_ms")));
	assert_true(json_is_null(json_object_get(silent, "address")));
	assert_true(json_is_null(json_object_get(silent, "icmp")));
	json_t *symmetric = json_object_get(json_object_get(document, "alignment"), "symmetric");
	assert_true(json_is_false(json_object_get(symmetric, "router")));
	assert_true(json_is_null(json_object_get(symmetric, "as")));
	json_decref(document);
	measurement_deinit(&m);
}

static void test_round_trip(void **state)
{
	(void)state;
	struct measurement m, copy;
	struct error error;
	fill(&m);
	char *text = measurement_to_text(&m);
	assert_non_null(text);
	for (const char *p = text; *p; p++)
		assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
	assert_int_equal(measurement_from_text(text, strlen(text), &copy, &error), 0);
	const struct probe_result *probe = &copy.reverse->hops[0].probes[0];
	assert_int_equal(probe->sent_ns, 123456789);
	assert_int_equal(probe->rtt_ns, 20000001);
	assert_int_equal(probe->icmp_code, 13);
	assert_string_equal(probe->interface.name, "xe-1/0");
	assert_int_equal(copy.reverse->hops[0].probes[1].rtt_ns, RTT_NONE);
	assert_int_equal(copy.reverse->hops[0].ttl, -1);
	assert_int_equal(copy.reverse->hops[0].asn, 4200000000);
	assert_int_equal(copy.started_wall_ns, m.started_wall_ns);
	assert_int_equal(copy.alignment->divergence_reverse_ttl, -1);
	assert_int_equal(copy.alignment->as_symmetric, TERNARY_UNKNOWN);
	assert_string_equal(copy.findings[0].id, "refused");
	/* Escaped bytes stay as they are, so the second text is the first. */
	char *again = measurement_to_text(&copy);
	char *name = strstr(text, "a\\\\xff");
	assert_non_null(name);
	assert_string_equal(again, text);
	free(text);
	free(again);
	measurement_deinit(&m);
	measurement_deinit(&copy);
}

static int read_text(const char *text, struct error *error)
{
	struct measurement m;
	int status = measurement_from_text(text, strlen(text), &m, error);
	if (status == 0)
		measurement_deinit(&m);
	return status;
}

static void test_strict_and_tolerant(void **state)
{
	(void)state;
	struct error error;
	assert_int_equal(
		read_text("{\"schema\":\"retour/1\",\"new\":{\"x\":[1]},\"forward\":null}", &error), 0);
	static const char *const bad[] = {
		"",
		"[]",
		"{",
		"null",
		"{}",
		"{\"schema\":\"retour/2\"}",
		"{\"schema\":\"retour/1\",\"schema\":\"retour/1\"}",
		"{\"schema\":\"retour/1\",\"command\":\"dance\"}",
		"{\"schema\":\"retour/1\",\"started_at\":12}",
		"{\"schema\":\"retour/1\",\"started_at\":\"2026-11-22 01:50\"}",
		"{\"schema\":\"retour/1\",\"source\":{\"address\":\"1.2.3\"}}",
		"{\"schema\":\"retour/1\",\"source\":[]}",
		"{\"schema\":\"retour/1\",\"source\":{\"name\":\"a\\u0000b\"}}",
		"{\"schema\":\"retour/1\",\"forward\":{\"hops\":[{\"ttl\":-1}]}}",
		"{\"schema\":\"retour/1\",\"forward\":{\"hops\":[{\"ttl\":1.5}]}}",
		"{\"schema\":\"retour/1\",\"forward\":{\"hops\":[7]}}",
		"{\"schema\":\"retour/1\",\"forward\":{\"hops\":{}}}",
		"{\"schema\":\"retour/1\",\"forward\":{\"hops\":[{\"rtt_ms\":{\"min\":\"1\"}}]}}",
		"{\"schema\":\"retour/1\",\"forward\":{\"hops\":[{\"probes\":[{\"rtt_ms\":-1}]}]}}",
		"{\"schema\":\"retour/"
		"1\",\"forward\":{\"hops\":[{\"probes\":[{\"mark\":\"0123456789012\"}]}]}}",
		"{\"schema\":\"retour/"
		"1\",\"forward\":{\"hops\":[{\"probes\":[{\"mpls\":[{},{},{},{},{},{},{},{},{}]}]}]}}",
		"{\"schema\":\"retour/1\",\"forward\":{\"hops\":[{\"country\":\"DEU\"}]}}",
		"{\"schema\":\"retour/1\",\"findings\":[{\"id\":\"loop\"}]}",
		"{\"schema\":\"retour/1\",\"alignment\":{\"symmetric\":{\"as\":\"yes\"}}}",
		"{\"schema\":\"retour/1\",\"alignment\":{\"shared\":[{\"by\":\"luck\"}]}}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		error.text[0] = '\0';
		if (read_text(bad[i], &error) != -22)
			fail_msg("accepted: %s", bad[i]);
		assert_true(strlen(error.text) > 0);
	}
	/* The message names the place. */
	read_text("{\"schema\":\"retour/1\",\"forward\":{\"hops\":[{},{\"ttl\":\"2\"}]}}", &error);
	assert_non_null(strstr(error.text, "forward.hops[1].ttl"));
}

static void test_every_truncation(void **state)
{
	(void)state;
	struct measurement m;
	struct error error;
	fill(&m);
	char *text = measurement_to_text(&m);
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i += 1) {
		struct measurement copy;
		char *part = malloc(i + 1);
		memcpy(part, text, i);
		assert_int_equal(measurement_from_text(part, i, &copy, &error), -22);
		free(part);
	}
	free(text);
	measurement_deinit(&m);
}

static void test_too_many_hops(void **state)
{
	(void)state;
	struct error error;
	json_t *hops = json_array(), *document;
	for (int i = 0; i < 1025; i++)
		json_array_append_new(hops, json_object());
	document = json_pack("{s:s,s:{s:o}}", "schema", "retour/1", "forward", "hops", hops);
	struct measurement m;
	assert_int_equal(measurement_from_json(document, &m, &error), -22);
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_as_the_contract_says),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_strict_and_tolerant),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_too_many_hops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
