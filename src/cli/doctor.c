#include "cli/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "cli/arguments.h"
#include "cli/doctor_check.h"
#include "cli/exit.h"

static const char *const state_words[] = {"ok", "limited", "missing", "unknown"};

struct check *check_add(
	struct checkup *checkup, const char *id, enum check_state state, const char *meaning, ...)
{
	/* The last place takes what is too many: nothing may be written beyond it. */
	size_t place = MIN(checkup->count, (size_t)CHECKS_MAX - 1);
	struct check *check = &checkup->checks[place];
	va_list arguments;
	*check = (struct check){.id = id, .state = state};
	va_start(arguments, meaning);
	vsnprintf(check->meaning, sizeof(check->meaning), meaning, arguments);
	va_end(arguments);
	checkup->count = place + 1;
	return check;
}

void check_remedy(struct check *check, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(check->remedy, sizeof(check->remedy), format, arguments);
	va_end(arguments);
}

bool check_sysctl(const char *name, long *value)
{
	char path[200];
	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	FILE *file = fopen(path, "re");
	bool read = file && fscanf(file, "%ld", value) == 1;
	if (file)
		fclose(file);
	return read;
}

static const char *verdict_word(const struct checkup *checkup)
{
	return checkup->whole ? "all" : checkup->part ? "part" : "nothing";
}

static void print_text(const struct checkup *checkup)
{
	static const char *const verdicts[][2] = {
		{"all", "everything that `retour HOST` needs is there"},
		{"part", "some measurements are possible, others are not"},
		{"nothing", "nothing can be measured"},
	};
	for (size_t i = 0; i < checkup->count; i++) {
		const struct check *check = &checkup->checks[i];
		char clean[4 * sizeof(check->meaning)];
		printf("%-18s %-8s %s\n", check->id, state_words[check->state],
			escape_text(check->meaning, clean, sizeof(clean)));
		if (check->remedy[0])
			printf("%27s do: %s\n", "", escape_text(check->remedy, clean, sizeof(clean)));
	}
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if (strcmp(verdicts[i][0], verdict_word(checkup)) == 0)
			printf("\n%s\n", verdicts[i][1]);
}

static int print_json(const struct checkup *checkup)
{
	json_t *list = json_array();
	for (size_t i = 0; i < checkup->count; i++) {
		const struct check *check = &checkup->checks[i];
		char meaning[4 * sizeof(check->meaning)], remedy[4 * sizeof(check->remedy)];
		escape_text(check->meaning, meaning, sizeof(meaning));
		escape_text(check->remedy, remedy, sizeof(remedy));
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s*}", "id", check->id, "state",
				state_words[check->state], "meaning", meaning, "remedy",
				remedy[0] ? remedy : NULL));
	}
	json_t *document = json_pack("{s:s, s:s, s:o}", "schema", "retour-doctor/1", "can_measure",
		verdict_word(checkup), "checks", list);
	int code = document ? json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) : -1;
	json_decref(document);
	putchar('\n');
	return code;
}

static int usage(void)
{
	fputs("usage: retour doctor [--json] [--data DIR]\n"
	      "\n"
	      "Tells what this machine can and cannot measure, and what would change that.\n"
	      "Nothing leaves the machine.\n"
	      "\n"
	      "      --json                 print one JSON document\n"
	      "      --data DIR             folder of AS data (see FILES in retour(1))\n"
	      "  -h, --help                 this text\n",
		stdout);
	return EXIT_OK;
}

int cli_doctor(int argc, char **argv)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'},
		{"data", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	bool json = false;
	int key;
	struct checkup *checkup = calloc(1, sizeof(*checkup));
	if (!checkup) {
		fputs("retour: out of memory\n", stderr);
		return EXIT_CANNOT_MEASURE;
	}
	optind = 1;
	while ((key = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		json |= key == 'j';
		if (key == 'd')
			checkup->data_dir = optarg;
		if (key == 'h' || key == '?' || key == ':') {
			free(checkup);
			return key == 'h' ? usage() : arguments_bad_option("doctor", key, argv);
		}
	}
	if (optind < argc) {
		free(checkup);
		return arguments_wrong("doctor", "it looks at this machine; what to do with", argv[optind]);
	}
	doctor_sockets(checkup);
	doctor_firewall(checkup);
	doctor_kernel(checkup);
	doctor_helpers(checkup);
	doctor_surroundings(checkup);
	if (json)
		print_json(checkup);
	else
		print_text(checkup);
	int status = checkup->whole ? EXIT_OK : checkup->part ? EXIT_PROBLEM : EXIT_CANNOT_MEASURE;
	free(checkup);
	if (fflush(stdout) == 0)
		return status;
	fprintf(stderr, "retour: cannot write the result: %s\n", strerror(errno));
	return EXIT_CANNOT_MEASURE;
}
