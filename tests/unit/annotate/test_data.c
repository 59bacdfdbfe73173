/* Several files at once: which of them is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "annotate/data.h"
#include "annotate/import.h"

static char dir[] = "/tmp/retour-data-XXXXXX";
static struct data data;

static void write_file(const char *name, const char *text, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void import(const char *text)
{
	char path[200];
	struct import_result result;
	struct error error = {0};
	write_file("source", text, path, sizeof(path));
	if (data_import(dir, path, &result, &error) < 0)
		fail_msg("%s", error.text);
	unlink(path);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[300];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static struct origin look_up(const char *address)
{
	struct addr addr;
	struct origin origin;
	assert_true(addr_parse(address, &addr));
	data_open(&data, dir);
	if (!data_origin(&data, addr, &origin))
		assert_true(origin.count == 0 && !origin.country[0]);
	data_close(&data);
	return origin;
}

static const char iptoasn[] = "192.0.2.0\t192.0.2.255\t64500\tDE\tFive Hundred\n"
			      "198.51.100.0\t198.51.100.127\t64501\tFR\tFive Hundred One\n";

static void test_longest(void **state)
{
	(void)state;
	import(iptoasn);
	import("192.0.2.128\t25\t64510\n192.0.2.0\t24\t64500\n198.51.100.0\t24\t64502\n");
	struct origin origin = look_up("192.0.2.1");
	assert_int_equal(origin.count, 1);
	assert_int_equal(origin.asns[0], 64500);
	assert_string_equal(origin.name, "Five Hundred");
	/* more specific in pfx2as: its number, not the other's name; the country is of the address all the
	 * same */
	origin = look_up("192.0.2.200");
	assert_int_equal(origin.asns[0], 64510);
	assert_string_equal(origin.name, "");
	assert_string_equal(origin.country, "DE");
	/* more specific in iptoasn */
	origin = look_up("198.51.100.1");
	assert_int_equal(origin.asns[0], 64501);
	assert_int_equal(origin.count, 1);
	assert_int_equal(look_up("198.51.100.200").asns[0], 64502);
	assert_int_equal(look_up("203.0.113.1").count, 0);
}

static void test_differ(void **state)
{
	(void)state;
	import(iptoasn);
	import("192.0.2.0\t24\t64500_64510\n");
	struct origin origin = look_up("192.0.2.1");
	assert_int_equal(origin.count, 2);
	assert_string_equal(origin.name, origin.asns[0] == 64500 ? "Five Hundred" : "");
	import("192.0.2.0\t24\t64511\n"); /* takes the place of the one before */
	origin = look_up("192.0.2.1");
	assert_int_equal(origin.count, 2);
	assert_true(origin.asns[0] == 64511 || origin.asns[1] == 64511);
}

/* Installed data takes the place of a raw file of the same kind; raw ones are used until then. */
static void test_raw(void **state)
{
	char path[200];
	(void)state;
	write_file("pfx2as.txt", "192.0.2.0\t24\t64496\n", path, sizeof(path));
	assert_int_equal(look_up("192.0.2.1").asns[0], 64496);
	import("192.0.2.0\t24\t64497\n");
	struct origin origin = look_up("192.0.2.1");
	assert_int_equal(origin.count, 1);
	assert_int_equal(origin.asns[0], 64497);
}

/* Damaged raw files are not used, and the reason is kept; whatever else there is answers. */
static void test_damaged(void **state)
{
	char path[200];
	(void)state;
	write_file("pfx2as.txt", "192.0.2.0\t24\t64496\n192.0.2.0\t2", path, sizeof(path));
	write_file("peeringdb.json", "{\"ix\": [", path, sizeof(path));
	write_file("bad.mmdb", "not one", path, sizeof(path));
	snprintf(path, sizeof(path), "%s/pipe.mmdb", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/as-rel.txt", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	import(iptoasn);
	struct origin origin = look_up("192.0.2.1");
	assert_int_equal(origin.count, 1);
	assert_int_equal(origin.asns[0], 64500);
	assert_true(data.error.code < 0);
}

static void test_nothing(void **state)
{
	(void)state;
	data_open(&data, "/nonexistent/retour");
	assert_int_equal(data.count, 0);
	assert_int_equal(data.error.code, 0);
	data_close(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_longest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_differ, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_raw, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
		cmocka_unit_test(test_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
