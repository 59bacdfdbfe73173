/* What a far host prints over ssh, and ssh itself: read without a word too much, whatever it is. */
#include <string.h>

#include "fuzz.h"
#include "reverse/ssh_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ssh_answer answer;
	struct ssh_configuration configuration;
	char reason[200];
	char *text = malloc(size + 1);
	for (size_t i = 0; i < size; i++)
		text[i] = data[i] ? (char)data[i] : ' ';
	text[size] = '\0';
	ssh_answer_read(text, &answer);
	CHECK(answer.run_count <= SSH_RUNS_MAX);
	CHECK(answer.script || answer.run_count == 0);
	for (size_t i = 0; i < answer.run_count; i++) {
		const struct ssh_run *run = &answer.runs[i];
		CHECK(!run->bytes || (run->bytes >= text && run->bytes + run->length <= text + size));
	}
	ssh_configuration_read(text, &configuration);
	CHECK(strlen(configuration.hostname) < sizeof(configuration.hostname));
	ssh_explain(text, "far", reason, sizeof(reason));
	CHECK(reason[0] && !strchr(reason, '\n'));
	free(text);
	return 0;
}
