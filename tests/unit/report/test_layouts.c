/* The layouts of other programs, written by hand: traceroute(8)'s annotations, Microsoft's documentation of
 * tracert and pathping, and mtr 0.95's columns as it prints them. What a run of the models can show is
 * compared with them in tests/interop/persona.sh; here is what cannot be made to happen there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "report/layout_mtr.h"
#include "report/layout_traceroute.h"
#include "report/layout_windows.h"

static char *text;
static size_t size;
static FILE *out;

static void begin(void)
{
	free(text);
	text = NULL;
	out = open_memstream(&text, &size);
	assert_non_null(out);
}

static void expect(const char *wanted)
{
	fclose(out);
	assert_string_equal(text, wanted);
}

static struct addr address(const char *literal)
{
	struct addr addr;
	assert_true(addr_parse(literal, &addr));
	return addr;
}

static struct probe_result answer(const char *from, double ms)
{
	struct probe_result probe = probe_result_none();
	probe.address = address(from);
	probe.rtt_ns = (int64_t)(ms * 1e6);
	return probe;
}

/* ---- traceroute ---- */

static void print_hop(const struct traceroute_style *style, unsigned ttl, const struct probe_result *probes,
	unsigned count, const struct traceroute_label *label)
{
	const struct probe_result *hop[10];
	for (unsigned i = 0; i < count; i++) {
		hop[i] = &probes[i];
		layout_traceroute_probe(out, style, ttl, hop, i, label);
	}
}

static void test_traceroute_lines(void **state)
{
	(void)state;
	struct traceroute_style style = {.numeric = true};
	struct traceroute_label none = {0}, named = {.name = "gw.example\x1b[2J", .asn = 64496};
	struct probe_result several[] = {answer("192.0.2.1", 1.5), probe_result_none(),
		answer("192.0.2.1", 1.25), answer("192.0.2.2", 10.0625)};
	struct probe_result refusal[] = {answer("192.0.2.9", 3)};
	strcpy(refusal[0].mark, "!H");
	struct probe_result silent[] = {probe_result_none(), probe_result_none(), answer("192.0.2.7", 4)};
	begin();
	layout_traceroute_header(out, "example.net", address("192.0.2.80"), 30, 60);
	print_hop(&style, 9, several, 4, &none);
	print_hop(&style, 10, silent, 3, &none);
	print_hop(&style, 100, refusal, 1, &none);
	style.numeric = false;
	print_hop(&style, 1, refusal, 1, &none);
	style.origins = true;
	print_hop(&style, 2, refusal, 1, &named);
	print_hop(&style, 3, refusal, 1, &none);
	layout_traceroute_end(out);
	expect("traceroute to example.net (192.0.2.80), 30 hops max, 60 byte packets\n"
	       " 9  192.0.2.1  1.500 ms *  1.250 ms 192.0.2.2  10.062 ms\n"
	       "10  * * 192.0.2.7  4.000 ms\n"
	       "100  192.0.2.9  3.000 ms !H\n"
	       " 1  192.0.2.9 (192.0.2.9)  3.000 ms !H\n"
	       " 2  gw.example\\x1b[2J (192.0.2.9) [AS64496]  3.000 ms !H\n"
	       " 3  192.0.2.9 (192.0.2.9) [*]  3.000 ms !H\n");
}

/* An address is told again where what stands behind it differs. */
static void test_traceroute_annotations(void **state)
{
	(void)state;
	struct traceroute_style style = {.numeric = true, .extensions = true, .backwards = true};
	struct traceroute_label none = {0};
	struct probe_result labels[] = {
		answer("192.0.2.1", 1), answer("192.0.2.1", 1), answer("192.0.2.1", 1)};
	labels[0].mpls_count = labels[1].mpls_count = 2;
	for (int i = 0; i < 2; i++) {
		labels[i].mpls[0] = (struct mpls_entry){.label = 24005, .ttl = 1};
		labels[i].mpls[1] =
			(struct mpls_entry){.label = 16, .traffic_class = 5, .bottom = true, .ttl = 254};
	}
	struct probe_result ways[] = {answer("192.0.2.2", 1), answer("192.0.2.2", 1), answer("192.0.2.2", 1)};
	ways[0].reply.ttl = 62;	 /* 3 from 64 */
	ways[1].reply.ttl = 253; /* 3 from 255 */
	ways[2].reply.ttl = 120; /* 9 from 128 */
	begin();
	print_hop(&style, 4, labels, 3, &none);
	print_hop(&style, 3, ways, 3, &none);
	layout_traceroute_end(out);
	expect("\n 4  192.0.2.1 <MPLS:L=24005,E=0,S=0,T=1/L=16,E=5,S=1,T=254>  1.000 ms  1.000 ms 192.0.2.1  "
	       "1.000 ms"
	       "\n 3  192.0.2.2  1.000 ms 192.0.2.2  1.000 ms 192.0.2.2 '-9'  1.000 ms\n");
}

static void test_traceroute_flags(void **state)
{
	(void)state;
	struct traceroute_style style = {.numeric = true, .tcp_flags = true};
	struct traceroute_label none = {0};
	struct probe_result open = answer("192.0.2.1", 1);
	open.tcp_flags = TCP_SYN | TCP_ACK;
	begin();
	print_hop(&style, 4, &open, 1, &none);
	expect("\n 4  192.0.2.1 <syn,ack>  1.000 ms");
}

/* ---- Windows ---- */

static void test_tracert(void **state)
{
	(void)state;
	struct probe_result fast = answer("10.0.0.1", 0.4), slow = answer("157.54.48.1", 75.9),
			    none = probe_result_none(), refused = answer("10.0.0.1", 1);
	refused.icmp_type = ICMP4_UNREACHABLE;
	refused.icmp_code = 1;
	begin();
	layout_tracert_heading(out, address("157.54.48.11"), "corp7.example.com", 30);
	for (unsigned i = 0; i < 3; i++)
		layout_tracert_probe(out, 1, i == 1 ? &slow : &fast, i);
	layout_tracert_host(out, address("10.0.0.1"), NULL);
	for (unsigned i = 0; i < 3; i++)
		layout_tracert_probe(out, 2, &none, i);
	layout_tracert_host(out, ADDR_NONE, NULL);
	layout_tracert_probe(out, 3, &slow, 0);
	layout_tracert_refusal(out, 3, &refused, 1, "gw.example.com");
	layout_tracert_end(out);
	expect("\nTracing route to corp7.example.com [157.54.48.11]\n"
	       "over a maximum of 30 hops:\n"
	       "\n"
	       "  1    <1 ms    75 ms    <1 ms  10.0.0.1\n"
	       "  2     *        *        *     Request timed out.\n"
	       "  3    75 ms  gw.example.com [10.0.0.1]  reports: Destination host unreachable.\n"
	       "\n"
	       "Trace complete.\n");
	begin();
	layout_tracert_heading(out, address("157.54.48.11"), NULL, 9);
	expect("\nTracing route to 157.54.48.11 over a maximum of 9 hops\n\n");
}

static void test_windows_refusals(void **state)
{
	(void)state;
	struct probe_result probe = answer("10.0.0.1", 1), six = answer("2001:db8::1", 1);
	assert_null(windows_refusal(&probe));
	probe.icmp_type = ICMP4_UNREACHABLE;
	probe.icmp_code = 0;
	assert_string_equal(windows_refusal(&probe), "Destination net unreachable.");
	probe.icmp_code = 3;
	assert_string_equal(windows_refusal(&probe), "Destination port unreachable.");
	six.icmp_type = ICMP6_UNREACHABLE;
	six.icmp_code = 3;
	assert_string_equal(windows_refusal(&six), "Destination host unreachable.");
	six.icmp_type = ICMP6_TIME_EXCEEDED;
	assert_null(windows_refusal(&six));
}

/* The example of Microsoft's documentation of pathping. */
static void test_pathping(void **state)
{
	(void)state;
	struct pathping_row rows[] = {
		{.address = address("172.16.87.35"), .rtt_ns = RTT_NONE},
		{.address = address("172.16.87.218"), .rtt_ns = 41 * NS_PER_MS, .sent = 100, .lost = 0},
		{.address = address("192.168.52.1"), .rtt_ns = 22 * NS_PER_MS, .sent = 100, .lost = 16},
		{.address = address("192.168.80.1"), .rtt_ns = 24 * NS_PER_MS, .sent = 100, .lost = 13},
		{.address = address("10.54.247.14"), .rtt_ns = 21 * NS_PER_MS, .sent = 100, .lost = 14},
		{.address = address("10.54.1.196"), .rtt_ns = 24 * NS_PER_MS, .sent = 100, .lost = 13},
	};
	begin();
	layout_pathping_heading(out, address("10.54.1.196"), "corp1", 30);
	for (unsigned i = 0; i < 6; i++)
		layout_pathping_hop(out, i, rows[i].address, rows[i].name);
	layout_pathping_waiting(out, 125);
	layout_pathping_table(out, rows, 6);
	layout_tracert_end(out);
	expect("\nTracing route to corp1 [10.54.1.196]\n"
	       "over a maximum of 30 hops:\n"
	       "  0  172.16.87.35\n"
	       "  1  172.16.87.218\n"
	       "  2  192.168.52.1\n"
	       "  3  192.168.80.1\n"
	       "  4  10.54.247.14\n"
	       "  5  10.54.1.196\n"
	       "\n"
	       "Computing statistics for 125 seconds...\n"
	       "            Source to Here   This Node/Link\n"
	       "Hop  RTT    Lost/Sent = Pct  Lost/Sent = Pct  Address\n"
	       "  0                                           172.16.87.35\n"
	       "                                0/ 100 =  0%   |\n"
	       "  1   41ms     0/ 100 =  0%     0/ 100 =  0%  172.16.87.218\n"
	       "                               13/ 100 = 13%   |\n"
	       "  2   22ms    16/ 100 = 16%     3/ 100 =  3%  192.168.52.1\n"
	       "                                0/ 100 =  0%   |\n"
	       "  3   24ms    13/ 100 = 13%     0/ 100 =  0%  192.168.80.1\n"
	       "                                0/ 100 =  0%   |\n"
	       "  4   21ms    14/ 100 = 14%     1/ 100 =  1%  10.54.247.14\n"
	       "                                0/ 100 =  0%   |\n"
	       "  5   24ms    13/ 100 = 13%     0/ 100 =  0%  10.54.1.196\n"
	       "\n"
	       "Trace complete.\n");
}

/* ---- mtr ---- */

static struct mtr_host hosts[3];
static struct mtr_row rows[3];

static struct mtr_report report_of_three(void)
{
	memset(hosts, 0, sizeof(hosts));
	memset(rows, 0, sizeof(rows));
	strcpy(hosts[0].text, "198.51.100.2");
	hosts[0].asn = 64496;
	strcpy(hosts[1].text, "a<b>&\"c");
	strcpy(hosts[2].text, "203.0.113.13");
	for (unsigned i = 0; i < 3; i++) {
		rows[i].ttl = i + 1;
		rows[i].sent = 4;
		series_init(&rows[i].series);
	}
	rows[0].hosts = &hosts[0];
	rows[0].host_count = 1;
	rows[2].hosts = &hosts[1];
	rows[2].host_count = 2;
	for (int i = 0; i < 4; i++)
		series_answer(&rows[0].series, 10 * NS_PER_MS);
	series_answer(&rows[2].series, 100 * NS_PER_MS);
	return (struct mtr_report){.source = "here",
		.target = "there",
		.started_wall_ns = 1795324225 * NS_PER_S,
		.tos = 16,
		.size = 64,
		.cycles = 4,
		.fields = MTR_FIELDS_USUAL,
		.rows = rows,
		.row_count = 3};
}

/* A hop that nobody answered for; a whole hundred without its percent sign; a second address of a hop. */
static void test_mtr_report(void **state)
{
	(void)state;
	struct mtr_report report = report_of_three();
	begin();
	layout_mtr_report(out, &report);
	expect("HOST: here                        Loss%   Snt   Last   Avg  Best  Wrst StDev\n"
	       "  1.|-- 198.51.100.2               0.0%     4   10.0  10.0  10.0  10.0   0.0\n"
	       "  2.|-- ???                       100.0     4    0.0   0.0   0.0   0.0   0.0\n"
	       "  3.|-- a<b>&\"c                   75.0%     4  100.0 100.0 100.0 100.0   0.0\n"
	       "        203.0.113.13                     \n");
	report.wide = report.origins = true;
	report.fields = "LDR X";
	begin();
	layout_mtr_report(out, &report);
	expect("HOST: here                  Loss% Drop   Rcv  Jmax\n"
	       "  1. AS64496  198.51.100.2   0.0%    0     4   0.0\n"
	       "  2. AS???    ???           100.0    4     0   0.0\n"
	       "  3. AS???    a<b>&\"c       75.0%    3     1   0.0\n"
	       "        203.0.113.13 \n"
	       "     AS???    203.0.113.13\n");
}

static void test_mtr_csv(void **state)
{
	(void)state;
	struct mtr_report report = report_of_three();
	report.origins = report.wide = true;
	begin();
	layout_mtr_csv(out, &report);
	expect("Mtr_Version,Start_Time,Status,Host,Hop,Ip,Asn,Loss%,Snt, ,Last,Avg,Best,Wrst,StDev,\n"
	       "MTR.0.95,1795324225,OK,there,1,198.51.100.2,AS64496,0.00,4,0,10.00,10.00,10.00,10.00,0.00\n"
	       "MTR.0.95,1795324225,OK,there,2,???,AS???,100.00,4,4,0.00,0.00,0.00,0.00,0.00\n"
	       "MTR.0.95,1795324225,OK,there,3,a<b>&\"c,AS???,75.00,4,3,100.00,100.00,100.00,100.00,0.00\n"
	       "MTR.0.95,1795324225,OK,there,3,203.0.113.13,AS???,75.00,4,3,100.00,100.00,100.00,100.00,0."
	       "00\n");
}

static void test_mtr_xml_and_json(void **state)
{
	(void)state;
	struct mtr_report report = report_of_three();
	report.row_count = 3;
	report.rows = &rows[2];
	report.row_count = 1;
	report.fields = "LS N";
	begin();
	layout_mtr_xml(out, &report);
	expect("<?xml version=\"1.0\"?>\n"
	       "<MTR SRC=\"here\" DST=\"there\" TOS=\"0x10\" PSIZE=\"64\" BITPATTERN=\"0x00\" TESTS=\"4\">\n"
	       "    <HUB COUNT=\"3\" HOST=\"a&lt;b>&amp;&quot;c\">\n"
	       "        <Loss> 75.0%</Loss>\n"
	       "        <Snt>     4</Snt>\n"
	       "        <Last> 100.0</Last>\n"
	       "    </HUB>\n"
	       "</MTR>\n");
	begin();
	assert_int_equal(layout_mtr_json(out, &report), 0);
	expect("{\n    \"report\": {\n        \"mtr\": {\n            \"src\": \"here\",\n            "
	       "\"dst\": \"there\",\n"
	       "            \"tos\": 16,\n            \"tests\": 4,\n            \"psize\": \"64\",\n"
	       "            \"bitpattern\": \"0x00\"\n        },\n        \"hubs\": [\n            {\n"
	       "                \"count\": 3,\n                \"host\": \"a<b>&\\\"c\",\n                "
	       "\"Loss%\": 75.0,\n"
	       "                \"Snt\": 4,\n                \"Last\": 100.0\n            }\n        ]\n    "
	       "}\n}\n");
}

static void test_mtr_fields(void **state)
{
	(void)state;
	assert_int_equal(mtr_unknown_field("LDRSNBAWVGJMXI "), 0);
	assert_int_equal(mtr_unknown_field("LSq"), 'q');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_traceroute_lines),
		cmocka_unit_test(test_traceroute_annotations),
		cmocka_unit_test(test_traceroute_flags),
		cmocka_unit_test(test_tracert),
		cmocka_unit_test(test_windows_refusals),
		cmocka_unit_test(test_pathping),
		cmocka_unit_test(test_mtr_report),
		cmocka_unit_test(test_mtr_csv),
		cmocka_unit_test(test_mtr_xml_and_json),
		cmocka_unit_test(test_mtr_fields),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(text);
	return failed;
}
