/* Any file that is taken for an MMDB file: refused, or look-ups and the check of the whole are safe. */
#include <string.h>
#include <unistd.h>

#include "annotate/mmdb.h"
#include "fuzz.h"

/* libmaxminddb 1.7.1 forgets what it read of metadata that it then refuses. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/dev/shm/retour-fuzz-XXXXXX";
	struct mmdb *mmdb;
	struct mmdb_facts facts;
	struct error error = {0};
	struct origin origin;
	int fd = mkstemp(path);
	if (fd < 0)
		return 0;
	CHECK(write(fd, data, size) == (ssize_t)size);
	close(fd);
	if (mmdb_open(&mmdb, path, &error) < 0) {
		CHECK(error.text[0] && !mmdb);
	} else {
		if (mmdb_check(mmdb, &facts, &error) < 0)
			CHECK(error.text[0]);
		if (mmdb_find(mmdb, addr_v4(0xc6336404), &origin))
			CHECK(origin.count <= 1 && strlen(origin.country) <= 2);
		(void)mmdb_find(mmdb, addr_v6(0x20010db801000000, 1), &origin);
		mmdb_close(mmdb);
	}
	unlink(path);
	return 0;
}
