#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "annotate/data.h"
#include "base/clock.h"
#include "cli/doctor_check.h"

/* Networks change hands slowly; prefixes and exchanges do not stay as they are for a season. */
#define OLD_DAYS 90

struct stock {
	bool origins, exchanges, relations;
	int64_t oldest_days; /* -1: not known */
};

static void take_stock(const struct data *data, struct stock *stock)
{
	int64_t now_s = clock_wall_ns() / NS_PER_S;
	for (unsigned i = 0; i < data->count; i++) {
		const struct data_file *file = &data->files[i];
		stock->origins |= file->mmdb ||
			file->text[TABLE_ORIGINS4].length + file->text[TABLE_ORIGINS6].length > 0;
		stock->exchanges |= file->text[TABLE_EXCHANGES].length > 0;
		stock->relations |= file->text[TABLE_RELATIONS].length > 0;
		if (file->changed_s > 0)
			stock->oldest_days = MAX(stock->oldest_days, (now_s - file->changed_s) / 86400);
	}
}

static void check_kind(struct checkup *checkup, const char *id, bool there, const struct stock *stock,
	const char *with, const char *without, const char *remedy)
{
	if (!there) {
		struct check *check = check_add(checkup, id, CHECK_LIMITED, "%s", without);
		check_remedy(check, "%s", remedy);
	} else if (stock->oldest_days > OLD_DAYS) {
		struct check *check = check_add(checkup, id, CHECK_LIMITED,
			"%s; the oldest of it is %lld days old", with, (long long)stock->oldest_days);
		check_remedy(check, "%s", remedy);
	} else
		check_add(checkup, id, CHECK_OK, "%s", with);
}

static void check_data(struct checkup *checkup)
{
	struct stock stock = {.oldest_days = -1};
	struct data *data = malloc(sizeof(*data));
	if (!data)
		return;
	data_open(data, checkup->data_dir);
	take_stock(data, &stock);
	check_kind(checkup, "data-origins", stock.origins, &stock,
		"AS numbers of hops are known from local data", "no local data on AS numbers: hops show none",
		"retour data import pfx2as.txt");
	check_kind(checkup, "data-exchanges", stock.exchanges, &stock, "exchanges are recognised",
		"no local data on exchanges: their LANs are not recognised",
		"retour data import peeringdb.json");
	check_kind(checkup, "data-relations", stock.relations, &stock, "borders to customers are recognised",
		"no local data on who provides for whom: operators at borders are told less often",
		"retour data import as-rel.txt");
	if (data->error.code < 0)
		check_add(checkup, "data-damaged", CHECK_LIMITED, "not used: %s", data->error.text);
	data_close(data);
	free(data);
}

static void check_terminal(struct checkup *checkup)
{
	struct winsize size = {0};
	const char *terminal = getenv("TERM");
	setlocale(LC_CTYPE, "");
	if (!isatty(STDOUT_FILENO))
		check_add(checkup, "terminal", CHECK_LIMITED,
			"standard output is no terminal: no `retour watch` on it");
	else if (!terminal || !*terminal || strcmp(terminal, "dumb") == 0) {
		struct check *check = check_add(
			checkup, "terminal", CHECK_LIMITED, "a terminal of unknown type: no colours");
		check_remedy(check, "export TERM=xterm-256color");
	} else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_col < 110)
		check_add(checkup, "terminal", CHECK_OK,
			"%u columns; from 110 on both ways stand side by side", size.ws_col);
	else
		check_add(checkup, "terminal", CHECK_OK, "both ways stand side by side");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		check_add(checkup, "locale", CHECK_OK, "UTF-8: lines are drawn");
	else {
		struct check *check =
			check_add(checkup, "locale", CHECK_LIMITED, "not UTF-8: pictures are in ASCII");
		check_remedy(check, "export LC_CTYPE=C.UTF-8");
	}
}

static void check_resolver(struct checkup *checkup)
{
	char line[256], word[16];
	bool any = false;
	FILE *file = fopen("/etc/resolv.conf", "re");
	while (file && fgets(line, sizeof(line), file))
		any |= sscanf(line, " %15s", word) == 1 && strcmp(word, "nameserver") == 0;
	if (file)
		fclose(file);
	if (any)
		check_add(checkup, "names", CHECK_OK, "a name server is configured");
	else
		check_add(checkup, "names", CHECK_LIMITED,
			"no name server in /etc/resolv.conf: give addresses, hops show no names");
}

void doctor_surroundings(struct checkup *checkup)
{
	check_data(checkup);
	check_resolver(checkup);
	check_terminal(checkup);
}
